// The answer that says of a whole request that it could not be served, in the shape of its API: what a coordinator answers while it loads,
// after it has lost its log, or where it was never the one to ask.
// Pure. Source: GroupCoordinatorService of Apache Kafka 4.3, which gives each API its own shape.

import { assert } from '../base/assert.ts';
import { API } from '../protocol/api-keys.ts';
import type { ConsumerGroupDescribeRequest, ConsumerGroupDescribeResponse } from '../protocol/apis/consumer-group-describe.ts';
import type { ConsumerGroupHeartbeatResponse } from '../protocol/apis/consumer-group-heartbeat.ts';
import type { DeleteGroupsRequest, DeleteGroupsResponse } from '../protocol/apis/delete-groups.ts';
import type { DescribeGroupsRequest, DescribeGroupsResponse } from '../protocol/apis/describe-groups.ts';
import type { HeartbeatResponse } from '../protocol/apis/heartbeat.ts';
import type { JoinGroupResponse } from '../protocol/apis/join-group.ts';
import type { LeaveGroupResponse } from '../protocol/apis/leave-group.ts';
import type { ListGroupsResponse } from '../protocol/apis/list-groups.ts';
import type { OffsetCommitRequest, OffsetCommitResponse } from '../protocol/apis/offset-commit.ts';
import type { OffsetDeleteResponse } from '../protocol/apis/offset-delete.ts';
import type { OffsetFetchRequest, OffsetFetchResponse } from '../protocol/apis/offset-fetch.ts';
import type { SyncGroupResponse } from '../protocol/apis/sync-group.ts';
import { UNREQUESTED_OPERATIONS } from '../protocol/authorized-operations.ts';
import { ERROR } from '../protocol/errors.ts';

const NO_OFFSET = -1;

/** The response message to a request of `apiKey` at `version`. */
export function groupRefusal(apiKey: number, version: number, body: unknown, errorCode: number): unknown {
  switch (apiKey) {
    case API.JoinGroup:
      return joinGroup(version, errorCode);
    case API.SyncGroup:
      return {
        throttleTimeMs: 0,
        errorCode,
        protocolType: null,
        protocolName: null,
        assignment: new Uint8Array(0),
      } satisfies SyncGroupResponse;
    case API.Heartbeat:
      // As from Apache Kafka: a member of a group that is being loaded is told that all is well.
      return {
        throttleTimeMs: 0,
        errorCode: errorCode === ERROR.COORDINATOR_LOAD_IN_PROGRESS ? ERROR.NONE : errorCode,
      } satisfies HeartbeatResponse;
    case API.LeaveGroup:
      return { throttleTimeMs: 0, errorCode, members: [] } satisfies LeaveGroupResponse;
    case API.OffsetCommit:
      return offsetCommit(body as OffsetCommitRequest, errorCode);
    case API.OffsetFetch:
      return offsetFetch(body as OffsetFetchRequest, version, errorCode);
    case API.OffsetDelete:
      return { errorCode, throttleTimeMs: 0, topics: [] } satisfies OffsetDeleteResponse;
    case API.ListGroups:
      return { throttleTimeMs: 0, errorCode, groups: [] } satisfies ListGroupsResponse;
    case API.DescribeGroups:
      return describeGroups(body as DescribeGroupsRequest, errorCode);
    case API.DeleteGroups:
      return deleteGroups(body as DeleteGroupsRequest, errorCode);
    case API.ConsumerGroupHeartbeat:
      return consumerGroupHeartbeat(errorCode);
    default:
      assert(apiKey === API.ConsumerGroupDescribe, `API ${apiKey} is not asked of groups`);
      return consumerGroupDescribe(body as ConsumerGroupDescribeRequest, errorCode);
  }
}

function joinGroup(version: number, errorCode: number): JoinGroupResponse {
  return {
    throttleTimeMs: 0,
    errorCode,
    generationId: -1,
    protocolType: null,
    protocolName: version >= 7 ? null : '',
    leader: '',
    skipAssignment: false,
    memberId: '',
    members: [],
  };
}

function offsetCommit({ topics }: OffsetCommitRequest, errorCode: number): OffsetCommitResponse {
  return {
    throttleTimeMs: 0,
    topics: topics.map(({ name, topicId, partitions }) => ({
      name,
      topicId,
      partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, errorCode })),
    })),
  };
}

/** From version 8 on each group has the error, from 2 on the response, before each partition. */
function offsetFetch({ topics, groups }: OffsetFetchRequest, version: number, errorCode: number): OffsetFetchResponse {
  if (version >= 8) {
    return {
      throttleTimeMs: 0,
      topics: [],
      errorCode: ERROR.NONE,
      groups: groups.map(({ groupId }) => ({ groupId, topics: [], errorCode })),
    };
  }
  if (version >= 2) return { throttleTimeMs: 0, topics: [], errorCode, groups: [] };
  const refused = (topics ?? []).map(({ name, partitionIndexes }) => ({
    name,
    partitions: partitionIndexes.map((partitionIndex) => ({
      partitionIndex,
      committedOffset: NO_OFFSET,
      committedLeaderEpoch: -1,
      metadata: '',
      errorCode,
    })),
  }));
  return { throttleTimeMs: 0, topics: refused, errorCode: ERROR.NONE, groups: [] };
}

function describeGroups({ groups }: DescribeGroupsRequest, errorCode: number): DescribeGroupsResponse {
  return {
    throttleTimeMs: 0,
    groups: groups.map((groupId) => ({
      errorCode,
      errorMessage: null,
      groupId,
      groupState: '',
      protocolType: '',
      protocolData: '',
      members: [],
      authorizedOperations: UNREQUESTED_OPERATIONS,
    })),
  };
}

function deleteGroups({ groupsNames }: DeleteGroupsRequest, errorCode: number): DeleteGroupsResponse {
  return { throttleTimeMs: 0, results: groupsNames.map((groupId) => ({ groupId, errorCode, errorMessage: null })) };
}

function consumerGroupHeartbeat(errorCode: number): ConsumerGroupHeartbeatResponse {
  return {
    throttleTimeMs: 0,
    errorCode,
    errorMessage: null,
    memberId: null,
    memberEpoch: 0,
    heartbeatIntervalMs: 0,
    assignment: null,
  };
}

function consumerGroupDescribe({ groupIds }: ConsumerGroupDescribeRequest, errorCode: number): ConsumerGroupDescribeResponse {
  return {
    throttleTimeMs: 0,
    groups: groupIds.map((groupId) => ({
      errorCode,
      errorMessage: null,
      groupId,
      groupState: '',
      groupEpoch: 0,
      assignmentEpoch: 0,
      assignorName: '',
      members: [],
      authorizedOperations: UNREQUESTED_OPERATIONS,
    })),
  };
}
