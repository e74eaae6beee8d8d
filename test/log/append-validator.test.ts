// Which batches of a client are refused, and with which of Kafka's errors.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { validateClientBatch } from '../../src/log/append-validator.ts';
import { createAppendResult, DEFAULT_LOG_CONFIG, type LogConfig } from '../../src/log/log.ts';
import { ERROR, errorName } from '../../src/protocol/errors.ts';
import {
  ATTRIBUTES_AT,
  BASE_TIMESTAMP_AT,
  BATCH_CHECK,
  COMPRESSION,
  checkBatch,
  LAST_OFFSET_DELTA_AT,
  MAGIC_AT,
  MAX_TIMESTAMP_AT,
  RECORD_COUNT_AT,
  readMaxTimestamp,
  recomputeCrc,
  writeBaseOffset,
} from '../../src/protocol/records/batch.ts';
import { BatchBuilder } from '../../src/protocol/records/batch-builder.ts';
import { batch, NOW_MS } from './log-fixtures.ts';

function answer(bytes: Uint8Array, config: Partial<LogConfig> = {}, length = bytes.length): string {
  const result = createAppendResult();
  const isGood = validateClientBatch(bytes, 0, length, { ...DEFAULT_LOG_CONFIG, ...config }, NOW_MS, result);
  expect(isGood).toBe(result.error === 0);
  return errorName(result.error);
}

function setCounts(count: number, lastOffsetDelta: number): (bytes: Buffer) => void {
  return (bytes) => {
    bytes.writeInt32BE(count, RECORD_COUNT_AT);
    bytes.writeInt32BE(lastOffsetDelta, LAST_OFFSET_DELTA_AT);
  };
}

/** A good batch with a field written over and the checksum made right again. */
function changed(change: (bytes: Buffer) => void, bytes: Uint8Array = batch({ values: ['a', 'b'] })): Uint8Array {
  change(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length));
  recomputeCrc(bytes, 0);
  return bytes;
}

test.each(Object.values(COMPRESSION))('a good batch passes (compression %i)', (compression) => {
  expect(answer(batch({ values: ['a', 'b', 'c'], compression }))).toBe('NONE');
  expect(answer(batch({ values: ['a', 'b', 'c'], compression, key: 'k' }), { isCompacted: true, validatesRecords: true })).toBe('NONE');
});

describe('the frame', () => {
  test('too short for a batch', () => {
    const bytes = batch();
    expect(answer(bytes, {}, 0)).toBe('INVALID_RECORD');
    expect(answer(bytes, {}, 11)).toBe('INVALID_RECORD');
    expect(answer(bytes, {}, 16)).toBe('INVALID_RECORD');
    expect(answer(bytes, {}, bytes.length - 1)).toBe('INVALID_RECORD');
  });

  test('a length that lies', () => {
    expect(answer(changed((bytes) => bytes.writeInt32BE(bytes.length - 11, 8)))).toBe('INVALID_RECORD');
    const short = batch();
    Buffer.from(short.buffer).writeInt32BE(13, 8);
    expect(answer(short)).toBe('CORRUPT_MESSAGE');
    Buffer.from(short.buffer).writeInt32BE(-5, 8);
    expect(answer(short)).toBe('CORRUPT_MESSAGE');
    const headless = batch();
    Buffer.from(headless.buffer).writeInt32BE(30, 8);
    expect(answer(headless, {}, 42)).toBe('CORRUPT_MESSAGE');
  });

  test('two batches in one set', () => {
    const one = batch();
    expect(answer(Buffer.concat([one, one]))).toBe('INVALID_RECORD');
  });

  test.each([
    [0, 'INVALID_RECORD'],
    [1, 'INVALID_RECORD'],
    [3, 'CORRUPT_MESSAGE'],
    [-1, 'CORRUPT_MESSAGE'],
  ])('magic %i', (magic, error) => {
    expect(answer(changed((bytes) => bytes.writeInt8(magic, MAGIC_AT)))).toBe(error);
  });

  test('every flipped byte under the checksum', () => {
    const bytes = batch();
    for (let at = ATTRIBUTES_AT; at < bytes.length; at++) {
      const damaged = Uint8Array.from(bytes);
      damaged[at] = (damaged[at] as number) ^ 1;
      expect(answer(damaged), `byte ${at}`).not.toBe('NONE');
    }
  });
});

describe('the header', () => {
  test('counts that contradict each other', () => {
    expect(answer(changed((bytes) => bytes.writeInt32BE(3, RECORD_COUNT_AT)))).toBe('INVALID_RECORD');
    expect(answer(changed((bytes) => bytes.writeInt32BE(0, LAST_OFFSET_DELTA_AT)))).toBe('INVALID_RECORD');
    expect(answer(changed(setCounts(0, -1)))).toBe('INVALID_RECORD');
    expect(answer(changed(setCounts(-(2 ** 31), 2 ** 31 - 1)))).toBe('INVALID_RECORD');
  });

  test('a base offset that is not 0', () => {
    const bytes = batch();
    writeBaseOffset(bytes, 0, 1);
    expect(answer(bytes)).toBe('INVALID_RECORD');
  });

  test('control batches and sequences below 0', () => {
    expect(answer(batch({ isControl: true }))).toBe('INVALID_RECORD');
    expect(answer(batch({ producerId: 5, producerEpoch: 0, baseSequence: -1 }))).toBe('INVALID_RECORD');
  });

  test.each([5, 6, 7])('compression type %i', (type) => {
    expect(answer(changed((bytes) => bytes.writeInt16BE(type, ATTRIBUTES_AT)))).toBe('UNSUPPORTED_COMPRESSION_TYPE');
  });

  test('sizes', () => {
    const bytes = batch({ values: ['x'.repeat(1000)] });
    expect(answer(bytes, { maxMessageBytes: bytes.length })).toBe('NONE');
    expect(answer(bytes, { maxMessageBytes: bytes.length - 1 })).toBe('MESSAGE_TOO_LARGE');
    expect(answer(bytes, { segmentBytes: bytes.length - 1 })).toBe('RECORD_LIST_TOO_LARGE');
  });
});

describe('timestamps', () => {
  test('a largest one in the header that is old, as KafkaJS writes it, is that of the youngest record afterwards', () => {
    for (const compression of Object.values(COMPRESSION)) {
      const builder = new BatchBuilder({ compression });
      for (const timestampMs of [1000, NOW_MS]) builder.append({ timestampMs, key: null, value: Buffer.from('a') });
      const bytes = changed((header) => header.writeBigInt64BE(1000n, MAX_TIMESTAMP_AT), builder.build());
      expect(answer(bytes)).toBe('NONE');
      expect(readMaxTimestamp(bytes, 0)).toBe(NOW_MS);
      expect(checkBatch(bytes, 0, bytes.length)).toBe(BATCH_CHECK.OK);
    }
  });

  test('beyond what a number holds', () => {
    const far = 2n ** 60n;
    expect(answer(changed((bytes) => bytes.writeBigInt64BE(far, MAX_TIMESTAMP_AT)))).toBe('INVALID_TIMESTAMP');
    expect(answer(changed((bytes) => bytes.writeBigInt64BE(far, BASE_TIMESTAMP_AT)))).toBe('INVALID_TIMESTAMP');
    expect(answer(changed((bytes) => bytes.writeBigInt64BE(-far, MAX_TIMESTAMP_AT)))).toBe('INVALID_TIMESTAMP');
  });

  test("outside the topic's bounds", () => {
    expect(answer(batch({ timestampMs: NOW_MS + 1001 }), { timestampAfterMaxMs: 1000 })).toBe('INVALID_TIMESTAMP');
    expect(answer(batch({ timestampMs: NOW_MS + 1000 }), { timestampAfterMaxMs: 1000 })).toBe('NONE');
    expect(answer(batch({ timestampMs: NOW_MS - 1001 }), { timestampBeforeMaxMs: 1000 })).toBe('INVALID_TIMESTAMP');
    expect(answer(batch({ timestampMs: NOW_MS - 1000 }), { timestampBeforeMaxMs: 1000 })).toBe('NONE');
    const twice = changed((bytes) => bytes.writeBigInt64BE(BigInt(NOW_MS - 1001), BASE_TIMESTAMP_AT), batch({ values: ['a', 'b'] }));
    expect(answer(twice, { timestampBeforeMaxMs: 1000 })).toBe('INVALID_TIMESTAMP');
    expect(answer(twice, { timestampBeforeMaxMs: 1001 })).toBe('NONE');
    expect(answer(batch({ timestampMs: NOW_MS - 1001 }), { timestampBeforeMaxMs: 1000, isLogAppendTime: true })).toBe('NONE');
    expect(answer(batch({ timestampMs: -1 }), { timestampBeforeMaxMs: 1000 })).toBe('NONE');
  });

  test('stamped by the producer as if by a broker', () => {
    expect(answer(batch({ logAppendTimeMs: NOW_MS }), { isLogAppendTime: true })).toBe('INVALID_TIMESTAMP');
    expect(answer(batch({ logAppendTimeMs: NOW_MS }))).toBe('NONE');
  });
});

describe('records', () => {
  test.each(Object.values(COMPRESSION))('without a key in a compacted topic, named by their index (compression %i)', (compression) => {
    const bytes = batch({ values: ['a', 'b'], compression });
    const result = createAppendResult();
    expect(validateClientBatch(bytes, 0, bytes.length, { ...DEFAULT_LOG_CONFIG, isCompacted: true }, NOW_MS, result)).toBe(false);
    expect(result.error).toBe(ERROR.INVALID_RECORD);
    const message = 'Compacted topic cannot accept message without key';
    expect(result.recordErrors).toEqual([
      { batchIndex: 0, message },
      { batchIndex: 1, message },
    ]);
  });

  test('that do not decompress', () => {
    const bytes = changed((buffer) => buffer.writeInt16BE(COMPRESSION.GZIP, ATTRIBUTES_AT));
    expect(answer(bytes)).toBe('NONE');
    expect(answer(bytes, { validatesRecords: true })).toBe('CORRUPT_MESSAGE');
  });

  test('fewer than the header counts', () => {
    const bytes = changed(setCounts(3, 2));
    expect(answer(bytes, { validatesRecords: true })).toBe('INVALID_RECORD');
  });
});

test('where each record is looked at, its own time counts', () => {
  const bounds = { timestampBeforeMaxMs: 60_000, timestampAfterMaxMs: 60_000 };
  const timed = (...timesMs: number[]): Uint8Array => {
    const builder = new BatchBuilder({ compression: COMPRESSION.GZIP });
    for (const ms of timesMs) builder.append({ value: Buffer.from('v'), timestampMs: NOW_MS + ms });
    return builder.build();
  };
  const bytes = timed(0, -90_000, 1, 90_000, 2);
  const result = createAppendResult();
  validateClientBatch(bytes, 0, bytes.length, { ...DEFAULT_LOG_CONFIG, ...bounds, validatesRecords: true }, NOW_MS, result);
  expect([result.error, result.recordErrors.map(({ batchIndex }) => batchIndex)]).toEqual([ERROR.INVALID_TIMESTAMP, [1, 3]]);
  // A header that says more than its records is put right; without that look, it is what counts.
  const boasting = changed((bytes) => bytes.writeBigInt64BE(BigInt(NOW_MS + 90_000), MAX_TIMESTAMP_AT), timed(0, 5));
  expect(answer(Uint8Array.from(boasting), bounds)).toBe('INVALID_TIMESTAMP');
  expect(answer(boasting, { ...bounds, validatesRecords: true })).toBe('NONE');
  expect([readMaxTimestamp(boasting, 0), checkBatch(boasting, 0, boasting.length)]).toEqual([NOW_MS + 5, BATCH_CHECK.OK]);
});

test('whatever bytes come, the answer is an error code', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(), fc.nat(), (noise, at, byte) => {
      const result = createAppendResult();
      validateClientBatch(noise, 0, noise.length, DEFAULT_LOG_CONFIG, NOW_MS, result);
      const mutated = batch({ values: ['a', 'b'] });
      mutated[at % mutated.length] = byte;
      validateClientBatch(mutated, 0, mutated.length, { ...DEFAULT_LOG_CONFIG, validatesRecords: true }, NOW_MS, result);
    }),
    { numRuns: 500 },
  );
});
