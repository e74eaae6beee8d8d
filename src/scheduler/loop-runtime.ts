// The Runtime as the actors see it, over a run loop. What differs between a thread and the simulator is handed in: what makes
// the loop turn, the clock, the disk, and how a bell or a control message gets to another worker.
// Invariant: whatever comes from outside of the turn (jobs, syncs, control messages) is posted, and so heard inside of one.
// Runs on: every worker.
import type { TurnEndActor } from '../actors/actor.ts';
import { Exchange } from '../actors/exchange.ts';
import { SlabArena } from '../actors/slab-arena.ts';
import { assert } from '../base/assert.ts';
import type { Clock } from '../base/clock.ts';
import type { Random } from '../base/random.ts';
import type { Storage } from '../log/storage.ts';
import { type WorkerSlots, workerSlots } from '../telemetry/worker-slots.ts';
import { ColdReads } from './cold-reads.ts';
import { IoQueue, type JobDone } from './io-queue.ts';
import { LoopMeter } from './loop-meter.ts';
import type { JobPool } from './pool.ts';
import { type LoopDriver, RunLoop } from './run-loop.ts';
import type { Runtime, Task, TimerHandle, WorkerApp } from './runtime.ts';
import { SyncMeter } from './sync-meter.ts';
import { TurnStorage } from './turn-storage.ts';
import type { SharedRegions } from './worker-messages.ts';

/** The ways to other workers. Never called for the worker itself. */
export interface Carrier {
  /** Makes that worker run a turn soon. */
  ringDoorbell(target: number): void;
  /** Brings a clone of `message` to that worker's hearControl, in order. */
  sendControl(target: number, message: unknown): void;
}

/** One is worked on, one lies ready when that has ended. */
const JOBS_PER_THREAD = 2;

export interface LoopRuntimeOptions {
  readonly workerIndex: number;
  readonly regions: SharedRegions;
  readonly clock: Clock;
  readonly random: Random;
  readonly storage: Storage;
  readonly driver: LoopDriver;
  readonly carrier: Carrier;
  readonly ioConcurrency: number;
  readonly pool: JobPool;
  /** Hears the one error that ended the loop. */
  readonly onFailure: (error: Error) => void;
  /** Between the end of a job and its being posted; nothing when left out. The simulator puts time there. */
  readonly afterJob?: (task: Task) => void;
}

export class LoopRuntime implements Runtime {
  readonly workerIndex: number;
  readonly workerCount: number;
  readonly clock: Clock;
  readonly random: Random;
  readonly storage: Storage;
  readonly coldReads = new ColdReads();
  readonly exchange: Exchange;
  readonly arena: SlabArena;
  readonly arenaBytes: readonly Uint8Array[];
  readonly shared: SharedArrayBuffer;
  readonly slots: WorkerSlots;
  readonly loop: RunLoop;
  readonly poolThreadCount: number;
  readonly #io: IoQueue;
  readonly #pool: JobPool;
  readonly #jobs: IoQueue;
  readonly #meter: LoopMeter;
  readonly #carrier: Carrier;
  #app: WorkerApp | null = null;
  /** Control messages that came before open(). */
  readonly #early: { readonly from: number; readonly message: unknown }[] = [];

  constructor(options: LoopRuntimeOptions) {
    const { workerIndex, regions, carrier } = options;
    const arenaRegion = regions.arenas[workerIndex];
    assert(arenaRegion !== undefined, `no arena for worker ${workerIndex}`);
    this.workerIndex = workerIndex;
    this.workerCount = regions.workerCount;
    this.clock = options.clock;
    this.random = options.random;
    this.exchange = new Exchange({
      selfIndex: workerIndex,
      workerCount: regions.workerCount,
      region: regions.exchangeRegion,
      ringCapacityBytes: regions.ringCapacityBytes,
      ringDoorbell: (target) => carrier.ringDoorbell(target),
    });
    this.slots = workerSlots(regions.slots, workerIndex);
    this.#meter = new LoopMeter(this.slots.loop);
    this.arena = new SlabArena(arenaRegion, this.slots.arena);
    this.arenaBytes = regions.arenas.map((region, worker) => (worker === workerIndex ? this.arena.bytes : Buffer.from(region)));
    this.shared = regions.shared;
    const { clock, driver, onFailure } = options;
    this.loop = new RunLoop({ exchange: this.exchange, clock, driver, onFailure, meter: this.#meter });
    const post = (task: Task): void => this.loop.post(task);
    this.storage = new TurnStorage(options.storage, post, new SyncMeter(this.slots.disk, clock), this.coldReads);
    this.#io = new IoQueue(options.ioConcurrency, options.afterJob ?? post);
    this.#pool = options.pool;
    this.poolThreadCount = options.pool.threadCount;
    this.#jobs = new IoQueue(JOBS_PER_THREAD * options.pool.threadCount, options.afterJob ?? post);
    this.#carrier = carrier;
  }

  after(delayMs: number, task: Task): TimerHandle {
    return this.loop.after(delayMs, task);
  }

  post(task: Task): void {
    this.loop.post(task);
  }

  touch(actor: TurnEndActor): void {
    this.loop.touch(actor);
  }

  touchLast(actor: TurnEndActor): void {
    this.loop.touchLast(actor);
  }

  wake(): void {
    this.loop.wake();
  }

  fail(error: unknown): void {
    this.loop.fail(error);
  }

  sendControl(worker: number, message: unknown): void {
    if (worker === this.workerIndex) this.hearControl(worker, structuredClone(message));
    else this.#carrier.sendControl(worker, message);
  }

  submit<T>(job: () => Promise<T>, done: JobDone<T>): void {
    this.#io.submit(job, (error: Error | null, value: T | undefined) => {
      this.#meter.jobsInFlight = this.#io.inflightCount;
      done(error, value);
    });
    this.#meter.jobsInFlight = this.#io.inflightCount;
  }

  compute<T>(name: string, task: unknown, done: JobDone<T>): void {
    // Each name stands for one function, and whoever asks for it knows what it gives.
    this.#jobs.submit(() => this.#pool.run(name, task) as Promise<T>, done);
  }

  /** Jobs in flight: what a clean end waits for. */
  get inflightJobCount(): number {
    return this.#io.inflightCount + this.#jobs.inflightCount;
  }

  /** A control message has arrived: it is heard in a turn, but not before open(). */
  hearControl(from: number, message: unknown): void {
    const app = this.#app;
    if (app === null) this.#early.push({ from, message });
    else this.loop.post(() => app.onControl(from, message));
  }

  /** From here on rings and control messages are heard, by `app`. */
  open(app: WorkerApp): void {
    this.#app = app;
    for (const { from, message } of this.#early.splice(0)) this.hearControl(from, message);
    this.loop.open();
  }

  /** No more turns, nothing that keeps the thread alive. */
  close(): void {
    this.loop.stop();
    this.#pool.close();
  }
}
