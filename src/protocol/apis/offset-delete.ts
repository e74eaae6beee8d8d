// OffsetDelete (KIP-496)
// Pure.
import { array, int16, int32, type MessageOf, request, response, string } from '../schema.ts';

export const offsetDeleteRequest = request({
  name: 'OffsetDelete',
  apiKey: 47,
  versions: [0, 0],
  fields: { groupId: string(), topics: array({ name: string(), partitions: array({ partitionIndex: int32() }) }) },
});
export type OffsetDeleteRequest = MessageOf<typeof offsetDeleteRequest>;

export const offsetDeleteResponse = response({
  name: 'OffsetDelete',
  apiKey: 47,
  versions: [0, 0],
  fields: {
    errorCode: int16(),
    throttleTimeMs: int32({ ignorable: true }),
    topics: array({ name: string(), partitions: array({ partitionIndex: int32(), errorCode: int16() }) }),
  },
});
export type OffsetDeleteResponse = MessageOf<typeof offsetDeleteResponse>;
