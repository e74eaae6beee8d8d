// The connections of a worker whose handlers could not take a request: they go on when credits, or memory for a reply, came back.
// Invariant: they are tried in the order in which they came, and a turn tries only so many in vain.
// Runs on: every worker, for its network actor. Not here: who waits for room for what it receives (memory-waiters.ts).
import type { HostedConnection } from './connection-host.ts';

/** Of connections that wait this many are tried in vain at a time: there may be thousands behind them. */
const TRIES_IN_VAIN_MAX = 64;

export class CreditWaiters {
  readonly #waiters = new Set<HostedConnection>();
  /** Asks for `run` in this turn or the next. */
  readonly #runSoon: () => void;
  #areCreditsBack = false; // Or memory; since the waiters were last tried.

  constructor(runSoon: () => void) {
    this.#runSoon = runSoon;
  }

  get count(): number {
    return this.#waiters.size;
  }

  add(connection: HostedConnection): void {
    this.#waiters.add(connection);
  }

  delete(connection: HostedConnection): void {
    this.#waiters.delete(connection);
  }

  /** Something came back that they may wait for. */
  retry(): void {
    if (this.#waiters.size === 0) return;
    this.#areCreditsBack = true;
    this.#runSoon();
  }

  /** Whether anything came back since this was last asked. */
  takeBack(): boolean {
    const areCreditsBack = this.#areCreditsBack;
    this.#areCreditsBack = false;
    return areCreditsBack;
  }

  /** Lets those go on that can. */
  run(): void {
    let vainCount = 0;
    for (const connection of this.#waiters) {
      connection.run();
      if (!connection.isWaitingForCredit) this.#waiters.delete(connection);
      else if (++vainCount === TRIES_IN_VAIN_MAX) return;
    }
  }

  /** Whether a handler could not take its request for want of memory. */
  get lackMemory(): boolean {
    for (const connection of this.#waiters) if (connection.lacksMemory) return true;
    return false;
  }
}
