// DeleteShareGroupOffsets: KIP-932
// Pure.
import { array, int16, int32, type MessageOf, nullableString, request, response, string, uuid } from '../schema.ts';

export const deleteShareGroupOffsetsRequest = request({
  name: 'DeleteShareGroupOffsets',
  apiKey: 92,
  versions: [0, 0],
  flexibleSince: 0,
  fields: { groupId: string(), topics: array({ topicName: string() }) },
});
export type DeleteShareGroupOffsetsRequest = MessageOf<typeof deleteShareGroupOffsetsRequest>;

export const deleteShareGroupOffsetsResponse = response({
  name: 'DeleteShareGroupOffsets',
  apiKey: 92,
  versions: [0, 0],
  flexibleSince: 0,
  fields: {
    throttleTimeMs: int32(),
    errorCode: int16(),
    errorMessage: nullableString({ default: null }),
    responses: array({ topicName: string(), topicId: uuid(), errorCode: int16(), errorMessage: nullableString({ default: null }) }),
  },
});
export type DeleteShareGroupOffsetsResponse = MessageOf<typeof deleteShareGroupOffsetsResponse>;
