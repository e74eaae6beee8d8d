// The committed offsets of all groups of a shard: group → topic → partition → the value of the commit's record.
// Invariant: changes in replay alone; no map without entries.
// Pure.
import type { OffsetCommitValue } from './record-tables.ts';

export type TopicOffsets = ReadonlyMap<string, ReadonlyMap<number, OffsetCommitValue>>;

type Partitions = Map<number, OffsetCommitValue>;

export class OffsetStore {
  readonly #groups = new Map<string, Map<string, Partitions>>();
  /** Where the last record belonged: those of one commit come one after the other, and a load has millions. */
  #lastGroup = '';
  #lastTopic = '';
  #last: Partitions | null = null;

  /** Offsets by topic and partition; undefined where the group has none. */
  ofGroup(groupId: string): TopicOffsets | undefined {
    return this.#groups.get(groupId);
  }

  groups(): Iterable<[groupId: string, TopicOffsets]> {
    return this.#groups;
  }

  put(groupId: string, topicName: string, partition: number, value: OffsetCommitValue): void {
    if (this.#last === null || topicName !== this.#lastTopic || groupId !== this.#lastGroup) this.#find(groupId, topicName);
    (this.#last as Partitions | null)?.set(partition, value);
  }

  #find(groupId: string, topicName: string): void {
    let topics = this.#groups.get(groupId);
    if (topics === undefined) {
      topics = new Map();
      this.#groups.set(groupId, topics);
    }
    let partitions = topics.get(topicName);
    if (partitions === undefined) {
      partitions = new Map();
      topics.set(topicName, partitions);
    }
    this.#lastGroup = groupId;
    this.#lastTopic = topicName;
    this.#last = partitions;
  }

  remove(groupId: string, topicName: string, partition: number): void {
    const topics = this.#groups.get(groupId);
    const partitions = topics?.get(topicName);
    if (topics === undefined || partitions === undefined) return;
    partitions.delete(partition);
    if (partitions.size > 0) return;
    this.#last = null;
    topics.delete(topicName);
    if (topics.size === 0) this.#groups.delete(groupId);
  }
}
