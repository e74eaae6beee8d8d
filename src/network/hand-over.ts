// Takes accepted sockets away from Node's server, so that another thread, or another socket of this thread, goes on with them.
//   threads       a second descriptor (dup) goes to the worker with the fewest connections, the accepted socket is destroyed
//   no threads    the socket's handle goes on in another socket of this thread; no descriptor is needed
// Invariant: a descriptor's number is read and used in one synchronous block; once its socket is destroyed, it is somebody else's.
// Runs on: the main thread. Not here: accepting (listener.ts), what becomes of a connection (network-actor.ts).
import { Socket, type SocketConstructorOpts } from 'node:net';
import { getSystemErrorName } from 'node:util';
import { duplicateDescriptor } from '../native/dup.ts';
import type { Acceptance } from './connection-info.ts';

/** What is used of a socket's handle, which Node does not document. */
interface Handle {
  readonly fd?: number;
}

/** Whether accepted connections can be given to other threads at all. Without, a broker runs in one thread. */
export function canHandOver(): boolean {
  return duplicateDescriptor() !== null;
}

/** Takes the handle out of an accepted socket, for a SocketTransport of the same thread. Null: it has closed already. */
export function takeHandle(socket: Socket): object | null {
  const { owner, handle } = handleOf(socket);
  if (handle !== null) owner._handle = null;
  socket.destroy(); // Without its handle: all this does is that the server counts it as gone.
  return handle;
}

/** Closes the connection of a handle that nobody goes on with. */
export function closeHandle(handle: object): void {
  new Socket({ handle } as SocketConstructorOpts).destroy();
}

export interface HandOverOptions {
  /** Workers.handOver. */
  readonly give: (worker: number, descriptor: number, acceptance: Acceptance) => void;
  /**
   * A connection whose descriptor would have this number or a larger one is refused: it is this number that grows with the connections, since
   * that of the accepted socket is free again at once. No limit where it is left out.
   */
  readonly descriptorsEnd?: () => number;
  /** A connection was closed, since there was no descriptor for it. */
  readonly onRefused?: (reason: string) => void;
}

export class HandOver {
  readonly #options: HandOverOptions;
  readonly #openCounts: number[];
  #refusedCount = 0;

  constructor(workerCount: number, options: HandOverOptions) {
    this.#options = options;
    this.#openCounts = new Array(workerCount).fill(0);
  }

  /** Gives a socket that nothing was read from to the worker with the fewest connections; false: it is closed, or has closed by itself. */
  accept(socket: Socket, acceptance: Acceptance): boolean {
    const accepted = descriptorOf(socket);
    const descriptor = accepted < 0 ? accepted : (duplicateDescriptor()?.(accepted) ?? -1);
    socket.destroy();
    if (accepted < 0) return false;
    const descriptorsEnd = this.#options.descriptorsEnd?.() ?? Number.POSITIVE_INFINITY;
    if (descriptor >= 0 && descriptor < descriptorsEnd) {
      const worker = this.#leastLoaded();
      this.#openCounts[worker] = this.openCount(worker) + 1;
      this.#options.give(worker, descriptor, acceptance);
      return true;
    }
    if (descriptor >= 0) new Socket({ fd: descriptor }).destroy();
    this.#refusedCount++;
    this.#options.onRefused?.(descriptor >= 0 ? `${descriptorsEnd} file descriptors are in use` : `dup: ${getSystemErrorName(descriptor)}`);
    return false;
  }

  /** A worker has closed so many of its connections (NetworkOptions.onClosed). */
  closed(worker: number, count: number): void {
    this.#openCounts[worker] = this.openCount(worker) - count;
  }

  /** Connections of a worker that are open or on their way to it. */
  openCount(worker: number): number {
    return this.#openCounts[worker] ?? 0;
  }

  /** Connections that were closed since there was no descriptor for them. */
  get refusedCount(): number {
    return this.#refusedCount;
  }

  /** The worker with the most connections. */
  mostLoaded(): number {
    let most = 0;
    for (let worker = 1; worker < this.#openCounts.length; worker++) {
      if (this.openCount(worker) > this.openCount(most)) most = worker;
    }
    return most;
  }

  #leastLoaded(): number {
    let least = 0;
    for (let worker = 1; worker < this.#openCounts.length; worker++) {
      if (this.openCount(worker) < this.openCount(least)) least = worker;
    }
    return least;
  }
}

/** The descriptor of a socket that is open, otherwise (and where sockets have none) -1. */
export function descriptorOf(socket: Socket): number {
  return handleOf(socket).handle?.fd ?? -1;
}

function handleOf(socket: Socket) {
  const owner = socket as unknown as { _handle?: Handle | null };
  return { owner, handle: owner._handle ?? null };
}
