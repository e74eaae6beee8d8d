// The replicas of one worker, by the slots of their partitions, and what is answered for one that is not here.
// Runs on: every worker. Not here: who adds them and takes them out (partition-host.ts).
import { ERROR } from '../protocol/errors.ts';
import type { LeaderReplica } from './leader-replica.ts';

export class ReplicaTable {
  /** Slots whose partitions are not open, since they lie in a log directory that is offline. */
  readonly offline = new Set<number>();
  /** The broker stops: no request finds a replica any more. */
  isClosed = false;
  /** By slot; holes where a slot belongs to another worker or its partition is gone. */
  readonly #replicas: (LeaderReplica | undefined)[] = [];

  /** Who answers requests for the slot; undefined: `unknownError` says why nobody does. */
  find(slot: number): LeaderReplica | undefined {
    return this.isClosed ? undefined : this.#replicas[slot];
  }

  /** A slot without a replica: deleted, or, while the broker stops, somebody else's soon, or not to be opened since its disk failed. */
  unknownError(slot: number): number {
    if (this.isClosed) return ERROR.NOT_LEADER_OR_FOLLOWER;
    return this.offline.has(slot) ? ERROR.KAFKA_STORAGE_ERROR : ERROR.UNKNOWN_TOPIC_OR_PARTITION;
  }

  /** Whose slot it is, also while the broker stops. */
  at(slot: number): LeaderReplica | undefined {
    return this.#replicas[slot];
  }

  add(replica: LeaderReplica): void {
    this.#replicas[replica.slot] = replica;
    this.offline.delete(replica.slot);
  }

  remove(slot: number): void {
    this.#replicas[slot] = undefined;
    this.offline.delete(slot);
  }

  *all(): IterableIterator<LeaderReplica> {
    for (const replica of this.#replicas) if (replica !== undefined) yield replica;
  }
}
