// One segment: a .log file with its two indexes.
// Invariants: whole batches fill [0, sizeBytes) of the file; the largest timestamp belongs to a batch that is in the file;
// a sealed segment takes no more batches, its indexes are exactly their entries.
// Runs on: the log's owner. Which segment is the live one, and when to begin another, is the log's matter.
import { isSafeTimestamp, lastOffset as lastOffsetOf, readBaseOffset, readMaxTimestamp } from '../protocol/records/batch.ts';
import { lookupScanner } from './batch-scanner.ts';
import { LOG_SUFFIX, OFFSET_INDEX_SUFFIX, offsetFileName, TIME_INDEX_SUFFIX, TRANSACTION_INDEX_SUFFIX } from './file-names.ts';
import type { LogConfig } from './log-config.ts';
import { OffsetIndex } from './offset-index.ts';
import type { Storage, StorageError, StorageFile } from './storage.ts';
import { TimeIndex } from './time-index.ts';

/** Relative offsets are int32. */
export const RELATIVE_OFFSET_MAX = 2 ** 31 - 1;

/** What findBatch found; reused. `position` is -1 where no batch in the segment reaches the offset. */
export interface FoundBatch {
  position: number;
  sizeBytes: number;
  baseOffset: number;
}

export class Segment {
  readonly baseOffset: number;
  readonly file: StorageFile;
  readonly offsetIndex: OffsetIndex;
  readonly timeIndex: TimeIndex;
  sizeBytes: number;
  isClosed = false;
  /** Wall clock when this object was made; time-based rolling uses it where the first batch has no timestamp. */
  readonly createdMs: number;
  /** Taken off segment.ms for this segment. */
  readonly jitterMs: number;
  #storage: Storage;
  #directory: string;
  #bytesSinceIndexEntry = 0;
  #isMaxKnown = false;
  #maxTimestamp = -1;
  #maxTimestampOffset: number;
  /** Largest timestamp of the first batch; undefined until read. */
  #firstTimestamp: number | undefined = undefined;

  constructor(storage: Storage, directory: string, baseOffset: number, config: LogConfig, nowMs: number, jitterMs: number) {
    this.#storage = storage;
    this.#directory = directory;
    this.baseOffset = baseOffset;
    this.file = storage.open(this.path(LOG_SUFFIX), 'create');
    this.sizeBytes = this.file.sizeBytes();
    this.offsetIndex = new OffsetIndex(storage, this.path(OFFSET_INDEX_SUFFIX), baseOffset, config.segmentIndexBytes);
    this.timeIndex = new TimeIndex(storage, this.path(TIME_INDEX_SUFFIX), baseOffset, config.segmentIndexBytes);
    this.createdMs = nowMs;
    this.jitterMs = jitterMs;
    this.#maxTimestampOffset = baseOffset;
    this.#isMaxKnown = this.sizeBytes === 0;
  }

  path(suffix: string): string {
    return `${this.#directory}/${offsetFileName(this.baseOffset, suffix)}`;
  }

  /** Makes it the live segment: room for index entries. */
  makeLive(config: LogConfig): void {
    this.offsetIndex.file.preallocate(config.segmentIndexBytes);
    this.timeIndex.file.preallocate(config.segmentIndexBytes);
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

  /** The first batch that ends at or behind `offset`, into `found`. One index lookup and a walk over at most an index interval. */
  findBatch(offset: number, found: FoundBatch): void {
    found.position = -1;
    const scanner = lookupScanner;
    scanner.start(this.file, this.offsetIndex.lookup(offset), this.sizeBytes);
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
    scanner.start(this.file, entries === 0 ? 0 : this.offsetIndex.positionAt(entries - 1), this.sizeBytes);
    this.#startFromTimeIndex();
    let indexedPosition = scanner.position;
    let isFirst = true;
    while (scanner.next()) {
      end = lastOffsetOf(scanner.bytes, scanner.at) + 1;
      if (isFirst) indexedPosition = scanner.position;
      isFirst = false;
      this.#raiseMaxTimestamp(readMaxTimestamp(scanner.bytes, scanner.at), end - 1);
      this.#bytesSinceIndexEntry = scanner.position + scanner.sizeBytes - indexedPosition;
    }
    return end;
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
    this.#directory = directory;
    this.offsetIndex.file.movedTo(this.path(OFFSET_INDEX_SUFFIX));
    this.timeIndex.file.movedTo(this.path(TIME_INDEX_SUFFIX));
  }

  /** Marks every file of the segment with `suffix` (.deleted); the .log goes first, so that a crash leaves no log without index. */
  renameFiles(suffix: string): void {
    for (const kind of [LOG_SUFFIX, OFFSET_INDEX_SUFFIX, TIME_INDEX_SUFFIX, TRANSACTION_INDEX_SUFFIX]) {
      const path = this.path(kind);
      if (this.#storage.exists(path)) this.#storage.rename(path, `${path}${suffix}`);
    }
  }

  removeFiles(suffix: string): void {
    for (const kind of [LOG_SUFFIX, OFFSET_INDEX_SUFFIX, TIME_INDEX_SUFFIX, TRANSACTION_INDEX_SUFFIX]) {
      this.#storage.remove(`${this.path(kind)}${suffix}`);
    }
  }

  #waitedMs(maxTimestampMs: number, nowMs: number): number {
    if (this.#firstTimestamp === undefined) {
      lookupScanner.start(this.file, 0, this.sizeBytes);
      this.#firstTimestamp = lookupScanner.next() ? readMaxTimestamp(lookupScanner.bytes, lookupScanner.at) : -1;
    }
    return this.#firstTimestamp >= 0 ? maxTimestampMs - this.#firstTimestamp : nowMs - this.createdMs;
  }

  #loadMaxTimestamp(): void {
    this.readEndOffset();
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
