// Connections on which nothing comes or goes are closed (connections.max.idle.ms). Bytes that are read, and bytes of replies that the kernel
// takes, are activity; a request that is worked on is none, as with Apache Kafka.
// How idle a connection is shows when it is looked at, several times in the time that it may be idle: it is closed at most one such
// interval late, never early, and its reads and writes do not ask for the time.
// Runs on: every worker, for its network actor.
import type { HostedConnection } from './connection-host.ts';

/** Looks in the time that a connection may be idle. */
const LOOKS = 20;

export interface IdleConnectionsOptions {
  /** Negative: for ever. */
  readonly idleMs: number;
  readonly connections: ReadonlySet<HostedConnection>;
  readonly nowMs: () => number;
  /** Calls back once, `delayMs` from now. */
  readonly after: (delayMs: number, run: () => void) => void;
}

export class IdleConnections {
  readonly #options: IdleConnectionsOptions;
  #idleMs: number;
  #watch = 0; // The number of the watch that goes on: an older one's timer does nothing.
  #isWatching = false;

  constructor(options: IdleConnectionsOptions) {
    this.#options = options;
    this.#idleMs = options.idleMs;
  }

  /** Takes effect at once, also for the connections that are there. */
  setIdleMs(idleMs: number): void {
    this.#idleMs = idleMs;
    this.#watch++;
    this.#isWatching = false;
    if (this.#options.connections.size > 0) this.#start();
  }

  /** The connection is new, and stands among `connections` from now on. */
  begin(connection: HostedConnection): void {
    connection.activeMs = this.#options.nowMs();
    this.#start();
  }

  /** The connection that has been idle longest, of those that did not come through `listener`. */
  idlest(listener: number): HostedConnection | null {
    const now = this.#options.nowMs();
    let idlest: HostedConnection | null = null;
    for (const connection of this.#options.connections) {
      note(connection, now);
      if (connection.listener === listener || connection.isClosed) continue;
      if (idlest === null || connection.activeMs < idlest.activeMs) idlest = connection;
    }
    return idlest;
  }

  #start(): void {
    if (this.#isWatching || this.#idleMs < 0) return;
    this.#isWatching = true;
    const watch = ++this.#watch;
    this.#options.after(Math.max(1, Math.ceil(this.#idleMs / LOOKS)), () => {
      if (watch !== this.#watch) return;
      this.#isWatching = false;
      this.#look();
    });
  }

  #look(): void {
    const now = this.#options.nowMs();
    for (const connection of this.#options.connections) {
      note(connection, now);
      if (now - connection.activeMs >= this.#idleMs) connection.close('idle', '');
    }
    if (this.#options.connections.size > 0) this.#start();
  }
}

/** Notes that something came or went since the last look. */
function note(connection: HostedConnection, now: number): void {
  const activity = connection.activity + connection.sentBytes;
  if (activity === connection.activitySeen) return;
  connection.activitySeen = activity;
  connection.activeMs = now;
}
