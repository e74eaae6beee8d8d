// A segment's `.txnindex`: the transactions that were aborted by a marker in it, so that who reads committed records alone can leave theirs out.
// Kafka's entries of 34 bytes: version 0, producer id, first offset, offset of the marker, last stable offset behind it; all big-endian.
// Invariant: entries stand in the order of their markers. A file that contradicts itself is told as null, and made anew from the batches.
// Pure but for the storage that is handed in.
import { readInt16, readInt64, writeInt16, writeInt64 } from '../base/big-endian.ts';
import { CLEANED_SUFFIX, offsetFileName, offsetOfFileName, TRANSACTION_INDEX_SUFFIX } from './file-names.ts';
import { type Storage, StorageError } from './storage.ts';

const ENTRY_BYTES = 34;
const VERSION = 0;

export interface AbortedTransaction {
  readonly producerId: number;
  /** Of its first record in this partition. */
  readonly firstOffset: number;
  /** Of the marker that aborted it. */
  readonly lastOffset: number;
  /** Behind the marker: the start of the oldest transaction that was open still, or the next offset. */
  readonly lastStableOffset: number;
}

export const NO_TRANSACTIONS: readonly AbortedTransaction[] = [];

/** The entries of the segment's file; none where it is missing; null where it is damaged. Throws StorageError. */
export function readTransactionIndex(storage: Storage, directory: string, baseOffset: number): AbortedTransaction[] | null {
  const path = `${directory}/${offsetFileName(baseOffset, TRANSACTION_INDEX_SUFFIX)}`;
  if (!storage.exists(path)) return [];
  const file = storage.open(path, 'read');
  try {
    const bytes = new Uint8Array(file.sizeBytes());
    for (let read = 0; read < bytes.length; ) {
      const count = file.read(bytes, read, bytes.length - read, read);
      if (count === 0) return null;
      read += count;
    }
    return decode(bytes, baseOffset);
  } finally {
    file.close();
  }
}

function decode(bytes: Uint8Array, baseOffset: number): AbortedTransaction[] | null {
  if (bytes.length % ENTRY_BYTES !== 0) return null;
  const entries: AbortedTransaction[] = [];
  let before = baseOffset - 1;
  for (let at = 0; at < bytes.length; at += ENTRY_BYTES) {
    const [producerId, firstOffset, lastOffset, lastStableOffset] = [2, 10, 18, 26].map((field) => readInt64(bytes, at + field));
    if (producerId === undefined || firstOffset === undefined || lastOffset === undefined || lastStableOffset === undefined) return null;
    const isSound = producerId >= 0 && firstOffset >= 0 && firstOffset <= lastOffset && lastOffset > before && lastStableOffset >= 0;
    if (readInt16(bytes, at) !== VERSION || !isSound) return null;
    entries.push({ producerId, firstOffset, lastOffset, lastStableOffset });
    before = lastOffset;
  }
  return entries;
}

/**
 * Makes these the entries of the segment's file, on the medium when this returns; none is no file. Whenever the power fails, the file is the old
 * one or the new one: a beginning of it, or none, would be believed by a start that has no reason to look at the batches. Throws StorageError.
 */
export function writeTransactionIndex(
  storage: Storage,
  directory: string,
  baseOffset: number,
  entries: readonly AbortedTransaction[],
): void {
  const path = `${directory}/${offsetFileName(baseOffset, TRANSACTION_INDEX_SUFFIX)}`;
  if (entries.length === 0) storage.remove(path);
  else {
    // Of an earlier attempt there may be one: it goes with what else was cleaned and never took its place when the log is opened.
    const temporary = `${path}${CLEANED_SUFFIX}`;
    storage.remove(temporary);
    writeEntries(storage, temporary, entries);
    storage.rename(temporary, path);
  }
  storage.syncDirectory(directory);
}

function writeEntries(storage: Storage, path: string, entries: readonly AbortedTransaction[]): void {
  const bytes = new Uint8Array(entries.length * ENTRY_BYTES);
  entries.forEach(({ producerId, firstOffset, lastOffset, lastStableOffset }, index) => {
    const at = index * ENTRY_BYTES;
    writeInt16(bytes, at, VERSION);
    [producerId, firstOffset, lastOffset, lastStableOffset].forEach((value, field) => {
      writeInt64(bytes, at + 2 + field * 8, value);
    });
  });
  const file = storage.open(path, 'create');
  try {
    for (let written = 0; written < bytes.length; ) {
      const count = file.write(bytes, written, bytes.length - written, written);
      if (count === 0) throw new StorageError('ENOSPC', path, 'writing');
      written += count;
    }
    file.sync();
  } finally {
    file.close();
  }
}

/** All entries of a partition's directory, in the order of the log; damaged files have been mended when the log was opened. Throws StorageError. */
export function readTransactionIndexes(storage: Storage, directory: string): AbortedTransaction[] {
  const bases = storage
    .list(directory)
    .filter((name) => name.endsWith(TRANSACTION_INDEX_SUFFIX))
    .map(offsetOfFileName)
    .filter((offset) => offset >= 0)
    .sort((a, b) => a - b);
  return bases.flatMap((base) => readTransactionIndex(storage, directory, base) ?? []);
}

/** Those whose records a read of [fromOffset, endOffset) may meet, as Kafka's consumers want them: by their first offsets. */
export function abortedWithin(all: readonly AbortedTransaction[], fromOffset: number, endOffset: number): AbortedTransaction[] {
  return all
    .filter(({ firstOffset, lastOffset }) => lastOffset >= fromOffset && firstOffset < endOffset)
    .sort((a, b) => a.firstOffset - b.firstOffset);
}
