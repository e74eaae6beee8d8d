// Keys and values of the records of share groups in __consumer_offsets, each at every version; framed as those of record-tables.ts.
// Pure. Source: KIP-932.
import { array, int8, int32, int64, type MessageOf, nullableString, record, string, uuid } from '../protocol/schema.ts';

export const shareGroupCurrentMemberAssignmentKey = record({
  name: 'ShareGroupCurrentMemberAssignmentKey',
  apiKey: 14,
  versions: [0, 0],
  fields: { groupId: string(), memberId: string() },
});
export type ShareGroupCurrentMemberAssignmentKey = MessageOf<typeof shareGroupCurrentMemberAssignmentKey>;

export const shareGroupCurrentMemberAssignmentValue = record({
  name: 'ShareGroupCurrentMemberAssignmentValue',
  apiKey: 14,
  versions: [0, 0],
  flexibleSince: 0,
  fields: {
    memberEpoch: int32(),
    previousMemberEpoch: int32(),
    state: int8(),
    assignedPartitions: array({ topicId: uuid(), partitions: array(int32()) }),
  },
});
export type ShareGroupCurrentMemberAssignmentValue = MessageOf<typeof shareGroupCurrentMemberAssignmentValue>;

export const shareGroupMemberMetadataKey = record({
  name: 'ShareGroupMemberMetadataKey',
  apiKey: 10,
  versions: [0, 0],
  fields: { groupId: string(), memberId: string() },
});
export type ShareGroupMemberMetadataKey = MessageOf<typeof shareGroupMemberMetadataKey>;

export const shareGroupMemberMetadataValue = record({
  name: 'ShareGroupMemberMetadataValue',
  apiKey: 10,
  versions: [0, 0],
  flexibleSince: 0,
  fields: { rackId: nullableString(), clientId: string(), clientHost: string(), subscribedTopicNames: array(string()) },
});
export type ShareGroupMemberMetadataValue = MessageOf<typeof shareGroupMemberMetadataValue>;

export const shareGroupMetadataKey = record({
  name: 'ShareGroupMetadataKey',
  apiKey: 11,
  versions: [0, 0],
  fields: { groupId: string() },
});
export type ShareGroupMetadataKey = MessageOf<typeof shareGroupMetadataKey>;

export const shareGroupMetadataValue = record({
  name: 'ShareGroupMetadataValue',
  apiKey: 11,
  versions: [0, 0],
  flexibleSince: 0,
  fields: { epoch: int32(), metadataHash: int64() },
});
export type ShareGroupMetadataValue = MessageOf<typeof shareGroupMetadataValue>;

export const shareGroupStatePartitionMetadataKey = record({
  name: 'ShareGroupStatePartitionMetadataKey',
  apiKey: 15,
  versions: [0, 0],
  fields: { groupId: string() },
});
export type ShareGroupStatePartitionMetadataKey = MessageOf<typeof shareGroupStatePartitionMetadataKey>;

export const shareGroupStatePartitionMetadataValue = record({
  name: 'ShareGroupStatePartitionMetadataValue',
  apiKey: 15,
  versions: [0, 0],
  flexibleSince: 0,
  fields: {
    initializingTopics: array({ topicId: uuid(), topicName: string(), partitions: array(int32()) }),
    initializedTopics: array({ topicId: uuid(), topicName: string(), partitions: array(int32()) }),
    deletingTopics: array({ topicId: uuid(), topicName: string() }),
  },
});
export type ShareGroupStatePartitionMetadataValue = MessageOf<typeof shareGroupStatePartitionMetadataValue>;

export const shareGroupTargetAssignmentMemberKey = record({
  name: 'ShareGroupTargetAssignmentMemberKey',
  apiKey: 13,
  versions: [0, 0],
  fields: { groupId: string(), memberId: string() },
});
export type ShareGroupTargetAssignmentMemberKey = MessageOf<typeof shareGroupTargetAssignmentMemberKey>;

export const shareGroupTargetAssignmentMemberValue = record({
  name: 'ShareGroupTargetAssignmentMemberValue',
  apiKey: 13,
  versions: [0, 0],
  flexibleSince: 0,
  fields: { topicPartitions: array({ topicId: uuid(), partitions: array(int32()) }) },
});
export type ShareGroupTargetAssignmentMemberValue = MessageOf<typeof shareGroupTargetAssignmentMemberValue>;

export const shareGroupTargetAssignmentMetadataKey = record({
  name: 'ShareGroupTargetAssignmentMetadataKey',
  apiKey: 12,
  versions: [0, 0],
  fields: { groupId: string() },
});
export type ShareGroupTargetAssignmentMetadataKey = MessageOf<typeof shareGroupTargetAssignmentMetadataKey>;

export const shareGroupTargetAssignmentMetadataValue = record({
  name: 'ShareGroupTargetAssignmentMetadataValue',
  apiKey: 12,
  versions: [0, 0],
  flexibleSince: 0,
  fields: { assignmentEpoch: int32(), assignmentTimestamp: int64({ tag: 0, ignorable: true }) },
});
export type ShareGroupTargetAssignmentMetadataValue = MessageOf<typeof shareGroupTargetAssignmentMetadataValue>;
