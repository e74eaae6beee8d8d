// OffsetFetch: v2 all topics · v5 leader epoch · v6 flexible · v7 stable offsets (KIP-447) · v8 several groups (KIP-709) · v9 member epoch (KIP-848) · v10 topic ids
// Pure.
import {
  array,
  bool,
  int16,
  int32,
  int64,
  type MessageOf,
  nullableArray,
  nullableString,
  request,
  response,
  string,
  uuid,
} from '../schema.ts';

export const offsetFetchRequest = request({
  name: 'OffsetFetch',
  apiKey: 9,
  versions: [1, 10],
  flexibleSince: 6,
  fields: {
    groupId: string({ until: 7 }),
    topics: nullableArray({ name: string({ until: 7 }), partitionIndexes: array(int32(), { until: 7 }) }, { until: 7, nullableSince: 2 }),
    groups: array(
      {
        groupId: string({ since: 8 }),
        memberId: nullableString({ since: 9, ignorable: true, default: null }),
        memberEpoch: int32({ since: 9, ignorable: true, default: -1 }),
        topics: nullableArray(
          {
            name: string({ since: 8, until: 9, ignorable: true }),
            topicId: uuid({ since: 10, ignorable: true }),
            partitionIndexes: array(int32(), { since: 8 }),
          },
          { since: 8 },
        ),
      },
      { since: 8 },
    ),
    requireStable: bool({ since: 7 }),
  },
});
export type OffsetFetchRequest = MessageOf<typeof offsetFetchRequest>;

export const offsetFetchResponse = response({
  name: 'OffsetFetch',
  apiKey: 9,
  versions: [1, 10],
  flexibleSince: 6,
  fields: {
    throttleTimeMs: int32({ since: 3, ignorable: true }),
    topics: array(
      {
        name: string({ until: 7 }),
        partitions: array(
          {
            partitionIndex: int32({ until: 7 }),
            committedOffset: int64({ until: 7 }),
            committedLeaderEpoch: int32({ since: 5, until: 7, ignorable: true, default: -1 }),
            metadata: nullableString({ until: 7 }),
            errorCode: int16({ until: 7 }),
          },
          { until: 7 },
        ),
      },
      { until: 7 },
    ),
    errorCode: int16({ since: 2, until: 7, ignorable: true }),
    groups: array(
      {
        groupId: string({ since: 8 }),
        topics: array(
          {
            name: string({ since: 8, until: 9, ignorable: true }),
            topicId: uuid({ since: 10, ignorable: true }),
            partitions: array(
              {
                partitionIndex: int32({ since: 8 }),
                committedOffset: int64({ since: 8 }),
                committedLeaderEpoch: int32({ since: 8, ignorable: true, default: -1 }),
                metadata: nullableString({ since: 8 }),
                errorCode: int16({ since: 8 }),
              },
              { since: 8 },
            ),
          },
          { since: 8 },
        ),
        errorCode: int16({ since: 8 }),
      },
      { since: 8 },
    ),
  },
});
export type OffsetFetchResponse = MessageOf<typeof offsetFetchResponse>;
