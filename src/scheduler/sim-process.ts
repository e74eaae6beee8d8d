// A broker process under simulation: its workers, and whatever goes to and fro between them, their supervisor, their pools and the disk.
// Invariants: control messages keep their order for each pair; nothing of a process that has ended happens any more.
// Runs on: tests. Not here: time, the disk, and how a simulation goes on (sim-runtime.ts).
import { createExchangeRegion } from '../actors/ring-layout.ts';
import { assert } from '../base/assert.ts';
import type { Clock } from '../base/clock.ts';
import type { Random } from '../base/random.ts';
import type { Storage } from '../log/storage.ts';
import { slotRegionBytes } from '../telemetry/worker-slots.ts';
import { LoopRuntime } from './loop-runtime.ts';
import type { Runtime, SupervisorPort, WorkerApp } from './runtime.ts';
import type { SimLimits } from './sim-limits.ts';
import type { VirtualTime } from './virtual-time.ts';
import type { SharedRegions } from './worker-messages.ts';

/** Delays in virtual ms: usually below the first, once in STALL_ONE_IN below the second. */
const TURN_DELAY_MS = 0.1;
const STALL_MS = 50;
const STALL_ONE_IN = 200;
const MESSAGE_DELAY_MS = 0.3;
/** Jobs of a pool. */
const JOB_MS = 8;
const LONG_JOB_MS = 400;
const LONG_JOB_ONE_IN = 20;
/** What a turn itself takes. */
const TURN_LASTS_MS = 0.05;

/** What the pool of a worker does, by name. */
export type SimJobs = Readonly<Record<string, (task: never) => unknown>>;

/** The machine that a process runs on. */
export interface SimMachine {
  readonly random: Random;
  readonly limits: SimLimits;
  readonly clock: Clock;
  readonly time: VirtualTime;
  readonly disk: Storage;
  /** Up to `boundMs`, in thousandths of it. */
  draw(boundMs: number): number;
  /** What a job of the disk takes, drawn anew. */
  drawDiskDelayMs(): number;
  /** Puts something into the trace, with the time. */
  note(what: string): void;
  /** Lets the next event happen; false when there is none. */
  step(): Promise<boolean>;
  /** Goes on until `isDone` says so; throws where that takes more than `limitMs` of virtual time. */
  until(isDone: () => boolean, limitMs: number, what: string): Promise<void>;
  runFor(durationMs: number): Promise<void>;
  /** Ends the process that runs. */
  kill(): void;
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
  readonly #machine: SimMachine;
  readonly #build: SimProcessBuild;
  readonly #apps: WorkerApp[] = [];
  /** When the last message of each pair arrives. */
  readonly #arrivals = new Map<string, number>();
  #computingCount = 0;
  #failure: Error | null = null;
  #isEnded = false;

  constructor(machine: SimMachine, build: SimProcessBuild) {
    const { limits } = machine;
    this.#machine = machine;
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
    await this.#machine.until(() => stoppedCount === this.count, limitMs, 'the stop of all workers');
    await this.#machine.runFor(MESSAGE_DELAY_MS); // Their last words are on their way to the supervisor.
    this.#machine.kill();
  }

  /** Builds the apps, in random order. Called by Simulation.boot alone. */
  async build(): Promise<void> {
    const waiting = [...this.runtimes.keys()];
    let openCount = 0;
    let error: unknown = null;
    while (waiting.length > 0) {
      const [worker] = waiting.splice(this.#machine.random.below(waiting.length), 1);
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
      if (openCount < this.count) assert(await this.#machine.step(), 'a worker waits at its start for what never comes');
    }
  }

  /** Nothing of this process happens any more. */
  end(): void {
    this.#isEnded = true;
    for (const runtime of this.runtimes) runtime.close();
  }

  #makeRuntime(index: number, regions: SharedRegions): LoopRuntime {
    const machine = this.#machine;
    const { time, limits } = machine;
    let armed = 0;
    const runtime: LoopRuntime = new LoopRuntime({
      workerIndex: index,
      regions,
      clock: machine.clock,
      random: machine.random,
      storage: machine.disk,
      ioConcurrency: limits.ioConcurrency,
      pool: { threadCount: limits.ioConcurrency, run: (name, task) => this.#compute(index, name, task), close: () => {} },
      onFailure: (error) => {
        this.#failure ??= error;
      },
      driver: {
        scheduleTurn: () => {
          const isStalled = machine.random.below(STALL_ONE_IN) === 0;
          this.#at(machine.draw(isStalled ? STALL_MS : TURN_DELAY_MS), () => {
            machine.note(`turn ${index}`);
            runtime.loop.runTurn();
            time.skipBy(machine.draw(TURN_LASTS_MS));
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
          machine.note(`bell ${index}>${target}`);
          this.#at(machine.draw(MESSAGE_DELAY_MS), () => this.runtimes[target]?.wake());
        },
        sendControl: (target, message) => {
          const copy: unknown = structuredClone(message);
          machine.note(`control ${index}>${target}`);
          this.#bring(`${index}>${target}`, () => this.runtimes[target]?.hearControl(index, copy));
        },
      },
      afterJob: (task) => this.#at(machine.drawDiskDelayMs(), () => runtime.post(task)),
    });
    return runtime;
  }

  /** A job of a pool works in memory that it was told of all the while, and rarely for long: here at its end, when all that may change has. */
  #compute(worker: number, name: string, task: unknown): Promise<unknown> {
    const machine = this.#machine;
    const job = this.#build.jobs[name];
    assert(job !== undefined, `no job ${name}`);
    this.#computingCount++;
    const isLong = machine.random.below(LONG_JOB_ONE_IN) === 0;
    return new Promise((resolve) => {
      this.#at(machine.draw(isLong ? LONG_JOB_MS : JOB_MS), () => {
        this.#computingCount--;
        machine.note(`job ${worker} ${name}`);
        resolve(job(task as never));
      });
    });
  }

  /** After a random delay, but not before what was brought along `way` earlier. */
  #bring(way: string, deliver: () => void): void {
    const { time } = this.#machine;
    const atMs = Math.max(time.nowMs + this.#machine.draw(MESSAGE_DELAY_MS), this.#arrivals.get(way) ?? 0);
    this.#arrivals.set(way, atMs);
    this.#at(atMs - time.nowMs, deliver);
  }

  #at(delayMs: number, happen: () => void): void {
    const { time } = this.#machine;
    time.at(time.nowMs + delayMs, () => {
      if (!this.#isEnded) happen();
    });
  }
}
