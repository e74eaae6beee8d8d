// OffsetCommit: v6 leader epoch (KIP-320) · v7 static members · v8 flexible · v9 consumer protocol (KIP-848) · v10 topic ids
// Pure.
import { array, int16, int32, int64, type MessageOf, nullableString, request, response, string, uuid } from '../schema.ts';

export const offsetCommitRequest = request({
  name: 'OffsetCommit',
  apiKey: 8,
  versions: [2, 10],
  flexibleSince: 8,
  fields: {
    groupId: string(),
    generationIdOrMemberEpoch: int32({ ignorable: true, default: -1 }),
    memberId: string({ ignorable: true }),
    groupInstanceId: nullableString({ since: 7, default: null }),
    retentionTimeMs: int64({ until: 4, ignorable: true, default: -1 }),
    topics: array({
      name: string({ until: 9, ignorable: true }),
      topicId: uuid({ since: 10, ignorable: true }),
      partitions: array({
        partitionIndex: int32(),
        committedOffset: int64(),
        committedLeaderEpoch: int32({ since: 6, ignorable: true, default: -1 }),
        committedMetadata: nullableString(),
      }),
    }),
  },
});
export type OffsetCommitRequest = MessageOf<typeof offsetCommitRequest>;

export const offsetCommitResponse = response({
  name: 'OffsetCommit',
  apiKey: 8,
  versions: [2, 10],
  flexibleSince: 8,
  fields: {
    throttleTimeMs: int32({ since: 3, ignorable: true }),
    topics: array({
      name: string({ until: 9, ignorable: true }),
      topicId: uuid({ since: 10, ignorable: true }),
      partitions: array({ partitionIndex: int32(), errorCode: int16() }),
    }),
  },
});
export type OffsetCommitResponse = MessageOf<typeof offsetCommitResponse>;
