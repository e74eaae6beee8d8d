// What a connection has still to send, in order: pieces of memory, adjacent ones joined, and ranges of files between them.
// Invariants: each piece in a slab holds a reference to it; what an entry holds is whoever's who takes it out.
// Runs on: the worker of the connection. One per connection; not for anybody but its send queue.
import type { SlabArena } from '../actors/slab-arena.ts';
import type { FileRange } from './file-range.ts';

const NO_SLAB = -1;

export class ReplyList {
  // The five run in step. Of a file range the position is how much of it has left.
  readonly sources: Buffer[] = [];
  readonly positions: number[] = [];
  readonly lengths: number[] = [];
  readonly slabs: number[] = [];
  readonly ranges: (FileRange | null)[] = [];
  /** Of all entries together. */
  bytes = 0;
  rangeCount = 0;
  readonly #arena: SlabArena;

  constructor(arena: SlabArena) {
    this.#arena = arena;
  }

  get count(): number {
    return this.lengths.length;
  }

  endOf(entry: number): number {
    return (this.positions[entry] as number) + (this.lengths[entry] as number);
  }

  /** Takes over one reference to `slab`. */
  pushBytes(source: Buffer, position: number, length: number, slab: number): void {
    const last = this.count - 1;
    const isJoined = last >= 0 && slab !== NO_SLAB && this.slabs[last] === slab && this.endOf(last) === position;
    if (isJoined) this.lengths[last] = (this.lengths[last] as number) + length;
    else if (length > 0) this.#push(source, position, length, slab, null);
    if ((isJoined || length === 0) && slab !== NO_SLAB) this.#arena.release(slab); // The piece that it joins holds the slab already.
    this.bytes += length;
  }

  pushRange(range: FileRange): void {
    this.#push(this.#arena.bytes, 0, range.length, NO_SLAB, range);
    this.rangeCount++;
    this.bytes += range.length;
  }

  /** Index of the first range from `entry` on, or the count. */
  rangeFrom(entry: number): number {
    let at = entry;
    while (at < this.count && this.ranges[at] === null) at++;
    return at;
  }

  /** The first `count` bytes of the first entry are gone. The entry goes with its last byte: true then. */
  advance(count: number): boolean {
    this.bytes -= count;
    this.positions[0] = (this.positions[0] as number) + count;
    this.lengths[0] = (this.lengths[0] as number) - count;
    if (this.lengths[0] > 0) return false;
    if (this.ranges[0] !== null) this.rangeCount--;
    this.#drop(1);
    return true;
  }

  /** The first `count` entries, all of them memory, are gone. */
  removeFirst(count: number): void {
    for (let i = 0; i < count; i++) this.bytes -= this.lengths[i] as number;
    if (count === this.count) this.clear();
    else if (count > 0) this.#drop(count);
  }

  clear(): void {
    this.sources.length = 0;
    this.positions.length = 0;
    this.lengths.length = 0;
    this.slabs.length = 0;
    this.ranges.length = 0;
    this.bytes = 0;
    this.rangeCount = 0;
  }

  #drop(count: number): void {
    this.sources.splice(0, count);
    this.positions.splice(0, count);
    this.lengths.splice(0, count);
    this.slabs.splice(0, count);
    this.ranges.splice(0, count);
  }

  #push(source: Buffer, position: number, length: number, slab: number, range: FileRange | null): void {
    this.sources.push(source);
    this.positions.push(position);
    this.lengths.push(length);
    this.slabs.push(slab);
    this.ranges.push(range);
  }
}
