// Who is inside a read of a partition's files, counted so that the owner can wait for those who were told something older: readers that
// come later are counted elsewhere, and do not prolong that wait.
//
// One shared word a slot, two halves of 16 bits: workers with readers of an even state version in the lower one, of an odd one in the
// upper. A worker counts its own readers by itself, and tells of the first that comes and of the last that goes: so a half is never more
// than the number of workers, and a worker that is always inside touches no shared line.
// Invariants: a reader is counted under the version of its plan, from before it looks at the version until it leaves. In a log that lives,
// the version is raised only when the half that it then names is empty (tryRaise); so at version v the other half counts readers of v−1,
// and those with older plans who are about to see that these are void.
// Runs on: every worker, for what it reads; tryRaise and hasEarlier: the owner.
import type { Words } from '../actors/shared-words.ts';
import { assert } from '../base/assert.ts';

/** How soon an owner looks again whether those who read a partition have left. */
export const READERS_RECHECK_MS = 5;

/** What a worker adds to the word, by the parity of the version. */
const UNITS = [1, 0x1_0000] as const;
const SHIFTS = [0, 16] as const;
const HALF_MASK = 0xffff;

export interface ReaderCountsOptions {
  readonly words: Words;
  readonly slotStrideWords: number;
  /** Where in a slot's block the state version and the counts are. */
  readonly versionWord: number;
  readonly readersWord: number;
}

export class ReaderCounts {
  readonly #words: Words;
  readonly #stride: number;
  readonly #versionWord: number;
  readonly #readersWord: number;
  /** This worker's readers: by slot, even versions, then odd ones. Grows to the largest slot that was read. */
  #own = new Int32Array(64);

  constructor({ words, slotStrideWords, versionWord, readersWord }: ReaderCountsOptions) {
    this.#words = words;
    this.#stride = slotStrideWords;
    this.#versionWord = versionWord;
    this.#readersWord = readersWord;
  }

  /**
   * Enters a read of a file that a plan of `stateVersion` named. False: the plan is void, ask the owner again.
   * The order matters: we are counted before we look at the version; the owner raises the version before it looks at the counts. Whichever
   * comes first, either we see the new version or the owner sees us and keeps the file open.
   */
  enter(slot: number, stateVersion: number): boolean {
    const parity = stateVersion & 1;
    const at = 2 * slot + parity;
    if (at >= this.#own.length) this.#grow(at);
    const before = this.#own[at] as number;
    this.#own[at] = before + 1;
    if (before === 0) this.#words.add(slot * this.#stride + this.#readersWord, UNITS[parity] as number);
    if (this.#words.load(slot * this.#stride + this.#versionWord) === stateVersion) return true;
    this.leave(slot, stateVersion);
    return false;
  }

  /** Ends a read that was entered with `stateVersion`. */
  leave(slot: number, stateVersion: number): void {
    const parity = stateVersion & 1;
    const at = 2 * slot + parity;
    const left = (this.#own[at] as number) - 1;
    assert(left >= 0, 'who leaves a read has entered it');
    this.#own[at] = left;
    if (left === 0) this.#words.add(slot * this.#stride + this.#readersWord, -(UNITS[parity] as number));
  }

  /** Whether any worker is inside a read. */
  hasAny(slot: number): boolean {
    return this.#words.load(slot * this.#stride + this.#readersWord) !== 0;
  }

  /**
   * Raises the version, unless readers of the version before the present one are still there: those who come now would be counted with
   * them. Who gets true may wait for `hasEarlier(slot, the version as it is now)`.
   */
  tryRaise(slot: number): boolean {
    const version = this.#version(slot);
    if (this.#has(slot, version + 1)) return false;
    this.#words.add(slot * this.#stride + this.#versionWord, 1);
    return true;
  }

  /**
   * Whether anybody may be inside a read that was planned before tryRaise made the version `raisedTo`. Where the version has been raised
   * once more since without being asked (the log is on its way out), a half may hold readers of both: everybody counts then.
   */
  hasEarlier(slot: number, raisedTo: number): boolean {
    return this.#version(slot) === raisedTo ? this.#has(slot, raisedTo + 1) : this.hasAny(slot);
  }

  #version(slot: number): number {
    return this.#words.load(slot * this.#stride + this.#versionWord);
  }

  /** Whether a worker is counted in the half of versions of this one's parity. */
  #has(slot: number, ofVersion: number): boolean {
    const counts = this.#words.load(slot * this.#stride + this.#readersWord);
    return ((counts >>> (SHIFTS[ofVersion & 1] as number)) & HALF_MASK) !== 0;
  }

  #grow(at: number): void {
    const own = new Int32Array(2 ** Math.ceil(Math.log2(at + 1)));
    own.set(this.#own);
    this.#own = own;
  }
}
