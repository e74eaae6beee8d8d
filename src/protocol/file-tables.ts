// What Kafka keeps in files of its own: the table form of what log/ and raft/ read and write by hand.
// Pure.
import { array, data, int16, int32, int64, type MessageOf, nullableArray, string, uint32, uuid } from './schema.ts';

/** A producer snapshot, behind the int16 of its version. */
export const producerSnapshot = data({
  name: 'ProducerSnapshot',
  versions: [1, 1],
  fields: {
    crc: uint32(),
    producerEntries: array({
      producerId: int64(),
      epoch: int16(),
      lastSequence: int32(),
      lastOffset: int64(),
      offsetDelta: int32(),
      timestamp: int64(),
      coordinatorEpoch: int32(),
      currentTxnFirstOffset: int64(),
    }),
  },
});
export type ProducerSnapshot = MessageOf<typeof producerSnapshot>;

/** An entry of a transaction index, behind the int16 of its version. */
export const abortedTxn = data({
  name: 'AbortedTxn',
  versions: [0, 0],
  fields: { producerId: int64(), firstOffset: int64(), lastOffset: int64(), lastStableOffset: int64() },
});
export type AbortedTxn = MessageOf<typeof abortedTxn>;

/** The file quorum-state, which is JSON of these fields: version 0 where the voters are static. */
export const quorumStateData = data({
  name: 'QuorumStateData',
  versions: [0, 1],
  flexibleSince: 0,
  fields: {
    clusterId: string({ until: 0 }),
    leaderId: int32({ default: -1 }),
    leaderEpoch: int32({ default: -1 }),
    votedId: int32({ default: -1 }),
    votedDirectoryId: uuid({ since: 1 }),
    appliedOffset: int64({ until: 0 }),
    currentVoters: nullableArray({ voterId: int32() }, { until: 0 }),
  },
});
export type QuorumStateData = MessageOf<typeof quorumStateData>;
