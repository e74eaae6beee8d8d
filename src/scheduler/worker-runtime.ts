// A worker's Runtime over real time: Node's event loop turns its run loop, ports carry doorbells and control messages.
// Two ways to have one: runWorker in a thread that a supervisor started, startLocal in the thread of the caller
// (`naru.workers=0`, the embedded broker), where it is worker 0 of 1. The actors on it cannot tell which.
// Invariant: a worker with nothing to do holds no timer but the one of its nearest deadline.
// Runs on: every worker. Not here: starting threads and watching them (supervisor.ts).
import { availableParallelism } from 'node:os';
import { type MessagePort, parentPort } from 'node:worker_threads';
import { createExchangeRegion } from '../actors/ring-layout.ts';
import { assert } from '../base/assert.ts';
import { type Clock, systemClock } from '../base/clock.ts';
import { type Random, systemRandom } from '../base/random.ts';
import { clearTimeout, setImmediate, setTimeout } from '../base/timers.ts';
import { FileStorage } from '../log/file-storage.ts';
import type { Storage } from '../log/storage.ts';
import { configureNative } from '../native/load.ts';
import { slotRegionBytes, type WorkerSlots } from '../telemetry/worker-slots.ts';
import { loadAfterStart } from './after-start.ts';
import { keepCompiledCode } from './compiled-code.ts';
import { serveInspector } from './inspector.ts';
import { LoopRuntime } from './loop-runtime.ts';
import { type JobPool, NO_POOL, ThreadPool } from './pool.ts';
import type { LoopDriver, RunLoop } from './run-loop.ts';
import type { SupervisorPort, WorkerApp, WorkerFactory } from './runtime.ts';
import { ARENA_BYTES, IO_CONCURRENCY, RING_CAPACITY_BYTES } from './runtime-sizes.ts';
import type { BetweenWorkers, FromWorker, SharedRegions, ToWorker, WorkerBoot } from './worker-messages.ts';

/** Node takes no longer delay for a timer; a later deadline is looked at again then. */
const TIMER_DELAY_MAX_MS = 2 ** 31 - 1;

/** Turns a loop by setImmediate: what sockets brought in this round of the event loop is in one turn. */
class ThreadDriver implements LoopDriver {
  readonly #clock: Clock;
  #loop: RunLoop | null = null;
  #timer: NodeJS.Timeout | null = null;
  #armedMs = Number.POSITIVE_INFINITY;
  readonly #runTurn = (): void => this.#loop?.runTurn();
  readonly #onTimer = (): void => {
    this.#timer = null;
    this.#armedMs = Number.POSITIVE_INFINITY;
    this.#loop?.wake();
  };

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  attach(loop: RunLoop): void {
    this.#loop = loop;
  }

  scheduleTurn(): void {
    setImmediate(this.#runTurn);
  }

  /** A timer that is armed for an earlier time stays: most deadlines are cancelled, and one turn for nothing costs less than arming anew each time. */
  armTimer(deadlineMs: number): void {
    if (deadlineMs === Number.POSITIVE_INFINITY) {
      if (this.#timer !== null) clearTimeout(this.#timer);
      this.#timer = null;
      this.#armedMs = deadlineMs;
      return;
    }
    if (this.#armedMs <= deadlineMs) return;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#armedMs = deadlineMs;
    const delayMs = Math.ceil(deadlineMs - this.#clock.monotonicMs());
    this.#timer = setTimeout(this.#onTimer, Math.min(Math.max(delayMs, 0), TIMER_DELAY_MAX_MS));
  }
}

/** The pools of all workers together have a thread for each core, and each has one. */
function poolFor(entry: URL | undefined, workerCount: number): JobPool {
  return entry === undefined ? NO_POOL : new ThreadPool(entry, Math.max(1, Math.floor(availableParallelism() / workerCount)));
}

export interface WorkerRuntimeOptions {
  readonly workerIndex: number;
  readonly regions: SharedRegions;
  /** To the other workers; null at this worker's own number. */
  readonly ports: readonly (MessagePort | null)[];
  readonly storage: Storage;
  readonly ioConcurrency: number;
  /** The module of a pool thread; without one there is no pool. */
  readonly poolEntry?: URL | undefined;
  readonly onFailure: (error: Error) => void;
  readonly clock?: Clock;
  readonly random?: Random;
}

export class WorkerRuntime extends LoopRuntime {
  readonly #ports: readonly (MessagePort | null)[];

  constructor(options: WorkerRuntimeOptions) {
    const clock = options.clock ?? systemClock;
    const driver = new ThreadDriver(clock);
    const tell = (worker: number, message: BetweenWorkers): void => {
      const port = options.ports[worker];
      assert(port !== undefined && port !== null, `no port from worker ${options.workerIndex} to worker ${worker}`);
      port.postMessage(message);
    };
    super({
      ...options,
      clock,
      random: options.random ?? systemRandom,
      pool: poolFor(options.poolEntry, options.regions.workerCount),
      driver,
      carrier: { ringDoorbell: (target) => tell(target, 0), sendControl: (target, message) => tell(target, { control: message }) },
    });
    driver.attach(this.loop);
    this.#ports = options.ports;
  }

  override open(app: WorkerApp): void {
    super.open(app);
    for (let from = 0; from < this.#ports.length; from++) {
      this.#ports[from]?.on('message', (message: BetweenWorkers) => {
        if (message === 0) this.wake();
        else this.hearControl(from, message.control);
      });
    }
  }

  override close(): void {
    super.close();
    for (const port of this.#ports) port?.close();
  }
}

export interface RunWorkerOptions {
  /** The real disk when left out. */
  readonly storage?: Storage;
  /** The module of a thread of this worker's pool. */
  readonly poolEntry?: URL;
}

/**
 * The whole of a worker's entry file: builds this thread's runtime from what the supervisor has handed over and gives it to `factory`.
 * An error of a turn, or any other that nothing catches, ends the thread; the supervisor hears which one and why.
 */
export function runWorker<Data>(factory: WorkerFactory<Data>, options: RunWorkerOptions = {}): void {
  const port = parentPort;
  assert(port !== null, 'runWorker is called in a worker thread');
  /** What comes while the factory is at work. */
  const early: ToWorker[] = [];
  let hear = (message: ToWorker): void => void early.push(message);
  port.on('message', (message: ToWorker) => {
    if (message.type !== 'boot') return hear(message);
    const boot = message.boot as WorkerBoot<Data>;
    // A rejection ends the thread like any other error.
    void bootWorker(port, boot, factory, options).then((heard) => {
      hear = heard;
      for (const waiting of early.splice(0)) heard(waiting);
    });
  });
}

/** Resolves, once the worker is ready, with what hears the messages of its supervisor. */
async function bootWorker<Data>(
  port: MessagePort,
  boot: WorkerBoot<Data>,
  factory: WorkerFactory<Data>,
  options: RunWorkerOptions,
): Promise<(message: ToWorker) => void> {
  configureNative({ enabled: boot.isNativeEnabled });
  const send = (message: FromWorker): void => port.postMessage(message);
  const runtime = new WorkerRuntime({
    workerIndex: boot.workerIndex,
    regions: boot.regions,
    ports: boot.ports,
    storage: options.storage ?? new FileStorage(),
    ioConcurrency: boot.ioConcurrency,
    poolEntry: options.poolEntry,
    onFailure: (error) => {
      // Out of whatever runs now and to the thread's end, where the supervisor hears of it. Thrown here, an error that a handler
      // reported by fail() would be caught by the turn it was reported in, and the thread would stand for ever.
      setImmediate(() => {
        throw error;
      });
    },
  });
  const app = await factory(runtime, boot.data, { send: (message) => send({ type: 'message', message }) });
  runtime.open(app);
  send({ type: 'ready' });
  loadAfterStart();
  if (boot.workerIndex === 0) keepCompiledCode();
  return (message) => {
    switch (message.type) {
      case 'message':
        return runtime.post(() => app.onSupervisor(message.message));
      case 'connection':
        return runtime.post(() => app.onConnection(message.descriptor, message.about));
      case 'stop':
        return runtime.post(() => app.stop(() => send({ type: 'stopped' })));
      case 'exit':
        runtime.close();
        return process.exit(0);
      case 'inspect':
        void serveInspector(message.port, runtime);
    }
  };
}

/** How long an event loop has worked and waited since its thread began, in ms. */
export interface LoopUse {
  readonly active: number;
  readonly idle: number;
}

/** How the caller of a broker instance sees its workers, threads or not. */
export interface Workers {
  /** As Runtime.workerCount: at least 1. */
  readonly count: number;
  /** Threads besides the caller's own. */
  readonly threadCount: number;
  /** What each worker counts, by worker; to be read at any time. */
  readonly slots: readonly WorkerSlots[];
  /** Asks no worker. */
  loopUse(worker: number): LoopUse;
  /** A message to `onSupervisor` of that worker's app. */
  send(worker: number, message: unknown): void;
  /** Gives an accepted connection (a descriptor of its own, see dup) to that worker, which closes it from here on; `about` is structured-clone data for its app. */
  handOver(worker: number, descriptor: number, about?: unknown): void;
  /** Ends the actors of all workers, then the threads. Resolves also after a failure; calling it again gives the same promise. */
  stop(): Promise<void>;
}

export interface WorkersListener {
  /** A worker said something through its SupervisorPort. */
  onMessage(worker: number, message: unknown): void;
  /** Once at most: a worker has failed, and all others were stopped for it. */
  onFailed(error: Error): void;
}

export interface LocalOptions<Data> {
  readonly factory: WorkerFactory<Data>;
  readonly data: Data;
  readonly sharedBytes: number;
  readonly listener: WorkersListener;
  readonly storage?: Storage;
  readonly arenaBytes?: number;
  readonly ringCapacityBytes?: number;
  readonly ioConcurrency?: number;
  readonly poolEntry?: URL;
  readonly clock?: Clock;
  readonly random?: Random;
}

/** A runtime in the calling thread, worker 0 of 1; `open` it when the handlers are there. For startLocal and for tests. */
export function createLocalRuntime(
  options: Omit<LocalOptions<unknown>, 'factory' | 'data' | 'listener'> & { readonly onFailure: (error: Error) => void },
): WorkerRuntime {
  const ringCapacityBytes = options.ringCapacityBytes ?? RING_CAPACITY_BYTES;
  return new WorkerRuntime({
    workerIndex: 0,
    regions: {
      workerCount: 1,
      exchangeRegion: createExchangeRegion(1, ringCapacityBytes),
      ringCapacityBytes,
      arenas: [new SharedArrayBuffer(options.arenaBytes ?? ARENA_BYTES)],
      shared: new SharedArrayBuffer(options.sharedBytes),
      slots: new SharedArrayBuffer(slotRegionBytes(1)),
    },
    ports: [null],
    storage: options.storage ?? new FileStorage(),
    ioConcurrency: options.ioConcurrency ?? IO_CONCURRENCY,
    poolEntry: options.poolEntry,
    onFailure: options.onFailure,
    ...(options.clock === undefined ? {} : { clock: options.clock }),
    ...(options.random === undefined ? {} : { random: options.random }),
  });
}

/** Runs `factory` in the calling thread; the promise resolves when it is ready, and rejects with what it throws. */
export async function startLocal<Data>(options: LocalOptions<Data>): Promise<Workers> {
  const { listener } = options;
  let isReady = false;
  let failure: Error | null = null;
  let onStopped: (() => void) | null = null;
  let app: WorkerApp | null = null;
  const disk = new FileStorage();
  // What ends with a thread that fails would stay here as long as the process.
  const abandon = (): void => {
    runtime.close();
    app?.abandon?.();
    disk.abandon();
  };
  const runtime = createLocalRuntime({
    ...options,
    storage: options.storage ?? disk,
    onFailure: (error) => {
      failure = error;
      abandon();
      onStopped?.();
      if (isReady) listener.onFailed(error);
    },
  });
  try {
    const supervisor: SupervisorPort = {
      send: (message) => {
        const copy: unknown = structuredClone(message);
        // Behind what runs now, as from a thread, and heard even when this runtime is closing.
        setImmediate(() => listener.onMessage(0, copy));
      },
    };
    app = await options.factory(runtime, options.data, supervisor);
    if (failure !== null) throw failure;
  } catch (error) {
    abandon();
    throw error;
  }
  const served = app;
  runtime.open(served);
  isReady = true;
  let stopped: Promise<void> | null = null;
  return {
    count: 1,
    threadCount: 0,
    slots: [runtime.slots],
    loopUse: () => performance.eventLoopUtilization(),
    send(worker, message) {
      assert(worker === 0, `worker ${worker} of 1`);
      const copy: unknown = structuredClone(message);
      runtime.post(() => served.onSupervisor(copy));
    },
    handOver(worker, descriptor, about = null) {
      assert(worker === 0, `worker ${worker} of 1`);
      runtime.post(() => served.onConnection(descriptor, about));
    },
    stop() {
      stopped ??= new Promise((resolve) => {
        onStopped = () => {
          runtime.close();
          resolve();
        };
        if (failure !== null) resolve();
        else runtime.post(() => served.stop(() => onStopped?.()));
      });
      return stopped;
    },
  };
}
