// Whether a segment's indexes belong to its batches, and making them anew where they don't.
// An index only speeds up finding a batch, so nothing in it is believed without proof: an entry counts when a batch starts where it says and
// ends at the offset it says. The batches are the truth; where they are damaged themselves, the indexes stay as they are.
// Invariant: indexes are replaced only by such that lead over the whole segment.
// Runs on: the log's owner, at open, at the first lookup in a segment, and at a lookup that found an entry to be wrong.
import {
  BATCH_CHECK,
  checkStoredBatch,
  isSafeTimestamp,
  lastOffset as lastOffsetOf,
  readBaseOffset,
  readMaxTimestamp,
} from '../protocol/records/batch.ts';
import { BatchScanner } from './batch-scanner.ts';
import type { OffsetIndex } from './offset-index.ts';
import type { StorageFile } from './storage.ts';
import type { TimeIndex } from './time-index.ts';

/** What indexes are about. */
export interface IndexedSegment {
  readonly baseOffset: number;
  readonly file: StorageFile;
  readonly sizeBytes: number;
  readonly offsetIndex: OffsetIndex;
  readonly timeIndex: TimeIndex;
}

/** Made when it is needed: headers alone are read, two index intervals at once. */
let proofScanner: BatchScanner | null = null;
const PROOF_BYTES = 8192;
const REBUILD_BYTES = 64 * 1024;

/**
 * Starts `scanner` at the batch that offset index entry `entry` names: its next() gives that batch. False, and nothing promised of the
 * scanner, where no such batch is there.
 */
export function startAtEntry(segment: IndexedSegment, scanner: BatchScanner, entry: number): boolean {
  const position = segment.offsetIndex.positionAt(entry);
  if (position < 0 || position >= segment.sizeBytes) return false;
  const indexedOffset = segment.offsetIndex.offsetAt(entry);
  scanner.start(segment.file, position, segment.sizeBytes);
  if (!scanner.next()) return false;
  const offset = lastOffsetOf(scanner.bytes, scanner.at);
  if (offset !== indexedOffset) {
    // Brokers before Kafka 4 gave one entry to several batches that came together: the first one's position, the last one's offset.
    if (offset > indexedOffset || readBaseOffset(scanner.bytes, scanner.at) < segment.baseOffset || !scanner.loadWhole()) return false;
    if (checkStoredBatch(scanner.bytes, scanner.at, scanner.sizeBytes) !== BATCH_CHECK.OK) return false;
  }
  scanner.again();
  return true;
}

/** Whether a time index entry names a batch that has this timestamp as its largest. */
export function isTimeEntryProven(segment: IndexedSegment, n: number): boolean {
  const timestamp = segment.timeIndex.timestampAt(n);
  const offset = segment.timeIndex.offsetAt(n);
  if (timestamp < 0 || offset < segment.baseOffset) return false;
  proofScanner ??= new BatchScanner(PROOF_BYTES);
  const scanner = proofScanner;
  const entry = segment.offsetIndex.floorEntry(offset);
  if (entry === -1) scanner.start(segment.file, 0, segment.sizeBytes);
  else if (!startAtEntry(segment, scanner, entry)) return false;
  while (scanner.next()) {
    if (lastOffsetOf(scanner.bytes, scanner.at) >= offset) return readMaxTimestamp(scanner.bytes, scanner.at) === timestamp;
  }
  return false;
}

/**
 * Whether the time index is right about the batches up to offset index entry `entry`: its last entry about them and the one behind it name
 * what they should. What appends give the two indexes they give at the same time, so that it is never empty there.
 */
export function areTimesProven(segment: IndexedSegment, entry: number): boolean {
  const { timeIndex } = segment;
  const count = timeIndex.soundEntryCount(segment.offsetIndex.offsetAt(entry) + 1);
  if (count === 0 || !isTimeEntryProven(segment, count - 1)) return false;
  return count === timeIndex.entryCount || isTimeEntryProven(segment, count);
}

/**
 * Whether the last entries of both indexes are right: the cheap look, at open and for a segment's largest timestamp. `isSealed`: the time
 * index has been given its last entry, and no batch has a larger timestamp.
 */
export function areEndsProven(segment: IndexedSegment, isSealed: boolean): boolean {
  proofScanner ??= new BatchScanner(PROOF_BYTES);
  const entries = segment.offsetIndex.entryCount;
  if (entries === 0) proofScanner.start(segment.file, 0, segment.sizeBytes);
  else if (!startAtEntry(segment, proofScanner, entries - 1)) return false;
  const timeEntries = segment.timeIndex.entryCount;
  if (isSealed) {
    const largest = timeEntries === 0 ? -1 : segment.timeIndex.timestampAt(timeEntries - 1);
    while (proofScanner.next()) {
      const timestamp = readMaxTimestamp(proofScanner.bytes, proofScanner.at);
      if (timestamp > largest && isSafeTimestamp(timestamp)) return false;
    }
  }
  return timeEntries === 0 || isTimeEntryProven(segment, timeEntries - 1);
}

/**
 * Whether the entries of both indexes rise and lie within the segment: a few milliseconds for an index of a gigabyte, so that it is
 * asked once. An offset index without entries for a segment longer than `intervalBytes` is suspected, too.
 */
export function areAllSound(segment: IndexedSegment, intervalBytes: number): boolean {
  const { offsetIndex, timeIndex, sizeBytes } = segment;
  if (offsetIndex.entryCount === 0 && sizeBytes > intervalBytes) return false;
  if (offsetIndex.soundEntryCount(sizeBytes) !== offsetIndex.entryCount) return false;
  return timeIndex.soundEntryCount(Number.POSITIVE_INFINITY) === timeIndex.entryCount;
}

export interface RebuiltIndexes {
  readonly maxTimestamp: number;
  readonly maxTimestampOffset: number;
  /** From the last entry's batch on. */
  readonly bytesSinceIndexEntry: number;
  /** Where the batches end that can be walked: in front of the segment's end nothing was changed. */
  readonly walkedBytes: number;
}

/**
 * Builds both indexes from the headers of all batches, by the rule by which appends make entries (segment.ts). Nothing is written where
 * the walk does not come to the segment's end: the old entries may lead behind the damage. Throws StorageError.
 */
export function rebuildIndexes(segment: IndexedSegment, intervalBytes: number): RebuiltIndexes {
  const entries: { lastOffset: number; position: number; maxTimestamp: number; maxTimestampOffset: number }[] = [];
  const scanner = new BatchScanner(REBUILD_BYTES);
  let maxTimestamp = -1;
  let maxTimestampOffset = segment.baseOffset;
  let end = segment.baseOffset;
  let walkedBytes = 0;
  let bytesSinceIndexEntry = 0;
  scanner.start(segment.file, 0, segment.sizeBytes);
  while (scanner.next()) {
    const { bytes, at, position } = scanner;
    const lastOffset = lastOffsetOf(bytes, at);
    if (readBaseOffset(bytes, at) < end || lastOffset < readBaseOffset(bytes, at) || lastOffset - segment.baseOffset >= 2 ** 31) break;
    const timestamp = readMaxTimestamp(bytes, at);
    if (timestamp > maxTimestamp && isSafeTimestamp(timestamp)) {
      maxTimestamp = timestamp;
      maxTimestampOffset = lastOffset;
    }
    if (bytesSinceIndexEntry > intervalBytes) {
      entries.push({ lastOffset, position, maxTimestamp, maxTimestampOffset });
      bytesSinceIndexEntry = 0;
    }
    bytesSinceIndexEntry += scanner.sizeBytes;
    walkedBytes = position + scanner.sizeBytes;
    end = lastOffset + 1;
  }
  if (walkedBytes === segment.sizeBytes) {
    const { offsetIndex, timeIndex } = segment;
    offsetIndex.file.truncateEntries(0);
    timeIndex.truncateEntries(0);
    for (const entry of entries) {
      if (offsetIndex.isFull() || timeIndex.isFull()) break;
      offsetIndex.append(entry.lastOffset, entry.position);
      timeIndex.maybeAppend(entry.maxTimestamp, entry.maxTimestampOffset);
    }
  }
  return { maxTimestamp, maxTimestampOffset, bytesSinceIndexEntry, walkedBytes };
}
