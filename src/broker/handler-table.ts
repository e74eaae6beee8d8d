// Which APIs are served, at which versions, by whom. ApiVersions and the reference page are derived from this table: a range that
// stands here is a promise.
// Runs on: every worker (a table each, since handlers hold state of their worker).

import type { ApiRow } from '../network/api-row.ts';
import type { OrderClass } from '../network/request-order.ts';
import { API } from '../protocol/api-keys.ts';
import type { BrokerContext } from './broker-context.ts';
import { type ApiRange, apiVersionsHandler } from './handlers/api-versions.ts';
import { createTopicsHandler } from './handlers/create-topics.ts';
import { deleteTopicsHandler } from './handlers/delete-topics.ts';
import { describeClusterHandler } from './handlers/describe-cluster.ts';
import { describeConfigsHandler } from './handlers/describe-configs.ts';
import { describeTopicPartitionsHandler } from './handlers/describe-topic-partitions.ts';
import { fetchHandler } from './handlers/fetch.ts';
import type { Handler } from './handlers/handler.ts';
import { initProducerIdHandler } from './handlers/init-producer-id.ts';
import { listOffsetsHandler } from './handlers/list-offsets.ts';
import { metadataHandler } from './handlers/metadata.ts';
import { offsetForLeaderEpochHandler } from './handlers/offset-for-leader-epoch.ts';
import { produceHandler } from './handlers/produce.ts';

/** An API that is served: the versions it is served at, what may overlap with it on its connection, and by whom. */
export interface ServedApi {
  readonly apiKey: number;
  readonly versions: readonly [first: number, last: number];
  /** What ApiVersions says where that is more than is served: librdkafka looks for Produce v0 before it believes in compression. */
  readonly advertisedSince?: number;
  readonly order?: OrderClass;
  readonly keepsBody?: boolean;
  readonly handler: (context: BrokerContext) => Handler;
}

export const served: readonly ServedApi[] = [
  { apiKey: API.Produce, versions: [3, 13], advertisedSince: 0, order: 'produce', keepsBody: true, handler: produceHandler },
  { apiKey: API.Fetch, versions: [4, 18], order: 'fetch', handler: fetchHandler },
  { apiKey: API.ListOffsets, versions: [1, 11], handler: listOffsetsHandler },
  { apiKey: API.Metadata, versions: [0, 13], handler: metadataHandler },
  { apiKey: API.ApiVersions, versions: [0, 4], handler: (context) => apiVersionsHandler(advertisedRanges, context.metadata.image) },
  { apiKey: API.CreateTopics, versions: [2, 7], handler: createTopicsHandler },
  { apiKey: API.DeleteTopics, versions: [1, 6], handler: deleteTopicsHandler },
  { apiKey: API.InitProducerId, versions: [0, 5], handler: initProducerIdHandler },
  { apiKey: API.OffsetForLeaderEpoch, versions: [2, 4], handler: offsetForLeaderEpochHandler },
  { apiKey: API.DescribeConfigs, versions: [1, 4], handler: describeConfigsHandler },
  { apiKey: API.DescribeCluster, versions: [0, 2], handler: describeClusterHandler },
  { apiKey: API.DescribeTopicPartitions, versions: [0, 0], handler: describeTopicPartitionsHandler },
];

/** What ApiVersions answers, by ascending key. */
export const advertisedRanges: readonly ApiRange[] = served.map(({ apiKey, versions: [first, last], advertisedSince }) => ({
  apiKey,
  minVersion: advertisedSince ?? first,
  maxVersion: last,
}));

/** The rows that the network layer dispatches by. */
export function handlerTable(context: BrokerContext): ApiRow[] {
  return served.map(({ apiKey, versions: [minVersion, maxVersion], order = 'barrier', keepsBody = false, handler }) => ({
    apiKey,
    minVersion,
    maxVersion,
    acceptsAnyVersion: apiKey === API.ApiVersions,
    keepsBody,
    order,
    handle: handler(context),
  }));
}
