// The ring against a plain queue, wherever its counters stand, and its promises one by one.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  payloadWordsMax,
  RING_CAPACITY_MIN_BYTES,
  RING_HEAD_WORD,
  RING_TAIL_WORD,
  recordWords,
  ringWords,
} from '../../src/actors/ring-layout.ts';
import { SharedWords } from '../../src/actors/shared-words.ts';
import { SpscRing } from '../../src/actors/spsc-ring.ts';

interface Ends {
  readonly memory: Int32Array;
  readonly producer: SpscRing;
  readonly consumer: SpscRing;
}

function makeRing(capacityBytes: number, initialCounter = 0, isLocal = false): Ends {
  const region = new SharedArrayBuffer(ringWords(capacityBytes) * 4);
  const words = new SharedWords(region);
  words.store(RING_TAIL_WORD, initialCounter);
  words.store(RING_HEAD_WORD, initialCounter);
  const producer = new SpscRing(words, 0, capacityBytes, isLocal);
  const consumer = isLocal ? producer : new SpscRing(new SharedWords(region), 0, capacityBytes);
  return { memory: new Int32Array(region), producer, consumer };
}

function send({ memory, producer }: Ends, requestId: number, payloadWords: number): boolean {
  const index = producer.tryClaim(1, requestId, payloadWords);
  if (index === -1) return false;
  memory.fill(requestId, index, index + payloadWords);
  producer.commit();
  producer.publish();
  return true;
}

function receive({ memory, consumer }: Ends, limit = 1000): number[][] {
  const records: number[][] = [];
  consumer.read((_kind, requestId, index, payloadWords) => {
    records.push([requestId, ...memory.subarray(index, index + payloadWords)]);
  }, limit);
  return records;
}

type Step = { do: 'claim'; size: number } | { do: 'commit' | 'abort' | 'publish' } | { do: 'read'; limit: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ do: fc.constant('claim' as const), size: fc.nat(200) }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constant('commit' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('abort' as const) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('publish' as const) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('read' as const), limit: fc.integer({ min: 1, max: 5 }) }) },
);

const start = fc.constantFrom(0, 2 ** 31 - 64, 2 ** 31 - 2, -64, -2, 6, 1000);

describe('a ring', () => {
  it.each([false, true])('does what a plain queue does (one instance for both sides: %s)', (isLocal) => {
    fc.assert(
      fc.property(
        fc.constantFrom(128, 256, 1024),
        start,
        fc.array(step, { maxLength: 300, size: 'max' }),
        (capacityBytes, initial, steps) => {
          const ring = makeRing(capacityBytes, initial | 0, isLocal);
          const { memory, producer, consumer } = ring;
          const committed: number[][] = [];
          const published: number[][] = [];
          let claimed: number[] | null = null;
          let nextId = 0;
          const mask = capacityBytes / 4 - 1;
          const recordEnds: number[] = []; // Of committed records that were not read, in words from the start.
          let tail = initial & mask;
          let head = tail;
          let claimedEnd = 0;
          for (const step of steps) {
            if (step.do === 'claim' && claimed === null) {
              const size = step.size % (payloadWordsMax(capacityBytes) + 1);
              const index = producer.tryClaim(7, nextId, size);
              const need = recordWords(size);
              const padding = (tail & mask) + need > mask + 1 ? mask + 1 - (tail & mask) : 0;
              expect(index === -1).toBe(tail - head + padding + need > mask + 1); // Refused exactly when it does not fit.
              if (index === -1) continue;
              claimedEnd = tail + padding + need;
              expect(index % 2).toBe(0);
              claimed = [nextId, ...Array.from({ length: size }, (_, i) => nextId * 1000 + i)];
              for (let i = 0; i < size; i++) memory[index + i] = claimed[i + 1] as number;
              nextId++;
            } else if (step.do === 'commit' && claimed !== null) {
              producer.commit();
              committed.push(claimed);
              tail = claimedEnd;
              recordEnds.push(tail);
              claimed = null;
            } else if (step.do === 'abort' && claimed !== null) {
              producer.abort();
              claimed = null;
            } else if (step.do === 'publish') {
              expect(producer.publish()).toBe(committed.length > 0);
              published.push(...committed.splice(0));
            } else if (step.do === 'read') {
              expect(consumer.isEmpty()).toBe(published.length === 0);
              // One read may end at the tail that it knew; it gives at least one record, and never one out of order.
              const records = receive(ring, step.limit);
              expect(records.length).toBeGreaterThanOrEqual(Math.min(1, published.length));
              expect(records).toEqual(published.splice(0, records.length));
              head = recordEnds.splice(0, records.length).at(-1) ?? head;
            }
          }
        },
      ),
      { numRuns: 300 },
    );
  });

  it('refuses exactly when the bytes are used up, and takes again what was read', () => {
    const ends = makeRing(RING_CAPACITY_MIN_BYTES); // 32 words.
    for (let i = 0; i < 8; i++) expect(send(ends, i, 0)).toBe(true); // 4 words each.
    expect(send(ends, 8, 0)).toBe(false);
    expect(receive(ends, 1)).toEqual([[0]]);
    expect(send(ends, 8, 0)).toBe(true);
    expect(send(ends, 9, 0)).toBe(false);
    expect([...receive(ends), ...receive(ends)]).toEqual([[1], [2], [3], [4], [5], [6], [7], [8]]);
  });

  it('takes a record of half its capacity on an empty ring at every position', () => {
    const max = payloadWordsMax(RING_CAPACITY_MIN_BYTES);
    const ends = makeRing(RING_CAPACITY_MIN_BYTES);
    for (let i = 0; i < 100; i++) {
      const small = (i * 2) % max;
      expect(send(ends, i, small)).toBe(true);
      expect(receive(ends)).toHaveLength(1);
      expect(send(ends, i, max)).toBe(true);
      expect(receive(ends)).toEqual([[i, ...new Array(max).fill(i)]]);
    }
    expect(() => send(ends, 0, max + 1)).toThrow(/payload of 13 words/);
  });

  it('frees a whole batch at once, and only behind the handler', () => {
    const ends = makeRing(RING_CAPACITY_MIN_BYTES);
    for (let i = 0; i < 8; i++) send(ends, i, 0);
    const taken: boolean[] = [];
    ends.consumer.read(() => taken.push(send(ends, 9, 0)), 4);
    expect(taken).toEqual([false, false, false, false]);
    expect(send(ends, 9, 0)).toBe(true);
  });

  it('skips a record whose handler throws, and stays usable', () => {
    const ends = makeRing(RING_CAPACITY_MIN_BYTES);
    for (let i = 0; i < 3; i++) send(ends, i, 0);
    const failing = (): void => {
      ends.consumer.read((_kind, requestId) => {
        if (requestId === 1) throw new Error('as told');
      }, 9);
    };
    expect(failing).toThrow('as told');
    expect(receive(ends)).toEqual([[2]]);
  });

  it('asserts against misuse', () => {
    const ends = makeRing(RING_CAPACITY_MIN_BYTES);
    expect(() => ends.producer.commit()).toThrow(/without a claim/);
    expect(() => ends.producer.abort()).toThrow(/without a claim/);
    ends.producer.tryClaim(1, 1, 1);
    expect(() => ends.producer.tryClaim(1, 2, 1)).toThrow(/one open claim/);
    ends.producer.commit();
    ends.producer.publish();
    const nested = (): void => {
      ends.consumer.read(() => void ends.consumer.read(() => undefined, 1), 1);
    };
    expect(nested).toThrow(/own handler/);
    expect(() => makeRing(96)).toThrow(/power of two/);
    expect(() => makeRing(64)).toThrow(/power of two/);
  });
});
