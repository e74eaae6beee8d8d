// The simulator: all workers of a broker in one thread, over virtual time, a simulated disk and one seed. The run loop, the
// exchange and the runtime are those of production; only what drives them differs. Whatever happens outside of a turn (a turn
// that is due, a bell, a control message, a timer, the end of a job or of a sync) is an event at a virtual time with a random
// delay, so that the seed decides how the workers' turns interleave; rarely a worker stalls for long.
// Invariants: nothing reads the machine's clock or randomness, so the same seed gives the same trace. Control messages keep
// their order for each pair. Events of a process that has been killed never happen.
// Runs on: tests. Not here: what only real threads can do wrong (rings, bells, shared words: test/interleaving); jobs that do real I/O.
import { createExchangeRegion } from '../actors/ring-layout.ts';
import { assert } from '../base/assert.ts';
import type { Clock } from '../base/clock.ts';
import { type Random, seededRandom } from '../base/random.ts';
import { slotRegionBytes } from '../telemetry/worker-slots.ts';
import { LoopRuntime } from './loop-runtime.ts';
import type { Runtime, SupervisorPort, WorkerApp, WorkerFactory } from './runtime.ts';
import { drawLimits, type SimLimits } from './sim-limits.ts';
import { SimStorage, type StorageFaults } from './sim-storage.ts';
import { VirtualTime } from './virtual-time.ts';
import type { SharedRegions } from './worker-messages.ts';

/** Delays in virtual ms: usually below the first, once in STALL_ONE_IN below the second. */
const TURN_DELAY_MS = 0.1;
const STALL_MS = 50;
const STALL_ONE_IN = 200;
const MESSAGE_DELAY_MS = 0.3;
const DISK_DELAY_MS = 5;
/** Jobs of a pool. */
const JOB_MS = 8;
const LONG_JOB_MS = 400;
const LONG_JOB_ONE_IN = 20;
/** What a turn itself takes. */
const TURN_LASTS_MS = 0.05;
/** Where virtual wall clocks start: a day in 2026. */
const WALL_START_MS = 1_780_000_000_000;

export interface SimulationOptions {
  readonly seed: number;
  /** These instead of what the seed draws. */
  readonly limits?: Partial<SimLimits>;
  readonly faults?: StorageFaults;
  /** Keep the trace as text, not only its hash. */
  readonly keepsTrace?: boolean;
}

export interface SimProcessOptions<Data> {
  readonly factory: WorkerFactory<Data>;
  readonly data: Data;
  readonly sharedBytes: number;
  /** What workers say to their supervisor. */
  readonly onMessage?: (worker: number, message: unknown) => void;
  /** What the pool of a worker does, by name. */
  readonly jobs?: SimJobs;
}

type SimJobs = Readonly<Record<string, (task: never) => unknown>>;

/** One simulated machine: its time, its disk, and the processes that are started on it one after the other. */
export class Simulation {
  readonly seed: number;
  readonly random: Random;
  readonly limits: SimLimits;
  readonly clock: Clock;
  readonly time: VirtualTime;
  readonly trace: string[] = [];
  readonly #keepsTrace: boolean;
  #traceHash = 0x811c9dc5;
  #disk: SimStorage;
  #process: SimProcess | null = null;

  constructor(options: SimulationOptions) {
    this.seed = options.seed;
    this.random = seededRandom(options.seed);
    this.limits = { ...drawLimits(this.random), ...options.limits };
    this.#keepsTrace = options.keepsTrace ?? false;
    const time = new VirtualTime();
    this.time = time;
    this.clock = { wallMs: () => Math.floor(WALL_START_MS + time.nowMs), monotonicMs: () => time.nowMs };
    this.#disk = new SimStorage({
      random: this.random,
      later: (task) => time.at(time.nowMs + this.draw(DISK_DELAY_MS), task),
      ...(options.faults === undefined ? {} : { faults: options.faults }),
    });
  }

  /** The disk as it is now; another object after each power loss. */
  get disk(): SimStorage {
    return this.#disk;
  }

  get process(): SimProcess | null {
    return this.#process;
  }

  /** Changes with everything that happened so far, and when. */
  get traceHash(): number {
    return this.#traceHash >>> 0;
  }

  /** Up to `boundMs`, in thousandths of it. */
  draw(boundMs: number): number {
    return (this.random.below(1000) * boundMs) / 1000;
  }

  /** Puts something into the trace, with the time. */
  note(what: string): void {
    const line = `${this.time.nowMs.toFixed(4)} ${what}`;
    if (this.#keepsTrace) this.trace.push(line);
    let hash = this.#traceHash;
    for (let i = 0; i < line.length; i++) hash = Math.imul(hash ^ line.charCodeAt(i), 0x01000193);
    this.#traceHash = hash;
  }

  /** Starts a broker process on this machine and waits until the factories of all its workers are ready. None may be running. */
  async boot<Data>(options: SimProcessOptions<Data>): Promise<SimProcess> {
    assert(this.#process === null, 'a process runs already');
    this.note('boot');
    const process = new SimProcess(this, {
      sharedBytes: options.sharedBytes,
      make: (runtime, supervisor) => options.factory(runtime, options.data, supervisor),
      onMessage: options.onMessage ?? (() => {}),
      jobs: options.jobs ?? {},
    });
    this.#process = process;
    await process.build();
    return process;
  }

  /** kill -9: the process is gone, what it has written is in the page cache. */
  kill(): void {
    this.note('kill');
    this.#process?.end();
    this.#process = null;
    this.#disk.closeAll();
  }

  /** The process is gone, and of the disk only what was synced is certain. */
  losePower(): void {
    this.note('power loss');
    this.#process?.end();
    this.#process = null;
    this.#disk = this.#disk.crash();
  }

  /** Lets the next event happen; false when there is none. Throws what has failed in a turn. */
  async step(): Promise<boolean> {
    const isThere = this.time.step();
    // What a job awaits are the events of this simulation: its promises settle here, and nowhere else.
    if (this.#process?.hasJobs === true) await new Promise((resolve) => setImmediate(resolve));
    const failure = this.#process?.failure;
    if (failure !== null && failure !== undefined) throw failure;
    return isThere;
  }

  /** Goes on until `isDone` says so, or until `limitMs` of virtual time have passed: then it throws. */
  async until(isDone: () => boolean, limitMs: number, what = 'what was waited for'): Promise<void> {
    const endMs = this.time.nowMs + limitMs;
    while (!isDone()) {
      const nextMs = this.time.nextMs();
      if (nextMs > endMs)
        throw new Error(
          `${what} did not happen within ${limitMs} ms${nextMs === Number.POSITIVE_INFINITY ? ': nothing happens any more' : ''}`,
        );
      await this.step();
    }
  }

  /** Goes on for `durationMs` of virtual time. */
  async runFor(durationMs: number): Promise<void> {
    const endMs = this.time.nowMs + durationMs;
    while (this.time.nextMs() <= endMs) await this.step();
    this.time.skipTo(endMs);
  }
}

interface SimProcessBuild {
  readonly sharedBytes: number;
  readonly make: (runtime: Runtime, supervisor: SupervisorPort) => WorkerApp | Promise<WorkerApp>;
  readonly onMessage: (worker: number, message: unknown) => void;
  readonly jobs: SimJobs;
}

/** A broker process under simulation; the same handle as a Workers of production where that makes sense. */
export class SimProcess {
  readonly count: number;
  readonly runtimes: readonly LoopRuntime[];
  readonly #simulation: Simulation;
  readonly #build: SimProcessBuild;
  readonly #apps: WorkerApp[] = [];
  /** When the last message of each pair arrives. */
  readonly #arrivals = new Map<string, number>();
  #computingCount = 0;
  #failure: Error | null = null;
  #isEnded = false;

  constructor(simulation: Simulation, build: SimProcessBuild) {
    const { limits } = simulation;
    this.#simulation = simulation;
    this.#build = build;
    this.count = limits.workerCount;
    const regions: SharedRegions = {
      workerCount: this.count,
      exchangeRegion: createExchangeRegion(this.count, limits.ringCapacityBytes, limits.ringCounterStart),
      ringCapacityBytes: limits.ringCapacityBytes,
      arenas: Array.from({ length: this.count }, () => new SharedArrayBuffer(limits.arenaBytes)),
      shared: new SharedArrayBuffer(build.sharedBytes),
      slots: new SharedArrayBuffer(slotRegionBytes(this.count)),
    };
    this.runtimes = regions.arenas.map((_arena, index) => this.#makeRuntime(index, regions));
  }

  get failure(): Error | null {
    return this.#failure;
  }

  get hasJobs(): boolean {
    return this.runtimes.some((runtime) => runtime.inflightJobCount > 0);
  }

  /** Jobs that pools have in work. */
  get computingCount(): number {
    return this.#computingCount;
  }

  runtime(worker: number): Runtime {
    const runtime = this.runtimes[worker];
    assert(runtime !== undefined, `worker ${worker} of ${this.count}`);
    return runtime;
  }

  /** A message to `onSupervisor` of that worker's app. */
  send(worker: number, message: unknown): void {
    const copy: unknown = structuredClone(message);
    this.#bring(`supervisor>${worker}`, () => this.runtimes[worker]?.post(() => this.#apps[worker]?.onSupervisor(copy)));
  }

  /** Ends the actors of all workers; resolves when all have said that they are done. At most `limitMs` of virtual time. */
  async stop(limitMs = 60_000): Promise<void> {
    let stoppedCount = 0;
    for (const [worker, app] of this.#apps.entries()) this.runtimes[worker]?.post(() => app.stop(() => stoppedCount++));
    await this.#simulation.until(() => stoppedCount === this.count, limitMs, 'the stop of all workers');
    await this.#simulation.runFor(MESSAGE_DELAY_MS); // Their last words are on their way to the supervisor.
    this.#simulation.kill();
  }

  /** Builds the apps, in random order. Called by Simulation.boot alone. */
  async build(): Promise<void> {
    const waiting = [...this.runtimes.keys()];
    let openCount = 0;
    let error: unknown = null;
    while (waiting.length > 0) {
      const [worker] = waiting.splice(this.#simulation.random.below(waiting.length), 1);
      const runtime = worker === undefined ? undefined : this.runtimes[worker];
      assert(worker !== undefined && runtime !== undefined, 'no worker left');
      const supervisor = {
        send: (message: unknown) => {
          const copy: unknown = structuredClone(message);
          this.#bring(`${worker}>supervisor`, () => this.#build.onMessage(worker, copy));
        },
      };
      const open = (app: WorkerApp): void => {
        this.#apps[worker] = app;
        runtime.open(app);
        openCount++;
      };
      const made = this.#build.make(runtime, supervisor);
      if (made instanceof Promise) made.then(open, (thrown: unknown) => (error = thrown));
      else open(made);
    }
    while (openCount < this.count) {
      await new Promise((resolve) => setImmediate(resolve)); // Promises of the factories.
      if (error !== null) throw error;
      if (openCount < this.count) assert(await this.#simulation.step(), 'a worker waits at its start for what never comes');
    }
  }

  /** Nothing of this process happens any more. */
  end(): void {
    this.#isEnded = true;
    for (const runtime of this.runtimes) runtime.close();
  }

  #makeRuntime(index: number, regions: SharedRegions): LoopRuntime {
    const simulation = this.#simulation;
    const { time, limits } = simulation;
    let armed = 0;
    const runtime: LoopRuntime = new LoopRuntime({
      workerIndex: index,
      regions,
      clock: simulation.clock,
      random: simulation.random,
      storage: simulation.disk,
      ioConcurrency: limits.ioConcurrency,
      pool: { threadCount: limits.ioConcurrency, run: (name, task) => this.#compute(index, name, task), close: () => {} },
      onFailure: (error) => {
        this.#failure ??= error;
      },
      driver: {
        scheduleTurn: () => {
          const isStalled = simulation.random.below(STALL_ONE_IN) === 0;
          this.#at(simulation.draw(isStalled ? STALL_MS : TURN_DELAY_MS), () => {
            simulation.note(`turn ${index}`);
            runtime.loop.runTurn();
            time.skipBy(simulation.draw(TURN_LASTS_MS));
          });
        },
        armTimer: (deadlineMs) => {
          armed++;
          const own = armed;
          if (deadlineMs === Number.POSITIVE_INFINITY) return;
          this.#at(Math.max(0, deadlineMs - time.nowMs), () => {
            if (own === armed) runtime.wake();
          });
        },
      },
      carrier: {
        ringDoorbell: (target) => {
          simulation.note(`bell ${index}>${target}`);
          this.#at(simulation.draw(MESSAGE_DELAY_MS), () => this.runtimes[target]?.wake());
        },
        sendControl: (target, message) => {
          const copy: unknown = structuredClone(message);
          simulation.note(`control ${index}>${target}`);
          this.#bring(`${index}>${target}`, () => this.runtimes[target]?.hearControl(index, copy));
        },
      },
      afterJob: (task) => this.#at(simulation.draw(DISK_DELAY_MS), () => runtime.post(task)),
    });
    return runtime;
  }

  /** A job of a pool works in memory that it was told of all the while, and rarely for long: here at its end, when all that may change has. */
  #compute(worker: number, name: string, task: unknown): Promise<unknown> {
    const simulation = this.#simulation;
    const job = this.#build.jobs[name];
    assert(job !== undefined, `no job ${name}`);
    this.#computingCount++;
    const isLong = simulation.random.below(LONG_JOB_ONE_IN) === 0;
    return new Promise((resolve) => {
      this.#at(simulation.draw(isLong ? LONG_JOB_MS : JOB_MS), () => {
        this.#computingCount--;
        simulation.note(`job ${worker} ${name}`);
        resolve(job(task as never));
      });
    });
  }

  /** After a random delay, but not before what was brought along `way` earlier. */
  #bring(way: string, deliver: () => void): void {
    const { time } = this.#simulation;
    const atMs = Math.max(time.nowMs + this.#simulation.draw(MESSAGE_DELAY_MS), this.#arrivals.get(way) ?? 0);
    this.#arrivals.set(way, atMs);
    this.#at(atMs - time.nowMs, deliver);
  }

  #at(delayMs: number, happen: () => void): void {
    const { time } = this.#simulation;
    time.at(time.nowMs + delayMs, () => {
      if (!this.#isEnded) happen();
    });
  }
}
