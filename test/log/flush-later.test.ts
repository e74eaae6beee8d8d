// A flush off the loop: no sync on it, what goes to the medium in which order, and what comes in between.
import { beforeEach, expect, test } from 'vitest';
import { seededRandom } from '../../src/base/random.ts';
import { LeaderEpochCache } from '../../src/log/leader-epoch-cache.ts';
import type { Log } from '../../src/log/log.ts';
import { MemoryStorage } from '../../src/log/memory-storage.ts';
import type { OpenMode, StorageError, StorageFile } from '../../src/log/storage.ts';
import type { StorageFaults } from '../../src/scheduler/sim-faults.ts';
import { SimStorage } from '../../src/scheduler/sim-storage.ts';
import { append, appendValues, batch, openLog, readValues } from './log-fixtures.ts';

const DIRECTORY = 'data/topic-0';
const EPOCHS = `${DIRECTORY}/leader-epoch-checkpoint`;

const settled = (): Promise<void> => new Promise((done) => setImmediate(done));

/** Tells what of a disk's calls waits for the medium, on the loop or in the pool, and the renames between them. */
class SyncsSeen extends MemoryStorage {
  seen: string[] = [];

  override open(path: string, mode: OpenMode): StorageFile {
    const file = super.open(path, mode);
    const sync = file.sync.bind(file);
    const syncLater = file.syncLater.bind(file);
    file.sync = () => {
      this.#see('loop', path);
      sync();
    };
    file.syncLater = (done) => {
      this.#see('pool', path);
      syncLater(done);
    };
    return file;
  }

  override rename(from: string, to: string): void {
    this.#see('rename', from);
    super.rename(from, to);
  }

  override syncDirectory(path: string): void {
    this.#see('loop', path);
    super.syncDirectory(path);
  }

  override syncPathLater(path: string, done: (error: StorageError | null) => void): void {
    this.#see('pool', path);
    super.syncPathLater(path, done);
  }

  override replaceText(path: string, text: string): void {
    this.#see('loop', path);
    super.replaceText(path, text);
  }

  #see(where: string, path: string): void {
    this.seen.push(`${where} ${path === DIRECTORY ? '.' : path.replace(`${DIRECTORY}/`, '')}`);
  }
}

test('syncs in the pool alone: files, their names, the epochs, and then the recovery point moves', async () => {
  const storage = new SyncsSeen();
  const log = openLog({ storage, cleanShutdown: true, config: { segmentBytes: 2000, indexIntervalBytes: 200 } });
  const flushed = async (): Promise<string[]> => {
    storage.seen = [];
    let ending: StorageError | null | undefined;
    log.flushLater((error) => {
      ending = error;
      storage.seen.push(`recovery point ${log.recoveryPoint}`);
    });
    await settled();
    expect(ending).toBeNull();
    return storage.seen.filter((step) => !step.endsWith('index'));
  };
  const epochsSaved = ['pool leader-epoch-checkpoint.tmp', 'rename leader-epoch-checkpoint.tmp', 'pool .'];
  appendValues(log, 'a', 'b');
  expect(await flushed()).toEqual(['pool 00000000000000000000.log', 'pool .', ...epochsSaved, 'recovery point 2']);
  expect(storage.readText(EPOCHS)).toBe('0\n1\n0 0\n');
  appendValues(log, 'c');
  expect(await flushed()).toEqual(['pool 00000000000000000000.log', 'recovery point 3']);
  appendValues(log, 'd', 'x'.repeat(1750));
  expect(await flushed()).toEqual(['pool 00000000000000000000.log', 'pool 00000000000000000004.log', 'pool .', 'recovery point 5']);
  append(log, batch(), { epoch: 5 });
  expect(await flushed()).toEqual(['pool 00000000000000000004.log', ...epochsSaved, 'recovery point 6']);
  expect(storage.readText(EPOCHS)).toBe('0\n2\n0 0\n5 5\n');
});

/** A disk whose pool does one job at a time, when the test says so. */
class HeldDisk {
  readonly jobs: (() => void)[] = [];
  readonly storage = new SimStorage({ random: seededRandom(1), later: (job) => this.jobs.push(job) });

  /** Runs so many jobs, or until none is left; how many there were. */
  run(countMax = Number.POSITIVE_INFINITY): number {
    let count = 0;
    for (; count < countMax && this.jobs.length > 0; count++) this.jobs.shift()?.();
    return count;
  }
}

/** How many jobs of the pool a log's first flush takes. */
const JOBS = 4;

function heldLog(): { disk: HeldDisk; log: Log } {
  const disk = new HeldDisk();
  const log = openLog({ storage: disk.storage, cleanShutdown: true });
  append(log, batch({ values: ['a'] }), { epoch: 3 });
  return { disk, log };
}

test.each(Array.from({ length: JOBS }, (_, at) => at))('a log that is closed after %i jobs of its flush has its files to itself', (at) => {
  const { disk, log } = heldLog();
  const ends: (StorageError | null)[] = [];
  log.flushLater((error) => ends.push(error));
  disk.run(at);
  log.closeFiles();
  const again = openLog({ storage: disk.storage, recoveryPoint: 0 });
  const text = disk.storage.readText(EPOCHS);
  disk.run();
  expect(ends).toEqual([null]);
  expect(log.recoveryPoint).toBe(0);
  expect(disk.storage.readText(EPOCHS)).toBe(text);
  append(again, batch({ values: ['b'] }), { epoch: 4 });
  again.flush();
  expect(disk.storage.readText(EPOCHS)).toBe('0\n2\n3 0\n4 1\n');
  expect(readValues(again).map(([, value]) => value)).toEqual(['a', 'b']);
  again.closeFiles();
});

test.each(Array.from({ length: JOBS }, (_, at) => at))('a topic that is deleted after %i jobs of a flush is no failure', (at) => {
  const { disk, log } = heldLog();
  const ends: (StorageError | null)[] = [];
  log.flushLater((error) => ends.push(error));
  disk.run(at);
  log.markDeleted('u');
  disk.storage.makeDirectory(DIRECTORY); // Of a new topic of that name.
  disk.run();
  expect(ends).toEqual([null]);
  expect(disk.storage.list(DIRECTORY)).toEqual([]);
  log.remove();
});

test('takes as many jobs as the cases above have', () => {
  const { disk, log } = heldLog();
  log.flushLater(() => {});
  expect(disk.run()).toBe(JOBS);
  expect(log.recoveryPoint).toBe(1);
  log.closeFiles();
});

test.each<[string, NonNullable<StorageFaults['refuse']>]>([
  ['the names', (operation) => (operation === 'syncDirectory' ? 'EIO' : null)],
  ['the epochs', (operation, path) => (operation === 'sync' && path.endsWith('.tmp') ? 'EIO' : null)],
  ['the epochs, for want of room', (operation, path) => (operation === 'write' && path.endsWith('.tmp') ? 'ENOSPC' : null)],
  ['the name of the epochs', (operation, path) => (operation === 'rename' && path.endsWith('.tmp') ? 'EIO' : null)],
])('what is refused of %s leaves the recovery point, and the log takes nothing more', (_about, refuse) => {
  const { disk, log } = heldLog();
  disk.storage.setFaults({ refuse });
  const errors: (string | undefined)[] = [];
  log.flushLater((error) => errors.push(error?.errno));
  disk.run();
  log.flushLater((error) => errors.push(error?.errno));
  expect(errors).toHaveLength(2);
  expect(errors[0]).toMatch(/EIO|ENOSPC/);
  expect(errors[1]).toBe(errors[0]);
  expect([log.recoveryPoint, log.isFailed, log.isFlushing]).toEqual([0, true, false]);
  log.closeFiles();
});

let disk: HeldDisk;
let cache: LeaderEpochCache;
beforeEach(() => {
  disk = new HeldDisk();
  disk.storage.makeDirectory('d');
  cache = new LeaderEpochCache(disk.storage, 'd');
  cache.load();
  cache.assign(1, 0);
});
const text = (): string | null => disk.storage.readText('d/leader-epoch-checkpoint');

test('a save on the loop overtakes one in the pool', () => {
  const errors: (StorageError | null)[] = [];
  cache.saveLater((error) => errors.push(error));
  cache.assign(2, 10);
  cache.save();
  expect(text()).toBe('0\n2\n1 0\n2 10\n');
  disk.run();
  expect(errors).toEqual([null]);
  expect(text()).toBe('0\n2\n1 0\n2 10\n');
});

test('what changes during a save in the pool is saved by the next one, and what failed is tried by the next', () => {
  cache.saveLater(() => {});
  cache.assign(2, 10);
  disk.run();
  expect(text()).toBe('0\n1\n1 0\n');
  const errors: (string | undefined)[] = [];
  disk.storage.setFaults({ refuse: (operation) => (operation === 'rename' ? 'EIO' : null) });
  cache.saveLater((error) => errors.push(error?.errno));
  disk.run();
  expect([errors, text()]).toEqual([['EIO'], '0\n1\n1 0\n']);
  disk.storage.setFaults({});
  cache.saveLater((error) => errors.push(error?.errno));
  disk.run();
  expect([errors, text()]).toEqual([['EIO', undefined], '0\n2\n1 0\n2 10\n']);
  cache.saveLater((error) => errors.push(error?.errno));
  expect([errors.length, disk.jobs.length]).toEqual([3, 0]);
});
