// StreamsGroupDescribe: KIP-1071 · v1 description of the topology (KIP-1331)
// Pure.
import {
  array,
  bool,
  int8,
  int16,
  int32,
  int64,
  type MessageOf,
  nullableArray,
  nullableString,
  nullableStruct,
  request,
  response,
  string,
  struct,
  uint16,
} from '../schema.ts';

export const streamsGroupDescribeRequest = request({
  name: 'StreamsGroupDescribe',
  apiKey: 89,
  versions: [0, 1],
  flexibleSince: 0,
  fields: { groupIds: array(string()), includeAuthorizedOperations: bool(), includeTopologyDescription: bool({ since: 1 }) },
});
export type StreamsGroupDescribeRequest = MessageOf<typeof streamsGroupDescribeRequest>;

export const streamsGroupDescribeResponse = response({
  name: 'StreamsGroupDescribe',
  apiKey: 89,
  versions: [0, 1],
  flexibleSince: 0,
  fields: {
    throttleTimeMs: int32(),
    groups: array({
      errorCode: int16(),
      errorMessage: nullableString({ default: null }),
      groupId: string(),
      groupState: string(),
      groupEpoch: int32(),
      assignmentEpoch: int32(),
      topology: nullableStruct({
        epoch: int32(),
        subtopologies: nullableArray(
          {
            subtopologyId: string(),
            sourceTopics: array(string()),
            repartitionSinkTopics: array(string()),
            stateChangelogTopics: array({
              name: string(),
              partitions: int32(),
              replicationFactor: int16(),
              topicConfigs: array({ key: string(), value: string() }),
            }),
            repartitionSourceTopics: array({
              name: string(),
              partitions: int32(),
              replicationFactor: int16(),
              topicConfigs: array({ key: string(), value: string() }),
            }),
          },
          { default: null },
        ),
      }),
      members: array({
        memberId: string(),
        memberEpoch: int32(),
        instanceId: nullableString({ default: null }),
        rackId: nullableString({ default: null }),
        clientId: string(),
        clientHost: string(),
        topologyEpoch: int32(),
        processId: string(),
        userEndpoint: nullableStruct({ host: string(), port: uint16() }),
        clientTags: array({ key: string(), value: string() }),
        taskOffsets: array({ subtopologyId: string(), partition: int32(), offset: int64() }),
        taskEndOffsets: array({ subtopologyId: string(), partition: int32(), offset: int64() }),
        assignment: struct({
          activeTasks: array({ subtopologyId: string(), partitions: array(int32()) }),
          standbyTasks: array({ subtopologyId: string(), partitions: array(int32()) }),
          warmupTasks: array({ subtopologyId: string(), partitions: array(int32()) }),
        }),
        targetAssignment: struct({
          activeTasks: array({ subtopologyId: string(), partitions: array(int32()) }),
          standbyTasks: array({ subtopologyId: string(), partitions: array(int32()) }),
          warmupTasks: array({ subtopologyId: string(), partitions: array(int32()) }),
        }),
        isClassic: bool(),
      }),
      authorizedOperations: int32({ default: -2147483648 }),
      topologyDescription: nullableStruct(
        {
          subtopologies: array({
            subtopologyId: string(),
            nodes: array({
              name: string(),
              nodeType: int8(),
              sourceTopics: array(string()),
              sinkTopic: nullableString({ default: null }),
              stores: array(string()),
              successors: array(string()),
            }),
          }),
          globalStores: array({
            source: struct({
              name: string(),
              nodeType: int8(),
              sourceTopics: array(string()),
              sinkTopic: nullableString({ default: null }),
              stores: array(string()),
              successors: array(string()),
            }),
            processor: struct({
              name: string(),
              nodeType: int8(),
              sourceTopics: array(string()),
              sinkTopic: nullableString({ default: null }),
              stores: array(string()),
              successors: array(string()),
            }),
          }),
        },
        { since: 1 },
      ),
      topologyDescriptionStatus: int8({ since: 1 }),
      assignorName: nullableString({ since: 1, ignorable: true, default: null }),
    }),
  },
});
export type StreamsGroupDescribeResponse = MessageOf<typeof streamsGroupDescribeResponse>;
