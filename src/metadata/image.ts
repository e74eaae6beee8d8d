// The cluster's metadata as replayed from its log: one image on every worker, and one of the controller's own that runs ahead of the commit.
// Invariant: the state is a function of the records replayed, in order; nothing else changes it.
// Pure. Not the decision what to record (topics.ts, brokers.ts, …), not the log.
import { ChangeCollector } from './image-change.ts';
import {
  type BrokerImage,
  type ControllerImage,
  type MetadataChange,
  NO_LEADER,
  type PartitionImage,
  RESOURCE,
  type TopicImage,
} from './image-types.ts';
import type { MetadataRecord } from './metadata-records.ts';

/** The log says something that cannot be: it was written by a broken program, or is not the one it is taken for. */
export class ImageError extends Error {
  override readonly name = 'ImageError';
  readonly code = 'ERR_METADATA_LOG';
}

type RecordOf<T extends MetadataRecord['type']> = Extract<MetadataRecord, { type: T }>;

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

export class ClusterImage {
  readonly clusterId: string;
  /** All records below are replayed. */
  endOffset = 0;
  /** Leader epoch of the last batch replayed. */
  epoch = 0;
  nextProducerId = 0;
  /** 1 where the quorum's voters stand in the metadata log, 0 where every node is told of them. */
  kraftVersion = 0;
  readonly #topicsByName = new Map<string, Topic>();
  readonly #topicsById = new Map<string, Topic>();
  /** Names with '.' as '_': which topics share metric names. */
  readonly #collisions = new Map<string, string[]>();
  readonly #brokers = new Map<number, BrokerImage>();
  /** `brokers`, until one of them changes. */
  #brokerList: readonly BrokerImage[] | null = null;
  readonly #controllers = new Map<number, ControllerImage>();
  readonly #features = new Map<string, number>();
  readonly #configs = new Map<number, Map<string, Map<string, string>>>();
  /** Records of what Naru does not serve (ACLs, quotas, credentials), kept so that a snapshot loses nothing. */
  readonly #unserved: MetadataRecord[] = [];
  readonly #change = new ChangeCollector();
  #nextSlot = 0;
  /** Records since BEGIN_TRANSACTION, or null outside of one. */
  #transaction: { readonly name: string; readonly records: { record: MetadataRecord; offset: number }[] } | null = null;

  constructor(clusterId: string) {
    this.clusterId = clusterId;
  }

  get topics(): Iterable<TopicImage> {
    return this.#topicsByName.values();
  }
  get topicCount(): number {
    return this.#topicsByName.size;
  }
  topicByName(name: string): TopicImage | null {
    return this.#topicsByName.get(name) ?? null;
  }
  topicById(id: string): TopicImage | null {
    return this.#topicsById.get(id) ?? null;
  }
  /** A topic whose name is the same once '.' is taken for '_' (itself included), or null. */
  topicColliding(name: string): string | null {
    return this.#collisions.get(name.replaceAll('.', '_'))?.[0] ?? null;
  }
  /** By broker id, ascending. */
  get brokers(): readonly BrokerImage[] {
    if (this.#brokerList === null) this.#brokerList = [...this.#brokers.values()].sort((a, b) => a.brokerId - b.brokerId);
    return this.#brokerList;
  }
  broker(brokerId: number): BrokerImage | null {
    return this.#brokers.get(brokerId) ?? null;
  }
  get controllers(): Iterable<ControllerImage> {
    return this.#controllers.values();
  }
  /** Finalized feature levels. */
  get features(): ReadonlyMap<string, number> {
    return this.#features;
  }
  /** What was set for the resource itself: no defaults, nothing inherited. */
  configsOf(resourceType: number, resourceName: string): ReadonlyMap<string, string> {
    return this.#configs.get(resourceType)?.get(resourceName) ?? NO_CONFIGS;
  }
  /** Every resource of the type that has something set. */
  configuredResources(resourceType: number): Iterable<string> {
    return this.#configs.get(resourceType)?.keys() ?? [];
  }
  get configuredTypes(): Iterable<number> {
    return this.#configs.keys();
  }
  get unservedRecords(): readonly MetadataRecord[] {
    return this.#unserved;
  }
  /** Slots 0 … slotCount-1 have been given to partitions. */
  get slotCount(): number {
    return this.#nextSlot;
  }
  /** A BEGIN_TRANSACTION waits for its end. */
  get isInTransaction(): boolean {
    return this.#transaction !== null;
  }

  /** What changed since it was last asked. */
  takeChange(): MetadataChange {
    return this.#change.take();
  }

  /**
   * Replays one record. Within a metadata transaction it is held back until END_TRANSACTION.
   * Throws ImageError where the record does not fit what was replayed before.
   */
  replay(record: MetadataRecord, offset: number): void {
    if (this.#transaction !== null) {
      switch (record.type) {
        case 'BeginTransactionRecord':
          throw new ImageError(`offset ${offset}: a metadata transaction begins inside of another`);
        case 'EndTransactionRecord': {
          const { records } = this.#transaction;
          this.#transaction = null;
          for (const held of records) this.#apply(held.record, held.offset);
          return;
        }
        case 'AbortTransactionRecord':
          this.#transaction = null;
          return;
        default:
          this.#transaction.records.push({ record, offset });
          return;
      }
    }
    switch (record.type) {
      case 'BeginTransactionRecord':
        this.#transaction = { name: record.name ?? '', records: [] };
        return;
      case 'EndTransactionRecord':
      case 'AbortTransactionRecord':
        throw new ImageError(`offset ${offset}: a metadata transaction ends that did not begin`);
      default:
        this.#apply(record, offset);
    }
  }

  #apply(record: MetadataRecord, offset: number): void {
    switch (record.type) {
      case 'TopicRecord':
        this.#topic(record, offset);
        break;
      case 'PartitionRecord':
        this.#partition(record, offset);
        break;
      case 'PartitionChangeRecord':
        this.#partitionChange(record, offset);
        break;
      case 'RemoveTopicRecord':
        this.#removeTopic(record, offset);
        break;
      case 'ConfigRecord':
        this.#config(record);
        break;
      case 'RegisterBrokerRecord':
        this.#registerBroker(record);
        break;
      case 'UnregisterBrokerRecord':
        this.#brokers.delete(record.brokerId);
        this.#brokerChanged(record.brokerId);
        break;
      case 'FenceBrokerRecord':
        this.#changeBroker(record.id, offset, { isFenced: true });
        break;
      case 'UnfenceBrokerRecord':
        this.#changeBroker(record.id, offset, { isFenced: false });
        break;
      case 'BrokerRegistrationChangeRecord':
        this.#brokerRegistrationChange(record, offset);
        break;
      case 'RegisterControllerRecord':
        this.#controllers.set(record.controllerId, {
          controllerId: record.controllerId,
          incarnationId: record.incarnationId,
          endPoints: record.endPoints,
          features: record.features,
        });
        break;
      case 'UnregisterControllerRecord':
        this.#controllers.delete(record.controllerId);
        break;
      case 'FeatureLevelRecord':
        if (record.featureLevel === 0) this.#features.delete(record.name);
        else this.#features.set(record.name, record.featureLevel);
        break;
      case 'ProducerIdsRecord':
        this.nextProducerId = record.nextProducerId;
        break;
      case 'ClearElrRecord':
        this.#clearElr(record.topicName);
        break;
      case 'NoOpRecord':
        break;
      default:
        this.#unserved.push(record);
    }
  }

  #topic(record: RecordOf<'TopicRecord'>, offset: number): void {
    if (this.#topicsByName.has(record.name)) throw new ImageError(`offset ${offset}: topic ${record.name} is made twice`);
    const topic = new Topic(record.name, record.topicId);
    this.#topicsByName.set(topic.name, topic);
    this.#topicsById.set(topic.id, topic);
    if (/[._]/.test(topic.name)) {
      const unified = topic.name.replaceAll('.', '_');
      const names = this.#collisions.get(unified);
      if (names === undefined) this.#collisions.set(unified, [topic.name]);
      else names.push(topic.name);
    }
    this.#change.topicCreated(topic);
  }

  #partition(record: RecordOf<'PartitionRecord'>, offset: number): void {
    const topic = this.#requireTopic(record.topicId, offset);
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
    this.#change.partitionChanged(topic, before, after);
  }

  #partitionChange(record: RecordOf<'PartitionChangeRecord'>, offset: number): void {
    const topic = this.#requireTopic(record.topicId, offset);
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

  #removeTopic(record: RecordOf<'RemoveTopicRecord'>, offset: number): void {
    const topic = this.#requireTopic(record.topicId, offset);
    this.#topicsByName.delete(topic.name);
    this.#topicsById.delete(topic.id);
    const unified = topic.name.replaceAll('.', '_');
    const names = this.#collisions.get(unified)?.filter((name) => name !== topic.name) ?? [];
    if (names.length === 0) this.#collisions.delete(unified);
    else this.#collisions.set(unified, names);
    this.#configs.get(RESOURCE.TOPIC)?.delete(topic.name);
    this.#change.topicDeleted(topic);
  }

  #config(record: RecordOf<'ConfigRecord'>): void {
    const resources = this.#configs.get(record.resourceType) ?? new Map<string, Map<string, string>>();
    const values = resources.get(record.resourceName) ?? new Map<string, string>();
    this.#configs.set(record.resourceType, resources);
    resources.set(record.resourceName, values);
    if (record.value === null) values.delete(record.name);
    else values.set(record.name, record.value);
    if (values.size === 0) resources.delete(record.resourceName);
    this.#change.configChanged(record.resourceType, record.resourceName);
  }

  #registerBroker(record: RecordOf<'RegisterBrokerRecord'>): void {
    this.#brokers.set(record.brokerId, {
      brokerId: record.brokerId,
      brokerEpoch: record.brokerEpoch,
      incarnationId: record.incarnationId,
      endPoints: record.endPoints,
      features: record.features,
      rack: record.rack,
      isFenced: record.fenced,
      isInControlledShutdown: record.inControlledShutdown,
      logDirs: record.logDirs,
      cordonedLogDirs: record.cordonedLogDirs,
    });
    this.#brokerChanged(record.brokerId);
  }

  #brokerRegistrationChange(record: RecordOf<'BrokerRegistrationChangeRecord'>, offset: number): void {
    this.#changeBroker(record.brokerId, offset, {
      ...(record.fenced === 0 ? {} : { isFenced: record.fenced === 1 }),
      ...(record.inControlledShutdown === 0 ? {} : { isInControlledShutdown: record.inControlledShutdown === 1 }),
      ...(record.logDirs.length === 0 ? {} : { logDirs: record.logDirs }),
      ...(record.cordonedLogDirs === null ? {} : { cordonedLogDirs: record.cordonedLogDirs }),
    });
  }

  #changeBroker(brokerId: number, offset: number, change: Partial<BrokerImage>): void {
    const before = this.#brokers.get(brokerId);
    if (before === undefined) throw new ImageError(`offset ${offset}: broker ${brokerId} is not registered`);
    this.#brokers.set(brokerId, { ...before, ...change });
    this.#brokerChanged(brokerId);
  }

  #brokerChanged(brokerId: number): void {
    this.#brokerList = null;
    this.#change.brokerChanged(brokerId);
  }

  /** An empty name is every topic. */
  #clearElr(topicName: string): void {
    for (const topic of topicName === '' ? this.#topicsByName.values() : [this.#topicsByName.get(topicName)]) {
      topic?.partitions.forEach((before, i) => {
        if (before.eligibleLeaderReplicas.length === 0 && before.lastKnownElr.length === 0) return;
        const after = { ...before, eligibleLeaderReplicas: [], lastKnownElr: [], partitionEpoch: before.partitionEpoch + 1 };
        topic.partitions[i] = after;
        this.#change.partitionChanged(topic, before, after);
      });
    }
  }

  #requireTopic(topicId: string, offset: number): Topic {
    const topic = this.#topicsById.get(topicId);
    if (topic === undefined) throw new ImageError(`offset ${offset}: no topic has the id ${topicId}`);
    return topic;
  }
}

const NO_CONFIGS: ReadonlyMap<string, string> = new Map();

/** Whether the broker leads and takes replicas: registered, not fenced, not going down. */
export function isActive(image: ClusterImage, brokerId: number): boolean {
  const broker = image.broker(brokerId);
  return broker !== null && !broker.isFenced && !broker.isInControlledShutdown;
}

export { NO_LEADER };
