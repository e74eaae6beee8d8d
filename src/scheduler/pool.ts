// The pool of one worker: threads for jobs of more than about a millisecond of CPU, so that a turn never waits for one. A job is a named
// function of its task alone; memory that both sides share is named in the task and travels as a reference, what is handed over is moved.
// Invariant: nothing is loaded and no thread runs before the first job; threads without work end after a while.
// Runs on: every worker; the functions run in the pool's threads (entry: broker/pool-main.ts). Not here: libuv's pool (io-queue.ts).
import type { Piscina } from 'piscina';
import { SECOND_MS } from '../base/units.ts';

/** What runs jobs: threads, or the simulator. */
export interface JobPool {
  /** How many jobs are worked on at a time. */
  readonly threadCount: number;
  /** The result of the job `name`; rejects with what it throws, or when its thread has died. */
  run(name: string, task: unknown): Promise<unknown>;
  /** Ends the threads; jobs under way are given up. */
  close(): void;
}

/** A thread without work ends after this long. */
const IDLE_MS = 10 * SECOND_MS;
/** Of a pool thread's young JavaScript heap: bytes lie outside of it, and a small one is collected without a pause that matters. */
const YOUNG_HEAP_MIB = 16;

export class ThreadPool implements JobPool {
  readonly threadCount: number;
  readonly #entry: URL;
  #piscina: Promise<Piscina> | null = null;
  #isClosed = false;

  /** @param entry a module that exports the functions under the jobs' names */
  constructor(entry: URL, threadCount: number) {
    this.#entry = entry;
    this.threadCount = threadCount;
  }

  async run(name: string, task: unknown): Promise<unknown> {
    this.#piscina ??= this.#start();
    const piscina = await this.#piscina;
    return piscina.run(task, { name });
  }

  close(): void {
    this.#isClosed = true;
    void this.#piscina?.then(
      (piscina) => piscina.destroy(),
      () => {}, // It could not be loaded, as each job was told.
    );
  }

  async #start(): Promise<Piscina> {
    const { Piscina } = await import('piscina');
    if (this.#isClosed) throw new Error('the pool is closed');
    const piscina = new Piscina({
      filename: this.#entry.href,
      minThreads: 0,
      maxThreads: this.threadCount,
      idleTimeout: IDLE_MS,
      recordTiming: false,
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_HEAP_MIB },
    });
    // A thread that dies with a job fails that job; one that dies without any is replaced when it is missed.
    piscina.on('error', () => {});
    return piscina;
  }
}

/** A pool for a runtime whose actors have no jobs for it. */
export const NO_POOL: JobPool = {
  threadCount: 1,
  run: (name) => Promise.reject(new Error(`no pool for the job ${name}`)),
  close: () => {},
};
