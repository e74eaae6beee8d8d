// Every schedule of producers that commit and ring while a consumer drains and goes to sleep: everything is read, nobody
// sleeps over work, and a bell rings at most once per sleep.
import { describe, expect, it } from 'vitest';
import { Doorbell } from '../../src/actors/doorbell.ts';
import { RING_CAPACITY_MIN_BYTES, ringWords } from '../../src/actors/ring-layout.ts';
import { SpscRing } from '../../src/actors/spsc-ring.ts';
import { type Explored, explore, type Thread } from './explorer.ts';

const RING_WORDS = ringWords(RING_CAPACITY_MIN_BYTES);
const CONSUMER = 0;

interface Faults {
  /** The consumer says "asleep" and blocks without looking again. */
  readonly noSecondLook?: boolean;
  /** The consumer looks, and says "asleep" after that. */
  readonly lookBeforeSaying?: boolean;
  /** The producer looks at the sleeping word, and publishes after that. */
  readonly ringBeforePublish?: boolean;
}

/** One producer for each count of records. */
function exploreSleep(recordCounts: readonly number[], faults: Faults = {}): Explored {
  const producerCount = recordCounts.length;
  const recordCount = recordCounts.reduce((sum, count) => sum + count, 0);
  const sleepingWord = (worker: number): number => producerCount * RING_WORDS + worker;
  const producer =
    (self: number): Thread =>
    (context) => {
      const ring = new SpscRing(context.words, (self - 1) * RING_WORDS, RING_CAPACITY_MIN_BYTES);
      const doorbell = new Doorbell(context.words, self, sleepingWord, (target) => {
        context.report('bell');
        context.ringBell(target);
      });
      return () => {
        for (let record = 0; record < (recordCounts[self - 1] as number); record++) {
          ring.tryClaim(1, record, 0);
          ring.commit();
          doorbell.mark(CONSUMER);
          if (faults.ringBeforePublish) doorbell.ringMarked();
          ring.publish();
          if (!faults.ringBeforePublish) doorbell.ringMarked();
        }
      };
    };
  const consumer: Thread = (context) => {
    const rings = Array.from({ length: producerCount }, (_, i) => new SpscRing(context.words, i * RING_WORDS, RING_CAPACITY_MIN_BYTES));
    const doorbell = new Doorbell(context.words, CONSUMER, sleepingWord, () => undefined);
    const hasWork = (): boolean => rings.some((ring) => !ring.isEmpty());
    return () => {
      let received = 0;
      let sleeps = 0;
      const next = rings.map(() => 0);
      const sleep = (): boolean => {
        if (faults.noSecondLook) return doorbell.trySleep(() => false);
        if (!faults.lookBeforeSaying) return doorbell.trySleep(hasWork);
        return !hasWork() && doorbell.trySleep(() => false);
      };
      while (received < recordCount) {
        for (const [i, ring] of rings.entries()) {
          ring.read((_kind, record) => {
            if (record !== next[i]) throw new Error(`record ${record} of producer ${i + 1}, after ${next[i]} of them`);
            next[i] = record + 1;
            received++;
          }, 8);
        }
        if (received < recordCount && sleep()) {
          sleeps++;
          context.waitForBell();
          doorbell.awake();
        }
      }
      context.report(sleeps);
    };
  };
  return explore({
    wordCount: producerCount * RING_WORDS + producerCount + 1,
    threads: [consumer, ...Array.from({ length: producerCount }, (_, i) => producer(i + 1))],
    check: ([consumer, ...bells]) => {
      // A bell may also ring for a sleep that its second look ended, so there are at most as many as tries to sleep.
      expect(bells.flat().length).toBeGreaterThanOrEqual(consumer?.[0] as number);
      expect(bells.flat().length).toBeLessThanOrEqual(recordCount);
    },
  });
}

describe('all schedules of sleeping and waking', () => {
  it('with one producer lose no wake-up', () => {
    expect(exploreSleep([3]).ends).toBeGreaterThan(100);
  });

  it('with two producers lose no wake-up', () => {
    expect(exploreSleep([1, 1]).ends).toBeGreaterThan(100);
    expect(exploreSleep([2, 1]).ends).toBeGreaterThan(1000);
  });

  it.each<[string, Faults]>([
    ['a consumer that does not look again', { noSecondLook: true }],
    ['a consumer that looks before it says "asleep"', { lookBeforeSaying: true }],
  ])('%s is noticed', (_, faults) => {
    expect(() => exploreSleep([2], faults)).toThrow(/lost wake-up/);
  });

  it('a producer that looks before it publishes is noticed', () => {
    expect(() => exploreSleep([1], { ringBeforePublish: true })).toThrow(/lost wake-up/);
  });
});
