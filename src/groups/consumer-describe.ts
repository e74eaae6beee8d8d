// ConsumerGroupDescribe.
// Pure.

import type { TopicsView } from '../coordinator/shard.ts';
import type { ConsumerGroupDescribeRequest, ConsumerGroupDescribeResponse } from '../protocol/apis/consumer-group-describe.ts';
import { UNREQUESTED_OPERATIONS } from '../protocol/authorized-operations.ts';
import { ERROR } from '../protocol/errors.ts';
import { ConsumerGroup } from './consumer-group.ts';
import type { ConsumerMember } from './consumer-member.ts';
import type { GroupStore } from './group-store.ts';

type DescribedGroup = ConsumerGroupDescribeResponse['groups'][number];
type DescribedMember = DescribedGroup['members'][number];
type DescribedPartitions = DescribedMember['assignment']['topicPartitions'];

const CLASSIC_MEMBER = 0;
const CONSUMER_MEMBER = 1;

export function describeConsumerGroups(
  groups: GroupStore<ConsumerGroup>,
  topics: TopicsView,
  defaultAssignor: string,
  { groupIds }: ConsumerGroupDescribeRequest,
): ConsumerGroupDescribeResponse {
  return { throttleTimeMs: 0, groups: groupIds.map((groupId) => describe(groups, topics, defaultAssignor, groupId)) };
}

function describe(groups: GroupStore<ConsumerGroup>, topics: TopicsView, defaultAssignor: string, groupId: string): DescribedGroup {
  const unknown = { groupId, groupState: '', groupEpoch: 0, assignmentEpoch: 0, assignorName: '', members: [] };
  const rest = { authorizedOperations: UNREQUESTED_OPERATIONS };
  if (groupId === '') return { errorCode: ERROR.INVALID_GROUP_ID, errorMessage: null, ...unknown, ...rest };
  const group = groups.get(groupId);
  if (!(group instanceof ConsumerGroup)) {
    const reason = group === undefined ? 'not found' : 'is not a consumer group';
    return { errorCode: ERROR.GROUP_ID_NOT_FOUND, errorMessage: `Group ${groupId} ${reason}.`, ...unknown, ...rest };
  }
  return {
    errorCode: ERROR.NONE,
    errorMessage: null,
    groupId,
    groupState: group.stateName,
    groupEpoch: group.groupEpoch,
    assignmentEpoch: group.assignmentEpoch,
    assignorName: group.preferredAssignor(null, null) ?? defaultAssignor,
    members: [...group.members.values()].map((member) => describeMember(group, member, topics)),
    ...rest,
  };
}

function describeMember(group: ConsumerGroup, member: ConsumerMember, topics: TopicsView): DescribedMember {
  const { memberId, metadata, current } = member;
  const held = new Map<string, number[]>();
  // What it is to give up it still has, until it says that it has not.
  for (const partitions of [current.assigned, current.pendingRevocation]) {
    for (const [topicId, epochs] of partitions) held.set(topicId, [...(held.get(topicId) ?? []), ...epochs.keys()]);
  }
  for (const partitions of held.values()) partitions.sort((a, b) => a - b);
  return {
    memberId,
    instanceId: metadata.instanceId,
    rackId: metadata.rackId,
    memberEpoch: current.memberEpoch,
    clientId: metadata.clientId,
    clientHost: metadata.clientHost,
    subscribedTopicNames: [...metadata.subscribedTopicNames],
    subscribedTopicRegex: metadata.subscribedTopicRegex,
    assignment: { topicPartitions: named(held, topics) },
    targetAssignment: { topicPartitions: named(group.targetOf(memberId), topics) },
    memberType: member.usesClassicProtocol ? CLASSIC_MEMBER : CONSUMER_MEMBER,
  };
}

/** Without topics that there are no longer. */
function named(partitions: ReadonlyMap<string, readonly number[]>, topics: TopicsView): DescribedPartitions {
  return [...partitions].flatMap(([topicId, ids]) => {
    const topic = topics.byId(topicId);
    return topic === null ? [] : [{ topicId, topicName: topic.name, partitions: [...ids] }];
  });
}
