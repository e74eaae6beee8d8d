// One segment: a .log file with its two indexes.
// Invariants: whole batches fill [0, sizeBytes) of the file; the largest timestamp belongs to a batch that is in the file;
// a sealed segment takes no more batches, its indexes are exactly their entries; a look-up that a read throws out of can be made again.
// Runs on: the log's owner. Which segment is the live one, and when to begin another, is the log's matter. Names of files: segment-files.ts.
import { isSafeTimestamp, lastOffset as lastOffsetOf, readBaseOffset, readMaxTimestamp } from '../protocol/records/batch.ts';
import { type BatchScanner, lookupScanner } from './batch-scanner.ts';
import { LOG_SUFFIX, OFFSET_INDEX_SUFFIX, TIME_INDEX_SUFFIX } from './file-names.ts';
import { areAllSound, areEndsProven, isTimeEntryProven, rebuildIndexes, startAtEntry } from './index-repair.ts';
import type { LogConfig } from './log-config.ts';
import { drawJitterMs, type LogOptions } from './log-options.ts';
import { OffsetIndex } from './offset-index.ts';
import { SegmentFiles } from './segment-files.ts';
import type { StorageError, StorageFile } from './storage.ts';
import { TimeIndex } from './time-index.ts';

/** Relative offsets are int32. */
export const RELATIVE_OFFSET_MAX = 2 ** 31 - 1;

/** What findBatch found; reused. `position` is -1 where no batch in the segment reaches the offset. */
export interface FoundBatch {
  position: number;
  sizeBytes: number;
  baseOffset: number;
}

/** What of a log's options concerns each of its segments. */
type SegmentOptions = Pick<LogOptions, 'storage' | 'random' | 'onDamage'>;

export class Segment {
  readonly baseOffset: number;
  readonly files: SegmentFiles;
  /** The .log */
  readonly file: StorageFile;
  readonly offsetIndex: OffsetIndex;
  readonly timeIndex: TimeIndex;
  sizeBytes: number;
  isClosed = false;
  /** Wall clock when this object was made; time-based rolling uses it where the first batch has no timestamp. */
  readonly createdMs: number;
  /** Taken off segment.ms for this segment. */
  readonly jitterMs: number;
  readonly #indexIntervalBytes: number;
  /** Hears of damage: what, and the file. */
  readonly #warn: ((damage: string, path: string) => void) | undefined;
  #bytesSinceIndexEntry = 0;
  /** Its indexes take more entries. */
  #isLive = false;
  /** All entries of both indexes were looked at, or are of this run. */
  #areIndexesChecked: boolean;
  /** The batches cannot be walked to the end: indexes cannot be made from them. */
  #areIndexesHopeless = false;
  #isMaxKnown = false;
  #maxTimestamp = -1;
  #maxTimestampOffset: number;
  /** Largest timestamp of the first batch; undefined until read. */
  #firstTimestamp: number | undefined = undefined;

  /** Opens the segment of `directory` that begins at `baseOffset`, or begins one. Throws StorageError. */
  constructor(options: SegmentOptions, directory: string, baseOffset: number, config: LogConfig, nowMs: number) {
    const { storage } = options;
    this.baseOffset = baseOffset;
    this.files = new SegmentFiles(storage, directory, baseOffset);
    this.file = storage.open(this.files.path(LOG_SUFFIX), 'create');
    this.sizeBytes = this.file.sizeBytes();
    this.offsetIndex = new OffsetIndex(storage, this.files.path(OFFSET_INDEX_SUFFIX), baseOffset, config.segmentIndexBytes);
    this.timeIndex = new TimeIndex(storage, this.files.path(TIME_INDEX_SUFFIX), baseOffset, config.segmentIndexBytes);
    this.createdMs = nowMs;
    this.jitterMs = drawJitterMs(options, config);
    this.#maxTimestampOffset = baseOffset;
    this.#isMaxKnown = this.sizeBytes === 0;
    this.#areIndexesChecked = this.sizeBytes === 0;
    this.#indexIntervalBytes = config.indexIntervalBytes;
    this.#warn = options.onDamage;
  }

  /** Makes it the live segment: room for index entries. */
  makeLive(config: LogConfig): void {
    this.offsetIndex.file.preallocate(config.segmentIndexBytes);
    this.timeIndex.file.preallocate(config.segmentIndexBytes);
    this.#isLive = true;
  }

  /**
   * Whether a batch of `sizeBytes` up to `lastOffset`, behind `stagedBytes` that are not written yet, belongs into the next segment.
   * The rules are Kafka's.
   */
  mustRoll(config: LogConfig, stagedBytes: number, sizeBytes: number, lastOffset: number, maxTimestampMs: number, nowMs: number): boolean {
    if (this.sizeBytes + stagedBytes > config.segmentBytes - sizeBytes) return true;
    if (this.sizeBytes > 0 && this.#waitedMs(maxTimestampMs, nowMs) > config.segmentMs - this.jitterMs) return true;
    return this.offsetIndex.isFull() || this.timeIndex.isFull() || lastOffset - this.baseOffset > RELATIVE_OFFSET_MAX;
  }

  /** Accounts for a batch that was just written at the end: index entries, sizes, largest timestamp. */
  noteAppended(sizeBytes: number, lastOffset: number, maxTimestampMs: number, indexIntervalBytes: number): void {
    const position = this.sizeBytes;
    if (position === 0) this.#firstTimestamp = maxTimestampMs;
    if (!this.#isMaxKnown) this.#loadMaxTimestamp();
    if (maxTimestampMs > this.#maxTimestamp) {
      this.#maxTimestamp = maxTimestampMs;
      this.#maxTimestampOffset = lastOffset;
    }
    if (this.#bytesSinceIndexEntry > indexIntervalBytes && !this.offsetIndex.isFull() && !this.timeIndex.isFull()) {
      this.offsetIndex.append(lastOffset, position);
      this.timeIndex.maybeAppend(this.#maxTimestamp, this.#maxTimestampOffset);
      this.#bytesSinceIndexEntry = 0;
    }
    this.#bytesSinceIndexEntry += sizeBytes;
    this.sizeBytes = position + sizeBytes;
  }

  /**
   * Starts `scanner` where a search for `offset` begins: a batch starts there, and the one wanted is not before it. An index that leads
   * elsewhere is made anew; where that is not possible the walk begins at an earlier entry, or at the segment's start.
   */
  startWalk(scanner: BatchScanner, offset: number): void {
    if (!this.#areIndexesChecked) this.#checkIndexes();
    let entry = this.offsetIndex.floorEntry(offset);
    if (entry >= 0 && startAtEntry(this, scanner, entry)) return;
    if (entry >= 0 && !this.#areIndexesHopeless) {
      this.rebuildIndexes();
      entry = this.offsetIndex.floorEntry(offset);
      if (entry >= 0 && startAtEntry(this, scanner, entry)) return;
    }
    // The entry's batch itself may be damaged: the one in front of it leads there.
    if (entry > 0 && startAtEntry(this, scanner, entry - 1)) return;
    scanner.start(this.file, 0, this.sizeBytes);
  }

  /**
   * The first batch that ends at or behind `offset`, into `found`. One index lookup and a walk over at most an index interval.
   * Position -1 without lookupScanner.stoppedBy: the segment ends before; with it, what stands at lookupScanner.position is no batch.
   */
  findBatch(offset: number, found: FoundBatch): void {
    found.position = -1;
    const scanner = lookupScanner;
    this.startWalk(scanner, offset);
    while (scanner.next()) {
      if (lastOffsetOf(scanner.bytes, scanner.at) < offset) continue;
      found.position = scanner.position;
      found.sizeBytes = scanner.sizeBytes;
      found.baseOffset = readBaseOffset(scanner.bytes, scanner.at);
      return;
    }
  }

  /** Largest timestamp in the segment, in ms; -1 where no record has one. */
  get maxTimestamp(): number {
    if (!this.#isMaxKnown) this.#loadMaxTimestamp();
    return this.#maxTimestamp;
  }

  /** For retention: as maxTimestamp, and where no record has one when the file was changed last. */
  get largestTimestampMs(): number {
    const timestamp = this.maxTimestamp;
    if (timestamp >= 0) return timestamp;
    const modifiedMs = this.file.modifiedMs();
    return modifiedMs >= 0 ? modifiedMs : this.createdMs;
  }

  /** Last offset of the batch with the largest timestamp. */
  get maxTimestampOffset(): number {
    if (!this.#isMaxKnown) this.#loadMaxTimestamp();
    return this.#maxTimestampOffset;
  }

  /** The offset behind the last batch, from the index and the headers behind its last entry; also learns the largest timestamp. */
  readEndOffset(): number {
    const entries = this.offsetIndex.entryCount;
    let end = this.baseOffset;
    const scanner = lookupScanner;
    this.#startFromTimeIndex();
    this.#isMaxKnown = false; // Until the walk has come to its end, in which each read may throw.
    if (entries === 0 || !startAtEntry(this, scanner, entries - 1)) scanner.start(this.file, 0, this.sizeBytes);
    let indexedPosition = 0;
    let isFirst = true;
    while (scanner.next()) {
      end = lastOffsetOf(scanner.bytes, scanner.at) + 1;
      if (isFirst) indexedPosition = scanner.position;
      isFirst = false;
      this.#raiseMaxTimestamp(readMaxTimestamp(scanner.bytes, scanner.at), end - 1);
      this.#bytesSinceIndexEntry = scanner.position + scanner.sizeBytes - indexedPosition;
    }
    this.#isMaxKnown = true;
    return end;
  }

  /** Whether the last entries of the indexes are right, as they must be in a segment that was closed cleanly; they are made anew otherwise. */
  proveEnds(): void {
    if (!this.#areIndexesHopeless && !areEndsProven(this, !this.#isLive)) this.rebuildIndexes();
  }

  /** Makes the indexes from the batches. False where these are damaged: the indexes are as they were. */
  rebuildIndexes(): boolean {
    // Without entries it may be as it should: a few large batches.
    const isSuspected = this.offsetIndex.entryCount === 0;
    const rebuilt = rebuildIndexes(this, this.#indexIntervalBytes);
    const isWhole = rebuilt.walkedBytes === this.sizeBytes;
    this.#areIndexesChecked = true;
    this.#areIndexesHopeless = !isWhole;
    if (!isWhole) {
      this.#warn?.(`what stands at position ${rebuilt.walkedBytes} is no batch that follows: an index cannot be rebuilt`, this.file.path);
      return false;
    }
    this.#maxTimestamp = rebuilt.maxTimestamp;
    this.#maxTimestampOffset = rebuilt.maxTimestampOffset;
    this.#isMaxKnown = true;
    this.#bytesSinceIndexEntry = rebuilt.bytesSinceIndexEntry;
    if (!this.#isLive) this.seal();
    if (!isSuspected || this.offsetIndex.entryCount > 0) this.noteIndexDamage();
    return true;
  }

  /** An offset that every record of the segment from `timestampMs` on is at or behind. */
  offsetBefore(timestampMs: number): number {
    if (!this.#areIndexesChecked) this.#checkIndexes();
    let entry = this.timeIndex.lowerEntry(timestampMs);
    if (entry >= 0 && !isTimeEntryProven(this, entry)) {
      if (this.#areIndexesHopeless || !this.rebuildIndexes()) return this.baseOffset;
      entry = this.timeIndex.lowerEntry(timestampMs);
    }
    return entry === -1 ? this.baseOffset : this.timeIndex.offsetAt(entry);
  }

  /** Tells that the indexes were wrong and are made anew. */
  noteIndexDamage(): void {
    this.#warn?.('an index did not belong to its segment and was rebuilt', this.files.path(OFFSET_INDEX_SUFFIX));
  }

  /** Tells that at `position` stands no batch. */
  noteDamage(position: number): void {
    this.#warn?.(
      `what stands at position ${position} is no batch: nothing can be read from there on to the next index entry`,
      this.file.path,
    );
  }

  /** Takes everything from file position `position` on away; the batch that began there had base offset `offset`. */
  truncate(position: number, offset: number): void {
    this.offsetIndex.truncateTo(offset);
    this.timeIndex.truncateTo(offset);
    this.file.truncate(position);
    this.sizeBytes = position;
    this.#isMaxKnown = false;
    if (position === 0) this.#firstTimestamp = undefined;
    this.readEndOffset();
  }

  /** Drops the index entries from the given ones on and what is known from them; recovery then calls noteAppended for the rest. */
  resetForRecovery(offsetEntries: number, timeEntries: number, position: number): void {
    this.offsetIndex.file.truncateEntries(offsetEntries);
    this.timeIndex.truncateEntries(timeEntries);
    this.sizeBytes = position;
    this.#startFromTimeIndex();
    // In front of a batch that had an entry: the first noteAppended adds it again.
    this.#bytesSinceIndexEntry = position === 0 ? 0 : Number.POSITIVE_INFINITY;
    this.#firstTimestamp = undefined;
  }

  /** No more batches: the last time entry, indexes trimmed to their entries. */
  seal(): void {
    if (this.maxTimestamp >= 0) this.timeIndex.maybeAppend(this.#maxTimestamp, this.#maxTimestampOffset);
    this.offsetIndex.file.trim();
    this.timeIndex.file.trim();
    this.#isLive = false;
  }

  /** Data first, then what only speeds up finding it. */
  sync(): void {
    this.file.sync();
    this.timeIndex.file.sync();
    this.offsetIndex.file.sync();
  }

  /** As sync(), off the loop; `done` hears of the end once. */
  syncLater(done: (error: StorageError | null) => void): void {
    this.file.syncLater((error) => {
      if (error !== null) return done(error);
      this.timeIndex.file.syncLater((timeError) => {
        if (timeError !== null) return done(timeError);
        this.offsetIndex.file.syncLater(done);
      });
    });
  }

  close(): void {
    this.isClosed = true;
    this.offsetIndex.file.close();
    this.timeIndex.file.close();
    this.file.close();
  }

  /** The directory was renamed; open files stay as they are. */
  movedTo(directory: string): void {
    this.files.movedTo(directory);
    this.offsetIndex.file.movedTo(this.files.path(OFFSET_INDEX_SUFFIX));
    this.timeIndex.file.movedTo(this.files.path(TIME_INDEX_SUFFIX));
  }

  #waitedMs(maxTimestampMs: number, nowMs: number): number {
    if (this.#firstTimestamp === undefined) {
      lookupScanner.start(this.file, 0, this.sizeBytes);
      this.#firstTimestamp = lookupScanner.next() ? readMaxTimestamp(lookupScanner.bytes, lookupScanner.at) : -1;
    }
    return this.#firstTimestamp >= 0 ? maxTimestampMs - this.#firstTimestamp : nowMs - this.createdMs;
  }

  #checkIndexes(): void {
    if (!areAllSound(this, this.#indexIntervalBytes) || !areEndsProven(this, !this.#isLive)) this.rebuildIndexes();
    this.#areIndexesChecked = true;
  }

  #loadMaxTimestamp(): void {
    if (!this.#areIndexesChecked) this.proveEnds();
    if (!this.#isMaxKnown) this.readEndOffset();
  }

  #startFromTimeIndex(): void {
    const entries = this.timeIndex.entryCount;
    this.#maxTimestamp = entries === 0 ? -1 : this.timeIndex.timestampAt(entries - 1);
    this.#maxTimestampOffset = entries === 0 ? this.baseOffset : this.timeIndex.offsetAt(entries - 1);
    this.#isMaxKnown = true;
  }

  #raiseMaxTimestamp(timestampMs: number, lastOffset: number): void {
    if (timestampMs <= this.#maxTimestamp || !isSafeTimestamp(timestampMs)) return;
    this.#maxTimestamp = timestampMs;
    this.#maxTimestampOffset = lastOffset;
  }
}
