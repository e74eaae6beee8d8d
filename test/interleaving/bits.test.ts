// Every schedule of workers that set bits and signal while the owner of the set drains it and goes to sleep: each member
// that was set is visited after it was set, however the levels of the tree are found.
import { describe, expect, it } from 'vitest';
import { Doorbell } from '../../src/actors/doorbell.ts';
import { SharedBits, sharedBitsWords } from '../../src/actors/shared-bits.ts';
import type { Words } from '../../src/actors/shared-words.ts';
import { type Explored, explore, type Thread } from './explorer.ts';

const OWNER = 0;

type SetBit = (words: Words, count: number, member: number) => void;
const product: SetBit = (words, count, member) => new SharedBits(words, 0, count).set(member);

/** `members` per setting worker; the owner stops when it has visited all of them. */
function exploreBits(count: number, members: readonly (readonly number[])[], set: SetBit = product): Explored {
  const expected = [...new Set(members.flat())].sort((a, b) => a - b);
  const sleepingWord = (worker: number): number => sharedBitsWords(count) + worker;
  const setter =
    (self: number): Thread =>
    (context) => {
      const doorbell = new Doorbell(context.words, self, sleepingWord, (target) => context.ringBell(target));
      return () => {
        for (const member of members[self - 1] as readonly number[]) {
          set(context.words, count, member);
          doorbell.mark(OWNER);
          doorbell.ringMarked();
        }
      };
    };
  const owner: Thread = (context) => {
    const bits = new SharedBits(context.words, 0, count);
    const doorbell = new Doorbell(context.words, OWNER, sleepingWord, () => undefined);
    return () => {
      const visited = new Set<number>();
      for (;;) {
        bits.drain((member) => void visited.add(member));
        if (visited.size === expected.length) break;
        if (!doorbell.trySleep(() => bits.any())) continue;
        context.waitForBell();
        doorbell.awake();
      }
      context.report([...visited].sort((a, b) => a - b));
    };
  };
  return explore({
    wordCount: sharedBitsWords(count) + members.length + 1,
    threads: [owner, ...members.map((_, i) => setter(i + 1))],
    check: ([visited]) => expect(visited).toEqual([expected]),
  });
}

describe('all schedules of shared bits', () => {
  it.each<[string, number, number[][]]>([
    ['one word', 32, [[3, 31], [7]]],
    ['two levels, one leaf', 40, [[33], [39]]],
    ['two levels, two leaves', 40, [[1, 33]]],
    ['three levels, all shared', 1100, [[1025], [1026]]],
    ['three levels, the root shared', 1100, [[1, 1099]]],
  ])('%s: every member is visited', (_, count, members) => {
    expect(exploreBits(count, members).ends).toBeGreaterThan(10);
  });

  it.each<[string, number, number[]]>([
    ['the same member', 40, [33, 33]],
    ['members of one leaf', 1100, [1025, 1026]],
  ])('%s, set by two: whoever is first to return can be found from the root', (_, count, members) => {
    const setter =
      (member: number): Thread =>
      ({ words }) => {
        const bits = new SharedBits(words, 0, count);
        return () => {
          bits.set(member);
          if (!bits.any()) throw new Error(`member ${member} was set and cannot be found`);
        };
      };
    expect(explore({ wordCount: sharedBitsWords(count), threads: members.map(setter) }).states).toBeGreaterThan(10);
  });

  it('summaries set before the members are noticed', () => {
    const fromTheRoot: SetBit = (words, _count, member) => {
      words.or(2, 1 << (member >>> 5)); // The root of 40 bits; their two words come first.
      words.or(member >>> 5, 1 << (member & 31));
    };
    expect(() => exploreBits(40, [[33], [39]], fromTheRoot)).toThrow(/lost wake-up/);
  });

  it('a bit put into its word by a load and a store is noticed', () => {
    const notAtomic: SetBit = (words, _count, member) => words.store(0, words.load(0) | (1 << member));
    expect(() => exploreBits(32, [[3], [7]], notAtomic)).toThrow(/lost wake-up/);
  });
});
