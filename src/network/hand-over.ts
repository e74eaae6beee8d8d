// Gives accepted connections to workers: each to the one with the fewest open ones.
//   threads, with dup(2)   a second descriptor goes to the worker, the accepted socket is destroyed
//   same thread            the socket's handle goes on in a new socket; no descriptor is needed
//   threads, without dup   the listener can't give anything away: workers listen on its descriptor (shared-listener.ts)
// Invariant: a descriptor's number is read and used in one synchronous block; once a socket is destroyed, it is somebody else's.
// Runs on: the main thread.
import type { Socket } from 'node:net';
import { duplicateDescriptor } from '../native/dup.ts';

/** What is used of a socket's handle; Node does not document it. */
interface Handle {
  readonly fd?: number;
}

/** Whether accepted connections can be given to other threads. */
export function canHandOver(): boolean {
  return duplicateDescriptor() !== null;
}

/** Takes the handle out of an accepted socket, for a SocketTransport of the same thread. Null: it has closed already. */
export function takeHandle(socket: Socket): object | null {
  const owner: { _handle?: Handle | null } = socket as unknown as { _handle?: Handle | null };
  const handle = owner._handle ?? null;
  if (handle !== null) owner._handle = null;
  socket.destroy(); // Without its handle: the server counts it as gone.
  return handle;
}

export class HandOver {
  readonly #give: (worker: number, descriptor: number) => void;
  readonly #openCounts: number[];
  #refusedCount = 0;

  /** `give` is Workers.handOver. */
  constructor(workerCount: number, give: (worker: number, descriptor: number) => void) {
    this.#give = give;
    this.#openCounts = new Array(workerCount).fill(0);
  }

  /** Gives a socket that nothing was read from to the worker with the fewest connections; false: no descriptor left, it is closed. */
  accept(socket: Socket): boolean {
    const descriptor = duplicate(socket);
    socket.destroy();
    if (descriptor < 0) {
      this.#refusedCount++;
      return false;
    }
    const worker = this.#leastLoaded();
    this.#openCounts[worker] = this.openCount(worker) + 1;
    this.#give(worker, descriptor);
    return true;
  }

  /** A worker has closed so many of its connections (NetworkOptions.onClosedCount). */
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

  #leastLoaded(): number {
    let least = 0;
    for (let worker = 1; worker < this.#openCounts.length; worker++) {
      if (this.openCount(worker) < this.openCount(least)) least = worker;
    }
    return least;
  }
}

function duplicate(socket: Socket): number {
  const handle: Handle | null = (socket as unknown as { _handle?: Handle | null })._handle ?? null;
  const descriptor = handle?.fd ?? -1;
  const call = duplicateDescriptor();
  return descriptor < 0 || call === null ? -1 : call(descriptor);
}
