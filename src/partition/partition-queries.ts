// What is asked of the partitions of one worker and needs no write: where the bytes of a fetch lie, offsets by time, ends of epochs.
// Each question is answered at once, into the ring; where that would take reads that wait for the disk, it is asked again, all of it, when the
// pool has read those places (scheduler/cold-reads.ts). Until then it holds the credit of its sender, which bounds how many wait.
// Invariant: an answer comes of one look at the logs, the last: what a look that was given up has found is forgotten.
// Runs on: every worker. Not here: the answers themselves (leader-replica.ts).
import { createReadPlan } from '../log/log.ts';
import { StorageError } from '../log/storage.ts';
import { ERROR } from '../protocol/errors.ts';
import { ColdPlaces, ColdRead } from '../scheduler/cold-reads.ts';
import type { Runtime } from '../scheduler/runtime.ts';
import type { LeaderReplica } from './leader-replica.ts';
import {
  ENTRY_COUNT,
  epochEndEntry,
  FETCH_PLAN,
  fetchEntry,
  HEADER_WORDS,
  LIST_OFFSETS,
  listOffsetsEntry,
  REPLY_ENTRY_WORDS,
  REQUEST_ENTRY_WORDS,
} from './partition-messages.ts';
import type { ReplicaTable } from './replica-table.ts';
import type { UnmadePartition } from './unmade-partition.ts';

export class PartitionQueries {
  readonly #runtime: Runtime;
  readonly #replicas: ReplicaTable;
  readonly #takeOffline: (directory: string, error: StorageError) => void;
  readonly #plan = createReadPlan();
  readonly #fetch = { offset: 0, maxBytes: 0, currentLeaderEpoch: 0, lastFetchedEpoch: 0, isolation: 0 };

  /** `takeOffline` hears of a file that cannot be read. */
  constructor(runtime: Runtime, replicas: ReplicaTable, takeOffline: (directory: string, error: StorageError) => void) {
    this.#runtime = runtime;
    this.#replicas = replicas;
    this.#takeOffline = takeOffline;
  }

  /** A request of `kind` (FETCH_PLAN, LIST_OFFSETS, EPOCH_END) of worker `from`, whose payload begins at `index`. */
  hear(kind: number, from: number, requestId: number, words: Int32Array, floats: Float64Array, index: number): void {
    const cold = this.#look(kind, from, requestId, words, floats, index, null);
    if (cold === null) return;
    // What is in the ring is gone when this returns.
    const payloadWords = HEADER_WORDS + (words[index + ENTRY_COUNT] as number) * (REQUEST_ENTRY_WORDS[kind] as number);
    const copy = floats.slice(index >> 1, (index + payloadWords + 1) >> 1);
    const copiedWords = new Int32Array(copy.buffer);
    const again = (): void => this.#look(kind, from, requestId, copiedWords, copy, 0, cold)?.bring(this.#runtime, again);
    cold.bring(this.#runtime, again);
  }

  /** Answers the request, unless some of it takes reads that wait: where, is added to `places` then, and given back. */
  #look(
    kind: number,
    from: number,
    requestId: number,
    words: Int32Array,
    floats: Float64Array,
    index: number,
    places: ColdPlaces | null,
  ): ColdPlaces | null {
    const { exchange, coldReads } = this.#runtime;
    const count = words[index + ENTRY_COUNT] as number;
    const requestStride = REQUEST_ENTRY_WORDS[kind] as number;
    const replyStride = REPLY_ENTRY_WORDS[kind] as number;
    const payloadWords = HEADER_WORDS + count * replyStride;
    const to = exchange.beginReply(from, kind, requestId, payloadWords);
    const replyWords = exchange.replyWords(from);
    const replyFloats = exchange.replyFloats(from);
    replyWords.fill(0, to, to + payloadWords);
    replyWords[to + ENTRY_COUNT] = count;
    let cold: ColdPlaces | null = null;
    let failures: { directory: string; error: StorageError }[] | null = null;
    for (let i = 0; i < count; i++) {
      const entry = index + HEADER_WORDS + i * requestStride;
      const at = to + HEADER_WORDS + i * replyStride;
      const slot = words[entry] as number;
      const replica = this.#replicas.findReadable(slot);
      if (replica === undefined) {
        replyWords[at] = this.#replicas.unknownError(slot);
        continue;
      }
      coldReads.begin(places);
      try {
        replyWords[at] = this.#answer(kind, replica, words, floats, entry, replyWords, replyFloats, at);
      } catch (error) {
        if (error instanceof StorageError) {
          failures ??= [];
          failures.push({ directory: replica.logDirectory, error });
          replyWords[at] = ERROR.KAFKA_STORAGE_ERROR;
        } else if (error instanceof ColdRead) {
          cold ??= places ?? new ColdPlaces();
          cold.add(error);
        } else throw error;
      } finally {
        coldReads.end();
      }
    }
    if (cold === null) exchange.commitReply(from);
    else exchange.abortReply(from);
    // Behind the look and its reply: what follows from a failure may read, and answers others at once.
    if (failures !== null) for (const { directory, error } of failures) this.#takeOffline(directory, error);
    return cold;
  }

  #answer(
    kind: number,
    replica: LeaderReplica | UnmadePartition,
    words: Int32Array,
    floats: Float64Array,
    entry: number,
    replyWords: Int32Array,
    replyFloats: Float64Array,
    at: number,
  ): number {
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
  }
}
