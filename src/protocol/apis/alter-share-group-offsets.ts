// AlterShareGroupOffsets: KIP-932
// Pure.
import { array, int16, int32, int64, type MessageOf, nullableString, request, response, string, uuid } from '../schema.ts';

export const alterShareGroupOffsetsRequest = request({
  name: 'AlterShareGroupOffsets',
  apiKey: 91,
  versions: [0, 0],
  flexibleSince: 0,
  fields: {
    groupId: string(),
    topics: array({ topicName: string(), partitions: array({ partitionIndex: int32(), startOffset: int64() }) }),
  },
});
export type AlterShareGroupOffsetsRequest = MessageOf<typeof alterShareGroupOffsetsRequest>;

export const alterShareGroupOffsetsResponse = response({
  name: 'AlterShareGroupOffsets',
  apiKey: 91,
  versions: [0, 0],
  flexibleSince: 0,
  fields: {
    throttleTimeMs: int32(),
    errorCode: int16(),
    errorMessage: nullableString({ default: null }),
    responses: array({
      topicName: string(),
      topicId: uuid(),
      partitions: array({ partitionIndex: int32(), errorCode: int16(), errorMessage: nullableString({ default: null }) }),
    }),
  },
});
export type AlterShareGroupOffsetsResponse = MessageOf<typeof alterShareGroupOffsetsResponse>;
