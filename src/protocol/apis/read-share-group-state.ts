// ReadShareGroupState: KIP-932
// Pure.
import { array, int8, int16, int32, int64, type MessageOf, nullableString, request, response, string, uuid } from '../schema.ts';

export const readShareGroupStateRequest = request({
  name: 'ReadShareGroupState',
  apiKey: 84,
  versions: [0, 0],
  flexibleSince: 0,
  fields: { groupId: string(), topics: array({ topicId: uuid(), partitions: array({ partition: int32(), leaderEpoch: int32() }) }) },
});
export type ReadShareGroupStateRequest = MessageOf<typeof readShareGroupStateRequest>;

export const readShareGroupStateResponse = response({
  name: 'ReadShareGroupState',
  apiKey: 84,
  versions: [0, 0],
  flexibleSince: 0,
  fields: {
    results: array({
      topicId: uuid(),
      partitions: array({
        partition: int32(),
        errorCode: int16(),
        errorMessage: nullableString({ default: null }),
        stateEpoch: int32(),
        startOffset: int64(),
        stateBatches: array({ firstOffset: int64(), lastOffset: int64(), deliveryState: int8(), deliveryCount: int16() }),
      }),
    }),
  },
});
export type ReadShareGroupStateResponse = MessageOf<typeof readShareGroupStateResponse>;
