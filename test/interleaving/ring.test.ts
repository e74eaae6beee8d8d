// Every schedule of a producer and a consumer of one ring of the smallest size: what is read is a prefix of what was
// committed, in order and content, and no plain access races. Three faults show that the test would notice.
import { describe, expect, it } from 'vitest';
import { RING_CAPACITY_MIN_BYTES, RING_HEAD_WORD, RING_TAIL_WORD, ringWords } from '../../src/actors/ring-layout.ts';
import type { Words } from '../../src/actors/shared-words.ts';
import { SpscRing } from '../../src/actors/spsc-ring.ts';
import { type Explored, explore } from './explorer.ts';

/** Payload sizes whose records fill the ring of 32 words, wrap with padding, and fill it again. */
const SIZES = [8, 12, 6, 12, 0, 10];
const ATTEMPTS = 8;
const READS = 5;

type Wrap = (words: Words) => Words;
const same: Wrap = (words) => words;

function exploreRing(wrapProducer: Wrap = same, wrapConsumer: Wrap = same, initialCounter = 0, recordsPerPublish = 1): Explored {
  const content = (record: number, word: number): number => record * 100 + word;
  return explore({
    wordCount: ringWords(RING_CAPACITY_MIN_BYTES),
    prepare: (words) => {
      words.store(RING_TAIL_WORD, initialCounter);
      words.store(RING_HEAD_WORD, initialCounter);
    },
    threads: [
      (context) => {
        const words = wrapProducer(context.words);
        const ring = new SpscRing(words, 0, RING_CAPACITY_MIN_BYTES);
        return () => {
          let sent = 0;
          for (let attempt = 0; attempt < ATTEMPTS && sent < SIZES.length; attempt++) {
            const size = SIZES[sent] as number;
            const index = ring.tryClaim(1, sent, size);
            if (index === -1) {
              ring.publish();
              continue;
            }
            for (let i = 0; i < size; i++) words.storePlain(index + i, content(sent, i));
            ring.commit();
            sent++;
            if (sent % recordsPerPublish === 0) ring.publish();
          }
          ring.publish();
          context.report(sent);
        };
      },
      (context) => {
        const words = wrapConsumer(context.words);
        const ring = new SpscRing(words, 0, RING_CAPACITY_MIN_BYTES);
        return () => {
          for (let attempt = 0; attempt < READS; attempt++) {
            ring.read((kind, requestId, index, payloadWords) => {
              const payload = Array.from({ length: payloadWords }, (_, i) => words.loadPlain(index + i));
              context.report([kind, requestId, payload]);
            }, 2);
          }
        };
      },
    ],
    check: ([producer, received]) => {
      const all = SIZES.slice(0, producer?.[0] as number).map((size, record) => [
        1,
        record,
        Array.from({ length: size }, (_, i) => content(record, i)),
      ]);
      expect(received).toEqual(all.slice(0, received?.length));
    },
  });
}

/** Plain stores reach the memory only after the next atomic store: the record is published before it is written. */
const publishBeforePayload: Wrap = (words) => {
  let late: [number, number][] = [];
  return {
    ...words,
    storePlain: (index, value) => void late.push([index, value]),
    store: (index, value) => {
      words.store(index, value);
      for (const [at, what] of late) words.storePlain(at, what);
      late = [];
    },
  };
};

/** The consumer frees what it is about to read. */
const freeBeforeReading: Wrap = (words) => ({
  ...words,
  load: (index) => {
    const tail = words.load(index);
    if (index === RING_TAIL_WORD) words.store(RING_HEAD_WORD, tail);
    return tail;
  },
});

/** The producer believes that another half of the ring has been read. */
const overestimateRoom: Wrap = (words) => ({
  ...words,
  load: (index) => words.load(index) + (index === RING_HEAD_WORD ? 16 : 0),
});

describe('all schedules of a ring', () => {
  it('lose, reorder and tear nothing', () => {
    const explored = exploreRing();
    expect(explored.states).toBeGreaterThan(200);
    expect(explored.ends).toBeGreaterThan(20);
  });

  it.each([
    ['2^31', 2 ** 31 - 40],
    ['2^32', -40],
  ])('nor do they where the counters pass %s', (_, start) => {
    expect(exploreRing(same, same, start | 0).states).toBeGreaterThan(200);
  });

  it('nor where several records are published at once', () => {
    expect(exploreRing(same, same, 0, 2).states).toBeGreaterThan(100);
  });

  it('a record published before it is written is noticed', () => {
    expect(() => exploreRing(publishBeforePayload)).toThrow(/data race|expected/);
  });

  it('room freed before it is read is noticed', () => {
    expect(() => exploreRing(same, freeBeforeReading)).toThrow(/data race: thread 0 overwrites word/);
  });

  it('unread records that are overwritten are noticed', () => {
    expect(() => exploreRing(overestimateRoom)).toThrow(/data race|expected/);
  });
});
