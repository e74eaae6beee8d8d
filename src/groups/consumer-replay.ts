// The records of consumer groups, replayed: what a group is follows from them and from nothing else.
// Pure.
import { assignmentOf, NO_PARTITIONS, type PartitionEpochs } from './assignment.ts';
import { ConsumerGroup } from './consumer-group.ts';
import { ConsumerMember, distinctNames, LEAVE_EPOCH, type MemberMetadata } from './consumer-member.ts';
import type { GroupRecord } from './group-records.ts';
import type { GroupStore } from './group-store.ts';
import type { CurrentAssignment } from './reconciliation.ts';
import type { ConsumerGroupCurrentMemberAssignmentValue, ConsumerGroupMemberMetadataValue } from './record-tables.ts';

export type ConsumerGroupRecord = Extract<GroupRecord, { readonly type: `ConsumerGroup${string}` }>;

/** The first record of a group makes it; a tombstone never does. */
export function replayConsumerRecord(groups: GroupStore<ConsumerGroup>, record: ConsumerGroupRecord): void {
  const { groupId } = record.key;
  let group = groups.consumer(groupId);
  if (group === undefined) {
    if (record.value === null) return;
    group = new ConsumerGroup(groupId);
    groups.put(group);
  }
  if (record.type === 'ConsumerGroupMetadata' && record.value === null) groups.remove(groupId, 'consumer');
  else applyRecord(group, record);
}

/** Applies the record to the group that it speaks of. */
export function applyRecord(group: ConsumerGroup, record: ConsumerGroupRecord): void {
  switch (record.type) {
    case 'ConsumerGroupMetadata':
      if (record.value === null) return;
      group.groupEpoch = record.value.epoch;
      group.metadataHash = record.value.metadataHash;
      return;
    case 'ConsumerGroupPartitionMetadata':
      group.hasPartitionMetadata = record.value !== null;
      return;
    case 'ConsumerGroupMemberMetadata':
      if (record.value === null) group.removeMember(record.key.memberId);
      else group.putMember(memberOf(group, record.key.memberId).withMetadata(metadataOf(record.value)));
      return;
    case 'ConsumerGroupTargetAssignmentMetadata':
      group.assignmentEpoch = record.value?.assignmentEpoch ?? -1;
      group.assignmentTimestampMs = record.value?.assignmentTimestamp ?? 0;
      return;
    case 'ConsumerGroupTargetAssignmentMember':
      group.putTarget(record.key.memberId, record.value === null ? null : assignmentOf(record.value.topicPartitions));
      return;
    case 'ConsumerGroupCurrentMemberAssignment':
      applyCurrent(group, record.key.memberId, record.value);
      return;
    case 'ConsumerGroupRegularExpression': {
      const { key, value } = record;
      const resolved = value && { topicNames: new Set(value.topics), version: value.version, timestampMs: value.timestamp };
      group.subscriptions.resolve(key.regularExpression, resolved);
    }
  }
}

function memberOf(group: ConsumerGroup, memberId: string): ConsumerMember {
  return group.members.get(memberId) ?? new ConsumerMember(group.groupId, memberId);
}

function metadataOf(value: ConsumerGroupMemberMetadataValue): MemberMetadata {
  return {
    ...value,
    subscribedTopicNames: distinctNames(value.subscribedTopicNames),
    subscribedTopicRegex: value.subscribedTopicRegex ?? '',
  };
}

/** A tombstone takes away what the member has; the member itself goes with the tombstone of its metadata. */
function applyCurrent(group: ConsumerGroup, memberId: string, value: ConsumerGroupCurrentMemberAssignmentValue | null): void {
  if (value !== null) {
    group.putMember(memberOf(group, memberId).withCurrent(currentOf(value)));
    return;
  }
  const member = group.members.get(memberId);
  if (member === undefined) return;
  const gone = {
    ...member.current,
    memberEpoch: LEAVE_EPOCH,
    previousMemberEpoch: LEAVE_EPOCH,
    assigned: NO_PARTITIONS,
    pendingRevocation: NO_PARTITIONS,
  };
  group.putMember(member.withCurrent(gone));
}

function currentOf(value: ConsumerGroupCurrentMemberAssignmentValue): CurrentAssignment {
  const { memberEpoch, previousMemberEpoch, state, assignedPartitions, partitionsPendingRevocation } = value;
  return {
    memberEpoch,
    previousMemberEpoch,
    state,
    assigned: epochsOf(assignedPartitions, memberEpoch),
    pendingRevocation: epochsOf(partitionsPendingRevocation, memberEpoch),
  };
}

/** Older brokers write no epochs: a partition then counts from the member's own, and from 0 for a static member that has gone. */
function epochsOf(topics: ConsumerGroupCurrentMemberAssignmentValue['assignedPartitions'], memberEpoch: number): PartitionEpochs {
  if (topics.length === 0) return NO_PARTITIONS;
  const known = new Map<string, Map<number, number>>();
  for (const { topicId, partitions, assignmentEpochs } of topics) {
    if (partitions.length === 0) continue;
    const epochs = assignmentEpochs?.length === partitions.length ? assignmentEpochs : null;
    known.set(topicId, new Map(partitions.map((partition, i) => [partition, epochs?.[i] ?? Math.max(memberEpoch, 0)])));
  }
  return known;
}
