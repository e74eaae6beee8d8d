// Records in and out of batches: what was appended is what is read, and the deep check says which record is wrong and why.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { writeInt32 } from '../../../src/base/big-endian.ts';
import {
  ATTRIBUTES_AT,
  BASE_TIMESTAMP_AT,
  BATCH_CHECK,
  BATCH_LENGTH_AT,
  BATCH_OVERHEAD_BYTES,
  checkBatch,
  checkStoredBatch,
  LAST_OFFSET_DELTA_AT,
  RECORD_COUNT_AT,
  readBaseTimestamp,
  readMaxTimestamp,
  recomputeCrc,
} from '../../../src/protocol/records/batch.ts';
import { BatchBuilder, type RecordFormat } from '../../../src/protocol/records/batch-builder.ts';
import { RECORD_CHECK, RecordCursor, recordCheckName } from '../../../src/protocol/records/record.ts';
import {
  openRecords,
  RecordFormatError,
  type RecordRules,
  readAllRecords,
  readRecords,
  validateRecords,
} from '../../../src/protocol/records/records.ts';
import { anyBatchOptions, anyRecords } from './generators.ts';

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

/** A sound batch header around records written by hand. */
function batchAround(recordCount: number, records: readonly number[]): Uint8Array {
  const batch = new Uint8Array(BATCH_OVERHEAD_BYTES + records.length);
  batch.set(new BatchBuilder().append({ timestampMs: 1000 }).build().subarray(0, BATCH_OVERHEAD_BYTES));
  batch.set(records, BATCH_OVERHEAD_BYTES);
  writeInt32(batch, BATCH_LENGTH_AT, batch.length - 12);
  writeInt32(batch, RECORD_COUNT_AT, recordCount);
  writeInt32(batch, LAST_OFFSET_DELTA_AT, recordCount - 1);
  recomputeCrc(batch, 0);
  return batch;
}

/** A record without key, value or headers: length 6, attributes 0, timestamp delta 0, the offset delta (below 64), null, null, none. */
const bare = (offsetDelta: number): number[] => [12, 0, 0, offsetDelta * 2, 1, 1, 0];

describe('records of a batch', () => {
  it('are the same where their format writes them in place, and the builder takes up to the limit', () => {
    const anyEntry = fc.record({
      key: fc.uint8Array({ maxLength: 200 }),
      value: fc.option(fc.uint8Array({ maxLength: 3000 })),
      timestampMs: fc.maxSafeNat(),
    });
    type Entry = { readonly key: Uint8Array; readonly value: Uint8Array | null };
    const format: RecordFormat<Entry> = {
      keyBytes: ({ key }) => key.length,
      valueBytes: ({ value }) => value?.length ?? -1,
      writeKey: ({ key }, writer) => writer.raw(key),
      writeValue: ({ value }, writer) => writer.raw(value as Uint8Array),
    };
    const inPlace = new BatchBuilder();
    fc.assert(
      fc.property(fc.array(anyEntry, { minLength: 1, maxLength: 20 }), (entries) => {
        const plain = new BatchBuilder();
        inPlace.reset();
        for (const entry of entries) {
          plain.append(entry);
          expect(inPlace.tryAppend(format, entry, entry.timestampMs, plain.sizeBytes - 1)).toBe(false);
          expect(inPlace.tryAppend(format, entry, entry.timestampMs, plain.sizeBytes)).toBe(true);
        }
        expect(inPlace.build()).toEqual(plain.build());
      }),
    );
  });

  it('are read as they were appended, in every codec', () => {
    fc.assert(
      fc.property(anyBatchOptions, anyRecords, fc.nat({ max: 20 }), (options, records, at) => {
        const builder = new BatchBuilder(options);
        for (const record of records) builder.append(record);
        const batch = builder.build();
        const bytes = new Uint8Array(new SharedArrayBuffer(at + batch.length + 3)).fill(0xff); // As in an arena.
        bytes.set(batch, at);
        expect(checkBatch(bytes, at, batch.length)).toBe(BATCH_CHECK.OK);
        expect(readRecords(bytes, at)).toEqual(records.map((record, i) => ({ offset: (options.baseOffset ?? 0) + i, ...record })));
        const maxTimestampMs = Math.max(...records.map((record) => record.timestampMs));
        expect(readBaseTimestamp(bytes, at)).toBe(records[0]?.timestampMs);
        expect(readMaxTimestamp(bytes, at)).toBe(maxTimestampMs);
        expect(validateRecords(bytes, at)).toEqual({ check: RECORD_CHECK.OK, index: -1, maxTimestampMs: Math.max(maxTimestampMs, -1) });
      }),
      { numRuns: 300 },
    );
  });

  it('are laid out as Kafka documents it', () => {
    const batch = new BatchBuilder()
      .append({ key: bytesOf('k'), value: bytesOf('value'), headers: [{ key: 'h', value: null }], timestampMs: 5 })
      .append({ value: new Uint8Array(0), timestampMs: 3 })
      .build();
    expect([...batch.subarray(BATCH_OVERHEAD_BYTES)]).toEqual([
      ...[30, 0, 0, 0, 2, 107, 10, 118, 97, 108, 117, 101, 2, 2, 104, 1], // 15 bytes; "k", "value", one header "h" of null.
      ...[12, 0, 3, 2, 1, 0, 0], // 6 bytes; timestamp delta −2, offset delta 1; null, "", no headers.
    ]);
  });

  it('grow as large as they like', () => {
    const value = new Uint8Array(3_000_000).fill(7);
    const builder = new BatchBuilder();
    for (let i = 0; i < 3; i++) builder.append({ value, timestampMs: i });
    const batch = builder.build();
    expect(builder.sizeBytes).toBe(batch.length);
    expect(readRecords(batch).map((record) => record.value?.length)).toEqual([3_000_000, 3_000_000, 3_000_000]);
  });

  it('may be built, and appended to, and built again', () => {
    const builder = new BatchBuilder().append({ value: bytesOf('one'), timestampMs: 1 });
    const first = builder.build();
    builder.append({ value: bytesOf('two'), timestampMs: 2 });
    expect(readRecords(first)).toHaveLength(1);
    expect(readRecords(builder.build())).toHaveLength(2);
    expect(builder.recordCount).toBe(2);
  });

  it('keep their gaps where compaction left some', () => {
    const batch = new BatchBuilder({ baseOffset: 10 }).append({ timestampMs: 1 }, 2).append({ timestampMs: 1 }, 7).build();
    expect(readRecords(batch).map((record) => record.offset)).toEqual([12, 17]);
    expect(checkStoredBatch(batch, 0, batch.length)).toBe(BATCH_CHECK.OK);
    expect(checkBatch(batch, 0, batch.length)).toBe(BATCH_CHECK.BAD_COUNT);
  });

  it('bear the time of their batch where the broker stamped it', () => {
    const batch = new BatchBuilder({ logAppendTimeMs: 99 }).append({ timestampMs: 1 }).append({ timestampMs: 2 }).build();
    expect(readRecords(batch).map((record) => record.timestampMs)).toEqual([99, 99]);
  });

  it('are read across batches', () => {
    const batches = [0, 1, 2].map((i) =>
      new BatchBuilder({ baseOffset: i * 2 }).append({ timestampMs: 1 }).append({ timestampMs: 1 }).build(),
    );
    expect(readAllRecords(Buffer.concat(batches)).map((record) => record.offset)).toEqual([0, 1, 2, 3, 4, 5]);
  });

  it('are copies: they survive what happens to the slab', () => {
    const batch = new BatchBuilder()
      .append({ key: bytesOf('key'), value: bytesOf('value'), headers: [{ key: 'h', value: bytesOf('x') }], timestampMs: 1 })
      .build();
    const [record] = readRecords(batch);
    batch.fill(0);
    expect([record?.key, record?.value, record?.headers]).toEqual([bytesOf('key'), bytesOf('value'), [{ key: 'h', value: bytesOf('x') }]]);
  });
});

describe('the cursor', () => {
  it('gives positions without copying', () => {
    const batch = new BatchBuilder()
      .append({ key: bytesOf('key'), value: bytesOf('value'), timestampMs: 4 })
      .append({ timestampMs: 9 })
      .build();
    const cursor = openRecords(batch, 0);
    expect(cursor.next()).toBe(true);
    const { keyPosition, keySizeBytes, valuePosition, valueSizeBytes } = cursor;
    expect(Buffer.from(cursor.bytes.subarray(keyPosition, keyPosition + keySizeBytes)).toString()).toBe('key');
    expect(Buffer.from(cursor.bytes.subarray(valuePosition, valuePosition + valueSizeBytes)).toString()).toBe('value');
    expect([cursor.recordPosition, cursor.timestampDelta, cursor.offsetDelta, cursor.headerCount]).toEqual([BATCH_OVERHEAD_BYTES, 0, 0, 0]);
    expect(cursor.next()).toBe(true);
    expect([cursor.timestampDelta, cursor.offsetDelta, cursor.keySizeBytes, cursor.copyKey(), cursor.copyValue()]).toEqual([
      5,
      1,
      -1,
      null,
      null,
    ]);
    expect([cursor.recordEnd, cursor.next(), cursor.check, cursor.count]).toEqual([batch.length, false, RECORD_CHECK.OK, 2]);
  });

  it('stays where a record cannot be read', () => {
    const cursor = new RecordCursor(Uint8Array.from([...bare(0), 200]), 0, 8);
    expect([cursor.next(), cursor.next(), cursor.next()]).toEqual([true, false, false]);
    expect([recordCheckName(cursor.check), cursor.count, cursor.recordPosition]).toEqual(['TRUNCATED', 1, 7]);
  });
});

describe('the check of each record', () => {
  const findings = (recordCount: number, records: readonly number[], rules?: RecordRules): string => {
    const batch = batchAround(recordCount, records);
    expect(checkBatch(batch, 0, batch.length)).toBe(BATCH_CHECK.OK);
    const { check, index } = validateRecords(batch, 0, rules);
    return `${recordCheckName(check)} ${index}`;
  };

  it('names the first bad record and the reason', () => {
    expect(findings(2, [...bare(0), ...bare(1)])).toBe('OK -1');
    expect(findings(3, [...bare(0), ...bare(1)])).toBe('MISSING_RECORDS 2');
    expect(findings(1, [...bare(0), ...bare(1)])).toBe('TRAILING_BYTES -1');
    expect(findings(2, [...bare(0), ...bare(2)])).toBe('BAD_OFFSET_DELTA 1');
    expect(findings(2, [...bare(0), ...bare(0)])).toBe('BAD_OFFSET_DELTA 1');
    expect(findings(1, bare(1))).toBe('BAD_OFFSET_DELTA 0');
    expect(findings(1, [])).toBe('MISSING_RECORDS 0');
  });

  it('compares each length with what is in it', () => {
    expect(findings(1, [14, 0, 0, 0, 1, 1, 0, 0])).toBe('BAD_LENGTH 0'); // A byte more than its fields.
    expect(findings(2, [10, 0, 0, 0, 1, 1, 0, ...bare(1)])).toBe('BAD_LENGTH 0'); // A byte less.
    expect(findings(1, [0])).toBe('BAD_LENGTH 0');
    expect(findings(1, [1, 0, 0])).toBe('BAD_LENGTH 0'); // −1
    expect(findings(1, [200, 1, 0, 0])).toBe('TRUNCATED 0');
    expect(findings(1, [12, 0, 0, 0, 100, 1, 0])).toBe('TRUNCATED 0'); // A key of 50 bytes.
    expect(findings(3, [12, 0, 0, 0, 4, 1, 0, ...bare(1), ...bare(2)])).toBe('BAD_LENGTH 0'); // A key that reaches into the next record.
  });

  it('compares headers with what is left', () => {
    expect(findings(1, [12, 0, 0, 0, 1, 1, 1])).toBe('BAD_HEADERS 0'); // −1 headers.
    expect(findings(1, [12, 0, 0, 0, 1, 1, 2])).toBe('BAD_HEADERS 0'); // One, but no bytes.
    expect(findings(1, [16, 0, 0, 0, 1, 1, 2, 1, 1])).toBe('BAD_HEADERS 0'); // A key of null.
    expect(findings(1, [16, 0, 0, 0, 1, 1, 2, 0, 1])).toBe('OK -1'); // An empty key, a value of null.
    expect(findings(1, [20, 0, 0, 0, 1, 1, 0xfe, 0xff, 0xff, 0xff, 0x0f])).toBe('BAD_HEADERS 0'); // 2^31 − 1 headers.
  });

  it('refuses timestamps that no number holds, and gives the largest that it saw', () => {
    const batch = batchAround(1, [30, 0, 0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01, 0, 1, 1, 0]);
    expect(validateRecords(batch, 0)).toEqual({ check: RECORD_CHECK.BAD_TIMESTAMP, index: 0, maxTimestampMs: -1 });
    expect(readRecords(batch)).toHaveLength(1); // Readable all the same.
    const unsafeBase = batchAround(1, bare(0));
    new DataView(unsafeBase.buffer).setBigInt64(BASE_TIMESTAMP_AT, 2n ** 62n);
    recomputeCrc(unsafeBase, 0);
    expect(validateRecords(unsafeBase, 0).check).toBe(RECORD_CHECK.BAD_TIMESTAMP);
    expect(validateRecords(batchAround(2, [...bare(0), 12, 0, 80, 2, 1, 1, 0]), 0).maxTimestampMs).toBe(1040);
  });

  it('asks for keys where the topic is compacted', () => {
    const withKey = [14, 0, 0, 0, 2, 107, 1, 0];
    expect(findings(2, [...withKey, ...bare(1)], { requiresKey: true })).toBe('MISSING_KEY 1');
    expect(findings(2, [...withKey, ...bare(1)])).toBe('OK -1');
    expect(findings(1, [14, 0, 0, 0, 0, 2, 107, 0], { requiresKey: true })).toBe('OK -1'); // Empty is not null.
  });

  it('holds the batch to blame for a codec that fails', () => {
    for (const type of [1, 2, 3, 4, 5, 6, 7]) {
      const batch = batchAround(1, bare(0));
      batch[ATTRIBUTES_AT + 1] = type;
      recomputeCrc(batch, 0);
      expect(validateRecords(batch, 0), `type ${type}`).toEqual({ check: RECORD_CHECK.BAD_COMPRESSION, index: -1, maxTimestampMs: -1 });
    }
  });

  it('holds it to blame for what decompresses beyond the limit', () => {
    const batch = new BatchBuilder({ compression: 4 }).append({ value: new Uint8Array(100_000), timestampMs: 1 }).build();
    expect(validateRecords(batch, 0, { limitBytes: 100_000 }).check).toBe(RECORD_CHECK.BAD_COMPRESSION);
    expect(validateRecords(batch, 0, { limitBytes: 100_100 }).check).toBe(RECORD_CHECK.OK);
  });

  it('is an error to a reader, with the record', () => {
    expect(() => readRecords(batchAround(2, [...bare(0), 200]))).toThrow(
      new RecordFormatError('record 1 of the batch at position 0: TRUNCATED'),
    );
    expect(() => readRecords(batchAround(2, bare(0)))).toThrow('1 records where the header counts 2');
    const broken = batchAround(1, bare(0));
    broken[70] = 1;
    broken[30] = 1;
    expect(() => readRecords(broken)).toThrow('batch at position 0: BAD_CRC');
  });
});
