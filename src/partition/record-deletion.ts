// DeleteRecords at the owners: moves log starts, and answers when the checkpoint says so, so that a start after a crash does not bring back
// what was deleted. (Apache Kafka answers at once, and writes the checkpoint within log.flush.start.offset.checkpoint.interval.ms.)
// Runs on: the worker that owns the partitions.
import type { Exchange } from '../actors/exchange.ts';
import { unreachable } from '../base/assert.ts';
import { ERROR } from '../protocol/errors.ts';
import type { LeaderReplica } from './leader-replica.ts';
import {
  DELETE_RECORDS,
  deleteRecordsEntry,
  deleteRecordsReply,
  ENTRY_COUNT,
  HEADER_WORDS,
  REPLY_ENTRY_WORDS,
  REQUEST_ENTRY_WORDS,
  SLOT,
} from './partition-messages.ts';
import type { ReplicaTable } from './replica-table.ts';

const REQUEST_WORDS = REQUEST_ENTRY_WORDS[DELETE_RECORDS] as number;
const REPLY_WORDS = REPLY_ENTRY_WORDS[DELETE_RECORDS] as number;

/** Brings the log starts of replicas to the medium; `done` hears once in which log directories they are not. */
export type PersistStarts = (replicas: readonly LeaderReplica[], done: (failed: readonly string[]) => void) => void;

export class RecordDeletion {
  /** Set by who writes the checkpoints. */
  persistStarts: PersistStarts = () => unreachable('nobody writes the checkpoint of log starts');
  readonly #exchange: Exchange;
  readonly #replicas: ReplicaTable;

  constructor(exchange: Exchange, replicas: ReplicaTable) {
    this.#exchange = exchange;
    this.#replicas = replicas;
  }

  /** A request of worker `from`, whose payload begins at `index`. */
  hear(from: number, requestId: number, words: Int32Array, floats: Float64Array, index: number): void {
    const replicas: (LeaderReplica | null)[] = [];
    const errors: number[] = [];
    const unwritten = new Set<LeaderReplica>();
    for (let i = 0; i < (words[index + ENTRY_COUNT] as number); i++) {
      const entry = index + HEADER_WORDS + i * REQUEST_WORDS;
      const slot = words[entry + SLOT] as number;
      const replica = this.#replicas.find(slot) ?? null;
      const offset = floats[(entry + deleteRecordsEntry.offset) >> 1] as number;
      const error = replica === null ? this.#replicas.unknownError(slot) : replica.deleteRecords(offset);
      replicas.push(replica);
      errors.push(error);
      if (replica !== null && error === ERROR.NONE && replica.log.logStartOffset > replica.persistedStart) unwritten.add(replica);
    }
    if (unwritten.size === 0) {
      this.#answer(from, requestId, replicas, errors);
      return;
    }
    this.persist([...unwritten], (failed) => {
      for (const replica of unwritten) {
        if (failed.includes(replica.logDirectory)) errors[replicas.indexOf(replica)] = ERROR.KAFKA_STORAGE_ERROR;
      }
      this.#answer(from, requestId, replicas, errors);
    });
  }

  /** Brings the log starts of `replicas`, as they are now, to the medium. */
  persist(replicas: readonly LeaderReplica[], done: (failed: readonly string[]) => void = () => {}): void {
    const starts = replicas.map((replica) => replica.log.logStartOffset);
    this.persistStarts(replicas, (failed) => {
      for (const [i, replica] of replicas.entries()) {
        if (!failed.includes(replica.logDirectory)) replica.persistedStart = Math.max(replica.persistedStart, starts[i] as number);
      }
      done(failed);
    });
  }

  #answer(from: number, requestId: number, replicas: readonly (LeaderReplica | null)[], errors: readonly number[]): void {
    const payloadWords = HEADER_WORDS + errors.length * REPLY_WORDS;
    const to = this.#exchange.beginReply(from, DELETE_RECORDS, requestId, payloadWords);
    const words = this.#exchange.replyWords(from);
    const floats = this.#exchange.replyFloats(from);
    words.fill(0, to, to + payloadWords);
    words[to + ENTRY_COUNT] = errors.length;
    for (const [i, error] of errors.entries()) {
      const at = to + HEADER_WORDS + i * REPLY_WORDS;
      words[at] = error;
      floats[(at + deleteRecordsReply.lowWatermark) >> 1] = error === ERROR.NONE ? (replicas[i]?.log.logStartOffset ?? -1) : -1;
    }
    this.#exchange.commitReply(from);
  }
}
