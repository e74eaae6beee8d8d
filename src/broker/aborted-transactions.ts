// Which transactions of a partition were aborted, for those who read committed records alone: read from the partition's own files the
// first time that somebody needs it, and kept. The owner says when there is something to read (fetchReply.hasAborted).
// Invariant: none is added while the broker runs, since it takes no transactions: they come with directories that Apache Kafka wrote.
// Runs on: every worker with connections.
import { type Storage, StorageError } from '../log/storage.ts';
import { type AbortedTransaction, abortedWithin, readTransactionIndexes } from '../log/transaction-index.ts';

export class AbortedTransactions {
  readonly #storage: Storage;
  readonly #pathOf: (topic: string, partition: number) => string | null;
  readonly #bySlot = new Map<number, readonly AbortedTransaction[]>();

  /** `pathOf` says where a partition's files lie; null: where nobody can read them. */
  constructor(storage: Storage, pathOf: (topic: string, partition: number) => string | null) {
    this.#storage = storage;
    this.#pathOf = pathOf;
  }

  /** Those that a read from `fromOffset` to `endOffset` may meet; null where the disk refuses. */
  within(slot: number, topic: string, partition: number, fromOffset: number, endOffset: number): AbortedTransaction[] | null {
    let all = this.#bySlot.get(slot);
    if (all === undefined) {
      const path = this.#pathOf(topic, partition);
      if (path === null) return null;
      try {
        all = readTransactionIndexes(this.#storage, path);
      } catch (error) {
        if (error instanceof StorageError) return null;
        throw error;
      }
      this.#bySlot.set(slot, all);
    }
    return abortedWithin(all, fromOffset, endOffset);
  }
}
