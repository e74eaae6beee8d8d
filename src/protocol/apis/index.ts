// The APIs that the broker serves, by key: for headers, the handler table and the coordinators. All of them are loaded by every worker;
// the tables of the others are in all.ts.
// Pure.
import type { Table } from '../schema.ts';
import { apiVersionsRequest, apiVersionsResponse } from './api-versions.ts';
import { consumerGroupDescribeRequest, consumerGroupDescribeResponse } from './consumer-group-describe.ts';
import { consumerGroupHeartbeatRequest, consumerGroupHeartbeatResponse } from './consumer-group-heartbeat.ts';
import { createTopicsRequest, createTopicsResponse } from './create-topics.ts';
import { deleteGroupsRequest, deleteGroupsResponse } from './delete-groups.ts';
import { deleteTopicsRequest, deleteTopicsResponse } from './delete-topics.ts';
import { describeClusterRequest, describeClusterResponse } from './describe-cluster.ts';
import { describeConfigsRequest, describeConfigsResponse } from './describe-configs.ts';
import { describeGroupsRequest, describeGroupsResponse } from './describe-groups.ts';
import { describeTopicPartitionsRequest, describeTopicPartitionsResponse } from './describe-topic-partitions.ts';
import { fetchRequest, fetchResponse } from './fetch.ts';
import { findCoordinatorRequest, findCoordinatorResponse } from './find-coordinator.ts';
import { heartbeatRequest, heartbeatResponse } from './heartbeat.ts';
import { initProducerIdRequest, initProducerIdResponse } from './init-producer-id.ts';
import { joinGroupRequest, joinGroupResponse } from './join-group.ts';
import { leaveGroupRequest, leaveGroupResponse } from './leave-group.ts';
import { listGroupsRequest, listGroupsResponse } from './list-groups.ts';
import { listOffsetsRequest, listOffsetsResponse } from './list-offsets.ts';
import { metadataRequest, metadataResponse } from './metadata.ts';
import { offsetCommitRequest, offsetCommitResponse } from './offset-commit.ts';
import { offsetDeleteRequest, offsetDeleteResponse } from './offset-delete.ts';
import { offsetFetchRequest, offsetFetchResponse } from './offset-fetch.ts';
import { offsetForLeaderEpochRequest, offsetForLeaderEpochResponse } from './offset-for-leader-epoch.ts';
import { produceRequest, produceResponse } from './produce.ts';
import { syncGroupRequest, syncGroupResponse } from './sync-group.ts';

export interface Api {
  readonly request: Table;
  readonly response: Table;
}

export const apis: ReadonlyMap<number, Api> = new Map(
  [
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
