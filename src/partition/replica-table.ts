// The replicas of one worker, by the slots of their partitions, and what is answered for one that is not here.
// Runs on: every worker. Not here: who adds them and takes them out (partition-host.ts).
import { ERROR } from '../protocol/errors.ts';
import type { LeaderReplica } from './leader-replica.ts';
import type { UnmadePartition } from './unmade-partition.ts';

export class ReplicaTable {
  /** Slots whose partitions are not open, since they lie in a log directory that is offline. */
  readonly offline = new Set<number>();
  /** The broker stops: no request finds a replica any more. */
  isClosed = false;
  /** By slot; holes where a slot belongs to another worker or its partition is gone. */
  readonly #replicas: (LeaderReplica | undefined)[] = [];

  /** By slot: those whose logs are still to be made. None is among the replicas. */
  readonly #unmade = new Map<number, UnmadePartition>();

  /** Who answers requests for the slot; undefined: `unknownError` says why nobody does. */
  find(slot: number): LeaderReplica | undefined {
    return this.isClosed ? undefined : this.#replicas[slot];
  }

  /** As `find`, for what is asked without a write: a partition whose log is not made yet answers that, too. */
  findReadable(slot: number): LeaderReplica | UnmadePartition | undefined {
    return this.find(slot) ?? this.#unmade.get(slot);
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
    this.#unmade.delete(replica.slot);
    this.#replicas[replica.slot] = replica;
    this.offline.delete(replica.slot);
  }

  remove(slot: number): void {
    this.#replicas[slot] = undefined;
    this.offline.delete(slot);
  }

  get unmadeCount(): number {
    return this.#unmade.size;
  }

  unmade(slot: number): UnmadePartition | undefined {
    return this.#unmade.get(slot);
  }

  allUnmade(): UnmadePartition[] {
    return [...this.#unmade.values()];
  }

  addUnmade(partition: UnmadePartition): void {
    this.#unmade.set(partition.slot, partition);
  }

  removeUnmade(slot: number): void {
    this.#unmade.delete(slot);
  }

  *all(): IterableIterator<LeaderReplica> {
    for (const replica of this.#replicas) if (replica !== undefined) yield replica;
  }
}
