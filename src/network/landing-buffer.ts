// The one buffer that all small connections of a worker read into. It belongs to nobody: what is in it is consumed, or moved
// out, before the read's callback returns.
// In front of the window lies room for what a connection had left of its last read, so that a frame cut by a read stands in
// one piece: [… stash][window …].
// Runs on: every worker that has connections.
import type { SlabArena } from '../actors/slab-arena.ts';
import { assert } from '../base/assert.ts';
import { KIB } from '../base/units.ts';

/** Room for the stash. What a connection has left beyond this moves to a slab of its own. */
export const STASH_BYTES = 256;

const SLAB_BYTES = 64 * KIB;
/** Room for the beginning of a frame, and more than the stash takes. */
const HEAD_BYTES = KIB;

export class LandingBuffer {
  /** Where reads go. */
  readonly window: Uint8Array;
  /** The beginning of the window: for a read that is to bring the length of a large frame, whose bytes then go where they stay. */
  readonly head: Uint8Array;
  /** Position of the window in the arena. */
  readonly position: number;
  readonly sizeBytes: number;

  /** `windowBytes` is less than all there is in tests alone. */
  constructor(arena: SlabArena, windowBytes = SLAB_BYTES - STASH_BYTES) {
    const slab = arena.claim(windowBytes + STASH_BYTES);
    assert(slab >= 0, 'the arena has no room for the landing buffer');
    this.position = slab + STASH_BYTES;
    this.sizeBytes = windowBytes;
    this.window = arena.bytes.subarray(this.position, this.position + windowBytes);
    this.head = this.window.subarray(0, HEAD_BYTES);
  }
}
