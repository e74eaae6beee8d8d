// Connections on which nothing comes or goes are closed (connections.max.idle.ms). Bytes that are read, and bytes of replies that the kernel
// takes, are activity; a request that is worked on is none, as with Apache Kafka.
// How idle a connection is shows when it is looked at, several times in the time that it may be idle: it is closed at most one such
// interval late, never early, and its reads and writes do not ask for the time.
// Without a limit (-1) one kind of them is closed all the same: a reader that was promised a range of a file and takes none of it. The file
// stays open, and on the disk, as long as somebody is inside of a read (src/partition/reader-counts.ts). Apache Kafka ends such a reader, too:
// it closes a removed segment's file under him after file.delete.delay.ms.
// Runs on: every worker, for its network actor.
import { MINUTE_MS } from '../base/units.ts';
import type { HostedConnection } from './connection-host.ts';

/** Looks in the time that a connection may be idle. */
const LOOKS = 20;

/** How long a reader of a file may take nothing where connections may be idle for ever: Kafka's default of connections.max.idle.ms. */
const FILE_READER_STALL_MS = 10 * MINUTE_MS;

export interface IdleConnectionsOptions {
  /** Negative: for ever, but for readers of files. */
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
    if (this.#isWatching) return;
    this.#isWatching = true;
    const watch = ++this.#watch;
    const limitMs = this.#idleMs < 0 ? FILE_READER_STALL_MS : this.#idleMs;
    this.#options.after(Math.max(1, Math.ceil(limitMs / LOOKS)), () => {
      if (watch !== this.#watch) return;
      this.#isWatching = false;
      this.#look();
    });
  }

  #look(): void {
    const now = this.#options.nowMs();
    for (const connection of this.#options.connections) {
      note(connection, now);
      const silentMs = now - connection.activeMs;
      if (this.#idleMs >= 0) {
        if (silentMs >= this.#idleMs) connection.close('idle', '');
      } else if (silentMs >= FILE_READER_STALL_MS && connection.owesFileRanges) {
        connection.close('idle', `it has taken nothing for ${FILE_READER_STALL_MS} ms of the log file that its reply comes from`);
      }
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
