// Transactions that another broker aborted in a log: known after a clean stop from its indexes, after any other from its batches.
import { expect, test } from 'vitest';
import { seededRandom } from '../../src/base/random.ts';
import type { Log } from '../../src/log/log.ts';
import { MemoryStorage } from '../../src/log/memory-storage.ts';
import { type Storage, StorageError } from '../../src/log/storage.ts';
import {
  type AbortedTransaction,
  abortedWithin,
  readTransactionIndex,
  readTransactionIndexes,
  writeTransactionIndex,
} from '../../src/log/transaction-index.ts';
import { buildControlBatch, CONTROL_TYPE } from '../../src/protocol/records/control.ts';
import { SimStorage } from '../../src/scheduler/sim-storage.ts';
import { batch, NOW_MS, openLog } from './log-fixtures.ts';

const DIRECTORY = 'data/topic-0';
const INDEX = `${DIRECTORY}/00000000000000000000.txnindex`;

const data = (producerId: number, baseSequence: number, count: number): Uint8Array =>
  batch({ producerId, producerEpoch: 0, baseSequence, isTransactional: true, values: Array.from({ length: count }, (_, i) => `${i}`) });

/** Version 0 and the coordinator's epoch. */
const marker = (producerId: number, type: typeof CONTROL_TYPE.ABORT | typeof CONTROL_TYPE.COMMIT): Uint8Array =>
  buildControlBatch({ producerId, producerEpoch: 0, isTransactional: true }, NOW_MS, [{ type, value: new Uint8Array(6) }]);

/** 0-1 of producer 1, 2-4 of 2, 5 aborts 2, 6 aborts 1, 7 plain, 8 of 3, 9 commits 3, 10-11 of 4, which stays open. */
const BATCHES = [
  data(1, 0, 2),
  data(2, 0, 3),
  marker(2, CONTROL_TYPE.ABORT),
  marker(1, CONTROL_TYPE.ABORT),
  batch(),
  data(3, 0, 1),
  marker(3, CONTROL_TYPE.COMMIT),
  data(4, 0, 2),
];
const ABORTED = [
  { producerId: 2, firstOffset: 2, lastOffset: 5, lastStableOffset: 0 },
  { producerId: 1, firstOffset: 0, lastOffset: 6, lastStableOffset: 7 },
];

/** A log that was written and not closed cleanly. */
function written(storage: Storage, config = {}): void {
  const log = openLog({ storage, config });
  for (const bytes of BATCHES) {
    log.stageOwn(bytes.slice(), 0, bytes.length, 0, NOW_MS);
    log.writeStaged();
  }
  log.close({ clean: false });
}

const open = (storage: Storage, options: Parameters<typeof openLog>[0] = {}): Log => openLog({ storage, ...options });

test('the index is made from the batches after an unclean stop, and read after a clean one', () => {
  const storage = new MemoryStorage();
  written(storage);
  expect(storage.exists(INDEX)).toBe(false);
  const recovered = open(storage);
  expect(recovered.abortedEnd).toBe(7);
  expect(recovered.firstUnstableOffset).toBe(10);
  expect(readTransactionIndexes(storage, DIRECTORY)).toEqual(ABORTED);
  recovered.close({ clean: true });
  const again = open(storage, { cleanShutdown: true });
  expect([again.abortedEnd, again.firstUnstableOffset]).toEqual([7, 10]);
});

test('entries in several segments, each of the transactions that end there', () => {
  const storage = new MemoryStorage();
  written(storage, { segmentBytes: 200 });
  const log = open(storage, { config: { segmentBytes: 200 } });
  expect(log.segmentCount).toBeGreaterThan(2);
  expect(readTransactionIndexes(storage, DIRECTORY)).toEqual(ABORTED);
  expect(readTransactionIndex(storage, DIRECTORY, 0)).toEqual([]);
});

test.each([
  ['of half an entry', 17],
  ['of zeros', 34],
])('a file %s is told and made anew, also after a clean stop', (_, sizeBytes) => {
  const storage = new MemoryStorage();
  written(storage);
  open(storage).close({ clean: true });
  const file = storage.open(INDEX, 'create');
  file.truncate(0);
  file.write(new Uint8Array(sizeBytes), 0, sizeBytes, 0);
  if (sizeBytes === 34) file.write(Uint8Array.of(0, 9), 0, 2, 0); // A version that nobody knows.
  file.close();
  const told: string[] = [];
  const log = open(storage, { cleanShutdown: true, onDamage: (damage, path) => told.push(`${path}: ${damage}`) });
  expect(told).toEqual([`${INDEX}: the index of aborted transactions is damaged and made anew`]);
  expect(log.abortedEnd).toBe(7);
  expect(readTransactionIndexes(storage, DIRECTORY)).toEqual(ABORTED);
});

test('what a torn tail takes away is no longer aborted', () => {
  const storage = new MemoryStorage();
  written(storage);
  open(storage).close({ clean: false });
  const file = storage.open(`${DIRECTORY}/00000000000000000000.log`, 'create');
  // The marker at offset 6 is cut in half.
  file.truncate(BATCHES.slice(0, 4).reduce((sum, { length }) => sum + length, 0) - 10);
  file.close();
  const log = open(storage);
  expect(log.abortedEnd).toBe(6);
  expect(log.firstUnstableOffset).toBe(0);
  expect(readTransactionIndexes(storage, DIRECTORY)).toEqual(ABORTED.slice(0, 1));
});

test('entries come back as they were written, and those that a read meets by their first offsets', () => {
  const storage = new MemoryStorage();
  storage.makeDirectories(DIRECTORY);
  const large = [{ producerId: 2 ** 45 + 3, firstOffset: 2 ** 40, lastOffset: 2 ** 40 + 1, lastStableOffset: 2 ** 40 + 2 }];
  writeTransactionIndex(storage, DIRECTORY, 7, large);
  expect(readTransactionIndex(storage, DIRECTORY, 7)).toEqual(large);
  writeTransactionIndex(storage, DIRECTORY, 7, []);
  expect(storage.list(DIRECTORY)).toEqual([]);
  const [second, first] = ABORTED;
  expect(abortedWithin(ABORTED, 0, 100)).toEqual([first, second]);
  expect(abortedWithin(ABORTED, 0, 2)).toEqual([first]);
  expect(abortedWithin(ABORTED, 6, 100)).toEqual([first]);
  expect(abortedWithin(ABORTED, 7, 100)).toEqual([]);
});

test('entries of all segments come in the order of the log, however the directory lists its files', () => {
  const storage = new MemoryStorage();
  storage.makeDirectories(DIRECTORY);
  const entry = (offset: number) => ({ producerId: 1, firstOffset: offset, lastOffset: offset + 1, lastStableOffset: offset + 2 });
  for (const base of [7, 30, 0]) writeTransactionIndex(storage, DIRECTORY, base, [entry(base), entry(base + 3)]);
  expect(readTransactionIndexes(storage, DIRECTORY)).toEqual([0, 3, 7, 10, 30, 33].map(entry));
});

test.each([
  ['a marker before the first record', [{ ...ABORTED[0], firstOffset: 6 }]],
  ['a marker of two transactions', [ABORTED[0], { ...ABORTED[1], lastOffset: 5 }]],
  ['a marker before that of the entry before', [ABORTED[1], ABORTED[0]]],
  ['a marker of an earlier segment', [{ ...ABORTED[0], firstOffset: 2, lastOffset: 2 }], 3],
  ['a negative producer id', [{ ...ABORTED[0], producerId: -1 }]],
  ['a negative offset', [{ ...ABORTED[0], firstOffset: -1 }]],
  ['a negative stable offset', [{ ...ABORTED[0], lastStableOffset: -1 }]],
])('a file with %s contradicts itself', (_, entries, base = 0) => {
  const storage = new MemoryStorage();
  storage.makeDirectories(DIRECTORY);
  writeTransactionIndex(storage, DIRECTORY, base, entries as AbortedTransaction[]);
  expect(readTransactionIndex(storage, DIRECTORY, base)).toBeNull();
});

test('made anew, it is the old one or the new one whenever the power fails: no start believes half of it, or none', () => {
  const config = { segmentBytes: 200 };
  let points = 0;
  for (let at = 0; ; at++) {
    // A disk on which a clean stop left the log, and then one of its indexes rots.
    const random = seededRandom(at);
    let storage = new SimStorage({ random, later: (task) => task() });
    storage.makeDirectories('data');
    storage.syncDirectory('');
    written(storage, config);
    const closed = open(storage, { config });
    const recoveryPoint = closed.writtenEnd;
    const base = storage.list(DIRECTORY).find((name) => name.endsWith('.txnindex')) ?? '';
    closed.close({ clean: true });
    storage.syncDirectory('data');
    storage.syncDirectory(DIRECTORY);
    const rotten = storage.open(`${DIRECTORY}/${base}`, 'read-write');
    rotten.truncate(17);
    rotten.sync();
    rotten.close();
    // The start that mends it is cut off by the power at its `at`th step on the index.
    let steps = 0;
    let isCut = false;
    storage.setFaults({
      refuse: (operation, path) => {
        if (operation === 'read' || (!path.includes('.txnindex') && path !== DIRECTORY)) return null;
        isCut = steps++ === at;
        return isCut ? 'EIO' : null;
      },
    });
    try {
      open(storage, { config, cleanShutdown: true });
    } catch (error) {
      expect(error).toBeInstanceOf(StorageError);
    }
    storage = storage.crash();
    storage.setFaults({});
    open(storage, { config, recoveryPoint });
    expect(readTransactionIndexes(storage, DIRECTORY), `power off at step ${at}`).toEqual(ABORTED);
    if (!isCut && steps <= at) break;
    points++;
  }
  expect(points).toBeGreaterThan(5);
});
