// Fetch: v4 record batches v2 · v7 sessions (KIP-227) · v9 leader epochs (KIP-320) · v11 rack (KIP-392) · v12 flexible, divergence (KIP-595) · v13 topic ids (KIP-516) · v15 replica state (KIP-903)
// Pure.
import {
  array,
  int8,
  int16,
  int32,
  int64,
  int64Opaque,
  int64Rounded,
  type MessageOf,
  nullableArray,
  nullableRecords,
  nullableString,
  request,
  response,
  string,
  struct,
  uuid,
} from '../schema.ts';

export const fetchRequest = request({
  name: 'Fetch',
  apiKey: 1,
  versions: [4, 18],
  flexibleSince: 12,
  fields: {
    clusterId: nullableString({ since: 12, tag: 0, ignorable: true, default: null }),
    replicaId: int32({ until: 14, default: -1 }),
    replicaState: struct(
      { replicaId: int32({ since: 15, default: -1 }), replicaEpoch: int64({ since: 15, default: -1 }) },
      { since: 15, tag: 1 },
    ),
    maxWaitMs: int32(),
    minBytes: int32(),
    maxBytes: int32({ ignorable: true, default: 2147483647 }),
    isolationLevel: int8({ ignorable: true }),
    sessionId: int32({ since: 7, ignorable: true }),
    sessionEpoch: int32({ since: 7, ignorable: true, default: -1 }),
    topics: array({
      topic: string({ until: 12, ignorable: true }),
      topicId: uuid({ since: 13, ignorable: true }),
      partitions: array({
        partition: int32(),
        currentLeaderEpoch: int32({ since: 9, ignorable: true, default: -1 }),
        fetchOffset: int64Rounded(),
        lastFetchedEpoch: int32({ since: 12, default: -1 }),
        logStartOffset: int64({ since: 5, ignorable: true, default: -1 }),
        partitionMaxBytes: int32(),
        replicaDirectoryId: uuid({ since: 17, tag: 0, ignorable: true }),
        highWatermark: int64Opaque({ since: 18, tag: 1, ignorable: true, default: 2n ** 63n - 1n }),
      }),
    }),
    forgottenTopicsData: array(
      {
        topic: string({ since: 7, until: 12, ignorable: true }),
        topicId: uuid({ since: 13, ignorable: true }),
        partitions: array(int32(), { since: 7 }),
      },
      { since: 7 },
    ),
    rackId: string({ since: 11, ignorable: true }),
  },
});
export type FetchRequest = MessageOf<typeof fetchRequest>;

export const fetchResponse = response({
  name: 'Fetch',
  apiKey: 1,
  versions: [4, 18],
  flexibleSince: 12,
  fields: {
    throttleTimeMs: int32({ ignorable: true }),
    errorCode: int16({ since: 7, ignorable: true }),
    sessionId: int32({ since: 7 }),
    responses: array({
      topic: string({ until: 12, ignorable: true }),
      topicId: uuid({ since: 13, ignorable: true }),
      partitions: array({
        partitionIndex: int32(),
        errorCode: int16(),
        highWatermark: int64(),
        lastStableOffset: int64({ ignorable: true, default: -1 }),
        logStartOffset: int64({ since: 5, ignorable: true, default: -1 }),
        divergingEpoch: struct(
          { epoch: int32({ since: 12, default: -1 }), endOffset: int64({ since: 12, default: -1 }) },
          { since: 12, tag: 0 },
        ),
        currentLeader: struct(
          { leaderId: int32({ since: 12, default: -1 }), leaderEpoch: int32({ since: 12, default: -1 }) },
          { since: 12, tag: 1 },
        ),
        snapshotId: struct({ endOffset: int64({ default: -1 }), epoch: int32({ default: -1 }) }, { since: 12, tag: 2 }),
        abortedTransactions: nullableArray({ producerId: int64(), firstOffset: int64() }, { ignorable: true }),
        preferredReadReplica: int32({ since: 11, default: -1 }),
        records: nullableRecords(),
      }),
    }),
    nodeEndpoints: array(
      {
        nodeId: int32({ since: 16 }),
        host: string({ since: 16 }),
        port: int32({ since: 16 }),
        rack: nullableString({ since: 16, default: null }),
      },
      { since: 16, tag: 0 },
    ),
  },
});
export type FetchResponse = MessageOf<typeof fetchResponse>;
