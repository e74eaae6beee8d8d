// One partition's log in Apache Kafka's format: stages batches, writes them, plans reads, recovers after a crash.
// Invariants: stagedEnd >= writtenEnd >= the high watermark (which its owner keeps); readers are told of nothing behind writtenEnd;
// recoveryPoint <= writtenEnd, and everything below it is on the medium; after a failed write the log takes nothing more and is
// opened anew (recovery), never patched.
// Runs on: the worker that owns the partition. Not in here: who leads, who may read how far, retention.
import { assert } from '../base/assert.ts';
import type { Random } from '../base/random.ts';
import { ERROR } from '../protocol/errors.ts';
import {
  batchSizeBytes,
  checkBatchFrame,
  isTransactional,
  LOG_APPEND_TIME_BIT,
  lastOffset as lastOffsetOf,
  readAttributes,
  readBaseOffset,
  readBaseSequence,
  readLastOffsetDelta,
  readLeaderEpoch,
  readMaxTimestamp,
  readProducerEpoch,
  readProducerId,
  recomputeCrc,
  writeAttributes,
  writeBaseOffset,
  writeLeaderEpoch,
  writeMaxTimestamp,
} from '../protocol/records/batch.ts';
import { type AppendResult, refuse, resetAppendResult } from './append-result.ts';
import { validateClientBatch } from './append-validator.ts';
import { markedDirectoryName } from './file-names.ts';
import type { EpochEndOffset, LeaderEpochCache } from './leader-epoch-cache.ts';
import { type LogConfig, PRODUCER_EXPIRY_CHECK_MS } from './log-config.ts';
import { LogFlusher } from './log-flusher.ts';
import { type LoadedLog, loadLog, loadProducers } from './log-loader.ts';
import { LogReader, type TimestampOffset } from './log-reader.ts';
import { readPartitionMetadata, writePartitionMetadata } from './partition-metadata.ts';
import { replayBatch } from './producer-replay.ts';
import { encodeSnapshot, type ProducerSnapshots } from './producer-snapshot.ts';
import type { ProducerState } from './producer-state.ts';
import { ReadPlan } from './read-plan.ts';
import { RecentBatches } from './recent-batches.ts';
import { Segment } from './segment.ts';
import type { SegmentList } from './segment-list.ts';
import { StagedBatches } from './staged-batches.ts';
import { type Storage, StorageError, type StorageFile } from './storage.ts';

export { type AppendResult, createAppendResult } from './append-result.ts';
export type { EpochEndOffset } from './leader-epoch-cache.ts';
export { DEFAULT_LOG_CONFIG, type LogConfig } from './log-config.ts';
export type { TimestampOffset } from './log-reader.ts';
export { ReadPlan } from './read-plan.ts';

export function createReadPlan(): ReadPlan {
  return new ReadPlan();
}

/** The times that ListOffsets asks for by name. */
export const LATEST_TIMESTAMP = -1;
export const EARLIEST_TIMESTAMP = -2;
export const MAX_TIMESTAMP = -3; // KIP-734
export const EARLIEST_LOCAL_TIMESTAMP = -4; // KIP-405
export const LATEST_TIERED_TIMESTAMP = -5; // KIP-1005
export const EARLIEST_PENDING_UPLOAD_TIMESTAMP = -6; // KIP-1023

export interface LogOptions {
  readonly storage: Storage;
  /** The partition's directory, `<log dir>/<topic>-<partition>`; made where it is missing. */
  readonly directory: string;
  /** Written to partition.metadata where there is none; null leaves the file out (the metadata log of a static quorum). */
  readonly topicId: string | null;
  readonly config: LogConfig;
  readonly nowMs: number;
  /** Whether the broker that wrote the directory stopped cleanly; false checks everything behind the recovery point. */
  readonly cleanShutdown: boolean;
  /** From the directory's checkpoints; 0 where there is no entry. */
  readonly recoveryPoint: number;
  readonly logStartOffset: number;
  /** naru.writeback.bytes: after so many written bytes a sync is begun in the pool. 0 never does. */
  readonly writebackBytes?: number;
  /** Hears of a write-behind that failed. */
  readonly onWritebackError?: (error: StorageError) => void;
  /** For segment.jitter.ms; without it segments have no jitter. */
  readonly random?: Random;
  /** A file is about to be closed that readers may hold plans on: whoever gets it calls `close` once they are done. */
  readonly onClosingFile?: (file: StorageFile, close: () => void) => void;
}

/** A segment that begins with a staged batch; the snapshot is of the producers as they were before it. */
interface StagedRoll {
  readonly index: number;
  readonly baseOffset: number;
  readonly snapshot: Uint8Array;
}

export class Log {
  readonly topicId: string | null;
  /** Bytes that recovery cut off behind the last whole batch, and bytes it read, at open. */
  readonly recoveredCutBytes: number;
  readonly recoveredBytes: number;
  config: LogConfig;
  #storage: Storage;
  #directory: string;
  #options: LogOptions;
  #segments: SegmentList;
  #epochs: LeaderEpochCache;
  #producers: ProducerState;
  #snapshots: ProducerSnapshots;
  #reader: LogReader;
  #flusher: LogFlusher;
  #recent = new RecentBatches();
  #staged = new StagedBatches();
  #rolls: StagedRoll[] = [];
  /** Bytes staged for the segment that will then be live. */
  #stagedSegmentBytes = 0;
  /** Largest timestamp of the first batch of a segment that a staged roll begins. */
  #stagedSegmentFirstMs = -1;
  #logStartOffset: number;
  #stagedEnd: number;
  #writtenEnd: number;
  #nowMs: number;
  #nextExpiryMs: number;
  #isFailed = false;
  #isClosed = false;
  #deleted: Segment[] = [];
  #epochEnd: EpochEndOffset = { leaderEpoch: -1, endOffset: -1 };

  /** Opens the log, making its directory where it is missing. Throws StorageError, MalformedFileError, UnsupportedFormatError. */
  static open(options: LogOptions): Log {
    const { storage, directory, topicId } = options;
    if (!storage.isDirectory(directory)) storage.makeDirectory(directory);
    if (topicId !== null && readPartitionMetadata(storage, directory) === null) writePartitionMetadata(storage, directory, topicId);
    return new Log(options, loadLog(options, jitterOf(options)));
  }

  private constructor(options: LogOptions, loaded: LoadedLog) {
    this.topicId = options.topicId;
    this.recoveredCutBytes = loaded.cutBytes;
    this.recoveredBytes = loaded.checkedBytes;
    this.config = options.config;
    this.#storage = options.storage;
    this.#directory = options.directory;
    this.#options = options;
    this.#segments = loaded.segments;
    this.#epochs = loaded.epochs;
    this.#producers = loaded.producers;
    this.#snapshots = loaded.snapshots;
    this.#reader = new LogReader(loaded.segments, this.#recent);
    this.#logStartOffset = loaded.logStartOffset;
    this.#stagedEnd = loaded.endOffset;
    this.#writtenEnd = loaded.endOffset;
    this.#nowMs = options.nowMs;
    this.#nextExpiryMs = options.nowMs + PRODUCER_EXPIRY_CHECK_MS;
    this.#flusher = new LogFlusher(
      loaded,
      () => this.#flushTarget(),
      () => options.storage.syncDirectory(this.#directory),
    );
  }

  get directory(): string {
    return this.#directory;
  }

  /** The first offset that may be read. */
  get logStartOffset(): number {
    return this.#logStartOffset;
  }

  /** The offset that the next staged batch gets. */
  get stagedEnd(): number {
    return this.#stagedEnd;
  }

  /** Everything below is in the files. */
  get writtenEnd(): number {
    return this.#writtenEnd;
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

  get segmentCount(): number {
    return this.#segments.count;
  }

  /** Start of the oldest open transaction, -1 without one. */
  get firstUnstableOffset(): number {
    return this.#producers.firstUnstableOffset();
  }

  get producerCount(): number {
    return this.#producers.producerCount;
  }

  /** A write or a flush failed: nothing is taken any more. */
  get isFailed(): boolean {
    return this.#isFailed;
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
    resetAppendResult(result);
    if (this.#isFailed) {
      refuse(result, ERROR.KAFKA_STORAGE_ERROR, 'The log directory is offline');
      return;
    }
    if (!validateClientBatch(bytes, position, length, this.config, nowMs, result)) return;
    const producerId = readProducerId(bytes, position);
    if (producerId >= 0 && !this.#checkProducer(bytes, position, producerId, nowMs, result)) return;
    if (producerId < 0 && isTransactional(bytes, position)) {
      refuse(result, ERROR.INVALID_RECORD, 'Transactional batch without a producer id');
      return;
    }
    if (this.config.isLogAppendTime) {
      writeMaxTimestamp(bytes, position, nowMs);
      writeAttributes(bytes, position, readAttributes(bytes, position) | LOG_APPEND_TIME_BIT);
      recomputeCrc(bytes, position);
      result.logAppendTimeMs = nowMs;
    }
    result.baseOffset = this.#stagedEnd;
    result.lastOffset = this.#stageBatch(bytes, position, length, leaderEpoch, nowMs);
  }

  /**
   * Stages batches that this broker made itself: any number in a row, control batches included, with checksums already right.
   * Offsets and leader epoch are assigned in place. The base offset of the first; `result` of stage() is not needed.
   */
  stageOwn(bytes: Uint8Array, position: number, length: number, leaderEpoch: number, nowMs: number): number {
    assert(!this.#isFailed, 'the log takes nothing after a failed write');
    const baseOffset = this.#stagedEnd;
    for (let at = position, end = position + length; at < end; ) {
      assert(checkBatchFrame(bytes, at, end - at) === 0, 'own batches are whole');
      const sizeBytes = batchSizeBytes(bytes, at);
      this.#stageBatch(bytes, at, sizeBytes, leaderEpoch, nowMs);
      at += sizeBytes;
    }
    return baseOffset;
  }

  /**
   * Stages a batch as its leader wrote it: offsets and leader epoch stay. The caller has checked frame and checksum.
   * An error code: OFFSET_OUT_OF_RANGE for a batch that does not follow the staged end.
   */
  stageReplicated(bytes: Uint8Array, position: number, nowMs: number): number {
    if (this.#isFailed) return ERROR.KAFKA_STORAGE_ERROR;
    if (readBaseOffset(bytes, position) < this.#stagedEnd) return ERROR.OFFSET_OUT_OF_RANGE;
    this.#accept(
      bytes,
      position,
      batchSizeBytes(bytes, position),
      readBaseOffset(bytes, position),
      readLeaderEpoch(bytes, position),
      nowMs,
    );
    return ERROR.NONE;
  }

  /**
   * Writes everything staged: one gathered write, more where a segment begins. Afterwards writtenEnd === stagedEnd.
   * Throws StorageError; the file is cut back to whole batches as far as it lets itself be cut, and the log takes nothing more.
   */
  writeStaged(): void {
    const staged = this.#staged;
    if (staged.count === 0) return;
    try {
      let from = 0;
      for (const roll of this.#rolls) {
        this.#writeGroup(from, roll.index);
        this.#roll(roll);
        from = roll.index;
      }
      this.#writeGroup(from, staged.count);
    } catch (error) {
      this.#isFailed = true;
      throw error;
    }
    staged.clear();
    this.#rolls.length = 0;
    this.#stagedSegmentBytes = 0;
    assert(this.#writtenEnd === this.#stagedEnd, 'everything staged is written');
    const writebackBytes = this.#options.writebackBytes ?? 0;
    if (writebackBytes > 0 && this.#flusher.unflushedBytes >= writebackBytes) this.flushLater(this.#onWriteback);
  }

  /**
   * Where to read from `offset` on, into `plan`: from the batch that holds it, at most `maxBytes`, never at or behind `limitOffset`.
   * The first batch is whole even where it is larger than `maxBytes`, if `minOneBatch`. Length 0: nothing to read yet.
   * OFFSET_OUT_OF_RANGE (in plan.error) below logStartOffset or above writtenEnd. Touches no file near the tail.
   */
  planRead(offset: number, maxBytes: number, limitOffset: number, minOneBatch: boolean, plan: ReadPlan): void {
    this.#reader.plan(offset, maxBytes, limitOffset, minOneBatch, this.#logStartOffset, this.#writtenEnd, plan);
  }

  /** ListOffsets: a time in ms, or one of the named ones (-1 … -6). `limitOffset` is what may be seen. Null: no such record. */
  offsetForTimestamp(timestamp: number, limitOffset: number): TimestampOffset | null {
    switch (timestamp) {
      case LATEST_TIMESTAMP:
        return { timestamp: -1, offset: limitOffset, leaderEpoch: this.#epochs.latestEpoch };
      case EARLIEST_TIMESTAMP:
      case EARLIEST_LOCAL_TIMESTAMP:
        return { timestamp: -1, offset: this.#logStartOffset, leaderEpoch: this.#epochs.epochForOffset(this.#logStartOffset) };
      case MAX_TIMESTAMP:
        return this.#reader.findMaxTimestamp();
      case LATEST_TIERED_TIMESTAMP:
      case EARLIEST_PENDING_UPLOAD_TIMESTAMP:
        return { timestamp: -1, offset: -1, leaderEpoch: -1 }; // Nothing is tiered.
      default:
        return this.#reader.findByTimestamp(timestamp, this.#logStartOffset, limitOffset);
    }
  }

  /** OffsetForLeaderEpoch: the largest known epoch that is at most `epoch`, and where it ends. The object is reused. */
  epochEndOffset(epoch: number): EpochEndOffset {
    this.#epochs.endOffsetFor(epoch, this.#writtenEnd, this.#epochEnd);
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

  /** The same off the loop: `done` is called once, later, when everything written before this call is on the medium. */
  flushLater(done: (error: StorageError | null) => void): void {
    this.#flusher.flushLater(done);
  }

  /** Trims the head: nothing below `offset` is readable any more. The files go with deleteTrimmedSegments(). */
  advanceLogStart(offset: number): void {
    assert(offset <= this.#writtenEnd, 'the log starts within what is written');
    if (offset <= this.#logStartOffset) return;
    this.#logStartOffset = offset;
    this.#epochs.truncateFromStart(offset);
  }

  /** Renames the files of segments wholly below logStartOffset to `.deleted`; removeDeletedFiles() after file.delete.delay.ms. The count. */
  deleteTrimmedSegments(): number {
    let count = 0;
    while (this.#segments.count > 1 && this.#segments.at(1).baseOffset <= this.#logStartOffset) {
      const segment = this.#segments.shift();
      segment.renameFiles('.deleted');
      if (this.#snapshots.has(segment.baseOffset)) this.#snapshots.remove(segment.baseOffset);
      this.#deleted.push(segment);
      count++;
    }
    if (count > 0) this.#reader.forget();
    return count;
  }

  /** Closes and removes the files of segments that were taken out of the log. */
  removeDeletedFiles(): void {
    for (const segment of this.#deleted.splice(0)) {
      this.#closeSegment(segment);
      segment.removeFiles('.deleted');
    }
  }

  /** Cuts the tail: the log ends at `offset`, or at the start of the batch that holds it. Nothing may be staged. */
  truncateTo(offset: number): void {
    assert(this.#staged.count === 0, 'nothing is staged while a log is truncated');
    if (offset >= this.#writtenEnd) return;
    while (this.#segments.count > 1 && this.#segments.live.baseOffset >= offset) {
      const segment = this.#segments.pop();
      this.#closeSegment(segment);
      segment.removeFiles('');
    }
    let end = offset;
    const live = this.#segments.live;
    if (live.baseOffset >= offset) {
      this.#closeSegment(this.#segments.pop());
      live.removeFiles('');
      this.#segments.push(this.#newSegment(offset));
    } else {
      const found = { position: -1, sizeBytes: 0, baseOffset: 0 };
      live.findBatch(offset, found);
      if (found.position !== -1) {
        end = Math.min(offset, found.baseOffset);
        live.truncate(found.position, end);
      }
    }
    this.#segments.live.makeLive(this.config);
    this.#recent.clear();
    this.#reader.forget();
    this.#stagedEnd = end;
    this.#writtenEnd = end;
    if (this.#logStartOffset > end) this.#logStartOffset = end;
    this.#flusher.truncatedTo(end);
    this.#epochs.truncateFromEnd(end);
    const unclean = { cleanShutdown: false, nowMs: this.#nowMs, config: this.config };
    loadProducers(this.#producers, this.#snapshots, this.#segments, this.#logStartOffset, end, unclean);
  }

  /**
   * The log is not used any more. `clean`: indexes trimmed, everything synced, a producer snapshot at the end, so that the next open
   * checks nothing; otherwise the files are closed as they are. Throws StorageError.
   */
  close({ clean }: { clean: boolean }): void {
    if (this.#isClosed) return;
    if (clean && !this.#isFailed) {
      assert(this.#staged.count === 0, 'nothing is staged when a log is closed');
      this.#segments.live.seal();
      this.#flusher.flush();
      if (this.#writtenEnd > this.#logStartOffset && !this.#snapshots.has(this.#writtenEnd)) {
        this.#snapshots.write(this.#writtenEnd, encodeSnapshot(this.#producers.entries(), this.#producers.producerCount));
      }
      this.removeDeletedFiles();
    }
    this.closeFiles();
  }

  /** Closes every file, whatever is in it: the end of a deleted or failed log, once nobody reads it any more. */
  closeFiles(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#isFailed = true;
    this.#flusher.stop();
    for (const segment of this.#segments.all()) segment.close();
    for (const segment of this.#deleted.splice(0)) segment.close();
  }

  /** The topic is gone: the directory becomes `<topic>-<p>.<uuid>-delete` and takes no more batches. The new path. Throws StorageError. */
  markDeleted(uuid: string, suffix = '-delete'): string {
    const slash = this.#directory.lastIndexOf('/');
    const parent = this.#directory.slice(0, slash);
    const directory = `${parent}/${markedDirectoryName(this.#directory.slice(slash + 1), uuid, suffix)}`;
    this.#storage.rename(this.#directory, directory);
    this.#storage.syncDirectory(parent);
    this.#directory = directory;
    this.#isFailed = true;
    for (const segment of this.#segments.all()) segment.movedTo(directory);
    this.#epochs.movedTo(directory);
    this.#snapshots.movedTo(directory);
    return directory;
  }

  /** After markDeleted, file.delete.delay.ms later: closes what is open and removes the directory. */
  remove(): void {
    this.closeFiles();
    this.#storage.remove(this.#directory);
  }

  #onWriteback = (error: StorageError | null): void => {
    if (error === null || this.#isClosed) return;
    this.#isFailed = true;
    this.#options.onWritebackError?.(error);
  };

  /** Duplicates and sequences; true where the batch may be staged. */
  #checkProducer(bytes: Uint8Array, position: number, producerId: number, nowMs: number, result: AppendResult): boolean {
    if (nowMs >= this.#nextExpiryMs) {
      this.#producers.expire(nowMs, this.config.producerIdExpirationMs);
      this.#nextExpiryMs = nowMs + PRODUCER_EXPIRY_CHECK_MS;
    }
    const entry = this.#producers.entry(producerId);
    const epoch = readProducerEpoch(bytes, position);
    const firstSequence = readBaseSequence(bytes, position);
    const lastSequence = (firstSequence + readLastOffsetDelta(bytes, position)) & 0x7fffffff;
    const original = entry === undefined ? -1 : entry.findDuplicate(epoch, firstSequence, lastSequence);
    if (entry !== undefined && original !== -1) {
      result.isDuplicate = true;
      result.lastOffset = entry.lastOffset(original);
      result.baseOffset = result.lastOffset - entry.offsetDelta(original);
      result.logAppendTimeMs = entry.timestamp(original);
      return false;
    }
    const openTransaction = entry !== undefined && entry.transactionFirstOffset !== -1;
    if (isTransactional(bytes, position) !== openTransaction && (openTransaction || entry === undefined || epoch >= entry.epoch)) {
      return refuse(result, ERROR.INVALID_TXN_STATE, 'The batch does not belong to the transaction that is open, if any');
    }
    const error = this.#producers.checkClientBatch(producerId, epoch, firstSequence);
    if (error === ERROR.NONE) return true;
    const last = entry === undefined ? -1 : entry.lastSequence();
    const known = `epoch ${entry?.epoch ?? -1}, last sequence ${last}`;
    return refuse(result, error, `Producer ${producerId} sent epoch ${epoch}, sequence ${firstSequence}; known are ${known}`);
  }

  /** Assigns offset and epoch, then accepts. The last offset of the batch. */
  #stageBatch(bytes: Uint8Array, position: number, sizeBytes: number, leaderEpoch: number, nowMs: number): number {
    const baseOffset = this.#stagedEnd;
    writeBaseOffset(bytes, position, baseOffset);
    writeLeaderEpoch(bytes, position, leaderEpoch);
    this.#accept(bytes, position, sizeBytes, baseOffset, leaderEpoch, nowMs);
    return this.#stagedEnd - 1;
  }

  #accept(bytes: Uint8Array, position: number, sizeBytes: number, baseOffset: number, leaderEpoch: number, nowMs: number): void {
    const lastOffset = lastOffsetOf(bytes, position);
    const timestampMs = readMaxTimestamp(bytes, position);
    this.#nowMs = nowMs;
    if (this.#mustRoll(sizeBytes, lastOffset, timestampMs, nowMs)) {
      const snapshot = encodeSnapshot(this.#producers.entries(), this.#producers.producerCount);
      this.#rolls.push({ index: this.#staged.count, baseOffset, snapshot });
      this.#stagedSegmentBytes = 0;
      this.#stagedSegmentFirstMs = timestampMs;
    }
    if (leaderEpoch > this.#epochs.latestEpoch) this.#epochs.assign(leaderEpoch, baseOffset);
    this.#staged.add(bytes, position, sizeBytes, baseOffset, lastOffset, timestampMs);
    this.#stagedSegmentBytes += sizeBytes;
    this.#stagedEnd = lastOffset + 1;
    replayBatch(this.#producers, bytes, position, position + sizeBytes);
  }

  #mustRoll(sizeBytes: number, lastOffset: number, timestampMs: number, nowMs: number): boolean {
    if (this.#rolls.length === 0) {
      return this.#segments.live.mustRoll(this.config, this.#stagedSegmentBytes, sizeBytes, lastOffset, timestampMs, nowMs);
    }
    if (this.#stagedSegmentBytes > this.config.segmentBytes - sizeBytes) return true;
    return this.#stagedSegmentFirstMs >= 0 && timestampMs - this.#stagedSegmentFirstMs > this.config.segmentMs;
  }

  /** Writes the staged batches [from, to) behind the live segment's end and accounts for them. */
  #writeGroup(from: number, to: number): void {
    if (from === to) return;
    const staged = this.#staged;
    const live = this.#segments.live;
    const position = live.sizeBytes;
    let bytes = 0;
    for (let n = from; n < to; n++) bytes += staged.sizes[n] as number;
    let written = staged.write(live.file, from, to, position);
    // The second try gives the errno of what cut the first one short (a full disk, mostly).
    if (written < bytes) written += this.#writeRest(live, from, to, position, written);
    if (written < bytes) {
      this.#cutBack(live, position);
      throw new StorageError('ENOSPC', live.file.path, `writing ${bytes} bytes, of which ${written} were taken, to`);
    }
    for (let n = from; n < to; n++) {
      const lastOffset = staged.lastOffsets[n] as number;
      this.#recent.add(staged.baseOffsets[n] as number, live.sizeBytes);
      live.noteAppended(staged.sizes[n] as number, lastOffset, staged.timestamps[n] as number, this.config.indexIntervalBytes);
      this.#writtenEnd = lastOffset + 1;
    }
    this.#flusher.noteWritten(bytes);
  }

  #writeRest(live: Segment, from: number, to: number, position: number, written: number): number {
    try {
      return this.#staged.write(live.file, from, to, position + written, written);
    } catch (error) {
      this.#cutBack(live, position);
      throw error;
    }
  }

  #cutBack(live: Segment, position: number): void {
    try {
      live.file.truncate(position);
    } catch (error) {
      // Recovery cuts the torn tail at the next open.
      if (!(error instanceof StorageError)) throw error;
    }
  }

  /**
   * Begins a segment. The order survives a crash anywhere: the old segment is sealed (its indexes are rebuilt from it if that is
   * lost), the snapshot is written (its checksum tells whether it is whole), then the new files appear. The directory is synced by
   * the flush that first moves the recovery point into the new segment.
   */
  #roll(roll: StagedRoll): void {
    this.#segments.live.seal();
    this.#snapshots.write(roll.baseOffset, roll.snapshot);
    this.#segments.push(this.#newSegment(roll.baseOffset));
    this.#segments.live.makeLive(this.config);
    this.#recent.clear();
    this.#flusher.noteNewFiles();
  }

  #newSegment(baseOffset: number): Segment {
    return new Segment(this.#storage, this.#directory, baseOffset, this.config, this.#nowMs, jitterOf(this.#options)());
  }

  #closeSegment(segment: Segment): void {
    const hook = this.#options.onClosingFile;
    if (hook === undefined) segment.close();
    else hook(segment.file, () => segment.close());
  }

  /** What a flush that begins now vouches for. Producer state stands at the staged end, so it counts only when all is written. */
  #flushTarget(): { offset: number; snapshot: Uint8Array | null } {
    const isAllWritten = this.#staged.count === 0;
    const wantsSnapshot = isAllWritten && this.#flusher.wantsSnapshot;
    return {
      offset: this.#writtenEnd,
      snapshot: wantsSnapshot ? encodeSnapshot(this.#producers.entries(), this.#producers.producerCount) : null,
    };
  }
}

function jitterOf(options: LogOptions): () => number {
  return () =>
    options.random === undefined || options.config.segmentJitterMs <= 0
      ? 0
      : options.random.below(Math.min(options.config.segmentJitterMs, 2 ** 32));
}
