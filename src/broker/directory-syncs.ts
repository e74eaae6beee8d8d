// Brings to the medium what opening and deleting partitions has made in the log directories: partition.metadata, the names in each partition's
// directory, and, once for all of a batch, the names in each log directory. In the pool: two hundred partitions are six hundred syncs, which
// on the loop would hold up every connection of the worker.
// Invariant: who waits (`whenSynced`) is told in the order of asking, and not before all that was noted earlier is on the medium or known not to be.
// Runs on: every worker, for its own partitions.
import { parentDirectory } from '../log/file-names.ts';
import type { Log } from '../log/log.ts';
import type { Storage, StorageError } from '../log/storage.ts';

/** Pool threads that are kept busy: others are left for cold reads. */
const CONCURRENCY = 2;

export class DirectorySyncs {
  readonly #storage: Storage;
  readonly #onFailure: (directory: string, error: StorageError) => void;
  #made: Log[] = [];
  /** Log directories in which names have changed. */
  #renamed = new Set<string>();
  #waiting: (() => void)[] = [];
  #isRunning = false;

  /** `onFailure` hears of a log directory, by its path, that could not be synced or had something in it that could not. */
  constructor(storage: Storage, onFailure: (directory: string, error: StorageError) => void) {
    this.#storage = storage;
    this.#onFailure = onFailure;
  }

  get isRunning(): boolean {
    return this.#isRunning;
  }

  /** A log was opened: what it made is synced with the next batch. */
  noteOpened(log: Log): void {
    if (log.unsyncedPaths.length > 0) this.#made.push(log);
  }

  /** A name in the log directory at this path has changed. */
  noteRenamed(directory: string): void {
    this.#renamed.add(directory);
  }

  /** Calls `task` at once where nothing is to be synced, later otherwise; after a failure too. */
  whenSynced(task: () => void): void {
    if (!this.#isRunning && this.#made.length === 0 && this.#renamed.size === 0) {
      task();
      return;
    }
    this.#waiting.push(task);
    if (!this.#isRunning) this.#run();
  }

  #run(): void {
    const logs = this.#made;
    const directories = [...this.#renamed.union(new Set(logs.map(logDirectoryOf)))];
    const tasks = this.#waiting;
    const failures = new Map<string, StorageError>();
    this.#made = [];
    this.#waiting = [];
    this.#renamed = new Set();
    this.#isRunning = true;
    const ended = (): void => {
      for (const log of logs) if (!failures.has(logDirectoryOf(log)) && log.unsyncedPaths.length > 0) log.noteMadeSynced();
      this.#isRunning = false;
      for (const [directory, failure] of failures) this.#onFailure(directory, failure);
      for (const task of tasks) task();
      if (!this.#isRunning && this.#waiting.length > 0) this.#run();
    };
    const inLogs = logs.flatMap((log) => {
      const directory = logDirectoryOf(log);
      return log.unsyncedPaths
        .filter((path) => path !== directory)
        .map((path): SyncJob => ({ directory, path, isWanted: () => log.unsyncedPaths.includes(path) })); // Not if flushed or deleted meanwhile.
    });
    // Last: a name that leads to a partition leads to one whose topic is known.
    const names = directories.map((directory): SyncJob => ({ directory, path: directory, isWanted: () => true }));
    this.#sync(inLogs, failures, () => this.#sync(names, failures, ended));
  }

  /** A few at a time; of a directory in which one has failed no more are begun. */
  #sync(jobs: readonly SyncJob[], failures: Map<string, StorageError>, done: () => void): void {
    let next = 0;
    let runningCount = 0;
    const goOn = (): void => {
      while (runningCount < CONCURRENCY && next < jobs.length) {
        const { directory, path, isWanted } = jobs[next++] as SyncJob;
        if (failures.has(directory) || !isWanted()) continue;
        runningCount++;
        this.#storage.syncPathLater(path, (error) => {
          runningCount--;
          // A log that was deleted under the sync has taken its name along.
          if (error !== null && isWanted() && !failures.has(directory)) failures.set(directory, error);
          goOn();
        });
      }
      if (runningCount === 0) done();
    };
    goOn();
  }
}

interface SyncJob {
  /** The log directory that it is about. */
  readonly directory: string;
  readonly path: string;
  readonly isWanted: () => boolean;
}

function logDirectoryOf(log: Log): string {
  return parentDirectory(log.directory);
}
