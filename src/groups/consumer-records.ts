// The records of consumer groups as Apache Kafka 4.3 writes them.
// Pure.
import { RECORD_OVERHEAD_BYTES, type ShardEnvironment } from '../coordinator/shard.ts';
import { type Assignment, listed, type PartitionEpochs, partitionsOf } from './assignment.ts';
import type { ConsumerMember } from './consumer-member.ts';
import type { ResolvedRegex } from './consumer-subscriptions.ts';
import { type GroupRecord, recordBytes } from './group-records.ts';
import type { CurrentAssignment } from './reconciliation.ts';
import type { ConsumerGroupCurrentMemberAssignmentValue } from './record-tables.ts';

export function memberRecord({ groupId, memberId, metadata }: ConsumerMember): GroupRecord {
  return { type: 'ConsumerGroupMemberMetadata', key: { groupId, memberId }, value: metadata };
}

export function epochRecord(groupId: string, epoch: number, metadataHash: bigint): GroupRecord {
  return { type: 'ConsumerGroupMetadata', key: { groupId }, value: { epoch, metadataHash } };
}

export function targetRecord(groupId: string, memberId: string, target: Assignment): GroupRecord {
  return { type: 'ConsumerGroupTargetAssignmentMember', key: { groupId, memberId }, value: { topicPartitions: listed(target) } };
}

export function targetEpochRecord(groupId: string, assignmentEpoch: number, assignmentTimestamp: number): GroupRecord {
  return { type: 'ConsumerGroupTargetAssignmentMetadata', key: { groupId }, value: { assignmentEpoch, assignmentTimestamp } };
}

export function currentRecord(groupId: string, memberId: string, current: CurrentAssignment): GroupRecord {
  const value = {
    memberEpoch: current.memberEpoch,
    previousMemberEpoch: current.previousMemberEpoch,
    state: current.state,
    assignedPartitions: withEpochs(current.assigned),
    partitionsPendingRevocation: withEpochs(current.pendingRevocation),
  };
  return { type: 'ConsumerGroupCurrentMemberAssignment', key: { groupId, memberId }, value };
}

function withEpochs(partitions: PartitionEpochs): ConsumerGroupCurrentMemberAssignmentValue['assignedPartitions'] {
  return [...partitions].map(([topicId, epochs]) => {
    const ascending = partitionsOf(epochs);
    return { topicId, partitions: ascending, assignmentEpochs: ascending.map((partition) => epochs.get(partition) ?? 0) };
  });
}

export function regexRecord(groupId: string, regularExpression: string, resolved: ResolvedRegex): GroupRecord {
  const value = { topics: [...resolved.topicNames].sort(), version: resolved.version, timestamp: resolved.timestampMs };
  return { type: 'ConsumerGroupRegularExpression', key: { groupId, regularExpression }, value };
}

export function regexTombstone(groupId: string, regularExpression: string): GroupRecord {
  return { type: 'ConsumerGroupRegularExpression', key: { groupId, regularExpression }, value: null };
}

export function partitionMetadataTombstone(groupId: string): GroupRecord {
  return { type: 'ConsumerGroupPartitionMetadata', key: { groupId }, value: null };
}

/** What it has, what it is to have, what it is: in this order. */
export function memberTombstones(groupId: string, memberId: string): GroupRecord[] {
  const key = { groupId, memberId };
  return [
    { type: 'ConsumerGroupCurrentMemberAssignment', key, value: null },
    { type: 'ConsumerGroupTargetAssignmentMember', key, value: null },
    { type: 'ConsumerGroupMemberMetadata', key, value: null },
  ];
}

export function groupTombstones(groupId: string, memberIds: readonly string[], regexes: readonly string[]): GroupRecord[] {
  const keys = memberIds.map((memberId) => ({ groupId, memberId }));
  return [
    ...keys.map((key): GroupRecord => ({ type: 'ConsumerGroupCurrentMemberAssignment', key, value: null })),
    ...keys.map((key): GroupRecord => ({ type: 'ConsumerGroupTargetAssignmentMember', key, value: null })),
    { type: 'ConsumerGroupTargetAssignmentMetadata', key: { groupId }, value: null },
    ...keys.map((key): GroupRecord => ({ type: 'ConsumerGroupMemberMetadata', key, value: null })),
    ...regexes.map((regex) => regexTombstone(groupId, regex)),
    partitionMetadataTombstone(groupId),
    { type: 'ConsumerGroupMetadata', key: { groupId }, value: null },
  ];
}

/** A UUID and two lengths of at most five bytes each, and the number of the tag that holds epochs with its length. */
const TOPIC_BYTES_MAX = 48;
/** A partition and its epoch. */
const PARTITION_BYTES_MAX = 8;

/**
 * Whether one of the records is larger than a record may be, or all together than a decision. Those that many members have are looked at
 * without being encoded, as long as that suffices.
 */
export function isTooLarge(
  records: readonly GroupRecord[],
  { recordBytesMax, decisionBytesMax }: Pick<ShardEnvironment, 'recordBytesMax' | 'decisionBytesMax'>,
): boolean {
  let atMost = 0;
  for (const record of records) {
    let bytes = bytesAtMost(record);
    if (bytes > recordBytesMax) bytes = recordBytes(record);
    if (bytes > recordBytesMax) return true;
    atMost += RECORD_OVERHEAD_BYTES + bytes;
  }
  if (atMost <= decisionBytesMax) return false;
  return records.reduce((sum, record) => sum + RECORD_OVERHEAD_BYTES + recordBytes(record), 0) > decisionBytesMax;
}

function bytesAtMost({ type, key, value }: GroupRecord): number {
  if (type === 'ConsumerGroupTargetAssignmentMember') return idBytes(key) + listBytes(value?.topicPartitions ?? []);
  if (type === 'ConsumerGroupCurrentMemberAssignment') {
    return idBytes(key) + listBytes(value?.assignedPartitions ?? []) + listBytes(value?.partitionsPendingRevocation ?? []);
  }
  return Number.POSITIVE_INFINITY;
}

/** At most three bytes for each UTF-16 unit, and room for what is always there. */
function idBytes({ groupId, memberId }: { readonly groupId: string; readonly memberId: string }): number {
  return 64 + 3 * (groupId.length + memberId.length);
}

function listBytes(topics: readonly { readonly partitions: readonly number[] }[]): number {
  let bytes = 0;
  for (const { partitions } of topics) bytes += TOPIC_BYTES_MAX + PARTITION_BYTES_MAX * partitions.length;
  return bytes;
}
