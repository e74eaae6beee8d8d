// The simulator: all workers of a broker in one thread, over virtual time, a simulated disk and one seed. The run loop, the
// exchange and the runtime are those of production; only what drives them differs. Whatever happens outside of a turn (a turn
// that is due, a bell, a control message, a timer, the end of a job or of a sync) is an event at a virtual time with a random
// delay, so that the seed decides how the workers' turns interleave; rarely a worker stalls for long.
// Invariants: nothing reads the machine's clock or randomness, so the same seed gives the same trace. Control messages keep
// their order for each pair. Events of a process that has been killed never happen.
// Runs on: tests. Not here: the workers and what they say to each other (sim-process.ts); what only real threads can do wrong (rings, bells, shared words: test/interleaving); jobs that do real I/O.
import { assert } from '../base/assert.ts';
import type { Clock } from '../base/clock.ts';
import { type Random, seededRandom } from '../base/random.ts';
import type { WorkerFactory } from './runtime.ts';
import type { StorageFaults } from './sim-faults.ts';
import { drawLimits, type SimLimits } from './sim-limits.ts';
import { type SimJobs, type SimMachine, SimProcess } from './sim-process.ts';
import { SimStorage } from './sim-storage.ts';
import { VirtualTime } from './virtual-time.ts';

/** What a job of the disk takes, up to this. */
const DISK_DELAY_MS = 5;
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

/** One simulated machine: its time, its disk, and the processes that are started on it one after the other. */
export class Simulation implements SimMachine {
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
      later: (task) => time.at(time.nowMs + this.drawDiskDelayMs(), task),
      ...(options.faults === undefined ? {} : { faults: options.faults }),
    });
  }

  /** What a job of the disk takes, drawn anew. */
  drawDiskDelayMs(): number {
    return this.draw(DISK_DELAY_MS);
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
