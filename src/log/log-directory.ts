// A log directory as a whole: whose it is, how the last stop went, which partitions it holds, its checkpoint files.
// Invariants: nothing in it is read or written before the lock is held, and nothing written before whose it is has been found right; the
// clean-shutdown marker is taken before the first log is opened and written after the last is closed; the checkpoints vouch for nothing
// that is not on the medium.
// Runs on: the main thread, at start, at checkpoints and at stop. The logs in it are opened by the workers that own them.
import type { Random } from '../base/random.ts';
import { randomUuid } from '../base/uuid.ts';
import {
  LOG_START_OFFSET_CHECKPOINT_NAME,
  MalformedFileError,
  type PartitionOffset,
  RECOVERY_POINT_CHECKPOINT_NAME,
  REPLICATION_OFFSET_CHECKPOINT_NAME,
  readOffsetCheckpoint,
  writeOffsetCheckpoint,
} from './checkpoint-file.ts';
import { markCleanShutdown, takeCleanShutdown } from './clean-shutdown.ts';
import {
  DELETE_DIRECTORY_SUFFIX,
  LOG_SUFFIX,
  offsetOfFileName,
  parentDirectory,
  parsePartitionDirectory,
  partitionDirectoryName,
} from './file-names.ts';
import { type MetaProperties, readMetaProperties, writeMetaProperties } from './meta-properties.ts';
import { readPartitionMetadata } from './partition-metadata.ts';
import { type Storage, StorageError } from './storage.ts';

/** The cluster's metadata log lives here as well, but is no partition that a worker opens. */
const METADATA_DIRECTORY = '__cluster_metadata-0';

const UNSYNCABLE: ReadonlySet<string> = new Set(['EACCES', 'EPERM', 'EROFS', 'EINVAL', 'ENOTSUP']);

/** The directory belongs to another cluster or node: a start is refused. */
export class ForeignDirectoryError extends Error {
  override readonly name = 'ForeignDirectoryError';
  readonly code = 'ERR_FOREIGN_DIRECTORY';
}

export interface LogDirectoryOptions extends ClaimOptions {
  /** What the other directories or the configuration say; null takes the directory's own, or a new one. */
  readonly clusterId: string | null;
  readonly nodeId: number;
}

export interface ClaimOptions {
  readonly storage: Storage;
  /** log.dirs, one of them. */
  readonly path: string;
  readonly random: Random;
  /** Locks `<path>/.lock` for this process, or throws with one clear line; gives what unlocks it. */
  readonly lock?: (path: string) => () => void;
}

export interface FoundPartition {
  readonly topic: string;
  readonly partition: number;
  readonly directory: string;
  /** Null where partition.metadata is missing or malformed: nobody can say whose it is. */
  readonly topicId: string | null;
  /** `topicId` is null, and there is more than an empty log, by which it must not be replaced. */
  readonly isUnnamedLog: boolean;
}

export class LogDirectory {
  readonly path: string;
  readonly clusterId: string;
  readonly nodeId: number;
  readonly directoryId: string;
  /** It had no meta.properties before: this is its first start. */
  readonly isNew: boolean;
  readonly hadCleanShutdown: boolean;
  /** The broker epoch of the last clean stop, -1 where there was none (KIP-966). */
  readonly previousBrokerEpoch: number;
  /** The partitions that lay here at the start, without the metadata log and without what is marked deleted or stray. */
  readonly partitions: readonly FoundPartition[];
  #storage: Storage;
  #unlock: () => void;
  #recoveryPoints: Map<string, number>;
  #logStartOffsets: Map<string, number>;

  /** Claims the directory and opens it. Throws what ClaimedDirectory.claim and ClaimedDirectory.open throw. */
  static open(options: LogDirectoryOptions): LogDirectory {
    const claimed = ClaimedDirectory.claim(options);
    try {
      return claimed.open(options.clusterId, options.nodeId);
    } catch (error) {
      claimed.release();
      throw error;
    }
  }

  /** Not to be called but by ClaimedDirectory, which holds the lock. */
  constructor(options: LogDirectoryOptions, found: MetaProperties | null, unlock: () => void) {
    const { storage, path } = options;
    const properties = found ?? { clusterId: options.clusterId ?? randomUuid(options.random), nodeId: options.nodeId, directoryId: null };
    checkOwner(path, properties, options);
    this.path = path;
    this.clusterId = properties.clusterId;
    this.nodeId = properties.nodeId;
    this.directoryId = properties.directoryId ?? randomUuid(options.random);
    this.isNew = found === null;
    this.#storage = storage;
    this.#unlock = unlock;
    this.partitions = findPartitions(storage, path); // First: a directory that cannot be read is left as it is.
    if (properties.directoryId === null) writeMetaProperties(storage, path, { ...properties, directoryId: this.directoryId });
    const shutdown = takeCleanShutdown(storage, path);
    this.hadCleanShutdown = shutdown.isClean;
    this.previousBrokerEpoch = shutdown.brokerEpoch;
    for (const name of storage.list(path)) if (name.endsWith(DELETE_DIRECTORY_SUFFIX)) storage.remove(`${path}/${name}`);
    this.#recoveryPoints = this.#read(RECOVERY_POINT_CHECKPOINT_NAME);
    this.#logStartOffsets = this.#read(LOG_START_OFFSET_CHECKPOINT_NAME);
  }

  partitionPath(topic: string, partition: number): string {
    return `${this.path}/${partitionDirectoryName(topic, partition)}`;
  }

  /** Where recovery of a partition begins; 0 where nothing vouches for it. As it was at start. */
  recoveryPoint(topic: string, partition: number): number {
    return this.#recoveryPoints.get(partitionDirectoryName(topic, partition)) ?? 0;
  }

  /** As it was at start. */
  logStartOffset(topic: string, partition: number): number {
    return this.#logStartOffsets.get(partitionDirectoryName(topic, partition)) ?? 0;
  }

  /** Writes the recovery points of all partitions: at an interval, and at the end when every log is closed. */
  checkpointRecoveryPoints(offsets: readonly PartitionOffset[]): void {
    this.#write(RECOVERY_POINT_CHECKPOINT_NAME, offsets);
  }

  /** Writes the log start offsets of all partitions: with the recovery points, and when one of them has to be there. */
  checkpointLogStarts(offsets: readonly PartitionOffset[]): void {
    this.#write(
      LOG_START_OFFSET_CHECKPOINT_NAME,
      offsets.filter(({ offset }) => offset > 0),
    );
  }

  /** High watermarks: what may be read again at once after a start. */
  checkpointHighWatermarks(offsets: readonly PartitionOffset[]): void {
    this.#write(REPLICATION_OFFSET_CHECKPOINT_NAME, offsets);
  }

  /** The end: every log is closed and checkpoint() was called. Without `isClean` the next start recovers. */
  close(stop: { isClean: boolean; brokerEpoch: number }): void {
    if (stop.isClean) markCleanShutdown(this.#storage, this.path, stop.brokerEpoch);
    this.#unlock();
  }

  /** A damaged checkpoint costs time, not data: recovery begins at 0, as Kafka does. */
  #read(name: string): Map<string, number> {
    try {
      return readOffsetCheckpoint(this.#storage, `${this.path}/${name}`);
    } catch (error) {
      if (error instanceof MalformedFileError) return new Map();
      throw error;
    }
  }

  #write(name: string, offsets: readonly PartitionOffset[]): void {
    writeOffsetCheckpoint(this.#storage, `${this.path}/${name}`, offsets);
  }
}

/** A directory that is locked, and of which nobody has decided yet whether it is to be used: nothing in it has been changed. */
export class ClaimedDirectory {
  readonly path: string;
  /** Null: it was never formatted. */
  readonly properties: MetaProperties | null;
  /** It holds the metadata log of a cluster. */
  readonly hasMetadataLog: boolean;
  /** It holds a partition, or what is left of one. */
  readonly hasPartitions: boolean;
  readonly #options: ClaimOptions;
  readonly #unlock: () => void;

  /** Makes the directory where it is missing, locks it, reads whose it is. Throws StorageError, MalformedFileError, and what `lock` throws. */
  static claim(options: ClaimOptions): ClaimedDirectory {
    const { storage, path } = options;
    const isMade = !storage.isDirectory(path);
    if (isMade) makeDirectories(storage, path);
    const unlock = options.lock?.(`${path}/.lock`) ?? (() => {});
    try {
      const claimed = new ClaimedDirectory(options, unlock);
      if (claimed.properties === null && !isMade) syncName(storage, path, false);
      return claimed;
    } catch (error) {
      unlock();
      throw error;
    }
  }

  private constructor(options: ClaimOptions, unlock: () => void) {
    const { storage, path } = options;
    this.path = path;
    this.properties = readMetaProperties(storage, path);
    this.hasMetadataLog = storage.isDirectory(`${path}/${METADATA_DIRECTORY}`);
    this.hasPartitions = storage.list(path).some((name) => name !== METADATA_DIRECTORY && parsePartitionDirectory(name) !== null);
    this.#options = options;
    this.#unlock = unlock;
  }

  /**
   * Formats the directory where needed, checks whose it is, takes the clean-shutdown marker, removes what deleted topics left.
   * Throws StorageError and ForeignDirectoryError; the lock is held nonetheless.
   */
  open(clusterId: string | null, nodeId: number): LogDirectory {
    return new LogDirectory({ ...this.#options, clusterId, nodeId }, this.properties, this.#unlock);
  }

  /** It is not used after all. */
  release(): void {
    this.#unlock();
  }
}

/**
 * Until it is formatted: whoever made the directory may have been an earlier start that was killed, or refused, before its name was on the
 * medium, and a loss of power would take all that lies in it. Where `isMade` is false, a parent that this process may not read or that
 * cannot be synced, as of a mount point in a read-only image, has been no broker's to write into.
 */
function syncName(storage: Storage, path: string, isMade: boolean): void {
  try {
    storage.syncDirectory(parentDirectory(path));
  } catch (error) {
    if (isMade || !(error instanceof StorageError) || !UNSYNCABLE.has(error.errno)) throw error;
  }
}

/**
 * Makes the directory, and those above it that are missing. The name of each is on the medium before the next is made in it: where an earlier
 * start was cut short at this, only the lowest one that is there may have a name that is not.
 */
function makeDirectories(storage: Storage, path: string): void {
  const above = parentDirectory(path);
  const isAtRoot = above === parentDirectory(above);
  if (!isAtRoot && storage.exists(above)) syncName(storage, above, false);
  else if (!isAtRoot) makeDirectories(storage, above);
  storage.makeDirectory(path);
  syncName(storage, path, true);
}

function checkOwner(path: string, found: MetaProperties, options: LogDirectoryOptions): void {
  if (options.clusterId !== null && found.clusterId !== options.clusterId) {
    throw new ForeignDirectoryError(`${path} belongs to cluster ${found.clusterId}, not to ${options.clusterId}`);
  }
  if (found.nodeId !== options.nodeId) throw new ForeignDirectoryError(`${path} belongs to node ${found.nodeId}, not to ${options.nodeId}`);
}

function findPartitions(storage: Storage, path: string): FoundPartition[] {
  const found: FoundPartition[] = [];
  for (const name of storage.list(path)) {
    const parsed = name === METADATA_DIRECTORY ? null : parsePartitionDirectory(name);
    const directory = `${path}/${name}`;
    if (parsed === null || !storage.isDirectory(directory)) continue;
    const topicId = topicIdOf(storage, directory);
    found.push({ ...parsed, directory, topicId, isUnnamedLog: topicId === null && hasLog(storage, directory) });
  }
  return found;
}

function topicIdOf(storage: Storage, directory: string): string | null {
  try {
    return readPartitionMetadata(storage, directory);
  } catch (error) {
    if (error instanceof MalformedFileError) return null;
    throw error;
  }
}

/** Whether a partition's directory holds records, or a log that once did: one that begins at 0 and is empty is no loss. */
function hasLog(storage: Storage, directory: string): boolean {
  return storage.list(directory).some((name) => {
    if (!name.endsWith(LOG_SUFFIX)) return false;
    if (offsetOfFileName(name) > 0) return true;
    const file = storage.open(`${directory}/${name}`, 'read');
    try {
      return file.sizeBytes() > 0;
    } finally {
      file.close();
    }
  });
}
