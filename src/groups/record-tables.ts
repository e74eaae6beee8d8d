// Keys and values of the records in __consumer_offsets, each at every version. The int16 before a key is its table's api key; before a
// value stands its version. How they are told apart: group-records.ts.
// Pure. Source: KIP-848 for the records of consumer groups.
import {
  array,
  bytes,
  int8,
  int32,
  int64,
  int64Opaque,
  type MessageOf,
  nullableArray,
  nullableString,
  nullableStruct,
  record,
  string,
  uuid,
} from '../protocol/schema.ts';

export const legacyOffsetCommitKey = record({
  name: 'LegacyOffsetCommitKey',
  apiKey: 0,
  versions: [0, 0],
  fields: { group: string(), topic: string(), partition: int32() },
});
export type LegacyOffsetCommitKey = MessageOf<typeof legacyOffsetCommitKey>;

export const legacyOffsetCommitValue = record({
  name: 'LegacyOffsetCommitValue',
  apiKey: 0,
  versions: [0, 0],
  fields: { offset: int64(), metadata: string(), commitTimestamp: int64() },
});
export type LegacyOffsetCommitValue = MessageOf<typeof legacyOffsetCommitValue>;

export const offsetCommitKey = record({
  name: 'OffsetCommitKey',
  apiKey: 1,
  versions: [0, 0],
  fields: { group: string(), topic: string(), partition: int32() },
});
export type OffsetCommitKey = MessageOf<typeof offsetCommitKey>;

export const offsetCommitValue = record({
  name: 'OffsetCommitValue',
  apiKey: 1,
  versions: [0, 4],
  flexibleSince: 4,
  fields: {
    offset: int64(),
    leaderEpoch: int32({ since: 3, ignorable: true, default: -1 }),
    metadata: string(),
    commitTimestamp: int64(),
    expireTimestamp: int64({ since: 1, until: 1, ignorable: true, default: -1 }),
    topicId: uuid({ since: 4, tag: 0, ignorable: true }),
  },
});
export type OffsetCommitValue = MessageOf<typeof offsetCommitValue>;

export const groupMetadataKey = record({ name: 'GroupMetadataKey', apiKey: 2, versions: [0, 0], fields: { group: string() } });
export type GroupMetadataKey = MessageOf<typeof groupMetadataKey>;

export const groupMetadataValue = record({
  name: 'GroupMetadataValue',
  apiKey: 2,
  versions: [0, 4],
  flexibleSince: 4,
  fields: {
    protocolType: string(),
    generation: int32(),
    protocol: nullableString(),
    leader: nullableString(),
    currentStateTimestamp: int64({ since: 2, ignorable: true, default: -1 }),
    members: array({
      memberId: string(),
      groupInstanceId: nullableString({ since: 3, ignorable: true, default: null }),
      clientId: string(),
      clientHost: string(),
      rebalanceTimeout: int32({ since: 1, ignorable: true, default: -1 }),
      sessionTimeout: int32(),
      subscription: bytes(),
      assignment: bytes(),
    }),
  },
});
export type GroupMetadataValue = MessageOf<typeof groupMetadataValue>;

export const consumerGroupMetadataKey = record({
  name: 'ConsumerGroupMetadataKey',
  apiKey: 3,
  versions: [0, 0],
  fields: { groupId: string() },
});
export type ConsumerGroupMetadataKey = MessageOf<typeof consumerGroupMetadataKey>;

export const consumerGroupMetadataValue = record({
  name: 'ConsumerGroupMetadataValue',
  apiKey: 3,
  versions: [0, 0],
  flexibleSince: 0,
  fields: { epoch: int32(), metadataHash: int64Opaque({ tag: 0 }) },
});
export type ConsumerGroupMetadataValue = MessageOf<typeof consumerGroupMetadataValue>;

export const consumerGroupPartitionMetadataKey = record({
  name: 'ConsumerGroupPartitionMetadataKey',
  apiKey: 4,
  versions: [0, 0],
  fields: { groupId: string() },
});
export type ConsumerGroupPartitionMetadataKey = MessageOf<typeof consumerGroupPartitionMetadataKey>;

export const consumerGroupPartitionMetadataValue = record({
  name: 'ConsumerGroupPartitionMetadataValue',
  apiKey: 4,
  versions: [0, 0],
  flexibleSince: 0,
  fields: {
    topics: array({
      topicId: uuid(),
      topicName: string(),
      numPartitions: int32(),
      partitionMetadata: array({ partition: int32(), racks: array(string()) }),
    }),
  },
});
export type ConsumerGroupPartitionMetadataValue = MessageOf<typeof consumerGroupPartitionMetadataValue>;

export const consumerGroupMemberMetadataKey = record({
  name: 'ConsumerGroupMemberMetadataKey',
  apiKey: 5,
  versions: [0, 0],
  fields: { groupId: string(), memberId: string() },
});
export type ConsumerGroupMemberMetadataKey = MessageOf<typeof consumerGroupMemberMetadataKey>;

export const consumerGroupMemberMetadataValue = record({
  name: 'ConsumerGroupMemberMetadataValue',
  apiKey: 5,
  versions: [0, 0],
  flexibleSince: 0,
  fields: {
    instanceId: nullableString(),
    rackId: nullableString(),
    clientId: string(),
    clientHost: string(),
    subscribedTopicNames: array(string()),
    subscribedTopicRegex: nullableString(),
    rebalanceTimeoutMs: int32({ default: -1 }),
    serverAssignor: nullableString(),
    // Null of a member of the consumer protocol, and then said: without the field a member is a classic one that says nothing.
    classicMemberMetadata: nullableStruct(
      { sessionTimeoutMs: int32(), supportedProtocols: array({ name: string(), metadata: bytes() }) },
      { tag: 0, default: { sessionTimeoutMs: 0, supportedProtocols: [] } },
    ),
  },
});
export type ConsumerGroupMemberMetadataValue = MessageOf<typeof consumerGroupMemberMetadataValue>;

export const consumerGroupTargetAssignmentMetadataKey = record({
  name: 'ConsumerGroupTargetAssignmentMetadataKey',
  apiKey: 6,
  versions: [0, 0],
  fields: { groupId: string() },
});
export type ConsumerGroupTargetAssignmentMetadataKey = MessageOf<typeof consumerGroupTargetAssignmentMetadataKey>;

export const consumerGroupTargetAssignmentMetadataValue = record({
  name: 'ConsumerGroupTargetAssignmentMetadataValue',
  apiKey: 6,
  versions: [0, 0],
  flexibleSince: 0,
  fields: { assignmentEpoch: int32(), assignmentTimestamp: int64({ tag: 0, ignorable: true }) },
});
export type ConsumerGroupTargetAssignmentMetadataValue = MessageOf<typeof consumerGroupTargetAssignmentMetadataValue>;

export const consumerGroupTargetAssignmentMemberKey = record({
  name: 'ConsumerGroupTargetAssignmentMemberKey',
  apiKey: 7,
  versions: [0, 0],
  fields: { groupId: string(), memberId: string() },
});
export type ConsumerGroupTargetAssignmentMemberKey = MessageOf<typeof consumerGroupTargetAssignmentMemberKey>;

export const consumerGroupTargetAssignmentMemberValue = record({
  name: 'ConsumerGroupTargetAssignmentMemberValue',
  apiKey: 7,
  versions: [0, 0],
  flexibleSince: 0,
  fields: { topicPartitions: array({ topicId: uuid(), partitions: array(int32()) }) },
});
export type ConsumerGroupTargetAssignmentMemberValue = MessageOf<typeof consumerGroupTargetAssignmentMemberValue>;

export const consumerGroupCurrentMemberAssignmentKey = record({
  name: 'ConsumerGroupCurrentMemberAssignmentKey',
  apiKey: 8,
  versions: [0, 0],
  fields: { groupId: string(), memberId: string() },
});
export type ConsumerGroupCurrentMemberAssignmentKey = MessageOf<typeof consumerGroupCurrentMemberAssignmentKey>;

export const consumerGroupCurrentMemberAssignmentValue = record({
  name: 'ConsumerGroupCurrentMemberAssignmentValue',
  apiKey: 8,
  versions: [0, 0],
  flexibleSince: 0,
  fields: {
    memberEpoch: int32(),
    previousMemberEpoch: int32(),
    state: int8(),
    assignedPartitions: array({
      topicId: uuid(),
      partitions: array(int32()),
      assignmentEpochs: nullableArray(int32(), { tag: 0 }),
    }),
    partitionsPendingRevocation: array({
      topicId: uuid(),
      partitions: array(int32()),
      assignmentEpochs: nullableArray(int32(), { tag: 0 }),
    }),
  },
});
export type ConsumerGroupCurrentMemberAssignmentValue = MessageOf<typeof consumerGroupCurrentMemberAssignmentValue>;

export const consumerGroupRegularExpressionKey = record({
  name: 'ConsumerGroupRegularExpressionKey',
  apiKey: 16,
  versions: [0, 0],
  fields: { groupId: string(), regularExpression: string() },
});
export type ConsumerGroupRegularExpressionKey = MessageOf<typeof consumerGroupRegularExpressionKey>;

export const consumerGroupRegularExpressionValue = record({
  name: 'ConsumerGroupRegularExpressionValue',
  apiKey: 16,
  versions: [0, 0],
  flexibleSince: 0,
  fields: { topics: array(string()), version: int64(), timestamp: int64() },
});
export type ConsumerGroupRegularExpressionValue = MessageOf<typeof consumerGroupRegularExpressionValue>;
