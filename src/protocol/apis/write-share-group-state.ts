// WriteShareGroupState: KIP-932 · v1 count of complete deliveries (KIP-1226)
// Pure.
import { array, int8, int16, int32, int64, type MessageOf, nullableString, request, response, string, uuid } from '../schema.ts';

export const writeShareGroupStateRequest = request({
  name: 'WriteShareGroupState',
  apiKey: 85,
  versions: [0, 1],
  flexibleSince: 0,
  fields: {
    groupId: string(),
    topics: array({
      topicId: uuid(),
      partitions: array({
        partition: int32(),
        stateEpoch: int32(),
        leaderEpoch: int32(),
        startOffset: int64(),
        deliveryCompleteCount: int32({ since: 1, ignorable: true, default: -1 }),
        stateBatches: array({ firstOffset: int64(), lastOffset: int64(), deliveryState: int8(), deliveryCount: int16() }),
      }),
    }),
  },
});
export type WriteShareGroupStateRequest = MessageOf<typeof writeShareGroupStateRequest>;

export const writeShareGroupStateResponse = response({
  name: 'WriteShareGroupState',
  apiKey: 85,
  versions: [0, 1],
  flexibleSince: 0,
  fields: {
    results: array({
      topicId: uuid(),
      partitions: array({ partition: int32(), errorCode: int16(), errorMessage: nullableString({ default: null }) }),
    }),
  },
});
export type WriteShareGroupStateResponse = MessageOf<typeof writeShareGroupStateResponse>;
