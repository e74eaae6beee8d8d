// DescribeTopicPartitions: topics page by page, with eligible leader replicas (KIP-966)
// Pure.
import {
  array,
  bool,
  int16,
  int32,
  type MessageOf,
  nullableArray,
  nullableString,
  nullableStruct,
  request,
  response,
  string,
  uuid,
} from '../schema.ts';

export const describeTopicPartitionsRequest = request({
  name: 'DescribeTopicPartitions',
  apiKey: 75,
  versions: [0, 0],
  flexibleSince: 0,
  fields: {
    topics: array({ name: string() }),
    responsePartitionLimit: int32({ default: 2000 }),
    cursor: nullableStruct({ topicName: string(), partitionIndex: int32() }),
  },
});
export type DescribeTopicPartitionsRequest = MessageOf<typeof describeTopicPartitionsRequest>;

export const describeTopicPartitionsResponse = response({
  name: 'DescribeTopicPartitions',
  apiKey: 75,
  versions: [0, 0],
  flexibleSince: 0,
  fields: {
    throttleTimeMs: int32({ ignorable: true }),
    topics: array({
      errorCode: int16(),
      name: nullableString(),
      topicId: uuid({ ignorable: true }),
      isInternal: bool({ ignorable: true }),
      partitions: array({
        errorCode: int16(),
        partitionIndex: int32(),
        leaderId: int32(),
        leaderEpoch: int32({ ignorable: true, default: -1 }),
        replicaNodes: array(int32()),
        isrNodes: array(int32()),
        eligibleLeaderReplicas: nullableArray(int32(), { default: null }),
        lastKnownElr: nullableArray(int32(), { default: null }),
        offlineReplicas: array(int32(), { ignorable: true }),
      }),
      topicAuthorizedOperations: int32({ default: -2147483648 }),
    }),
    nextCursor: nullableStruct({ topicName: string(), partitionIndex: int32() }),
  },
});
export type DescribeTopicPartitionsResponse = MessageOf<typeof describeTopicPartitionsResponse>;
