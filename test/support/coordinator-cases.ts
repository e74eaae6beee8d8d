// Questions to a broker that has no coordinators yet: what groups are asked before their topic is there, and keys of every kind.
import { consumerGroupDescribeRequest, consumerGroupDescribeResponse } from '../../src/protocol/apis/consumer-group-describe.ts';
import { consumerGroupHeartbeatRequest, consumerGroupHeartbeatResponse } from '../../src/protocol/apis/consumer-group-heartbeat.ts';
import { deleteGroupsRequest, deleteGroupsResponse } from '../../src/protocol/apis/delete-groups.ts';
import { describeGroupsRequest, describeGroupsResponse } from '../../src/protocol/apis/describe-groups.ts';
import { findCoordinatorRequest, findCoordinatorResponse } from '../../src/protocol/apis/find-coordinator.ts';
import { heartbeatRequest, heartbeatResponse } from '../../src/protocol/apis/heartbeat.ts';
import { joinGroupRequest, joinGroupResponse } from '../../src/protocol/apis/join-group.ts';
import { leaveGroupRequest, leaveGroupResponse } from '../../src/protocol/apis/leave-group.ts';
import { listGroupsRequest, listGroupsResponse } from '../../src/protocol/apis/list-groups.ts';
import { offsetCommitRequest, offsetCommitResponse } from '../../src/protocol/apis/offset-commit.ts';
import { offsetDeleteRequest, offsetDeleteResponse } from '../../src/protocol/apis/offset-delete.ts';
import { offsetFetchRequest, offsetFetchResponse } from '../../src/protocol/apis/offset-fetch.ts';
import { syncGroupRequest, syncGroupResponse } from '../../src/protocol/apis/sync-group.ts';
import type { AnswerBook } from './answer-book.ts';

export const KEY_TYPE = { group: 0, transaction: 1, share: 2, unknown: 3 } as const;

/** The broker has no topic of offsets, and must not get one here. */
export async function askWithoutTopic(book: AnswerBook, topic: string): Promise<void> {
  const groupId = 'early';
  const memberId = 'nobody';
  for (const v of versions(0, 9)) {
    const protocols = [{ name: 'range', metadata: new Uint8Array(2) }];
    await book.ask('no topic', joinGroupRequest, joinGroupResponse, v, {
      groupId,
      memberId,
      sessionTimeoutMs: 10_000,
      rebalanceTimeoutMs: 10_000,
      protocolType: 'consumer',
      protocols,
    });
  }
  for (const v of versions(0, 5)) {
    const names = v >= 5 ? { protocolType: 'consumer', protocolName: 'range' } : {};
    await book.ask('no topic', syncGroupRequest, syncGroupResponse, v, { groupId, memberId, generationId: 1, ...names });
    const members = v >= 3 ? { members: [{ memberId }] } : { memberId };
    await book.ask('no topic', leaveGroupRequest, leaveGroupResponse, v, { groupId, ...members });
    await book.ask('no topic', listGroupsRequest, listGroupsResponse, v, {});
  }
  for (const v of versions(0, 4))
    await book.ask('no topic', heartbeatRequest, heartbeatResponse, v, { groupId, memberId, generationId: 1 });
  const partitions = [
    { partitionIndex: 0, committedOffset: 1, committedMetadata: '' },
    { partitionIndex: 1, committedOffset: 1, committedMetadata: null },
  ];
  for (const v of versions(2, 9)) {
    const topics = [{ name: topic, partitions }];
    await book.ask('no topic', offsetCommitRequest, offsetCommitResponse, v, { groupId, memberId, generationIdOrMemberEpoch: 1, topics });
  }
  for (const v of versions(1, 7)) {
    const topics = [{ name: topic, partitionIndexes: [0, 1] }];
    await book.ask('no topic', offsetFetchRequest, offsetFetchResponse, v, { groupId, topics });
    if (v >= 2) await book.ask('all of them, no topic', offsetFetchRequest, offsetFetchResponse, v, { groupId, topics: null });
  }
  for (const v of versions(8, 9)) {
    const topics = [{ name: topic, partitionIndexes: [0, 1] }];
    await book.ask('no topic', offsetFetchRequest, offsetFetchResponse, v, { groups: [{ groupId, topics }] });
    await book.ask('several, no topic', offsetFetchRequest, offsetFetchResponse, v, {
      groups: [
        { groupId, topics },
        { groupId: 'other', topics: null },
      ],
    });
    await book.ask('no groups', offsetFetchRequest, offsetFetchResponse, v, { groups: [] });
  }
  for (const v of versions(0, 6))
    await book.ask('no topic', describeGroupsRequest, describeGroupsResponse, v, { groups: [groupId, 'other'] });
  await book.ask('operations, no topic', describeGroupsRequest, describeGroupsResponse, 6, {
    groups: [groupId],
    includeAuthorizedOperations: true,
  });
  await book.ask('nobody', describeGroupsRequest, describeGroupsResponse, 6, { groups: [] });
  for (const v of versions(0, 2))
    await book.ask('no topic', deleteGroupsRequest, deleteGroupsResponse, v, { groupsNames: [groupId, 'other'] });
  await book.ask('no topic', offsetDeleteRequest, offsetDeleteResponse, 0, {
    groupId,
    topics: [{ name: topic, partitions: [{ partitionIndex: 0 }] }],
  });
  for (const v of versions(0, 1)) {
    await book.ask('no topic', consumerGroupHeartbeatRequest, consumerGroupHeartbeatResponse, v, {
      groupId,
      memberId: 'AAAAAAAAAAAAAAAAAAAAAQ',
      memberEpoch: 0,
      rebalanceTimeoutMs: 5000,
      subscribedTopicNames: [topic],
      topicPartitions: [],
    });
    await book.ask('no topic', consumerGroupDescribeRequest, consumerGroupDescribeResponse, v, { groupIds: [groupId, 'other'] });
  }
}

/** Keys that are no group's. */
export async function askOddKeys(book: AnswerBook): Promise<void> {
  for (const v of versions(1, 6)) {
    const key = (text: string): object => (v >= 4 ? { coordinatorKeys: [text] } : { key: text });
    await book.ask('a key type that there is none of', findCoordinatorRequest, findCoordinatorResponse, v, {
      ...key('k'),
      keyType: KEY_TYPE.unknown,
    });
    await book.ask('a share key that is none', findCoordinatorRequest, findCoordinatorResponse, v, {
      ...key('k'),
      keyType: KEY_TYPE.share,
    });
  }
  for (const v of versions(4, 6))
    await book.ask('no keys', findCoordinatorRequest, findCoordinatorResponse, v, { coordinatorKeys: [], keyType: KEY_TYPE.group });
}

function versions(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, i) => first + i);
}
