// FetchSnapshot: KIP-630 · v1 directory ids, endpoints of the leader (KIP-853)
// Pure.
import {
  array,
  int16,
  int32,
  int64,
  type MessageOf,
  nullableString,
  records,
  request,
  response,
  string,
  struct,
  uint16,
  uuid,
} from '../schema.ts';

export const fetchSnapshotRequest = request({
  name: 'FetchSnapshot',
  apiKey: 59,
  versions: [0, 1],
  flexibleSince: 0,
  fields: {
    clusterId: nullableString({ tag: 0, default: null }),
    replicaId: int32({ default: -1 }),
    maxBytes: int32({ default: 0x7fffffff }),
    topics: array({
      name: string(),
      partitions: array({
        partition: int32(),
        currentLeaderEpoch: int32(),
        snapshotId: struct({ endOffset: int64(), epoch: int32() }),
        position: int64(),
        replicaDirectoryId: uuid({ since: 1, tag: 0, ignorable: true }),
      }),
    }),
  },
});
export type FetchSnapshotRequest = MessageOf<typeof fetchSnapshotRequest>;

export const fetchSnapshotResponse = response({
  name: 'FetchSnapshot',
  apiKey: 59,
  versions: [0, 1],
  flexibleSince: 0,
  fields: {
    throttleTimeMs: int32({ ignorable: true }),
    errorCode: int16(),
    topics: array({
      name: string(),
      partitions: array({
        index: int32(),
        errorCode: int16(),
        snapshotId: struct({ endOffset: int64(), epoch: int32() }),
        currentLeader: struct({ leaderId: int32(), leaderEpoch: int32() }, { tag: 0 }),
        size: int64(),
        position: int64(),
        unalignedRecords: records(),
      }),
    }),
    nodeEndpoints: array({ nodeId: int32(), host: string(), port: uint16() }, { since: 1, tag: 0 }),
  },
});
export type FetchSnapshotResponse = MessageOf<typeof fetchSnapshotResponse>;
