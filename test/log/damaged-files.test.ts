// Files beside the batches are damaged while nobody runs: whatever stands in them, every batch is read back, by offset and by time, and the log
// goes on. Where batches themselves are damaged, the rest is read and the place is named.
import { expect, test } from 'vitest';
import { type Random, seededRandom } from '../../src/base/random.ts';
import { createReadPlan, type Log } from '../../src/log/log.ts';
import { MemoryStorage } from '../../src/log/memory-storage.ts';
import { ERROR } from '../../src/protocol/errors.ts';
import { append, batch, openLog, readValues, replaceFile, stage, wholeFile } from './log-fixtures.ts';

const SEEDS = Number(process.env.NARU_SIM_SEEDS ?? 150);
const DIRECTORY = 'data/topic-0';
const CONFIG = { segmentBytes: 3000, indexIntervalBytes: 150, segmentIndexBytes: 4000 };
const MAX_TIMESTAMP = -3;

interface Kept {
  readonly value: string;
  readonly timestampMs: number;
  readonly epoch: number;
}

/** A log that may have been flushed in the middle, closed one way or the other. */
function writeLog(storage: MemoryStorage, random: Random, kept: Kept[], isClean: boolean): number {
  const log = openLog({ storage, directory: DIRECTORY, config: CONFIG });
  const count = 20 + random.below(60);
  const flushAt = random.below(count);
  for (let n = 0; n < count; n++) {
    const epoch = n >> 4;
    const one = { value: `${n}`.padEnd(10 + random.below(120), '.'), timestampMs: 1_700_000_000_000 + n * 10 - random.below(40), epoch };
    const producer = n % 3 === 0 ? { producerId: 7, producerEpoch: 0, baseSequence: n / 3 } : {};
    const result = stage(log, batch({ values: [one.value], timestampMs: one.timestampMs, ...producer }), { epoch });
    expect(result.error).toBe(0);
    log.writeStaged();
    kept.push(one);
    if (n === flushAt) log.flush();
  }
  log.close({ clean: isClean });
  return log.recoveryPoint;
}

function damage(storage: MemoryStorage, random: Random, path: string, others: readonly string[]): void {
  const bytes = wholeFile(storage, path);
  // In front of the room for entries to come, mostly.
  const used = Math.min(bytes.length, 24 + random.below(200));
  const noise = (length: number): Uint8Array => Uint8Array.from({ length }, () => random.below(256));
  const kinds: Array<() => Uint8Array> = [
    () => bytes.fill(0xa7),
    () => bytes.fill(0x7f),
    () => bytes.fill(0),
    () => noise(bytes.length),
    () => noise(random.below(100)),
    // A time index that ends early is no wrong one: only its last entry tells that others are missing.
    () => bytes.slice(0, path.endsWith('.timeindex') ? 0 : random.below(bytes.length + 1)),
    () => Uint8Array.from([...bytes, ...noise(random.below(40))]),
    () => wholeFile(storage, others[random.below(others.length)] as string),
    () => {
      const from = random.below(used + 1);
      bytes.set(noise(Math.min(1 + random.below(30), bytes.length - from)), from);
      return bytes;
    },
  ];
  let damaged = (kinds[random.below(kinds.length)] as () => Uint8Array)();
  // A digit that became another one is seen by nobody: the file has no checksum.
  if (path.endsWith('checkpoint') && Buffer.from(damaged).toString().startsWith('0\n')) damaged = damaged.fill(0xa7);
  replaceFile(storage, path, damaged);
}

function checkAll(log: Log, random: Random, kept: readonly Kept[]): void {
  const byTime = (): void => {
    for (let n = 0; n < 6; n++) {
      const wanted = (kept[random.below(kept.length)] as Kept).timestampMs - random.below(3);
      const first = kept.findIndex(({ timestampMs }) => timestampMs >= wanted);
      expect(log.offsetForTimestamp(wanted, log.writtenEnd)?.offset, `at ${wanted}`).toBe(first);
    }
    const largest = Math.max(...kept.map(({ timestampMs }) => timestampMs));
    expect(log.offsetForTimestamp(MAX_TIMESTAMP, log.writtenEnd)?.timestamp).toBe(largest);
  };
  const byOffset = (): void => {
    const plan = createReadPlan();
    for (let n = 0; n < 20; n++) {
      const offset = random.below(kept.length);
      log.planRead(offset, 1, log.writtenEnd, true, plan);
      expect([plan.error, plan.startOffset], `offset ${offset}`).toEqual([0, offset]);
    }
  };
  // Whichever comes first finds the damage.
  for (const check of random.below(2) === 0 ? [byTime, byOffset] : [byOffset, byTime]) check();
  expect(readValues(log, 0)).toEqual(kept.map(({ value }, offset) => [offset, value]));
  for (const [offset, { epoch }] of kept.entries()) expect(log.epochForOffset(offset)).toBe(epoch);
}

test('random bytes in the files beside the batches cost no batch, after any stop', () => {
  for (let seed = 1; seed <= SEEDS; seed++) {
    const random = seededRandom(seed);
    const storage = new MemoryStorage();
    const kept: Kept[] = [];
    const isClean = random.below(2) === 0;
    try {
      const recoveryPoint = writeLog(storage, random, kept, isClean);
      const paths = storage
        .list(DIRECTORY)
        .filter((name) => /index$|snapshot$|leader-epoch-checkpoint$/.test(name))
        .map((name) => `${DIRECTORY}/${name}`);
      const damagedCount = 1 + random.below(3);
      for (let n = 0; n < damagedCount; n++) damage(storage, random, paths[random.below(paths.length)] as string, paths);
      const log = openLog({ storage, directory: DIRECTORY, config: CONFIG, cleanShutdown: isClean, recoveryPoint });
      checkAll(log, random, kept);
      const retry = batch({ values: ['again'], producerId: 7, producerEpoch: 0, baseSequence: 0 });
      expect(stage(log, retry).error, 'the producer is known').toBe(ERROR.OUT_OF_ORDER_SEQUENCE_NUMBER);
      for (let n = 0; n < 30; n++) {
        const one = { value: `later ${n}`, timestampMs: 1_700_000_100_000 + n, epoch: 9 };
        expect(append(log, batch({ values: [one.value], timestampMs: one.timestampMs }), { epoch: 9 }).error).toBe(0);
        kept.push(one);
      }
      checkAll(log, random, kept);
      log.close({ clean: true });
      const damages: string[] = [];
      const again = openLog({
        storage,
        directory: DIRECTORY,
        config: CONFIG,
        cleanShutdown: true,
        recoveryPoint: log.recoveryPoint,
        onDamage: (what, path) => damages.push(`${path}: ${what}`),
      });
      checkAll(again, random, kept);
      expect(damages, 'all was mended by the first who met it').toEqual([]);
      again.close({ clean: true });
    } catch (error) {
      throw new Error(`seed ${seed}, ${isClean ? 'clean' : 'unclean'} stop`, { cause: error });
    }
  }
});

test.each([
  ['the live one, after a clean stop', true, -1],
  ['the live one, after a crash', false, -1],
  ['an old one, after a clean stop', true, 0],
  ['an old one, after a crash', false, 0],
])('an index with negative positions is rebuilt and named once: %s', (_name, isClean, which) => {
  const storage = new MemoryStorage();
  const kept: Kept[] = [];
  const random = seededRandom(5);
  const log = openLog({ storage, directory: DIRECTORY, config: CONFIG });
  for (let n = 0; n < 60; n++) {
    kept.push({ value: `${n}`.padEnd(100, '.'), timestampMs: 1_700_000_000_000 + n, epoch: 0 });
    append(log, batch({ values: [kept[n]?.value as string], timestampMs: 1_700_000_000_000 + n }));
  }
  log.flush();
  log.close({ clean: isClean });
  const names = storage.list(DIRECTORY).filter((name) => name.endsWith('.index'));
  expect(names.length).toBeGreaterThan(2);
  const path = `${DIRECTORY}/${names.sort().at(which)}`;
  const sound = wholeFile(storage, path);
  replaceFile(storage, path, new Uint8Array(sound.length).fill(0xa7));
  const damages: string[] = [];
  const onDamage = (_what: string, file: string): number => damages.push(file);
  const options = { storage, directory: DIRECTORY, config: CONFIG, cleanShutdown: isClean, recoveryPoint: log.recoveryPoint, onDamage };
  const again = openLog(options);
  checkAll(again, random, kept);
  expect(damages).toEqual([path]);
  again.close({ clean: true });
  const rebuilt = wholeFile(storage, path);
  expect(Buffer.from(rebuilt)).toEqual(Buffer.from(sound.subarray(0, rebuilt.length)));
});

/** Fifty batches of one record and one size in one segment, the 25th (offset 25) changed by `change`. */
function damagedLog(change: (bytes: Buffer, at: number, sizeBytes: number) => void): { log: Log; damages: string[] } {
  const storage = new MemoryStorage();
  const first = openLog({ storage, directory: DIRECTORY, config: { indexIntervalBytes: 1000 } });
  for (let n = 0; n < 50; n++) append(first, batch({ values: [`${n}`.padEnd(100, '.')] }));
  first.close({ clean: true });
  const path = `${DIRECTORY}/00000000000000000000.log`;
  const bytes = Buffer.from(wholeFile(storage, path));
  const sizeBytes = bytes.length / 50;
  change(bytes, sizeBytes * 25, sizeBytes);
  replaceFile(storage, path, bytes);
  const damages: string[] = [];
  const onDamage = (what: string, file: string): number => damages.push(`${file}: ${what}`);
  const options = { storage, directory: DIRECTORY, config: { indexIntervalBytes: 1000 }, cleanShutdown: true, recoveryPoint: 50 };
  return { log: openLog({ ...options, onDamage }), damages };
}

// Apache Kafka 4.3.1 answers CORRUPT_MESSAGE to the lengths that are none (5, -9, 0), no error and no bytes to the one that leads behind the
// file, and hands out what has another magic.
test.each<[string, (bytes: Buffer, at: number, sizeBytes: number) => void]>([
  ['a length of 5', (bytes, at) => bytes.writeInt32BE(5, at + 8)],
  ['a negative length', (bytes, at) => bytes.writeInt32BE(-9, at + 8)],
  ['zeros', (bytes, at, sizeBytes) => bytes.fill(0, at, at + sizeBytes)],
  ['a length behind the end of the file', (bytes, at) => bytes.writeInt32BE(0x7fffffff, at + 8)],
  ['another magic', (bytes, at) => bytes.writeInt8(7, at + 16)],
])('a fetch of a batch with %s is told that it is corrupt; what lies before and behind is read', (_name, change) => {
  const { log, damages } = damagedLog(change);
  const plan = createReadPlan();
  for (let round = 0; round < 3; round++) {
    log.planRead(25, 1 << 20, 50, true, plan);
    expect([plan.error, plan.length]).toEqual([ERROR.CORRUPT_MESSAGE, 0]);
  }
  expect(damages).toEqual([expect.stringMatching(/^data\/topic-0\/0{20}\.log: what stands at position \d+ is no batch/)]);
  for (const offset of [0, 24, 49]) {
    log.planRead(offset, 1, 50, true, plan);
    expect([plan.error, plan.startOffset]).toEqual([ERROR.NONE, offset]);
  }
  // Up to a limit behind the damage nothing is handed out from behind the limit.
  log.planRead(20, 1 << 20, 26, true, plan);
  expect([plan.error, plan.length]).toEqual([ERROR.NONE, 5 * plan.firstBatchBytes]);
  append(log, batch({ values: ['on'] }));
  log.planRead(50, 1, 51, true, plan);
  expect([plan.error, plan.startOffset]).toEqual([ERROR.NONE, 50]);
});
