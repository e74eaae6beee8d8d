// ListOffsets: v2 isolation level · v4 leader epochs (KIP-320) · v6 flexible · v7 largest timestamp (KIP-734) · v8, v9 tiered offsets (KIP-405, KIP-1005) · v10 timeout · v11 earliest pending upload
// Pure.
import { array, int8, int16, int32, int64, int64Rounded, type MessageOf, request, response, string } from '../schema.ts';

export const listOffsetsRequest = request({
  name: 'ListOffsets',
  apiKey: 2,
  versions: [1, 11],
  flexibleSince: 6,
  fields: {
    replicaId: int32(),
    isolationLevel: int8({ since: 2 }),
    topics: array({
      name: string(),
      partitions: array({
        partitionIndex: int32(),
        currentLeaderEpoch: int32({ since: 4, ignorable: true, default: -1 }),
        timestamp: int64Rounded(),
      }),
    }),
    timeoutMs: int32({ since: 10, ignorable: true }),
  },
});
export type ListOffsetsRequest = MessageOf<typeof listOffsetsRequest>;

export const listOffsetsResponse = response({
  name: 'ListOffsets',
  apiKey: 2,
  versions: [1, 11],
  flexibleSince: 6,
  fields: {
    throttleTimeMs: int32({ since: 2, ignorable: true }),
    topics: array({
      name: string(),
      partitions: array({
        partitionIndex: int32(),
        errorCode: int16(),
        timestamp: int64({ default: -1 }),
        offset: int64({ default: -1 }),
        leaderEpoch: int32({ since: 4, default: -1 }),
      }),
    }),
  },
});
export type ListOffsetsResponse = MessageOf<typeof listOffsetsResponse>;
