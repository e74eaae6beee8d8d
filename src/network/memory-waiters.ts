// The connections of a worker that wait for memory: who goes on when some came back, and who gives way when none will.
// Invariants: they go on in the order in which they came, except that nobody waits behind one that has to leave more to others
// (memory-order.ts), and nobody whose frame has begun behind one whose has not; frames whose rest does not come never hold all memory for
// ever. (That those whose rest would come never stand in each other's way is up to input-buffer.ts.)
// Runs on: every worker, for its network actor. Not here: replies that nobody reads (slow-readers.ts).
import type { SlabArena } from '../actors/slab-arena.ts';
import { KIB } from '../base/units.ts';
import type { HostedConnection } from './connection-host.ts';

/** What has to come of a frame in that time, so that it is slow and not stuck. */
const STALL_BYTES = 16 * KIB;

export interface MemoryWaitersOptions {
  /** naru.connection.stall.ms: how long cut frames may hold all memory without any of it coming back. */
  readonly stallMs: number;
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
    if (this.#waiters.has(connection)) return; // Tried again in vain: it is tried anew when memory came back, not all the time.
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
      // First come, first served, among those who leave as much to others; but who has begun may be whom the first one waits for.
      if (connection.reserveBytes >= refusedReserve && connection.stuckBytes === 0) continue;
      connection.run();
      if (!connection.isWaitingForMemory) this.#waiters.delete(connection);
      else if (connection.reserveBytes < refusedReserve) refusedReserve = connection.reserveBytes;
    }
    if (this.#waiters.size > 0) this.#watchStall();
  }

  /** Whether any memory is held by something else than the beginnings of frames: requests, replies, which give it back by themselves. */
  #isMemoryComing(): boolean {
    let heldBytes = this.#restBytes;
    for (const connection of this.#options.connections) heldBytes += connection.stuckBytes;
    return this.#options.arena.usedBytes > heldBytes;
  }

  /** Others' frames are on their way and would free memory. Where no other memory comes and one of them does not come on for long, it gives way. */
  #watchStall(): void {
    if (this.#isStallWatched) return;
    this.#isStallWatched = true;
    const releaseCount = this.#releaseCount;
    const before = new Map<HostedConnection, number>();
    for (const connection of this.#options.connections) if (connection.isReceiving) before.set(connection, connection.activity);
    this.#options.after(this.#options.stallMs, () => {
      this.#isStallWatched = false;
      if (this.#waiters.size === 0) return;
      if (this.#releaseCount === releaseCount && !this.#isMemoryComing()) this.#giveWay(before);
      this.#options.runSoon();
    });
  }

  /**
   * Closes one of those that were receiving `before` and have hardly gone on since. Where nobody receives, what has come wants room for large
   * replies beside it, and there is none: one of those. Each time the first of those who leave most to others.
   */
  #giveWay(before: ReadonlyMap<HostedConnection, number>): void {
    let isReceiving = false;
    let stalled: HostedConnection | null = null;
    let stuck: HostedConnection | null = null;
    for (const connection of this.#options.connections) {
      if (connection.isReceiving) {
        isReceiving = true;
        const progressBytes = connection.activity - (before.get(connection) ?? Number.NEGATIVE_INFINITY);
        if (progressBytes < STALL_BYTES && connection.reserveBytes > (stalled?.reserveBytes ?? -1)) stalled = connection;
      } else if (connection.stuckBytes > 0 && connection.reserveBytes > (stuck?.reserveBytes ?? -1)) stuck = connection;
    }
    stalled?.close('memory', 'others wait for the memory that the beginning of its frame holds, and the rest does not come');
    if (!isReceiving) stuck?.close('memory', 'requests hold all memory (naru.memory.max), and none of them has room for its reply');
  }
}
