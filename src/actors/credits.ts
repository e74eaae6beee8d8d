// Credits: the right of a requester to put one request into a ring, with room kept for its reply in the ring that comes
// back. What is reserved here can never exceed that ring, so a reply never fails and no cycle of full rings can form.
// The bound: unread records span at most the capacity, so at most one padding lies among them. It is smaller than the
// record behind it, which is itself unread and so still reserved. With S the sum of the reserved records and L the largest:
//   S + (L - alignment) <= capacity
// L is the largest since the last time nothing was outstanding: never too small, and at worst half the capacity is usable.
// Pure. Runs on: the requesting worker, one instance for each owner it asks.
import { unreachable } from '../base/assert.ts';
import { RECORD_ALIGNMENT_WORDS, RECORD_HEADER_WORDS } from './ring-layout.ts';

export class Credits {
  readonly #capacityWords: number;
  // Open addressing, linear probing: reserved words by request id; 0 is a free place. At most half full, as a record
  // takes at least a header. A Map costs 40-60 ns more for each request.
  readonly #ids: Int32Array;
  readonly #reserved: Int32Array;
  readonly #mask: number;
  readonly #shift: number;
  #count = 0;
  #sumWords = 0; // Reserved and returning.
  #largestWords = 0;
  #returningWords = 0; // Their replies are being read: free once the ring's head is published.

  constructor(capacityWords: number) {
    this.#capacityWords = capacityWords;
    const placeBits = Math.ceil(Math.log2((2 * capacityWords) / RECORD_HEADER_WORDS));
    this.#ids = new Int32Array(2 ** placeBits);
    this.#reserved = new Int32Array(2 ** placeBits);
    this.#mask = 2 ** placeBits - 1;
    this.#shift = 32 - placeBits;
  }

  /** Requests whose reply has not been read. */
  get outstandingCount(): number {
    return this.#count;
  }

  /** Reserves `replyRecordWords` for the reply to `requestId` (no other request with that id may be outstanding); false: no credit. */
  tryTake(requestId: number, replyRecordWords: number): boolean {
    const largest = Math.max(this.#largestWords, replyRecordWords);
    if (this.#sumWords + replyRecordWords + largest - RECORD_ALIGNMENT_WORDS > this.#capacityWords) return false;
    const place = this.#find(requestId);
    if (this.#reserved[place] !== 0) unreachable(`request id ${requestId} is outstanding already`);
    this.#ids[place] = requestId;
    this.#reserved[place] = replyRecordWords;
    this.#count++;
    this.#sumWords += replyRecordWords;
    this.#largestWords = largest;
    return true;
  }

  /** The request was never sent. */
  cancel(requestId: number): void {
    this.#free(this.#remove(requestId));
  }

  /** The reply was found in the ring; its room comes back with settle(). */
  replied(requestId: number, replyRecordWords: number): void {
    const reserved = this.#remove(requestId);
    if (replyRecordWords > reserved) unreachable(`reply ${requestId} takes ${replyRecordWords} words, ${reserved} were reserved`);
    this.#returningWords += reserved;
  }

  /** To be called when the ring's head is published behind all replies told to replied(); false when there were none. */
  settle(): boolean {
    if (this.#returningWords === 0) return false;
    this.#free(this.#returningWords);
    this.#returningWords = 0;
    return true;
  }

  #free(words: number): void {
    this.#sumWords -= words;
    if (this.#sumWords === 0) this.#largestWords = 0;
  }

  /** The place of `requestId`, or the free place where it belongs. */
  #find(requestId: number): number {
    let place = this.#home(requestId);
    while (this.#reserved[place] !== 0 && this.#ids[place] !== requestId) place = (place + 1) & this.#mask;
    return place;
  }

  #remove(requestId: number): number {
    let hole = this.#find(requestId);
    const reserved = this.#reserved[hole] as number;
    if (reserved === 0) unreachable(`request id ${requestId} is not outstanding`);
    this.#count--;
    // Closes the gap: an entry behind it moves up unless that would put it before its home.
    for (let place = (hole + 1) & this.#mask; this.#reserved[place] !== 0; place = (place + 1) & this.#mask) {
      const id = this.#ids[place] as number;
      if (((place - this.#home(id)) & this.#mask) < ((place - hole) & this.#mask)) continue;
      this.#ids[hole] = id;
      this.#reserved[hole] = this.#reserved[place] as number;
      hole = place;
    }
    this.#reserved[hole] = 0;
    return reserved;
  }

  /** Fibonacci hashing: dense and sparse ids spread alike. */
  #home(requestId: number): number {
    return Math.imul(requestId, 0x9e3779b1) >>> this.#shift;
  }
}
