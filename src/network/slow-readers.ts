// Readers that ask and do not read: their answers stay in memory that others wait for. While somebody waits, it is looked once in a while
// what each connection has sent, and one that holds memory and has not moved for long is closed, the one with the most first.
// Invariants: without pressure nobody is closed, however slow, and nothing is looked at; one connection a look at most.
// Runs on: every worker, for its network actor. Not here: beginnings of frames that hold memory (memory-waiters.ts).
import type { HostedConnection } from './connection-host.ts';

/** Looks in the time that a connection may go without sending anything. */
const LOOKS = 10;

export interface SlowReadersOptions {
  /** naru.connection.stall.ms: how long a connection keeps memory that others wait for without sending any of it. */
  readonly stallMs: number;
  readonly connections: ReadonlySet<HostedConnection>;
  readonly nowMs: () => number;
  /** Calls back once, `delayMs` from now. */
  readonly after: (delayMs: number, run: () => void) => void;
  /** Whether somebody waits for memory right now. */
  readonly isWaitedFor: () => boolean;
}

/** What a connection had sent when that was last seen to change. */
interface Mark {
  sentBytes: number;
  sinceMs: number;
}

export class SlowReaders {
  readonly #options: SlowReadersOptions;
  readonly #lookMs: number;
  #marks = new WeakMap<HostedConnection, Mark>();
  #isWatching = false;
  #isPressed = false; // Since the last look.
  #pressedMs = 0;

  constructor(options: SlowReadersOptions) {
    this.#options = options;
    this.#lookMs = Math.max(1, Math.ceil(options.stallMs / LOOKS));
  }

  /** Somebody found no memory. Cheap: it is called for each claim that fails. */
  press(): void {
    this.#isPressed = true;
    if (this.#isWatching) return;
    this.#isWatching = true;
    this.#look();
  }

  #look(): void {
    const { connections, stallMs, isWaitedFor, nowMs, after } = this.#options;
    const now = nowMs();
    const isPressed = this.#isPressed || isWaitedFor();
    this.#isPressed = false;
    if (isPressed) this.#pressedMs = now;
    // Pressure comes and goes with those who ask: the marks outlast the gaps between two questions.
    if (now - this.#pressedMs >= stallMs) {
      this.#isWatching = false;
      this.#marks = new WeakMap();
      return;
    }
    let chosen: HostedConnection | null = null;
    let mostBytes = 0;
    for (const connection of connections) {
      const { unsentMemoryBytes, sentBytes } = connection;
      if (unsentMemoryBytes === 0) continue; // When it is not, it has sent what there was.
      const mark = this.#marks.get(connection);
      if (mark === undefined) this.#marks.set(connection, { sentBytes, sinceMs: now });
      else if (mark.sentBytes !== sentBytes) {
        mark.sentBytes = sentBytes;
        mark.sinceMs = now;
      } else if (isPressed && now - mark.sinceMs >= stallMs && unsentMemoryBytes > mostBytes) {
        chosen = connection;
        mostBytes = unsentMemoryBytes;
      }
    }
    chosen?.close(
      'memory',
      `others wait for the memory of ${mostBytes} bytes that were sent to it and that it has not read for ${stallMs} ms`,
    );
    after(this.#lookMs, () => this.#look());
  }
}
