// Kafka's checkpoint files: a version line, a count line, one line an entry, columns separated by spaces.
// Also the `<topic> <partition> <offset>` form of a log directory's offset checkpoints.
// Pure, but for the storage handed in. Invariant: a file that contradicts itself is refused whole, never read in part.
import { parentDirectory, partitionDirectoryName } from './file-names.ts';
import { type Storage, StorageError, type StorageFile } from './storage.ts';

const VERSION = 0;

export const RECOVERY_POINT_CHECKPOINT_NAME = 'recovery-point-offset-checkpoint';
export const LOG_START_OFFSET_CHECKPOINT_NAME = 'log-start-offset-checkpoint';
export const REPLICATION_OFFSET_CHECKPOINT_NAME = 'replication-offset-checkpoint';

/** A small file does not say what it should; the caller decides whether it can do without. */
export class MalformedFileError extends Error {
  override readonly name = 'MalformedFileError';
  readonly code = 'ERR_MALFORMED_FILE';
  constructor(path: string, what: string) {
    super(`${path}: ${what}`);
  }
}

export function formatCheckpoint(lines: readonly string[]): string {
  return `${VERSION}\n${lines.length}\n${lines.map((line) => `${line}\n`).join('')}`;
}

/** The entries' columns; an empty file is one without entries. Throws MalformedFileError; `path` is for its message. */
export function parseCheckpoint(text: string, path: string, columnCount: number): string[][] {
  const lines = text.split('\n');
  if (lines[lines.length - 1] === '') lines.pop();
  if (lines.length === 0) return [];
  if (lines[0] !== String(VERSION)) throw new MalformedFileError(path, `version ${lines[0]}, expected ${VERSION}`);
  const count = Number(lines[1]);
  if (!Number.isSafeInteger(count) || count !== lines.length - 2)
    throw new MalformedFileError(path, `says ${lines[1]} entries, has ${lines.length - 2}`);
  return lines.slice(2).map((line) => {
    const columns = line.trim().split(/\s+/);
    if (columns.length !== columnCount) throw new MalformedFileError(path, `malformed line '${line}'`);
    return columns;
  });
}

/** A column that must be a whole number of at least `min`. */
export function parseCount(column: string | undefined, path: string, min: number): number {
  const value = Number(column);
  if (column === undefined || column === '' || !Number.isSafeInteger(value) || value < min)
    throw new MalformedFileError(path, `malformed number '${column}'`);
  return value;
}

/**
 * Writes a checkpoint as Storage.replaceText does, with the syncs in the pool: `done` is called once, later, or at once where the storage
 * refuses. When `isWanted` is false by then, the file is somebody else's business: the old one stays, and what becomes of names is no error.
 */
export function replaceCheckpointLater(
  storage: Storage,
  path: string,
  lines: readonly string[],
  isWanted: () => boolean,
  done: (error: StorageError | null) => void,
): void {
  const temporary = `${path}.tmp`;
  let file: StorageFile;
  try {
    file = openWith(storage, temporary, formatCheckpoint(lines));
  } catch (error) {
    done(refusal(error));
    return;
  }
  file.syncLater((error) => {
    let failure = error;
    try {
      file.close();
      if (failure === null && isWanted()) storage.rename(temporary, path);
    } catch (cause) {
      failure ??= refusal(cause);
    }
    if (failure !== null || !isWanted()) done(failure);
    else storage.syncPathLater(parentDirectory(path), (directoryError) => done(isWanted() ? directoryError : null));
  });
}

/** A file that holds `text` and nothing else, not synced. Throws StorageError. */
function openWith(storage: Storage, path: string, text: string): StorageFile {
  const file = storage.open(path, 'create');
  try {
    file.truncate(0);
    const bytes = Buffer.from(text, 'utf8');
    for (let at = 0; at < bytes.length; ) at += file.write(bytes, at, bytes.length - at, at);
  } catch (error) {
    file.close();
    throw error;
  }
  return file;
}

function refusal(error: unknown): StorageError {
  if (error instanceof StorageError) return error;
  throw error;
}

/** Offsets by partition directory name (`<topic>-<partition>`); empty where there is no file. Throws MalformedFileError. */
export function readOffsetCheckpoint(storage: Storage, path: string): Map<string, number> {
  const offsets = new Map<string, number>();
  const text = storage.readText(path);
  if (text === null) return offsets;
  for (const [topic, partition, offset] of parseCheckpoint(text, path, 3)) {
    offsets.set(partitionDirectoryName(topic as string, parseCount(partition, path, 0)), parseCount(offset, path, 0));
  }
  return offsets;
}

export interface PartitionOffset {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
}

export function writeOffsetCheckpoint(storage: Storage, path: string, offsets: Iterable<PartitionOffset>): void {
  const lines: string[] = [];
  for (const { topic, partition, offset } of offsets) lines.push(`${topic} ${partition} ${offset}`);
  storage.replaceText(path, formatCheckpoint(lines));
}
