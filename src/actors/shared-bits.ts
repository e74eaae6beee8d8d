// A set of small integers in shared memory: any worker adds, one worker takes all. For what is not a request and so
// must never fill anything up: "look at partition slot i again". Adding twice is adding once.
// Three levels: a bit per member, a bit per non-zero word of members, a bit per non-zero word of those, so that an
// empty set of 32768 is seen by one load. Invariant: when `set` has returned, its bit is either taken or found from the top.
// Runs on: set() any worker; drain() and any() the one worker that owns the set. Wakes nobody: that is Exchange.signal.
import { assert } from '../base/assert.ts';
import { LINE_WORDS, WORD_BYTES, type Words } from './shared-words.ts';

/** Words for `count` bits in whole cache lines, so that sets side by side do not share one. */
export function sharedBitsWords(count: number): number {
  const leaves = wordsFor(count);
  const middles = wordsFor(leaves);
  return Math.ceil((leaves + middles + wordsFor(middles)) / LINE_WORDS) * LINE_WORDS;
}

export function sharedBitsBytes(count: number): number {
  return sharedBitsWords(count) * WORD_BYTES;
}

export class SharedBits {
  /** Members are 0 … count-1. */
  readonly count: number;
  readonly #words: Words;
  readonly #top: number;
  readonly #topCount: number;
  readonly #middle: number;
  readonly #leaf: number;

  /** Lies at `firstWord` of `words` and takes sharedBitsWords(count) words, zero at first. */
  constructor(words: Words, firstWord: number, count: number) {
    this.count = count;
    this.#words = words;
    const middleCount = wordsFor(wordsFor(count));
    this.#topCount = wordsFor(middleCount);
    this.#top = firstWord;
    this.#middle = firstWord + this.#topCount;
    this.#leaf = this.#middle + middleCount;
  }

  /**
   * Adds `member`. From the leaf up, while drain() goes from the top down: whoever finds a summary bit already set has
   * put its leaf bit before looking, and the drainer takes summaries before leaves, so the drainer that takes that
   * summary bit finds the leaf bit too. So a summary is only loaded, not written, while it is set.
   */
  set(member: number): void {
    assert(member >= 0 && member < this.count, `bit ${member} of ${this.count}`);
    this.#words.or(this.#leaf + (member >>> 5), 1 << (member & 31));
    this.#raise(this.#middle, member >>> 5);
    this.#raise(this.#top, member >>> 10);
  }

  /** Whether anything may be in the set; true can be stale for one drain, false never hides a completed set(). */
  any(): boolean {
    for (let i = 0; i < this.#topCount; i++) {
      if (this.#words.load(this.#top + i) !== 0) return true;
    }
    return false;
  }

  /** Takes all members and calls `visit` for each; returns how many. A member added meanwhile is visited now or by the next drain. */
  drain(visit: (member: number) => void): number {
    let visited = 0;
    for (let i = 0; i < this.#topCount; i++) {
      if (this.#words.load(this.#top + i) === 0) continue;
      for (let middles = this.#words.exchange(this.#top + i, 0); middles !== 0; middles &= middles - 1) {
        const middle = (i << 5) + lowestBit(middles);
        for (let leaves = this.#words.exchange(this.#middle + middle, 0); leaves !== 0; leaves &= leaves - 1) {
          const leaf = (middle << 5) + lowestBit(leaves);
          for (let members = this.#words.exchange(this.#leaf + leaf, 0); members !== 0; members &= members - 1) {
            visit((leaf << 5) + lowestBit(members));
            visited++;
          }
        }
      }
    }
    return visited;
  }

  #raise(level: number, bit: number): void {
    const word = level + (bit >>> 5);
    const mask = 1 << (bit & 31);
    if ((this.#words.load(word) & mask) === 0) this.#words.or(word, mask);
  }
}

function wordsFor(bits: number): number {
  return Math.max(1, Math.ceil(bits / 32));
}

/** Index of the lowest set bit of a non-zero word. */
function lowestBit(word: number): number {
  return 31 - Math.clz32(word & -word);
}
