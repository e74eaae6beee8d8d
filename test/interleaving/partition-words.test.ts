// Every schedule of a partition's owner and its readers over the shared counters: no file is closed under a reader, no reader
// gets bytes above the watermark that it tells, and none sleeps over a publish.
import { describe, expect, it } from 'vitest';
import { Doorbell } from '../../src/actors/doorbell.ts';
import type { Words } from '../../src/actors/shared-words.ts';
import { PartitionWords, type PublishedLog, partitionRegionBytes } from '../../src/partition/partition-words.ts';
import { type Explored, explore, type Thread, type ThreadContext } from './explorer.ts';

const SLOT = 0;
const SLOT_COUNT = 1;
const WORKER_COUNT = 2;
const OWNER = 0;
const READER = 1;
const REGION_WORDS = partitionRegionBytes(SLOT_COUNT, WORKER_COUNT) / 4;
/** Stands for the open file: whoever closes it writes here, whoever reads from it reads here. */
const FILE_WORD = REGION_WORDS;
const WORD_COUNT = REGION_WORDS + 1 + WORKER_COUNT;
/** Where a slot's block has its readers and the position of its live segment (partition-words.ts). */
const READERS = 2;
const LIVE_POSITION = 14;

type Wrap = (words: Words) => Words;
const same: Wrap = (words) => words;

function sleepingWord(worker: number): number {
  return REGION_WORDS + 1 + worker;
}

function make(context: ThreadContext, selfIndex: number, wrap: Wrap = same): { counters: PartitionWords; doorbell: Doorbell } {
  const doorbell = new Doorbell(context.words, selfIndex, sleepingWord, (target) => context.ringBell(target));
  const counters = new PartitionWords({
    region: new SharedArrayBuffer(8), // Not touched: all accesses go through the explorer.
    slotCount: SLOT_COUNT,
    workerCount: WORKER_COUNT,
    selfIndex,
    signal: (worker) => doorbell.mark(worker),
    words: wrap(context.words),
  });
  return { counters, doorbell };
}

describe('all schedules of a read and the end of its partition', () => {
  interface Faults {
    /** The reader looks at the version, then counts itself in. */
    readonly looksFirst?: boolean;
    /** The owner looks for readers, then raises the version. */
    readonly raisesLate?: boolean;
    /** The reader is gone before it has read. */
    readonly leavesEarly?: boolean;
  }

  function exploreRead(readerCount: number, faults: Faults = {}): Explored {
    const owner: Thread = (context) => {
      const { counters } = make(context, OWNER);
      return () => {
        if (faults.raisesLate) {
          if (counters.hasReaders(SLOT)) return context.report('later');
          counters.raiseStateVersion(SLOT);
        } else {
          counters.raiseStateVersion(SLOT);
          if (counters.hasReaders(SLOT)) return context.report('later'); // And looks again, in life.
        }
        context.words.storePlain(FILE_WORD, 1);
        context.report('closed');
      };
    };
    const reader: Thread = (context) => {
      const { counters } = make(context, READER);
      return () => {
        for (let read = 0; read < 2; read++) {
          const isIn = faults.looksFirst
            ? counters.stateVersion(SLOT) === 0 && counters.enterRead(SLOT, counters.stateVersion(SLOT))
            : counters.enterRead(SLOT, 0);
          if (!isIn) return context.report('void');
          if (faults.leavesEarly) counters.leaveRead(SLOT, 0);
          if (context.words.loadPlain(FILE_WORD) !== 0) throw new Error('read from a closed file');
          if (!faults.leavesEarly) counters.leaveRead(SLOT, 0);
          context.report('read');
        }
      };
    };
    return explore({
      wordCount: WORD_COUNT,
      threads: [owner, ...Array.from({ length: readerCount }, () => reader)],
      check: ([_, ...readers], memory) => {
        expect(memory[READERS]).toBe(0); // Nobody is left in the count.
        for (const reports of readers) expect(reports.length).toBeGreaterThan(0);
      },
    });
  }

  it('one reader', () => {
    expect(exploreRead(1).ends).toBeGreaterThan(5);
  });

  it('two readers', () => {
    expect(exploreRead(2).ends).toBeGreaterThan(50);
  });

  it.each<[string, Faults]>([
    ['a reader that looks at the version that it then expects', { looksFirst: true }],
    ['an owner that raises the version after it looked for readers', { raisesLate: true }],
    ['a reader that leaves before it has read', { leavesEarly: true }],
  ])('%s is noticed', (_, faults) => {
    expect(() => exploreRead(1, faults)).toThrow(/data race|closed file/);
  });
});

/** What an owner publishes: positions within segment 0, then a roll to a segment that begins at offset 20. */
const PUBLISHED: readonly (PublishedLog & { readonly highWatermark: number })[] = [
  { writtenEnd: 10, highWatermark: 10, liveSegmentBaseOffset: 0, liveSegmentSizeBytes: 100 },
  { writtenEnd: 20, highWatermark: 20, liveSegmentBaseOffset: 0, liveSegmentSizeBytes: 200 },
  { writtenEnd: 30, highWatermark: 30, liveSegmentBaseOffset: 20, liveSegmentSizeBytes: 50 },
];

function publishing(wrap: Wrap, from = 0): Thread {
  return (context) => {
    const { counters, doorbell } = make(context, OWNER, wrap);
    return () => {
      for (const log of PUBLISHED.slice(from)) {
        counters.publish(SLOT, 0, 0, log.highWatermark, log.highWatermark, log);
        doorbell.ringMarked();
      }
    };
  };
}

describe('all schedules of a publish and a plan at the tail', () => {
  function explorePlan(wrap: Wrap = same, watermarkFirst = false): Explored {
    const reader: Thread = (context) => {
      const { counters } = make(context, READER);
      return () => {
        for (const segment of [0, 20]) {
          const early = watermarkFirst ? counters.highWatermark(SLOT) : -1;
          const position = counters.livePosition(SLOT, segment);
          const highWatermark = watermarkFirst ? early : counters.highWatermark(SLOT);
          context.report([segment, position, highWatermark]);
        }
      };
    };
    return explore({
      wordCount: WORD_COUNT,
      threads: [publishing(wrap), reader],
      check: ([_, plans]) => {
        for (const [segment, position, highWatermark] of plans as [number, number, number][]) {
          if (position <= 0) continue; // Another segment, or nothing in it yet.
          const log = PUBLISHED.find((each) => each.liveSegmentBaseOffset === segment && each.liveSegmentSizeBytes === position);
          if (log === undefined) throw new Error(`position ${position} is none of segment ${segment}`);
          if (highWatermark < log.writtenEnd) throw new Error(`bytes up to offset ${log.writtenEnd} above the watermark ${highWatermark}`);
        }
      },
    });
  }

  it('a position is one of its segment, and below the watermark that is read behind it', () => {
    expect(explorePlan().ends).toBeGreaterThan(20);
  });

  it('an owner that does not take the old position away first is noticed', () => {
    const forgetful: Wrap = (words) => ({
      ...words,
      store: (index, value) => {
        if (index !== LIVE_POSITION || value !== 0) words.store(index, value);
      },
    });
    expect(() => explorePlan(forgetful)).toThrow(/is none of segment/);
  });

  it('a reader that reads the watermark first is noticed', () => {
    expect(() => explorePlan(same, true)).toThrow(/above the watermark/);
  });
});

describe('all schedules of a publish and a fetch that parks at the tail', () => {
  function explorePark(looksAgain: boolean): Explored {
    const reader: Thread = (context) => {
      const { counters, doorbell } = make(context, READER);
      return () => {
        for (let isParked = false; ; ) {
          if (!isParked) {
            const position = counters.livePosition(SLOT, 20);
            if (position >= 50) break;
            counters.park.leaveNote(SLOT, 50);
            if (looksAgain && counters.livePosition(SLOT, 20) !== position) continue;
            isParked = true;
          }
          if (counters.park.drain(() => (isParked = false)) > 0) continue;
          if (!doorbell.trySleep(() => counters.park.any())) continue;
          context.waitForBell();
          doorbell.awake();
        }
        context.report('got it');
      };
    };
    return explore({
      wordCount: WORD_COUNT,
      prepare: (words) => words.store64(6, 20),
      threads: [publishing(same, 2), reader],
      check: ([_, reports]) => expect(reports).toEqual(['got it']),
    });
  }

  it('the fetch hears of it', () => {
    expect(explorePark(true).ends).toBeGreaterThan(10);
  });

  it('a fetch that does not look again behind its note is noticed', () => {
    expect(() => explorePark(false)).toThrow(/lost wake-up/);
  });
});
