// Record batches with bytes changed, cut or made up: what comes out is a verdict or one of the two documented errors.
import { readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  BATCH_CHECK,
  BATCH_OVERHEAD_BYTES,
  batchCheckName,
  batchPositions,
  batchSizeBytes,
  CRC_AT,
  checkBatch,
  checkBatchFrame,
  checkStoredBatch,
  readRecordCount,
  recomputeCrc,
} from '../../src/protocol/records/batch.ts';
import { BatchBuilder } from '../../src/protocol/records/batch-builder.ts';
import { CompressionError } from '../../src/protocol/records/compression/index.ts';
import { RECORD_CHECK, type Record } from '../../src/protocol/records/record.ts';
import { RecordFormatError, readAllRecords, readRecords, validateRecords } from '../../src/protocol/records/records.ts';
import { anyBatchOptions, anyRecords } from '../protocol/records/generators.ts';

const LIMIT_BYTES = 1 << 20;
const FOLDER = `${import.meta.dirname}/../golden/records`;
const SEGMENTS = readdirSync(FOLDER)
  .filter((file) => file.endsWith('.bin'))
  .map((file) => new Uint8Array(readFileSync(`${FOLDER}/${file}`)));

const anyBatch = fc.tuple(anyBatchOptions, anyRecords).map(([options, records]) => {
  const builder = new BatchBuilder(options);
  for (const record of records) builder.append(record);
  return builder.build();
});

/** Bytes to change, as shares of the length so that they shrink well, and what to. Bytes of a varint's and a length's bounds come often. */
const changes = fc.array(fc.tuple(fc.nat({ max: 9999 }), fc.oneof(fc.constantFrom(0, 1, 2, 0x7f, 0x80, 0xff), fc.nat({ max: 255 }))), {
  minLength: 1,
  maxLength: 6,
});

function change(bytes: Uint8Array, from: number, edits: readonly (readonly [number, number])[]): Uint8Array {
  const changed = new Uint8Array(bytes);
  for (const [share, byte] of edits) changed[from + Math.floor((share * (changed.length - from)) / 10_000)] = byte;
  return changed;
}

/** The records, or null with a documented error; any other one fails the test. */
function attempt(read: () => Record[]): Record[] | null {
  try {
    return read();
  } catch (error) {
    if (error instanceof RecordFormatError || error instanceof CompressionError) return null;
    throw error;
  }
}

describe('mutated batches', () => {
  it('never pass with a byte changed behind the leader epoch', () => {
    fc.assert(
      fc.property(anyBatch, changes, (batch, edits) => {
        const changed = change(batch, CRC_AT, edits);
        const isSame = Buffer.compare(changed, batch) === 0;
        const check = checkBatch(changed, 0, changed.length);
        expect(check === BATCH_CHECK.OK).toBe(isSame);
        expect(attempt(() => readRecords(changed, 0, LIMIT_BYTES)) === null).toBe(!isSame);
      }),
      { numRuns: 1000 },
    );
  });

  it('with their checksum made good give a verdict, and what is judged sound can be read', () => {
    let sound = 0;
    fc.assert(
      fc.property(anyBatch, changes, (batch, edits) => {
        const changed = change(batch, CRC_AT, edits);
        recomputeCrc(changed, 0);
        const header = checkBatch(changed, 0, changed.length);
        const { check, index } = validateRecords(changed, 0, { limitBytes: LIMIT_BYTES });
        const records = attempt(() => readRecords(changed, 0, LIMIT_BYTES));
        expect(index).toBeLessThan(Math.max(readRecordCount(changed, 0), 0));
        if (header !== BATCH_CHECK.OK || check !== RECORD_CHECK.OK) return;
        sound++;
        expect(records).not.toBeNull();
      }),
      { numRuns: 2000 },
    );
    expect(sound).toBeGreaterThan(100); // Changes of keys, values and timestamps leave a sound batch.
  });

  it('with only their records changed, uncompressed, reach every reason', () => {
    const seen = new Set<number>();
    fc.assert(
      fc.property(anyRecords, changes, (records, edits) => {
        const builder = new BatchBuilder();
        for (const record of records) builder.append(record);
        const changed = change(builder.build(), BATCH_OVERHEAD_BYTES, edits);
        recomputeCrc(changed, 0);
        const { check, index } = validateRecords(changed, 0);
        seen.add(check);
        expect(index).toBeLessThan(records.length);
        const read = attempt(() => readRecords(changed));
        if (check === RECORD_CHECK.OK) expect(read).toHaveLength(records.length);
        if (check === RECORD_CHECK.TRUNCATED || check === RECORD_CHECK.BAD_LENGTH || check === RECORD_CHECK.BAD_HEADERS)
          expect(read).toBeNull();
      }),
      { numRuns: 3000 },
    );
    const { OK, TRUNCATED, BAD_LENGTH, BAD_HEADERS, BAD_OFFSET_DELTA } = RECORD_CHECK;
    expect([...seen]).toEqual(expect.arrayContaining([OK, TRUNCATED, BAD_LENGTH, BAD_HEADERS, BAD_OFFSET_DELTA]));
  });
});

describe('segments of other clients', () => {
  it('changed anywhere, are stepped through in bounds', () => {
    fc.assert(
      fc.property(fc.constantFrom(...SEGMENTS), changes, fc.nat(), (segment, edits, cut) => {
        const changed = change(segment, 0, edits).subarray(cut % 2 === 0 ? 0 : cut % segment.length);
        let end = 0;
        for (const position of batchPositions(changed)) {
          expect(position).toBe(end);
          end += batchSizeBytes(changed, position);
          expect(end).toBeLessThanOrEqual(changed.length);
          expect(batchCheckName(checkStoredBatch(changed, position, changed.length - position))).not.toMatch(/\d/);
          recomputeCrc(changed, position);
          attempt(() => readRecords(changed, position, LIMIT_BYTES));
          validateRecords(changed, position, { limitBytes: LIMIT_BYTES });
        }
        attempt(() => readAllRecords(changed));
      }),
      { numRuns: 300 },
    );
  });
});

describe('bytes of anything', () => {
  it('are no batch', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.boolean(), fc.integer({ min: 49, max: 400 }), (bytes, isDressed, length) => {
        if (isDressed && bytes.length > 17) {
          new DataView(bytes.buffer).setInt32(8, length); // A plausible length and the right magic.
          bytes[16] = 2;
        }
        const frame = checkBatchFrame(bytes, 0, bytes.length);
        expect(checkBatch(bytes, 0, bytes.length)).not.toBe(BATCH_CHECK.OK);
        if (frame !== BATCH_CHECK.OK) expect(checkBatch(bytes, 0, bytes.length)).toBe(frame);
        expect(attempt(() => readRecords(bytes))).toBeNull();
      }),
      { numRuns: 2000 },
    );
  });
});
