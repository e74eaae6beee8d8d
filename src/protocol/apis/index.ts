// Every API that has a table, by key: for the handler table, tests and tools.
// Pure.
import type { Table } from '../schema.ts';
import { apiVersionsRequest, apiVersionsResponse } from './api-versions.ts';
import { createTopicsRequest, createTopicsResponse } from './create-topics.ts';
import { deleteTopicsRequest, deleteTopicsResponse } from './delete-topics.ts';
import { describeClusterRequest, describeClusterResponse } from './describe-cluster.ts';
import { describeConfigsRequest, describeConfigsResponse } from './describe-configs.ts';
import { describeTopicPartitionsRequest, describeTopicPartitionsResponse } from './describe-topic-partitions.ts';
import { fetchRequest, fetchResponse } from './fetch.ts';
import { initProducerIdRequest, initProducerIdResponse } from './init-producer-id.ts';
import { listOffsetsRequest, listOffsetsResponse } from './list-offsets.ts';
import { metadataRequest, metadataResponse } from './metadata.ts';
import { offsetForLeaderEpochRequest, offsetForLeaderEpochResponse } from './offset-for-leader-epoch.ts';
import { produceRequest, produceResponse } from './produce.ts';

export interface Api {
  readonly request: Table;
  readonly response: Table;
}

export const apis: ReadonlyMap<number, Api> = new Map(
  [
    { request: apiVersionsRequest, response: apiVersionsResponse },
    { request: createTopicsRequest, response: createTopicsResponse },
    { request: deleteTopicsRequest, response: deleteTopicsResponse },
    { request: describeClusterRequest, response: describeClusterResponse },
    { request: describeConfigsRequest, response: describeConfigsResponse },
    { request: describeTopicPartitionsRequest, response: describeTopicPartitionsResponse },
    { request: fetchRequest, response: fetchResponse },
    { request: initProducerIdRequest, response: initProducerIdResponse },
    { request: listOffsetsRequest, response: listOffsetsResponse },
    { request: metadataRequest, response: metadataResponse },
    { request: offsetForLeaderEpochRequest, response: offsetForLeaderEpochResponse },
    { request: produceRequest, response: produceResponse },
  ].map((api): [number, Api] => [api.request.apiKey, api]),
);
