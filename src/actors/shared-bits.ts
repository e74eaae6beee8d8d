// A set of small integers in shared memory: any worker adds, one worker takes all. For what is not a request and so
// must never fill anything up: "look at partition slot i again". Adding twice is adding once.
// A tree of bits: one per member, one per non-zero word below it, up to a single root word, so that an empty set of a
// million is seen by one load. Invariant: when `set` has returned, its member is taken or can be found from the root.
// Runs on: set() any worker; drain() and any() the one worker that owns the set. Wakes nobody: that is Exchange.signal.
import { unreachable } from '../base/assert.ts';
import { LINE_WORDS, WORD_BYTES, type Words } from './shared-words.ts';

/** Words for `count` bits in whole cache lines, so that sets side by side do not share one. */
export function sharedBitsWords(count: number): number {
  const words = levelSizes(count).reduce((sum, size) => sum + size, 0);
  return Math.ceil(words / LINE_WORDS) * LINE_WORDS;
}

export function sharedBitsBytes(count: number): number {
  return sharedBitsWords(count) * WORD_BYTES;
}

export class SharedBits {
  /** Members are 0 … count-1. */
  readonly count: number;
  readonly #words: Words;
  /** First word of each level: the members at 0, the root (one word) last. */
  readonly #levels: readonly number[];
  readonly #root: number;

  /** Lies at `firstWord` of `words` and takes sharedBitsWords(count) words, zero at first. */
  constructor(words: Words, firstWord: number, count: number) {
    this.count = count;
    this.#words = words;
    let next = firstWord;
    this.#levels = levelSizes(count).map((size) => {
      const first = next;
      next += size;
      return first;
    });
    this.#root = next - 1;
  }

  /**
   * Adds `member`. From the members up to the root, while drain() goes from the root down, and each level is looked at even
   * where the one below was set already. Why a summary bit that is found set need not be set again: whoever drains takes a
   * summary word before the words below it, and ours was written below before we looked; so the drain that takes the bit
   * we saw finds what we wrote.
   */
  set(member: number): void {
    if (member < 0 || member >= this.count) unreachable(`bit ${member} of ${this.count}`);
    let bit = member;
    for (let level = 0; level < this.#levels.length; level++) {
      const word = (this.#levels[level] as number) + (bit >>> 5);
      const mask = 1 << (bit & 31);
      if ((this.#words.load(word) & mask) === 0) this.#words.or(word, mask);
      bit >>>= 5;
    }
  }

  /** Whether anything may be in the set; true can be stale for one drain, false never hides a completed set(). */
  any(): boolean {
    return this.#words.load(this.#root) !== 0;
  }

  /** Takes all members and calls `visit` for each; returns how many. A member added meanwhile is visited now or by the next drain. */
  drain(visit: (member: number) => void): number {
    if (this.#words.load(this.#root) === 0) return 0;
    return this.#drainWord(this.#levels.length - 1, 0, visit);
  }

  #drainWord(level: number, index: number, visit: (member: number) => void): number {
    let visited = 0;
    for (let bits = this.#words.exchange((this.#levels[level] as number) + index, 0); bits !== 0; bits &= bits - 1) {
      const below = (index << 5) + 31 - Math.clz32(bits & -bits);
      if (level > 0) {
        visited += this.#drainWord(level - 1, below, visit);
      } else {
        visit(below);
        visited++;
      }
    }
    return visited;
  }
}

/** Words of each level, the members' first, down to one. */
function levelSizes(count: number): number[] {
  const sizes = [Math.max(1, Math.ceil(count / 32))];
  while ((sizes.at(-1) as number) > 1) sizes.push(Math.ceil((sizes.at(-1) as number) / 32));
  return sizes;
}
