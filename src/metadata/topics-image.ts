// The topics of an image and their partitions, by name and by id.
// Invariants: both maps hold the same topics; a partition keeps its slot as long as its topic lives, and no two ever had the same.
// Pure.
import type { ChangeCollector } from './image-change.ts';
import { ImageError } from './image-error.ts';
import type { PartitionImage, TopicImage } from './image-types.ts';
import type { RecordOf } from './metadata-records.ts';

/** In PARTITION_CHANGE: the leader stays who it is. */
const NO_LEADER_CHANGE = -2;

class Topic implements TopicImage {
  readonly name: string;
  readonly id: string;
  readonly partitions: PartitionImage[] = [];
  constructor(name: string, id: string) {
    this.name = name;
    this.id = id;
  }
}

/** Topics of the same unified name share metric names. */
function unifiedName(name: string): string {
  return name.replaceAll('.', '_');
}

export class TopicsImage {
  readonly #change: ChangeCollector;
  readonly #byName = new Map<string, Topic>();
  readonly #byId = new Map<string, Topic>();
  /** By unified name, of those that have '.' or '_'. */
  readonly #collisions = new Map<string, string[]>();
  #nextSlot = 0;
  #partitionCount = 0;

  /** `change` hears of every change. */
  constructor(change: ChangeCollector) {
    this.#change = change;
  }

  all(): Iterable<TopicImage> {
    return this.#byName.values();
  }

  get count(): number {
    return this.#byName.size;
  }

  /** Of all topics together. */
  get partitionCount(): number {
    return this.#partitionCount;
  }

  byName(name: string): TopicImage | null {
    return this.#byName.get(name) ?? null;
  }

  byId(id: string): TopicImage | null {
    return this.#byId.get(id) ?? null;
  }

  /** A topic with the same unified name, or null. */
  colliding(name: string): string | null {
    return this.#collisions.get(unifiedName(name))?.[0] ?? null;
  }

  /** Slots 0 … slotCount-1 have been given to partitions. */
  get slotCount(): number {
    return this.#nextSlot;
  }

  create(record: RecordOf<'TopicRecord'>, offset: number): void {
    if (this.#byName.has(record.name)) throw new ImageError(`offset ${offset}: topic ${record.name} is made twice`);
    const topic = new Topic(record.name, record.topicId);
    this.#byName.set(topic.name, topic);
    this.#byId.set(topic.id, topic);
    if (/[._]/.test(topic.name)) {
      const unified = unifiedName(topic.name);
      const names = this.#collisions.get(unified);
      if (names === undefined) this.#collisions.set(unified, [topic.name]);
      else names.push(topic.name);
    }
    this.#change.topicCreated(topic);
  }

  addPartition(record: RecordOf<'PartitionRecord'>, offset: number): void {
    const topic = this.#require(record.topicId, offset);
    const before = topic.partitions[record.partitionId] ?? null;
    // A snapshot's records may come in any order, but a list with a hole would be found much later.
    if (before === null && record.partitionId !== topic.partitions.length) {
      throw new ImageError(`offset ${offset}: partition ${record.partitionId} of ${topic.name} comes out of order`);
    }
    const after: PartitionImage = {
      partition: record.partitionId,
      slot: before === null ? this.#nextSlot++ : before.slot,
      leader: record.leader,
      leaderEpoch: record.leaderEpoch,
      partitionEpoch: record.partitionEpoch,
      replicas: record.replicas,
      isr: record.isr,
      removingReplicas: record.removingReplicas,
      addingReplicas: record.addingReplicas,
      directories: record.directories ?? [],
      eligibleLeaderReplicas: record.eligibleLeaderReplicas ?? [],
      lastKnownElr: record.lastKnownElr ?? [],
      leaderRecoveryState: record.leaderRecoveryState,
    };
    topic.partitions[record.partitionId] = after;
    if (before === null) this.#partitionCount++;
    this.#change.partitionChanged(topic, before, after);
  }

  changePartition(record: RecordOf<'PartitionChangeRecord'>, offset: number): void {
    const topic = this.#require(record.topicId, offset);
    const before = topic.partitions[record.partitionId];
    if (before === undefined) throw new ImageError(`offset ${offset}: ${topic.name} has no partition ${record.partitionId}`);
    // A leader that is named is a new leadership, also where it is the same broker: the epoch rises.
    const isLeaderNamed = record.leader !== NO_LEADER_CHANGE;
    const after: PartitionImage = {
      ...before,
      leader: isLeaderNamed ? record.leader : before.leader,
      leaderEpoch: isLeaderNamed ? before.leaderEpoch + 1 : before.leaderEpoch,
      partitionEpoch: before.partitionEpoch + 1,
      replicas: record.replicas ?? before.replicas,
      isr: record.isr ?? before.isr,
      removingReplicas: record.removingReplicas ?? before.removingReplicas,
      addingReplicas: record.addingReplicas ?? before.addingReplicas,
      directories: record.directories ?? before.directories,
      eligibleLeaderReplicas: record.eligibleLeaderReplicas ?? before.eligibleLeaderReplicas,
      lastKnownElr: record.lastKnownElr ?? before.lastKnownElr,
      leaderRecoveryState: record.leaderRecoveryState === -1 ? before.leaderRecoveryState : record.leaderRecoveryState,
    };
    topic.partitions[record.partitionId] = after;
    this.#change.partitionChanged(topic, before, after);
  }

  /** The name that the topic had. */
  remove(record: RecordOf<'RemoveTopicRecord'>, offset: number): string {
    const topic = this.#require(record.topicId, offset);
    this.#byName.delete(topic.name);
    this.#byId.delete(topic.id);
    this.#partitionCount -= topic.partitions.length;
    const unified = unifiedName(topic.name);
    const names = this.#collisions.get(unified)?.filter((name) => name !== topic.name) ?? [];
    if (names.length === 0) this.#collisions.delete(unified);
    else this.#collisions.set(unified, names);
    this.#change.topicDeleted(topic);
    return topic.name;
  }

  /** An empty name is every topic. */
  clearElr(topicName: string): void {
    for (const topic of topicName === '' ? this.#byName.values() : [this.#byName.get(topicName)]) {
      topic?.partitions.forEach((before, i) => {
        if (before.eligibleLeaderReplicas.length === 0 && before.lastKnownElr.length === 0) return;
        const after = { ...before, eligibleLeaderReplicas: [], lastKnownElr: [], partitionEpoch: before.partitionEpoch + 1 };
        topic.partitions[i] = after;
        this.#change.partitionChanged(topic, before, after);
      });
    }
  }

  #require(topicId: string, offset: number): Topic {
    const topic = this.#byId.get(topicId);
    if (topic === undefined) throw new ImageError(`offset ${offset}: no topic has the id ${topicId}`);
    return topic;
  }
}
