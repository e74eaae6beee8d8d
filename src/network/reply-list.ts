// What a connection has still to send, in order: pieces of memory, adjacent ones joined, and ranges of files between them.
// Invariants: each piece in a slab holds a reference to it; what an entry holds is whoever's who takes it out.
// The lists are filled to `count` and keep their places: emptied by their lengths, they would be allocated anew for each reply.
// Runs on: the worker of the connection. One per connection; not for anybody but its send queue.
import { NO_SLAB, type SlabArena } from '../actors/slab-arena.ts';
import type { FileRange } from './file-range.ts';

/** More places than this are given up once nothing is left to send. */
const PLACES_KEPT_MAX = 64;
const NOTHING = Buffer.alloc(0);

export class ReplyList {
  // The five run in step, up to `count`. Of a file range the position is how much of it has left.
  // One place each at first: what a connection needs that asks one thing at a time.
  sources: Buffer[] = [NOTHING];
  positions: number[] = [0];
  lengths: number[] = [0];
  slabs: number[] = [NO_SLAB];
  ranges: (FileRange | null)[] = [null];
  count = 0;
  /** Of all entries together. */
  bytes = 0;
  rangeCount = 0;
  readonly #arena: SlabArena;

  constructor(arena: SlabArena) {
    this.#arena = arena;
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

  /** Whether entry `entry` is there and a range. */
  isRange(entry: number): boolean {
    return entry < this.count && this.ranges[entry] !== null;
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
    if (count > 0) this.#drop(count);
  }

  clear(): void {
    this.#drop(this.count);
    this.bytes = 0;
    this.rangeCount = 0;
  }

  #drop(count: number): void {
    const left = this.count - count;
    for (let to = 0; to < left; to++) {
      const from = to + count;
      this.sources[to] = this.sources[from] as Buffer;
      this.positions[to] = this.positions[from] as number;
      this.lengths[to] = this.lengths[from] as number;
      this.slabs[to] = this.slabs[from] as number;
      this.ranges[to] = this.ranges[from] ?? null;
    }
    // What nobody sends any more is held by nobody here.
    for (let entry = left; entry < this.count; entry++) {
      this.sources[entry] = NOTHING;
      this.ranges[entry] = null;
    }
    this.count = left;
    if (left === 0 && this.lengths.length > PLACES_KEPT_MAX) this.#shorten();
  }

  #shorten(): void {
    this.sources = [NOTHING];
    this.positions = [0];
    this.lengths = [0];
    this.slabs = [NO_SLAB];
    this.ranges = [null];
  }

  #push(source: Buffer, position: number, length: number, slab: number, range: FileRange | null): void {
    const at = this.count++;
    this.sources[at] = source;
    this.positions[at] = position;
    this.lengths[at] = length;
    this.slabs[at] = slab;
    this.ranges[at] = range;
  }
}
