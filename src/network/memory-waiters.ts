// The connections of a worker that wait for memory: who goes on when some came back, and who gives way when none will.
// Invariants: they go on in the order in which they came, except that nobody waits behind one that has to leave more to others
// (memory-order.ts), and nobody whose frame has begun behind one whose has not; frames whose rest does not come, or that wait behind requests
// of their own connection and hold as much as it takes, never keep the first one waiting for ever, whatever comes and goes beside it; who goes
// on, or waits here, is not closed for it. (That those whose rest would come never stand in each other's way is up to input-buffer.ts.)
// Runs on: every worker, for its network actor. Not here: replies that nobody reads (slow-readers.ts).
import { type SlabArena, slabBytesFor } from '../actors/slab-arena.ts';
import { type HostedConnection, SLOW_BYTES } from './connection-host.ts';

/** Looks in the time that a frame may stand still, and that the first one waits before any gives way. */
const LOOKS = 10;

/** Of these, those in which nobody passes one who waits in vain: time for memory to add up. */
const STRICT_LOOKS = 3;

const REST_MISSING = 'others wait for the memory that the beginning of its frame holds, and the rest does not come';
const BEHIND_ITSELF = 'others wait for the memory that its next request holds, which waits for the answer to the one before it';

export interface MemoryWaitersOptions {
  /** naru.connection.stall.ms: how long what holds memory may stand still, and the first one wait in vain, before the one gives way to the other. */
  readonly stallMs: number;
  readonly arena: SlabArena;
  /** All connections of the worker. */
  readonly connections: ReadonlySet<HostedConnection>;
  readonly nowMs: () => number;
  /** Calls back once, `delayMs` from now. */
  readonly after: (delayMs: number, run: () => void) => void;
  /** Asks for `run` in this turn or the next. */
  readonly runSoon: () => void;
}

/** How far a connection had come when it was last seen to go on, and for how long it has stood still since. */
interface Mark {
  readonly isReceiving: boolean;
  readonly progress: number;
  stillMs: number;
}

export class MemoryWaiters {
  readonly #options: MemoryWaitersOptions;
  readonly #lookMs: number;
  /** With since when they wait. */
  readonly #waiters = new Map<HostedConnection, number>();
  /** Of the arena when no connection holds any of it. */
  readonly #restBytes: number;
  /** Since when none that stood first has gone on. Who leaves hands it on: a client that gives up and comes again gains nothing, and loses nothing. */
  #vainSinceMs = 0;
  #isWatching = false;
  #isLookDue = false;
  #lookedMs = 0;
  #marks = new WeakMap<HostedConnection, Mark>();

  /** To be made when all that lasts as long as the worker is claimed. */
  constructor(options: MemoryWaitersOptions) {
    this.#options = options;
    this.#lookMs = Math.max(1, Math.ceil(options.stallMs / LOOKS));
    this.#restBytes = options.arena.usedBytes;
    options.arena.onReleased(() => this.perhapsFreed());
  }

  get count(): number {
    return this.#waiters.size;
  }

  add(connection: HostedConnection): void {
    if (this.#waiters.has(connection)) return; // Tried again in vain: it is tried anew when memory came back, not all the time.
    this.#waiters.set(connection, this.#options.nowMs());
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
    let refusedBytes = Number.POSITIVE_INFINITY;
    const mayPass = this.#mayPass();
    for (const connection of this.#waiters.keys()) {
      // First come, first served, among those who leave as much to others; but who has begun may be whom the first one waits for, and who
      // wants less passes one who has waited for long in vain.
      const isPassing = mayPass && connection.lackedBytes < refusedBytes;
      if (connection.reserveBytes >= refusedReserve && connection.stuckBytes === 0 && !isPassing) continue;
      connection.run();
      if (!connection.isWaitingForMemory) {
        this.#waiters.delete(connection);
        if (refusedReserve === Number.POSITIVE_INFINITY) this.#vainSinceMs = this.#options.nowMs();
      } else {
        refusedReserve = Math.min(refusedReserve, connection.reserveBytes);
        refusedBytes = Math.min(refusedBytes, connection.lackedBytes);
      }
    }
    if (this.#isLookDue) {
      this.#isLookDue = false;
      this.#look();
    } else if (this.#waiters.size > 0 && !this.#isWatching) {
      this.#isWatching = true;
      const now = this.#options.nowMs();
      this.#vainSinceMs = now;
      this.#lookedMs = now;
      this.#look();
    }
  }

  /** Whether the first one has waited for so long that memory which it cannot use is better used; not all the time, or it would never have its turn. */
  #mayPass(): boolean {
    if (!this.#isWatching) return false;
    const vainMs = this.#options.nowMs() - this.#vainSinceMs;
    return vainMs >= this.#options.stallMs && vainMs % this.#options.stallMs >= STRICT_LOOKS * this.#lookMs;
  }

  /**
   * Whether any memory is held by something else than the beginnings of frames and those that wait behind themselves for long: requests, replies,
   * which give it back by themselves.
   */
  #isMemoryComing(behindThemselves: readonly HostedConnection[]): boolean {
    let heldBytes = this.#restBytes;
    for (const connection of this.#options.connections) heldBytes += connection.stuckBytes;
    for (const connection of behindThemselves) heldBytes += connection.heldBytes; // None of them is stuck, as long as nobody receives.
    return this.#options.arena.usedBytes > heldBytes;
  }

  /**
   * Notes who holds memory and has gone on since the last look. Memory that comes back says nothing: small requests take and give it all the time, and
   * what the first one needs may never be there in one piece. So it is he who counts: when he has waited for long, those give way whose rest
   * has not come for as long, or whose frame waits as long behind their own requests. The latter are not read meanwhile, so that
   * nobody hears when the other side leaves.
   */
  #look(): void {
    const { connections, stallMs, nowMs, after, runSoon } = this.#options;
    if (this.#waiters.size === 0) {
      this.#isWatching = false;
      this.#marks = new WeakMap();
      return;
    }
    const now = nowMs();
    // A worker that was held up has read nothing meanwhile: that is not the senders' time.
    const passedMs = Math.min(now - this.#lookedMs, 2 * this.#lookMs);
    this.#lookedMs = now;
    const stalled: HostedConnection[] = [];
    let isAnyReceiving = false;
    for (const connection of connections) {
      const { isReceiving } = connection;
      if (!isReceiving && !connection.isBehindItself) {
        this.#marks.delete(connection); // It waits for us, or for nothing: its time begins when its frame goes on.
        continue;
      }
      isAnyReceiving ||= isReceiving;
      const { progress } = connection;
      const mark = this.#marks.get(connection);
      if (mark === undefined || mark.isReceiving !== isReceiving || Math.abs(progress - mark.progress) >= SLOW_BYTES) {
        this.#marks.set(connection, { isReceiving, progress, stillMs: 0 });
      } else {
        mark.stillMs += passedMs;
        if (mark.stillMs >= stallMs) stalled.push(connection);
      }
    }
    if (now - this.#vainSinceMs >= stallMs) {
      const hasHelped = (isAnyReceiving || stalled.length > 0) && this.#giveWay(stalled, now);
      if (!hasHelped && !isAnyReceiving && !this.#isMemoryComing(stalled)) this.#closeStuck();
    }
    after(this.#lookMs, () => {
      this.#isLookDue = true;
      runSoon();
    });
  }

  /**
   * Closes as many of the stalled as it takes for the first one to go on, and for those behind who have waited for as long: those who leave most
   * to others first, of these who holds most. A client whose request waits behind its own may be well, so it is closed only where that can be
   * enough: not for who needs more than is free and held by all of these. Whether anybody was closed, or went on.
   */
  #giveWay(stalled: HostedConnection[], nowMs: number): boolean {
    stalled.sort((one, other) => other.reserveBytes - one.reserveBytes || other.heldBytes - one.heldBytes);
    let isFirst = true;
    let haveAllGoneOn = true;
    let hasHelped = false;
    for (const [waiter, sinceMs] of this.#waiters) {
      if (!isFirst && nowMs - sinceMs < this.#options.stallMs) break;
      isFirst = false;
      waiter.run();
      if (waiter.isWaitingForMemory && this.#closeFor(waiter, stalled)) hasHelped = true;
      if (waiter.isWaitingForMemory) {
        haveAllGoneOn = false; // Those behind want less, perhaps.
        continue;
      }
      this.#waiters.delete(waiter);
      hasHelped = true;
      if (haveAllGoneOn) this.#vainSinceMs = nowMs;
    }
    return hasHelped;
  }

  /** Whether anybody was closed. */
  #closeFor(waiter: HostedConnection, stalled: readonly HostedConnection[]): boolean {
    const { arena } = this.#options;
    let bytes = arena.capacityBytes - arena.usedBytes;
    for (const holder of stalled) bytes += holder.heldBytes; // Of those that are closed: none.
    const canBeEnough = bytes >= slabBytesFor(waiter.lackedBytes) + waiter.reserveBytes;
    let hasClosed = false;
    for (const holder of stalled) {
      if (holder.isClosed) continue;
      const { isReceiving } = holder;
      if (!isReceiving && !canBeEnough) continue;
      holder.close('memory', isReceiving ? REST_MISSING : BEHIND_ITSELF);
      hasClosed = true;
      waiter.run();
      if (!waiter.isWaitingForMemory) break;
    }
    return hasClosed;
  }

  /** Nobody receives: what has come wants as much again beside it, and there is none. The first of those who leave most to others is closed. */
  #closeStuck(): void {
    let stuck: HostedConnection | null = null;
    for (const connection of this.#options.connections) {
      if (connection.stuckBytes > 0 && connection.reserveBytes > (stuck?.reserveBytes ?? -1)) stuck = connection;
    }
    stuck?.close('memory', 'requests hold all memory (naru.memory.max), and none of them has room for its reply or to be handed on');
  }
}
