// The only writer of a connection: replies in the order in which they were queued, one write for all of a turn's.
// Replies are built in chunks (slabs of the arena) one behind the other, so that those which leave together mostly are one
// piece of memory already; what is not adjacent goes out by a gathered write.
// Invariants: one write at a time is with the transport; a chunk is held by each reply in it and, while it is filled, by the
// queue; memory goes back to the arena when the kernel took the bytes: at once when that happened within the write.
// Runs on: the worker of the connection. Not here: whose reply comes next (request-order.ts).
import type { SlabArena } from '../actors/slab-arena.ts';
import { KIB } from '../base/units.ts';
import type { IncomingRequest } from './incoming-request.ts';
import type { NetworkCounters } from './network-counters.ts';
import type { Transport } from './transport.ts';

/** The first chunk of a turn; the next ones double. A null reply takes some 20 to 40 bytes. */
const CHUNK_BYTES_MIN = 4 * KIB;
/** A reply of more than this gets a slab of its own. */
export const CHUNK_BYTES_MAX = 64 * KIB;

const NO_SLAB = -1;

export class SendQueue {
  readonly #arena: SlabArena;
  readonly #counters: NetworkCounters;
  readonly #transport: Transport;
  // The chunk that is being filled: replies go to [filled, chunkEnd).
  #chunk = NO_SLAB;
  #filled = 0;
  #chunkEnd = 0;
  #chunkBytes = CHUNK_BYTES_MIN;
  // Complete replies in order, adjacent ones joined; the four lists run in step.
  readonly #sources: Buffer[] = [];
  readonly #positions: number[] = [];
  readonly #lengths: number[] = [];
  readonly #slabs: number[] = [];
  #queuedBytes = 0;
  // What the transport still reads from.
  readonly #writingSlabs: number[] = [];
  #writingBytes = 0;
  readonly #pieces: Uint8Array[] = [];

  constructor(arena: SlabArena, transport: Transport, counters: NetworkCounters) {
    this.#arena = arena;
    this.#transport = transport;
    this.#counters = counters;
  }

  /** Bytes of complete replies that the kernel has not taken. */
  get unsentBytes(): number {
    return this.#queuedBytes + this.#writingBytes;
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

  /** The last `unusedBytes` of what `request` claimed, up to `end`, are free again if nobody has claimed behind them. */
  trim(request: IncomingRequest, end: number, unusedBytes: number): void {
    if (request.replySlab !== NO_SLAB && request.replySlab === this.#chunk && end === this.#filled) this.#filled -= unusedBytes;
  }

  /** The reply of `request` leaves with the next flush; what it holds is the queue's from here on. */
  push(request: IncomingRequest): void {
    const { replyBytes, replyStart, replySizeBytes, replySlab } = request;
    this.#queuedBytes += replySizeBytes;
    const last = this.#slabs.length - 1;
    if (last >= 0 && replySlab !== NO_SLAB && this.#slabs[last] === replySlab && this.#endOf(last) === replyStart) {
      this.#lengths[last] = (this.#lengths[last] ?? 0) + replySizeBytes;
      this.#arena.release(replySlab); // The piece that it joins holds the slab already.
      return;
    }
    this.#sources.push(replyBytes);
    this.#positions.push(replyStart);
    this.#lengths.push(replySizeBytes);
    this.#slabs.push(replySlab);
  }

  /** One write of all that is queued, unless one is still going on: then `written` brings the next. */
  flush(): void {
    this.#dropChunk();
    if (this.#slabs.length === 0 || this.#writingBytes > 0) return;
    const pieces = this.#pieces;
    for (let i = 0; i < this.#slabs.length; i++) {
      pieces.push((this.#sources[i] ?? this.#arena.bytes).subarray(this.#positions[i] ?? 0, this.#endOf(i)));
    }
    for (const slab of this.#slabs) if (slab !== NO_SLAB) this.#writingSlabs.push(slab);
    this.#writingBytes = this.#queuedBytes;
    this.#counters.writeCount++;
    this.#counters.sentBytes += this.#queuedBytes;
    this.#forgetQueued();
    const isTaken = this.#transport.write(pieces);
    pieces.length = 0;
    if (isTaken) this.#releaseWritten();
  }

  /** The transport has taken the write that was going on. */
  written(): void {
    this.#releaseWritten();
    this.flush();
  }

  /** Nothing more is sent. What a write that is going on reads from stays until `closed`. */
  drop(): void {
    this.#dropChunk();
    for (const slab of this.#slabs) if (slab !== NO_SLAB) this.#arena.release(slab);
    this.#forgetQueued();
  }

  /** The transport reads from nothing any more. */
  closed(): void {
    this.drop();
    this.#releaseWritten();
  }

  #endOf(piece: number): number {
    return (this.#positions[piece] ?? 0) + (this.#lengths[piece] ?? 0);
  }

  #releaseWritten(): void {
    this.#writingBytes = 0;
    for (const slab of this.#writingSlabs) this.#arena.release(slab);
    this.#writingSlabs.length = 0;
  }

  #forgetQueued(): void {
    this.#sources.length = 0;
    this.#positions.length = 0;
    this.#lengths.length = 0;
    this.#slabs.length = 0;
    this.#queuedBytes = 0;
  }

  /** Starts a chunk with room for `sizeBytes`; false when that is too much for a chunk or the arena has none. */
  #nextChunk(sizeBytes: number): boolean {
    if (sizeBytes > CHUNK_BYTES_MAX) return false;
    let bytes = this.#chunk === NO_SLAB ? CHUNK_BYTES_MIN : Math.min(this.#chunkBytes * 2, CHUNK_BYTES_MAX);
    while (bytes < sizeBytes) bytes *= 2;
    const slab = this.#arena.claim(bytes);
    if (slab < 0) return false;
    this.#dropChunk();
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

  /** No further reply goes into the chunk; it lives on as long as one in it does. */
  #dropChunk(): void {
    if (this.#chunk === NO_SLAB) return;
    const slab = this.#chunk;
    this.#chunk = NO_SLAB;
    this.#filled = 0;
    this.#chunkEnd = 0;
    this.#arena.release(slab);
  }
}
