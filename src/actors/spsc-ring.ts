// A ring of records over shared memory: one worker produces, one consumes, neither ever waits.
// The counters count words from an arbitrary start and wrap at 2^32; only their int32 difference is used:
//   tail - capacity <= head <= tail, the records lie in [head, tail), a record never wraps around the end of the buffer.
// Order: the producer writes a record plainly, then publishes the tail; the consumer loads the tail, reads plainly, then
// publishes the head; only then does the producer write there again. Each side keeps a cached far counter, which may lag:
// the producer then sees less room than there is, the consumer fewer records, and both look again when that matters.
// Runs on: one producing and one consuming worker, each with an instance of its own; a worker's ring to itself is one instance.
// Not here: who wakes a sleeping consumer (doorbell.ts), and that replies find room (credits.ts).
import { assert, unreachable } from '../base/assert.ts';
import {
  assertCapacity,
  PADDING_KIND,
  payloadWordsMax,
  RECORD_HEADER_WORDS,
  RING_DATA_WORD,
  RING_HEAD_WORD,
  RING_TAIL_WORD,
  recordWords,
} from './ring-layout.ts';
import { WORD_BYTES, type Words } from './shared-words.ts';

/** Hears a record: its payload lies in the ring's memory at word `index` and is valid only during the call. */
export type RecordHandler = (kind: number, requestId: number, index: number, payloadWords: number) => void;

/** No claim is open. */
const NO_CLAIM = -1;

export class SpscRing {
  readonly payloadWordsMax: number;
  readonly #words: Words;
  readonly #tailWord: number;
  readonly #headWord: number;
  readonly #dataWord: number;
  readonly #capacity: number; // In words, as all that follows.
  readonly #mask: number;
  readonly #isLocal: boolean;
  // The producer's.
  #tail: number; // Behind the last committed record.
  #tailPublished: number; // What the consumer may know; tail - tailPublished < capacity.
  #headCached: number; // <= the head.
  #claimIndex = NO_CLAIM;
  #claimEnd = 0;
  // The consumer's.
  #head: number;
  #tailCached: number; // <= the published tail.
  #isReading = false;

  /**
   * Attaches to the ring that lies at `firstWord`; both counters are taken as they stand there. `isLocal`: this one instance
   * is producer and consumer, a worker's ring to itself; its counters are then never shared (half the cost of a round).
   */
  constructor(words: Words, firstWord: number, capacityBytes: number, isLocal = false) {
    assertCapacity(capacityBytes);
    this.payloadWordsMax = payloadWordsMax(capacityBytes);
    this.#words = words;
    this.#tailWord = firstWord + RING_TAIL_WORD;
    this.#headWord = firstWord + RING_HEAD_WORD;
    this.#dataWord = firstWord + RING_DATA_WORD;
    this.#capacity = capacityBytes / WORD_BYTES;
    this.#mask = this.#capacity - 1;
    this.#isLocal = isLocal;
    this.#tail = words.load(this.#tailWord);
    this.#tailPublished = this.#tail;
    this.#head = words.load(this.#headWord);
    this.#headCached = this.#head;
    this.#tailCached = this.#head;
  }

  /**
   * Reserves room for a record and writes its header; returns the index of its first payload word (even), or -1 when the
   * ring is full. The payload may be written until commit() or abort(). Runs on: the producing worker.
   */
  tryClaim(kind: number, requestId: number, payloadWords: number): number {
    assert(this.#claimIndex === NO_CLAIM, 'a ring has one open claim at most');
    // Not assert(): its message would be built on every call, which made a round through the exchange half as slow again.
    if (payloadWords < 0 || payloadWords > this.payloadWordsMax)
      unreachable(`payload of ${payloadWords} words, at most ${this.payloadWordsMax}`);
    const need = recordWords(payloadWords);
    const offset = this.#tail & this.#mask;
    const padding = offset + need > this.#capacity ? this.#capacity - offset : 0;
    if (this.#usedWords() + padding + need > this.#capacity) {
      this.#headCached = this.#isLocal ? this.#head : this.#words.load(this.#headWord); // One shared read, only when the ring looks full.
      if (this.#usedWords() + padding + need > this.#capacity) return -1;
    }
    let index = this.#dataWord + offset;
    if (padding > 0) {
      // Nobody sees it before the record behind it is published, and after an abort the next claim writes it again.
      this.#words.storePlain(index, padding);
      this.#words.storePlain(index + 1, PADDING_KIND);
      index = this.#dataWord;
    }
    this.#words.storePlain(index, need);
    this.#words.storePlain(index + 1, kind);
    this.#words.storePlain(index + 2, requestId);
    this.#words.storePlain(index + 3, payloadWords);
    this.#claimIndex = index;
    this.#claimEnd = (this.#tail + padding + need) | 0;
    return index + RECORD_HEADER_WORDS;
  }

  /** Finishes the claimed record. The consumer sees it after the next publish(). Runs on: the producing worker. */
  commit(): void {
    assert(this.#claimIndex !== NO_CLAIM, 'commit without a claim');
    this.#claimIndex = NO_CLAIM;
    this.#tail = this.#claimEnd;
  }

  /** Gives the claimed room back, as if it had never been claimed. Runs on: the producing worker. */
  abort(): void {
    assert(this.#claimIndex !== NO_CLAIM, 'abort without a claim');
    this.#claimIndex = NO_CLAIM;
  }

  /** Shows all committed records to the consumer, in one store; false when it has seen them all. Runs on: the producing worker. */
  publish(): boolean {
    if (this.#tailPublished === this.#tail) return false;
    this.#tailPublished = this.#tail;
    if (!this.#isLocal) this.#words.store(this.#tailWord, this.#tail);
    return true;
  }

  /**
   * Calls `handler` for up to `limit` records in order, then frees their room in one store; returns how many: 0 only when
   * nothing is published, fewer than there are where the cached tail ends. Runs on: the consuming worker.
   */
  read(handler: RecordHandler, limit: number): number {
    assert(!this.#isReading, 'a ring is not read from within its own handler');
    if (this.isEmpty()) return 0;
    const tail = this.#tailCached;
    let head = this.#head;
    let count = 0;
    this.#isReading = true;
    try {
      while (head !== tail && count < limit) {
        const index = this.#dataWord + (head & this.#mask);
        head = (head + this.#words.loadPlain(index)) | 0;
        const kind = this.#words.loadPlain(index + 1);
        if (kind === PADDING_KIND) continue;
        count++;
        handler(kind, this.#words.loadPlain(index + 2), index + RECORD_HEADER_WORDS, this.#words.loadPlain(index + 3));
      }
    } finally {
      this.#isReading = false;
      this.#head = head;
      if (!this.#isLocal) this.#words.store(this.#headWord, head);
    }
    return count;
  }

  /** Whether nothing is published that has not been read; looks at the shared counter where the cached one says so. Runs on: the consuming worker. */
  isEmpty(): boolean {
    if (this.#head !== this.#tailCached) return false;
    this.#tailCached = this.#isLocal ? this.#tailPublished : this.#words.load(this.#tailWord);
    return this.#head === this.#tailCached;
  }

  /** Int32 difference: right wherever the counters stand, as the capacity is far below 2^31. */
  #usedWords(): number {
    return (this.#tail - this.#headCached) | 0;
  }
}
