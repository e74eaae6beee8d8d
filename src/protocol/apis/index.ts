// The APIs that the broker serves, by key: for headers, the handler table and the coordinators. All of them are loaded by every worker;
// the tables of the others are in all.ts.
// Pure.
import type { Table } from '../schema.ts';
import { alterConfigsRequest, alterConfigsResponse } from './alter-configs.ts';
import { alterPartitionReassignmentsRequest, alterPartitionReassignmentsResponse } from './alter-partition-reassignments.ts';
import { alterReplicaLogDirsRequest, alterReplicaLogDirsResponse } from './alter-replica-log-dirs.ts';
import { apiVersionsRequest, apiVersionsResponse } from './api-versions.ts';
import { consumerGroupDescribeRequest, consumerGroupDescribeResponse } from './consumer-group-describe.ts';
import { consumerGroupHeartbeatRequest, consumerGroupHeartbeatResponse } from './consumer-group-heartbeat.ts';
import { createAclsRequest, createAclsResponse } from './create-acls.ts';
import { createPartitionsRequest, createPartitionsResponse } from './create-partitions.ts';
import { createTopicsRequest, createTopicsResponse } from './create-topics.ts';
import { deleteAclsRequest, deleteAclsResponse } from './delete-acls.ts';
import { deleteGroupsRequest, deleteGroupsResponse } from './delete-groups.ts';
import { deleteRecordsRequest, deleteRecordsResponse } from './delete-records.ts';
import { deleteTopicsRequest, deleteTopicsResponse } from './delete-topics.ts';
import { describeAclsRequest, describeAclsResponse } from './describe-acls.ts';
import { describeClientQuotasRequest, describeClientQuotasResponse } from './describe-client-quotas.ts';
import { describeClusterRequest, describeClusterResponse } from './describe-cluster.ts';
import { describeConfigsRequest, describeConfigsResponse } from './describe-configs.ts';
import { describeGroupsRequest, describeGroupsResponse } from './describe-groups.ts';
import { describeLogDirsRequest, describeLogDirsResponse } from './describe-log-dirs.ts';
import { describeProducersRequest, describeProducersResponse } from './describe-producers.ts';
import { describeQuorumRequest, describeQuorumResponse } from './describe-quorum.ts';
import { describeTopicPartitionsRequest, describeTopicPartitionsResponse } from './describe-topic-partitions.ts';
import { describeUserScramCredentialsRequest, describeUserScramCredentialsResponse } from './describe-user-scram-credentials.ts';
import { electLeadersRequest, electLeadersResponse } from './elect-leaders.ts';
import { fetchRequest, fetchResponse } from './fetch.ts';
import { findCoordinatorRequest, findCoordinatorResponse } from './find-coordinator.ts';
import { heartbeatRequest, heartbeatResponse } from './heartbeat.ts';
import { incrementalAlterConfigsRequest, incrementalAlterConfigsResponse } from './incremental-alter-configs.ts';
import { initProducerIdRequest, initProducerIdResponse } from './init-producer-id.ts';
import { joinGroupRequest, joinGroupResponse } from './join-group.ts';
import { leaveGroupRequest, leaveGroupResponse } from './leave-group.ts';
import { listConfigResourcesRequest, listConfigResourcesResponse } from './list-config-resources.ts';
import { listGroupsRequest, listGroupsResponse } from './list-groups.ts';
import { listOffsetsRequest, listOffsetsResponse } from './list-offsets.ts';
import { listPartitionReassignmentsRequest, listPartitionReassignmentsResponse } from './list-partition-reassignments.ts';
import { listTransactionsRequest, listTransactionsResponse } from './list-transactions.ts';
import { metadataRequest, metadataResponse } from './metadata.ts';
import { offsetCommitRequest, offsetCommitResponse } from './offset-commit.ts';
import { offsetDeleteRequest, offsetDeleteResponse } from './offset-delete.ts';
import { offsetFetchRequest, offsetFetchResponse } from './offset-fetch.ts';
import { offsetForLeaderEpochRequest, offsetForLeaderEpochResponse } from './offset-for-leader-epoch.ts';
import { produceRequest, produceResponse } from './produce.ts';
import { syncGroupRequest, syncGroupResponse } from './sync-group.ts';
import { unregisterBrokerRequest, unregisterBrokerResponse } from './unregister-broker.ts';
import { updateFeaturesRequest, updateFeaturesResponse } from './update-features.ts';

export interface Api {
  readonly request: Table;
  readonly response: Table;
}

export const apis: ReadonlyMap<number, Api> = new Map(
  [
    { request: alterConfigsRequest, response: alterConfigsResponse },
    { request: incrementalAlterConfigsRequest, response: incrementalAlterConfigsResponse },
    { request: listConfigResourcesRequest, response: listConfigResourcesResponse },
    { request: apiVersionsRequest, response: apiVersionsResponse },
    { request: consumerGroupDescribeRequest, response: consumerGroupDescribeResponse },
    { request: consumerGroupHeartbeatRequest, response: consumerGroupHeartbeatResponse },
    { request: deleteGroupsRequest, response: deleteGroupsResponse },
    { request: describeGroupsRequest, response: describeGroupsResponse },
    { request: findCoordinatorRequest, response: findCoordinatorResponse },
    { request: heartbeatRequest, response: heartbeatResponse },
    { request: joinGroupRequest, response: joinGroupResponse },
    { request: leaveGroupRequest, response: leaveGroupResponse },
    { request: listGroupsRequest, response: listGroupsResponse },
    { request: offsetCommitRequest, response: offsetCommitResponse },
    { request: offsetDeleteRequest, response: offsetDeleteResponse },
    { request: offsetFetchRequest, response: offsetFetchResponse },
    { request: syncGroupRequest, response: syncGroupResponse },
    { request: createTopicsRequest, response: createTopicsResponse },
    { request: createPartitionsRequest, response: createPartitionsResponse },
    { request: deleteRecordsRequest, response: deleteRecordsResponse },
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
    { request: describeLogDirsRequest, response: describeLogDirsResponse },
    { request: alterReplicaLogDirsRequest, response: alterReplicaLogDirsResponse },
    { request: describeProducersRequest, response: describeProducersResponse },
    { request: describeQuorumRequest, response: describeQuorumResponse },
    { request: updateFeaturesRequest, response: updateFeaturesResponse },
    { request: unregisterBrokerRequest, response: unregisterBrokerResponse },
    { request: listPartitionReassignmentsRequest, response: listPartitionReassignmentsResponse },
    { request: alterPartitionReassignmentsRequest, response: alterPartitionReassignmentsResponse },
    { request: electLeadersRequest, response: electLeadersResponse },
    { request: describeAclsRequest, response: describeAclsResponse },
    { request: createAclsRequest, response: createAclsResponse },
    { request: deleteAclsRequest, response: deleteAclsResponse },
    { request: describeClientQuotasRequest, response: describeClientQuotasResponse },
    { request: describeUserScramCredentialsRequest, response: describeUserScramCredentialsResponse },
    { request: listTransactionsRequest, response: listTransactionsResponse },
  ].map((api): [number, Api] => [api.request.apiKey, api]),
);
