// The connections of one worker. It hands out what they share (arena, landing buffer, requests), flushes their replies at the
// end of each turn (small ones to all that a read has asked leave with that read), and lets those go on that waited for memory, credits or their turn.
// Invariant: a connection is flushed at most once a turn.
// Runs on: every worker, in the thread that reads the sockets. Socket callbacks come outside of turns; they only parse, hand
// requests to handlers and ask for a turn. Not here: accepting and balancing (listener.ts, hand-over.ts), what requests mean.
import type { TurnEndActor } from '../actors/actor.ts';
import type { SlabArena } from '../actors/slab-arena.ts';
import { assert } from '../base/assert.ts';
import { MIB } from '../base/units.ts';
import type { Runtime, TimerHandle } from '../scheduler/runtime.ts';
import { LineLimiter } from '../telemetry/line-limiter.ts';
import { ownSlots, type WorkerSlots } from '../telemetry/worker-slots.ts';
import type { ApiRow } from './api-row.ts';
import { Connection } from './connection.ts';
import type { ConnectionHost, HostedConnection } from './connection-host.ts';
import type { Acceptance, ConnectionInfo } from './connection-info.ts';
import { CreditWaiters } from './credit-waiters.ts';
import { FrameCutter } from './frame-cutter.ts';
import { IdleConnections } from './idle-connections.ts';
import { IncomingRequest } from './incoming-request.ts';
import { LandingBuffer } from './landing-buffer.ts';
import { type MemoryReserves, memoryReserves } from './memory-order.ts';
import { MemoryWaiters } from './memory-waiters.ts';
import { type CloseCause, type NetworkCounters, networkCounters } from './network-counters.ts';
import { RequestMeter } from './request-meter.ts';
import { SlowReaders } from './slow-readers.ts';
import type { SlowRequests } from './slow-requests.ts';
import type { Transport } from './transport.ts';

const FAULT_LINES_PER_SECOND = 10;
/** Replies that a connection leaves unread before its requests wait. One reply may be larger. */
const OUTPUT_BYTES_MAX = MIB;
const FREE_REQUESTS_MAX = 1024;
/** How long a stop waits for the other sides to end theirs, once it has ended ours: some round trips around the world. */
const STOP_LINGER_MS = 500;

const UNCOUNTED: Acceptance = { listener: 0, ticket: 0 };

/** As much of a Runtime as is used. */
export type NetworkRuntime = Pick<Runtime, 'workerIndex' | 'arena' | 'clock' | 'exchange' | 'touch' | 'touchLast' | 'after' | 'fail'>;

export interface NetworkOptions {
  readonly rows: readonly ApiRow[];
  /** socket.request.max.bytes: the longest frame. */
  readonly requestBytesMax: number;
  /** naru.connection.inflight.max: requests of a connection that overlap. */
  readonly inflightMax: number;
  /** naru.connection.stall.ms: how long a connection keeps memory that others wait for without sending any of it. */
  readonly stallMs: number;
  /** One line for each connection that is closed for something that it or a handler did; so many a second at most. */
  readonly log: (line: string) => void;
  /** The connection takes no more part: for what handlers keep by it. They still end its open requests. */
  readonly onConnectionClosed?: (connection: ConnectionInfo) => void;
  /** Which connections have ended since it was last called: at the end of a turn. */
  readonly onClosed?: (tickets: readonly number[]) => void;
  /** connections.max.idle.ms: a connection on which nothing comes or goes for so long is closed; never where it is negative. */
  readonly idleMs?: number;
  /** Where this worker counts; slots of its own where left out. */
  readonly slots?: WorkerSlots;
  /** Hears of requests that took long; nobody where left out. */
  readonly slow?: SlowRequests;
  /** Less than the usual for tests alone: bytes of one read, unread replies before a connection's requests wait. */
  readonly landingBytes?: number;
  readonly outputBytesMax?: number;
}

export class NetworkActor implements ConnectionHost {
  readonly arena: SlabArena;
  readonly landing: LandingBuffer;
  readonly counters: NetworkCounters;
  readonly meter: RequestMeter;
  readonly cutter: FrameCutter;
  readonly inflightMax: number;
  readonly outputBytesMax: number;
  readonly reserves: MemoryReserves;
  readonly #runtime: NetworkRuntime;
  readonly #onConnectionClosed: (connection: ConnectionInfo) => void;
  readonly #onClosed: (tickets: readonly number[]) => void;
  readonly #idle: IdleConnections;
  readonly #log: (line: string) => void;
  readonly #faultLines = new LineLimiter(FAULT_LINES_PER_SECOND);
  readonly #connections = new Set<HostedConnection>();
  readonly #freeRequests: IncomingRequest[] = [];
  // Filled to the count and never shortened: an array that is emptied by its length is allocated anew in each turn.
  #unflushed: (HostedConnection | null)[] = [];
  #unflushedSpare: (HostedConnection | null)[] = [];
  #unflushedCount = 0;
  #runnable = new Set<HostedConnection>();
  #runnableSpare = new Set<HostedConnection>();
  readonly #memoryWaiters: MemoryWaiters;
  readonly #slowReaders: SlowReaders;
  readonly #creditWaiters: CreditWaiters;
  #lastId = 0;
  #closedTickets: number[] = []; // Not yet told to onClosed.
  #isStopping = false;
  #onAllClosed: (() => void) | null = null; // Until it has been called.
  #linger: TimerHandle | null = null;
  readonly #flushing: TurnEndActor = { onTurnEnd: () => this.#flushAll() };
  readonly #running: TurnEndActor = { onTurnEnd: () => this.#runAll() };

  constructor(runtime: NetworkRuntime, options: NetworkOptions) {
    this.#runtime = runtime;
    const { slots = ownSlots() } = options;
    this.counters = networkCounters(slots.network);
    this.meter = new RequestMeter(slots, options.slow ?? null);
    this.arena = runtime.arena;
    this.landing = new LandingBuffer(runtime.arena, options.landingBytes);
    this.reserves = memoryReserves(runtime.arena.capacityBytes);
    const { rows, requestBytesMax } = options;
    this.cutter = new FrameCutter({ arena: this.arena, reserves: this.reserves, rows, requestBytesMax });
    this.inflightMax = options.inflightMax;
    this.outputBytesMax = options.outputBytesMax ?? OUTPUT_BYTES_MAX;
    this.#onConnectionClosed = options.onConnectionClosed ?? (() => {});
    this.#onClosed = options.onClosed ?? (() => {});
    this.#log = options.log;
    const connections = this.#connections;
    const nowMs = (): number => runtime.clock.monotonicMs();
    // A watch that outlasts the connections hears nothing more.
    const after = (delayMs: number, run: () => void): void => void runtime.after(delayMs, () => this.#isStopping || run());
    const runSoon = (): void => runtime.touch(this.#running);
    this.#creditWaiters = new CreditWaiters(runSoon);
    this.#memoryWaiters = new MemoryWaiters({ arena: this.arena, connections, nowMs, after, runSoon, stallMs: options.stallMs });
    this.#slowReaders = new SlowReaders({
      stallMs: options.stallMs,
      connections,
      nowMs,
      after,
      isWaitedFor: () => this.#memoryWaiters.count > 0 || this.#creditWaiters.lackMemory,
    });
    this.#idle = new IdleConnections({ idleMs: options.idleMs ?? -1, connections, nowMs, after });
    this.arena.onReleased(() => this.retry());
    runtime.exchange.onCredits(() => this.retry());
  }

  /** Takes a connection that was accepted elsewhere: it is this worker's from here on. Null: it broke off on its way here. */
  adopt(transport: Transport, acceptance: Acceptance = UNCOUNTED): ConnectionInfo | null {
    const connection = new Connection(++this.#lastId, this, transport, acceptance);
    this.#idle.begin(connection);
    this.#connections.add(connection);
    this.counters.connectionsOpened++;
    this.counters.connectionsOpen++;
    try {
      connection.start();
    } catch (error) {
      connection.closed(Error.isError(error) ? error : new Error(String(error)));
      return null;
    }
    if (this.#isStopping) connection.close('shutdown', '');
    return connection;
  }

  get connectionCount(): number {
    return this.#connections.size;
  }

  /** Requests that their handlers could not take are tried again in this turn: for causes other than credits and memory. */
  retry(): void {
    this.#creditWaiters.retry();
  }

  /** connections.max.idle.ms from now on. */
  setIdleMs(idleMs: number): void {
    this.#idle.setIdleMs(idleMs);
  }

  /** Closes the connection that has been idle longest and did not come through `listener`: another one took its place. */
  closeIdlest(listener: number): void {
    this.#idle.idlest(listener)?.close('replaced', 'max.connections is reached and the listener between brokers goes first');
  }

  /**
   * Ends all connections, and those that still come; `done` when the last one is closed. What was answered reaches the other sides that
   * end theirs within STOP_LINGER_MS; the rest is broken off then.
   */
  closeAll(done: () => void): void {
    assert(!this.#isStopping, 'connections are closed once');
    this.#isStopping = true;
    this.#onAllClosed = done;
    for (const connection of this.#connections) connection.stop();
    this.#tellLeftOut();
    this.#linger = this.#runtime.after(STOP_LINGER_MS, () => {
      for (const connection of this.#connections) connection.close('shutdown', '');
    });
    if (this.#connections.size === 0) this.#allClosed();
  }

  // What connections say.

  takeRequest(): IncomingRequest {
    return this.#freeRequests.pop() ?? new IncomingRequest(this.#runtime.workerIndex, this.arena.bytes);
  }

  freeRequest(request: IncomingRequest): void {
    request.free();
    if (this.#freeRequests.length < FREE_REQUESTS_MAX) this.#freeRequests.push(request);
    // Perhaps no memory came back, but then the last request that could bring some may be gone: see MemoryWaiters.
    this.#memoryWaiters.perhapsFreed();
  }

  flushLater(connection: HostedConnection): void {
    if (connection.isFlushDue) return;
    connection.isFlushDue = true;
    this.#unflushed[this.#unflushedCount++] = connection;
    if (this.#unflushedCount === 1) this.#runtime.touchLast(this.#flushing);
  }

  flushed(): void {
    if (this.#unflushedCount > 0) return; // Those of other connections have not left: all are observed at the end of the turn.
    this.meter.flush(this.#runtime.clock);
  }

  runLater(connection: HostedConnection): void {
    this.#runnable.add(connection);
    this.#runtime.touch(this.#running);
  }

  runWithMemory(connection: HostedConnection): void {
    this.#memoryWaiters.add(connection);
    this.#noteWaiting();
    this.#slowReaders.press();
  }

  memoryRefused(): void {
    this.#slowReaders.press();
  }

  runWithCredits(connection: HostedConnection): void {
    this.#creditWaiters.add(connection);
    this.#noteWaiting();
  }

  nowMs(): number {
    return this.#runtime.clock.monotonicMs();
  }

  connectionClosing(connection: HostedConnection, cause: CloseCause, reason: string): void {
    this.counters.connectionsOpen--;
    this.counters.connectionClosed(cause);
    if (reason !== '' && cause !== 'peer' && cause !== 'reset' && cause !== 'shutdown') {
      const peer = `${connection.remoteAddress}:${connection.remotePort}`;
      if (this.#faultLines.admits(this.#runtime.clock.monotonicMs())) {
        this.#tellLeftOut();
        this.#log(`connection from ${peer} closed: ${reason}`);
      }
    }
    this.#runnable.delete(connection);
    this.#memoryWaiters.delete(connection);
    this.#creditWaiters.delete(connection);
    this.#noteWaiting();
    this.#onConnectionClosed(connection);
  }

  connectionClosed(connection: HostedConnection): void {
    this.#connections.delete(connection);
    this.#closedTickets.push(connection.ticket);
    this.#runtime.touchLast(this.#flushing);
    if (this.#connections.size === 0) this.#allClosed();
  }

  fail(error: unknown): void {
    this.#runtime.fail(error);
  }

  /** This worker has failed and its thread lives on: the other sides hear that nobody is here any more. */
  abandonAll(): void {
    for (const connection of this.#connections) connection.abandon();
  }

  #allClosed(): void {
    const done = this.#onAllClosed;
    if (done === null) return; // No stop, or one more connection came and went after it.
    this.#onAllClosed = null;
    this.#linger?.cancel();
    done();
  }

  // Turns.

  #flushAll(): void {
    const unflushed = this.#unflushed;
    const count = this.#unflushedCount;
    this.#unflushed = this.#unflushedSpare;
    this.#unflushedSpare = unflushed;
    this.#unflushedCount = 0;
    for (let i = 0; i < count; i++) {
      const connection = unflushed[i] as HostedConnection;
      unflushed[i] = null; // It may be gone before this place is filled again.
      connection.isFlushDue = false;
      connection.flush();
    }
    this.meter.flush(this.#runtime.clock);
    if (this.#closedTickets.length === 0) return;
    const closed = this.#closedTickets;
    this.#closedTickets = [];
    this.#onClosed(closed);
  }

  #runAll(): void {
    const runnable = this.#runnable;
    this.#runnable = this.#runnableSpare;
    this.#runnableSpare = runnable;
    for (const connection of runnable) connection.run();
    runnable.clear();
    this.#memoryWaiters.run();
    this.#creditWaiters.run();
    this.#noteWaiting();
  }

  #tellLeftOut(): void {
    const count = this.#faultLines.takeLeftOut();
    if (count > 0) this.#log(`${count} more connections closed for bad requests`);
  }

  #noteWaiting(): void {
    this.counters.memoryWaiting = this.#memoryWaiters.count;
    this.counters.creditWaiting = this.#creditWaiters.count;
  }
}
