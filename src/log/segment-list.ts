// The segments of a log, oldest first; the last one is live.
// Invariants: never empty once the log is open; base offsets rise strictly; a segment's offsets end before the next one's base.
// Runs on: the log's owner.
import { assert, unreachable } from '../base/assert.ts';
import type { Segment } from './segment.ts';

export class SegmentList {
  #segments: Segment[] = [];

  get count(): number {
    return this.#segments.length;
  }

  get live(): Segment {
    const live = this.#segments[this.#segments.length - 1];
    assert(live !== undefined, 'a log has a live segment');
    return live;
  }

  get first(): Segment {
    return this.at(0);
  }

  at(index: number): Segment {
    const segment = this.#segments[index];
    if (segment === undefined) unreachable(`no segment ${index} of ${this.#segments.length}`);
    return segment;
  }

  all(): readonly Segment[] {
    return this.#segments;
  }

  push(segment: Segment): void {
    assert(this.#segments.length === 0 || segment.baseOffset > this.live.baseOffset, 'segments rise');
    this.#segments.push(segment);
  }

  /** Takes the newest out of the list; what becomes of its files is the caller's matter. */
  pop(): Segment {
    const live = this.live;
    this.#segments.pop();
    return live;
  }

  shift(): Segment {
    const first = this.first;
    this.#segments.shift();
    return first;
  }

  /** Index of the last segment whose base offset is at most `offset`; 0 where all begin behind it. */
  floor(offset: number): number {
    let found = this.#segments.length - 1;
    if (found >= 0 && this.live.baseOffset <= offset) return found;
    found = 0;
    for (let low = 0, high = this.#segments.length - 1; low <= high; ) {
      const middle = (low + high) >> 1;
      if (this.at(middle).baseOffset <= offset) {
        found = middle;
        low = middle + 1;
      } else {
        high = middle - 1;
      }
    }
    return found;
  }

  /** Where the segment at `index` ends: the next one's base offset, or the log's end. */
  endOffset(index: number, logEndOffset: number): number {
    return index + 1 < this.#segments.length ? this.at(index + 1).baseOffset : logEndOffset;
  }

  sizeBytes(): number {
    let total = 0;
    for (const segment of this.#segments) total += segment.sizeBytes;
    return total;
  }
}
