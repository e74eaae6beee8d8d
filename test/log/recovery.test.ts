// After a crash: torn tails, damaged bytes, damaged or missing indexes, interrupted removals; and how little is read.
import { describe, expect, test } from 'vitest';
import type { Log } from '../../src/log/log.ts';
import { UnsupportedFormatError } from '../../src/log/log-loader.ts';
import { MemoryStorage } from '../../src/log/memory-storage.ts';
import { MAGIC_AT } from '../../src/protocol/records/batch.ts';
import { FaultyStorage } from './faulty-storage.ts';
import { append, appendValues, batch, NOW_MS, type OpenShape, openLog, readValues, replaceFile, stage, wholeFile } from './log-fixtures.ts';

const DIRECTORY = 'data/topic-0';
const FIRST = `${DIRECTORY}/00000000000000000000`;
const SMALL = { segmentBytes: 2000, indexIntervalBytes: 200 };

function valuesTo(count: number): Array<[number, string]> {
  return Array.from({ length: count }, (_, i) => [i, `value-${i}`]);
}

/** A log with `count` records, one a batch, closed as by kill -9. */
function crashed(storage: MemoryStorage, count: number, shape: OpenShape = {}): void {
  const log = openLog({ storage, config: SMALL, ...shape });
  for (let i = 0; i < count; i++) append(log, batch({ values: [`value-${i}`], timestampMs: NOW_MS + i }), { epoch: Math.floor(i / 10) });
  log.close({ clean: false });
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function reopened(storage: MemoryStorage, shape: OpenShape = {}): Log {
  return openLog({ storage, config: SMALL, ...shape });
}

test('nothing is lost when nothing is torn', () => {
  const storage = new MemoryStorage();
  crashed(storage, 100);
  const log = reopened(storage);
  expect(readValues(log)).toEqual(valuesTo(100));
  expect(log.recoveredCutBytes).toBe(0);
  expect(log.epochEndOffset(4)).toEqual({ leaderEpoch: 4, endOffset: 50 });
});

test('a tail torn at any byte of the last batch costs that batch alone', () => {
  const storage = new MemoryStorage();
  crashed(storage, 3);
  const whole = wholeFile(storage, `${FIRST}.log`);
  const lastBytes = whole.length / 3;
  for (let kept = 0; kept < lastBytes; kept++) {
    replaceFile(storage, `${FIRST}.log`, whole.subarray(0, 2 * lastBytes + kept));
    const log = reopened(storage);
    expect(log.recoveredCutBytes, `${kept} bytes kept`).toBe(kept);
    expect(readValues(log)).toEqual(valuesTo(2));
    appendValues(log, 'again');
    expect(readValues(log)[2]).toEqual([2, 'again']);
    log.close({ clean: false });
  }
});

test('any damaged byte of the last batch is found, but for offset and epoch outside its checksum', () => {
  const storage = new MemoryStorage();
  crashed(storage, 3);
  const whole = wholeFile(storage, `${FIRST}.log`);
  const start = (whole.length / 3) * 2;
  for (let at = start + 8; at < whole.length; at++) {
    if (at >= start + 12 && at < start + 16) continue;
    const damaged = Uint8Array.from(whole);
    damaged[at] = (damaged[at] as number) ^ 0x21;
    replaceFile(storage, `${FIRST}.log`, damaged);
    const log = reopened(storage);
    expect(readValues(log), `byte ${at - start}`).toEqual(valuesTo(2));
    log.close({ clean: false });
  }
});

test('zeros behind the last batch (space that was never written) are cut', () => {
  const storage = new MemoryStorage();
  crashed(storage, 5);
  const whole = wholeFile(storage, `${FIRST}.log`);
  replaceFile(storage, `${FIRST}.log`, Buffer.concat([whole, Buffer.alloc(5000)]));
  expect(readValues(reopened(storage))).toEqual(valuesTo(5));
  replaceFile(storage, `${FIRST}.log`, Buffer.alloc(3000));
  expect(reopened(storage).writtenEnd).toBe(0);
});

test('behind a damaged segment nothing follows', () => {
  const storage = new MemoryStorage();
  crashed(storage, 100);
  const second = storage
    .list(DIRECTORY)
    .filter((name) => name.endsWith('.log'))
    .sort()[1] as string;
  const bytes = wholeFile(storage, `${DIRECTORY}/${second}`);
  bytes[500] = (bytes[500] as number) ^ 0xff;
  replaceFile(storage, `${DIRECTORY}/${second}`, bytes);
  const log = reopened(storage);
  expect(log.segmentCount).toBe(2);
  expect(readValues(log)).toEqual(valuesTo(log.writtenEnd));
  expect(log.writtenEnd).toBeGreaterThan(Number(second.slice(0, 20)));
  expect(log.writtenEnd).toBeLessThan(100);
  appendValues(log, 'again');
  log.close({ clean: true });
  expect(readValues(reopened(storage, { cleanShutdown: true })).at(-1)?.[1]).toBe('again');
});

describe('indexes', () => {
  function indexBytes(storage: MemoryStorage, suffix: string): string {
    return Buffer.from(wholeFile(storage, `${FIRST}${suffix}`)).toString('hex');
  }

  /** A closed log of one segment with index entries, and what its indexes hold. */
  function indexed(): { storage: MemoryStorage; offsets: string; times: string } {
    const storage = new MemoryStorage();
    const log = openLog({ storage, config: { indexIntervalBytes: 200 } });
    for (let i = 0; i < 60; i++) append(log, batch({ values: [`value-${i}`], timestampMs: NOW_MS + ((i * 7) % 60) }));
    log.close({ clean: true });
    return { storage, offsets: indexBytes(storage, '.index'), times: indexBytes(storage, '.timeindex') };
  }

  const reopen = (storage: MemoryStorage, shape: OpenShape): Log => openLog({ storage, config: { indexIntervalBytes: 200 }, ...shape });

  const damages: Array<[string, (storage: MemoryStorage, path: string) => void]> = [
    ['missing', (storage, path) => storage.remove(path)],
    ['empty', (storage, path) => replaceFile(storage, path, new Uint8Array(0))],
    ['noise', (storage, path) => replaceFile(storage, path, Buffer.alloc(120, 0xa7))],
    ['cut', (storage, path) => replaceFile(storage, path, wholeFile(storage, path).subarray(0, 25))],
    ['zeros', (storage, path) => replaceFile(storage, path, Buffer.alloc(1200))],
  ];

  test.each(damages)('%s: rebuilt to the same bytes from recovery point 0', (_name, damage) => {
    for (const suffix of ['.index', '.timeindex']) {
      const { storage, offsets, times } = indexed();
      damage(storage, `${FIRST}${suffix}`);
      const log = reopen(storage, {});
      expect(readValues(log)).toEqual(valuesTo(60));
      log.close({ clean: true });
      expect(indexBytes(storage, '.index')).toBe(offsets);
      expect(indexBytes(storage, '.timeindex')).toBe(times);
    }
  });

  test('a missing one is rebuilt even after a clean stop', () => {
    const { storage, offsets } = indexed();
    storage.remove(`${FIRST}.index`);
    const log = reopen(storage, { cleanShutdown: true, recoveryPoint: 60 });
    expect(readValues(log)).toEqual(valuesTo(60));
    log.close({ clean: true });
    expect(indexBytes(storage, '.index')).toBe(offsets);
  });

  test.each([1, 17, 30, 59, 60])('from recovery point %i they come out the same', (recoveryPoint) => {
    const { storage, offsets, times } = indexed();
    reopen(storage, { recoveryPoint }).close({ clean: false });
    const log = reopen(storage, { recoveryPoint });
    expect(log.offsetForTimestamp(-3, 60)).toEqual({ timestamp: NOW_MS + 59, offset: 17, leaderEpoch: 0 });
    log.close({ clean: true });
    expect(indexBytes(storage, '.index')).toBe(offsets);
    expect(indexBytes(storage, '.timeindex')).toBe(times);
  });

  test('entries that point nowhere are not believed', () => {
    const { storage } = indexed();
    const entries = Buffer.from(wholeFile(storage, `${FIRST}.index`));
    entries.writeInt32BE(entries.readInt32BE(8 * 5 + 4) + 1, 8 * 5 + 4);
    replaceFile(storage, `${FIRST}.index`, entries);
    const log = reopen(storage, { recoveryPoint: Math.floor(entries.readInt32BE(8 * 5)) + 1 });
    expect(readValues(log)).toEqual(valuesTo(60));
  });
});

describe('the recovery point', () => {
  test('moves with a flush, and recovery reads only what lies behind it', () => {
    const storage = new FaultyStorage();
    const log = openLog({ storage });
    const payload = 'x'.repeat(1000);
    for (let i = 0; i < 5000; i++) stage(log, batch({ values: [payload] }));
    log.writeStaged();
    expect(log.recoveryPoint).toBe(0);
    log.flush();
    expect(log.recoveryPoint).toBe(5000);
    for (let i = 0; i < 100; i++) append(log, batch({ values: [payload] }));
    const { recoveryPoint } = log;
    log.close({ clean: false });
    storage.counts.readBytes = 0;
    const again = openLog({ storage, recoveryPoint });
    expect(again.writtenEnd).toBe(5100);
    // 100 batches of 1 KB, one index interval in front of them, and the headers walked for producers since the last snapshot.
    expect(again.recoveredBytes).toBeLessThan(120_000);
    expect(storage.counts.readBytes).toBeLessThan(1_200_000);
  });

  test('moves only to what a flush that began then could vouch for', async () => {
    const storage = new FaultyStorage();
    const log = openLog({ storage });
    appendValues(log, 'a', 'b');
    storage.heldSyncs = [];
    const ends: Array<string | null> = [];
    log.flushLater((error) => ends.push(error === null ? `flushed to ${log.recoveryPoint}` : error.errno));
    appendValues(log, 'c');
    log.flushLater((error) => ends.push(error === null ? `flushed to ${log.recoveryPoint}` : error.errno));
    expect(log.recoveryPoint).toBe(0);
    storage.heldSyncs.shift()?.();
    await settled();
    expect(ends).toEqual(['flushed to 2']);
    storage.heldSyncs.shift()?.();
    await settled();
    expect(ends).toEqual(['flushed to 2', 'flushed to 3']);
  });

  test('write-behind moves it without being asked', async () => {
    const log = openLog({ writebackBytes: 500 });
    appendValues(log, ...Array.from({ length: 20 }, (_, i) => `${i}`));
    await new Promise((resolve) => setImmediate(resolve));
    expect(log.recoveryPoint).toBeGreaterThan(0);
    expect(log.unflushedBytes).toBeLessThan(500);
  });

  test('never lies behind a cut', () => {
    const storage = new FaultyStorage();
    const log = openLog({ storage });
    appendValues(log, 'a', 'b', 'c');
    storage.heldSyncs = [];
    log.flushLater(() => {});
    log.truncateTo(1);
    for (const end of storage.heldSyncs.splice(0)) end();
    expect(log.recoveryPoint).toBe(0);
  });
});

describe('a disk that fails', () => {
  test('a short write is tried once more', () => {
    const storage = new FaultyStorage();
    const log = openLog({ storage });
    appendValues(log, 'a');
    storage.roomBytes = 10;
    stage(log, batch({ values: ['b'] }));
    expect(() => log.writeStaged()).toThrow(/ENOSPC/);
    expect(storage.counts.writes).toBe(3);
    expect(wholeFile(storage, `${FIRST}.log`)).toHaveLength(batch({ values: ['a'] }).length);
  });

  test('a turn of more than one write is refused as a whole, wherever the disk is full', () => {
    for (const writtenBatches of [0, 10, 26, 40]) {
      const storage = new FaultyStorage();
      const log = openLog({ storage });
      appendValues(log, 'a');
      const before = wholeFile(storage, `${FIRST}.log`);
      const refused = Array.from({ length: 60 }, (_, i) => batch({ values: [`${i}`.padStart(10_000, '.')] }));
      for (const each of refused) expect(stage(log, each).error).toBe(0);
      // What a write takes leaves no room at all for the next (26 batches fit into one), or some.
      storage.roomBytes = writtenBatches * (refused[0] as Uint8Array).length;
      expect(() => log.writeStaged()).toThrow(/ENOSPC/);
      expect(log.writtenEnd).toBe(1);
      expect(wholeFile(storage, `${FIRST}.log`)).toEqual(before);
    }
  });

  test('afterwards nothing is taken, and a new open finds whole batches', () => {
    const storage = new FaultyStorage();
    const log = openLog({ storage });
    appendValues(log, 'a', 'b');
    storage.roomBytes = 100;
    for (let i = 0; i < 5; i++) stage(log, batch({ values: [`${i}`] }));
    expect(() => log.writeStaged()).toThrow(/ENOSPC/);
    expect(log.isFailed).toBe(true);
    expect(log.writtenEnd).toBe(2);
    expect(append(log, batch()).error).toBe(56);
    log.closeFiles();
    storage.roomBytes = Number.POSITIVE_INFINITY;
    const again = openLog({ storage });
    expect(readValues(again)).toEqual([
      [0, 'a'],
      [1, 'b'],
    ]);
    appendValues(again, 'c');
  });

  test('a sync that fails takes the log out of service', async () => {
    const storage = new FaultyStorage();
    const errors: string[] = [];
    const log = openLog({ storage, writebackBytes: 1, onWritebackError: (error) => errors.push(error.errno) });
    storage.syncErrno = 'EIO';
    appendValues(log, 'a');
    await new Promise((resolve) => setImmediate(resolve));
    expect(errors).toEqual(['EIO']);
    expect(log.isFailed).toBe(true);
    expect(log.recoveryPoint).toBe(0);
  });
});

describe('leftovers', () => {
  test('of removals are removed, snapshots of segments that are gone as well', () => {
    const storage = new MemoryStorage();
    crashed(storage, 20);
    for (const name of ['00000000000000000000.log.deleted', '00000000000000000005.index.cleaned', '00000000000000000007.snapshot']) {
      replaceFile(storage, `${DIRECTORY}/${name}`, Buffer.alloc(10));
    }
    const log = reopened(storage);
    expect(readValues(log)).toEqual(valuesTo(20));
    expect(storage.list(DIRECTORY).filter((name) => /deleted|cleaned|007\.snapshot/.test(name))).toEqual([]);
  });

  test('a compacted segment takes the place of those it was made from', () => {
    const storage = new MemoryStorage();
    crashed(storage, 40, { config: { segmentBytes: 1000, indexIntervalBytes: 200 } });
    const names = storage.list(DIRECTORY).filter((name) => name.endsWith('.log'));
    const [first, second, third] = names.sort();
    const bytes = Buffer.concat([first, second].map((name) => wholeFile(storage, `${DIRECTORY}/${name}`)));
    replaceFile(storage, `${DIRECTORY}/${first}.swap`, bytes);
    const log = reopened(storage, { config: { segmentBytes: 1000, indexIntervalBytes: 200 } });
    expect(readValues(log)).toEqual(valuesTo(40));
    expect(storage.exists(`${DIRECTORY}/${second}`)).toBe(false);
    expect(storage.exists(`${DIRECTORY}/${third}`)).toBe(true);
  });

  test('batches older than format 2 are refused with a clear error', () => {
    const storage = new MemoryStorage();
    crashed(storage, 2);
    const bytes = wholeFile(storage, `${FIRST}.log`);
    bytes[MAGIC_AT] = 1;
    replaceFile(storage, `${FIRST}.log`, bytes);
    expect(() => reopened(storage)).toThrow(UnsupportedFormatError);
    expect(() => reopened(storage)).toThrow(/format 1; only format 2 is read/);
  });

  test('a log that ends below its start begins anew there', () => {
    const storage = new MemoryStorage();
    crashed(storage, 5);
    const log = reopened(storage, { logStartOffset: 50 });
    expect([log.logStartOffset, log.writtenEnd, log.segmentCount]).toEqual([50, 50, 1]);
    appendValues(log, 'a');
    expect(readValues(log)).toEqual([[50, 'a']]);
  });
});
