// The connections of one worker: takes those that are handed to it, lets them run, flushes their replies once a turn, wakes those that
// wait for memory or credits, and ends them.
// Invariant: a connection that waits is in exactly the list of what it waits for, and the first that waited is the first to go on.
// Runs on: every worker. Not here: what bytes mean (connection.ts), what requests mean (the handler table).

import type { TurnEndActor } from '../actors/actor.ts';
import type { SlabArena } from '../actors/slab-arena.ts';
import { MIB } from '../base/units.ts';
import type { Runtime } from '../scheduler/runtime.ts';
import type { ApiRow, ConnectionInfo } from './api-row.ts';
import { Connection, type ConnectionHost } from './connection.ts';
import { IncomingRequest } from './incoming-request.ts';
import { LandingBuffer } from './landing-buffer.ts';
import { LogLimiter } from './log-limiter.ts';
import { type CloseCause, NetworkCounters } from './network-counters.ts';
import type { Transport } from './transport.ts';

const FAULT_LINES_PER_SECOND = 10;
const OUTPUT_BYTES_MAX = MIB;
/** Kafka's default of socket.request.max.bytes. */
const REQUEST_BYTES_MAX = 100 * MIB;
const INFLIGHT_MAX = 64;
const FREE_REQUESTS_MAX = 4096;

export interface NetworkOptions {
  readonly rows: readonly ApiRow[];
  /** One line for each connection that is closed for its peer's fault, within limits. */
  readonly log: (line: string) => void;
  /** socket.request.max.bytes */
  readonly requestBytesMax?: number;
  /** naru.connection.inflight.max */
  readonly inflightMax?: number;
  /** Replies that a peer leaves unread before its requests wait. */
  readonly outputBytesMax?: number;
  /** The connection is over; its requests are all that may still refer to it. */
  readonly onConnectionClosed?: (connection: ConnectionInfo) => void;
  /** So many connections have ended in this turn: for whoever hands them out. */
  readonly onClosedCount?: (count: number) => void;
}

export class NetworkActor implements ConnectionHost, TurnEndActor {
  readonly arena: SlabArena;
  readonly landing: LandingBuffer;
  readonly counters = new NetworkCounters();
  readonly requestBytesMax: number;
  readonly inflightMax: number;
  readonly outputBytesMax: number;
  readonly #runtime: Runtime;
  readonly #options: NetworkOptions;
  readonly #rows: (ApiRow | undefined)[] = [];
  readonly #connections = new Set<Connection>();
  readonly #freeRequests: IncomingRequest[] = [];
  readonly #limiter: LogLimiter;
  #toFlush: Connection[] = [];
  #toRun = new Set<Connection>();
  readonly #forMemory = new Set<Connection>();
  readonly #forCredits = new Set<Connection>();
  #lastId = 0;
  #closedCount = 0;
  #onAllClosed: (() => void) | null = null;

  constructor(runtime: Runtime, options: NetworkOptions) {
    this.#runtime = runtime;
    this.#options = options;
    this.arena = runtime.arena;
    this.landing = new LandingBuffer(runtime.arena);
    this.requestBytesMax = options.requestBytesMax ?? REQUEST_BYTES_MAX;
    this.inflightMax = options.inflightMax ?? INFLIGHT_MAX;
    this.outputBytesMax = options.outputBytesMax ?? OUTPUT_BYTES_MAX;
    this.#limiter = new LogLimiter(FAULT_LINES_PER_SECOND, options.log);
    for (const row of options.rows) this.#rows[row.apiKey] = row;
    runtime.arena.onReleased(() => {
      if (this.#forMemory.size > 0 || this.#forCredits.size > 0) runtime.touchLast(this);
    });
    runtime.exchange.onCredits(() => {
      if (this.#forCredits.size > 0) runtime.touchLast(this);
    });
  }

  /** Takes a connection that was accepted elsewhere; from here on it is this worker's. */
  adopt(transport: Transport): void {
    const connection = new Connection(++this.#lastId, this, transport);
    this.#connections.add(connection);
    this.counters.connectionsOpened++;
    this.counters.connectionsOpen++;
    try {
      connection.start();
    } catch (error) {
      this.connectionClosed(connection); // It broke off on its way here.
      this.#limiter.write(this.nowMs(), `a connection could not be taken: ${error instanceof Error ? error.message : error}`);
    }
  }

  get connectionCount(): number {
    return this.#connections.size;
  }

  /** Ends all connections; replies that are complete are handed to the kernel as far as it takes them. `done` when all are gone. */
  closeAll(done: () => void): void {
    this.#onAllClosed = done;
    for (const connection of [...this.#connections]) {
      connection.flush();
      connection.close('shutdown', '');
    }
    if (this.#connections.size === 0) this.#allClosed();
  }

  /** Lets connections go on whose handlers could take nothing. */
  retry(): void {
    if (this.#forCredits.size > 0) this.#runtime.touchLast(this);
  }

  onTurnEnd(): void {
    if (this.#forMemory.size > 0) this.#move(this.#forMemory);
    if (this.#forCredits.size > 0) this.#move(this.#forCredits);
    if (this.#toRun.size > 0) {
      const due = this.#toRun;
      this.#toRun = new Set();
      for (const connection of due) connection.run();
    }
    if (this.#closedCount > 0) {
      this.#options.onClosedCount?.(this.#closedCount);
      this.#closedCount = 0;
    }
    const flushing = this.#toFlush;
    this.#toFlush = [];
    for (const connection of flushing) connection.flush();
  }

  rowOf(apiKey: number): ApiRow | undefined {
    return this.#rows[apiKey];
  }

  takeRequest(): IncomingRequest {
    return this.#freeRequests.pop() ?? new IncomingRequest(this.#runtime.workerIndex, this.arena.bytes);
  }

  freeRequest(request: IncomingRequest): void {
    request.free();
    if (this.#freeRequests.length < FREE_REQUESTS_MAX) this.#freeRequests.push(request);
  }

  nowMs(): number {
    return this.#runtime.clock.monotonicMs();
  }

  flushLater(connection: Connection): void {
    this.#toFlush.push(connection);
    this.#runtime.touchLast(this);
  }

  runLater(connection: Connection): void {
    this.#toRun.add(connection);
    this.#runtime.touchLast(this);
  }

  runWithMemory(connection: Connection): void {
    this.#forMemory.add(connection);
  }

  runWithCredits(connection: Connection): void {
    this.#forCredits.add(connection);
  }

  connectionClosing(connection: Connection, cause: CloseCause, reason: string): void {
    this.counters.connectionsClosed[cause]++;
    this.#forMemory.delete(connection);
    this.#forCredits.delete(connection);
    this.#toRun.delete(connection);
    this.#options.onConnectionClosed?.(connection);
    if (cause === 'peer' || cause === 'reset' || cause === 'shutdown') return;
    this.#limiter.write(this.nowMs(), `closed the connection of ${connection.remoteAddress}:${connection.remotePort}: ${reason}`);
  }

  connectionClosed(connection: Connection): void {
    if (!this.#connections.delete(connection)) return;
    this.counters.connectionsOpen--;
    this.#closedCount++;
    this.#runtime.touchLast(this);
    if (this.#connections.size === 0) this.#allClosed();
  }

  fail(error: unknown): void {
    this.#runtime.fail(error);
  }

  #allClosed(): void {
    const done = this.#onAllClosed;
    this.#onAllClosed = null;
    done?.();
  }

  #move(waiting: Set<Connection>): void {
    for (const connection of waiting) this.#toRun.add(connection);
    waiting.clear();
  }
}
