// The partitions of one worker: hears what is asked of them and hands it to those who answer, adds and removes replicas, and takes those of a
// log directory offline where its disk fails.
// Invariant: a request is answered from metadata that is at least as new as its sender's.
// Runs on: every worker. Not here: appending (partition-appends.ts), answers without a write (partition-queries.ts), what a replica decides
// (leader-replica.ts), who asks (partition-client.ts).
import type { Runtime } from '../scheduler/runtime.ts';
import type { LeaderReplica } from './leader-replica.ts';
import { PartitionAppends } from './partition-appends.ts';
import { DELETE_RECORDS, EPOCH_END, FETCH_PLAN, LIST_OFFSETS, METADATA_OFFSET, PRODUCE } from './partition-messages.ts';
import { PartitionQueries } from './partition-queries.ts';
import type { PartitionWords } from './partition-words.ts';
import { READERS_RECHECK_MS } from './reader-counts.ts';
import { RecordDeletion } from './record-deletion.ts';
import { ReplicaTable } from './replica-table.ts';

/** A request of a worker whose metadata is ahead of ours: heard again when ours has come that far. */
interface EarlyRequest {
  readonly kind: number;
  readonly from: number;
  readonly requestId: number;
  readonly floats: Float64Array;
}

/** Why a log directory went offline: a StorageError, or what is left of one that came from another thread. */
export type StorageFailure = { readonly message: string };

export class PartitionHost {
  readonly words: PartitionWords;
  readonly deletion: RecordDeletion;
  readonly #runtime: Runtime;
  readonly #metadataOffset: () => number;
  readonly #onStorageFailure: (directory: string, error: StorageFailure) => void;
  readonly #replicas = new ReplicaTable();
  /** Paths of the log directories that have failed, here or on another worker. */
  readonly #failed = new Set<string>();
  readonly #appends: PartitionAppends;
  readonly #queries: PartitionQueries;
  #early: EarlyRequest[] = [];

  /** `onStorageFailure` hears of each log directory that fails here, by its path. */
  constructor(
    runtime: Runtime,
    words: PartitionWords,
    metadataOffset: () => number,
    onStorageFailure: (directory: string, error: StorageFailure) => void,
  ) {
    const { exchange } = runtime;
    const takeOffline = (directory: string, error: StorageFailure): void => this.takeOffline(directory, error);
    this.words = words;
    this.#runtime = runtime;
    this.#metadataOffset = metadataOffset;
    this.#onStorageFailure = onStorageFailure;
    this.#appends = new PartitionAppends(runtime, this.#replicas, takeOffline);
    this.#queries = new PartitionQueries(exchange, this.#replicas, takeOffline);
    this.deletion = new RecordDeletion(exchange, this.#replicas);
    for (const kind of [PRODUCE, FETCH_PLAN, LIST_OFFSETS, EPOCH_END, DELETE_RECORDS]) {
      exchange.onRequest(kind, (from, requestId, words_, floats, index, payloadWords) => {
        if ((((words_[index + METADATA_OFFSET] as number) - this.#metadataOffset()) | 0) > 0) {
          const copy = floats.slice(index >> 1, (index + payloadWords + 1) >> 1);
          this.#early.push({ kind, from, requestId, floats: copy });
        } else this.#hear(kind, from, requestId, words_, floats, index);
      });
    }
  }

  /** The replicas here, for checkpoints and shutdown. */
  replicas(): IterableIterator<LeaderReplica> {
    return this.#replicas.all();
  }

  replica(slot: number): LeaderReplica | undefined {
    return this.#replicas.at(slot);
  }

  add(replica: LeaderReplica): void {
    replica.isOffline = this.isOffline(replica.logDirectory);
    replica.onSynced = (_replica, error) => {
      if (error !== null) this.takeOffline(replica.logDirectory, error);
      this.#appends.answerSynced();
    };
    this.#replicas.add(replica);
  }

  /**
   * Takes a partition out: requests find it unknown, parked fetches are woken, and `whenUnread` runs once no thread is inside a
   * read of its files (they may be closed then).
   */
  remove(slot: number, whenUnread: (replica: LeaderReplica) => void): void {
    const replica = this.#replicas.at(slot);
    if (replica?.hasStaged) this.#appends.finish();
    this.#replicas.remove(slot);
    if (replica === undefined) return;
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
    this.#appends.appendOwn(replica, batch);
  }

  /** What is staged from here on is written at the end of the turn before those are heard who are touched after this. */
  touch(): void {
    this.#runtime.touch(this.#appends);
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
    this.#appends.whenIdle(done);
  }

  /** The broker stops: what is staged is written and answered, whatever comes later is refused, and what others were told is void. */
  close(): void {
    this.#appends.finish();
    this.#replicas.isClosed = true;
    for (const replica of this.replicas()) {
      this.words.raiseStateVersion(replica.slot);
      this.words.park.wake(replica.slot);
    }
  }

  /** A write failed: every partition of the directory is refused from now on, here and, by onStorageFailure, on the other workers. */
  takeOffline(directory: string, error: StorageFailure): void {
    if (this.isOffline(directory)) return;
    this.goOffline(directory);
    this.#onStorageFailure(directory, error);
  }

  /** The directory failed, here or on another worker: nothing is taken any more, and waiting fetches are told. */
  goOffline(directory: string): void {
    this.#failed.add(directory);
    for (const replica of this.replicas()) {
      if (replica.logDirectory !== directory) continue;
      replica.isOffline = true;
      this.words.raiseStateVersion(replica.slot);
      this.words.park.wake(replica.slot);
      replica.listener?.onOffline();
    }
  }

  isOffline(directory: string): boolean {
    return this.#failed.has(directory);
  }

  /** The partition of this slot is not opened: its directory is offline. Who asks for it is told so until it is added or removed. */
  leaveOut(slot: number): void {
    this.#replicas.offline.add(slot);
  }

  /** What is answered for a slot that has no replica here. */
  unknownError(slot: number): number {
    return this.#replicas.unknownError(slot);
  }

  #hear(kind: number, from: number, requestId: number, words: Int32Array, floats: Float64Array, index: number): void {
    if (kind === PRODUCE) this.#appends.hear(from, requestId, words, index);
    else if (kind === DELETE_RECORDS) this.deletion.hear(from, requestId, words, floats, index);
    else this.#queries.hear(kind, from, requestId, words, floats, index);
  }
}
