// The log directories of a node: opened together or not at all, but for one that the disk refuses.
import { beforeEach, describe, expect, test } from 'vitest';
import { seededRandom } from '../../src/base/random.ts';
import { type DirectorySet, type DirectorySetOptions, openDirectories, UnformattedDirectoryError } from '../../src/log/directory-set.ts';
import { ForeignDirectoryError } from '../../src/log/log-directory.ts';
import { MemoryStorage } from '../../src/log/memory-storage.ts';
import { StorageError } from '../../src/log/storage.ts';
import { SimStorage } from '../../src/scheduler/sim-storage.ts';

let storage: FailingStorage;
let held: Set<string>;
let seed = 1;

/** Refuses what is below some directories. */
class FailingStorage extends MemoryStorage {
  readonly broken = new Set<string>();

  override readText(path: string): string | null {
    for (const each of this.broken) if (path.startsWith(`${each}/`)) throw new StorageError('EIO', path, 'reading');
    return super.readText(path);
  }
}

beforeEach(() => {
  storage = new FailingStorage();
  held = new Set();
});

function open(options: Partial<DirectorySetOptions> = {}): DirectorySet {
  const lock = (path: string): (() => void) => {
    if (held.has(path)) throw new Error(`${path} is locked`);
    held.add(path);
    return () => {
      if (!held.delete(path)) throw new Error(`${path} is unlocked twice`);
    };
  };
  const random = seededRandom(seed++);
  return openDirectories({ storage, paths: ['a', 'b', 'c'], metadataPath: 'a', nodeId: 1, random, lock, formatsNew: false, ...options });
}

function close({ open: directories, metadata }: DirectorySet, isClean = true): void {
  for (const directory of new Set([metadata, ...directories])) directory.close({ isClean, brokerEpoch: 5 });
}

/** As after the first start of a node, which has made its metadata log. */
function format(options: Partial<DirectorySetOptions> = {}): DirectorySet {
  const set = open(options);
  storage.makeDirectory(`${set.metadata.path}/__cluster_metadata-0`);
  close(set);
  return set;
}

test('all of a new node are formatted: one cluster, an id for each', () => {
  const first = format();
  expect(first.open.map(({ path }) => path)).toEqual(['a', 'b', 'c']);
  expect(first.metadata).toBe(first.open[0]);
  expect(new Set(first.open.map(({ clusterId }) => clusterId)).size).toBe(1);
  const ids = first.open.map(({ directoryId }) => directoryId);
  expect(new Set(ids).size).toBe(3);
  const again = open();
  expect(again.open.map(({ directoryId }) => directoryId)).toEqual(ids);
  expect(again.open.map(({ hadCleanShutdown }) => hadCleanShutdown)).toEqual([true, true, true]);
  expect([...held]).toEqual(['a/.lock', 'b/.lock', 'c/.lock']);
});

test('each is marked as it was left', () => {
  const [a, b, c] = format().open;
  const again = open();
  for (const [index, directory] of again.open.entries()) directory.close({ isClean: index !== 1, brokerEpoch: 6 });
  expect(open().open.map(({ hadCleanShutdown }) => hadCleanShutdown)).toEqual([true, false, true]);
  expect([a, b, c].map((each) => each?.clusterId)).toEqual(again.open.map(({ clusterId }) => clusterId));
});

test('the metadata log may lie in a directory without partitions', () => {
  const set = format({ metadataPath: 'm' });
  expect([set.metadata.path, set.open.map(({ path }) => path)]).toEqual(['m', ['a', 'b', 'c']]);
  expect(open({ metadataPath: 'm' }).metadata.directoryId).toBe(set.metadata.directoryId);
});

test('formatting that was cut short goes on', () => {
  close(open()); // The metadata log was not made yet.
  storage.remove('c/meta.properties');
  expect(open().open).toHaveLength(3);
});

describe('an empty directory beside others that are formatted', () => {
  beforeEach(() => {
    format();
  });

  test.each(['a', 'c'])('is refused: %s', (path) => {
    storage.remove(path);
    expect(() => open()).toThrow(UnformattedDirectoryError);
    expect(() => open()).toThrow(new RegExp(`^${path} has no meta.properties, and . has one: .*naru.format.new.directories=true`));
    expect(storage.exists(`${path}/meta.properties`)).toBe(false);
    expect(held.size).toBe(0);
  });

  test('is formatted where that is meant', () => {
    const [clusterId] = open({ paths: ['a', 'b'] }).open.map((each) => each.clusterId);
    held.clear();
    const set = open({ paths: ['a', 'b', 'c', 'd'], formatsNew: true });
    expect(set.open.map((each) => each.clusterId)).toEqual(Array(4).fill(clusterId));
  });
});

describe('is refused with nothing changed and nothing locked', () => {
  beforeEach(() => {
    format();
  });
  const change = (path: string, from: RegExp, to: string): void => {
    storage.replaceText(`${path}/meta.properties`, (storage.readText(`${path}/meta.properties`) ?? '').replace(from, to));
  };
  const refused = (message: RegExp): void => {
    const files = storage.list('b');
    expect(() => open()).toThrow(ForeignDirectoryError);
    expect(() => open()).toThrow(message);
    expect(held.size).toBe(0);
    expect(storage.list('b')).toEqual(files); // The mark of the clean stop is not taken either.
  };

  test('a directory of another node', () => {
    change('c', /node.id=1/, 'node.id=7');
    refused(/^c belongs to node 7, not to 1$/);
  });

  test('a directory of another cluster', () => {
    change('b', /cluster.id=.*/, 'cluster.id=other');
    refused(/^b belongs to cluster other, and a to .*: one node has directories of one cluster$/);
  });

  test('a copy', () => {
    storage.replaceText('c/meta.properties', storage.readText('b/meta.properties') ?? '');
    refused(/^c and b have the same directory.id=.*: they are one directory, or one is a copy of the other$/);
  });

  test('a metadata log elsewhere than metadata.log.dir', () => {
    storage.makeDirectory('c/__cluster_metadata-0');
    refused(/^c holds a metadata log, which belongs into a: set metadata.log.dir=c, or move it$/);
  });
});

describe('a directory that cannot be read', () => {
  beforeEach(() => {
    format();
  });

  test('is left out and named', () => {
    storage.broken.add('b');
    const set = open();
    expect(set.open.map(({ path }) => path)).toEqual(['a', 'c']);
    expect(set.refused).toMatchObject([{ path: 'b', error: { errno: 'EIO' } }]);
    expect([...held]).toEqual(['a/.lock', 'c/.lock']);
    close(set);
  });

  test('is left out as it is where that shows at one of its partitions', () => {
    for (const path of ['a', 'b']) storage.makeDirectory(`${path}/x-1`);
    const files = storage.list('b');
    storage.broken.add('b/x-1');
    const set = open();
    expect(set.open.map(({ path }) => path)).toEqual(['a', 'c']);
    expect(set.refused).toMatchObject([{ path: 'b', error: { path: 'b/x-1/partition.metadata' } }]);
    expect([...held]).toEqual(['a/.lock', 'c/.lock']);
    expect(storage.list('b')).toEqual(files);
    close(set);
    storage.broken.add('a/x-1');
    expect(() => open()).toThrow(StorageError);
    expect(held.size).toBe(0);
  });

  test('ends the start where it holds the metadata log, or is the last one', () => {
    storage.broken.add('a');
    expect(() => open()).toThrow(StorageError);
    storage.broken.clear();
    for (const path of ['b', 'c']) storage.broken.add(path);
    expect(open().open).toHaveLength(1);
    held.clear();
    storage.broken.add('a');
    expect(() => open()).toThrow(StorageError);
    expect(held.size).toBe(0);
  });
});

test.each([
  ['a', '.'],
  ['a/b/c', '.'],
  ['a/b/c', 'a'],
  ['a/b/c', 'a/b'],
])('%s is there after a loss of power though an earlier start made names in %s and could not put them onto the medium', (path, parent) => {
  for (let round = 1; round <= 20; round++) {
    const disk = new SimStorage({ random: seededRandom(round), later: (task) => task() });
    const cut = { refuse: (what: string, synced: string) => (what === 'syncDirectory' && synced === parent ? 'EIO' : null) };
    const options = { paths: [path], metadataPath: path, storage: disk }; // A second one would be made, and synced, beside it.
    disk.setFaults(cut);
    expect(() => open(options)).toThrow(StorageError); // As a kill there would end it, too.
    expect(disk.list(parent)).toHaveLength(1);
    disk.setFaults({});
    const { clusterId } = open(options).metadata;
    held.clear();
    const { open: opened, metadata } = open({ ...options, storage: disk.crash() });
    expect(opened.map(({ isNew }) => isNew)).toEqual([false]);
    expect(metadata.clusterId).toBe(clusterId);
    held.clear();
  }
});

test.each(['EACCES', 'EPERM', 'EROFS', 'EINVAL', 'ENOTSUP'] as const)(
  'a parent that cannot be synced (%s) hinders only who has to make a directory there',
  (errno) => {
    const disk = new SimStorage({ random: seededRandom(1), later: (task) => task() });
    for (const path of ['a', 'b']) disk.makeDirectory(path);
    disk.setFaults({ refuse: (what, path) => (what === 'syncDirectory' && path === '.' ? errno : null) });
    const { open: opened, refused } = open({ storage: disk });
    expect(opened.map(({ path }) => path)).toEqual(['a', 'b']);
    expect(refused.map(({ path, error }) => [path, error.errno])).toEqual([['c', errno]]);
  },
);
