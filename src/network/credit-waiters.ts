// The connections of a worker whose handlers could not take a request: they go on when credits, or memory, came back.
// Invariant: they are tried in the order in which they came, all of them once something came back, and so many in vain at a time.
// Runs on: every worker, for its network actor. Not here: who waits for room for what it receives (memory-waiters.ts).
import type { HostedConnection } from './connection-host.ts';

/** Of connections that wait this many are tried in vain before others on this worker have their turn: there may be thousands behind them. */
const TRIES_IN_VAIN_MAX = 64;

export class CreditWaiters {
  readonly #waiters = new Set<HostedConnection>();
  /** Asks for `run` in this turn or the next. */
  readonly #runSoon: () => void;
  #areCreditsBack = false; // Or memory; since the first of them was last tried.
  /** Those that are still to be tried: who comes meanwhile among them, who has gone on not. */
  #round: SetIterator<HostedConnection> | null = null;

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

  /** Lets those go on that can, where something came back. The first may lack what those behind have: a round goes through all before the next. */
  run(): void {
    if (this.#round === null) {
      if (!this.#areCreditsBack) return;
      this.#areCreditsBack = false;
      this.#round = this.#waiters.values();
    }
    for (let vainCount = 0; vainCount < TRIES_IN_VAIN_MAX; ) {
      const { value: connection, done } = this.#round.next();
      if (done) {
        this.#round = null;
        if (this.#areCreditsBack) this.#runSoon();
        return;
      }
      connection.run();
      if (!connection.isWaitingForCredit) this.#waiters.delete(connection);
      else vainCount++;
    }
    this.#runSoon();
  }

  /** Whether a handler could not take its request for want of memory. */
  get lackMemory(): boolean {
    for (const connection of this.#waiters) if (connection.lacksMemory) return true;
    return false;
  }
}
