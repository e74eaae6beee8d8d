// Starts the worker threads and watches them. It allocates what they share, joins every pair of them by a port of their own
// (doorbells and control messages go from worker to worker, never through here), hands connections over, and stops them.
// Invariant: one worker that dies takes all others down, and the listener hears once which one and why: never half a broker.
// Runs on: the main thread. Not here: what a worker does with what it gets (worker-runtime.ts).
import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads';
import { createExchangeRegion, WORKER_COUNT_MAX } from '../actors/ring-layout.ts';
import { assert } from '../base/assert.ts';
import { clearTimeout, setTimeout } from '../base/timers.ts';
import { SECOND_MS } from '../base/units.ts';
import { isNativeEnabled } from '../native/load.ts';
import { slotRegionBytes, type WorkerSlots, workerSlots } from '../telemetry/worker-slots.ts';
import { connectInspector } from './inspector.ts';
import { ARENA_BYTES, IO_CONCURRENCY, RING_CAPACITY_BYTES } from './runtime-sizes.ts';
import { type SpareThreads, threadOptions } from './spare-threads.ts';
import type { FromWorker, SharedRegions, ToWorker, WorkerBoot } from './worker-messages.ts';
import type { LoopUse, Workers, WorkersListener } from './worker-runtime.ts';

/** How long `stop` waits for the actors to end before it ends their threads. */
const STOP_TIMEOUT_MS = 30 * SECOND_MS;

/** A worker thread has ended that should not have. `cause` is what it threw, where it threw something. */
export class WorkerFailure extends Error {
  override readonly name = 'WorkerFailure';
  readonly code = 'ERR_WORKER_FAILED';
  readonly workerIndex: number;
  constructor(workerIndex: number, reason: string, cause?: unknown) {
    super(`worker ${workerIndex} failed: ${reason}`, { cause });
    this.workerIndex = workerIndex;
  }
}

export interface StartWorkersOptions<Data> {
  /** 1 … 32. */
  readonly count: number;
  /** A module that calls runWorker. */
  readonly entry: URL;
  /** A structured clone of it reaches each worker's factory. */
  readonly data: Data;
  /** Bytes of the region of shared counters. */
  readonly sharedBytes: number;
  readonly listener: WorkersListener;
  readonly arenaBytes?: number;
  readonly ringCapacityBytes?: number;
  readonly ioConcurrency?: number;
  /** Of a worker's JavaScript heap, in MiB; Node's own default when left out. */
  readonly heapMaxMib?: number;
  readonly stopTimeoutMs?: number;
  /** Threads of the same entry that were started before. */
  readonly spares?: SpareThreads;
}

export interface ThreadWorkers extends Workers {
  /** Asks a worker for numbers or a CPU profile; `close` its port when done. */
  inspect(worker: number): Promise<{ readonly inspector: Awaited<ReturnType<typeof connectInspector>>; close(): void }>;
}

/** Starts `count` workers; resolves when the factories of all are ready, rejects with a WorkerFailure when one is not. */
export function startWorkers<Data>(options: StartWorkersOptions<Data>): Promise<ThreadWorkers> {
  const supervisor = new Supervisor(options);
  return supervisor.started;
}

class Supervisor<Data> implements ThreadWorkers {
  readonly count: number;
  readonly threadCount: number;
  readonly started: Promise<ThreadWorkers>;
  readonly slots: readonly WorkerSlots[];
  readonly #listener: WorkersListener;
  readonly #stopTimeoutMs: number;
  readonly #threads: Worker[] = [];
  #readyCount = 0;
  #stoppedCount = 0;
  #exitedCount = 0;
  /** All actors have ended, or were given up: from here on threads may end. */
  #isExitExpected = false;
  #failure: WorkerFailure | null = null;
  #stopping: Promise<void> | null = null;
  #onStarted: () => void = () => {};
  #onStartFailed: (error: Error) => void = () => {};
  #onAllStopped: () => void = () => {};
  #onAllExited: () => void = () => {};

  constructor(options: StartWorkersOptions<Data>) {
    const { count } = options;
    assert(count >= 1 && count <= WORKER_COUNT_MAX, `${count} workers, of 1 … ${WORKER_COUNT_MAX}`);
    this.count = count;
    this.threadCount = count;
    this.#listener = options.listener;
    this.#stopTimeoutMs = options.stopTimeoutMs ?? STOP_TIMEOUT_MS;
    this.started = new Promise((resolve, reject) => {
      this.#onStarted = () => resolve(this);
      this.#onStartFailed = reject;
    });
    const regions = allocateRegions(options);
    this.slots = Array.from({ length: count }, (_, worker) => workerSlots(regions.slots, worker));
    const ports = joinPairs(count);
    let index = 0;
    try {
      for (; index < count; index++) this.#startThread(index, options, regions, ports[index] ?? []);
    } catch (error) {
      this.#fail(index, reasonOf(error), error); // Those that were started before it end.
    }
  }

  send(worker: number, message: unknown): void {
    this.#tell(worker, { type: 'message', message });
  }

  handOver(worker: number, descriptor: number, about: unknown = null): void {
    this.#tell(worker, { type: 'connection', descriptor, about });
  }

  loopUse(worker: number): LoopUse {
    return this.#thread(worker).performance.eventLoopUtilization();
  }

  async inspect(worker: number) {
    const { port1, port2 } = new MessageChannel();
    this.#thread(worker).postMessage({ type: 'inspect', port: port2 } satisfies ToWorker, [port2]);
    const inspector = await connectInspector(port1);
    return { inspector, close: () => port1.close() };
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  /** All actors first, then all threads: a worker that has stopped still answers one that is stopping. */
  async #stop(): Promise<void> {
    const exited = new Promise<void>((resolve) => {
      this.#onAllExited = resolve;
    });
    if (this.#exitedCount === this.count) return;
    if (this.#failure === null) {
      const stopped = new Promise<void>((resolve) => {
        this.#onAllStopped = resolve;
      });
      for (let worker = 0; worker < this.count; worker++) this.#tell(worker, { type: 'stop' });
      const timer = setTimeout(() => {
        this.#isExitExpected = true;
        void this.#terminate();
      }, this.#stopTimeoutMs);
      await Promise.race([stopped, exited]);
      this.#isExitExpected = true;
      for (let worker = 0; worker < this.count; worker++) this.#tell(worker, { type: 'exit' });
      await exited;
      clearTimeout(timer);
    } else {
      await exited;
    }
  }

  #startThread(index: number, options: StartWorkersOptions<Data>, regions: SharedRegions, ports: (MessagePort | null)[]): void {
    const boot: WorkerBoot<Data> = {
      workerIndex: index,
      regions,
      ports,
      isNativeEnabled: isNativeEnabled(),
      ioConcurrency: options.ioConcurrency ?? IO_CONCURRENCY,
      data: options.data,
    };
    const limits = options.heapMaxMib === undefined ? {} : { resourceLimits: { maxOldGenerationSizeMb: options.heapMaxMib } };
    const thread = options.spares?.take(index) ?? new Worker(options.entry, { ...threadOptions(index), ...limits });
    this.#threads.push(thread);
    thread.on('message', (message: FromWorker) => this.#hear(index, message));
    thread.on('error', (error: unknown) => this.#fail(index, reasonOf(error), error));
    thread.on('messageerror', (error) => this.#fail(index, `a message from it cannot be read: ${error.message}`, error));
    thread.on('exit', (exitCode) => {
      this.#exitedCount++;
      if (!this.#isExitExpected) this.#fail(index, `its thread ended with exit code ${exitCode}`, undefined);
      if (this.#exitedCount === this.count) this.#onAllExited();
    });
    const transferred = ports.filter((port) => port !== null);
    thread.postMessage({ type: 'boot', boot } satisfies ToWorker, transferred);
  }

  #hear(index: number, message: FromWorker): void {
    switch (message.type) {
      case 'ready':
        // A failure may overtake it, as the two come through different ports: then the start has failed, whoever is ready besides.
        if (++this.#readyCount === this.count && this.#failure === null) this.#onStarted();
        return;
      case 'stopped':
        if (++this.#stoppedCount === this.count) this.#onAllStopped();
        return;
      case 'message':
        this.#listener.onMessage(index, message.message);
    }
  }

  #fail(index: number, reason: string, cause: unknown): void {
    if (this.#failure !== null) return; // The others end because of the first.
    const failure = new WorkerFailure(index, reason, cause);
    this.#failure = failure;
    const isStarting = this.#readyCount < this.count;
    // A start has failed when no thread is left that could still write: the directory's lock is given up next.
    void this.#terminate().then(() => {
      if (isStarting) this.#onStartFailed(failure);
    });
    if (!isStarting) this.#listener.onFailed(failure);
  }

  async #terminate(): Promise<void> {
    await Promise.all(this.#threads.map((thread) => thread.terminate()));
  }

  #tell(worker: number, message: ToWorker): void {
    this.#thread(worker).postMessage(message);
  }

  #thread(worker: number): Worker {
    const thread = this.#threads[worker];
    assert(thread !== undefined, `worker ${worker} of ${this.count}`);
    return thread;
  }
}

function reasonOf(error: unknown): string {
  if (!Error.isError(error)) return String(error);
  if ('code' in error && error.code === 'ERR_WORKER_OUT_OF_MEMORY') return `out of memory (${error.message})`;
  return `${error.name}: ${error.message}`;
}

function allocateRegions(options: { count: number; sharedBytes: number; arenaBytes?: number; ringCapacityBytes?: number }): SharedRegions {
  const ringCapacityBytes = options.ringCapacityBytes ?? RING_CAPACITY_BYTES;
  const arenas: SharedArrayBuffer[] = [];
  for (let i = 0; i < options.count; i++) arenas.push(new SharedArrayBuffer(options.arenaBytes ?? ARENA_BYTES));
  return {
    workerCount: options.count,
    exchangeRegion: createExchangeRegion(options.count, ringCapacityBytes),
    ringCapacityBytes,
    arenas,
    shared: new SharedArrayBuffer(options.sharedBytes),
    slots: new SharedArrayBuffer(slotRegionBytes(options.count)),
  };
}

/** Row by worker: its ports to the others, null at its own place. */
function joinPairs(count: number): (MessagePort | null)[][] {
  const rows: (MessagePort | null)[][] = Array.from({ length: count }, () => new Array(count).fill(null));
  for (let low = 0; low < count; low++) {
    for (let high = low + 1; high < count; high++) {
      const { port1, port2 } = new MessageChannel();
      (rows[low] ?? [])[high] = port1;
      (rows[high] ?? [])[low] = port2;
    }
  }
  return rows;
}
