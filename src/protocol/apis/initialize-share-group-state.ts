// InitializeShareGroupState: KIP-932
// Pure.
import { array, int16, int32, int64, type MessageOf, nullableString, request, response, string, uuid } from '../schema.ts';

export const initializeShareGroupStateRequest = request({
  name: 'InitializeShareGroupState',
  apiKey: 83,
  versions: [0, 0],
  flexibleSince: 0,
  fields: {
    groupId: string(),
    topics: array({ topicId: uuid(), partitions: array({ partition: int32(), stateEpoch: int32(), startOffset: int64() }) }),
  },
});
export type InitializeShareGroupStateRequest = MessageOf<typeof initializeShareGroupStateRequest>;

export const initializeShareGroupStateResponse = response({
  name: 'InitializeShareGroupState',
  apiKey: 83,
  versions: [0, 0],
  flexibleSince: 0,
  fields: {
    results: array({
      topicId: uuid(),
      partitions: array({ partition: int32(), errorCode: int16(), errorMessage: nullableString({ default: null }) }),
    }),
  },
});
export type InitializeShareGroupStateResponse = MessageOf<typeof initializeShareGroupStateResponse>;
