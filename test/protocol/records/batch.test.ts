// The batch header in place: layout, rewriting, and the checks in the order that they promise.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { writeInt32, writeInt64 } from '../../../src/base/big-endian.ts';
import {
  ATTRIBUTES_AT,
  BASE_TIMESTAMP_AT,
  BATCH_CHECK,
  BATCH_LENGTH_AT,
  BATCH_OVERHEAD_BYTES,
  batchCheckName,
  batchPositions,
  batchSizeBytes,
  checkBatch,
  checkBatchFrame,
  checkStoredBatch,
  compressionType,
  hasDeleteHorizon,
  isControl,
  isSafeTimestamp,
  isTransactional,
  LAST_OFFSET_DELTA_AT,
  lastOffset,
  lastSequence,
  MAGIC_AT,
  NO_SEQUENCE,
  nextBatch,
  RECORD_COUNT_AT,
  readAttributes,
  readBaseOffset,
  readBaseSequence,
  readBaseTimestamp,
  readCrc,
  readLastOffsetDelta,
  readLeaderEpoch,
  readMagic,
  readMaxTimestamp,
  readProducerEpoch,
  readProducerId,
  readRecordCount,
  recomputeCrc,
  timestampType,
  verifyCrc,
  writeAttributes,
  writeBaseOffset,
  writeLeaderEpoch,
  writeMaxTimestamp,
} from '../../../src/protocol/records/batch.ts';
import { BatchBuilder, type BatchOptions } from '../../../src/protocol/records/batch-builder.ts';

const value = new TextEncoder().encode('a value');

function batchOf(recordCount: number, options: BatchOptions = {}): Uint8Array {
  const builder = new BatchBuilder(options);
  for (let i = 0; i < recordCount; i++) builder.append({ value, timestampMs: 1_700_000_000_000 + i });
  return builder.build();
}

/** `batch` at an odd position between other bytes, as it lies in a slab. */
function within(batch: Uint8Array, before: number, after = 7): Uint8Array {
  const bytes = new Uint8Array(before + batch.length + after).fill(0xa5);
  bytes.set(batch, before);
  return bytes;
}

const safeInteger = fc.maxSafeInteger();

describe('a batch header', () => {
  it('lies as DataView reads it, field by field, at any position', () => {
    const header = fc.record({
      baseOffset: fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER - 4 }), // So that the last offset is safe too.
      leaderEpoch: fc.integer(),
      producerId: safeInteger,
      producerEpoch: fc.integer({ min: -0x8000, max: 0x7fff }),
      baseSequence: fc.integer(),
      isTransactional: fc.boolean(),
      isControl: fc.boolean(),
      logAppendTimeMs: safeInteger,
    });
    fc.assert(
      fc.property(header, fc.integer({ min: 1, max: 5 }), fc.nat({ max: 9 }), (options, recordCount, at) => {
        const bytes = within(batchOf(recordCount, options), at);
        const view = new DataView(bytes.buffer, at);
        expect(readBaseOffset(bytes, at)).toBe(options.baseOffset);
        expect(view.getBigInt64(0)).toBe(BigInt(options.baseOffset));
        expect(batchSizeBytes(bytes, at)).toBe(view.getInt32(8) + 12);
        expect(readLeaderEpoch(bytes, at)).toBe(options.leaderEpoch);
        expect(view.getInt32(12)).toBe(options.leaderEpoch);
        expect(readMagic(bytes, at)).toBe(2);
        expect(readCrc(bytes, at)).toBe(view.getUint32(17));
        expect(readAttributes(bytes, at)).toBe(view.getInt16(21));
        expect(timestampType(bytes, at)).toBe(1);
        expect(isTransactional(bytes, at)).toBe(options.isTransactional);
        expect(isControl(bytes, at)).toBe(options.isControl);
        expect(readLastOffsetDelta(bytes, at)).toBe(recordCount - 1);
        expect(lastOffset(bytes, at)).toBe(options.baseOffset + recordCount - 1);
        expect(readBaseTimestamp(bytes, at)).toBe(1_700_000_000_000);
        expect(readMaxTimestamp(bytes, at)).toBe(options.logAppendTimeMs);
        expect(view.getBigInt64(35)).toBe(BigInt(options.logAppendTimeMs));
        expect(readProducerId(bytes, at)).toBe(options.producerId);
        expect(view.getBigInt64(43)).toBe(BigInt(options.producerId));
        expect(readProducerEpoch(bytes, at)).toBe(options.producerEpoch);
        expect(view.getInt16(51)).toBe(options.producerEpoch);
        expect(readBaseSequence(bytes, at)).toBe(options.baseSequence);
        expect(view.getInt32(53)).toBe(options.baseSequence);
        expect(readRecordCount(bytes, at)).toBe(recordCount);
        expect(checkBatch(bytes, at, bytes.length - at)).toBe(BATCH_CHECK.OK);
      }),
    );
  });

  it('takes a base offset and a leader epoch without touching the checksum', () => {
    const bytes = within(batchOf(3), 5);
    const crc = readCrc(bytes, 5);
    writeBaseOffset(bytes, 5, Number.MAX_SAFE_INTEGER);
    writeLeaderEpoch(bytes, 5, 0x7fffffff);
    expect(readBaseOffset(bytes, 5)).toBe(Number.MAX_SAFE_INTEGER);
    expect(readLeaderEpoch(bytes, 5)).toBe(0x7fffffff);
    expect(readCrc(bytes, 5)).toBe(crc);
    expect(verifyCrc(bytes, 5)).toBe(true);
  });

  it('is stamped with the append time inside the checksum', () => {
    const bytes = within(batchOf(2, { isTransactional: true }), 3);
    writeAttributes(bytes, 3, readAttributes(bytes, 3) | 0x08);
    writeMaxTimestamp(bytes, 3, 1_800_000_000_000);
    expect(verifyCrc(bytes, 3)).toBe(false);
    recomputeCrc(bytes, 3);
    expect(checkBatch(bytes, 3, bytes.length - 3)).toBe(BATCH_CHECK.OK);
    expect([timestampType(bytes, 3), isTransactional(bytes, 3), readMaxTimestamp(bytes, 3)]).toEqual([1, true, 1_800_000_000_000]);
  });

  it('reads the bits of the attributes apart', () => {
    const bytes = batchOf(1);
    for (let attributes = 0; attributes < 0x80; attributes++) {
      writeAttributes(bytes, 0, attributes);
      expect([
        compressionType(bytes, 0),
        timestampType(bytes, 0),
        isTransactional(bytes, 0),
        isControl(bytes, 0),
        hasDeleteHorizon(bytes, 0),
      ]).toEqual([attributes % 8, (attributes >> 3) % 2, (attributes & 16) > 0, (attributes & 32) > 0, (attributes & 64) > 0]);
    }
  });

  it('wraps sequences behind 2^31 - 1', () => {
    expect(lastSequence(batchOf(3, { baseSequence: 5 }), 0)).toBe(7);
    expect(lastSequence(batchOf(3, { baseSequence: 0x7ffffffe }), 0)).toBe(0);
    expect(lastSequence(batchOf(3), 0)).toBe(NO_SEQUENCE);
  });

  it('gives a rounded number, and says so, for a timestamp above 2^53', () => {
    const bytes = batchOf(1);
    const view = new DataView(bytes.buffer);
    for (const raw of [2n ** 63n - 1n, -(2n ** 63n), 2n ** 53n]) {
      view.setBigInt64(BASE_TIMESTAMP_AT, raw);
      expect(readBaseTimestamp(bytes, 0)).toBe(Number(raw));
      expect(isSafeTimestamp(readBaseTimestamp(bytes, 0))).toBe(false);
    }
    view.setBigInt64(BASE_TIMESTAMP_AT, -1n);
    expect(readBaseTimestamp(bytes, 0)).toBe(-1);
    expect(isSafeTimestamp(-1)).toBe(true);
  });

  it('writes and reads back any safe integer', () => {
    const bytes = new Uint8Array(8);
    fc.assert(
      fc.property(safeInteger, (number) => {
        writeInt64(bytes, 0, number);
        expect(new DataView(bytes.buffer).getBigInt64(0)).toBe(BigInt(number));
      }),
    );
  });
});

describe('the check of a batch', () => {
  /** A sound batch with one thing changed, its checksum made good again. */
  const altered = (change: (batch: Uint8Array) => void): Uint8Array => {
    const batch = batchOf(3);
    change(batch);
    recomputeCrc(batch, 0);
    return batch;
  };
  const verdict = (batch: Uint8Array): string => batchCheckName(checkBatch(batch, 0, batch.length));

  it('sees every length short of the whole as truncated, and reads no further', () => {
    const batch = batchOf(3);
    for (let available = 0; available < batch.length; available++) {
      // What is not available is not even there: reading it would give NaN and another verdict.
      expect(batchCheckName(checkBatch(batch.subarray(0, available), 0, available)), `${available} bytes`).toBe('TRUNCATED');
    }
    expect(verdict(batch)).toBe('OK');
  });

  it('refuses lengths below an empty batch', () => {
    for (const length of [48, 0, -1, -12, -0x80000000]) {
      const batch = batchOf(3);
      writeInt32(batch, BATCH_LENGTH_AT, length);
      expect(verdict(batch), `length ${length}`).toBe('BAD_LENGTH');
    }
  });

  it('waits for more where the length lies upwards', () => {
    const batch = batchOf(3);
    writeInt32(batch, BATCH_LENGTH_AT, 0x7fffffff);
    expect(verdict(batch)).toBe('TRUNCATED');
  });

  it('refuses every magic but 2', () => {
    for (let magic = -128; magic < 128; magic++) {
      const batch = batchOf(3);
      batch[MAGIC_AT] = magic;
      if (magic !== 2) expect(verdict(batch)).toBe('BAD_MAGIC');
      else expect(verdict(batch)).toBe('OK');
    }
  });

  it('refuses counts that contradict the last offset delta', () => {
    for (const [count, delta] of [
      [0, 2],
      [2, 2],
      [4, 2],
      [-1, -2],
      [0, -1],
      [-0x80000000, 0x7fffffff],
    ] as const) {
      const batch = altered((bytes) => {
        writeInt32(bytes, RECORD_COUNT_AT, count);
        writeInt32(bytes, LAST_OFFSET_DELTA_AT, delta);
      });
      expect(verdict(batch), `count ${count}, delta ${delta}`).toBe('BAD_COUNT');
    }
  });

  it('lets a log have fewer records than offsets, but not more', () => {
    const compacted = altered((bytes) => writeInt32(bytes, LAST_OFFSET_DELTA_AT, 9));
    expect(verdict(compacted)).toBe('BAD_COUNT');
    expect(checkStoredBatch(compacted, 0, compacted.length)).toBe(BATCH_CHECK.OK);
    const empty = altered((bytes) => writeInt32(bytes, RECORD_COUNT_AT, 0));
    expect(checkStoredBatch(empty, 0, empty.length)).toBe(BATCH_CHECK.OK);
    const crowded = altered((bytes) => writeInt32(bytes, LAST_OFFSET_DELTA_AT, 1));
    expect(checkStoredBatch(crowded, 0, crowded.length)).toBe(BATCH_CHECK.BAD_COUNT);
  });

  it('catches every flip of one bit, save in the fields that the broker writes', () => {
    const batch = batchOf(2, { producerId: 7, producerEpoch: 1, baseSequence: 3 });
    for (let at = BATCH_LENGTH_AT; at < batch.length; at++) {
      const isLeaderEpoch = at >= 12 && at < MAGIC_AT;
      for (let bit = 0; bit < 8; bit++) {
        const flipped = batch.slice();
        flipped[at] = (flipped[at] as number) ^ (1 << bit);
        expect(checkBatch(flipped, 0, flipped.length) === BATCH_CHECK.OK, `byte ${at}, bit ${bit}`).toBe(isLeaderEpoch);
      }
    }
    const attributes = batch.slice();
    attributes[ATTRIBUTES_AT + 1] = 4;
    expect(checkBatch(attributes, 0, attributes.length)).toBe(BATCH_CHECK.BAD_CRC);
  });
});

describe('several batches in a range', () => {
  it('are stepped through up to the first that is none', () => {
    const batches = [batchOf(1), batchOf(3), batchOf(2)];
    const bytes = new Uint8Array(Buffer.concat(batches));
    const starts = [0, batches[0]?.length, (batches[0]?.length ?? 0) + (batches[1]?.length ?? 0)];
    expect([...batchPositions(bytes)]).toEqual(starts);
    expect([...batchPositions(bytes, starts[1])]).toEqual(starts.slice(1));
    expect([...batchPositions(bytes, 0, bytes.length - 1)]).toEqual(starts.slice(0, 2));
    expect(nextBatch(bytes, 0, bytes.length)).toBe(starts[1]);
    expect(nextBatch(bytes, bytes.length, bytes.length)).toBe(-1);
    expect([...batchPositions(new Uint8Array(200))]).toEqual([]); // Zeros, as in a preallocated file.
    expect(checkBatchFrame(bytes, 0, BATCH_OVERHEAD_BYTES)).toBe(BATCH_CHECK.TRUNCATED);
  });
});
