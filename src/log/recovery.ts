// Brings one segment back to whole batches after a crash: checks what the recovery point does not vouch for, cuts a torn tail,
// builds the index entries behind it anew.
// Invariant: below the recovery point data and indexes were synced together, so that entries there are believed once one batch
// proves them; everything behind is read, its checksum included.
// What is kept of it is also written again (docs/decisions/0013-unsynced-tails.md): a sync that failed leaves pages that read right, count as
// clean and are not on the medium. No later sync would bring them there, and one that succeeds would move the recovery point past them.
// Runs on: the log's owner, at open.
import {
  BATCH_CHECK,
  checkStoredBatch,
  lastOffset as lastOffsetOf,
  readBaseOffset,
  readLeaderEpoch,
  readMaxTimestamp,
} from '../protocol/records/batch.ts';
import { BatchScanner } from './batch-scanner.ts';
import { areTimesProven } from './index-repair.ts';
import type { LeaderEpochCache } from './leader-epoch-cache.ts';
import { replayNeedsRecords } from './producer-replay.ts';
import { RELATIVE_OFFSET_MAX, type Segment } from './segment.ts';
import { StorageError, type StorageFile } from './storage.ts';

/** One per thread, made at the first recovery; grows to the largest batch. */
let wholeBatches: BatchScanner | null = null;
const SCAN_BYTES = 1024 * 1024;
/** What is read and written again at once. */
const REWRITE_BYTES = 1024 * 1024;

export interface RecoveredSegment {
  /** The offset behind the last whole batch. */
  endOffset: number;
  /** Bytes behind it that were cut. */
  cutBytes: number;
  /** Bytes that were read and checked. */
  checkedBytes: number;
  /** Transactions were ended in what was checked: the index of the aborted ones may lack some. */
  hasMarkers: boolean;
}

/**
 * Recovers `segment`, whose offsets end below `limitOffset` (the next segment's base). What ends below `recoveryPoint` is taken as it
 * is, as far as the index leads there. `isRewritten`: the rest is written again. Throws StorageError.
 */
export function recoverSegment(
  segment: Segment,
  limitOffset: number,
  recoveryPoint: number,
  indexIntervalBytes: number,
  epochs: LeaderEpochCache,
  isRewritten: boolean,
): RecoveredSegment {
  const fileBytes = segment.sizeBytes;
  wholeBatches ??= new BatchScanner(SCAN_BYTES);
  const scanner = wholeBatches;
  let entry = provenEntry(segment, recoveryPoint, scanner);
  if (entry !== -1 && !areTimesProven(segment, entry)) entry = -1;
  if (entry === -1 && segment.offsetIndex.floorEntry(recoveryPoint - 1) !== -1) segment.noteIndexDamage();
  const start = entry === -1 ? 0 : segment.offsetIndex.positionAt(entry);
  if (entry === -1) {
    segment.resetForRecovery(0, 0, 0);
  } else {
    const indexedOffset = segment.offsetIndex.offsetAt(entry);
    const timeEntries = segment.timeIndex.soundEntryCount(indexedOffset + 1);
    segment.resetForRecovery(entry, timeEntries, start);
  }
  let endOffset = segment.baseOffset;
  let hasMarkers = false;
  // Base offsets lie outside the checksum: one that leaves the segment is damage.
  const offsetMax = Math.min(limitOffset - 1, segment.baseOffset + RELATIVE_OFFSET_MAX);
  scanner.start(segment.file, start, fileBytes);
  while (scanner.next()) {
    if (!scanner.loadWhole()) break;
    const { bytes, at } = scanner;
    if (checkStoredBatch(bytes, at, scanner.sizeBytes) !== BATCH_CHECK.OK || readBaseOffset(bytes, at) < endOffset) break;
    if (lastOffsetOf(bytes, at) > offsetMax) break;
    endOffset = lastOffsetOf(bytes, at) + 1;
    hasMarkers ||= replayNeedsRecords(bytes, at);
    segment.noteAppended(scanner.sizeBytes, endOffset - 1, readMaxTimestamp(bytes, at), indexIntervalBytes);
    if (readLeaderEpoch(bytes, at) > epochs.latestEpoch) epochs.assign(readLeaderEpoch(bytes, at), readBaseOffset(bytes, at));
  }
  const cutBytes = fileBytes - segment.sizeBytes;
  if (cutBytes > 0) {
    // Synced, so that what was cut can't come back from the medium once other batches stand there.
    segment.file.truncate(segment.sizeBytes);
    segment.file.sync();
  }
  if (isRewritten) rewrite(segment.file, start, segment.sizeBytes);
  return { endOffset, cutBytes, checkedBytes: fileBytes - start, hasMarkers };
}

/** Writes [position, end) of `file` once more as it reads: the next sync brings it to the medium, or fails. */
function rewrite(file: StorageFile, position: number, end: number): void {
  const bytes = new Uint8Array(Math.min(REWRITE_BYTES, end - position));
  for (let at = position; at < end; ) {
    const count = file.read(bytes, 0, Math.min(bytes.length, end - at), at);
    if (count === 0) throw new StorageError('EIO', file.path, 'reading again');
    for (let written = 0; written < count; ) written += file.write(bytes, written, count - written, at + written);
    at += count;
  }
}

/** The last index entry below the recovery point, where the batch it names is there and whole; -1 where none can be believed. */
function provenEntry(segment: Segment, recoveryPoint: number, scanner: BatchScanner): number {
  const entry = Math.min(segment.offsetIndex.floorEntry(recoveryPoint - 1), segment.offsetIndex.soundEntryCount(segment.sizeBytes) - 1);
  if (entry < 0) return -1;
  scanner.start(segment.file, segment.offsetIndex.positionAt(entry), segment.sizeBytes);
  if (!scanner.next() || !scanner.loadWhole()) return -1;
  if (checkStoredBatch(scanner.bytes, scanner.at, scanner.sizeBytes) !== BATCH_CHECK.OK) return -1;
  return lastOffsetOf(scanner.bytes, scanner.at) === segment.offsetIndex.offsetAt(entry) ? entry : -1;
}
