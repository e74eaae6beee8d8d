// Where the bytes lie that a connection has received and not consumed. In their order:
//   [position, end)  in the arena: in the landing buffer (inside a callback only) or in a slab of this connection
//   the stash        on the heap: a few bytes of a cut frame, or what came while the arena had no memory
// A slab grows with the bytes received, not with what a frame announces, unless this connection has completed one as large, or memory is so
// short that this beginning could keep its own rest from coming (`#claimBeginning`).
// What is read into the landing buffer and has to stay is copied once; so a connection whose last frame had a slab for itself reads no more than
// the beginning of the next one there.
// Invariants: outside of callbacks nothing lies in the landing buffer; the transport reads into a slab only while an incomplete
// frame stands first and nothing waits, so that only a read (or the end of the connection) changes that slab.
// Runs on: the worker of the connection. Not here: what a frame means (frame-cutter.ts).
import { NO_SLAB, type SlabArena, slabBytesFor } from '../actors/slab-arena.ts';
import { copyShared } from '../base/shared-copy.ts';
import { KIB } from '../base/units.ts';
import { type LandingBuffer, STASH_BYTES } from './landing-buffer.ts';

export const SIZE_FIELD_BYTES = 4;
/** A frame up to this shares its slab with those behind it; a larger one has a slab for itself, and nothing behind it is copied. */
const SHARED_SLAB_FRAME_BYTES_MAX = 64 * KIB;

export class InputBuffer {
  /** Of the first byte that isn't consumed; moved by who consumes. */
  position = 0;
  /** Behind the last received byte, the stash aside. */
  end = 0;
  /** The slab that [position, end) lies in, or -1: the landing buffer, or nothing there. */
  slab = NO_SLAB;
  /** What the first frame leaves of the arena to others (memory-order.ts); set by who knows its kind. */
  reserveBytes = 0;
  /** Of the slab that there was no memory for when it was last wanted: for the whole first frame. */
  lackedBytes = 0;
  readonly #arena: SlabArena;
  readonly #landing: LandingBuffer;
  /** The slab has room only for the beginning of the frame in it. */
  #isBeginning = false;
  #stash: Buffer | null = null;
  #stashBytes = 0;
  #isSlabBound = false;
  #landingBound: Uint8Array | null = null; // What of it, while it is bound.
  #largestFrameBytes = 0;
  #isBulk = false; // The last frame had a slab for itself, and so may the next.

  constructor(arena: SlabArena, landing: LandingBuffer) {
    this.#arena = arena;
    this.#landing = landing;
  }

  /** Where the transport reads to next; undefined: as before. `isIncomplete`: an incomplete frame stands first, and nothing waits. */
  bind(isIncomplete: boolean): Uint8Array | undefined {
    if (isIncomplete && this.slab !== NO_SLAB && this.#stashBytes === 0) {
      const windowEnd = this.#windowEnd();
      if (windowEnd > this.end) {
        this.#isSlabBound = true;
        this.#landingBound = null;
        return this.#arena.bytes.subarray(this.end, windowEnd);
      }
    }
    this.#isSlabBound = false;
    const window = this.#isBulk ? this.#landing.head : this.#landing.window;
    if (this.#landingBound === window) return undefined;
    this.#landingBound = window;
    return window;
  }

  /** `length` bytes were read to where `bind` said. False: no memory to put them behind the others; `gather` is still to be done. */
  take(length: number): boolean {
    if (this.#isSlabBound) {
      this.end += length;
      return true;
    }
    const { position } = this.#landing;
    if (this.slab === NO_SLAB && this.#stashBytes <= STASH_BYTES) {
      this.position = position - this.#stashBytes;
      this.#unstash(this.position);
      this.end = position + length;
      return true;
    }
    if (this.slab !== NO_SLAB && this.#stashBytes === 0 && this.#slabEnd() - this.end >= length) {
      copyShared(this.#arena.bytes, position, this.#arena.bytes, this.end, length);
      this.end += length;
      return true;
    }
    this.#keep(position, position + length);
    return this.gather();
  }

  /** Outside of a read: makes what is there contiguous in the arena. False: no memory for that. */
  restore(): boolean {
    if (this.#stashBytes === 0) return true;
    if (this.slab !== NO_SLAB || this.#stashBytes > STASH_BYTES) return this.gather();
    const bytes = this.#stashBytes;
    this.position = this.#landing.position;
    this.end = this.position + bytes;
    this.#unstash(this.position);
    return true;
  }

  /** Moves everything into a new slab, with room to grow where the first frame is incomplete. False: no memory, nothing moved. */
  gather(): boolean {
    const { bytes } = this.#arena;
    const leftBytes = this.end - this.position;
    const frameBytes = this.#frameBytes();
    const sizeBytes = this.#slabBytesFor(leftBytes + this.#stashBytes);
    const slab = frameBytes > sizeBytes ? this.#claimBeginning(sizeBytes, frameBytes) : this.#arena.claim(sizeBytes, this.reserveBytes);
    if (slab < 0) {
      this.lackedBytes = Math.max(sizeBytes, frameBytes);
      return false;
    }
    copyShared(bytes, this.position, bytes, slab, leftBytes);
    this.#dropSlab();
    this.slab = slab;
    this.#isBeginning = frameBytes > this.#arena.slabBytes(slab);
    this.position = slab;
    this.end = slab + leftBytes;
    const stashed = this.#stashBytes;
    this.#unstash(this.end);
    this.end += stashed;
    return true;
  }

  /**
   * Leaves the landing buffer at the end of a callback, and gives an incomplete first frame room. False: there is no memory
   * for it; what had to leave is on the heap, and no more may be read until `restore` has succeeded.
   */
  settle(isIncomplete: boolean): boolean {
    const leftBytes = this.end - this.position;
    if (leftBytes <= STASH_BYTES) {
      this.#keep(this.position, this.end);
      this.#empty();
      return true;
    }
    if (this.slab === NO_SLAB) {
      if (this.gather()) return true;
      this.#keep(this.position, this.end);
      this.#empty();
      return false;
    }
    if (!isIncomplete || this.position + this.#frameBytes() <= this.#slabEnd()) return true;
    const isFull = this.end === this.#slabEnd();
    if ((!isFull && this.position === this.slab) || this.gather()) return true;
    if (this.#isBeginning) return !isFull;
    // The end of a slab that others held, too: it is little, and nothing that was reckoned with when that slab was claimed.
    this.#keep(this.position, this.end);
    this.#empty();
    return false;
  }

  /** Bytes of the slab that is held for what is not consumed. */
  get heldBytes(): number {
    return this.slab === NO_SLAB ? 0 : this.#arena.slabBytes(this.slab);
  }

  /** Bytes that are not consumed. */
  get unconsumedBytes(): number {
    return this.end - this.position + this.#stashBytes;
  }

  /** The first frame, of `bytes` in all, is consumed. */
  consume(bytes: number): void {
    this.position += bytes;
    if (bytes > this.#largestFrameBytes) this.#largestFrameBytes = bytes;
    this.#isBulk = bytes > SHARED_SLAB_FRAME_BYTES_MAX;
  }

  /** Gives all memory back. */
  drop(): void {
    this.#empty();
    this.#stash = null;
    this.#stashBytes = 0;
  }

  /**
   * A slab of at least `sizeBytes` for the beginning of a frame of `frameBytes`, or one for all of it; -1: neither can be had. A beginning keeps
   * its memory until the rest has come, and the rest needs room beside it, so that many of them could hold all memory and none go on. Hence
   * the slab for the whole frame is left free, beside what its class leaves to others. Beginnings that are made later may take that, but each
   * leaves as much as it needs itself: the last one can be finished, then the one before it has what it left, and so on. A frame gets its slab in
   * whole where a part of it would break that: who has it waits for its sender alone.
   */
  #claimBeginning(sizeBytes: number, frameBytes: number): number {
    const slab = this.#arena.claim(sizeBytes, this.reserveBytes, slabBytesFor(frameBytes));
    return slab >= 0 ? slab : this.#arena.claim(frameBytes, this.reserveBytes);
  }

  /** What a slab for `bytes` unconsumed ones should hold. */
  #slabBytesFor(bytes: number): number {
    const frameBytes = this.#frameBytes();
    if (frameBytes <= bytes) return bytes;
    return Math.max(bytes, Math.min(frameBytes, Math.max(2 * bytes, this.#largestFrameBytes)));
  }

  /** Length of the first frame with its size field, as announced; 0 where that hasn't come. */
  #frameBytes(): number {
    const { bytes } = this.#arena;
    if (this.end - this.position >= SIZE_FIELD_BYTES) return SIZE_FIELD_BYTES + bytes.readInt32BE(this.position);
    if (this.end > this.position || this.#stash === null || this.#stashBytes < SIZE_FIELD_BYTES) return 0;
    return SIZE_FIELD_BYTES + this.#stash.readInt32BE(0);
  }

  #windowEnd(): number {
    const frameBytes = this.#frameBytes();
    const slabEnd = this.#slabEnd();
    return frameBytes > SHARED_SLAB_FRAME_BYTES_MAX ? Math.min(slabEnd, this.position + frameBytes) : slabEnd;
  }

  #slabEnd(): number {
    return this.slab + this.#arena.slabBytes(this.slab);
  }

  /** Copies arena bytes to the end of the stash. */
  #keep(from: number, to: number): void {
    const total = this.#stashBytes + to - from;
    if (total === 0) return;
    if (this.#stash === null || this.#stash.length < total) {
      const larger = Buffer.allocUnsafeSlow(Math.max(total, STASH_BYTES));
      this.#stash?.copy(larger, 0, 0, this.#stashBytes);
      this.#stash = larger;
    }
    this.#arena.bytes.copy(this.#stash, this.#stashBytes, from, to);
    this.#stashBytes = total;
  }

  /** Moves the stash to `position` of the arena. A small one stays allocated for the next cut frame. */
  #unstash(position: number): void {
    if (this.#stash === null || this.#stashBytes === 0) return;
    this.#stash.copy(this.#arena.bytes, position, 0, this.#stashBytes);
    this.#stashBytes = 0;
    if (this.#stash.length > STASH_BYTES) this.#stash = null;
  }

  #empty(): void {
    this.#dropSlab();
    this.position = 0;
    this.end = 0;
  }

  #dropSlab(): void {
    if (this.slab === NO_SLAB) return;
    const { slab } = this;
    this.slab = NO_SLAB;
    this.#isBeginning = false;
    this.#arena.release(slab);
  }
}
