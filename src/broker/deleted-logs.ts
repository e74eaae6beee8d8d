// Logs of deleted topics: renamed at once, so that the name is free for a topic that is made anew, and removed file.delete.delay.ms later.
// Invariant: nothing is changed in a log directory that is offline: the next start finds it.
// Runs on: every worker, for the partitions that it owned. Not here: when a log has no readers any more (partition-host.ts).
import { randomUuid } from '../base/uuid.ts';
import { parentDirectory } from '../log/file-names.ts';
import type { Log } from '../log/log.ts';
import { StorageError } from '../log/storage.ts';
import type { LeaderReplica } from '../partition/leader-replica.ts';
import type { PartitionHost } from '../partition/partition-host.ts';
import type { Runtime } from '../scheduler/runtime.ts';
import { DirectorySyncs } from './directory-syncs.ts';

export class DeletedLogs {
  readonly #runtime: Runtime;
  readonly #host: PartitionHost;
  /** Names that deletions have changed: answers wait for these alone, and not behind what new logs have made. */
  readonly #renames: DirectorySyncs;
  /** Logs whose directories are still there, with their slots. */
  readonly #waiting = new Map<Log, number>();
  #isClosing = false;

  constructor(runtime: Runtime, host: PartitionHost) {
    this.#runtime = runtime;
    this.#host = host;
    this.#renames = new DirectorySyncs(runtime.storage, (directory, error) => host.takeOffline(directory, error));
  }

  get isSyncing(): boolean {
    return this.#renames.isRunning;
  }

  /** Calls `task` when each name that a deletion has changed so far is on the medium. */
  whenSynced(task: () => void): void {
    this.#renames.whenSynced(task);
  }

  /** Takes the replica out of the host; its files go `delayMs` after its last reader. */
  delete(replica: LeaderReplica, delayMs: number): void {
    const { log, slot, logDirectory } = replica;
    this.#host.remove(slot, () => {
      this.#runtime.after(delayMs, () => {
        if (!this.#isClosing && this.#waiting.delete(log)) this.#guard(logDirectory, () => this.#removeLater(log));
      });
    });
    this.#waiting.set(log, slot); // Whoever still reads has the files open.
    if (replica.isOffline) return;
    this.#guard(logDirectory, () => {
      log.markDeleted(randomUuid(this.#runtime.random));
      this.#renames.noteRenamed(logDirectory);
    });
  }

  /** Nothing is removed any more but by `remove`. */
  close(): void {
    this.#isClosing = true;
  }

  /** Those whose directories are still there, with their slots. */
  waiting(): IterableIterator<[Log, number]> {
    return this.#waiting.entries();
  }

  /** Removes one of those that wait, at once. Throws StorageError. */
  remove(log: Log): void {
    this.#waiting.delete(log);
    if (this.#isOffline(log)) log.closeFiles();
    else log.remove();
  }

  /** A directory of large files takes its time to go. */
  #removeLater(log: Log): void {
    log.closeFiles();
    if (this.#isOffline(log)) return;
    this.#runtime.storage.removeLater(log.directory, (error) => {
      if (error !== null && !this.#isClosing) this.#host.takeOffline(parentDirectory(log.directory), error);
    });
  }

  #isOffline(log: Log): boolean {
    return this.#host.isOffline(parentDirectory(log.directory));
  }

  #guard(directory: string, change: () => void): void {
    try {
      change();
    } catch (error) {
      if (!(error instanceof StorageError)) throw error;
      this.#host.takeOffline(directory, error);
    }
  }
}
