// What producers, and this broker itself, append to the partitions of one worker: each batch is decided on and staged as it comes; at the end of
// the turn each partition that was touched writes once, then the answers to every produce of the turn leave.
// Invariant: no produce is answered before its batches are written, or known not to be.
// Runs on: every worker. Not here: what a replica decides (leader-replica.ts), what a failed write does to the others (partition-host.ts).
import type { Turn, TurnEndActor } from '../actors/actor.ts';
import type { Exchange } from '../actors/exchange.ts';
import { refuse, resetAppendResult } from '../log/append-result.ts';
import { type AppendResult, createAppendResult } from '../log/log.ts';
import { StorageError } from '../log/storage.ts';
import { ERROR } from '../protocol/errors.ts';
import type { Runtime } from '../scheduler/runtime.ts';
import type { LeaderReplica } from './leader-replica.ts';
import { ARENA, ENTRY_COUNT, HEADER_WORDS, PRODUCE, produceEntry, produceReply, REQUEST_ENTRY_WORDS } from './partition-messages.ts';
import { PendingProduce, PRODUCE_REPLY_WORDS } from './pending-produce.ts';
import { Recompression, type WaitingBatch } from './recompression.ts';
import { writeRefusal } from './refusal-text.ts';
import type { ReplicaTable } from './replica-table.ts';

export class PartitionAppends implements TurnEndActor {
  readonly #runtime: Runtime;
  readonly #exchange: Exchange;
  readonly #replicas: ReplicaTable;
  readonly #takeOffline: (directory: string, error: StorageError) => void;
  readonly #result: AppendResult = createAppendResult();
  // Filled to their counts and never shortened: an array that is emptied by its length is allocated anew in each turn.
  readonly #staged: (LeaderReplica | null)[] = [];
  #stagedCount = 0;
  readonly #pending: PendingProduce[] = [];
  #pendingCount = 0;
  readonly #freePending: PendingProduce[] = [];
  /** Produces whose records wait for a sync. */
  #unsynced: PendingProduce[] = [];
  readonly #recompression: Recompression;

  /** `takeOffline` hears of a write that failed, before its batches are answered. */
  constructor(runtime: Runtime, replicas: ReplicaTable, takeOffline: (directory: string, error: StorageError) => void) {
    this.#runtime = runtime;
    this.#exchange = runtime.exchange;
    this.#replicas = replicas;
    this.#takeOffline = takeOffline;
    this.#recompression = new Recompression(runtime, (batch) => this.#decideWaiting(batch));
  }

  /** A PRODUCE of worker `from`, whose payload begins at `index`. */
  hear(from: number, requestId: number, words: Int32Array, index: number): void {
    const count = words[index + ENTRY_COUNT] as number;
    const bytes = this.#runtime.arenaBytes[words[index + ARENA] as number] as Uint8Array;
    const pending = this.#freePending.pop() ?? new PendingProduce();
    pending.open(from, requestId, count);
    const nowMs = this.#runtime.clock.wallMs();
    const result = this.#result;
    let entry = index + HEADER_WORDS;
    for (let i = 0; i < count; i++, entry += REQUEST_ENTRY_WORDS[PRODUCE] as number) {
      const slot = words[entry] as number;
      const replica = this.#replicas.find(slot);
      const position = words[entry + produceEntry.position] as number;
      const length = words[entry + produceEntry.length] as number;
      pending.replicas[i] = null;
      pending.ends[i] = 0;
      if (replica === undefined || replica.isOffline) this.#refuseUnseen(pending, i, slot, replica);
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

  /** Stages a batch that this broker made itself. */
  appendOwn(replica: LeaderReplica, batch: Uint8Array): void {
    const hadStaged = replica.hasStaged;
    replica.appendOwn(batch, this.#runtime.clock.wallMs());
    if (!hadStaged) this.#staged[this.#stagedCount++] = replica;
    this.#runtime.touch(this);
  }

  onTurnEnd(_turn: Turn): void {
    this.finish();
  }

  /** Writes and answers what there is, as at the end of the turn. */
  finish(): void {
    for (let i = 0; i < this.#stagedCount; i++) {
      const replica = this.#staged[i] as LeaderReplica;
      this.#staged[i] = null; // Its partition may be deleted before this place is filled again.
      if (replica.isOffline) continue;
      try {
        replica.writeStaged();
      } catch (error) {
        if (!(error instanceof StorageError)) throw error;
        this.#takeOffline(replica.logDirectory, error);
      }
    }
    this.#stagedCount = 0;
    for (let i = 0; i < this.#pendingCount; i++) {
      const pending = this.#pending[i] as PendingProduce;
      if (pending.isCommitted) this.#answer(pending);
      else this.#unsynced.push(pending);
    }
    this.#pendingCount = 0;
  }

  /** A sync has ended: whose records waited for that are answered. */
  answerSynced(): void {
    if (this.#unsynced.length === 0) return;
    const waiting = this.#unsynced;
    this.#unsynced = waiting.filter((pending) => !pending.isCommitted);
    for (const pending of waiting) if (pending.isCommitted) this.#answer(pending);
  }

  /** Calls `done` when no batch is with the pool any more, nor waits behind one. */
  whenIdle(done: () => void): void {
    this.#recompression.whenIdle(done);
  }

  /** The turn of a batch has come that was with the pool, or waited behind one that was. Its partition may be gone by now. */
  #decideWaiting(batch: WaitingBatch): void {
    const { replica, pending, entry, bytes, position, length, outcome, error } = batch;
    const result = this.#result;
    if (this.#replicas.find(replica.slot) !== replica) this.#refuseUnseen(pending, entry, replica.slot, undefined);
    else if (replica.isOffline) this.#refuseUnseen(pending, entry, replica.slot, replica);
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
  #refuseUnseen(pending: PendingProduce, entry: number, slot: number, replica: LeaderReplica | undefined): void {
    const { words, floats } = pending;
    const at = entry * PRODUCE_REPLY_WORDS;
    words[at] = replica === undefined ? this.#replicas.unknownError(slot) : ERROR.KAFKA_STORAGE_ERROR;
    words[at + produceReply.refusalBytes] = 0;
    floats[(at + produceReply.baseOffset) >> 1] = -1;
    floats[(at + produceReply.logAppendTimeMs) >> 1] = -1;
    floats[(at + produceReply.logStartOffset) >> 1] = replica === undefined ? -1 : replica.log.logStartOffset;
  }

  #answer(pending: PendingProduce): void {
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
}
