// Both storages keep the same promises.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { FileStorage, readDescriptor } from '../../src/log/file-storage.ts';
import { type Storage, StorageError, type StorageFile } from '../../src/log/storage.ts';
import { configureNative } from '../../src/native/load.ts';
import { storageCases } from './log-fixtures.ts';

describe.each(storageCases)('storage in $name', ({ make }) => {
  let storage: Storage;
  let root: string;
  let dispose: () => void;
  beforeEach(() => {
    ({ storage, root, dispose } = make());
  });
  afterEach(() => dispose());

  const errnoOf = (run: () => unknown): string => {
    try {
      run();
    } catch (error) {
      if (error instanceof StorageError) return error.errno;
      throw error;
    }
    return 'none';
  };

  test('writes and reads at positions, with zeros in the gaps', () => {
    const file = storage.open(`${root}/a`, 'create');
    expect(file.write(Buffer.from('xxhello'), 2, 5, 10)).toBe(5);
    const target = Buffer.alloc(20, 0xff);
    expect(file.read(target, 1, 19, 8)).toBe(7);
    expect([...target.subarray(0, 9)]).toEqual([0xff, 0, 0, ...Buffer.from('hello'), 0xff]);
    expect(file.sizeBytes()).toBe(15);
    expect(file.read(target, 0, 4, 15)).toBe(0);
    file.close();
  });

  test('tells who wants a file brought that it was closed meanwhile, as it tells everybody', async () => {
    const file = storage.open(`${root}/a`, 'create');
    file.write(Buffer.from('hello'), 0, 5, 0);
    await new Promise<void>((done) => file.cacheLater(5, 0, done));
    file.close();
    await new Promise<void>((done) => file.cacheLater(5, 0, done));
  });

  test('writes pieces behind one another in one call', () => {
    const file = storage.open(`${root}/a`, 'create');
    expect(file.writeGathered([Buffer.from('one'), Buffer.from(new SharedArrayBuffer(2)), Buffer.from('two')], 1)).toBe(8);
    const target = Buffer.alloc(9);
    file.read(target, 0, 9, 0);
    expect(target.toString('latin1')).toBe('\0one\0\0two');
    file.close();
  });

  test('writes what is larger than one system call takes, from wherever it begins', () => {
    const file = storage.open(`${root}/a`, 'create');
    const bytes = Buffer.from(Array.from({ length: 300_000 }, (_, at) => (at * 31 + (at >> 8)) & 0xff));
    for (const position of [0, 1, 65_535, 65_536, 100_000]) {
      file.truncate(0);
      expect(file.write(bytes, 7, 299_993, position)).toBe(299_993);
      const target = Buffer.alloc(299_993);
      expect(file.read(target, 0, target.length, position)).toBe(target.length);
      expect(target.equals(bytes.subarray(7))).toBe(true);
      file.truncate(0);
      const ends = [0, 10, 60_000, 70_000, 200_001, 200_001, 299_000, 300_000];
      const pieces = ends.slice(1).map((end, at) => bytes.subarray(ends[at], end));
      expect(file.writeGathered(pieces, position)).toBe(300_000);
      const whole = Buffer.alloc(300_000);
      expect(file.read(whole, 0, whole.length, position)).toBe(whole.length);
      expect(whole.equals(bytes)).toBe(true);
      expect(file.sizeBytes()).toBe(position + 300_000);
    }
    file.close();
  });

  test('truncates in both directions; what comes back is zeros', () => {
    const file = storage.open(`${root}/a`, 'create');
    file.write(Buffer.from('abcdef'), 0, 6, 0);
    file.truncate(2);
    file.truncate(4);
    const target = Buffer.alloc(4);
    expect(file.read(target, 0, 4, 0)).toBe(4);
    expect(target.toString('latin1')).toBe('ab\0\0');
    file.close();
  });

  test('opens what is there and refuses what is not', () => {
    expect(errnoOf(() => storage.open(`${root}/a`, 'read'))).toBe('ENOENT');
    expect(errnoOf(() => storage.open(`${root}/a`, 'read-write'))).toBe('ENOENT');
    expect(errnoOf(() => storage.open(`${root}/no/a`, 'create'))).toBe('ENOENT');
    const file = storage.open(`${root}/a`, 'create');
    file.write(Buffer.from('abc'), 0, 3, 0);
    file.close();
    const again = storage.open(`${root}/a`, 'create');
    expect(again.sizeBytes()).toBe(3);
    again.close();
    expect(storage.exists(`${root}/a`)).toBe(true);
    expect(storage.isDirectory(`${root}/a`)).toBe(false);
  });

  test('reads through a descriptor until the file is closed', () => {
    const file = storage.open(`${root}/a`, 'create');
    file.write(Buffer.from('abcdef'), 0, 6, 0);
    const target = Buffer.alloc(4);
    const { descriptor } = file;
    expect(descriptor).not.toBe(-1);
    expect(readDescriptor(descriptor, target, 1, 3, 2)).toBe(3);
    expect(target.toString('latin1')).toBe('\0cde');
    file.close();
    expect(errnoOf(() => readDescriptor(descriptor, target, 0, 1, 0))).toBe('EBADF');
  });

  test('lists, renames and removes files and directories', () => {
    expect(errnoOf(() => storage.makeDirectory(`${root}/d/e`))).toBe('ENOENT');
    expect(storage.exists(`${root}/d`)).toBe(false);
    storage.makeDirectories(`${root}/d/e`);
    storage.makeDirectory(`${root}/d/e`);
    storage.open(`${root}/d/f`, 'create').close();
    storage.open(`${root}/d/e/g`, 'create').close();
    expect(storage.list(`${root}/d`).sort()).toEqual(['e', 'f']);
    expect(storage.list(`${root}/none`)).toEqual([]);
    storage.rename(`${root}/d`, `${root}/moved`);
    expect(storage.list(root)).toEqual(['moved']);
    expect(storage.list(`${root}/moved/e`)).toEqual(['g']);
    storage.rename(`${root}/moved/f`, `${root}/h`);
    storage.syncDirectory(root);
    storage.remove(`${root}/moved`);
    storage.remove(`${root}/moved`);
    expect(storage.list(root)).toEqual(['h']);
    expect(errnoOf(() => storage.rename(`${root}/none`, `${root}/x`))).toBe('ENOENT');
  });

  test('an open file survives the renaming of its directory', () => {
    storage.makeDirectory(`${root}/d`);
    const file = storage.open(`${root}/d/f`, 'create');
    storage.rename(`${root}/d`, `${root}/e`);
    file.write(Buffer.from('z'), 0, 1, 0);
    expect(storage.readText(`${root}/e/f`)).toBe('z');
    file.close();
  });

  test('replaces small files whole', () => {
    expect(storage.readText(`${root}/t`)).toBeNull();
    storage.replaceText(`${root}/t`, 'a longer text');
    storage.replaceText(`${root}/t`, 'short');
    expect(storage.readText(`${root}/t`)).toBe('short');
    expect(storage.list(root)).toEqual(['t']);
  });

  test('syncs later, once, even when the file is closed meanwhile', async () => {
    const file = storage.open(`${root}/a`, 'create');
    file.write(Buffer.from('abc'), 0, 3, 0);
    let isInCall = true;
    const answers: Array<StorageError | null> = [];
    await new Promise<void>((resolve) => {
      file.syncLater((error) => {
        expect(isInCall).toBe(false);
        answers.push(error);
        resolve();
      });
      file.close();
      isInCall = false;
    });
    expect(answers).toEqual([null]);
  });
});

// Beside the tree, since memory that is mounted as a disk waits for nothing.
describe('a real disk, where nobody can tell what is in the page cache', () => {
  const KIB = 1024;
  const target = new Uint8Array(64 * KIB);
  let root = '';
  let file: StorageFile;
  const has = (length: number, position: number): boolean => file.readCached(target, 0, length, position) === length;
  const bring = (length: number, position: number): Promise<void> => new Promise((done) => file.cacheLater(length, position, done));
  beforeEach(() => {
    configureNative({ enabled: false });
    vi.useFakeTimers({ toFake: ['performance'] });
    root = mkdtempSync(join(process.cwd(), 'node_modules/.blind-'));
    writeFileSync(`${root}/a`, Buffer.alloc(1024 * KIB, 'x'));
    file = new FileStorage().open(`${root}/a`, 'read-write');
  });
  afterEach(() => {
    file.close();
    rmSync(root, { recursive: true });
    vi.useRealTimers();
    configureNative({ enabled: true });
  });

  test('remembers for a while what the pool has read, long pieces and short ones', async () => {
    expect(has(4 * KIB, 80 * KIB)).toBe(false);
    await bring(64 * KIB, 64 * KIB);
    target.fill(0);
    expect(has(4 * KIB, 80 * KIB)).toBe(true);
    expect(target[0]).toBe('x'.charCodeAt(0));
    expect(has(64 * KIB, 64 * KIB)).toBe(true);
    expect(has(4 * KIB, 62 * KIB)).toBe(false);
    expect(has(4 * KIB, 126 * KIB)).toBe(false);
    vi.advanceTimersByTime(29_000);
    expect(has(4 * KIB, 80 * KIB)).toBe(true);
    vi.advanceTimersByTime(2_000);
    expect(has(4 * KIB, 80 * KIB)).toBe(false);
    await bring(64 * KIB, 64 * KIB);
    expect(has(4 * KIB, 80 * KIB)).toBe(true);
  });

  test('remembers the last ranges alone', async () => {
    const ranges = Array.from({ length: 9 }, (_, at) => at * 64 * KIB);
    expect(has(1, 0)).toBe(false);
    for (const position of ranges) await bring(64 * KIB, position);
    expect(ranges.map((position) => has(64 * KIB, position))).toEqual(ranges.map((position) => position > 0));
  });

  test('takes what was written last for cached', () => {
    expect(has(4 * KIB, 0)).toBe(false);
    file.write(target, 0, 10, 1024 * KIB);
    expect(has(4 * KIB, 0)).toBe(true);
  });
});

describe('directories on the real disk', () => {
  const errnoOf = (path: string): string => {
    try {
      new FileStorage().makeDirectories(path);
    } catch (error) {
      if (error instanceof StorageError) return `${error.errno} of ${error.path}`;
      throw error;
    }
    return 'none';
  };

  test.runIf(process.platform === 'linux').each(['/proc/self/x', '/proc/self/x/y', '/proc/x'])(
    '%s cannot be made, which is said',
    (path) => {
      expect(errnoOf(path)).toBe(`ENOENT of ${path}`);
    },
  );

  test('are made with those above them, and not below a file', () => {
    const root = mkdtempSync(join(tmpdir(), 'naru-directories-'));
    try {
      expect([errnoOf(`${root}/a/b/c`), errnoOf(`${root}/a/b`), errnoOf(`${root}/a/d`)]).toEqual(['none', 'none', 'none']);
      expect(new FileStorage().list(`${root}/a`).sort()).toEqual(['b', 'd']);
      writeFileSync(`${root}/file`, '');
      expect(errnoOf(`${root}/file`)).toBe(`EEXIST of ${root}/file`);
      expect(errnoOf(`${root}/file/a/b`)).toBe(`ENOTDIR of ${root}/file/a/b`);
    } finally {
      rmSync(root, { recursive: true });
    }
  });
});
