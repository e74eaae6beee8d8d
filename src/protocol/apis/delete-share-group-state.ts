// DeleteShareGroupState: KIP-932
// Pure.
import { array, int16, int32, type MessageOf, nullableString, request, response, string, uuid } from '../schema.ts';

export const deleteShareGroupStateRequest = request({
  name: 'DeleteShareGroupState',
  apiKey: 86,
  versions: [0, 0],
  flexibleSince: 0,
  fields: { groupId: string(), topics: array({ topicId: uuid(), partitions: array({ partition: int32() }) }) },
});
export type DeleteShareGroupStateRequest = MessageOf<typeof deleteShareGroupStateRequest>;

export const deleteShareGroupStateResponse = response({
  name: 'DeleteShareGroupState',
  apiKey: 86,
  versions: [0, 0],
  flexibleSince: 0,
  fields: {
    results: array({
      topicId: uuid(),
      partitions: array({ partition: int32(), errorCode: int16(), errorMessage: nullableString({ default: null }) }),
    }),
  },
});
export type DeleteShareGroupStateResponse = MessageOf<typeof deleteShareGroupStateResponse>;
