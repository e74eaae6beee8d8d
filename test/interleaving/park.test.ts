// Every schedule of an owner that publishes high watermarks and readers that park: each reader gets to know the last
// watermark, and none sleeps over a watermark that it waits for.
import { describe, expect, it } from 'vitest';
import { Doorbell } from '../../src/actors/doorbell.ts';
import { SharedBits, sharedBitsWords } from '../../src/actors/shared-bits.ts';
import { ParkProtocol } from '../../src/actors/shared-park.ts';
import { type Explored, explore, type Thread, type ThreadContext } from './explorer.ts';

const OWNER = 0;
const SLOT_COUNT = 2;
const SLOT = 1;
const STRIDE = 4;
const HIGH_WATERMARK = 0;
const INTEREST = 2;
const BITS = SLOT_COUNT * STRIDE;

interface Faults {
  /** The reader parks without looking at the watermark again. */
  readonly noSecondLook?: boolean;
  /** The owner looks for interest before it stores the watermark. */
  readonly wakeBeforeStore?: boolean;
  /** The owner rings before it leaves the bit. */
  readonly signalBeforeBits?: boolean;
  /** The reader looks for bits only before it says "asleep". */
  readonly sleepWithoutBits?: boolean;
}

function explorePark(readerCount: number, lastWatermark: number, faults: Faults = {}): Explored {
  const workerCount = readerCount + 1;
  const bitsWords = sharedBitsWords(SLOT_COUNT);
  const sleepingWord = (worker: number): number => BITS + workerCount * bitsWords + worker;
  const make = (context: ThreadContext, selfIndex: number): { doorbell: Doorbell; park: ParkProtocol } => {
    const { words } = context;
    const doorbell = new Doorbell(words, selfIndex, sleepingWord, (target) => context.ringBell(target));
    const options = { words, slotCount: SLOT_COUNT, workerCount, selfIndex, slotStrideWords: STRIDE, bitsWord: BITS };
    const signal = (worker: number): void => doorbell.mark(worker);
    return { doorbell, park: new ParkProtocol({ ...options, highWatermarkWord: HIGH_WATERMARK, interestWord: INTEREST, signal }) };
  };
  const highWatermarkWord = HIGH_WATERMARK + SLOT * STRIDE;
  const owner: Thread = (context) => {
    const { doorbell, park } = make(context, OWNER);
    const { words } = context;
    return () => {
      for (let watermark = 1; watermark <= lastWatermark; watermark++) {
        if (faults.wakeBeforeStore) {
          park.wake(SLOT);
          words.store64(highWatermarkWord, watermark);
        } else if (faults.signalBeforeBits) {
          words.store64(highWatermarkWord, watermark);
          const workers = words.exchange(INTEREST + SLOT * STRIDE, 0);
          if ((workers & 2) !== 0) doorbell.mark(1);
          doorbell.ringMarked();
          if ((workers & 2) !== 0) new SharedBits(words, BITS + bitsWords, SLOT_COUNT).set(SLOT);
        } else {
          park.publish(SLOT, watermark);
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
        while (seen < lastWatermark) {
          if (!isParked) {
            const watermark = words.load64(highWatermarkWord);
            if (watermark < seen) throw new Error(`the watermark ran back from ${seen} to ${watermark}`);
            seen = watermark;
            if (seen === lastWatermark) break;
            if (faults.noSecondLook) park.leaveNote(SLOT);
            else if (!park.park(SLOT, seen)) continue;
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
        context.report(seen);
      };
    };
  return explore({
    wordCount: sleepingWord(workerCount),
    threads: [owner, ...Array.from({ length: readerCount }, (_, i) => reader(i + 1))],
    check: ([_, ...readers]) => expect(readers).toEqual(readers.map(() => [lastWatermark])),
  });
}

describe('all schedules of parking', () => {
  it('one reader, three watermarks', () => {
    expect(explorePark(1, 3).ends).toBeGreaterThan(100);
  });

  it('two readers of the same slot', () => {
    expect(explorePark(2, 1).ends).toBeGreaterThan(100);
  });

  it.each<[string, Faults]>([
    ['a reader that does not look at the watermark again', { noSecondLook: true }],
    ['an owner that looks for interest before it stores', { wakeBeforeStore: true }],
    ['an owner that rings before it leaves the bit', { signalBeforeBits: true }],
    ['a reader that sleeps without a second look at its bits', { sleepWithoutBits: true }],
  ])('%s is noticed', (_, faults) => {
    expect(() => explorePark(1, 2, faults)).toThrow(/lost wake-up/);
  });
});
