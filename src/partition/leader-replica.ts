// One partition replica that leads: it stages what producers send, publishes what is written, plans what consumers read.
// Alone in its cluster so far: every record that is written is committed, so the high watermark is the written end. Where flush.messages says
// that records are synced first, it follows the syncs: one at a time, each for all that was written before it began.
// Invariant: stagedEnd >= writtenEnd >= highWatermark, and readers are told of nothing beyond the high watermark.
// Runs on: the worker that placement gave the partition. Hears messages through PartitionHost; never awaits.
import { parentDirectory } from '../log/file-names.ts';
import type { AppendResult, Log, ReadPlan } from '../log/log.ts';
import type { StorageError } from '../log/storage.ts';
import { ERROR } from '../protocol/errors.ts';
import { epochEndReply, fetchReply, listOffsetsReply, READ_COMMITTED } from './partition-messages.ts';
import type { PartitionWords, PublishedLog } from './partition-words.ts';

/** "No epoch" and "no offset" in every answer of the protocol. */
const UNKNOWN = -1;

/** Who keeps state of what is in the partition: a coordinator's shard. */
export interface ReplicaListener {
  /** The high watermark has moved. */
  onCommitted(): void;
  /** Nothing is taken any more, and what was staged is lost. */
  onOffline(): void;
}

/** An end of the log, as it was when somebody looked. */
class SeenEnd implements PublishedLog {
  writtenEnd = 0;
  liveSegmentBaseOffset = 0;
  liveSegmentSizeBytes = 0;

  take(end: PublishedLog): void {
    this.writtenEnd = end.writtenEnd;
    this.liveSegmentBaseOffset = end.liveSegmentBaseOffset;
    this.liveSegmentSizeBytes = end.liveSegmentSizeBytes;
  }
}

export class LeaderReplica {
  readonly slot: number;
  readonly topic: string;
  readonly topicId: string;
  readonly partition: number;
  readonly log: Log;
  /** Path of the log directory that it lies in. */
  readonly logDirectory: string;
  leaderEpoch: number;
  /** Set once the log directory failed: everything is refused until the broker starts again. */
  isOffline = false;
  /** Has staged batches of the current turn. */
  hasStaged = false;
  listener: ReplicaListener | null = null;
  /** Batches wait to be compressed anew, or behind such (recompression.ts). */
  hasWaiting = false;
  /** The log start that is on the medium, as far as this replica was told: a deletion of records is answered when it is. */
  persistedStart: number;
  readonly #words: PartitionWords;
  /** A sync under way, or one that failed, ended; set by the host. */
  onSynced: (replica: LeaderReplica, error: StorageError | null) => void = () => {};
  #highWatermark: number;
  /** Where the oldest transaction begins that was open when the log was opened, UNKNOWN without one. */
  readonly #openStart: number;
  /** Log.abortedEnd */
  readonly #abortedEnd: number;
  /** The log's end as everyone may see it. */
  readonly #visible = new SeenEnd();
  /** The end that the sync under way covers. */
  readonly #covered = new SeenEnd();
  #isSyncing = false;

  constructor(slot: number, topic: string, topicId: string, partition: number, log: Log, leaderEpoch: number, words: PartitionWords) {
    this.slot = slot;
    this.topic = topic;
    this.topicId = topicId;
    this.partition = partition;
    this.log = log;
    this.logDirectory = parentDirectory(log.directory);
    this.leaderEpoch = leaderEpoch;
    this.#words = words;
    this.persistedStart = log.logStartOffset;
    this.#highWatermark = log.writtenEnd;
    this.#openStart = log.firstUnstableOffset;
    this.#abortedEnd = log.abortedEnd;
    this.#visible.take(log);
    this.log.assignEpochStart(leaderEpoch, log.stagedEnd);
    this.publish();
  }

  /** Everything acknowledged and readable lies below it. */
  get highWatermark(): number {
    return this.#highWatermark;
  }

  /**
   * Every committed record is stable, but for those behind the start of a transaction that another broker left open in this log: none is
   * begun or ended here.
   */
  get lastStableOffset(): number {
    if (this.#openStart === UNKNOWN) return this.#highWatermark;
    return Math.min(Math.max(this.#openStart, this.log.logStartOffset), this.#highWatermark);
  }

  /** A new epoch fences requests that know an older one and starts a new row of the epoch checkpoint. */
  raiseLeaderEpoch(leaderEpoch: number): void {
    if (leaderEpoch <= this.leaderEpoch) return;
    this.leaderEpoch = leaderEpoch;
    this.log.assignEpochStart(leaderEpoch, this.log.stagedEnd);
    this.publish();
  }

  /** Decides on one batch and stages it; `result` holds the answer, which is true only once writeStaged() has come back. */
  append(bytes: Uint8Array, position: number, length: number, nowMs: number, result: AppendResult): void {
    this.log.stage(bytes, position, length, this.leaderEpoch, nowMs, result);
    if (result.error === ERROR.NONE) this.hasStaged = true;
  }

  /** As `append`, for a batch that was compressed anew. */
  appendRecompressed(bytes: Uint8Array, position: number, nowMs: number, result: AppendResult): void {
    this.log.stageExamined(bytes, position, this.leaderEpoch, nowMs, result);
    if (result.error === ERROR.NONE) this.hasStaged = true;
  }

  /** Stages a batch that this broker made itself. */
  appendOwn(batch: Uint8Array, nowMs: number): void {
    this.log.stageOwn(batch, 0, batch.length, this.leaderEpoch, nowMs);
    this.hasStaged = true;
  }

  /** One gathered write of the turn's batches, then everyone may see them. Throws StorageError. */
  writeStaged(): void {
    this.hasStaged = false;
    this.log.writeStaged();
    this.#commit();
  }

  publish(): void {
    this.#words.publish(this.slot, this.leaderEpoch, this.log.logStartOffset, this.lastStableOffset, this.#highWatermark, this.#visible);
  }

  /** Segments were begun or taken out of the log, or it starts elsewhere: readers are told. */
  onSegmentsChanged(): void {
    if (this.#highWatermark === this.log.writtenEnd) this.#visible.take(this.log);
    this.publish();
  }

  /** DeleteRecords: nothing below `offset` (-1: below the high watermark) is read from here on. An error code. */
  deleteRecords(offset: number): number {
    if (this.isOffline) return ERROR.KAFKA_STORAGE_ERROR;
    const { isCompacted, isDeleted } = this.log.config;
    if (isCompacted && !isDeleted) return ERROR.POLICY_VIOLATION;
    const start = offset === UNKNOWN ? this.#highWatermark : offset;
    if (start < 0 || start > this.#highWatermark) return ERROR.OFFSET_OUT_OF_RANGE;
    if (start <= this.log.logStartOffset) return ERROR.NONE;
    this.log.head.advance(start);
    this.publish();
    return ERROR.NONE;
  }

  /** What is written is committed at once, or, from flush.messages records on, when a sync has taken it to the medium. */
  #commit(): void {
    if (this.#isSyncing) return;
    if (!this.log.isSyncDue) {
      this.#visible.take(this.log);
      this.#advance();
      return;
    }
    this.#isSyncing = true;
    this.#covered.take(this.log);
    this.log.syncRecordsLater((error) => {
      this.#isSyncing = false;
      if (error === null && !this.isOffline) {
        this.#visible.take(this.#covered);
        this.#advance();
        if (this.log.writtenEnd > this.#highWatermark) this.#commit();
      }
      this.onSynced(this, error);
    });
  }

  #advance(): void {
    this.#highWatermark = this.#visible.writtenEnd;
    this.publish();
    this.listener?.onCommitted();
  }

  /** Writes where the bytes of a fetch lie into a reply entry (fetchReply) that starts at `at`; its words are zero before. */
  planFetch(
    words: Int32Array,
    floats: Float64Array,
    at: number,
    plan: ReadPlan,
    request: { offset: number; maxBytes: number; currentLeaderEpoch: number; lastFetchedEpoch: number; isolation: number },
  ): number {
    const highWatermark = this.#highWatermark;
    words[at + fetchReply.descriptor] = UNKNOWN;
    words[at + fetchReply.divergingEpoch] = UNKNOWN;
    words[at + fetchReply.stateVersion] = this.#words.stateVersion(this.slot);
    floats[(at + fetchReply.highWatermark) >> 1] = highWatermark;
    floats[(at + fetchReply.lastStableOffset) >> 1] = this.lastStableOffset;
    floats[(at + fetchReply.logStartOffset) >> 1] = this.log.logStartOffset;
    floats[(at + fetchReply.divergingEndOffset) >> 1] = UNKNOWN;
    const fenced = this.#checkEpoch(request.currentLeaderEpoch);
    if (fenced !== ERROR.NONE) return fenced;
    const { offset } = request;
    if (request.lastFetchedEpoch >= 0) {
      const end = this.log.epochEndOffset(request.lastFetchedEpoch);
      if (end.endOffset === UNKNOWN || end.leaderEpoch === UNKNOWN) return ERROR.OFFSET_OUT_OF_RANGE;
      if (end.leaderEpoch < request.lastFetchedEpoch || end.endOffset < offset) {
        words[at + fetchReply.divergingEpoch] = end.leaderEpoch;
        floats[(at + fetchReply.divergingEndOffset) >> 1] = end.endOffset;
        return ERROR.NONE;
      }
    }
    if (offset < this.log.logStartOffset || offset > this.log.writtenEnd) return ERROR.OFFSET_OUT_OF_RANGE;
    if (offset < this.#abortedEnd) words[at + fetchReply.hasAborted] = 1;
    const limit = request.isolation === READ_COMMITTED ? this.lastStableOffset : highWatermark;
    if (offset >= limit) return ERROR.NONE;
    this.log.planRead(offset, request.maxBytes, limit, true, plan);
    if (plan.error !== ERROR.NONE || plan.length === 0) return plan.error;
    words[at + fetchReply.descriptor] = plan.descriptor;
    words[at + fetchReply.length] = plan.length;
    words[at + fetchReply.firstBatchBytes] = plan.firstBatchBytes;
    floats[(at + fetchReply.position) >> 1] = plan.position;
    floats[(at + fetchReply.segmentBaseOffset) >> 1] = plan.segmentBaseOffset;
    return ERROR.NONE;
  }

  /** ListOffsets for one partition, answered into a listOffsetsReply entry. */
  listOffset(
    words: Int32Array,
    floats: Float64Array,
    at: number,
    timestamp: number,
    isolation: number,
    currentLeaderEpoch: number,
  ): number {
    words[at + listOffsetsReply.leaderEpoch] = UNKNOWN;
    floats[(at + listOffsetsReply.timestamp) >> 1] = UNKNOWN;
    floats[(at + listOffsetsReply.offset) >> 1] = UNKNOWN;
    const fenced = this.#checkEpoch(currentLeaderEpoch);
    if (fenced !== ERROR.NONE) return fenced;
    const limit = isolation === READ_COMMITTED ? this.lastStableOffset : this.#highWatermark;
    const found = this.log.offsetForTimestamp(timestamp, limit);
    if (found === null) return ERROR.NONE;
    words[at + listOffsetsReply.leaderEpoch] = found.leaderEpoch;
    floats[(at + listOffsetsReply.timestamp) >> 1] = found.timestamp;
    floats[(at + listOffsetsReply.offset) >> 1] = found.offset;
    return ERROR.NONE;
  }

  /** OffsetForLeaderEpoch for one partition, answered into an epochEndReply entry. */
  epochEnd(words: Int32Array, floats: Float64Array, at: number, epoch: number, currentLeaderEpoch: number): number {
    words[at + epochEndReply.leaderEpoch] = UNKNOWN;
    floats[(at + epochEndReply.endOffset) >> 1] = UNKNOWN;
    const fenced = this.#checkEpoch(currentLeaderEpoch);
    if (fenced !== ERROR.NONE) return fenced;
    const end = this.log.epochEndOffset(epoch);
    words[at + epochEndReply.leaderEpoch] = end.leaderEpoch;
    floats[(at + epochEndReply.endOffset) >> 1] = end.endOffset;
    return ERROR.NONE;
  }

  #checkEpoch(currentLeaderEpoch: number): number {
    if (this.isOffline) return ERROR.KAFKA_STORAGE_ERROR;
    if (currentLeaderEpoch === UNKNOWN || currentLeaderEpoch === this.leaderEpoch) return ERROR.NONE;
    return currentLeaderEpoch < this.leaderEpoch ? ERROR.FENCED_LEADER_EPOCH : ERROR.UNKNOWN_LEADER_EPOCH;
  }
}
