// Which APIs are served, at which versions, by whom. ApiVersions and the reference page are derived from this table: a range that
// stands here is a promise.
// Runs on: every worker (a table each, since handlers hold state of their worker).

import type { ApiRow } from '../network/api-row.ts';
import type { OrderClass } from '../network/request-order.ts';
import { API } from '../protocol/api-keys.ts';
import { consumerGroupDescribeRequest, consumerGroupDescribeResponse } from '../protocol/apis/consumer-group-describe.ts';
import { consumerGroupHeartbeatRequest, consumerGroupHeartbeatResponse } from '../protocol/apis/consumer-group-heartbeat.ts';
import { heartbeatRequest, heartbeatResponse } from '../protocol/apis/heartbeat.ts';
import { joinGroupRequest, joinGroupResponse } from '../protocol/apis/join-group.ts';
import { leaveGroupRequest, leaveGroupResponse } from '../protocol/apis/leave-group.ts';
import { offsetCommitRequest, offsetCommitResponse } from '../protocol/apis/offset-commit.ts';
import { offsetDeleteRequest, offsetDeleteResponse } from '../protocol/apis/offset-delete.ts';
import { syncGroupRequest, syncGroupResponse } from '../protocol/apis/sync-group.ts';
import type { BrokerContext } from './broker-context.ts';
import { createAclsHandler, deleteAclsHandler, describeAclsHandler } from './handlers/acls.ts';
import { alterConfigsHandler, incrementalAlterConfigsHandler } from './handlers/alter-configs.ts';
import { alterPartitionReassignmentsHandler } from './handlers/alter-partition-reassignments.ts';
import { alterReplicaLogDirsHandler } from './handlers/alter-replica-log-dirs.ts';
import { type ApiRange, apiVersionsHandler } from './handlers/api-versions.ts';
import { createPartitionsHandler } from './handlers/create-partitions.ts';
import { createTopicsHandler } from './handlers/create-topics.ts';
import { deleteRecordsHandler } from './handlers/delete-records.ts';
import { deleteTopicsHandler } from './handlers/delete-topics.ts';
import { describeClientQuotasHandler } from './handlers/describe-client-quotas.ts';
import { describeClusterHandler } from './handlers/describe-cluster.ts';
import { describeConfigsHandler } from './handlers/describe-configs.ts';
import { consumerGroupDescribeHandler, deleteGroupsHandler, describeGroupsHandler } from './handlers/describe-groups.ts';
import { describeLogDirsHandler } from './handlers/describe-log-dirs.ts';
import { describeProducersHandler } from './handlers/describe-producers.ts';
import { describeQuorumHandler } from './handlers/describe-quorum.ts';
import { describeTopicPartitionsHandler } from './handlers/describe-topic-partitions.ts';
import { describeUserScramCredentialsHandler } from './handlers/describe-user-scram-credentials.ts';
import { electLeadersHandler } from './handlers/elect-leaders.ts';
import { fetchHandler } from './handlers/fetch.ts';
import { findCoordinatorHandler } from './handlers/find-coordinator.ts';
import { groupRequestHandler } from './handlers/group-request.ts';
import { withGroupVersion } from './handlers/group-version.ts';
import type { Handler } from './handlers/handler.ts';
import { initProducerIdHandler } from './handlers/init-producer-id.ts';
import { listConfigResourcesHandler } from './handlers/list-config-resources.ts';
import { listGroupsHandler } from './handlers/list-groups.ts';
import { listOffsetsHandler } from './handlers/list-offsets.ts';
import { listPartitionReassignmentsHandler } from './handlers/list-partition-reassignments.ts';
import { listTransactionsHandler } from './handlers/list-transactions.ts';
import { metadataHandler } from './handlers/metadata.ts';
import { offsetFetchHandler } from './handlers/offset-fetch.ts';
import { offsetForLeaderEpochHandler } from './handlers/offset-for-leader-epoch.ts';
import { produceHandler } from './handlers/produce.ts';
import { unregisterBrokerHandler } from './handlers/unregister-broker.ts';
import { updateFeaturesHandler } from './handlers/update-features.ts';

/** An API that is served: the versions it is served at, what may overlap with it on its connection, and by whom. */
export interface ServedApi {
  readonly apiKey: number;
  readonly versions: readonly [first: number, last: number];
  /** What ApiVersions says where that is more than is served: librdkafka looks for Produce v0 before it believes in compression. */
  readonly advertisedSince?: number;
  readonly order?: OrderClass;
  readonly keepsBody?: boolean;
  /** As in ApiRow. */
  readonly waitsForOthers?: boolean;
  readonly handler: (context: BrokerContext) => Handler;
}

export const served: readonly ServedApi[] = [
  { apiKey: API.Produce, versions: [3, 13], advertisedSince: 0, order: 'produce', keepsBody: true, handler: produceHandler },
  { apiKey: API.Fetch, versions: [4, 18], order: 'fetch', waitsForOthers: true, handler: fetchHandler },
  { apiKey: API.ListOffsets, versions: [1, 11], handler: listOffsetsHandler },
  { apiKey: API.Metadata, versions: [0, 13], handler: metadataHandler },
  { apiKey: API.OffsetCommit, versions: [2, 10], handler: groupRequestHandler(offsetCommitRequest, offsetCommitResponse) },
  { apiKey: API.OffsetFetch, versions: [1, 10], handler: offsetFetchHandler },
  { apiKey: API.FindCoordinator, versions: [0, 6], handler: findCoordinatorHandler },
  { apiKey: API.JoinGroup, versions: [0, 9], waitsForOthers: true, handler: groupRequestHandler(joinGroupRequest, joinGroupResponse) },
  { apiKey: API.Heartbeat, versions: [0, 4], handler: groupRequestHandler(heartbeatRequest, heartbeatResponse) },
  { apiKey: API.LeaveGroup, versions: [0, 5], handler: groupRequestHandler(leaveGroupRequest, leaveGroupResponse) },
  { apiKey: API.SyncGroup, versions: [0, 5], waitsForOthers: true, handler: groupRequestHandler(syncGroupRequest, syncGroupResponse) },
  { apiKey: API.DescribeGroups, versions: [0, 6], handler: describeGroupsHandler },
  { apiKey: API.ListGroups, versions: [0, 5], handler: listGroupsHandler },
  { apiKey: API.ApiVersions, versions: [0, 4], handler: (context) => apiVersionsHandler(advertisedRanges, context.metadata.image) },
  { apiKey: API.CreateTopics, versions: [2, 7], handler: createTopicsHandler },
  { apiKey: API.DeleteTopics, versions: [1, 6], handler: deleteTopicsHandler },
  { apiKey: API.DeleteRecords, versions: [0, 2], handler: deleteRecordsHandler },
  { apiKey: API.CreatePartitions, versions: [0, 3], handler: createPartitionsHandler },
  { apiKey: API.InitProducerId, versions: [0, 5], handler: initProducerIdHandler },
  { apiKey: API.OffsetForLeaderEpoch, versions: [2, 4], handler: offsetForLeaderEpochHandler },
  { apiKey: API.DescribeAcls, versions: [1, 3], handler: describeAclsHandler },
  { apiKey: API.CreateAcls, versions: [1, 3], handler: createAclsHandler },
  { apiKey: API.DeleteAcls, versions: [1, 3], handler: deleteAclsHandler },
  { apiKey: API.DescribeConfigs, versions: [1, 4], handler: describeConfigsHandler },
  { apiKey: API.AlterReplicaLogDirs, versions: [1, 2], handler: alterReplicaLogDirsHandler },
  { apiKey: API.DescribeLogDirs, versions: [1, 5], handler: describeLogDirsHandler },
  { apiKey: API.DeleteGroups, versions: [0, 2], handler: deleteGroupsHandler },
  { apiKey: API.ElectLeaders, versions: [0, 2], handler: electLeadersHandler },
  { apiKey: API.AlterPartitionReassignments, versions: [0, 1], handler: alterPartitionReassignmentsHandler },
  { apiKey: API.ListPartitionReassignments, versions: [0, 0], handler: listPartitionReassignmentsHandler },
  { apiKey: API.AlterConfigs, versions: [0, 2], handler: alterConfigsHandler },
  { apiKey: API.IncrementalAlterConfigs, versions: [0, 1], handler: incrementalAlterConfigsHandler },
  { apiKey: API.OffsetDelete, versions: [0, 0], handler: groupRequestHandler(offsetDeleteRequest, offsetDeleteResponse) },
  { apiKey: API.DescribeClientQuotas, versions: [0, 1], handler: describeClientQuotasHandler },
  { apiKey: API.DescribeUserScramCredentials, versions: [0, 0], handler: describeUserScramCredentialsHandler },
  { apiKey: API.DescribeQuorum, versions: [0, 2], handler: describeQuorumHandler },
  { apiKey: API.UpdateFeatures, versions: [0, 2], handler: updateFeaturesHandler },
  { apiKey: API.DescribeCluster, versions: [0, 2], handler: describeClusterHandler },
  { apiKey: API.DescribeProducers, versions: [0, 0], handler: describeProducersHandler },
  { apiKey: API.UnregisterBroker, versions: [0, 0], handler: unregisterBrokerHandler },
  { apiKey: API.ListTransactions, versions: [0, 2], handler: listTransactionsHandler },
  {
    apiKey: API.ConsumerGroupHeartbeat,
    versions: [0, 1],
    handler: withGroupVersion(
      consumerGroupHeartbeatRequest,
      consumerGroupHeartbeatResponse,
      groupRequestHandler(consumerGroupHeartbeatRequest, consumerGroupHeartbeatResponse),
    ),
  },
  {
    apiKey: API.ConsumerGroupDescribe,
    versions: [0, 1],
    handler: withGroupVersion(consumerGroupDescribeRequest, consumerGroupDescribeResponse, consumerGroupDescribeHandler),
  },
  { apiKey: API.ListConfigResources, versions: [0, 1], handler: listConfigResourcesHandler },
  { apiKey: API.DescribeTopicPartitions, versions: [0, 0], handler: describeTopicPartitionsHandler },
];

/** What ApiVersions answers, by ascending key. */
export const advertisedRanges: readonly ApiRange[] = served
  .map(({ apiKey, versions: [first, last], advertisedSince }) => ({ apiKey, minVersion: advertisedSince ?? first, maxVersion: last }))
  .sort((one, other) => one.apiKey - other.apiKey);

/** The rows that the network layer dispatches by. */
export function handlerTable(context: BrokerContext): ApiRow[] {
  return served.map(
    ({ apiKey, versions: [minVersion, maxVersion], order = 'barrier', keepsBody = false, waitsForOthers = false, handler }) => ({
      apiKey,
      minVersion,
      maxVersion,
      acceptsAnyVersion: apiKey === API.ApiVersions,
      keepsBody,
      order,
      waitsForOthers,
      handle: handler(context),
    }),
  );
}
