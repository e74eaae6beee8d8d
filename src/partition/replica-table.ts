// The replicas of one worker, by the slots of their partitions, and what is answered for one that is not here.
// Runs on: every worker. Not here: who adds them and takes them out (partition-host.ts).
import { ERROR } from '../protocol/errors.ts';
import type { LeaderReplica } from './leader-replica.ts';

export class ReplicaTable {
  /** The log directory has failed, here or on another worker. */
  isOffline = false;
  /** The broker stops: no request finds a replica any more. */
  isClosed = false;
  /** By slot; holes where a slot belongs to another worker or its partition is gone. */
  readonly #replicas: (LeaderReplica | undefined)[] = [];

  /** Who answers requests for the slot; undefined: `unknownError` says why nobody does. */
  find(slot: number): LeaderReplica | undefined {
    return this.isClosed ? undefined : this.#replicas[slot];
  }

  /** A slot without a replica: deleted, or, while the broker stops, somebody else's soon, or not to be opened since the disk failed. */
  get unknownError(): number {
    if (this.isClosed) return ERROR.NOT_LEADER_OR_FOLLOWER;
    return this.isOffline ? ERROR.KAFKA_STORAGE_ERROR : ERROR.UNKNOWN_TOPIC_OR_PARTITION;
  }

  /** Whose slot it is, also while the broker stops. */
  at(slot: number): LeaderReplica | undefined {
    return this.#replicas[slot];
  }

  add(replica: LeaderReplica): void {
    this.#replicas[replica.slot] = replica;
  }

  remove(slot: number): void {
    this.#replicas[slot] = undefined;
  }

  *all(): IterableIterator<LeaderReplica> {
    for (const replica of this.#replicas) if (replica !== undefined) yield replica;
  }
}
