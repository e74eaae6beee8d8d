// Every schedule of a log that loses its oldest files one by one and of readers who read on: no file is closed under a reader, and readers
// that have come since do not keep it open.
import { describe, expect, it } from 'vitest';
import type { Words } from '../../src/actors/shared-words.ts';
import { ReaderCounts } from '../../src/partition/reader-counts.ts';
import { directWords, type Explored, explore, type Thread, type ThreadContext } from './explorer.ts';

const SLOT = 0;
const VERSION = 0;
const READERS = 1;
/** The oldest file that is part of the log: what a plan names. */
const FIRST_FILE = 2;
/** Stand for the open files: whoever closes one writes here, whoever reads from it reads here. */
const FILES = 3;
const FILE_COUNT = 3;
const WORD_COUNT = FILES + FILE_COUNT;
/** Looks of the owner in one round of removal; in life it goes on looking. */
const LOOKS = 2;

type Wrap = (words: Words) => Words;
const same: Wrap = (words) => words;

interface Faults {
  /** The owner raises the version whoever is left. */
  readonly raisesUnasked?: boolean;
  /** The owner closes at once. */
  readonly waitsForNobody?: boolean;
  /** What the readers' and the owner's accesses go through. */
  readonly wrap?: Wrap;
  readonly ownerWrap?: Wrap;
}

function make({ words }: ThreadContext, wrap: Wrap = same): ReaderCounts {
  return new ReaderCounts({ words: wrap(words), slotStrideWords: 2, versionWord: VERSION, readersWord: READERS });
}

/** Takes the two oldest files out of the log, one in a round. */
function remover(faults: Faults): Thread {
  return (context) => {
    const counts = make(context, faults.ownerWrap);
    const { words } = context;
    return () => {
      for (let file = 0; file < FILE_COUNT - 1; file++) {
        words.store(FIRST_FILE, file + 1);
        if (faults.raisesUnasked) words.add(VERSION, 1);
        else if (!counts.tryRaise(SLOT)) return context.report('not raised');
        const version = words.load(VERSION);
        for (let looks = 1; !faults.waitsForNobody && counts.hasEarlier(SLOT, version); looks++) {
          if (looks === LOOKS) return context.report('later');
        }
        words.storePlain(FILES + file, 1);
        context.report(`closed ${file}`);
      }
    };
  };
}

/** Plans and reads, `reads` times; an overlapping one enters the next read before it ends the one before. From `goneAt` on there are no plans. */
function reader(reads: number, isOverlapping: boolean, wrap: Wrap = same, goneAt = Number.POSITIVE_INFINITY): Thread {
  return (context) => {
    const counts = make(context, wrap);
    const { words } = context;
    return () => {
      let open: { version: number; file: number } | null = null;
      const finish = ({ version, file }: { version: number; file: number }): void => {
        if (words.loadPlain(FILES + file) !== 0) throw new Error('read from a closed file');
        counts.leave(SLOT, version);
        context.report(`read ${file}`);
      };
      for (let read = 0; read < reads; read++) {
        // The version first: the owner stores it last, so that what is planned at a version is part of the log at it.
        const version = words.load(VERSION);
        if (version >= goneAt) break;
        const file = words.load(FIRST_FILE);
        const isIn = counts.enter(SLOT, version);
        if (!isIn) context.report('void');
        if (open !== null) finish(open);
        open = null;
        if (!isIn) continue;
        if (isOverlapping) open = { version, file };
        else finish({ version, file });
      }
      if (open !== null) finish(open);
    };
  };
}

function exploreRemoval(readers: readonly Thread[], faults: Faults = {}, ends: Set<string> = new Set()): Explored {
  return explore({
    wordCount: WORD_COUNT,
    threads: [remover(faults), ...readers],
    check: ([owner], memory) => {
      expect(memory[READERS]).toBe(0); // Nobody is left in the counts.
      ends.add((owner as string[]).join(', '));
    },
  });
}

describe('all schedules of reads and the removal of the oldest files', () => {
  it('one reader whose reads overlap', () => {
    const ends = new Set<string>();
    expect(exploreRemoval([reader(3, true)], {}, ends).ends).toBeGreaterThan(50);
    expect([...ends].sort()).toEqual(['closed 0, closed 1', 'closed 0, later', 'closed 0, not raised', 'later']);
  });

  it('two readers', () => {
    expect(exploreRemoval([reader(1, false), reader(1, false)]).ends).toBeGreaterThan(100);
  });

  it('the log goes as a whole in the middle of a removal', () => {
    const owner: Thread = (context) => {
      const counts = make(context);
      const { words } = context;
      return () => {
        words.store(FIRST_FILE, 1);
        counts.tryRaise(SLOT);
        const version = words.load(VERSION);
        words.add(VERSION, 1); // Unasked: nobody plans any more.
        if (counts.hasEarlier(SLOT, version)) return context.report('later');
        words.storePlain(FILES, 1);
        words.storePlain(FILES + 1, 1);
        context.report('closed');
      };
    };
    const readers = [reader(2, true, same, 2), reader(1, false, same, 2)];
    const ends = new Set<string>();
    const check = ([said]: readonly (readonly unknown[])[]): void => void ends.add(String(said));
    expect(explore({ wordCount: WORD_COUNT, threads: [owner, ...readers], check }).ends).toBeGreaterThan(50);
    expect([...ends].sort()).toEqual(['closed', 'later']);
  });

  const swapped: Wrap = (words) => ({
    ...words,
    add: (index, value) => words.add(index, index === READERS ? (Math.abs(value) === 1 ? value * 0x1_0000 : value / 0x1_0000) : value),
  });
  const swappedLook: Wrap = (words) => ({
    ...words,
    load: (index) => {
      const value = words.load(index);
      return index === READERS ? (value << 16) | (value >>> 16) : value;
    },
  });
  const late: Wrap = (words) => {
    let counted = 0;
    return {
      ...words,
      add: (index, value) => {
        if (value < 0) return words.add(index, value);
        counted = value;
        return 0;
      },
      load: (index) => {
        const value = words.load(index);
        if (counted !== 0) words.add(READERS, counted);
        counted = 0;
        return value;
      },
    };
  };

  it.each<[string, Faults]>([
    ['an owner that waits for nobody', { waitsForNobody: true }],
    ['an owner that waits for those who come later', { ownerWrap: swappedLook }],
    ['a reader that is counted with those of the other parity', { wrap: swapped }],
    ['a reader that looks at the version before it is counted', { wrap: late }],
  ])('%s is noticed', (_, faults) => {
    expect(() => exploreRemoval([reader(2, true, faults.wrap)], faults)).toThrow(/data race|closed file/);
  });

  it('an owner that raises the version over readers that are two versions old is noticed', () => {
    // Without the wait of the first round for its readers nothing else would find it: the round is given up, the next one begins.
    const impatient: Thread = (context) => {
      const counts = make(context);
      const { words } = context;
      return () => {
        for (let file = 0; file < FILE_COUNT - 1; file++) {
          words.store(FIRST_FILE, file + 1);
          words.add(VERSION, 1);
          if (!counts.hasEarlier(SLOT, words.load(VERSION))) {
            for (let gone = 0; gone <= file; gone++) words.storePlain(FILES + gone, 1);
          }
        }
      };
    };
    expect(() => explore({ wordCount: WORD_COUNT, threads: [impatient, reader(1, false)] })).toThrow(/data race|closed file/);
  });
});

describe('counts of readers', () => {
  it('readers who overlap for ever do not keep a removed file open', () => {
    const memory = new Int32Array(WORD_COUNT);
    const words = directWords(memory);
    const make2 = (): ReaderCounts => new ReaderCounts({ words, slotStrideWords: 2, versionWord: VERSION, readersWord: READERS });
    const [owner, left, right] = [make2(), make2(), make2()];
    const inside: (() => void)[] = [];
    const enter = (counts: ReaderCounts): void => {
      const version = words.load(VERSION);
      expect(counts.enter(SLOT, version)).toBe(true);
      inside.push(() => counts.leave(SLOT, version));
    };
    for (const counts of [left, right, left]) enter(counts);
    for (let round = 0; round < 10; round++) {
      expect(owner.tryRaise(SLOT)).toBe(true);
      const version = words.load(VERSION);
      // Each enters anew before an old one leaves: somebody is always inside.
      for (let i = 0; i < 3; i++) {
        expect(owner.hasEarlier(SLOT, version)).toBe(true);
        expect(owner.tryRaise(SLOT)).toBe(false);
        enter(i % 2 === 0 ? left : right);
        (inside.shift() as () => void)();
        expect(owner.hasAny(SLOT)).toBe(true);
      }
      expect(owner.hasEarlier(SLOT, version)).toBe(false);
    }
    for (const leave of inside) leave();
    expect(owner.hasAny(SLOT)).toBe(false);
  });

  it('a worker tells of its first reader and of its last one, at any number of them and in any slot', () => {
    const memory = new Int32Array(2 * 1001);
    const words = directWords(memory);
    const counts = new ReaderCounts({ words, slotStrideWords: 2, versionWord: VERSION, readersWord: READERS });
    for (const slot of [1000, 3, 0]) {
      let entered = 0;
      for (let i = 0; i < 70_000; i++) entered += counts.enter(slot, 0) ? 1 : 0;
      expect(entered).toBe(70_000);
      expect(memory[2 * slot + READERS]).toBe(1);
      memory[2 * slot] = 1;
      expect(counts.enter(slot, 0)).toBe(false);
      expect(counts.enter(slot, 1)).toBe(true);
      expect(memory[2 * slot + READERS]).toBe(0x1_0001);
      for (let i = 0; i < 70_000; i++) counts.leave(slot, 0);
      expect(memory[2 * slot + READERS]).toBe(0x1_0000);
      expect(() => counts.leave(slot, 0)).toThrow(/has entered/);
      counts.leave(slot, 1);
    }
  });
});
