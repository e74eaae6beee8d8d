// The partitions of one worker: finds the replica that a message is for, and ends the turn for all that were touched:
// each writes once, then the answers to every produce of the turn leave. What a write failure means is decided here too.
// Invariant: no produce is answered before its batches are written, or known not to be.
// Runs on: every worker. Not here: what a replica decides (leader-replica.ts), who asks (partition-client.ts).
import type { Turn } from '../actors/actor.ts';
import type { Exchange } from '../actors/exchange.ts';
import { refuse, resetAppendResult } from '../log/append-result.ts';
import { type AppendResult, createAppendResult, createReadPlan } from '../log/log.ts';
import { StorageError } from '../log/storage.ts';
import { ERROR } from '../protocol/errors.ts';
import type { Runtime } from '../scheduler/runtime.ts';
import type { LeaderReplica } from './leader-replica.ts';
import {
  ARENA,
  DELETE_RECORDS,
  ENTRY_COUNT,
  EPOCH_END,
  epochEndEntry,
  FETCH_PLAN,
  fetchEntry,
  HEADER_WORDS,
  LIST_OFFSETS,
  listOffsetsEntry,
  METADATA_OFFSET,
  PRODUCE,
  produceEntry,
  produceReply,
  REPLY_ENTRY_WORDS,
  REQUEST_ENTRY_WORDS,
} from './partition-messages.ts';
import type { PartitionWords } from './partition-words.ts';
import { PendingProduce, PRODUCE_REPLY_WORDS } from './pending-produce.ts';
import { Recompression, type WaitingBatch } from './recompression.ts';
import { RecordDeletion } from './record-deletion.ts';
import { writeRefusal } from './refusal-text.ts';

/** How long the owner waits before it looks again whether the last reader of a deleted partition has left. */
const READERS_RECHECK_MS = 5;

/** A request of a worker whose metadata is ahead of ours: heard again when ours has come that far. */
interface EarlyRequest {
  readonly kind: number;
  readonly from: number;
  readonly requestId: number;
  readonly floats: Float64Array;
}

export class PartitionHost {
  readonly words: PartitionWords;
  readonly #runtime: Runtime;
  readonly #exchange: Exchange;
  readonly #metadataOffset: () => number;
  readonly #onStorageFailure: (error: StorageError) => void;
  /** By slot; holes where a slot belongs to another worker or its partition is gone. */
  readonly #replicas: (LeaderReplica | undefined)[] = [];
  readonly #result: AppendResult = createAppendResult();
  readonly #plan = createReadPlan();
  readonly #fetch = { offset: 0, maxBytes: 0, currentLeaderEpoch: 0, lastFetchedEpoch: 0, isolation: 0 };
  // Filled to their counts and never shortened: an array that is emptied by its length is allocated anew in each turn.
  readonly #staged: (LeaderReplica | null)[] = [];
  #stagedCount = 0;
  readonly #pending: PendingProduce[] = [];
  #pendingCount = 0;
  readonly #freePending: PendingProduce[] = [];
  /** Produces whose records wait for a sync. */
  #unsynced: PendingProduce[] = [];
  #early: EarlyRequest[] = [];
  readonly deletion: RecordDeletion;
  readonly #recompression: Recompression;
  #isClosed = false;
  #isOffline = false;

  constructor(runtime: Runtime, words: PartitionWords, metadataOffset: () => number, onStorageFailure: (error: StorageError) => void) {
    this.words = words;
    this.#runtime = runtime;
    this.#exchange = runtime.exchange;
    this.#metadataOffset = metadataOffset;
    this.#onStorageFailure = onStorageFailure;
    this.deletion = new RecordDeletion(
      runtime.exchange,
      (slot) => (this.#isClosed ? undefined : this.#replicas[slot]) ?? this.#unknownError,
    );
    this.#recompression = new Recompression(runtime, (batch) => this.#decideWaiting(batch));
    for (const kind of [PRODUCE, FETCH_PLAN, LIST_OFFSETS, EPOCH_END, DELETE_RECORDS]) {
      this.#exchange.onRequest(kind, (from, requestId, words_, floats, index, payloadWords) => {
        if ((((words_[index + METADATA_OFFSET] as number) - this.#metadataOffset()) | 0) > 0) {
          const copy = floats.slice(index >> 1, (index + payloadWords + 1) >> 1);
          this.#early.push({ kind, from, requestId, floats: copy });
        } else this.#hear(kind, from, requestId, words_, floats, index);
      });
    }
  }

  /** The replicas here, for checkpoints and shutdown. */
  *replicas(): IterableIterator<LeaderReplica> {
    for (const replica of this.#replicas) if (replica !== undefined) yield replica;
  }

  replica(slot: number): LeaderReplica | undefined {
    return this.#replicas[slot];
  }

  add(replica: LeaderReplica): void {
    replica.isOffline = this.#isOffline;
    replica.onSynced = (_replica, error) => {
      if (error !== null) this.takeOffline(error);
      this.#answerSynced();
    };
    this.#replicas[replica.slot] = replica;
  }

  /**
   * Takes a partition out: requests find it unknown, parked fetches are woken, and `whenUnread` runs once no thread is inside a
   * read of its files (they may be closed then).
   */
  remove(slot: number, whenUnread: (replica: LeaderReplica) => void): void {
    const replica = this.#replicas[slot];
    if (replica === undefined) return;
    if (replica.hasStaged) this.#finish();
    this.#replicas[slot] = undefined;
    this.words.raiseStateVersion(slot);
    this.words.park.wake(slot);
    const look = (): void => {
      if (this.words.hasReaders(slot)) this.#runtime.after(READERS_RECHECK_MS, look);
      else whenUnread(replica);
    };
    look();
  }

  /** Stages a batch that this broker made itself, to be written at the end of the turn: for coordinators. */
  appendOwn(replica: LeaderReplica, batch: Uint8Array): void {
    const hadStaged = replica.hasStaged;
    replica.appendOwn(batch, this.#runtime.clock.wallMs());
    if (!hadStaged) this.#staged[this.#stagedCount++] = replica;
    this.#runtime.touch(this);
  }

  /** Hears again what came from workers that were ahead. To be called after a metadata batch was applied. */
  onMetadataApplied(): void {
    if (this.#early.length === 0) return;
    const early = this.#early;
    this.#early = [];
    for (const request of early) {
      const words = new Int32Array(request.floats.buffer);
      if ((((words[METADATA_OFFSET] as number) - this.#metadataOffset()) | 0) > 0) this.#early.push(request);
      else this.#hear(request.kind, request.from, request.requestId, words, request.floats, 0);
    }
  }

  /** Calls `done` when no batch is with the pool any more, nor waits behind one: before that, the logs stay open. */
  whenIdle(done: () => void): void {
    this.#recompression.whenIdle(done);
  }

  /** The broker stops: what is staged is written and answered, whatever comes later is refused, and what others were told is void. */
  close(): void {
    this.#finish();
    this.#isClosed = true;
    for (const replica of this.replicas()) {
      this.words.raiseStateVersion(replica.slot);
      this.words.park.wake(replica.slot);
    }
  }

  onTurnEnd(_turn: Turn): void {
    this.#finish();
  }

  #finish(): void {
    for (let i = 0; i < this.#stagedCount; i++) {
      const replica = this.#staged[i] as LeaderReplica;
      this.#staged[i] = null; // Its partition may be deleted before this place is filled again.
      if (replica.isOffline) continue;
      try {
        replica.writeStaged();
      } catch (error) {
        if (!(error instanceof StorageError)) throw error;
        this.takeOffline(error);
      }
    }
    this.#stagedCount = 0;
    for (let i = 0; i < this.#pendingCount; i++) {
      const pending = this.#pending[i] as PendingProduce;
      if (pending.isCommitted) this.#answerProduce(pending);
      else this.#unsynced.push(pending);
    }
    this.#pendingCount = 0;
  }

  /** A sync has ended. */
  #answerSynced(): void {
    if (this.#unsynced.length === 0) return;
    const waiting = this.#unsynced;
    this.#unsynced = waiting.filter((pending) => !pending.isCommitted);
    for (const pending of waiting) if (pending.isCommitted) this.#answerProduce(pending);
  }

  /** A write failed: every partition of the directory is refused from now on, here and, by onStorageFailure, on the other workers. */
  takeOffline(error: StorageError): void {
    if (this.#isOffline) return;
    this.goOffline();
    this.#onStorageFailure(error);
  }

  /** The directory failed, here or on another worker: nothing is taken any more, and waiting fetches are told. */
  goOffline(): void {
    this.#isOffline = true;
    for (const replica of this.replicas()) {
      replica.isOffline = true;
      this.words.raiseStateVersion(replica.slot);
      this.words.park.wake(replica.slot);
      replica.listener?.onOffline();
    }
  }

  get isOffline(): boolean {
    return this.#isOffline;
  }

  /** A slot without a replica: deleted, or, while the broker stops, somebody else's soon, or not to be opened since the disk failed. */
  get #unknownError(): number {
    if (this.#isClosed) return ERROR.NOT_LEADER_OR_FOLLOWER;
    return this.#isOffline ? ERROR.KAFKA_STORAGE_ERROR : ERROR.UNKNOWN_TOPIC_OR_PARTITION;
  }

  #hear(kind: number, from: number, requestId: number, words: Int32Array, floats: Float64Array, index: number): void {
    if (kind === PRODUCE) this.#onProduce(from, requestId, words, index);
    else if (kind === DELETE_RECORDS) this.deletion.hear(from, requestId, words, floats, index);
    else this.#onQuery(kind, from, requestId, words, floats, index);
  }

  #onProduce(from: number, requestId: number, words: Int32Array, index: number): void {
    const count = words[index + ENTRY_COUNT] as number;
    const bytes = this.#runtime.arenaBytes[words[index + ARENA] as number] as Uint8Array;
    const pending = this.#freePending.pop() ?? new PendingProduce();
    pending.open(from, requestId, count);
    const nowMs = this.#runtime.clock.wallMs();
    const result = this.#result;
    let entry = index + HEADER_WORDS;
    for (let i = 0; i < count; i++, entry += REQUEST_ENTRY_WORDS[PRODUCE] as number) {
      const replica = this.#isClosed ? undefined : this.#replicas[words[entry] as number];
      const position = words[entry + produceEntry.position] as number;
      const length = words[entry + produceEntry.length] as number;
      pending.replicas[i] = null;
      pending.ends[i] = 0;
      if (replica === undefined || replica.isOffline) this.#refuseUnseen(pending, i, replica);
      else if (this.#recompression.concerns(replica, bytes, position, length)) {
        this.#recompression.take(replica, pending, i, bytes, position, length);
      } else {
        const hadStaged = replica.hasStaged;
        replica.append(bytes, position, length, nowMs, result);
        if (replica.hasStaged && !hadStaged) this.#staged[this.#stagedCount++] = replica;
        this.#decided(pending, i, replica, bytes, position, length);
      }
    }
    this.#countDecided(pending);
  }

  /** The turn of a batch has come that was with the pool, or waited behind one that was. Its partition may be gone by now. */
  #decideWaiting(batch: WaitingBatch): void {
    const { replica, pending, entry, bytes, position, length, outcome, error } = batch;
    const result = this.#result;
    if (this.#isClosed || this.#replicas[replica.slot] !== replica) this.#refuseUnseen(pending, entry, undefined);
    else if (replica.isOffline) this.#refuseUnseen(pending, entry, replica);
    else {
      const hadStaged = replica.hasStaged;
      const nowMs = this.#runtime.clock.wallMs();
      resetAppendResult(result);
      if (error !== null) refuse(result, ERROR.UNKNOWN_SERVER_ERROR, `The records could not be compressed: ${error.message}`);
      else if (outcome === null) replica.append(bytes, position, length, nowMs, result);
      else if (outcome.error === ERROR.NONE)
        replica.appendRecompressed(outcome.grown ?? bytes, outcome.grown ? 0 : position, nowMs, result);
      else Object.assign(result, { error: outcome.error, errorMessage: outcome.errorMessage, recordErrors: outcome.recordErrors });
      if (replica.hasStaged && !hadStaged) this.#staged[this.#stagedCount++] = replica;
      this.#decided(pending, entry, replica, bytes, position, length);
    }
    this.#countDecided(pending);
  }

  #countDecided(pending: PendingProduce): void {
    if (--pending.undecidedCount === 0) this.#pending[this.#pendingCount++] = pending;
    this.#runtime.touch(this);
  }

  /** `#result` is what became of an entry. */
  #decided(pending: PendingProduce, entry: number, replica: LeaderReplica, bytes: Uint8Array, position: number, length: number): void {
    const result = this.#result;
    const { words, floats } = pending;
    const at = entry * PRODUCE_REPLY_WORDS;
    const isRefused = result.error !== ERROR.NONE;
    pending.replicas[entry] = replica;
    if (!isRefused) pending.ends[entry] = result.lastOffset + 1;
    words[at] = result.error;
    words[at + produceReply.refusalBytes] = isRefused ? writeRefusal(result, bytes, position, length) : 0;
    floats[(at + produceReply.baseOffset) >> 1] = isRefused ? -1 : result.baseOffset;
    floats[(at + produceReply.logAppendTimeMs) >> 1] = isRefused ? -1 : result.logAppendTimeMs;
    floats[(at + produceReply.logStartOffset) >> 1] = replica.log.logStartOffset;
  }

  /** An entry whose batch nobody looked at: its partition is not here, or offline. */
  #refuseUnseen(pending: PendingProduce, entry: number, replica: LeaderReplica | undefined): void {
    const { words, floats } = pending;
    const at = entry * PRODUCE_REPLY_WORDS;
    words[at] = replica === undefined ? this.#unknownError : ERROR.KAFKA_STORAGE_ERROR;
    words[at + produceReply.refusalBytes] = 0;
    floats[(at + produceReply.baseOffset) >> 1] = -1;
    floats[(at + produceReply.logAppendTimeMs) >> 1] = -1;
    floats[(at + produceReply.logStartOffset) >> 1] = replica === undefined ? -1 : replica.log.logStartOffset;
  }

  #answerProduce(pending: PendingProduce): void {
    const { count } = pending;
    pending.settle();
    const payloadWords = HEADER_WORDS + count * PRODUCE_REPLY_WORDS;
    const to = this.#exchange.beginReply(pending.from, PRODUCE, pending.requestId, payloadWords);
    const words = this.#exchange.replyWords(pending.from);
    words[to + ENTRY_COUNT] = count;
    for (let word = 0; word < count * PRODUCE_REPLY_WORDS; word++) words[to + HEADER_WORDS + word] = pending.words[word] as number;
    this.#exchange.commitReply(pending.from);
    this.#freePending.push(pending);
  }

  /** What needs no write is answered at once. */
  #onQuery(kind: number, from: number, requestId: number, words: Int32Array, floats: Float64Array, index: number): void {
    const count = words[index + ENTRY_COUNT] as number;
    const requestStride = REQUEST_ENTRY_WORDS[kind] as number;
    const replyStride = REPLY_ENTRY_WORDS[kind] as number;
    const payloadWords = HEADER_WORDS + count * replyStride;
    const to = this.#exchange.beginReply(from, kind, requestId, payloadWords);
    const replyWords = this.#exchange.replyWords(from);
    const replyFloats = this.#exchange.replyFloats(from);
    replyWords.fill(0, to, to + payloadWords);
    replyWords[to + ENTRY_COUNT] = count;
    for (let i = 0; i < count; i++) {
      const entry = index + HEADER_WORDS + i * requestStride;
      const at = to + HEADER_WORDS + i * replyStride;
      const replica = this.#isClosed ? undefined : this.#replicas[words[entry] as number];
      replyWords[at] =
        replica === undefined ? this.#unknownError : this.#query(kind, replica, words, floats, entry, replyWords, replyFloats, at);
    }
    this.#exchange.commitReply(from);
  }

  #query(
    kind: number,
    replica: LeaderReplica,
    words: Int32Array,
    floats: Float64Array,
    entry: number,
    replyWords: Int32Array,
    replyFloats: Float64Array,
    at: number,
  ): number {
    try {
      if (kind === FETCH_PLAN) {
        const fetch = this.#fetch;
        fetch.offset = floats[(entry + fetchEntry.fetchOffset) >> 1] as number;
        fetch.maxBytes = words[entry + fetchEntry.maxBytes] as number;
        fetch.currentLeaderEpoch = words[entry + fetchEntry.currentLeaderEpoch] as number;
        fetch.lastFetchedEpoch = words[entry + fetchEntry.lastFetchedEpoch] as number;
        fetch.isolation = words[entry + fetchEntry.isolation] as number;
        return replica.planFetch(replyWords, replyFloats, at, this.#plan, fetch);
      }
      if (kind === LIST_OFFSETS) {
        const timestamp = floats[(entry + listOffsetsEntry.timestamp) >> 1] as number;
        const isolation = words[entry + listOffsetsEntry.isolation] as number;
        return replica.listOffset(
          replyWords,
          replyFloats,
          at,
          timestamp,
          isolation,
          words[entry + listOffsetsEntry.currentLeaderEpoch] as number,
        );
      }
      const epoch = words[entry + epochEndEntry.leaderEpoch] as number;
      return replica.epochEnd(replyWords, replyFloats, at, epoch, words[entry + epochEndEntry.currentLeaderEpoch] as number);
    } catch (error) {
      if (!(error instanceof StorageError)) throw error;
      this.takeOffline(error);
      return ERROR.KAFKA_STORAGE_ERROR;
    }
  }
}
