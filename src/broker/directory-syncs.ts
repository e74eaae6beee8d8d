// Brings to the medium what opening and deleting partitions has made in the log directory: partition.metadata, the names in each partition's
// directory, and, once for all of a batch, the names in the log directory. In the pool: two hundred partitions are six hundred syncs, which
// on the loop would hold up every connection of the worker.
// Invariant: who waits (`whenSynced`) is told in the order of asking, and not before all that was noted earlier is on the medium or known not to be.
// Runs on: every worker, for its own partitions.
import type { Log } from '../log/log.ts';
import type { Storage, StorageError } from '../log/storage.ts';

/** Pool threads that are kept busy: others are left for cold reads. */
const CONCURRENCY = 2;

export class DirectorySyncs {
  readonly #storage: Storage;
  readonly #directory: string;
  readonly #onFailure: (error: StorageError) => void;
  #made: Log[] = [];
  #hasNewNames = false;
  #waiting: (() => void)[] = [];
  #isRunning = false;

  constructor(storage: Storage, directory: string, onFailure: (error: StorageError) => void) {
    this.#storage = storage;
    this.#directory = directory;
    this.#onFailure = onFailure;
  }

  get isRunning(): boolean {
    return this.#isRunning;
  }

  /** A log was opened: what it made is synced with the next batch. */
  noteOpened(log: Log): void {
    if (log.unsyncedPaths.length > 0) this.#made.push(log);
  }

  /** A name in the log directory has changed. */
  noteRenamed(): void {
    this.#hasNewNames = true;
  }

  /** Calls `task` at once where nothing is to be synced, later otherwise; after a failure too. */
  whenSynced(task: () => void): void {
    if (!this.#isRunning && this.#made.length === 0 && !this.#hasNewNames) {
      task();
      return;
    }
    this.#waiting.push(task);
    if (!this.#isRunning) this.#run();
  }

  #run(): void {
    const logs = this.#made;
    const tasks = this.#waiting;
    let failure: StorageError | null = null;
    this.#made = [];
    this.#waiting = [];
    this.#hasNewNames = false;
    this.#isRunning = true;
    const jobs = logs.flatMap((log) => log.unsyncedPaths.filter((path) => path !== this.#directory).map((path) => ({ log, path })));
    let next = 0;
    let runningCount = 0;
    const ended = (): void => {
      for (const log of logs) if (failure === null && log.unsyncedPaths.length > 0) log.noteMadeSynced();
      this.#isRunning = false;
      if (failure !== null) this.#onFailure(failure);
      for (const task of tasks) task();
      if (!this.#isRunning && this.#waiting.length > 0) this.#run();
    };
    const goOn = (): void => {
      while (failure === null && runningCount < CONCURRENCY && next < jobs.length) {
        const { log, path } = jobs[next++] as (typeof jobs)[number];
        if (!log.unsyncedPaths.includes(path)) continue; // Flushed or deleted meanwhile.
        runningCount++;
        this.#storage.syncPathLater(path, (error) => {
          runningCount--;
          // A log that was deleted under the sync has taken its name along.
          if (error !== null && log.unsyncedPaths.includes(path)) failure ??= error;
          goOn();
        });
      }
      if (runningCount > 0) return;
      if (failure !== null) ended();
      else {
        // Last: a name that leads to a partition leads to one whose topic is known.
        this.#storage.syncPathLater(this.#directory, (error) => {
          failure = error;
          ended();
        });
      }
    };
    goOn();
  }
}
