// Which request of a connection may start, and whose reply is the next to leave. Kafka promises order per connection:
// a barrier starts when everything before it is answered; requests of one overlap class may run side by side.
// Invariants: all requests in the window are of one class, and of one only when that is 'barrier'; replies leave in the order
// in which the requests started, whatever order they were answered in.
// Pure. Not here: bytes, frames, who answers.
import { assert, unreachable } from '../base/assert.ts';

/** 'barrier' overlaps with nothing, the others with their own kind. */
export type OrderClass = 'barrier' | 'produce' | 'fetch';

const SIZE_AT_FIRST = 4;

/** The window of started requests whose replies have not left, oldest first. `T` is what the caller knows of a request. */
export class RequestOrder<T> {
  readonly #inflightMax: number;
  // A circle of a power of two places; the window lies in [first, next). Counters run on; places are their low bits.
  #items: (T | null)[] = new Array(SIZE_AT_FIRST).fill(null);
  #answered = new Uint8Array(SIZE_AT_FIRST);
  #first = 0;
  #next = 0;
  #unansweredCount = 0;
  #class: OrderClass = 'barrier';

  /** At most `inflightMax` (1 or more) requests are in the window. */
  constructor(inflightMax: number) {
    assert(inflightMax >= 1, 'one request in flight at least');
    this.#inflightMax = inflightMax;
  }

  /** Requests that started and whose replies have not left. */
  get count(): number {
    return (this.#next - this.#first) | 0;
  }

  /** The request whose reply leaves next; null: none is in the window. */
  get oldest(): T | null {
    return this.count === 0 ? null : (this.#items[this.#first & (this.#items.length - 1)] ?? null);
  }

  /** Of the requests in the window; that of the last one where there is none. */
  get orderClass(): OrderClass {
    return this.#class;
  }

  /** Requests that were ever started, as a number that wraps. */
  get startedCount(): number {
    return this.#next;
  }

  get unansweredCount(): number {
    return this.#unansweredCount;
  }

  /** Whether a request of this class may start now. */
  canStart(orderClass: OrderClass): boolean {
    if (this.count === 0) return true;
    return orderClass !== 'barrier' && orderClass === this.#class && this.count < this.#inflightMax;
  }

  /** Opens a place for `item`, which canStart allowed, and returns its number: what `answer` wants. */
  start(orderClass: OrderClass, item: T): number {
    assert(this.canStart(orderClass), 'a request started out of order');
    if (this.count === this.#items.length) this.#grow();
    const sequence = this.#next;
    const place = sequence & (this.#items.length - 1);
    this.#items[place] = item;
    this.#answered[place] = 0;
    this.#class = orderClass;
    this.#next = (sequence + 1) | 0;
    this.#unansweredCount++;
    return sequence;
  }

  /** Takes back the start that came last: its request was not taken. */
  cancel(): void {
    assert(this.count > 0, 'no start to take back');
    const last = (this.#next - 1) | 0;
    const place = last & (this.#items.length - 1);
    assert(this.#answered[place] === 0, 'an answered request cannot be taken back');
    this.#items[place] = null;
    this.#next = last;
    this.#unansweredCount--;
  }

  /** The reply of this request is complete (an empty one is a reply too). */
  answer(sequence: number): void {
    const distance = (sequence - this.#first) | 0;
    const place = sequence & (this.#items.length - 1);
    const isWaiting = distance >= 0 && distance < this.count && this.#answered[place] === 0;
    if (!isWaiting) unreachable(`request ${sequence} is not waiting for its answer`);
    this.#answered[place] = 1;
    this.#unansweredCount--;
  }

  /** The next request whose reply may leave, taken out of the window; null when the oldest one is unanswered or there is none. */
  takeReady(): T | null {
    if (this.count === 0) return null;
    const place = this.#first & (this.#items.length - 1);
    if (this.#answered[place] === 0) return null;
    return this.#takeFirst(place);
  }

  /** For a connection that has ended: the next request, oldest first, answered or not. */
  takeAny(): T | null {
    if (this.count === 0) return null;
    const place = this.#first & (this.#items.length - 1);
    if (this.#answered[place] === 0) this.#unansweredCount--;
    return this.#takeFirst(place);
  }

  #takeFirst(place: number): T | null {
    const item = this.#items[place] ?? null;
    this.#items[place] = null;
    this.#first = (this.#first + 1) | 0;
    return item;
  }

  #grow(): void {
    const size = this.#items.length * 2;
    const items: (T | null)[] = new Array(size).fill(null);
    const answered = new Uint8Array(size);
    for (let sequence = this.#first; sequence !== this.#next; sequence = (sequence + 1) | 0) {
      items[sequence & (size - 1)] = this.#items[sequence & (this.#items.length - 1)] ?? null;
      answered[sequence & (size - 1)] = this.#answered[sequence & (this.#items.length - 1)] ?? 0;
    }
    this.#items = items;
    this.#answered = answered;
  }
}
