// Every schedule of an owner that publishes positions and readers that park until what they need is there: each reader gets to know the
// last position, and none sleeps over one that it needs.
import { describe, expect, it } from 'vitest';
import { Doorbell } from '../../src/actors/doorbell.ts';
import { SharedBits, sharedBitsWords } from '../../src/actors/shared-bits.ts';
import { ParkProtocol } from '../../src/actors/shared-park.ts';
import { type Explored, explore, type Thread, type ThreadContext } from './explorer.ts';

const OWNER = 0;
const SLOT_COUNT = 2;
const SLOT = 1;
const STRIDE = 4;
const POSITION = 0;
const INTEREST = 2;
const WANTED = 3;
const BITS = SLOT_COUNT * STRIDE;

interface Faults {
  /** The reader parks without looking at the position again. */
  readonly noSecondLook?: boolean;
  /** The owner looks for notes before it stores the position. */
  readonly wakeBeforeStore?: boolean;
  /** The owner rings before it leaves the bit. */
  readonly signalBeforeBits?: boolean;
  /** The reader looks for bits only before it says "asleep". */
  readonly sleepWithoutBits?: boolean;
  /** The owner takes the interest before the wanted position. */
  readonly takesInterestFirst?: boolean;
}

/** The owner publishes 1 … `last`; each reader waits for its positions, one after the other. A passer-by leaves a note for 1 and does not park. */
function explorePark(last: number, wants: readonly (readonly number[])[], faults: Faults = {}, hasPasserBy = false): Explored {
  const readerCount = wants.length + (hasPasserBy ? 1 : 0);
  const workerCount = readerCount + 1;
  const bitsWords = sharedBitsWords(SLOT_COUNT);
  const sleepingWord = (worker: number): number => BITS + workerCount * bitsWords + worker;
  const make = (context: ThreadContext, selfIndex: number): { doorbell: Doorbell; park: ParkProtocol } => {
    const { words } = context;
    const doorbell = new Doorbell(words, selfIndex, sleepingWord, (target) => context.ringBell(target));
    const options = { words, slotCount: SLOT_COUNT, workerCount, selfIndex, slotStrideWords: STRIDE, bitsWord: BITS };
    const signal = (worker: number): void => doorbell.mark(worker);
    return { doorbell, park: new ParkProtocol({ ...options, interestWord: INTEREST, wantedWord: WANTED, signal }) };
  };
  const positionWord = POSITION + SLOT * STRIDE;
  const interestWord = INTEREST + SLOT * STRIDE;
  const wantedWord = WANTED + SLOT * STRIDE;
  const owner: Thread = (context) => {
    const { doorbell, park } = make(context, OWNER);
    const { words } = context;
    return () => {
      for (let position = 1; position <= last; position++) {
        if (faults.wakeBeforeStore) {
          park.published(SLOT, position);
          words.store(positionWord, position);
        } else if (faults.signalBeforeBits) {
          words.store(positionWord, position);
          words.exchange(wantedWord, 0);
          const workers = words.exchange(interestWord, 0);
          if ((workers & 2) !== 0) doorbell.mark(1);
          doorbell.ringMarked();
          if ((workers & 2) !== 0) new SharedBits(words, BITS + bitsWords, SLOT_COUNT).set(SLOT);
        } else if (faults.takesInterestFirst) {
          words.store(positionWord, position);
          const wanted = words.load(wantedWord);
          if (wanted === 0 || position < ~wanted) continue;
          const workers = words.exchange(interestWord, 0);
          words.exchange(wantedWord, 0);
          for (let worker = 1; worker <= readerCount; worker++) {
            if ((workers & (1 << worker)) === 0) continue;
            new SharedBits(words, BITS + worker * bitsWords, SLOT_COUNT).set(SLOT);
            doorbell.mark(worker);
          }
        } else {
          words.store(positionWord, position);
          park.published(SLOT, position);
        }
        doorbell.ringMarked();
      }
    };
  };
  const reader =
    (self: number): Thread =>
    (context) => {
      const { doorbell, park } = make(context, self);
      const { words } = context;
      return () => {
        let seen = 0;
        let isParked = false;
        for (const wanted of wants[self - 1] as readonly number[]) {
          while (seen < wanted) {
            if (!isParked) {
              const position = words.load(positionWord);
              if (position < seen) throw new Error(`the position ran back from ${seen} to ${position}`);
              seen = position;
              if (seen >= wanted) break;
              park.leaveNote(SLOT, wanted);
              if (!faults.noSecondLook && words.load(positionWord) !== seen) continue;
              isParked = true;
            }
            const wake = (slot: number): void => {
              if (slot !== SLOT) throw new Error(`woken for slot ${slot}`);
              isParked = false;
            };
            if (park.drain(wake) > 0) continue;
            if (!doorbell.trySleep(() => !faults.sleepWithoutBits && park.any())) continue;
            context.waitForBell();
            doorbell.awake();
          }
        }
        context.report('got them');
      };
    };
  const passerBy: Thread = (context) => {
    const { park } = make(context, readerCount);
    return () => park.leaveNote(SLOT, 1);
  };
  return explore({
    wordCount: sleepingWord(workerCount),
    threads: [owner, ...wants.map((_, i) => reader(i + 1)), ...(hasPasserBy ? [passerBy] : [])],
    check: ([_, ...readers]) => expect(readers.slice(0, wants.length)).toEqual(wants.map(() => ['got them'])),
  });
}

describe('all schedules of parking', () => {
  it('one reader, three positions', () => {
    expect(explorePark(3, [[1, 2, 3]]).ends).toBeGreaterThan(100);
  });

  it('one reader that needs the last of three', () => {
    expect(explorePark(3, [[3]]).ends).toBeGreaterThan(20);
  });

  it('two readers that need the same', () => {
    expect(explorePark(1, [[1], [1]]).ends).toBeGreaterThan(100);
  });

  it('a reader that needs the second of two, beside another that wanted less', () => {
    expect(explorePark(2, [[2]], {}, true).ends).toBeGreaterThan(100);
  });

  it('an owner that takes the interest before the position is noticed', () => {
    expect(() => explorePark(2, [[2]], { takesInterestFirst: true }, true)).toThrow(/lost wake-up/);
  });

  it.each<[string, Faults]>([
    ['a reader that does not look at the position again', { noSecondLook: true }],
    ['an owner that looks for notes before it stores', { wakeBeforeStore: true }],
    ['an owner that rings before it leaves the bit', { signalBeforeBits: true }],
    ['a reader that sleeps without a second look at its bits', { sleepWithoutBits: true }],
  ])('%s is noticed', (_, faults) => {
    expect(() => explorePark(2, [[1, 2]], faults)).toThrow(/lost wake-up/);
  });
});
