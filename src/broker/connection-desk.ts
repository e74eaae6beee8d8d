// Where accepted connections wait for a place and for a worker: what the listeners accept comes here, and goes to the worker with the
// fewest connections as soon as the broker serves and the limits allow it.
// Invariant: every socket that arrives is given away or destroyed.
// Runs on: the main thread. Not here: how many there may be (connection-gate.ts), how a socket changes its thread (hand-over.ts).
import { lookup } from 'node:dns/promises';
import type { Socket } from 'node:net';
import { performance, setTimeout } from '../base/timers.ts';
import { SECOND_MS } from '../base/units.ts';
import type { BrokerConfig } from '../config/broker-config.ts';
import { ConfigError } from '../config/define.ts';
import { ConnectionGate, type ConnectionLimits, plainAddress } from '../network/connection-gate.ts';
import type { Acceptance } from '../network/connection-info.ts';
import { closeHandle, HandOver, takeHandle } from '../network/hand-over.ts';
import type { Workers } from '../scheduler/worker-runtime.ts';
import { LineLimiter } from '../telemetry/line-limiter.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { LiveConnectionLimits, ToBrokerWorker } from './worker-data.ts';

/** How far the number of connections may be from the one that was told last. */
const TOLD_STEP = 16;
/** A timer of Node's that is set for longer is over at once. */
const TIMER_MS_MAX = 2 ** 31 - 1;

export interface ConnectionDeskOptions {
  /** How many connections there are, where that has changed by some. */
  readonly onCount: (count: number) => void;
  readonly config: BrokerConfig;
  readonly limits: ConnectionLimits;
  readonly logger: Logger;
  /** Connections are refused from this number of a descriptor on. */
  readonly descriptorsEnd: () => number;
  /** Without threads: gives an accepted socket's handle to the worker of this thread, which calls `taken` in the turn in which it has it. */
  readonly adopt: (handle: object, acceptance: Acceptance, taken: () => void) => void;
}

export class ConnectionDesk {
  readonly #gate: ConnectionGate<Socket>;
  readonly #adopt: ConnectionDeskOptions['adopt'];
  readonly #descriptorsEnd: () => number;
  readonly #logger: Logger;
  /** Accepted before there was a worker to take them. */
  #early: { socket: Socket; listener: number }[] | null = [];
  #workers: Workers | null = null;
  #handOver: HandOver | null = null;
  /** Without threads: taken from their sockets, and not yet taken by the worker. Nothing else closes them. */
  readonly #handles = new Set<object>();
  #isClosed = false;
  #lastChange = 0;
  readonly #onCount: (count: number) => void;
  #openCount = 0;
  #toldCount = 0;
  /** Where one is refused, there are many. */
  readonly #refusalLines = new LineLimiter(1);

  constructor({ config, limits, logger, adopt, descriptorsEnd, onCount }: ConnectionDeskOptions) {
    this.#adopt = adopt;
    this.#onCount = onCount;
    this.#descriptorsEnd = descriptorsEnd;
    this.#logger = logger;
    const betweenBrokers = config.listeners.findIndex(({ name }) => name === config.interBrokerListenerName);
    const firstListener = config.listeners.length > 1 ? betweenBrokers : -1;
    this.#gate = new ConnectionGate<Socket>({
      limits,
      firstListener,
      lineMax: config.socketListenBacklogSize,
      rateWindows: { count: config.quotaWindowNum, sizeMs: config.quotaWindowSizeSeconds * SECOND_MS },
      nowMs: () => performance.now(),
      after: (delayMs, task) => setTimeout(task, Math.min(delayMs, TIMER_MS_MAX)).unref(),
      admit: (socket, listener, ticket) => {
        const isAdmitted = this.#admit(socket, { listener, ticket });
        if (isAdmitted) this.#count(1);
        return isAdmitted;
      },
      refuse: (socket, reason) => {
        socket.destroy();
        this.#tellRefused(reason);
      },
      makeRoom: () =>
        this.#workers?.send(this.#handOver?.mostLoaded() ?? 0, { type: 'close-idlest', listener: firstListener } satisfies ToBrokerWorker),
    });
  }

  /**
   * Other limits from now on: the configuration was changed. Names of hosts take a moment to be looked up; with one that nobody knows the
   * limits stay as they are, and that is said.
   */
  changeLimits(config: LiveConnectionLimits): void {
    const change = ++this.#lastChange;
    connectionLimits(config).then(
      (limits) => {
        if (change === this.#lastChange) this.#gate.setLimits(limits);
      },
      (error: unknown) => this.#logger.warn('the limits of connections stay as they were', { error: String(error) }),
    );
  }

  /** A listener has accepted a connection: paused, nothing read. */
  arrive(socket: Socket, listener: number): void {
    if (this.#isClosed) socket.destroy();
    else if (this.#early !== null) this.#early.push({ socket, listener });
    else this.#gate.arrive(socket, listener, plainAddress(socket.remoteAddress ?? ''));
  }

  /** From here on connections go to the workers; those that came before wait and go first. */
  serve(workers: Workers): void {
    this.#workers = workers;
    if (workers.threadCount > 0) {
      this.#handOver = new HandOver(workers.count, {
        give: (worker, descriptor, acceptance) => workers.handOver(worker, descriptor, acceptance),
        descriptorsEnd: this.#descriptorsEnd,
        onRefused: (reason) => this.#tellRefused(reason),
      });
    }
    const early = this.#early ?? [];
    this.#early = null;
    for (const { socket, listener } of early) this.arrive(socket, listener);
  }

  /** Connections that were refused, for a limit or for want of a descriptor. */
  get refusedCount(): number {
    return this.#gate.refusedCount + (this.#handOver?.refusedCount ?? 0);
  }

  /** A worker has closed these of its connections. */
  closed(worker: number, tickets: readonly number[]): void {
    this.#handOver?.closed(worker, tickets.length);
    this.#count(-tickets.length);
    if (!this.#isClosed) for (const ticket of tickets) this.#gate.left(ticket);
  }

  /** No further connection goes to a worker. */
  close(): void {
    this.#isClosed = true;
    for (const { socket } of this.#early ?? []) socket.destroy();
    for (const socket of this.#gate.takeWaiting()) socket.destroy();
  }

  /** The workers have stopped, perhaps by a failure, in front of the turn in which one was to take a connection: that has nobody any more. */
  workersEnded(): void {
    for (const handle of this.#handles) closeHandle(handle);
    this.#handles.clear();
  }

  #count(change: number): void {
    this.#openCount += change;
    if (Math.abs(this.#openCount - this.#toldCount) < TOLD_STEP) return;
    this.#toldCount = this.#openCount;
    this.#onCount(this.#openCount);
  }

  #tellRefused(reason: string): void {
    if (!this.#refusalLines.admits(performance.now())) return;
    this.#logger.warn(`a connection was refused: ${reason}`, { refusedSoFar: this.refusedCount });
  }

  #admit(socket: Socket, acceptance: Acceptance): boolean {
    if (this.#handOver !== null) return this.#handOver.accept(socket, acceptance);
    const handle = takeHandle(socket);
    if (handle === null) return false;
    this.#handles.add(handle);
    this.#adopt(handle, acceptance, () => this.#handles.delete(handle));
    return true;
  }
}

/** The limits of a configuration, its host names looked up. Rejects with ConfigError where one is not known. */
export async function connectionLimits(config: LiveConnectionLimits): Promise<ConnectionLimits> {
  const overrides = new Map<string, number>();
  for (const [host, count] of config.maxConnectionsPerIpOverrides) {
    try {
      overrides.set(plainAddress((await lookup(host)).address), count);
    } catch {
      const key = 'max.connections.per.ip.overrides';
      throw new ConfigError(`${key}: the host ${host} is not known (allowed: addresses, and names that can be looked up)`, key, host);
    }
  }
  return {
    total: config.maxConnections,
    perListener: config.listenerMaxConnections,
    totalRate: config.maxConnectionCreationRate,
    perListenerRate: config.listenerMaxConnectionCreationRate,
    perAddress: config.maxConnectionsPerIp,
    perAddressOverrides: overrides,
  };
}
