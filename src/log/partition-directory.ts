// The directory of one partition's log: made and given its topic's id when the log is opened, synced, renamed when the topic is deleted, removed.
// Invariant: what opening the log has made is on the medium before anything in the directory is vouched for: by the caller, who is told of
// it in `unsyncedPaths`, or by the first sync of all.
// Runs on: the log's owner. Not here: what stands in it (segment.ts, log-loader.ts), the directory of all partitions (log-directory.ts).
import { MalformedFileError } from './checkpoint-file.ts';
import { markedDirectoryName, parentDirectory } from './file-names.ts';
import { InconsistentTopicIdError, type LogOptions } from './log-options.ts';
import { readPartitionMetadata, replacePartitionMetadata, writePartitionMetadata } from './partition-metadata.ts';
import type { Storage, StorageError } from './storage.ts';

export class PartitionDirectory {
  /** Opening it has made it: no log was there. */
  readonly wasMade: boolean;
  readonly #storage: Storage;
  #path: string;
  #unsyncedPaths: readonly string[];

  /**
   * Makes the directory where it is missing, and has it say whose it is. Throws StorageError; MalformedFileError where that is damaged, unless it
   * may be written anew; InconsistentTopicIdError where it belongs to another topic.
   */
  static open(options: LogOptions): PartitionDirectory {
    const { storage, directory, topicId } = options;
    const unsynced: string[] = [];
    const isNew = !storage.isDirectory(directory);
    if (isNew) storage.makeDirectory(directory);
    const known = isNew ? null : knownTopicId(options);
    if (topicId !== null && known !== null && known !== topicId) throw new InconsistentTopicIdError(directory, known, topicId);
    // After an unclean stop nobody knows whether what is there was ever synced: it is made again (recovery.ts does so with batches).
    const isSuspect = !options.cleanShutdown;
    if (options.isSyncedByCaller === true) {
      if (topicId !== null && (known === null || isSuspect)) {
        unsynced.push(writePartitionMetadata(storage, directory, topicId, known !== null), directory);
      }
      if (isNew || isSuspect) unsynced.push(parentDirectory(directory));
    } else {
      if (topicId !== null && known === null) replacePartitionMetadata(storage, directory, topicId);
      if (isNew || isSuspect) storage.syncDirectory(parentDirectory(directory));
    }
    return new PartitionDirectory(storage, directory, unsynced, isNew);
  }

  private constructor(storage: Storage, path: string, unsyncedPaths: readonly string[], wasMade: boolean) {
    this.#storage = storage;
    this.wasMade = wasMade;
    this.#path = path;
    this.#unsyncedPaths = unsyncedPaths;
  }

  get path(): string {
    return this.#path;
  }

  /** See Log.unsyncedPaths. */
  get unsyncedPaths(): readonly string[] {
    return this.#unsyncedPaths;
  }

  /** The caller has synced them all. */
  noteMadeSynced(): void {
    this.#unsyncedPaths = [];
  }

  /** The names in it are on the medium when this returns, and so is what opening made. Throws StorageError. */
  sync(): void {
    this.#syncMade();
    this.#storage.syncDirectory(this.#path);
  }

  /** The same off the loop; `done` is called once, later. */
  syncLater(done: (error: StorageError | null) => void): void {
    const path = this.#path;
    const made = this.#unsyncedPaths;
    const paths = made.includes(path) ? made : [path, ...made];
    const next = (index: number): void => {
      const each = paths[index];
      if (each === undefined) {
        if (path === this.#path) this.#unsyncedPaths = [];
        done(null);
        return;
      }
      // A topic that was deleted under the sync has taken the name along, and nobody reads what its log was to keep.
      this.#storage.syncPathLater(each, (error) => {
        if (error !== null || path !== this.#path) done(path === this.#path ? error : null);
        else next(index + 1);
      });
    };
    next(0);
  }

  /** See Log.markDeleted; what has files open here is told by the caller. */
  markDeleted(uuid: string, suffix: string): string {
    const parent = parentDirectory(this.#path);
    const name = this.#path.slice(this.#path.lastIndexOf('/') + 1);
    const path = `${parent}/${markedDirectoryName(name, uuid, suffix)}`;
    this.#storage.rename(this.#path, path);
    this.#path = path;
    this.#unsyncedPaths = [];
    return path;
  }

  /** With all that is in it, which is closed. */
  remove(): void {
    this.#storage.remove(this.#path);
  }

  /** What is below a recovery point must be found again: its names come first. */
  #syncMade(): void {
    for (const path of this.#unsyncedPaths) {
      if (this.#storage.isDirectory(path)) this.#storage.syncDirectory(path);
      else {
        const file = this.#storage.open(path, 'read-write');
        file.sync();
        file.close();
      }
    }
    this.#unsyncedPaths = [];
  }
}

function knownTopicId({ storage, directory, isUnnamed }: LogOptions): string | null {
  try {
    return readPartitionMetadata(storage, directory);
  } catch (error) {
    if (error instanceof MalformedFileError && isUnnamed === true) return null;
    throw error;
  }
}
