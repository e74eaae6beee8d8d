// DescribeShareGroupOffsets: KIP-932 · v1 lag (KIP-1226)
// Pure.
import { array, int16, int32, int64, type MessageOf, nullableArray, nullableString, request, response, string, uuid } from '../schema.ts';

export const describeShareGroupOffsetsRequest = request({
  name: 'DescribeShareGroupOffsets',
  apiKey: 90,
  versions: [0, 1],
  flexibleSince: 0,
  fields: { groups: array({ groupId: string(), topics: nullableArray({ topicName: string(), partitions: array(int32()) }) }) },
});
export type DescribeShareGroupOffsetsRequest = MessageOf<typeof describeShareGroupOffsetsRequest>;

export const describeShareGroupOffsetsResponse = response({
  name: 'DescribeShareGroupOffsets',
  apiKey: 90,
  versions: [0, 1],
  flexibleSince: 0,
  fields: {
    throttleTimeMs: int32(),
    groups: array({
      groupId: string(),
      topics: array({
        topicName: string(),
        topicId: uuid(),
        partitions: array({
          partitionIndex: int32(),
          startOffset: int64(),
          leaderEpoch: int32(),
          lag: int64({ since: 1, ignorable: true, default: -1 }),
          errorCode: int16(),
          errorMessage: nullableString({ default: null }),
        }),
      }),
      errorCode: int16(),
      errorMessage: nullableString({ default: null }),
    }),
  },
});
export type DescribeShareGroupOffsetsResponse = MessageOf<typeof describeShareGroupOffsetsResponse>;
