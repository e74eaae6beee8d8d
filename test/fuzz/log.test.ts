// Recovery and every reader of a file in a data directory against noise: an answer or a named error, never anything else,
// and what is recovered is a log that works.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { MalformedFileError, parseCheckpoint } from '../../src/log/checkpoint-file.ts';
import { InconsistentTopicIdError } from '../../src/log/log.ts';
import { UnsupportedFormatError } from '../../src/log/log-loader.ts';
import { MemoryStorage } from '../../src/log/memory-storage.ts';
import { parseMetaProperties } from '../../src/log/meta-properties.ts';
import { parsePartitionMetadata } from '../../src/log/partition-metadata.ts';
import { decodeSnapshot } from '../../src/log/producer-snapshot.ts';
import { append, batch, NOW_MS, openLog, readValues, replaceFile, wholeFile } from '../log/log-fixtures.ts';

const DIRECTORY = 'data/topic-0';
const CONFIG = { segmentBytes: 1200, indexIntervalBytes: 150, segmentIndexBytes: 400 };
const RUNS = Number(process.env.NARU_FUZZ_RUNS ?? 400);

function written(): MemoryStorage {
  const storage = new MemoryStorage();
  const log = openLog({ storage, config: CONFIG });
  for (let i = 0; i < 40; i++) {
    const producer = i % 4 === 0 ? { producerId: 5, producerEpoch: 0, baseSequence: i / 4 } : {};
    append(log, batch({ values: [`value-${i}`], timestampMs: NOW_MS + i, ...producer }), { epoch: i >> 3 });
  }
  log.close({ clean: true });
  return storage;
}

/** The named reasons for which a directory is not opened. */
function isRefusal(error: unknown): boolean {
  return error instanceof MalformedFileError || error instanceof UnsupportedFormatError || error instanceof InconsistentTopicIdError;
}

const mutation = fc.oneof(
  fc.record({ kind: fc.constant('flip' as const), at: fc.nat(), byte: fc.integer({ min: 1, max: 255 }) }),
  fc.record({ kind: fc.constant('cut' as const), at: fc.nat(), byte: fc.constant(0) }),
  fc.record({ kind: fc.constant('noise' as const), at: fc.nat(), byte: fc.nat({ max: 255 }) }),
  fc.record({ kind: fc.constant('remove' as const), at: fc.nat(), byte: fc.constant(0) }),
);

function mutate(bytes: Uint8Array, { kind, at, byte }: { kind: string; at: number; byte: number }): Uint8Array {
  const position = bytes.length === 0 ? 0 : at % bytes.length;
  const changed = Uint8Array.from(bytes);
  if (kind === 'flip' && bytes.length > 0) changed[position] = (changed[position] as number) ^ byte;
  if (kind === 'noise') return Buffer.concat([changed.subarray(0, position), Buffer.alloc(90, byte)]);
  return kind === 'cut' ? changed.subarray(0, position) : changed;
}

test('a directory with any file damaged opens, or says why not, and what it holds can be read and continued', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(), mutation), { minLength: 1, maxLength: 4 }),
      fc.nat({ max: 45 }),
      fc.boolean(),
      (damages, recoveryPoint, cleanShutdown) => {
        const storage = written();
        for (const [which, damage] of damages) {
          const names = storage.list(DIRECTORY).sort();
          const path = `${DIRECTORY}/${names[which % names.length]}`;
          if (damage.kind === 'remove') {
            // A whole segment that vanishes leaves a hole that nothing can tell from one that compaction left.
            if (!path.endsWith('.log')) storage.remove(path);
          } else replaceFile(storage, path, mutate(wholeFile(storage, path), damage));
        }
        // What is believed without being read (a clean stop, bytes below the recovery point) may be wrong: there only the open counts.
        const believed = cleanShutdown ? 40 : recoveryPoint;
        try {
          const log = openLog({ storage, config: CONFIG, cleanShutdown, recoveryPoint });
          if (believed === 0) {
            const values = readValues(log);
            // Offsets lie outside the checksum and may be damaged unseen; what was written stays in its order.
            const order = values.map(([, value]) => Number(value.slice('value-'.length)));
            expect(order).toEqual([...order].sort((one, other) => one - other));
            expect(order.every((n) => n >= 0 && n < 40)).toBe(true);
          }
          const { writtenEnd } = log;
          expect(append(log, batch({ values: ['after'] })).error).toBe(0);
          expect(log.writtenEnd).toBe(writtenEnd + 1);
          if (believed === 0) expect(readValues(log, writtenEnd)).toEqual([[writtenEnd, 'after']]);
          log.close({ clean: true });
        } catch (error) {
          if (!isRefusal(error)) throw error;
        }
      },
    ),
    { numRuns: RUNS },
  );
});

test('files of noise only', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 2000 }),
      fc.uint8Array({ maxLength: 300 }),
      fc.uint8Array({ maxLength: 300 }),
      fc.nat({ max: 100 }),
      (log, index, times, recoveryPoint) => {
        const storage = new MemoryStorage();
        storage.makeDirectories(DIRECTORY);
        replaceFile(storage, `${DIRECTORY}/00000000000000000000.log`, log);
        replaceFile(storage, `${DIRECTORY}/00000000000000000000.index`, index);
        replaceFile(storage, `${DIRECTORY}/00000000000000000000.timeindex`, times);
        try {
          const opened = openLog({ storage, config: CONFIG, recoveryPoint });
          expect(append(opened, batch()).error).toBe(0);
        } catch (error) {
          if (!(error instanceof UnsupportedFormatError)) throw error;
        }
      },
    ),
    { numRuns: RUNS },
  );
});

test('texts and snapshots', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.uint8Array({ maxLength: 200 }), (text, bytes) => {
      for (const parse of [
        () => parseCheckpoint(text, 'p', 3),
        () => parseMetaProperties(text, 'p'),
        () => parsePartitionMetadata(text, 'p'),
      ]) {
        try {
          parse();
        } catch (error) {
          if (!(error instanceof MalformedFileError)) throw error;
        }
      }
      decodeSnapshot(bytes);
    }),
    { numRuns: RUNS },
  );
});
