// Keys and values of the records in __share_group_state: how far a share group is in a partition, whole (a snapshot) or by what changed (an
// update). The int16 before a key is its table's api key; before a value stands its version.
// Pure. Source: KIP-932.
import { array, int8, int16, int32, int64, type MessageOf, record, string, uuid } from '../protocol/schema.ts';

export const shareSnapshotKey = record({
  name: 'ShareSnapshotKey',
  apiKey: 0,
  versions: [0, 0],
  fields: { groupId: string(), topicId: uuid(), partition: int32() },
});
export type ShareSnapshotKey = MessageOf<typeof shareSnapshotKey>;

export const shareSnapshotValue = record({
  name: 'ShareSnapshotValue',
  apiKey: 0,
  versions: [0, 0],
  flexibleSince: 0,
  fields: {
    snapshotEpoch: int32(),
    stateEpoch: int32(),
    leaderEpoch: int32(),
    startOffset: int64(),
    deliveryCompleteCount: int32({ tag: 0, default: -1 }),
    createTimestamp: int64(),
    writeTimestamp: int64(),
    stateBatches: array({ firstOffset: int64(), lastOffset: int64(), deliveryState: int8(), deliveryCount: int16() }),
  },
});
export type ShareSnapshotValue = MessageOf<typeof shareSnapshotValue>;

export const shareUpdateKey = record({
  name: 'ShareUpdateKey',
  apiKey: 1,
  versions: [0, 0],
  fields: { groupId: string(), topicId: uuid(), partition: int32() },
});
export type ShareUpdateKey = MessageOf<typeof shareUpdateKey>;

export const shareUpdateValue = record({
  name: 'ShareUpdateValue',
  apiKey: 1,
  versions: [0, 0],
  flexibleSince: 0,
  fields: {
    snapshotEpoch: int32(),
    leaderEpoch: int32(),
    startOffset: int64(),
    deliveryCompleteCount: int32({ tag: 0, default: -1 }),
    stateBatches: array({ firstOffset: int64(), lastOffset: int64(), deliveryState: int8(), deliveryCount: int16() }),
  },
});
export type ShareUpdateValue = MessageOf<typeof shareUpdateValue>;
