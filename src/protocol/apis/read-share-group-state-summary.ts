// ReadShareGroupStateSummary: KIP-932 · v1 count of complete deliveries (KIP-1226)
// Pure.
import { array, int16, int32, int64, type MessageOf, nullableString, request, response, string, uuid } from '../schema.ts';

export const readShareGroupStateSummaryRequest = request({
  name: 'ReadShareGroupStateSummary',
  apiKey: 87,
  versions: [0, 1],
  flexibleSince: 0,
  fields: { groupId: string(), topics: array({ topicId: uuid(), partitions: array({ partition: int32(), leaderEpoch: int32() }) }) },
});
export type ReadShareGroupStateSummaryRequest = MessageOf<typeof readShareGroupStateSummaryRequest>;

export const readShareGroupStateSummaryResponse = response({
  name: 'ReadShareGroupStateSummary',
  apiKey: 87,
  versions: [0, 1],
  flexibleSince: 0,
  fields: {
    results: array({
      topicId: uuid(),
      partitions: array({
        partition: int32(),
        errorCode: int16(),
        errorMessage: nullableString({ default: null }),
        stateEpoch: int32(),
        leaderEpoch: int32(),
        startOffset: int64(),
        deliveryCompleteCount: int32({ since: 1, ignorable: true, default: -1 }),
      }),
    }),
  },
});
export type ReadShareGroupStateSummaryResponse = MessageOf<typeof readShareGroupStateSummaryResponse>;
