// How many connections there may be: of the broker, of each of its listeners, of each address. One for all workers, since all connections
// are accepted here.
//   max.connections, listener.name.X.max.connections   who comes when there is no place waits, unserved, until one is free
//   max.connection.creation.rate, and of a listener    who comes too soon waits until the rate is what it may be (connection-rate.ts)
//   max.connections.per.ip and its overrides           who comes is closed at once
// The listener between brokers goes first where there are others: neither max.connections nor the broker's rate holds it up; another
// connection goes for it.
// Invariants: each connection that was let in is counted until `left` says that it is closed; nobody waits while there is a place and it is
// time; the rates count a connection once, when it is the first in its listener's line.
// Pure: what is let in is a `T`, and time is told. Runs on: the main thread. As Apache Kafka's; there those who wait do so in the kernel's line.
import { ConnectionRate, type RateWindows } from './connection-rate.ts';

export interface ConnectionLimits {
  /** max.connections */
  readonly total: number;
  /** listener.name.X.max.connections, by listener. */
  readonly perListener: readonly number[];
  /** max.connection.creation.rate: connections a second. */
  readonly totalRate: number;
  /** listener.name.X.max.connection.creation.rate, by listener. */
  readonly perListenerRate: readonly number[];
  /** max.connections.per.ip */
  readonly perAddress: number;
  /** max.connections.per.ip.overrides, by address. */
  readonly perAddressOverrides: ReadonlyMap<string, number>;
}

export interface ConnectionGateOptions<T> {
  readonly limits: ConnectionLimits;
  /** The listener that goes first; -1: none does. */
  readonly firstListener: number;
  /** How many may wait at a listener; who comes then is refused. */
  readonly lineMax: number;
  readonly rateWindows: RateWindows;
  readonly nowMs: () => number;
  /** Calls `task` after so long, or never where the gate is of no use any more by then. */
  readonly after: (delayMs: number, task: () => void) => void;
  /** False: it could not be let in after all, and is not counted. */
  readonly admit: (arrival: T, listener: number, ticket: number) => boolean;
  readonly refuse: (arrival: T, reason: string) => void;
  /** The total is exceeded for the sake of the first listener: a connection of another one has to go. */
  readonly makeRoom: () => void;
}

/** Whether it is time for the first in a line: not asked yet, held up by a rate, or it is. */
type Pace = 'unknown' | 'held' | 'due';

interface Waiting<T> {
  readonly arrival: T;
  readonly address: string;
  pace: Pace;
}

interface Place {
  readonly listener: number;
  readonly address: string;
}

export class ConnectionGate<T> {
  refusedCount = 0;
  /** Those that had to wait. */
  waitedCount = 0;
  readonly #options: ConnectionGateOptions<T>;
  #limits: ConnectionLimits;
  readonly #places = new Map<number, Place>(); // By ticket.
  readonly #byAddress = new Map<string, number>();
  readonly #byListener: number[];
  readonly #lines: Waiting<T>[][];
  readonly #rate: ConnectionRate;
  readonly #rates: ConnectionRate[];
  #lastTicket = 0;

  constructor(options: ConnectionGateOptions<T>) {
    this.#options = options;
    this.#limits = options.limits;
    this.#byListener = options.limits.perListener.map(() => 0);
    this.#lines = options.limits.perListener.map(() => []);
    this.#rate = new ConnectionRate(options.limits.totalRate, options.rateWindows);
    this.#rates = options.limits.perListenerRate.map((limit) => new ConnectionRate(limit, options.rateWindows));
  }

  /** Connections that were let in and are open. */
  get count(): number {
    return this.#places.size;
  }

  get waitingCount(): number {
    return this.#lines.reduce((count, line) => count + line.length, 0);
  }

  /** Other limits from now on. Nobody is closed for them; who waits and has a place now is let in; who is held up by a rate stays so. */
  setLimits(limits: ConnectionLimits): void {
    this.#limits = limits;
    this.#rate.limit = limits.totalRate;
    for (const [listener, rate] of this.#rates.entries()) rate.limit = limits.perListenerRate[listener] as number;
    this.#letIn();
  }

  /** A connection came through `listener` from `address`. */
  arrive(arrival: T, listener: number, address: string): void {
    const line = this.#lines[listener] as Waiting<T>[];
    const waiting: Waiting<T> = { arrival, address, pace: 'unknown' };
    if (line.length === 0 && this.#mayEnter(waiting, listener)) {
      this.#enter(waiting, listener);
    } else if (line.length >= this.#options.lineMax) {
      this.#refuse(arrival, 'the limit of connections is reached, and as many as may wait do');
    } else {
      this.waitedCount++;
      line.push(waiting);
    }
  }

  /** The connection with this ticket is closed. */
  left(ticket: number): void {
    const place = this.#places.get(ticket);
    if (place === undefined) return;
    this.#places.delete(ticket);
    this.#byListener[place.listener] = (this.#byListener[place.listener] as number) - 1;
    const count = (this.#byAddress.get(place.address) as number) - 1;
    if (count === 0) this.#byAddress.delete(place.address);
    else this.#byAddress.set(place.address, count);
    this.#letIn();
  }

  /** Gives away those who wait: nobody is let in any more. */
  takeWaiting(): T[] {
    return this.#lines.flatMap((line) => line.splice(0).map(({ arrival }) => arrival));
  }

  #letIn(): void {
    const { firstListener } = this.#options;
    if (firstListener >= 0) this.#letInAt(firstListener);
    for (let listener = 0; listener < this.#lines.length; listener++) this.#letInAt(listener);
  }

  #letInAt(listener: number): void {
    const line = this.#lines[listener] as Waiting<T>[];
    while (line.length > 0 && this.#mayEnter(line[0] as Waiting<T>, listener)) this.#enter(line.shift() as Waiting<T>, listener);
  }

  /** Whether the first in a listener's line may come in now. Counts it, at its first time. */
  #mayEnter(first: Waiting<T>, listener: number): boolean {
    if (first.pace === 'unknown') {
      const delayMs = this.#delayMs(listener);
      first.pace = delayMs > 0 ? 'held' : 'due';
      if (delayMs > 0) {
        this.#options.after(delayMs, () => {
          first.pace = 'due';
          this.#letInAt(listener);
        });
      }
    }
    return first.pace === 'due' && this.#hasPlace(listener);
  }

  #delayMs(listener: number): number {
    const nowMs = this.#options.nowMs();
    const ofBroker = listener === this.#options.firstListener ? 0 : this.#rate.record(nowMs);
    return Math.max(ofBroker, (this.#rates[listener] as ConnectionRate).record(nowMs));
  }

  #hasPlace(listener: number): boolean {
    if ((this.#byListener[listener] as number) >= (this.#limits.perListener[listener] as number)) return false;
    return listener === this.#options.firstListener || this.#places.size < this.#limits.total;
  }

  #enter({ arrival, address }: Waiting<T>, listener: number): void {
    const { perAddress, perAddressOverrides, total } = this.#limits;
    const max = perAddressOverrides.get(address) ?? perAddress;
    const count = this.#byAddress.get(address) ?? 0;
    if (count >= max) {
      this.#refuse(arrival, `${address} has as many connections as it may have (${max})`);
      return;
    }
    const ticket = ++this.#lastTicket;
    if (!this.#options.admit(arrival, listener, ticket)) return;
    this.#places.set(ticket, { listener, address });
    this.#byListener[listener] = (this.#byListener[listener] as number) + 1;
    this.#byAddress.set(address, count + 1);
    if (this.#places.size > total) this.#options.makeRoom();
  }

  #refuse(arrival: T, reason: string): void {
    this.refusedCount++;
    this.#options.refuse(arrival, reason);
  }
}

/** An IPv4 address in its own form where a socket of both families tells it as an IPv6 one. */
export function plainAddress(address: string): string {
  return address.startsWith('::ffff:') && address.includes('.') ? address.slice('::ffff:'.length) : address;
}
