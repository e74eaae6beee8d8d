// The writing end of a log: decides on batches, gives them offsets, writes what a turn accepted, begins new segments.
// Invariants: stagedEnd >= writtenEnd, equal between turns; producer state and leader epochs stand at the staged end; after a failed
// write nothing more is taken.
// Runs on: the log's owner. Reading, flushing and trimming are elsewhere.
import { assert } from '../base/assert.ts';
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
  TIMESTAMP_TYPE,
  timestampType,
  writeAttributes,
  writeBaseOffset,
  writeLeaderEpoch,
  writeMaxTimestamp,
} from '../protocol/records/batch.ts';
import { type AppendResult, refuse, resetAppendResult } from './append-result.ts';
import { validateClientBatch, validateFit, validateFrame } from './append-validator.ts';
import { type LogConfig, PRODUCER_EXPIRY_CHECK_MS } from './log-config.ts';
import type { LogFlusher } from './log-flusher.ts';
import type { LoadedLog } from './log-loader.ts';
import { replayBatch } from './producer-replay.ts';
import { encodeSnapshot } from './producer-snapshot.ts';
import type { RecentBatches } from './recent-batches.ts';
import { RELATIVE_OFFSET_MAX, type Segment } from './segment.ts';
import { StagedBatches } from './staged-batches.ts';
import { StorageError } from './storage.ts';

/** A segment that begins with a staged batch; the snapshot is of the producers as they were before it. */
interface StagedRoll {
  readonly index: number;
  readonly baseOffset: number;
  readonly snapshot: Uint8Array;
}

type NewSegment = (baseOffset: number, nowMs: number) => Segment;

export class LogAppender {
  config: LogConfig;
  isFailed = false;
  /** The offset that the next staged batch gets. */
  stagedEnd: number;
  /** Everything below is in the files. */
  writtenEnd: number;
  nowMs: number;
  #log: LoadedLog;
  #recent: RecentBatches;
  #flusher: LogFlusher;
  #newSegment: NewSegment;
  #staged = new StagedBatches();
  #rolls: StagedRoll[] = [];
  /** Bytes staged for the segment that will then be live. */
  #stagedSegmentBytes = 0;
  /** Largest timestamp of the first of them. */
  #stagedSegmentFirstMs = -1;
  #nextExpiryMs: number;

  constructor(log: LoadedLog, config: LogConfig, nowMs: number, recent: RecentBatches, flusher: LogFlusher, newSegment: NewSegment) {
    this.config = config;
    this.stagedEnd = log.endOffset;
    this.writtenEnd = log.endOffset;
    this.nowMs = nowMs;
    this.#log = log;
    this.#recent = recent;
    this.#flusher = flusher;
    this.#newSegment = newSegment;
    this.#nextExpiryMs = nowMs + PRODUCER_EXPIRY_CHECK_MS;
  }

  get hasStaged(): boolean {
    return this.#staged.count > 0;
  }

  /** The log was cut and ends at `offset`. */
  truncatedTo(offset: number): void {
    this.stagedEnd = offset;
    this.writtenEnd = offset;
  }

  /** The producers as they are at the staged end, in the form of a snapshot file. */
  encodeProducers(): Uint8Array {
    const { producers } = this.#log;
    return encodeSnapshot(producers.entries(), producers.producerCount);
  }

  /** See Log.stage. */
  stage(bytes: Uint8Array, position: number, length: number, leaderEpoch: number, nowMs: number, result: AppendResult): void {
    resetAppendResult(result);
    if (this.isFailed) {
      refuse(result, ERROR.KAFKA_STORAGE_ERROR, 'The log directory is offline');
      return;
    }
    if (validateClientBatch(bytes, position, length, this.config, nowMs, result)) this.#decide(bytes, position, leaderEpoch, nowMs, result);
  }

  /** See Log.examine. */
  examine(bytes: Uint8Array, position: number, length: number, result: AppendResult): boolean {
    resetAppendResult(result);
    return validateFrame(bytes, position, length, this.config, result);
  }

  /** See Log.stageExamined. */
  stageExamined(bytes: Uint8Array, position: number, leaderEpoch: number, nowMs: number, result: AppendResult): void {
    resetAppendResult(result);
    if (this.isFailed) refuse(result, ERROR.KAFKA_STORAGE_ERROR, 'The log directory is offline');
    else if (validateFit(bytes, position, this.config, result)) this.#decide(bytes, position, leaderEpoch, nowMs, result);
  }

  /** A good batch is staged, unless its producer may not send it, or has sent it before. */
  #decide(bytes: Uint8Array, position: number, leaderEpoch: number, nowMs: number, result: AppendResult): void {
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
    } else if (timestampType(bytes, position) === TIMESTAMP_TYPE.LOG_APPEND_TIME) {
      // A producer that stamps as if it were a broker: the time stands, the claim doesn't.
      writeAttributes(bytes, position, readAttributes(bytes, position) & ~LOG_APPEND_TIME_BIT);
      recomputeCrc(bytes, position);
    }
    result.baseOffset = this.stagedEnd;
    result.lastOffset = this.#stageBatch(bytes, position, batchSizeBytes(bytes, position), leaderEpoch, nowMs);
  }

  /** See Log.stageOwn. */
  stageOwn(bytes: Uint8Array, position: number, length: number, leaderEpoch: number, nowMs: number): number {
    assert(!this.isFailed, 'the log takes nothing after a failed write');
    const baseOffset = this.stagedEnd;
    for (let at = position, end = position + length; at < end; ) {
      assert(checkBatchFrame(bytes, at, end - at) === 0, 'own batches are whole');
      const sizeBytes = batchSizeBytes(bytes, at);
      this.#stageBatch(bytes, at, sizeBytes, leaderEpoch, nowMs);
      at += sizeBytes;
    }
    return baseOffset;
  }

  /** See Log.stageReplicated. */
  stageReplicated(bytes: Uint8Array, position: number, nowMs: number): number {
    if (this.isFailed) return ERROR.KAFKA_STORAGE_ERROR;
    if (readBaseOffset(bytes, position) < this.stagedEnd) return ERROR.OFFSET_OUT_OF_RANGE;
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

  /** See Log.writeStaged. */
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
      this.isFailed = true;
      throw error;
    }
    staged.clear();
    if (this.#rolls.length > 0) this.#rolls.length = 0;
    this.#stagedSegmentBytes = 0;
    assert(this.writtenEnd === this.stagedEnd, 'everything staged is written');
  }

  /** Begins a segment at the log's end, with nothing staged: the live one is to go, or to be read no more than it is. Throws StorageError. */
  rollNow(nowMs: number): void {
    assert(!this.hasStaged, 'nothing is staged when a segment begins out of turn');
    this.nowMs = nowMs;
    try {
      this.#roll({ index: 0, baseOffset: this.writtenEnd, snapshot: this.encodeProducers() });
    } catch (error) {
      this.isFailed = true;
      throw error;
    }
  }

  /** Duplicates and sequences; true where the batch may be staged. */
  #checkProducer(bytes: Uint8Array, position: number, producerId: number, nowMs: number, result: AppendResult): boolean {
    if (nowMs >= this.#nextExpiryMs) {
      this.#log.producers.expire(nowMs, this.config.producerIdExpirationMs);
      this.#nextExpiryMs = nowMs + PRODUCER_EXPIRY_CHECK_MS;
    }
    const entry = this.#log.producers.entry(producerId);
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
    const error = this.#log.producers.checkClientBatch(producerId, epoch, firstSequence);
    if (error === ERROR.NONE) return true;
    const last = entry === undefined ? -1 : entry.lastSequence();
    const known = `epoch ${entry?.epoch ?? -1}, last sequence ${last}`;
    return refuse(result, error, `Producer ${producerId} sent epoch ${epoch}, sequence ${firstSequence}; known are ${known}`);
  }

  /** Assigns offset and epoch, then accepts. The last offset of the batch. */
  #stageBatch(bytes: Uint8Array, position: number, sizeBytes: number, leaderEpoch: number, nowMs: number): number {
    const baseOffset = this.stagedEnd;
    writeBaseOffset(bytes, position, baseOffset);
    writeLeaderEpoch(bytes, position, leaderEpoch);
    this.#accept(bytes, position, sizeBytes, baseOffset, leaderEpoch, nowMs);
    return this.stagedEnd - 1;
  }

  #accept(bytes: Uint8Array, position: number, sizeBytes: number, baseOffset: number, leaderEpoch: number, nowMs: number): void {
    const lastOffset = lastOffsetOf(bytes, position);
    const timestampMs = readMaxTimestamp(bytes, position);
    this.nowMs = nowMs;
    if (this.#mustRoll(baseOffset, sizeBytes, lastOffset, timestampMs, nowMs)) {
      const snapshot = this.encodeProducers();
      this.#rolls.push({ index: this.#staged.count, baseOffset, snapshot });
      this.#stagedSegmentBytes = 0;
    }
    if (this.#stagedSegmentBytes === 0) this.#stagedSegmentFirstMs = timestampMs;
    if (leaderEpoch > this.#log.epochs.latestEpoch) this.#log.epochs.assign(leaderEpoch, baseOffset);
    this.#staged.add(bytes, position, sizeBytes, baseOffset, lastOffset, timestampMs);
    this.#stagedSegmentBytes += sizeBytes;
    this.stagedEnd = lastOffset + 1;
    replayBatch(this.#log.producers, bytes, position, position + sizeBytes);
  }

  /** As if the staged batches were written already. */
  #mustRoll(baseOffset: number, sizeBytes: number, lastOffset: number, timestampMs: number, nowMs: number): boolean {
    const { live } = this.#log.segments;
    const { config } = this;
    const staged = this.#stagedSegmentBytes;
    const roll = this.#rolls[this.#rolls.length - 1];
    const hasFirstStaged = staged > 0 && (roll !== undefined || live.sizeBytes === 0);
    const firstMs = this.#stagedSegmentFirstMs;
    const jitterMs = roll === undefined ? live.jitterMs : 0;
    if (hasFirstStaged && firstMs >= 0 && timestampMs - firstMs > config.segmentMs - jitterMs) return true;
    if (roll !== undefined) return staged > config.segmentBytes - sizeBytes || lastOffset - roll.baseOffset > RELATIVE_OFFSET_MAX;
    // An empty segment that begins here is as good as a new one.
    if (live.sizeBytes + staged === 0 && live.baseOffset === baseOffset) return false;
    return live.mustRoll(config, staged, sizeBytes, lastOffset, timestampMs, nowMs);
  }

  /** Writes the staged batches [from, to) behind the live segment's end and accounts for them. */
  #writeGroup(from: number, to: number): void {
    if (from === to) return;
    const staged = this.#staged;
    const live = this.#log.segments.live;
    let bytes = 0;
    for (let n = from; n < to; n++) bytes += staged.sizes[n] as number;
    this.#writeWhole(live, from, to, bytes);
    for (let n = from; n < to; n++) {
      const lastOffset = staged.lastOffsets[n] as number;
      this.#recent.add(staged.baseOffsets[n] as number, live.sizeBytes);
      live.noteAppended(staged.sizes[n] as number, lastOffset, staged.timestamps[n] as number, this.config.indexIntervalBytes);
      this.writtenEnd = lastOffset + 1;
    }
    this.#flusher.noteWritten(bytes);
  }

  /** All of it, or nothing that the next start would find. Throws StorageError. */
  #writeWhole(live: Segment, from: number, to: number, bytes: number): void {
    const staged = this.#staged;
    const position = live.sizeBytes;
    try {
      let written = staged.write(live.file, from, to, position);
      // The second try gives the errno of what cut the first one short (a full disk, mostly).
      if (written < bytes) written += staged.write(live.file, from, to, position + written, written);
      if (written < bytes) throw new StorageError('ENOSPC', live.file.path, `writing ${bytes} bytes, of which ${written} were taken, to`);
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
    this.#log.segments.live.seal();
    this.#log.snapshots.write(roll.baseOffset, roll.snapshot);
    this.#log.segments.push(this.#newSegment(roll.baseOffset, this.nowMs));
    this.#log.segments.live.makeLive(this.config);
    this.#recent.clear();
    this.#flusher.noteNewFiles();
  }
}
