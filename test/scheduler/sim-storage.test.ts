import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { seededRandom } from '../../src/base/random.ts';
import { MemoryStorage } from '../../src/log/memory-storage.ts';
import { type Storage, StorageError, type StorageFile } from '../../src/log/storage.ts';
import type { StorageFaults } from '../../src/scheduler/sim-faults.ts';
import { SECTOR_BYTES } from '../../src/scheduler/sim-medium.ts';
import { SimStorage } from '../../src/scheduler/sim-storage.ts';

/** A disk whose late syncs end when the test says so. */
function makeDisk(seed: number, faults: StorageFaults = {}) {
  const late: (() => void)[] = [];
  const disk = new SimStorage({ random: seededRandom(seed), faults, later: (task) => late.push(task) });
  return { disk, runLate: () => late.splice(0).forEach((task) => void task()) };
}

/** A directory whose name is safe, and a file in it that is not yet. */
function makeFile(disk: SimStorage): StorageFile {
  disk.makeDirectory('d');
  disk.syncDirectory('');
  return disk.open('d/f', 'create');
}

function write(file: StorageFile, text: string, position: number): void {
  const bytes = Buffer.from(text);
  expect(file.write(bytes, 0, bytes.length, position)).toBe(bytes.length);
}

function errnoOf(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    if (error instanceof StorageError) return error.errno;
    throw error;
  }
  return 'none';
}

/** What crashes with many seeds leave, counted by the text that `outcome` makes of it. */
function outcomes(arrange: (disk: SimStorage) => void, outcome: (disk: SimStorage) => string): Map<string, number> {
  const counts = new Map<string, number>();
  for (let seed = 0; seed < 300; seed++) {
    const { disk } = makeDisk(seed);
    arrange(disk);
    const found = outcome(disk.crash());
    counts.set(found, (counts.get(found) ?? 0) + 1);
  }
  return counts;
}

describe('what a power loss leaves', () => {
  test('all of what was synced, name and data', () => {
    const found = outcomes(
      (disk) => {
        const file = makeFile(disk);
        write(file, 'x'.repeat(3000), 0);
        file.sync();
        disk.syncDirectory('d');
      },
      (disk) => disk.readText('d/f') ?? 'gone',
    );
    expect([...found.keys()]).toEqual(['x'.repeat(3000)]);
  });

  test('of a file whose data was synced but not its directory: all or no file', () => {
    const found = outcomes(
      (disk) => {
        const file = makeFile(disk);
        write(file, 'data', 0);
        file.sync();
      },
      (disk) => disk.readText('d/f') ?? 'gone',
    );
    expect([...found.keys()].sort()).toEqual(['data', 'gone']);
  });

  test('of a write over two sectors since the sync: each sector old or new, in every combination', () => {
    const found = outcomes(
      (disk) => {
        const file = makeFile(disk);
        write(file, 'o'.repeat(2 * SECTOR_BYTES), 0);
        file.sync();
        disk.syncDirectory('d');
        write(file, 'n'.repeat(20), SECTOR_BYTES - 10);
      },
      (disk) => disk.readText('d/f')?.slice(SECTOR_BYTES - 11, SECTOR_BYTES + 11) ?? 'gone',
    );
    const [old, young] = ['o'.repeat(10), 'n'.repeat(10)];
    expect([...found.keys()].sort()).toEqual([old + old, old + young, young + old, young + young].map((bytes) => `o${bytes}o`).sort());
  });

  test('of an append that was not synced: a hole before a kept sector reads as zeros', () => {
    const found = outcomes(
      (disk) => {
        const file = makeFile(disk);
        disk.syncDirectory('d');
        write(file, 'a'.repeat(SECTOR_BYTES) + 'b'.repeat(SECTOR_BYTES), 0);
      },
      (disk) => {
        const text = disk.readText('d/f') ?? 'gone';
        return `${text.length} ${text.charCodeAt(0)} ${text.charCodeAt(SECTOR_BYTES)}`;
      },
    );
    expect([...found.keys()].sort()).toEqual(['0 NaN NaN', '1024 0 98', '1024 97 98', '512 97 NaN'].sort());
  });

  test('of two writes one after the other: also the second without the first', () => {
    const found = outcomes(
      (disk) => {
        const file = makeFile(disk);
        disk.syncDirectory('d');
        write(file, 'a'.repeat(SECTOR_BYTES), 0);
        write(file, 'b'.repeat(SECTOR_BYTES), SECTOR_BYTES);
      },
      (disk) => disk.readText('d/f')?.replaceAll(/(.)\1+/gs, '$1') ?? 'gone',
    );
    expect([...found.keys()].sort()).toEqual(['', 'a', 'ab', '\0b'].sort());
  });

  test('of a truncation that was not synced: the old length or the new one', () => {
    const found = outcomes(
      (disk) => {
        const file = makeFile(disk);
        write(file, '123456', 0);
        file.sync();
        disk.syncDirectory('d');
        file.truncate(3);
      },
      (disk) => disk.readText('d/f') ?? 'gone',
    );
    expect([...found.keys()].sort()).toEqual(['123', '123456']);
  });

  test('of a rename over another file that was not synced: the old one or the new one, never none and never both', () => {
    const found = outcomes(
      (disk) => {
        const file = makeFile(disk);
        write(file, 'old', 0);
        file.sync();
        const young = disk.open('d/g', 'create');
        write(young, 'new', 0);
        young.sync();
        disk.syncDirectory('d');
        disk.rename('d/g', 'd/f');
      },
      (disk) => `${disk.readText('d/f')} ${disk.readText('d/g')}`,
    );
    expect([...found.keys()].sort()).toEqual(['new null', 'old new']);
  });

  test('replaceText leaves the old or the new text, and the new one once it has returned', () => {
    for (let seed = 0; seed < 100; seed++) {
      const { disk } = makeDisk(seed);
      disk.makeDirectory('d');
      disk.syncDirectory('');
      disk.replaceText('d/f', 'first text');
      let calls = 0;
      disk.setFaults({ refuse: (operation) => (operation !== 'open' && calls++ === seed % 6 ? 'EIO' : null) });
      const isThrough = errnoOf(() => disk.replaceText('d/f', 'second')) === 'none';
      const after = disk.crash();
      after.setFaults({});
      const text = after.readText('d/f');
      if (isThrough) expect(text).toBe('second');
      else expect(['first text', 'second']).toContain(text);
    }
  });

  test('changes of a directory come back in their order: a later one never without an earlier one', () => {
    const found = outcomes(
      (disk) => {
        disk.makeDirectory('d');
        disk.syncDirectory('');
        for (const name of ['1', '2', '3']) disk.open(`d/${name}`, 'create');
        disk.remove('d/1');
      },
      (disk) => disk.list('d').sort().join(''),
    );
    expect([...found.keys()].sort()).toEqual(['', '1', '12', '123', '23']);
  });

  test('a removed directory and what was in it may come back, a synced removal does not', () => {
    const arrange = (disk: SimStorage): void => {
      makeFile(disk).sync();
      disk.syncDirectory('d');
      disk.remove('d');
    };
    const found = outcomes(arrange, (disk) => `${disk.isDirectory('d')} ${disk.exists('d/f')}`);
    expect([...found.keys()].sort()).toEqual(['false false', 'true false', 'true true']);
    const synced = outcomes(
      (disk) => {
        arrange(disk);
        disk.syncDirectory('');
      },
      (disk) => String(disk.exists('d')),
    );
    expect([...synced.keys()]).toEqual(['false']);
  });

  test('a rename into another directory may be half done, with both names on the same file', () => {
    const found = outcomes(
      (disk) => {
        makeFile(disk).sync();
        disk.makeDirectory('e');
        disk.syncDirectory('');
        disk.syncDirectory('d');
        disk.rename('d/f', 'e/f');
      },
      (disk) => `${disk.exists('d/f')} ${disk.exists('e/f')}`,
    );
    expect(found.get('true false') ?? 0).toBeGreaterThan(0);
    expect(found.get('false true') ?? 0).toBeGreaterThan(0);
    expect(found.get('true true') ?? 0).toBeGreaterThan(0);
  });

  test('the disk before the crash, and what was open on it, is dead', () => {
    const { disk } = makeDisk(1);
    const file = makeFile(disk);
    disk.crash();
    expect(() => disk.exists('d')).toThrow('after its crash');
    expect(() => file.write(Buffer.from('x'), 0, 1, 0)).toThrow('after its crash');
  });

  test('a crash after a crash loses nothing more', () => {
    for (let seed = 0; seed < 50; seed++) {
      const { disk } = makeDisk(seed);
      write(makeFile(disk), 'abc'.repeat(1000), 0);
      const once = disk.crash();
      const text = once.readText('d/f');
      expect(once.crash().readText('d/f')).toBe(text);
    }
  });
});

describe('syncLater', () => {
  test('covers what was written before it was asked for, no more', () => {
    const lengths = new Set<number>();
    for (let seed = 0; seed < 100; seed++) {
      const { disk, runLate } = makeDisk(seed);
      const file = makeFile(disk);
      disk.syncDirectory('d');
      write(file, 'a'.repeat(SECTOR_BYTES), 0);
      const ended: (Error | null)[] = [];
      file.syncLater((error) => ended.push(error));
      write(file, 'b'.repeat(SECTOR_BYTES), SECTOR_BYTES);
      expect(ended).toEqual([]);
      runLate();
      expect(ended).toEqual([null]);
      const text = disk.crash().readText('d/f') ?? '';
      expect(text.startsWith('a'.repeat(SECTOR_BYTES))).toBe(true);
      lengths.add(text.length);
    }
    expect([...lengths].sort((a, b) => a - b)).toEqual([SECTOR_BYTES, 2 * SECTOR_BYTES]);
  });

  test('never ends after a power loss', () => {
    const { disk, runLate } = makeDisk(1);
    const file = makeFile(disk);
    file.syncLater(() => expect.unreachable());
    disk.crash();
    runLate();
  });

  test('tells its error', () => {
    const { disk, runLate } = makeDisk(1);
    const file = makeFile(disk);
    const ended: (string | undefined)[] = [];
    disk.setFaults({ syncErrorsIn1000: 1000 });
    file.syncLater((error) => ended.push(error?.errno));
    runLate();
    expect(ended).toEqual(['EIO']);
  });
});

describe('faults', () => {
  test('a disk that is full takes what fits, then says ENOSPC, and takes more when something is removed', () => {
    const { disk } = makeDisk(1, { capacityBytes: 100 });
    const file = makeFile(disk);
    const other = disk.open('d/other', 'create');
    write(other, 'x'.repeat(40), 0);
    expect(file.write(Buffer.alloc(100), 0, 100, 0)).toBe(60);
    expect(errnoOf(() => file.write(Buffer.alloc(1), 0, 1, 60))).toBe('ENOSPC');
    write(file, 'over what is there', 0);
    disk.remove('d/other');
    write(file, 'y'.repeat(40), 60);
    expect(disk.usedBytes()).toBe(100);
  });

  test('a short write takes at least one byte and reports what it took', () => {
    const { disk } = makeDisk(1, { shortWritesIn1000: 1000 });
    const file = makeFile(disk);
    const bytes = Buffer.from('0123456789');
    const counts = new Set<number>();
    for (let i = 0; i < 200; i++) {
      file.truncate(0);
      const count = file.writeGathered([bytes.subarray(0, 4), bytes.subarray(4)], 0);
      counts.add(count);
      expect(file.sizeBytes()).toBe(count);
      expect(disk.readText('d/f')).toBe('0123456789'.slice(0, count));
    }
    expect(Math.min(...counts)).toBe(1);
    expect(Math.max(...counts)).toBe(9);
  });

  test('a failed sync: the writes read back, a later sync succeeds, and still a power loss may take them', () => {
    const found = new Set<string>();
    for (let seed = 0; seed < 200; seed++) {
      const { disk } = makeDisk(seed);
      const file = makeFile(disk);
      disk.syncDirectory('d');
      write(file, 'a'.repeat(SECTOR_BYTES), 0);
      disk.setFaults({ syncErrorsIn1000: 1000 });
      expect(errnoOf(() => file.sync())).toBe('EIO');
      disk.setFaults({});
      write(file, 'b'.repeat(SECTOR_BYTES), SECTOR_BYTES);
      file.sync();
      expect(disk.readText('d/f')?.length).toBe(2 * SECTOR_BYTES);
      found.add(
        disk
          .crash()
          .readText('d/f')
          ?.replaceAll(/(.)\1+/gs, '$1') ?? 'gone',
      );
    }
    expect([...found].sort()).toEqual(['ab', '\0b'].sort());
  });

  test('a test can aim at one call', () => {
    const { disk } = makeDisk(1, { refuse: (operation, path) => (operation === 'rename' && path === 'd/f' ? 'EACCES' : null) });
    makeFile(disk);
    expect(errnoOf(() => disk.rename('d/f', 'd/g'))).toBe('EACCES');
    expect(disk.exists('d/f')).toBe(true);
  });

  test('chances are drawn: about as many calls fail as were asked for', () => {
    const { disk } = makeDisk(1, { writeErrorsIn1000: 300, readErrorsIn1000: 100 });
    disk.setFaults({});
    const file = makeFile(disk);
    disk.setFaults({ writeErrorsIn1000: 300, readErrorsIn1000: 100 });
    let [writeErrors, readErrors] = [0, 0];
    for (let i = 0; i < 1000; i++) {
      if (errnoOf(() => file.write(Buffer.alloc(1), 0, 1, 0)) === 'EIO') writeErrors++;
      if (errnoOf(() => file.read(Buffer.alloc(1), 0, 1, 0)) === 'EIO') readErrors++;
    }
    expect(writeErrors).toBeGreaterThan(230);
    expect(writeErrors).toBeLessThan(370);
    expect(readErrors).toBeGreaterThan(60);
    expect(readErrors).toBeLessThan(140);
  });

  test('what the interface refuses, it refuses', () => {
    const { disk } = makeDisk(1);
    const file = makeFile(disk);
    expect(errnoOf(() => disk.open('d/none', 'read'))).toBe('ENOENT');
    expect(errnoOf(() => disk.open('none/f', 'create'))).toBe('ENOENT');
    expect(errnoOf(() => disk.open('d', 'read'))).toBe('EISDIR');
    expect(errnoOf(() => disk.rename('d/none', 'd/g'))).toBe('ENOENT');
    expect(errnoOf(() => disk.syncDirectory('none'))).toBe('ENOENT');
    expect(errnoOf(() => disk.open('d/f', 'read').write(Buffer.alloc(1), 0, 1, 0))).toBe('EBADF');
    file.close();
    expect(errnoOf(() => file.sizeBytes())).toBe('EBADF');
    disk.remove('none');
    expect(disk.list('none')).toEqual([]);
    expect(disk.readText('none')).toBeNull();
  });
});

test('without faults and crashes it answers as a disk in memory does', () => {
  const names = ['a', 'b', 'd/a', 'd/b', 'd/e/a'];
  const name = fc.constantFrom(...names);
  const directory = fc.constantFrom('d', 'd/e', 'g');
  const size = fc.nat(2000);
  const act = fc.oneof(
    fc.record({ do: fc.constant('write' as const), name, size, position: size }),
    fc.record({ do: fc.constant('truncate' as const), name, size }),
    fc.record({ do: fc.constant('read' as const), name, size, position: size }),
    fc.record({ do: fc.constant('rename' as const), name, to: name }),
    fc.record({ do: fc.constant('remove' as const), name: fc.oneof(name, directory) }),
    fc.record({ do: fc.constant('replace' as const), name }),
    fc.record({ do: fc.constant('make' as const), name: directory }),
    fc.record({ do: fc.constant('list' as const), name: directory }),
    fc.record({ do: fc.constant('sync' as const), name }),
  );
  const perform = (
    storage: Storage,
    step: (typeof act extends fc.Arbitrary<infer T> ? T : never) & { readonly number: number },
  ): unknown => {
    const bytes = (length: number): Buffer => Buffer.alloc(length, step.number + 1);
    try {
      switch (step.do) {
        case 'write':
          return storage.open(step.name, 'create').writeGathered([bytes(step.size), bytes(3)], step.position);
        case 'truncate': {
          const file = storage.open(step.name, 'read-write');
          file.truncate(step.size);
          return file.sizeBytes();
        }
        case 'read': {
          const target = Buffer.alloc(step.size + 2, 0xee);
          const count = storage.open(step.name, 'read').read(target, 1, step.size, step.position);
          return `${count} ${target.toString('hex', 0, count + 1)} ${target.at(-1)}`;
        }
        case 'rename':
          return storage.exists(step.name) && storage.rename(step.name, step.to);
        case 'remove':
          return storage.remove(step.name);
        case 'replace':
          storage.replaceText(step.name, `text ${step.number}`);
          return storage.readText(step.name);
        case 'make':
          return storage.makeDirectory(step.name);
        case 'list':
          return [storage.isDirectory(step.name), storage.list(step.name).sort()];
        case 'sync':
          return storage.open(step.name, 'read-write').sync();
      }
    } catch (error) {
      if (error instanceof StorageError) return error.errno;
      throw error;
    }
  };
  fc.assert(
    fc.property(fc.array(act, { maxLength: 40 }), (steps) => {
      const { disk } = makeDisk(1);
      const memory = new MemoryStorage();
      steps.forEach((step, number) => {
        expect([step, perform(disk, { ...step, number })]).toEqual([step, perform(memory, { ...step, number })]);
      });
    }),
    { numRuns: 300 },
  );
});
