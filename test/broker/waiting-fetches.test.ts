// Fetches that wait: woken when an owner has published what one of them needs, and not before.
import { describe, expect, it } from 'vitest';
import { Exchange } from '../../src/actors/exchange.ts';
import { createExchangeRegion, RING_CAPACITY_MIN_BYTES } from '../../src/actors/ring-layout.ts';
import { type WaitingFetch, WaitingFetches } from '../../src/broker/waiting-fetches.ts';
import { PartitionWords, partitionRegionBytes } from '../../src/partition/partition-words.ts';

const SLOT_COUNT = 4;
const SEGMENT = 0;

interface Bench {
  readonly words: PartitionWords;
  readonly waiting: WaitingFetches;
  readonly woken: string[];
  publish(slot: number, position: number, more?: { epoch?: number; logStart?: number; lastStable?: number; segment?: number }): void;
  wait(name: string, wants: readonly (readonly [slot: number, position: number])[]): WaitingFetch;
}

/** One worker that owns the partitions and reads them. */
function bench(): Bench {
  const region = createExchangeRegion(1, RING_CAPACITY_MIN_BYTES);
  const exchange = new Exchange({
    selfIndex: 0,
    workerCount: 1,
    region,
    ringCapacityBytes: RING_CAPACITY_MIN_BYTES,
    ringDoorbell: () => {},
  });
  const words = new PartitionWords({
    region: new SharedArrayBuffer(partitionRegionBytes(SLOT_COUNT, 1)),
    slotCount: SLOT_COUNT,
    workerCount: 1,
    selfIndex: 0,
    signal: (worker) => exchange.signal(worker),
  });
  const waiting = new WaitingFetches({ exchange }, words);
  const woken: string[] = [];
  return {
    words,
    waiting,
    woken,
    publish(slot, position, { epoch = 1, logStart = 0, lastStable = position, segment = SEGMENT } = {}) {
      const log = { writtenEnd: position, liveSegmentBaseOffset: segment, liveSegmentSizeBytes: position };
      words.publish(slot, epoch, logStart, lastStable, position, log);
      exchange.poll(100);
    },
    wait(name, wants) {
      const fetch = {
        slots: wants.map(([slot]) => slot),
        wantedPositions: wants.map(([, position]) => position),
        wake: () => void woken.push(name),
      };
      waiting.add(fetch);
      return fetch;
    },
  };
}

describe('a fetch that waits', () => {
  it('costs nothing until the position that it needs is published', () => {
    const { publish, wait, woken, waiting } = bench();
    publish(1, 100);
    wait('patient', [[1, 1000]]);
    for (let position = 200; position < 1000; position += 100) publish(1, position);
    publish(2, 5000);
    expect(woken).toEqual([]);
    expect(waiting.count).toBe(1);
    publish(1, 1000);
    expect(woken).toEqual(['patient']);
    expect(waiting.count).toBe(0);
    publish(1, 2000);
    expect(woken).toEqual(['patient']);
  });

  it('wakes with the first of several, whose notes it shares, and the others may wait again', () => {
    const { publish, wait, woken } = bench();
    publish(0, 1);
    wait('much', [[0, 900]]);
    wait('little', [[0, 10]]);
    publish(0, 20);
    expect(woken).toEqual(['much', 'little']);
    wait('much', [[0, 900]]);
    publish(0, 899);
    publish(0, 901);
    expect(woken).toEqual(['much', 'little', 'much']);
  });

  it('is woken at one of its partitions, once, and is forgotten at the others', () => {
    const { publish, wait, woken, waiting } = bench();
    wait('wide', [
      [0, 50],
      [1, 50],
      [2, 50],
    ]);
    publish(1, 60);
    publish(2, 60);
    expect(woken).toEqual(['wide']);
    const left = wait('left', [[3, 50]]);
    waiting.remove(left);
    publish(3, 60);
    expect(woken).toEqual(['wide']);
  });

  it.each([
    ['another segment', { segment: 70 }],
    ['another leader epoch', { epoch: 2 }],
    ['a log start that moved', { logStart: 5 }],
    ['records that are stable later than they are committed', { lastStable: 3 }],
  ])('is woken early by %s', (_, more) => {
    const { publish, wait, woken } = bench();
    publish(1, 10);
    wait('patient', [[1, 1_000_000]]);
    publish(1, 11);
    expect(woken).toEqual([]);
    publish(1, 12, more);
    expect(woken).toEqual(['patient']);
  });
});
