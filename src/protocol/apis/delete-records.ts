// DeleteRecords: KIP-107 · v1 as v0 · v2 flexible
// Pure.
import { array, int16, int32, int64, type MessageOf, request, response, string } from '../schema.ts';

export const deleteRecordsRequest = request({
  name: 'DeleteRecords',
  apiKey: 21,
  versions: [0, 2],
  flexibleSince: 2,
  fields: { topics: array({ name: string(), partitions: array({ partitionIndex: int32(), offset: int64() }) }), timeoutMs: int32() },
});
export type DeleteRecordsRequest = MessageOf<typeof deleteRecordsRequest>;

export const deleteRecordsResponse = response({
  name: 'DeleteRecords',
  apiKey: 21,
  versions: [0, 2],
  flexibleSince: 2,
  fields: {
    throttleTimeMs: int32(),
    topics: array({ name: string(), partitions: array({ partitionIndex: int32(), lowWatermark: int64(), errorCode: int16() }) }),
  },
});
export type DeleteRecordsResponse = MessageOf<typeof deleteRecordsResponse>;
