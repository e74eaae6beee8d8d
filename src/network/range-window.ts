// A piece of a file range in memory, on its way from the file to the socket: where the kernel cannot send from the file itself, or not
// without waiting for a disk.
// Invariants: one window at a time; while the pool reads into it, its memory and the file stay, whatever becomes of the connection.
// Runs on: the worker of the connection. One per connection.
import { NO_SLAB, type SlabArena } from '../actors/slab-arena.ts';
import { KIB } from '../base/units.ts';
import type { FileRange } from './file-range.ts';

/** Taken from the heap where the arena has no room for more replies: those that are promised must leave. */
const HEAP_WINDOW_BYTES = 64 * KIB;

export class RangeWindow {
  bytes: Buffer;
  start = 0;
  /** The slab that the window lies in, or -1 (heap). */
  slab = NO_SLAB;
  /** Bytes of the range that lie in it and were not taken; -1 after a read that failed or was short. */
  filledBytes = 0;
  readonly #arena: SlabArena;
  /** Who the pool reads for. */
  #reading: FileRange | null = null;
  #isAbandoned = false;

  constructor(arena: SlabArena) {
    this.#arena = arena;
    this.bytes = arena.bytes;
  }

  isReadingFor(range: FileRange | null): boolean {
    return range !== null && this.#reading === range;
  }

  /** Reads up to `length` bytes of the range from `at` on, at once. */
  fill(range: FileRange, at: number, length: number): void {
    const count = this.#claim(length);
    this.#filled(range.readNow(this.bytes, this.start, at, count), count);
  }

  /** The same in the pool; `onFilled` follows in a later turn, unless the window was abandoned meanwhile. */
  fillLater(range: FileRange, at: number, length: number, onFilled: () => void): void {
    const count = this.#claim(length);
    this.#reading = range;
    range.readLater(this.bytes, this.start, at, count, (have) => {
      this.#reading = null;
      if (this.#isAbandoned) {
        this.#release(); // Only now nobody reads.
        range.leave();
      } else {
        this.#filled(have, count);
        onFilled();
      }
    });
  }

  /** What lies in the window is the caller's from here on, who releases the slab. */
  take(): void {
    this.slab = NO_SLAB;
    this.filledBytes = 0;
    this.bytes = this.#arena.bytes;
  }

  /** The connection is over. A range that is being read is left when that has ended. */
  abandon(): void {
    this.#isAbandoned = true;
    if (this.#reading === null) this.#release();
  }

  #claim(length: number): number {
    // A window lasts as long as its reader likes, as a reply does.
    this.slab = this.#arena.hasRoomForReply(length) ? this.#arena.claim(length) : NO_SLAB;
    if (this.slab >= 0) {
      this.#arena.markReply(this.slab);
      this.start = this.slab;
      return length;
    }
    this.start = 0;
    this.bytes = Buffer.allocUnsafeSlow(Math.min(length, HEAP_WINDOW_BYTES));
    return this.bytes.length;
  }

  #filled(have: number, wanted: number): void {
    if (have !== wanted) this.#release();
    this.filledBytes = have === wanted ? have : -1;
  }

  #release(): void {
    const { slab } = this;
    this.take();
    if (slab !== NO_SLAB) this.#arena.release(slab);
  }
}
