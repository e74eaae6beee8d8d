// The slabs that hold beginnings of frames: whether one may take more memory while others have only begun as well.
// A beginning keeps its memory until the rest has come, and the rest needs room beside it, so that many of them could hold all memory and
// none go on. Hence the invariant: when all that comes back by itself is back, the largest slab that any beginning still needs is free, and
// what its class leaves to others (memory-order.ts) beside it. Then one of them after the other is finished. A frame gets its slab in whole where a
// part of it would break that: who has it waits for its sender alone.
// Runs on: every worker, for its network actor. Not here: who waits (memory-waiters.ts), what is in a slab (input-buffer.ts).
import { type SlabArena, slabBytesFor } from '../actors/slab-arena.ts';

export class FrameGrowth {
  readonly #arena: SlabArena;
  /** How many beginnings need a slab of that size, by what their class leaves to others. */
  readonly #needs = new Map<number, Map<number, number>>();

  constructor(arena: SlabArena) {
    this.#arena = arena;
  }

  /**
   * A slab of at least `sizeBytes` for the beginning of a frame of `frameBytes`, or one for all of it; -1: neither can be had. A slab that is too
   * small for the frame counts as a need of it: `add` is still to be called, and `delete` when the slab is given back.
   */
  claim(sizeBytes: number, frameBytes: number, reserveBytes: number): number {
    let keptBytes = slabBytesFor(frameBytes);
    // Who leaves more to others than this one does may have to wait for it, and then it has its slab back.
    for (const [reserve, sizes] of this.#needs) {
      if (reserve > reserveBytes) continue;
      for (const slabBytes of sizes.keys()) if (slabBytes > keptBytes) keptBytes = slabBytes;
    }
    const slab = this.#arena.claim(sizeBytes, reserveBytes, keptBytes);
    return slab >= 0 ? slab : this.#arena.claim(frameBytes, reserveBytes);
  }

  /** A slab that was claimed holds only the beginning of a frame of `frameBytes`. */
  add(frameBytes: number, reserveBytes: number): void {
    const slabBytes = slabBytesFor(frameBytes);
    const sizes = this.#needs.get(reserveBytes) ?? new Map<number, number>();
    this.#needs.set(reserveBytes, sizes);
    sizes.set(slabBytes, (sizes.get(slabBytes) ?? 0) + 1);
  }

  delete(frameBytes: number, reserveBytes: number): void {
    const slabBytes = slabBytesFor(frameBytes);
    const sizes = this.#needs.get(reserveBytes);
    const count = (sizes?.get(slabBytes) ?? 0) - 1;
    if (count > 0) sizes?.set(slabBytes, count);
    else sizes?.delete(slabBytes);
  }
}
