// Control batches against those that Apache Kafka wrote.
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  batchPositions,
  batchSizeBytes,
  isControl,
  isTransactional,
  readBaseOffset,
  readBaseTimestamp,
  readLeaderEpoch,
  readProducerEpoch,
  readProducerId,
} from '../../../src/protocol/records/batch.ts';
import {
  buildControlBatch,
  CONTROL_TYPE,
  type ControlType,
  controlKey,
  readControlType,
  readControlVersion,
} from '../../../src/protocol/records/control.ts';
import { readRecords } from '../../../src/protocol/records/records.ts';

const golden = (name: string): Uint8Array => readFileSync(`${import.meta.dirname}/../../golden/records/${name}`);

/** Rebuilds the control batch at `position` from what was read of it: every byte must be the same. */
function rebuild(bytes: Uint8Array, position: number): { type: number; rebuilt: Uint8Array; original: Uint8Array } {
  const records = readRecords(bytes, position);
  const types = records.map((record) => readControlType(record.key));
  const rebuilt = buildControlBatch(
    {
      baseOffset: readBaseOffset(bytes, position),
      leaderEpoch: readLeaderEpoch(bytes, position),
      producerId: readProducerId(bytes, position),
      producerEpoch: readProducerEpoch(bytes, position),
      isTransactional: isTransactional(bytes, position),
    },
    readBaseTimestamp(bytes, position),
    records.map((record, i) => ({ type: types[i] as ControlType, value: record.value ?? new Uint8Array(0) })),
  );
  return { type: types[0] ?? -1, rebuilt, original: bytes.subarray(position, position + batchSizeBytes(bytes, position)) };
}

describe('control batches', () => {
  it('are byte for byte what Kafka writes when a transaction commits', () => {
    const bytes = golden('java-transactional.bin');
    const [data, marker] = [...batchPositions(bytes)];
    expect([isControl(bytes, data ?? -1), isTransactional(bytes, data ?? -1)]).toEqual([false, true]);
    expect([isControl(bytes, marker ?? -1), isTransactional(bytes, marker ?? -1)]).toEqual([true, true]);
    const { type, rebuilt, original } = rebuild(bytes, marker ?? -1);
    expect(type).toBe(CONTROL_TYPE.COMMIT);
    expect(Buffer.from(rebuilt).toString('hex')).toBe(Buffer.from(original).toString('hex'));
  });

  it('are byte for byte what Kafka writes when a raft leader is elected', () => {
    const bytes = golden('kraft-first-batches.bin');
    expect([...batchPositions(bytes)].map((position) => isControl(bytes, position))).toEqual([true, false]);
    const { type, rebuilt, original } = rebuild(bytes, 0);
    expect(type).toBe(CONTROL_TYPE.LEADER_CHANGE);
    expect(Buffer.from(rebuilt).toString('hex')).toBe(Buffer.from(original).toString('hex'));
  });

  it('have keys that are told from none', () => {
    for (const type of Object.values(CONTROL_TYPE)) expect(readControlType(controlKey(type))).toBe(type);
    expect([...controlKey(CONTROL_TYPE.KRAFT_VOTERS)]).toEqual([0, 0, 0, 6]);
    for (const key of [null, new Uint8Array(0), Uint8Array.of(0, 0, 0), Uint8Array.of(0xff, 0xff, 0, 1)])
      expect(readControlType(key)).toBe(-1);
    const later = Uint8Array.of(0, 3, 0, 99, 1, 2);
    expect([readControlVersion(later), readControlType(later)]).toEqual([3, 99]);
  });
});
