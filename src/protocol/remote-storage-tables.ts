// The records of __remote_log_metadata, which tell of segments in remote storage: after a frame version come the table's api key and the
// version, as in the metadata log.
// Pure. Source: KIP-405.
import { array, bool, int8, int32, int64, type MessageOf, nullableBytes, record, string, struct, uuid } from './schema.ts';

export const remoteLogSegmentMetadataRecord = record({
  name: 'RemoteLogSegmentMetadataRecord',
  apiKey: 0,
  versions: [0, 0],
  flexibleSince: 0,
  fields: {
    remoteLogSegmentId: struct({ topicIdPartition: struct({ name: string(), id: uuid(), partition: int32() }), id: uuid() }),
    startOffset: int64(),
    endOffset: int64(),
    brokerId: int32(),
    maxTimestampMs: int64(),
    eventTimestampMs: int64(),
    segmentLeaderEpochs: array({ leaderEpoch: int32(), offset: int64() }),
    segmentSizeInBytes: int32(),
    customMetadata: nullableBytes({ default: null }),
    remoteLogSegmentState: int8(),
    txnIndexEmpty: bool({ tag: 0 }),
  },
});
export type RemoteLogSegmentMetadataRecord = MessageOf<typeof remoteLogSegmentMetadataRecord>;

export const remoteLogSegmentMetadataSnapshotRecord = record({
  name: 'RemoteLogSegmentMetadataSnapshotRecord',
  apiKey: 3,
  versions: [0, 0],
  flexibleSince: 0,
  fields: {
    segmentId: uuid(),
    startOffset: int64(),
    endOffset: int64(),
    brokerId: int32(),
    maxTimestampMs: int64(),
    eventTimestampMs: int64(),
    segmentLeaderEpochs: array({ leaderEpoch: int32(), offset: int64() }),
    segmentSizeInBytes: int32(),
    customMetadata: nullableBytes({ default: null }),
    remoteLogSegmentState: int8(),
    txnIndexEmpty: bool({ tag: 0 }),
  },
});
export type RemoteLogSegmentMetadataSnapshotRecord = MessageOf<typeof remoteLogSegmentMetadataSnapshotRecord>;

export const remoteLogSegmentMetadataUpdateRecord = record({
  name: 'RemoteLogSegmentMetadataUpdateRecord',
  apiKey: 1,
  versions: [0, 0],
  flexibleSince: 0,
  fields: {
    remoteLogSegmentId: struct({ topicIdPartition: struct({ name: string(), id: uuid(), partition: int32() }), id: uuid() }),
    brokerId: int32(),
    eventTimestampMs: int64(),
    customMetadata: nullableBytes({ default: null }),
    remoteLogSegmentState: int8(),
  },
});
export type RemoteLogSegmentMetadataUpdateRecord = MessageOf<typeof remoteLogSegmentMetadataUpdateRecord>;

export const remotePartitionDeleteMetadataRecord = record({
  name: 'RemotePartitionDeleteMetadataRecord',
  apiKey: 2,
  versions: [0, 0],
  flexibleSince: 0,
  fields: {
    topicIdPartition: struct({ name: string(), id: uuid(), partition: int32() }),
    brokerId: int32(),
    eventTimestampMs: int64(),
    remotePartitionDeleteState: int8(),
  },
});
export type RemotePartitionDeleteMetadataRecord = MessageOf<typeof remotePartitionDeleteMetadataRecord>;
