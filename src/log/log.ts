// One partition's log in Apache Kafka's format: stages batches, writes them, plans reads, recovers after a crash.
// Invariants: stagedEnd >= writtenEnd >= the high watermark (which its owner keeps); readers are told of nothing behind writtenEnd;
// recoveryPoint <= writtenEnd, and everything below it is on the medium; after a failed write the log takes nothing more and is
// opened anew (recovery), never patched.
// Runs on: the worker that owns the partition. Not in here: who leads, who may read how far, which segments are too old (retention.ts).
import { assert } from '../base/assert.ts';
import type { AppendResult } from './append-result.ts';
import type { EpochEndOffset, LeaderEpochCache } from './leader-epoch-cache.ts';
import { LogAppender } from './log-appender.ts';
import type { LogConfig } from './log-config.ts';
import { LogFlusher } from './log-flusher.ts';
import { LogHead } from './log-head.ts';
import { beginLog, type LoadedLog, loadLog, loadProducers } from './log-loader.ts';
import type { LogOptions } from './log-options.ts';
import { LogReader, type TimestampOffset } from './log-reader.ts';
import { findOffset } from './named-offsets.ts';
import { PartitionDirectory } from './partition-directory.ts';
import type { ProducerSnapshots } from './producer-snapshot.ts';
import type { ProducerEntry, ProducerState } from './producer-state.ts';
import { ReadPlan } from './read-plan.ts';
import { RecentBatches } from './recent-batches.ts';
import { Segment } from './segment.ts';
import type { SegmentList } from './segment-list.ts';
import type { StorageError } from './storage.ts';
import { truncateSegments } from './truncation.ts';

export { type AppendResult, createAppendResult } from './append-result.ts';
export type { EpochEndOffset } from './leader-epoch-cache.ts';
export { DEFAULT_LOG_CONFIG, type LogConfig } from './log-config.ts';
export { InconsistentTopicIdError, type LogOptions } from './log-options.ts';
export type { TimestampOffset } from './log-reader.ts';
export { ReadPlan } from './read-plan.ts';

export function createReadPlan(): ReadPlan {
  return new ReadPlan();
}

export class Log {
  readonly topicId: string | null;
  /** Bytes that recovery cut off behind the last whole batch, segments behind it included, and bytes it read, at open. */
  readonly recoveredCutBytes: number;
  readonly recoveredBytes: number;
  /** The oldest end: where the log starts, and what leaves it there. */
  readonly head: LogHead;
  #directory: PartitionDirectory;
  #options: LogOptions;
  #segments: SegmentList;
  #epochs: LeaderEpochCache;
  #producers: ProducerState;
  #snapshots: ProducerSnapshots;
  #reader: LogReader;
  #flusher: LogFlusher;
  #recent = new RecentBatches();
  #appender: LogAppender;
  #loaded: LoadedLog;
  #isClosed = false;
  #epochEnd: EpochEndOffset = { leaderEpoch: -1, endOffset: -1 };

  /**
   * Opens the log, making its directory where it is missing. Throws StorageError, and what a directory that is not ours calls for:
   * MalformedFileError, UnsupportedFormatError, InconsistentTopicIdError.
   */
  static open(options: LogOptions): Log {
    const directory = PartitionDirectory.open(options);
    return new Log(options, directory.wasMade ? beginLog(options) : loadLog(options), directory);
  }

  private constructor(options: LogOptions, loaded: LoadedLog, directory: PartitionDirectory) {
    this.topicId = options.topicId;
    this.recoveredCutBytes = loaded.cutBytes;
    this.recoveredBytes = loaded.checkedBytes;
    this.#directory = directory;
    this.#options = options;
    this.#segments = loaded.segments;
    this.#epochs = loaded.epochs;
    this.#producers = loaded.producers;
    this.#snapshots = loaded.snapshots;
    this.#reader = new LogReader(loaded.segments, this.#recent);
    this.#loaded = loaded;
    this.#flusher = new LogFlusher(loaded, directory, (withSnapshot) => this.#flushTarget(withSnapshot), {
      onFailed: () => {
        this.#appender.isFailed = true;
      },
    });
    const newSegment = (baseOffset: number, nowMs: number): Segment => this.#newSegment(baseOffset, nowMs);
    this.#appender = new LogAppender(loaded, options.config, options.nowMs, this.#recent, this.#flusher, newSegment);
    this.head = new LogHead(loaded, this.#appender, this.#reader, (segment) => this.#closeSegment(segment));
  }

  get config(): LogConfig {
    return this.#appender.config;
  }

  /** A live change of the topic's configuration: counts from the next batch on. */
  set config(config: LogConfig) {
    this.#appender.config = config;
  }

  get directory(): string {
    return this.#directory.path;
  }

  /** The first offset that may be read. */
  get logStartOffset(): number {
    return this.head.startOffset;
  }

  /** The offset that the next staged batch gets. */
  get stagedEnd(): number {
    return this.#appender.stagedEnd;
  }

  /** Everything below is in the files. */
  get writtenEnd(): number {
    return this.#appender.writtenEnd;
  }

  /** Everything below is on the medium, indexes and epochs included: recovery after a crash begins here. */
  get recoveryPoint(): number {
    return this.#flusher.recoveryPoint;
  }

  /** Bytes written since the last flush began. */
  get unflushedBytes(): number {
    return this.#flusher.unflushedBytes;
  }

  get latestEpoch(): number {
    return this.#epochs.latestEpoch;
  }

  /** Base offset of the segment that takes what is written. */
  get liveSegmentBaseOffset(): number {
    return this.#segments.live.baseOffset;
  }

  /** Where the next batch will be written in the live segment: everything in front of it may be read. */
  get liveSegmentSizeBytes(): number {
    return this.#segments.live.sizeBytes;
  }

  /** What the storage says of that: the same between writes, unless somebody else writes there. Throws StorageError. */
  get liveFileSizeBytes(): number {
    return this.#segments.live.file.sizeBytes();
  }

  get segmentCount(): number {
    return this.#segments.count;
  }

  /** Start of the oldest open transaction, -1 without one. */
  get firstUnstableOffset(): number {
    return this.#producers.firstUnstableOffset();
  }

  /** Where the last aborted transaction ends, 0 without one: what lies behind has none. None is added while the log is open. */
  get abortedEnd(): number {
    return (this.#loaded.aborted.at(-1)?.lastOffset ?? -1) + 1;
  }

  /** Those that have written with an id and are remembered. */
  producerEntries(): IterableIterator<ProducerEntry> {
    return this.#producers.entries();
  }
  get producerCount(): number {
    return this.#producers.producerCount;
  }

  /** What opening this log has made and nobody has synced yet: a file, then the directories that name things, the outermost last. */
  get unsyncedPaths(): readonly string[] {
    return this.#directory.unsyncedPaths;
  }

  /** The caller has synced them all. */
  noteMadeSynced(): void {
    this.#directory.noteMadeSynced();
  }

  /** A sync is under way in the pool: its failure may still be unheard. */
  get isFlushing(): boolean {
    return this.#flusher.isFlushing;
  }

  /** A write or a flush failed: nothing is taken any more. */
  get isFailed(): boolean {
    return this.#appender.isFailed;
  }

  /** Bytes of the .log files. */
  sizeBytes(): number {
    return this.#segments.sizeBytes();
  }

  /**
   * Checks what a client sent for this partition (exactly one batch at bytes[position, position + length)), assigns base offset and
   * leader epoch in place, and holds it for writeStaged(). No file is touched; the bytes stay as they are until writeStaged().
   * Throws nothing for a peer's mistake: `result` tells, with Kafka's error codes.
   */
  stage(bytes: Uint8Array, position: number, length: number, leaderEpoch: number, nowMs: number, result: AppendResult): void {
    this.#appender.stage(bytes, position, length, leaderEpoch, nowMs, result);
  }

  /**
   * The checks of `stage` that come before records are looked at: for a batch that is to be compressed anew. False where it is refused;
   * `result` has the error then.
   */
  examine(bytes: Uint8Array, position: number, length: number, result: AppendResult): boolean {
    return this.#appender.examine(bytes, position, length, result);
  }

  /** As `stage`, for the batch at `position` that was examined, and whose records were checked. */
  stageExamined(bytes: Uint8Array, position: number, leaderEpoch: number, nowMs: number, result: AppendResult): void {
    this.#appender.stageExamined(bytes, position, leaderEpoch, nowMs, result);
  }

  /**
   * Stages batches that this broker made itself: any number in a row, control batches included, with checksums already right.
   * Offsets and leader epoch are assigned in place. The base offset of the first.
   */
  stageOwn(bytes: Uint8Array, position: number, length: number, leaderEpoch: number, nowMs: number): number {
    return this.#appender.stageOwn(bytes, position, length, leaderEpoch, nowMs);
  }

  /**
   * Stages a batch as its leader wrote it: offsets and leader epoch stay. The caller has checked frame and checksum.
   * An error code: OFFSET_OUT_OF_RANGE for a batch that does not follow the staged end.
   */
  stageReplicated(bytes: Uint8Array, position: number, nowMs: number): number {
    return this.#appender.stageReplicated(bytes, position, nowMs);
  }

  /**
   * Writes everything staged: one gathered write, more where a segment begins. Afterwards writtenEnd === stagedEnd.
   * Throws StorageError; the file is cut back to whole batches as far as it lets itself be cut, and the log takes nothing more.
   */
  writeStaged(): void {
    this.#appender.writeStaged();
    const writebackBytes = this.#options.writebackBytes ?? 0;
    if (writebackBytes > 0 && this.#flusher.unflushedBytes >= writebackBytes) this.flushLater(this.#onWriteback);
  }

  /**
   * Where to read from `offset` on, into `plan`: from the batch that holds it, at most `maxBytes`, never at or behind `limitOffset`.
   * The first batch is whole even where it is larger than `maxBytes`, if `minOneBatch`. Length 0: nothing to read yet.
   * OFFSET_OUT_OF_RANGE (in plan.error) below logStartOffset or above writtenEnd. Touches no file near the tail.
   */
  planRead(offset: number, maxBytes: number, limitOffset: number, minOneBatch: boolean, plan: ReadPlan): void {
    this.#reader.plan(offset, maxBytes, limitOffset, minOneBatch, this.head.startOffset, this.writtenEnd, plan);
  }

  /** ListOffsets: a time in ms, or one of the named ones (-1 … -6). `limitOffset` is what may be seen. Null: no such record. */
  offsetForTimestamp(timestamp: number, limitOffset: number): TimestampOffset | null {
    return findOffset(timestamp, this.head.startOffset, limitOffset, this.#epochs, this.#reader);
  }

  /** OffsetForLeaderEpoch: the largest known epoch that is at most `epoch`, and where it ends. The object is reused. */
  epochEndOffset(epoch: number): EpochEndOffset {
    this.#epochs.endOffsetFor(epoch, this.writtenEnd, this.#epochEnd);
    return this.#epochEnd;
  }

  epochForOffset(offset: number): number {
    return this.#epochs.epochForOffset(offset);
  }

  /** A new leader begins its epoch at `offset`, the log's end. */
  assignEpochStart(epoch: number, offset: number): void {
    this.#epochs.assign(epoch, offset);
  }

  /** Everything written is on the medium when this returns. Throws StorageError. */
  flush(): void {
    this.#flusher.flush();
  }

  /**
   * The same off the loop: `done` is called once, later, when everything written before this call is on the medium. Of a log that was closed
   * meanwhile, because its topic is gone, files may be missing: that is no failure.
   */
  flushLater(done: (error: StorageError | null) => void): void {
    this.#flusher.flushLater(done);
  }

  /** As many records as flush.messages allows to wait are written and not on the medium, as far as is known. */
  get isSyncDue(): boolean {
    return this.writtenEnd - this.#flusher.syncedEnd >= this.config.flushMessages;
  }

  /** Brings what is written before this call to the medium, as far as it takes to read it again: `done` is called once, later. */
  syncRecordsLater(done: (error: StorageError | null) => void): void {
    this.#flusher.syncRecordsLater(done);
  }

  /**
   * Cuts the tail: the log ends at `offset`, or at the start of the batch that holds it. Nothing may be staged. The caller writes the
   * directory's recovery point checkpoint before it appends again: the old one vouches for bytes that are gone.
   */
  truncateTo(offset: number): void {
    assert(!this.#appender.hasStaged, 'nothing is staged while a log is truncated');
    if (offset >= this.writtenEnd) return;
    const end = truncateSegments(this.#loaded, offset, {
      closeSegment: (segment) => this.#closeSegment(segment),
      newSegment: (baseOffset) => this.#newSegment(baseOffset, this.#appender.nowMs),
    });
    this.#segments.live.makeLive(this.config);
    // What was cut must not come back from the medium once other batches stand there.
    this.#segments.live.file.sync();
    this.#directory.sync();
    this.#recent.clear();
    this.#reader.forget();
    this.#appender.truncatedTo(end);
    this.head.truncatedTo(end);
    this.#flusher.truncatedTo(end);
    this.#epochs.truncateFromEnd(end);
    this.#epochs.save();
    const unclean = { cleanShutdown: false, nowMs: this.#appender.nowMs, config: this.config };
    loadProducers(this.#producers, this.#snapshots, this.#segments, this.head.startOffset, end, unclean);
  }

  /**
   * The log is not used any more. `clean`: indexes trimmed, everything synced, a producer snapshot at the end, so that the next open
   * checks nothing; otherwise the files are closed as they are. Throws StorageError.
   */
  close({ clean }: { clean: boolean }): void {
    if (this.#isClosed) return;
    if (clean && !this.#appender.isFailed) {
      assert(!this.#appender.hasStaged, 'nothing is staged when a log is closed');
      this.#segments.live.seal();
      this.#flusher.flush();
      if (this.writtenEnd > this.head.startOffset) this.#snapshots.writeSynced(this.writtenEnd, this.#appender.encodeProducers());
      this.head.removeDeleted();
    }
    this.closeFiles();
  }

  /** Closes every file, whatever is in it: the end of a deleted or failed log, once nobody reads it any more. */
  closeFiles(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#appender.isFailed = true;
    this.#flusher.stop();
    for (const segment of this.#segments.all()) segment.close();
    this.head.closeDeleted();
  }

  /**
   * The topic is gone: the directory becomes `<topic>-<p>.<uuid>-delete` and takes no more batches. The new path. Not synced: where the power
   * goes first, the next start finds a directory of no topic. Throws StorageError.
   */
  markDeleted(uuid: string, suffix = '-delete'): string {
    const path = this.#directory.markDeleted(uuid, suffix);
    this.#appender.isFailed = true;
    for (const segment of this.#segments.all()) segment.movedTo(path);
    this.#epochs.movedTo(path);
    this.#snapshots.movedTo(path);
    return path;
  }

  /** After markDeleted, file.delete.delay.ms later: closes what is open and removes the directory. */
  remove(): void {
    this.closeFiles();
    this.#directory.remove();
  }

  #onWriteback = (error: StorageError | null): void => {
    if (error !== null) this.#options.onWritebackError?.(error);
  };

  #newSegment(baseOffset: number, nowMs: number): Segment {
    return new Segment(this.#options, this.#directory.path, baseOffset, this.config, nowMs);
  }

  #closeSegment(segment: Segment): void {
    const hook = this.#options.onClosingFile;
    if (hook === undefined) segment.close();
    else hook(segment.file, () => segment.close());
  }

  /** What a flush that begins now vouches for. Producer state stands at the staged end, so it counts only when all is written. */
  #flushTarget(withSnapshot: boolean): { offset: number; snapshot: Uint8Array | null } {
    const isAllWritten = !this.#appender.hasStaged;
    return { offset: this.writtenEnd, snapshot: withSnapshot && isAllWritten ? this.#appender.encodeProducers() : null };
  }
}
