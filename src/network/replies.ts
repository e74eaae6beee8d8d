// The replies of a connection, from the room that one is written into until the kernel has its bytes.
// Invariant: replies that could be less, or later, leave what the arena has left to those that cannot (memory-order.ts).
// Runs on: the worker of the connection. One per connection. Not here: whose reply leaves next (open-requests.ts).
import type { SlabArena } from '../actors/slab-arena.ts';
import type { ConnectionHost } from './connection-host.ts';
import type { IncomingRequest } from './incoming-request.ts';
import { CHUNK_BYTES_MAX, ReplyChunks } from './reply-chunks.ts';
import { SendQueue, type SendQueueOwner } from './send-queue.ts';
import type { Transport } from './transport.ts';

export class Replies {
  readonly #host: ConnectionHost;
  readonly #arena: SlabArena;
  readonly #chunks: ReplyChunks;
  readonly #output: SendQueue;

  constructor(host: ConnectionHost, transport: Transport, owner: SendQueueOwner) {
    this.#host = host;
    this.#arena = host.arena;
    this.#chunks = new ReplyChunks(host.arena);
    this.#output = new SendQueue(host.arena, transport, host.counters, owner);
  }

  /** Bytes of complete replies that the kernel has not taken. */
  get unsentBytes(): number {
    return this.#output.unsentBytes;
  }

  /** Of these, what lies in memory. */
  get unsentMemoryBytes(): number {
    return this.#output.unsentMemoryBytes;
  }

  get owesFileRanges(): boolean {
    return this.#output.owesFileRanges;
  }

  /** Bytes that the kernel has taken, as far as that is known. */
  get sentBytes(): number {
    return this.#output.sentBytes;
  }

  /** Gives `request` room for a reply. Who does not take the heap's memory instead can wait, or answer less: a fetch. */
  claim(request: IncomingRequest, sizeBytes: number, mayUseHeap: boolean): boolean {
    if (mayUseHeap) return this.#chunks.claim(request, sizeBytes, true);
    const isLarge = sizeBytes > CHUNK_BYTES_MAX;
    if (!this.#arena.leaves(sizeBytes, this.#host.reserves.fetch) || (isLarge && !this.#arena.hasRoomForReply(sizeBytes))) return false;
    if (!this.#chunks.claim(request, sizeBytes, false)) return false;
    if (isLarge) this.#arena.markReply(request.replySlab);
    return true;
  }

  /** The reply that was begun is given up. What it holds is still the request's. */
  abandon(request: IncomingRequest): void {
    this.#chunks.giveBack(request);
  }

  /** The reply of `request`, where it has one, leaves behind those before it; what it holds is no longer the request's. */
  push(request: IncomingRequest): void {
    if (request.replySizeBytes === 0) return;
    this.#host.counters.replies++;
    this.#output.push(request);
  }

  /** Sends what can be sent now. */
  flush(): void {
    this.#chunks.drop();
    this.#output.flush();
  }

  /** The transport has taken the write that was going on. */
  written(): void {
    this.#output.written();
  }

  /** Nothing more is sent. */
  drop(): void {
    this.#chunks.drop();
    this.#output.drop();
  }

  /** The transport reads from nothing any more. */
  closed(): void {
    this.#chunks.drop();
    this.#output.closed();
  }
}
