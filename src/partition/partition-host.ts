// The partitions of one worker: hears what is asked of them and hands it to those who answer, adds and removes replicas, and takes those of a
// log directory offline where its disk fails.
// Runs on: every worker. Not here: which requests wait (early-requests.ts), appending (partition-appends.ts), answers without a write (partition-queries.ts), what a replica decides
// (leader-replica.ts), who asks (partition-client.ts).
import type { Runtime } from '../scheduler/runtime.ts';
import { EarlyRequests } from './early-requests.ts';
import type { LeaderReplica } from './leader-replica.ts';
import { PartitionAppends } from './partition-appends.ts';
import { DELETE_RECORDS, EPOCH_END, FETCH_PLAN, LIST_OFFSETS, PRODUCE } from './partition-messages.ts';
import { PartitionQueries } from './partition-queries.ts';
import type { PartitionWords } from './partition-words.ts';
import { READERS_RECHECK_MS } from './reader-counts.ts';
import { RecordDeletion } from './record-deletion.ts';
import { ReplicaTable } from './replica-table.ts';
import { UnmadePartition } from './unmade-partition.ts';

/** Why a log directory went offline: a StorageError, or what is left of one that came from another thread. */
export type StorageFailure = { readonly message: string };

export class PartitionHost {
  readonly words: PartitionWords;
  readonly deletion: RecordDeletion;
  readonly #runtime: Runtime;
  readonly #onStorageFailure: (directory: string, error: StorageFailure) => void;
  readonly #replicas = new ReplicaTable();
  /** Paths of the log directories that have failed, here or on another worker. */
  readonly #failed = new Set<string>();
  readonly #appends: PartitionAppends;
  readonly #queries: PartitionQueries;
  readonly #early: EarlyRequests;

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
    this.#onStorageFailure = onStorageFailure;
    this.#appends = new PartitionAppends(runtime, this.#replicas, takeOffline);
    this.#queries = new PartitionQueries(runtime, this.#replicas, takeOffline);
    this.deletion = new RecordDeletion(exchange, this.#replicas);
    this.#early = new EarlyRequests(this.#replicas, metadataOffset, (kind, from, requestId, heard, floats, index) =>
      this.#hear(kind, from, requestId, heard, floats, index),
    );
    for (const kind of [PRODUCE, FETCH_PLAN, LIST_OFFSETS, EPOCH_END, DELETE_RECORDS]) {
      exchange.onRequest(kind, (from, requestId, words_, floats, index, payloadWords) =>
        this.#early.take(kind, from, requestId, words_, floats, index, payloadWords),
      );
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
    this.#early.onSettled(replica.slot);
  }

  /**
   * A partition of a new topic, whose log somebody is about to make (`add`) or finds to be gone (`removeUnmade`): until then it is there for
   * whoever asks, and what would change it waits. Also where it has a new leader epoch.
   */
  addUnmade(slot: number, topicId: string, partition: number, leaderEpoch: number, logDirectory: string): UnmadePartition {
    const unmade = new UnmadePartition(slot, topicId, partition, leaderEpoch, logDirectory, this.words);
    this.#replicas.addUnmade(unmade);
    return unmade;
  }

  unmade(slot: number): UnmadePartition | undefined {
    return this.#replicas.unmade(slot);
  }

  /** How many logs are still to be made. */
  get unmadeCount(): number {
    return this.#replicas.unmadeCount;
  }

  /** Its log will not be made: requests find that out now. */
  removeUnmade(slot: number): void {
    if (this.#replicas.unmade(slot) === undefined) return;
    this.#replicas.removeUnmade(slot);
    this.words.raiseStateVersion(slot);
    this.words.park.wake(slot);
    this.#early.onSettled(slot);
  }

  /** `wanted` hears of a partition whose log a request waits for: it is to be made before others. */
  onWanted(wanted: (partition: UnmadePartition) => void): void {
    this.#early.onWanted = wanted;
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
    this.#early.onMetadataApplied();
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
    for (const { slot } of this.#replicas.allUnmade()) this.removeUnmade(slot);
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
    for (const { slot, logDirectory } of this.#replicas.allUnmade()) {
      if (logDirectory !== directory) continue;
      this.leaveOut(slot);
      this.removeUnmade(slot);
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
