// Finds things in a log for those who read it: the bytes of a fetch, the offset of a time.
// Invariants: never past the limit it is given; a plan begins with a whole batch. Where a segment's batches can't be walked any further the
// answer is CORRUPT_MESSAGE, as it is Kafka's for a batch length that is none. (For one that leads behind the file Kafka gives no bytes
// and no error, for ever.)
// Runs on: the log's owner. Reads no record bytes but headers, timestamps excepted (ListOffsets by time looks into one batch).
import { ERROR } from '../protocol/errors.ts';
import {
  BATCH_CHECK,
  lastOffset as lastOffsetOf,
  readBaseOffset,
  readBaseTimestamp,
  readLeaderEpoch,
  readMaxTimestamp,
  TIMESTAMP_TYPE,
  timestampType,
} from '../protocol/records/batch.ts';
import { CompressionError } from '../protocol/records/compression/index.ts';
import { openRecords } from '../protocol/records/records.ts';
import { BatchScanner, lookupScanner } from './batch-scanner.ts';
import type { ReadPlan } from './read-plan.ts';
import type { RecentBatches } from './recent-batches.ts';
import type { FoundBatch, Segment } from './segment.ts';
import type { SegmentList } from './segment-list.ts';

/** A found offset; `timestamp` is -1 where the question was not about time. */
export interface TimestampOffset {
  timestamp: number;
  offset: number;
  leaderEpoch: number;
}

/** Batches of one index interval, whole: reads by time are rare, so their buffer is made when needed. */
const WHOLE_BATCH_BYTES = 64 * 1024;
/** Damaged places of a log that are told of; a log with more has told enough. */
const DAMAGE_LINES_MAX = 100;

export class LogReader {
  #segments: SegmentList;
  #recent: RecentBatches;
  #found: FoundBatch = { position: -1, sizeBytes: 0, baseOffset: 0 };
  /** The last limit inside a segment that was looked up: followers of the tail ask for the same one again and again. */
  #limitOffset = -1;
  #limitSegment: Segment | null = null;
  #limitPosition = 0;
  /** Places where no batch stands that were told of. */
  readonly #damage = new Set<string>();

  constructor(segments: SegmentList, recent: RecentBatches) {
    this.#segments = segments;
    this.#recent = recent;
  }

  /** The tail was cut: positions that are remembered may be wrong. */
  forget(): void {
    this.#limitSegment = null;
  }

  /** See Log.planRead. */
  plan(
    offset: number,
    maxBytes: number,
    limitOffset: number,
    hasToMoveOn: boolean,
    logStartOffset: number,
    logEndOffset: number,
    plan: ReadPlan,
  ): void {
    plan.reset();
    if (offset < logStartOffset || offset > logEndOffset) {
      plan.error = ERROR.OFFSET_OUT_OF_RANGE;
      return;
    }
    const limit = Math.min(limitOffset, logEndOffset);
    if (offset >= limit) return;
    for (let index = this.#segments.floor(offset); index < this.#segments.count; index++) {
      const segment = this.#segments.at(index);
      const found = this.#found;
      this.#find(segment, offset, found);
      if (found.position === -1) {
        if (lookupScanner.stoppedBy === BATCH_CHECK.OK) continue; // Compaction took the end of this segment: the next one has what follows.
        this.#noteDamage(segment, lookupScanner.position);
        plan.error = ERROR.CORRUPT_MESSAGE;
        return;
      }
      if (found.baseOffset >= limit) return;
      const segmentEnd = this.#segments.endOffset(index, logEndOffset);
      const end = segmentEnd <= limit ? segment.sizeBytes : this.#positionOf(segment, limit);
      const available = end - found.position;
      if (available <= 0) return;
      plan.available = available;
      plan.length = Math.min(available, Math.max(maxBytes, 0));
      if (plan.length < found.sizeBytes) plan.length = hasToMoveOn ? Math.min(found.sizeBytes, available) : 0;
      plan.file = segment.file;
      plan.descriptor = segment.file.descriptor;
      plan.position = found.position;
      plan.firstBatchBytes = found.sizeBytes;
      plan.startOffset = found.baseOffset;
      plan.segmentBaseOffset = segment.baseOffset;
      return;
    }
  }

  /** The first record at or after `timestampMs`, below `limitOffset`; null where there is none. */
  findByTimestamp(timestampMs: number, logStartOffset: number, limitOffset: number): TimestampOffset | null {
    for (const segment of this.#segments.all()) {
      if (segment.maxTimestamp < timestampMs) continue;
      const from = Math.max(segment.offsetBefore(timestampMs), logStartOffset);
      const scanner = new BatchScanner(WHOLE_BATCH_BYTES);
      segment.startWalk(scanner, from);
      while (scanner.next()) {
        const { bytes, at } = scanner;
        if (readBaseOffset(bytes, at) >= limitOffset) return null;
        if (readMaxTimestamp(bytes, at) < timestampMs || lastOffsetOf(bytes, at) < logStartOffset) continue;
        if (!scanner.loadWhole()) return null;
        const found = firstRecordAtOrAfter(scanner.bytes, scanner.at, timestampMs, logStartOffset);
        if (found !== null) return found.offset < limitOffset ? found : null;
      }
    }
    return null;
  }

  /** The record with the largest timestamp of the log (the first of them), null where no record has one. KIP-734. */
  findMaxTimestamp(): TimestampOffset | null {
    let newest: Segment | null = null;
    for (const segment of this.#segments.all()) if (newest === null || segment.maxTimestamp > newest.maxTimestamp) newest = segment;
    if (newest === null || newest.maxTimestamp < 0) return null;
    const scanner = new BatchScanner(WHOLE_BATCH_BYTES);
    newest.startWalk(scanner, newest.maxTimestampOffset);
    while (scanner.next()) {
      if (readMaxTimestamp(scanner.bytes, scanner.at) !== newest.maxTimestamp) continue;
      return scanner.loadWhole() ? firstRecordAtOrAfter(scanner.bytes, scanner.at, newest.maxTimestamp, 0) : null;
    }
    return null;
  }

  /** A consumer asks again and again: one line for each place. */
  #noteDamage(segment: Segment, position: number): void {
    const place = `${segment.baseOffset}:${position}`;
    if (this.#damage.has(place) || this.#damage.size === DAMAGE_LINES_MAX) return;
    this.#damage.add(place);
    segment.noteDamage(position);
  }

  /** The batch that holds `offset` or the next one: from memory near the tail, else by index and headers. */
  #find(segment: Segment, offset: number, found: FoundBatch): void {
    if (segment === this.#segments.live) {
      const slot = this.#recent.find(offset);
      if (slot !== -1) {
        found.position = this.#recent.position(slot);
        found.sizeBytes = this.#recent.endPosition(slot, segment.sizeBytes) - found.position;
        found.baseOffset = this.#recent.baseOffset(slot);
        return;
      }
    }
    segment.findBatch(offset, found);
  }

  /** Where the batch with `offset` begins, which lies inside the segment: batches before it end at or below `offset`. */
  #positionOf(segment: Segment, offset: number): number {
    if (segment === this.#limitSegment && offset === this.#limitOffset) return this.#limitPosition;
    let position = segment.sizeBytes;
    const slot = segment === this.#segments.live ? this.#recent.find(offset) : -1;
    if (slot !== -1) {
      position = this.#recent.position(slot);
    } else {
      segment.startWalk(lookupScanner, offset);
      while (lookupScanner.next()) {
        if (lastOffsetOf(lookupScanner.bytes, lookupScanner.at) < offset) continue;
        position = lookupScanner.position;
        break;
      }
      // Nobody sees what may lie behind the limit, damaged or not.
      if (lookupScanner.stoppedBy !== BATCH_CHECK.OK) position = lookupScanner.position;
    }
    this.#limitSegment = segment;
    this.#limitOffset = offset;
    this.#limitPosition = position;
    return position;
  }
}

/** The first record of the batch at `position` with that time or later and from `minOffset` on. */
function firstRecordAtOrAfter(bytes: Uint8Array, position: number, timestampMs: number, minOffset: number): TimestampOffset | null {
  const baseOffset = readBaseOffset(bytes, position);
  const leaderEpoch = readLeaderEpoch(bytes, position);
  if (timestampType(bytes, position) === TIMESTAMP_TYPE.LOG_APPEND_TIME) {
    return { timestamp: readMaxTimestamp(bytes, position), offset: Math.max(baseOffset, minOffset), leaderEpoch };
  }
  const baseTimestamp = readBaseTimestamp(bytes, position);
  try {
    const cursor = openRecords(bytes, position);
    while (cursor.next()) {
      const timestamp = baseTimestamp + cursor.timestampDelta;
      const offset = baseOffset + cursor.offsetDelta;
      if (timestamp >= timestampMs && offset >= minOffset) return { timestamp, offset, leaderEpoch };
    }
  } catch (error) {
    // A producer's bytes are kept as they came: a batch that does not decompress is passed over.
    if (!(error instanceof CompressionError)) throw error;
  }
  return null;
}
