// OffsetForLeaderEpoch: v2 current leader epoch (KIP-320) · v3 replica id · v4 flexible
// Pure.
import { array, int16, int32, int64, type MessageOf, request, response, string } from '../schema.ts';

export const offsetForLeaderEpochRequest = request({
  name: 'OffsetForLeaderEpoch',
  apiKey: 23,
  versions: [2, 4],
  flexibleSince: 4,
  fields: {
    replicaId: int32({ since: 3, ignorable: true, default: -2 }),
    topics: array({
      topic: string(),
      partitions: array({ partition: int32(), currentLeaderEpoch: int32({ ignorable: true, default: -1 }), leaderEpoch: int32() }),
    }),
  },
});
export type OffsetForLeaderEpochRequest = MessageOf<typeof offsetForLeaderEpochRequest>;

export const offsetForLeaderEpochResponse = response({
  name: 'OffsetForLeaderEpoch',
  apiKey: 23,
  versions: [2, 4],
  flexibleSince: 4,
  fields: {
    throttleTimeMs: int32({ ignorable: true }),
    topics: array({
      topic: string(),
      partitions: array({
        errorCode: int16(),
        partition: int32(),
        leaderEpoch: int32({ ignorable: true, default: -1 }),
        endOffset: int64({ default: -1 }),
      }),
    }),
  },
});
export type OffsetForLeaderEpochResponse = MessageOf<typeof offsetForLeaderEpochResponse>;
