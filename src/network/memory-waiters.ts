// The connections of a worker that wait for memory: who goes on when some came back, and who gives way when none will.
// Invariants: they go on in the order in which they came, except that nobody waits behind one that has to leave more to others
// (memory-order.ts); beginnings of frames never hold all memory for ever.
// Runs on: every worker, for its network actor. Not here: replies that nobody reads (slow-readers.ts).
import type { SlabArena } from '../actors/slab-arena.ts';
import type { HostedConnection } from './connection-host.ts';

/** How long cut frames may hold all memory without any of it coming back, although there is room for the rest of some. */
const STALL_MS = 2000;

export interface MemoryWaitersOptions {
  readonly arena: SlabArena;
  /** All connections of the worker. */
  readonly connections: ReadonlySet<HostedConnection>;
  /** Calls back once, `delayMs` from now. */
  readonly after: (delayMs: number, run: () => void) => void;
  /** Asks for `run` in this turn or the next. */
  readonly runSoon: () => void;
}

export class MemoryWaiters {
  readonly #options: MemoryWaitersOptions;
  readonly #waiters = new Set<HostedConnection>();
  /** Of the arena when no connection holds any of it. */
  readonly #restBytes: number;
  #releaseCount = 0;
  #isStallWatched = false;

  /** To be made when all that lasts as long as the worker is claimed. */
  constructor(options: MemoryWaitersOptions) {
    this.#options = options;
    this.#restBytes = options.arena.usedBytes;
    options.arena.onReleased(() => {
      this.#releaseCount++;
      this.perhapsFreed();
    });
  }

  get count(): number {
    return this.#waiters.size;
  }

  add(connection: HostedConnection): void {
    this.#waiters.add(connection);
    this.#options.runSoon();
  }

  delete(connection: HostedConnection): void {
    this.#waiters.delete(connection);
  }

  /** Memory came back, or what may have been the last that could bring some is gone. */
  perhapsFreed(): void {
    if (this.#waiters.size > 0) this.#options.runSoon();
  }

  /** Lets those go on for whom there is memory now. */
  run(): void {
    let refusedReserve = Number.POSITIVE_INFINITY;
    for (const connection of this.#waiters) {
      if (connection.reserveBytes >= refusedReserve) continue; // First come, first served, among those who leave as much to others.
      connection.run();
      if (connection.isWaitingForMemory) refusedReserve = connection.reserveBytes;
      else this.#waiters.delete(connection);
      if (refusedReserve === 0) break;
    }
    if (this.#waiters.size === 0 || this.#isMemoryComing()) return;
    let isReceiving = false;
    for (const connection of this.#options.connections) if (connection.isReceiving) isReceiving = true;
    if (isReceiving) this.#watchStall();
    // Everything is held by frames of which the rest is missing and has no room: someone has to give way.
    else this.#giveWay(this.#waiters, 'beginnings of frames hold all memory (naru.memory.max), and none of them has room for its rest');
  }

  /** Whether any memory is held by something else than the beginnings of frames: requests, replies, which give it back by themselves. */
  #isMemoryComing(): boolean {
    let heldBytes = this.#restBytes;
    for (const connection of this.#options.connections) heldBytes += connection.stuckBytes;
    return this.#options.arena.usedBytes > heldBytes;
  }

  /** Others' frames are on their way and would free memory. When none does for long, the first of those who hold some gives way. */
  #watchStall(): void {
    if (this.#isStallWatched) return;
    this.#isStallWatched = true;
    const releaseCount = this.#releaseCount;
    this.#options.after(STALL_MS, () => {
      this.#isStallWatched = false;
      if (this.#waiters.size === 0) return;
      if (this.#releaseCount === releaseCount) {
        const reason = 'others wait for the memory that the beginning of its frame holds, and the rest does not come';
        this.#giveWay(this.#options.connections, reason);
      }
      this.#options.runSoon();
    });
  }

  /** Closes one of `candidates` that hold cut frames, or wait for memory: the first of those who leave most to others. */
  #giveWay(candidates: Iterable<HostedConnection>, reason: string): void {
    let chosen: HostedConnection | null = null;
    for (const connection of candidates) {
      if (connection.stuckBytes === 0 && !connection.isWaitingForMemory) continue;
      if (chosen === null || connection.reserveBytes > chosen.reserveBytes) chosen = connection;
    }
    chosen?.close('memory', reason);
  }
}
