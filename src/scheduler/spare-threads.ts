// Worker threads that are started before it is known what they will do, the first even before it is known how many: a thread takes some 40 ms
// until its modules are loaded, which pass beside the rest of a broker's start. They wait for the message that boots them (worker-runtime.ts).
// Invariant: each belongs to this object or to the supervisor that took it; those that nobody took end with `use`, however that ends.
// Runs on: the main thread.
import { Worker, type WorkerOptions } from 'node:worker_threads';

/** What a thread is started with; the rest comes with its boot. */
export function threadOptions(index: number): WorkerOptions {
  return { name: `naru worker ${index}`, workerData: { workerIndex: index } };
}

class SpareThread {
  readonly thread: Worker;
  hasEnded = false;
  // Without a listener, an error of a thread would be one of the process.
  readonly onEnd = (): void => {
    this.hasEnded = true;
  };

  constructor(entry: URL, index: number) {
    this.thread = new Worker(entry, threadOptions(index));
    this.thread.on('error', this.onEnd);
    this.thread.on('exit', this.onEnd);
  }
}

/** Null where the system gives no thread: perhaps nobody wants it, and who does makes one anew and says why there is none. */
function tryThread(entry: URL, index: number): SpareThread | null {
  try {
    return new SpareThread(entry, index);
  } catch {
    return null;
  }
}

export class SpareThreads {
  readonly #entry: URL;
  readonly #threads: (SpareThread | null)[] = [];

  private constructor(entry: URL) {
    this.#entry = entry;
  }

  /** Starts `count` threads with a module that calls runWorker, for `use`: what it has not taken when it ends or fails ends with it. */
  static async lend<T>(entry: URL, count: number, use: (spares: SpareThreads) => Promise<T>): Promise<T> {
    const spares = new SpareThreads(entry);
    try {
      spares.begin(count);
      return await use(spares);
    } finally {
      await spares.end();
    }
  }

  /** Starts as many as are missing of `count`. */
  begin(count: number): void {
    while (this.#threads.length < count) this.#threads.push(tryThread(this.#entry, this.#threads.length));
  }

  /** The thread of worker `index`, which is the caller's from here on; null where it has been taken, never began, or has ended already: another one will tell why. */
  take(index: number): Worker | null {
    const spare = this.#threads[index] ?? null;
    if (spare === null || spare.hasEnded) return null;
    this.#threads[index] = null;
    spare.thread.off('error', spare.onEnd);
    spare.thread.off('exit', spare.onEnd);
    return spare.thread;
  }

  /** Ends those that nobody took. */
  async end(): Promise<void> {
    await Promise.all(this.#threads.map((spare) => spare?.thread.terminate()));
  }
}
