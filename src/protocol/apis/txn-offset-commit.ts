// TxnOffsetCommit: KIP-98 · v2 leader epochs (KIP-320) · v3 flexible, members of groups (KIP-447) · v4 TRANSACTION_ABORTABLE (KIP-890) · v5 also adds the offsets to the transaction (KIP-890) · v6 topic ids
// Pure.
import { array, int16, int32, int64, type MessageOf, nullableString, request, response, string, uuid } from '../schema.ts';

export const txnOffsetCommitRequest = request({
  name: 'TxnOffsetCommit',
  apiKey: 28,
  versions: [0, 6],
  flexibleSince: 3,
  fields: {
    transactionalId: string(),
    groupId: string(),
    producerId: int64(),
    producerEpoch: int16(),
    generationIdOrMemberEpoch: int32({ since: 3, default: -1 }),
    memberId: string({ since: 3 }),
    groupInstanceId: nullableString({ since: 3, default: null }),
    topics: array({
      name: string({ until: 5, ignorable: true }),
      topicId: uuid({ since: 6, ignorable: true }),
      partitions: array({
        partitionIndex: int32(),
        committedOffset: int64(),
        committedLeaderEpoch: int32({ since: 2, ignorable: true, default: -1 }),
        committedMetadata: nullableString(),
      }),
    }),
  },
});
export type TxnOffsetCommitRequest = MessageOf<typeof txnOffsetCommitRequest>;

export const txnOffsetCommitResponse = response({
  name: 'TxnOffsetCommit',
  apiKey: 28,
  versions: [0, 6],
  flexibleSince: 3,
  fields: {
    throttleTimeMs: int32(),
    topics: array({
      name: string({ until: 5, ignorable: true }),
      topicId: uuid({ since: 6, ignorable: true }),
      partitions: array({ partitionIndex: int32(), errorCode: int16() }),
    }),
  },
});
export type TxnOffsetCommitResponse = MessageOf<typeof txnOffsetCommitResponse>;
