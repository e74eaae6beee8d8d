// Names of the files of a partition directory, as Apache Kafka gives them.
// Pure.

export const LOG_SUFFIX = '.log';
export const OFFSET_INDEX_SUFFIX = '.index';
export const TIME_INDEX_SUFFIX = '.timeindex';
export const TRANSACTION_INDEX_SUFFIX = '.txnindex';
export const SNAPSHOT_SUFFIX = '.snapshot';
/** On a file: taken out of the log, to be removed. */
export const DELETED_SUFFIX = '.deleted';
export const CLEANED_SUFFIX = '.cleaned';
export const SWAP_SUFFIX = '.swap';
/** On a directory: the partition is gone, the files follow after file.delete.delay.ms. */
export const DELETE_DIRECTORY_SUFFIX = '-delete';
/** On a directory: nobody knows this partition (any more); kept for a person to look at. */
export const STRAY_DIRECTORY_SUFFIX = '-stray';

export const PARTITION_METADATA_NAME = 'partition.metadata';
export const LEADER_EPOCH_CHECKPOINT_NAME = 'leader-epoch-checkpoint';

/** Digits of an offset in a file name: enough for 2^63. */
const OFFSET_DIGITS = 20;
/** Longest name of a directory entry that common file systems take. */
const NAME_LENGTH_MAX = 255;
const FILE_OFFSET = /^(\d{20})\./;

/** `00000000000000000042.log` for (42, '.log'). */
export function offsetFileName(offset: number, suffix: string): string {
  return `${String(offset).padStart(OFFSET_DIGITS, '0')}${suffix}`;
}

/** The offset that a file name begins with, or -1 where there is none or one above 2^53 - 1. */
export function offsetOfFileName(name: string): number {
  const match = FILE_OFFSET.exec(name);
  if (match === null) return -1;
  const offset = Number(match[1]);
  return Number.isSafeInteger(offset) ? offset : -1;
}

/** The directory that holds `path`. */
export function parentDirectory(path: string): string {
  const slash = path.lastIndexOf('/');
  return slash === -1 ? '.' : slash === 0 ? '/' : path.slice(0, slash);
}

export interface TopicPartition {
  readonly topic: string;
  readonly partition: number;
}

export function partitionDirectoryName(topic: string, partition: number): string {
  return `${topic}-${partition}`;
}

/** Topic and partition of a directory name; null for the marked ones (-delete, -stray, -future) and for what is none. */
export function parsePartitionDirectory(name: string): TopicPartition | null {
  const dash = name.lastIndexOf('-');
  if (dash <= 0) return null;
  const digits = name.slice(dash + 1);
  if (!/^\d{1,10}$/.test(digits)) return null;
  return { topic: name.slice(0, dash), partition: Number(digits) };
}

/**
 * `<topic>-<partition>.<32 hex digits>-delete` (or `-stray`): the topic is shortened where the whole would be too long,
 * the hex digits keep it unique. `uuid` is 22 characters of base64url.
 */
export function markedDirectoryName(directoryName: string, uuid: string, suffix: string): string {
  const tail = `.${Buffer.from(uuid, 'base64url').toString('hex')}${suffix}`;
  return `${directoryName.slice(0, NAME_LENGTH_MAX - tail.length)}${tail}`;
}
