// Parking: a worker that found nothing new in a partition leaves a note and is woken when its owner publishes more.
// Per slot the owner has a high watermark (64 bits) and an interest word (a bit for each worker that waits); per worker
// there is a set of slots to look at again. Nothing here can fill up and nothing is sent while nobody waits.
//
// The race, as a sequence of events. R finds nothing new while the owner W publishes:
//   R loads the watermark: nothing new · W stores the watermark · W finds no interest, wakes nobody · R sets its interest ·
//   R sleeps for ever.
// So R loads the watermark again after setting its interest, and W looks at the interest after storing the watermark: in the
// one order of all four, either the store stands before R's second load (R sees it and does not park) or R's interest stands
// before W's look (W wakes R). W sets R's bit before it looks at R's sleeping word, and R looks at its bits after it
// has said "asleep" (doorbell.ts), so the note is not lost on its last step either.
//
// An interest that is left behind by a reader that did not park in the end costs it one look for nothing.
// Runs on: publish() and wake() the slot's owner; park(), any(), drain() any worker, for itself.
// Not here: which fetches wait and what they need; the other counters of a slot (src/partition/partition-words.ts).
import { assert } from '../base/assert.ts';
import { WORKER_COUNT_MAX } from './ring-layout.ts';
import { SharedBits, sharedBitsBytes, sharedBitsWords } from './shared-bits.ts';
import type { Words } from './shared-words.ts';

export interface ParkOptions {
  /** Covers the slots' blocks and the wake-up bits. */
  readonly words: Words;
  readonly slotCount: number;
  readonly workerCount: number;
  readonly selfIndex: number;
  /** Words from one slot's block to the next. */
  readonly slotStrideWords: number;
  /** The high watermark of slot 0, an even word. */
  readonly highWatermarkWord: number;
  /** The interest word of slot 0, best in the line of the watermark: the owner looks at it in every publish. */
  readonly interestWord: number;
  /** First of the ParkProtocol.regionBytes() that hold the wake-up bits of all workers; at a multiple of LINE_BYTES. */
  readonly bitsWord: number;
  /** Exchange.signal. */
  readonly signal: (worker: number) => void;
}

export class ParkProtocol {
  readonly #words: Words;
  readonly #stride: number;
  readonly #highWatermarkWord: number;
  readonly #interestWord: number;
  readonly #selfIndex: number;
  readonly #bits: readonly SharedBits[];
  readonly #signal: (worker: number) => void;

  /** Bytes of the wake-up bits of all workers; watermarks and interest words lie in the slots' own blocks. */
  static regionBytes(slotCount: number, workerCount: number): number {
    return workerCount * sharedBitsBytes(slotCount);
  }

  constructor(options: ParkOptions) {
    assert(options.workerCount <= WORKER_COUNT_MAX, `${options.workerCount} workers, an interest word has ${WORKER_COUNT_MAX} bits`);
    this.#words = options.words;
    this.#stride = options.slotStrideWords;
    this.#highWatermarkWord = options.highWatermarkWord;
    this.#interestWord = options.interestWord;
    this.#selfIndex = options.selfIndex;
    this.#signal = options.signal;
    this.#bits = Array.from(
      { length: options.workerCount },
      (_, worker) => new SharedBits(options.words, options.bitsWord + worker * sharedBitsWords(options.slotCount), options.slotCount),
    );
  }

  /** Stores the slot's high watermark, then wakes whoever waits for it. Runs on: the slot's owner. */
  publish(slot: number, highWatermark: number): void {
    this.#words.store64(this.#highWatermarkWord + slot * this.#stride, highWatermark);
    this.wake(slot);
  }

  /**
   * Wakes whoever waits at the slot: to be called after storing anything else that ends a wait (a new epoch, a raised state
   * version, a log start that moved). Runs on: the slot's owner.
   */
  wake(slot: number): void {
    const word = this.#interestWord + slot * this.#stride;
    if (this.#words.load(word) === 0) return; // Nobody waits: one load instead of an exchange.
    for (let workers = this.#words.exchange(word, 0); workers !== 0; workers &= workers - 1) {
      const worker = 31 - Math.clz32(workers & -workers);
      this.#bits[worker]?.set(slot);
      this.#signal(worker);
    }
  }

  /**
   * Leaves this worker's note at the slot; true: parked, the slot will come out of drain() once the watermark is another
   * than `seenHighWatermark`. false: it already is, look again instead. One note serves all waits of this worker at the slot.
   */
  park(slot: number, seenHighWatermark: number): boolean {
    this.leaveNote(slot);
    return this.#words.load64(this.#highWatermarkWord + slot * this.#stride) === seenHighWatermark;
  }

  /** For waits that end by other words too: leaves the note; the caller must look at every one of them again after this. */
  leaveNote(slot: number): void {
    this.#words.or(this.#interestWord + slot * this.#stride, 1 << this.#selfIndex);
  }

  /** Whether slots wait to be drained by this worker; for Exchange.addWakeSource. */
  any(): boolean {
    return this.#bits[this.#selfIndex]?.any() ?? false;
  }

  /** Takes this worker's wake-ups: `visit` is called once for each slot; what still waits there parks again. Returns how many. */
  drain(visit: (slot: number) => void): number {
    return this.#bits[this.#selfIndex]?.drain(visit) ?? 0;
  }
}
