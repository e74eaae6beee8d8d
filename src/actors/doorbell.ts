// Sleep and wake. A worker that finds nothing to do says so in its sleeping word, looks at all its inputs once more, and
// only then blocks in the event loop. Who gives it something looks at that word at the end of its turn and rings: once per
// sleep, whoever comes first, never for a worker that is awake.
//
// The race, as a sequence of events. P publishes a record for C while C goes to sleep:
//   C finds its rings empty · P stores the tail · P sees "awake", rings nobody · C stores "asleep" · C blocks for ever.
// So C looks again after storing "asleep", and P looks at the word after storing the tail. All four accesses are in one
// order that both agree on, and in it either the tail stands before C's second look (C sees it and stays awake) or
// C's "asleep" stands before that second look, hence before the tail, hence before P's look at the word (P rings).
//
// A bell that comes late, to a worker that has woken up by itself, costs one empty turn and nothing else.
// Runs on: every worker, an instance each. How a bell rings (a message to that thread) is the caller's.
import type { Words } from './shared-words.ts';

const AWAKE = 0;
const ASLEEP = 1;

export class Doorbell {
  readonly #words: Words;
  readonly #selfIndex: number;
  readonly #sleepingWord: (worker: number) => number;
  readonly #ring: (target: number) => void;
  #marked = 0; // A bit for each worker that was given something since the last ringMarked().

  constructor(words: Words, selfIndex: number, sleepingWord: (worker: number) => number, ring: (target: number) => void) {
    this.#words = words;
    this.#selfIndex = selfIndex;
    this.#sleepingWord = sleepingWord;
    this.#ring = ring;
  }

  /** `target` was given something: it is already visible in shared memory. Nothing to do for this worker itself, which is awake. */
  mark(target: number): void {
    if (target !== this.#selfIndex) this.#marked |= 1 << target;
  }

  /** Rings for each marked worker that sleeps. Of several workers that find it asleep, the one that turns its word over rings. */
  ringMarked(): void {
    let marked = this.#marked;
    this.#marked = 0;
    for (; marked !== 0; marked &= marked - 1) {
      const target = 31 - Math.clz32(marked & -marked);
      const word = this.#sleepingWord(target);
      if (this.#words.load(word) !== ASLEEP) continue;
      if (this.#words.compareExchange(word, ASLEEP, AWAKE) === ASLEEP) this.#ring(target);
    }
  }

  /** Says "asleep", then asks `hasWork` once more; true: this worker may block, a bell will come. false: it is awake and has work. */
  trySleep(hasWork: () => boolean): boolean {
    this.#words.store(this.#sleepingWord(this.#selfIndex), ASLEEP);
    if (!hasWork()) return true;
    this.awake();
    return false;
  }

  /** This worker runs again, by a bell, a timer or a socket: no more bells until the next sleep. */
  awake(): void {
    this.#words.store(this.#sleepingWord(this.#selfIndex), AWAKE);
  }
}
