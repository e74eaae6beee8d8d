// Credits against a map, and their promise against a real ring: whatever order and sizes, a reply finds room.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Credits } from '../../src/actors/credits.ts';
import { payloadWordsMax, RING_HEAD_WORD, RING_TAIL_WORD, recordWords, ringWords } from '../../src/actors/ring-layout.ts';
import { SharedWords } from '../../src/actors/shared-words.ts';
import { SpscRing } from '../../src/actors/spsc-ring.ts';

const step = fc.record({
  do: fc.constantFrom('request', 'request', 'request', 'cancel', 'reply', 'reply', 'read'),
  pick: fc.nat(1_000_000),
  size: fc.nat(1_000_000),
});

describe('credits', () => {
  it('keep room for every reply', () => {
    const start = fc.constantFrom(0, 14, 2 ** 31 - 10, -10);
    fc.assert(
      fc.property(
        fc.constantFrom(128, 256, 512),
        start,
        fc.array(step, { maxLength: 400, size: 'max' }),
        (capacityBytes, initial, steps) => {
          const words = new SharedWords(new SharedArrayBuffer(ringWords(capacityBytes) * 4));
          words.store(RING_TAIL_WORD, initial | 0);
          words.store(RING_HEAD_WORD, initial | 0);
          const owner = new SpscRing(words, 0, capacityBytes);
          const requester = new SpscRing(words, 0, capacityBytes);
          const credits = new Credits(capacityBytes / 4);
          const asked = new Map<number, number>();
          const answered = new Map<number, number>();
          let nextId = -5;
          for (const { do: what, pick, size } of steps) {
            const ids = [...asked.keys()];
            const id = ids[pick % Math.max(1, ids.length)];
            if (what === 'request') {
              const payload = size % (payloadWordsMax(capacityBytes) + 1);
              const taken = credits.tryTake(nextId, recordWords(payload));
              if (asked.size + answered.size === 0) expect(taken).toBe(true);
              if (taken) asked.set(nextId++, payload);
            } else if (what === 'cancel' && id !== undefined) {
              credits.cancel(id);
              asked.delete(id);
            } else if (what === 'reply' && id !== undefined) {
              const payload = size % ((asked.get(id) as number) + 1);
              expect(owner.tryClaim(1, id, payload)).not.toBe(-1);
              owner.commit();
              owner.publish();
              asked.delete(id);
              answered.set(id, payload);
            } else if (what === 'read') {
              const read = requester.read(
                (_kind, requestId, _index, payload) => {
                  expect(payload).toBe(answered.get(requestId));
                  answered.delete(requestId);
                  credits.replied(requestId, recordWords(payload));
                },
                1 + (pick % 3),
              );
              expect(credits.settle()).toBe(read > 0);
            }
            expect(credits.outstandingCount).toBe(asked.size + answered.size);
          }
        },
      ),
      { numRuns: 500 },
    );
  });

  it('let small replies use nearly the whole ring, and one of the largest always through', () => {
    const credits = new Credits(1024 / 4);
    let count = 0;
    while (credits.tryTake(count, recordWords(0))) count++;
    expect(count).toBe(63); // 256 words in records of 4, less the padding one of them may cause.
    for (let id = 0; id < count; id++) credits.cancel(id);
    expect(credits.outstandingCount).toBe(0);
    expect(credits.tryTake(1, 128)).toBe(true);
    expect(credits.tryTake(2, 128)).toBe(false);
  });

  it('assert that ids are unique, known, and replies no larger than reserved', () => {
    const credits = new Credits(64);
    credits.tryTake(5, 8);
    expect(() => credits.tryTake(5, 8)).toThrow(/outstanding already/);
    expect(() => credits.replied(6, 4)).toThrow(/not outstanding/);
    expect(() => credits.replied(5, 10)).toThrow(/8 were reserved/);
  });
});
