// Parking: a worker that found too little in a partition leaves a note with the file position that it needs, and is woken when the owner
// has published that much. Per slot the owner has an interest word (a bit for each worker that waits) and a wanted word (the smallest
// position that any of them needs); per worker there is a set of slots to look at again. Nothing here can fill up, and nothing is sent
// while nobody waits or nobody has enough yet.
//
// The race, as a sequence of events. R finds too little while the owner W publishes:
//   R loads the position: too little · W stores the position · W finds no note, wakes nobody · R leaves its note · R sleeps for ever.
// So R looks at everything again after leaving its note, and W looks for notes after storing: in the one order of all four, either the
// store stands before R's second look (R sees it and does not park) or R's note stands before W's look (W wakes R). W sets R's bit before
// it looks at R's sleeping word, and R looks at its bits after it has said "asleep" (doorbell.ts), so the note is not lost on its last
// step either.
//
// A note is two words. R sets its interest first, then lowers the wanted position; W takes the wanted position first, then the interest.
// So whoever's position W has taken, W finds in the interest. The other way round: W takes the interest, R sets its bit and its position,
// W takes the position, and nobody ever looks for R's.
//
// A note that is left behind by a reader that did not park in the end costs it one look for nothing.
// Runs on: published() and wake() the slot's owner; leaveNote(), any(), drain() any worker, for itself.
// Not here: which fetches wait and what they need; the other counters of a slot (src/partition/partition-words.ts).
import { assert } from '../base/assert.ts';
import { WORKER_COUNT_MAX } from './ring-layout.ts';
import { SharedBits, sharedBitsBytes, sharedBitsWords } from './shared-bits.ts';
import type { Words } from './shared-words.ts';

/** In the wanted word, which holds the complement of a position: so that zeroed memory says that nobody wants any. */
const NOBODY = 0;

interface ParkOptions {
  /** Covers the slots' blocks and the wake-up bits. */
  readonly words: Words;
  readonly slotCount: number;
  readonly workerCount: number;
  readonly selfIndex: number;
  /** Words from one slot's block to the next. */
  readonly slotStrideWords: number;
  /** The interest word of slot 0. */
  readonly interestWord: number;
  /** The wanted word of slot 0, best in the line of the position: the owner looks at it in every publish. */
  readonly wantedWord: number;
  /** First of the ParkProtocol.regionBytes() that hold the wake-up bits of all workers; at a multiple of LINE_BYTES. */
  readonly bitsWord: number;
  /** Exchange.signal. */
  readonly signal: (worker: number) => void;
}

export class ParkProtocol {
  readonly #words: Words;
  readonly #stride: number;
  readonly #interestWord: number;
  readonly #wantedWord: number;
  readonly #selfIndex: number;
  readonly #bits: readonly SharedBits[];
  readonly #signal: (worker: number) => void;

  /** Bytes of the wake-up bits of all workers; interest and wanted words lie in the slots' own blocks. */
  static regionBytes(slotCount: number, workerCount: number): number {
    return workerCount * sharedBitsBytes(slotCount);
  }

  constructor(options: ParkOptions) {
    assert(options.workerCount <= WORKER_COUNT_MAX, `${options.workerCount} workers, an interest word has ${WORKER_COUNT_MAX} bits`);
    this.#words = options.words;
    this.#stride = options.slotStrideWords;
    this.#interestWord = options.interestWord;
    this.#wantedWord = options.wantedWord;
    this.#selfIndex = options.selfIndex;
    this.#signal = options.signal;
    this.#bits = Array.from(
      { length: options.workerCount },
      (_, worker) => new SharedBits(options.words, options.bitsWord + worker * sharedBitsWords(options.slotCount), options.slotCount),
    );
  }

  /** Wakes whoever waits at the slot for `position` or less; to be called after storing it. Runs on: the slot's owner. */
  published(slot: number, position: number): void {
    const wanted = this.#words.load(this.#wantedWord + slot * this.#stride);
    if (wanted === NOBODY || position < ~wanted) return;
    this.wake(slot);
  }

  /**
   * Wakes everyone at the slot: to be called after storing anything else that ends a wait (another segment, a raised state version,
   * a stable offset that moved alone). Runs on: the slot's owner.
   */
  wake(slot: number): void {
    this.#words.exchange(this.#wantedWord + slot * this.#stride, NOBODY);
    const word = this.#interestWord + slot * this.#stride;
    if (this.#words.load(word) === 0) return; // One load instead of an exchange.
    for (let workers = this.#words.exchange(word, 0); workers !== 0; workers &= workers - 1) {
      const worker = 31 - Math.clz32(workers & -workers);
      this.#bits[worker]?.set(slot);
      this.#signal(worker);
    }
  }

  /**
   * Leaves this worker's note at the slot: it will come out of drain() once `position` (0 … 2^31−1) is published, or sooner. The caller
   * must look at everything that may end its wait again after this. One note serves all waits of this worker at the slot.
   */
  leaveNote(slot: number, position: number): void {
    this.#words.or(this.#interestWord + slot * this.#stride, 1 << this.#selfIndex);
    const word = this.#wantedWord + slot * this.#stride;
    for (let wanted = this.#words.load(word); wanted === NOBODY || position < ~wanted; ) {
      const found = this.#words.compareExchange(word, wanted, ~position);
      if (found === wanted) return;
      wanted = found;
    }
  }

  /** Whether slots wait to be drained by this worker; for Exchange.addWakeSource. */
  any(): boolean {
    return this.#bits[this.#selfIndex]?.any() ?? false;
  }

  /** Takes this worker's wake-ups: `visit` is called once for each slot; what still waits there leaves a new note. Returns how many. */
  drain(visit: (slot: number) => void): number {
    return this.#bits[this.#selfIndex]?.drain(visit) ?? 0;
  }
}
