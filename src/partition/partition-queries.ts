// What is asked of the partitions of one worker and needs no write: where the bytes of a fetch lie, offsets by time, ends of epochs.
// Each question is answered at once, into the ring.
// Runs on: every worker. Not here: the answers themselves (leader-replica.ts).
import type { Exchange } from '../actors/exchange.ts';
import { createReadPlan } from '../log/log.ts';
import { StorageError } from '../log/storage.ts';
import { ERROR } from '../protocol/errors.ts';
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
  readonly #exchange: Exchange;
  readonly #replicas: ReplicaTable;
  readonly #takeOffline: (directory: string, error: StorageError) => void;
  readonly #plan = createReadPlan();
  readonly #fetch = { offset: 0, maxBytes: 0, currentLeaderEpoch: 0, lastFetchedEpoch: 0, isolation: 0 };

  /** `takeOffline` hears of a file that cannot be read. */
  constructor(exchange: Exchange, replicas: ReplicaTable, takeOffline: (directory: string, error: StorageError) => void) {
    this.#exchange = exchange;
    this.#replicas = replicas;
    this.#takeOffline = takeOffline;
  }

  /** A request of `kind` (FETCH_PLAN, LIST_OFFSETS, EPOCH_END) of worker `from`, whose payload begins at `index`. */
  hear(kind: number, from: number, requestId: number, words: Int32Array, floats: Float64Array, index: number): void {
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
      const slot = words[entry] as number;
      const replica = this.#replicas.findReadable(slot);
      replyWords[at] =
        replica === undefined
          ? this.#replicas.unknownError(slot)
          : this.#answer(kind, replica, words, floats, entry, replyWords, replyFloats, at);
    }
    this.#exchange.commitReply(from);
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
      this.#takeOffline(replica.logDirectory, error);
      return ERROR.KAFKA_STORAGE_ERROR;
    }
  }
}
