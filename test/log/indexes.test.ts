// Offset and time index: Kafka's bytes, lookups, preallocation, truncation.
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { OffsetIndex } from '../../src/log/offset-index.ts';
import type { Storage } from '../../src/log/storage.ts';
import { TimeIndex } from '../../src/log/time-index.ts';
import { replaceFile, storageCases, wholeFile } from './log-fixtures.ts';

const MAX_BYTES = 100_000;

describe.each(storageCases)('indexes in $name', ({ make }) => {
  let storage: Storage;
  let root: string;
  let dispose: () => void;
  beforeEach(() => {
    ({ storage, root, dispose } = make());
  });
  afterEach(() => dispose());

  test('an offset index holds relative offset and position, big-endian', () => {
    const index = new OffsetIndex(storage, `${root}/i`, 1000, MAX_BYTES);
    index.append(1007, 4200);
    index.append(1300, 70_000);
    index.file.trim();
    expect(Buffer.from(wholeFile(storage, `${root}/i`)).toString('hex')).toBe('00000007000010680000012c00011170');
    index.file.close();
  });

  test('a time index holds timestamp and relative offset, and skips what is no new largest', () => {
    const index = new TimeIndex(storage, `${root}/t`, 1000, MAX_BYTES);
    index.maybeAppend(0x123456789a, 1002);
    index.maybeAppend(0x123456789a, 1005);
    index.maybeAppend(5, 1006);
    index.file.trim();
    expect(Buffer.from(wholeFile(storage, `${root}/t`)).toString('hex')).toBe('000000123456789a00000002');
    index.file.close();
  });

  test('lookups find the floor entry, whether it was written or waits', () => {
    const index = new OffsetIndex(storage, `${root}/i`, 0, MAX_BYTES);
    expect(index.lookup(5)).toBe(0);
    // More than one pending buffer (512) and more than one block of the file.
    for (let n = 1; n <= 1300; n++) index.append(n * 10, n * 5000);
    for (const n of [1, 2, 383, 384, 385, 511, 512, 513, 1024, 1299, 1300]) {
      expect(index.lookup(n * 10)).toBe(n * 5000);
      expect(index.lookup(n * 10 + 9)).toBe(n * 5000);
      expect(index.lookup(n * 10 - 1)).toBe((n - 1) * 5000);
    }
    index.truncateTo(6000);
    expect(index.entryCount).toBe(599);
    expect(index.lookup(99_999)).toBe(599 * 5000);
    index.append(6005, 600 * 5000);
    expect(index.lookup(99_999)).toBe(600 * 5000);
    index.file.close();
  });

  test('time lookups find the last entry below', () => {
    const index = new TimeIndex(storage, `${root}/t`, 100, MAX_BYTES);
    for (let n = 0; n < 700; n++) index.maybeAppend(1000 + n * 2, 100 + n);
    expect(index.lowerEntry(1000)).toBe(-1);
    expect(index.lowerEntry(1001)).toBe(0);
    expect(index.lowerEntry(1002)).toBe(0);
    expect(index.lowerEntry(5000)).toBe(699);
    expect(index.offsetAt(699)).toBe(799);
    index.truncateTo(150);
    expect(index.lastTimestamp()).toBe(1000 + 49 * 2);
    index.file.close();
  });

  test('a preallocated index that was not trimmed is opened with its entries only', () => {
    const index = new OffsetIndex(storage, `${root}/i`, 0, MAX_BYTES);
    index.file.preallocate(MAX_BYTES);
    for (let n = 1; n <= 700; n++) index.append(n, n * 100);
    index.file.writePending();
    index.file.close();
    expect(wholeFile(storage, `${root}/i`).length).toBe(MAX_BYTES);
    const again = new OffsetIndex(storage, `${root}/i`, 0, MAX_BYTES);
    expect(again.entryCount).toBe(700);
    expect(again.soundEntryCount(1_000_000)).toBe(700);
    expect(again.soundEntryCount(30_000)).toBe(299);
    again.file.close();
  });

  test('two indexes do not see each other through the shared block', () => {
    const one = new OffsetIndex(storage, `${root}/1`, 0, MAX_BYTES);
    const two = new OffsetIndex(storage, `${root}/2`, 0, MAX_BYTES);
    one.append(1, 10);
    two.append(1, 20);
    one.file.writePending();
    two.file.writePending();
    expect([one.lookup(1), two.lookup(1), one.lookup(1)]).toEqual([10, 20, 10]);
    one.append(2, 11);
    one.file.writePending();
    expect([two.lookup(2), one.lookup(2)]).toEqual([20, 11]);
    // The block in memory is this index's own, and older than the entry.
    one.append(3, 12);
    one.file.writePending();
    expect(one.lookup(3)).toBe(12);
    one.file.close();
    two.file.close();
  });

  test('what a crash left is sound up to the first entry that falls back', () => {
    const bytes = Buffer.alloc(40);
    for (const [n, [offset, position]] of [
      [5, 100],
      [9, 200],
      [9, 300],
      [12, 400],
    ].entries()) {
      bytes.writeInt32BE(offset as number, n * 8);
      bytes.writeInt32BE(position as number, n * 8 + 4);
    }
    replaceFile(storage, `${root}/i`, bytes);
    const index = new OffsetIndex(storage, `${root}/i`, 0, MAX_BYTES);
    expect(index.entryCount).toBe(4);
    expect(index.soundEntryCount(1000)).toBe(2);
    index.file.close();
  });
});
