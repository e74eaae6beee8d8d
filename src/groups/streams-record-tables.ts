// Keys and values of the records of streams groups in __consumer_offsets, each at every version; framed as those of record-tables.ts.
// Pure. Source: KIP-1071.
import {
  array,
  int8,
  int16,
  int32,
  int64,
  type MessageOf,
  nullableArray,
  nullableString,
  nullableStruct,
  record,
  string,
  uint16,
} from '../protocol/schema.ts';

export const streamsGroupCurrentMemberAssignmentKey = record({
  name: 'StreamsGroupCurrentMemberAssignmentKey',
  apiKey: 22,
  versions: [0, 0],
  fields: { groupId: string(), memberId: string() },
});
export type StreamsGroupCurrentMemberAssignmentKey = MessageOf<typeof streamsGroupCurrentMemberAssignmentKey>;

export const streamsGroupCurrentMemberAssignmentValue = record({
  name: 'StreamsGroupCurrentMemberAssignmentValue',
  apiKey: 22,
  versions: [0, 0],
  flexibleSince: 0,
  fields: {
    memberEpoch: int32(),
    previousMemberEpoch: int32(),
    state: int8(),
    activeTasks: array({ subtopologyId: string(), partitions: array(int32()), assignmentEpochs: nullableArray(int32(), { tag: 0 }) }),
    standbyTasks: array({ subtopologyId: string(), partitions: array(int32()), assignmentEpochs: nullableArray(int32(), { tag: 0 }) }),
    warmupTasks: array({ subtopologyId: string(), partitions: array(int32()), assignmentEpochs: nullableArray(int32(), { tag: 0 }) }),
    activeTasksPendingRevocation: array({
      subtopologyId: string(),
      partitions: array(int32()),
      assignmentEpochs: nullableArray(int32(), { tag: 0 }),
    }),
    standbyTasksPendingRevocation: array({
      subtopologyId: string(),
      partitions: array(int32()),
      assignmentEpochs: nullableArray(int32(), { tag: 0 }),
    }),
    warmupTasksPendingRevocation: array({
      subtopologyId: string(),
      partitions: array(int32()),
      assignmentEpochs: nullableArray(int32(), { tag: 0 }),
    }),
  },
});
export type StreamsGroupCurrentMemberAssignmentValue = MessageOf<typeof streamsGroupCurrentMemberAssignmentValue>;

export const streamsGroupMemberMetadataKey = record({
  name: 'StreamsGroupMemberMetadataKey',
  apiKey: 19,
  versions: [0, 0],
  fields: { groupId: string(), memberId: string() },
});
export type StreamsGroupMemberMetadataKey = MessageOf<typeof streamsGroupMemberMetadataKey>;

export const streamsGroupMemberMetadataValue = record({
  name: 'StreamsGroupMemberMetadataValue',
  apiKey: 19,
  versions: [0, 0],
  flexibleSince: 0,
  fields: {
    instanceId: nullableString(),
    rackId: nullableString(),
    clientId: string(),
    clientHost: string(),
    rebalanceTimeoutMs: int32({ default: -1 }),
    topologyEpoch: int32(),
    processId: string(),
    userEndpoint: nullableStruct({ host: string(), port: uint16() }),
    clientTags: array({ key: string(), value: string() }),
  },
});
export type StreamsGroupMemberMetadataValue = MessageOf<typeof streamsGroupMemberMetadataValue>;

export const streamsGroupMetadataKey = record({
  name: 'StreamsGroupMetadataKey',
  apiKey: 17,
  versions: [0, 0],
  fields: { groupId: string() },
});
export type StreamsGroupMetadataKey = MessageOf<typeof streamsGroupMetadataKey>;

export const streamsGroupMetadataValue = record({
  name: 'StreamsGroupMetadataValue',
  apiKey: 17,
  versions: [0, 0],
  flexibleSince: 0,
  fields: {
    epoch: int32(),
    metadataHash: int64(),
    validatedTopologyEpoch: int32({ tag: 0, default: -1 }),
    lastAssignmentConfigs: nullableArray({ key: string(), value: string() }, { tag: 1 }),
    storedDescriptionTopologyEpoch: int32({ tag: 2, default: -1 }),
    failedDescriptionTopologyEpoch: int32({ tag: 3, default: -1 }),
  },
});
export type StreamsGroupMetadataValue = MessageOf<typeof streamsGroupMetadataValue>;

export const streamsGroupTargetAssignmentMemberKey = record({
  name: 'StreamsGroupTargetAssignmentMemberKey',
  apiKey: 21,
  versions: [0, 0],
  fields: { groupId: string(), memberId: string() },
});
export type StreamsGroupTargetAssignmentMemberKey = MessageOf<typeof streamsGroupTargetAssignmentMemberKey>;

export const streamsGroupTargetAssignmentMemberValue = record({
  name: 'StreamsGroupTargetAssignmentMemberValue',
  apiKey: 21,
  versions: [0, 0],
  flexibleSince: 0,
  fields: {
    activeTasks: array({ subtopologyId: string(), partitions: array(int32()) }),
    standbyTasks: array({ subtopologyId: string(), partitions: array(int32()) }),
    warmupTasks: array({ subtopologyId: string(), partitions: array(int32()) }),
  },
});
export type StreamsGroupTargetAssignmentMemberValue = MessageOf<typeof streamsGroupTargetAssignmentMemberValue>;

export const streamsGroupTargetAssignmentMetadataKey = record({
  name: 'StreamsGroupTargetAssignmentMetadataKey',
  apiKey: 20,
  versions: [0, 0],
  fields: { groupId: string() },
});
export type StreamsGroupTargetAssignmentMetadataKey = MessageOf<typeof streamsGroupTargetAssignmentMetadataKey>;

export const streamsGroupTargetAssignmentMetadataValue = record({
  name: 'StreamsGroupTargetAssignmentMetadataValue',
  apiKey: 20,
  versions: [0, 0],
  flexibleSince: 0,
  fields: { assignmentEpoch: int32(), assignmentTimestamp: int64({ tag: 0, ignorable: true }) },
});
export type StreamsGroupTargetAssignmentMetadataValue = MessageOf<typeof streamsGroupTargetAssignmentMetadataValue>;

export const streamsGroupTopologyKey = record({
  name: 'StreamsGroupTopologyKey',
  apiKey: 23,
  versions: [0, 0],
  fields: { groupId: string() },
});
export type StreamsGroupTopologyKey = MessageOf<typeof streamsGroupTopologyKey>;

export const streamsGroupTopologyValue = record({
  name: 'StreamsGroupTopologyValue',
  apiKey: 23,
  versions: [0, 0],
  flexibleSince: 0,
  fields: {
    epoch: int32(),
    subtopologies: array({
      subtopologyId: string(),
      sourceTopics: array(string()),
      sourceTopicRegex: array(string()),
      stateChangelogTopics: array({
        name: string(),
        partitions: int32(),
        replicationFactor: int16(),
        topicConfigs: array({ key: string(), value: string() }),
      }),
      repartitionSinkTopics: array(string()),
      repartitionSourceTopics: array({
        name: string(),
        partitions: int32(),
        replicationFactor: int16(),
        topicConfigs: array({ key: string(), value: string() }),
      }),
      copartitionGroups: array({ sourceTopics: array(int16()), sourceTopicRegex: array(int16()), repartitionSourceTopics: array(int16()) }),
    }),
  },
});
export type StreamsGroupTopologyValue = MessageOf<typeof streamsGroupTopologyValue>;
