// Batches that other clients wrote, as Apache Kafka stored them: see test/golden/records/README.md.
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  BATCH_CHECK,
  BATCH_OVERHEAD_BYTES,
  batchPositions,
  batchSizeBytes,
  checkBatch,
  compressionType,
} from '../../../src/protocol/records/batch.ts';
import { compressionByName, decompress } from '../../../src/protocol/records/compression/index.ts';
import { RECORD_CHECK } from '../../../src/protocol/records/record.ts';
import { readAllRecords, validateRecords } from '../../../src/protocol/records/records.ts';
import { ferryValue, withoutNative } from './generators.ts';

const FOLDER = `${import.meta.dirname}/../../golden/records`;
const golden = (name: string): Uint8Array => readFileSync(`${FOLDER}/${name}`);
const text = (bytes: Uint8Array | null | undefined): string | null | undefined => bytes && Buffer.from(bytes).toString();

describe('recorded batches', () => {
  for (const name of readdirSync(FOLDER).filter((file) => file.endsWith('.bin'))) {
    it(`${name} passes every check to its last byte`, () => {
      const bytes = golden(name);
      let end = 0;
      for (const position of batchPositions(bytes)) {
        expect(position).toBe(end);
        expect(checkBatch(bytes, position, bytes.length - position)).toBe(BATCH_CHECK.OK);
        expect(validateRecords(bytes, position).check).toBe(RECORD_CHECK.OK);
        end = position + batchSizeBytes(bytes, position);
      }
      expect(end).toBe(bytes.length);
    });
  }

  for (const client of ['kcat', 'java']) {
    for (const codec of ['none', 'gzip', 'snappy', 'lz4', 'zstd']) {
      it(`holds what ${client} sent as ${codec}, read with native libraries and without`, () => {
        const bytes = golden(`${client}-${codec}.bin`);
        const types = [...batchPositions(bytes)].map((position) => compressionType(bytes, position));
        expect(types).toContain(compressionByName(codec));
        for (const records of [readAllRecords(bytes), withoutNative(() => readAllRecords(bytes))]) {
          expect(records.map((record) => record.offset)).toEqual(records.map((_, i) => i));
          for (let i = 0; i < 20; i++) {
            expect(text(records[i]?.key)).toBe(`key-${i}`);
            expect(text(records[i]?.value)).toBe(`value ${i}: ${'naru '.repeat(i)}`);
          }
          for (const record of records) {
            expect(record.headers.map((header) => [header.key, text(header.value)])).toEqual([
              ['origin', client],
              ['empty', ''],
            ]);
            expect(record.timestampMs).toBeGreaterThan(1_500_000_000_000);
          }
          const rest = records.slice(20).map((record) => [text(record.key), text(record.value)]);
          if (codec !== 'none') expect(rest).toEqual([['big', text(ferryValue())]]);
          else if (client === 'kcat') expect(rest).toEqual([]);
          else
            expect(rest).toEqual([
              ['tombstone', null],
              [null, 'keyless'],
            ]);
        }
      });
    }
  }

  it('have snappy in both of its forms', () => {
    expect(text(golden('java-snappy.bin').subarray(BATCH_OVERHEAD_BYTES + 1, BATCH_OVERHEAD_BYTES + 7))).toBe('SNAPPY');
    expect(text(golden('kcat-snappy.bin').subarray(BATCH_OVERHEAD_BYTES + 1, BATCH_OVERHEAD_BYTES + 7))).not.toBe('SNAPPY');
  });

  it('are bounded when they are opened', () => {
    for (const codec of ['gzip', 'snappy', 'lz4', 'zstd']) {
      const bytes = golden(`java-${codec}.bin`);
      const payload = bytes.subarray(BATCH_OVERHEAD_BYTES, batchSizeBytes(bytes, 0));
      expect(() => decompress(compressionType(bytes, 0), payload, 100_000)).toThrow('more than 100000 bytes');
    }
  });
});
