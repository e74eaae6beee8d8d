// Virtual time: events in order of their times, those of the same time in the order in which they were asked for.
// Invariant: time never runs back; it stands still while an event happens.
// Pure.
import { assert } from '../base/assert.ts';

interface Happening {
  readonly atMs: number;
  readonly number: number;
  readonly happen: () => void;
}

export class VirtualTime {
  /** A binary heap: the next one first, each before its two children. */
  readonly #heap: Happening[] = [];
  #nowMs = 0;
  #asked = 0;

  get nowMs(): number {
    return this.#nowMs;
  }

  /** Lets `happen` be called at `atMs`, or now when that is past. */
  at(atMs: number, happen: () => void): void {
    const heap = this.#heap;
    const added = { atMs: Math.max(atMs, this.#nowMs), number: this.#asked++, happen };
    let place = heap.length;
    heap.push(added);
    while (place > 0) {
      const parent = (place - 1) >> 1;
      const above = heap[parent];
      if (above === undefined || isBefore(above, added)) break;
      heap[place] = above;
      place = parent;
    }
    heap[place] = added;
  }

  /** When the next event happens; Infinity where there is none. */
  nextMs(): number {
    return this.#heap[0]?.atMs ?? Number.POSITIVE_INFINITY;
  }

  /** Goes to the next event and lets it happen; false where there is none. */
  step(): boolean {
    const next = this.#heap[0];
    if (next === undefined) return false;
    this.#removeFirst();
    this.#nowMs = Math.max(this.#nowMs, next.atMs);
    next.happen();
    return true;
  }

  /** Time passes without an event; events that were due meanwhile are late. */
  skipBy(durationMs: number): void {
    assert(durationMs >= 0, 'time never runs back');
    this.#nowMs += durationMs;
  }

  skipTo(ms: number): void {
    this.#nowMs = Math.max(this.#nowMs, ms);
  }

  #removeFirst(): void {
    const heap = this.#heap;
    const moved = heap.pop();
    if (moved === undefined || heap.length === 0) return;
    let place = 0;
    for (;;) {
      const left = 2 * place + 1;
      const leftChild = heap[left];
      if (leftChild === undefined) break;
      const rightChild = heap[left + 1];
      const isRight = rightChild !== undefined && isBefore(rightChild, leftChild);
      const child = isRight ? rightChild : leftChild;
      if (isBefore(moved, child)) break;
      heap[place] = child;
      place = isRight ? left + 1 : left;
    }
    heap[place] = moved;
  }
}

function isBefore(a: Happening, b: Happening): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.number < b.number);
}
