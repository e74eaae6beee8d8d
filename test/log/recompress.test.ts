// A batch compressed anew: the same records under a header that is right again, and nothing beside the batch touched.
import { expect, test } from 'vitest';
import { DEFAULT_LOG_CONFIG, type LogConfig } from '../../src/log/log.ts';
import { recompress, recompressTask, wantsRecompression } from '../../src/log/recompress.ts';
import { ERROR } from '../../src/protocol/errors.ts';
import {
  BATCH_CHECK,
  batchSizeBytes,
  COMPRESSION,
  checkBatch,
  compressionType,
  readMaxTimestamp,
  recomputeCrc,
  writeMaxTimestamp,
} from '../../src/protocol/records/batch.ts';
import { BatchBuilder } from '../../src/protocol/records/batch-builder.ts';
import { readRecords } from '../../src/protocol/records/records.ts';

const NOW_MS = 1_780_000_000_000;
const CODECS = Object.values(COMPRESSION);
const MARGIN = 64;

function batchOf(compression: number, values: readonly string[], timesMs: readonly number[] = []): Uint8Array {
  const builder = new BatchBuilder({ compression, producerId: 7, producerEpoch: 1, baseSequence: 3 });
  for (const [i, value] of values.entries())
    builder.append({ value: Buffer.from(value), timestampMs: NOW_MS + (timesMs[i] ?? i), headers: [{ key: 'h', value: null }] });
  return builder.build();
}

/** The batch in the middle of shared memory, as it lies in a slab; what became of it, and whether its surroundings are as they were. */
function run(batch: Uint8Array, config: Partial<LogConfig>) {
  const memory = new Uint8Array(new SharedArrayBuffer(batch.length + 2 * MARGIN)).fill(0xa5);
  memory.set(batch, MARGIN);
  const whole = { ...DEFAULT_LOG_CONFIG, ...config };
  expect(wantsRecompression(whole, memory, MARGIN, batch.length)).toBe(true);
  const outcome = recompress(recompressTask(whole, memory.buffer, MARGIN, batch.length, NOW_MS));
  const around = [...memory.subarray(0, MARGIN), ...memory.subarray(MARGIN + batch.length)];
  expect(around.every((byte) => byte === 0xa5)).toBe(true);
  const stored = outcome.grown ?? memory.slice(MARGIN, MARGIN + outcome.sizeBytes);
  return { ...outcome, stored };
}

test('every codec becomes every other, records and all', () => {
  const values = Array.from({ length: 200 }, (_, i) => `${i}/`.padEnd(i, 'abc'));
  for (const from of CODECS) {
    for (const to of CODECS) {
      if (from === to) continue;
      const batch = batchOf(from, values);
      const { error, stored, sizeBytes, grown } = run(batch, { compression: to, compressionLevel: to === COMPRESSION.GZIP ? 6 : 3 });
      expect(error).toBe(ERROR.NONE);
      expect([batchSizeBytes(stored, 0), stored.length]).toEqual([sizeBytes, sizeBytes]);
      expect(checkBatch(stored, 0, stored.length)).toBe(BATCH_CHECK.OK);
      expect(compressionType(stored, 0)).toBe(to);
      expect(readRecords(stored)).toEqual(readRecords(batch));
      expect(grown !== null, `${from} to ${to}`).toBe(sizeBytes > batch.length);
    }
  }
});

test('levels are told to the codec', () => {
  const values = Array.from({ length: 3000 }, (_, i) => `${(i * 7919) % 1000} some words that come again ${i % 13}`);
  const sizes = (codec: number, levels: readonly number[]): number[] =>
    levels.map((compressionLevel) => run(batchOf(COMPRESSION.NONE, values), { compression: codec, compressionLevel }).sizeBytes);
  for (const [weak = 0, strong = 0] of [sizes(COMPRESSION.GZIP, [1, 9]), sizes(COMPRESSION.ZSTD, [-50, 19])]) {
    expect(strong).toBeLessThan(weak);
  }
});

test('the largest timestamp is that of the records', () => {
  const batch = batchOf(COMPRESSION.NONE, ['a', 'b'], [5, 2]);
  writeMaxTimestamp(batch, 0, NOW_MS + 1000);
  recomputeCrc(batch, 0);
  expect(readMaxTimestamp(run(batch, { compression: COMPRESSION.ZSTD }).stored, 0)).toBe(NOW_MS + 5);
});

test('what is refused is named', () => {
  const zstd = { compression: COMPRESSION.ZSTD, compressionLevel: 3 };
  const batch = batchOf(COMPRESSION.GZIP, ['a', 'b', 'c'], [0, -90_000, 90_000]);
  const timed = run(batch, { ...zstd, timestampBeforeMaxMs: 60_000, timestampAfterMaxMs: 60_000 });
  expect([timed.error, timed.recordErrors.map(({ batchIndex }) => batchIndex)]).toEqual([ERROR.INVALID_TIMESTAMP, [1, 2]]);
  const keyed = run(batch, { ...zstd, isCompacted: true });
  expect([keyed.error, keyed.recordErrors.map(({ batchIndex }) => batchIndex)]).toEqual([ERROR.INVALID_RECORD, [0, 1, 2]]);
  const large = run(batchOf(COMPRESSION.GZIP, ['x'.repeat(5000)]), { compression: COMPRESSION.NONE, maxMessageBytes: 5000 });
  expect(large.error).toBe(ERROR.MESSAGE_TOO_LARGE);
  const bomb = run(batchOf(COMPRESSION.GZIP, ['x'.repeat(129 * 2 ** 20)]), { ...zstd, maxMessageBytes: 2 ** 30 });
  expect(bomb.error).toBe(ERROR.MESSAGE_TOO_LARGE);
});

test('bytes that do not decompress, or not to records, are refused without a word thrown', () => {
  for (const from of CODECS.filter((codec) => codec !== COMPRESSION.ZSTD)) {
    const good = batchOf(from, ['a', 'b']);
    for (let at = 61; at < good.length; at++) {
      const bad = Uint8Array.from(good);
      bad[at] = (bad[at] as number) ^ 0x41;
      recomputeCrc(bad, 0);
      const { error } = run(bad, { compression: COMPRESSION.ZSTD, compressionLevel: 1 });
      expect([ERROR.NONE, ERROR.CORRUPT_MESSAGE, ERROR.INVALID_RECORD, ERROR.INVALID_TIMESTAMP, ERROR.MESSAGE_TOO_LARGE]).toContain(error);
    }
  }
});

test('only a batch in another codec that exists is concerned', () => {
  const config = { ...DEFAULT_LOG_CONFIG, compression: COMPRESSION.LZ4 };
  const lz4 = batchOf(COMPRESSION.LZ4, ['a']);
  const none = batchOf(COMPRESSION.NONE, ['a']);
  expect(wantsRecompression(config, lz4, 0, lz4.length)).toBe(false);
  expect(wantsRecompression(config, none, 0, none.length)).toBe(true);
  expect(wantsRecompression(config, none, 0, 60)).toBe(false);
  expect(wantsRecompression(DEFAULT_LOG_CONFIG, none, 0, none.length)).toBe(false);
});
