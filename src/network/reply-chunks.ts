// Room for replies: chunks (slabs of the arena) that are filled one reply behind the other, so that those which leave together mostly are one
// piece of memory already.
// Invariant: a chunk is held by each reply in it and, while it is filled, by this.
// Runs on: the worker of the connection. One per connection.
import { NO_SLAB, type SlabArena } from '../actors/slab-arena.ts';
import { KIB } from '../base/units.ts';
import type { IncomingRequest } from './incoming-request.ts';

/** The first chunk of a turn; the next ones double. A null reply takes some 20 to 40 bytes. */
const CHUNK_BYTES_MIN = 4 * KIB;
/** A reply of more than this gets a slab of its own. */
export const CHUNK_BYTES_MAX = 64 * KIB;

export class ReplyChunks {
  readonly #arena: SlabArena;
  // The chunk that is being filled: replies go to [filled, chunkEnd).
  #chunk = NO_SLAB;
  #filled = 0;
  #chunkEnd = 0;
  #chunkBytes = CHUNK_BYTES_MIN;

  constructor(arena: SlabArena) {
    this.#arena = arena;
  }

  /** Gives `request` room for a reply of `sizeBytes`; false when the arena has none and the heap is not to be used. */
  claim(request: IncomingRequest, sizeBytes: number, mayUseHeap: boolean): boolean {
    if (sizeBytes <= this.#chunkEnd - this.#filled || this.#nextChunk(sizeBytes)) {
      request.replyBytes = this.#arena.bytes;
      request.replyStart = this.#filled;
      request.replySlab = this.#chunk;
      this.#arena.retain(this.#chunk);
      this.#filled += sizeBytes;
      return true;
    }
    if (sizeBytes > CHUNK_BYTES_MAX && this.#claimWhole(request, sizeBytes)) return true;
    if (!mayUseHeap) return false;
    request.replyBytes = Buffer.allocUnsafeSlow(sizeBytes);
    request.replyStart = 0;
    request.replySlab = NO_SLAB;
    return true;
  }

  /** What `request` claimed last is free again if nobody has claimed behind it. */
  giveBack({ replySlab, replyStart, replySizeBytes }: IncomingRequest): void {
    if (replySlab !== NO_SLAB && replySlab === this.#chunk && replyStart + replySizeBytes === this.#filled) this.#filled = replyStart;
  }

  /** No further reply goes into the chunk; it lives on as long as one in it does. */
  drop(): void {
    if (this.#chunk === NO_SLAB) return;
    const slab = this.#chunk;
    this.#chunk = NO_SLAB;
    this.#filled = 0;
    this.#chunkEnd = 0;
    this.#arena.release(slab);
  }

  /** Starts a chunk with room for `sizeBytes`; false when that is too much for a chunk or the arena has none. */
  #nextChunk(sizeBytes: number): boolean {
    if (sizeBytes > CHUNK_BYTES_MAX) return false;
    let bytes = this.#chunk === NO_SLAB ? CHUNK_BYTES_MIN : Math.min(this.#chunkBytes * 2, CHUNK_BYTES_MAX);
    while (bytes < sizeBytes) bytes *= 2;
    const slab = this.#arena.claim(bytes);
    if (slab < 0) return false;
    this.drop();
    this.#chunk = slab;
    this.#chunkBytes = bytes;
    this.#filled = slab;
    this.#chunkEnd = slab + bytes;
    return true;
  }

  #claimWhole(request: IncomingRequest, sizeBytes: number): boolean {
    const slab = this.#arena.claim(sizeBytes);
    if (slab < 0) return false;
    request.replyBytes = this.#arena.bytes;
    request.replyStart = slab;
    request.replySlab = slab;
    return true;
  }
}
