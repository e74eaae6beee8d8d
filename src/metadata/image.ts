// The cluster's metadata as replayed from its log: one image on every worker, and one of the controller's own that runs ahead of the commit.
// Invariant: the state is a function of the records replayed, in order; nothing else changes it.
// Pure. Not the decision what to record (topics.ts, brokers.ts, …), not the log. Topics and their partitions: topics-image.ts.
import { ChangeCollector } from './image-change.ts';
import { ImageError } from './image-error.ts';
import { type BrokerImage, type ControllerImage, type MetadataChange, RESOURCE, type TopicImage } from './image-types.ts';
import type { MetadataRecord, RecordOf } from './metadata-records.ts';
import { TopicsImage } from './topics-image.ts';
import { UnservedRecords } from './unserved-records.ts';

const ELR_FEATURE = 'eligible.leader.replicas.version';
const NO_CONFIGS: ReadonlyMap<string, string> = new Map();

export class ClusterImage {
  readonly clusterId: string;
  /** All records below are replayed. */
  endOffset = 0;
  /** Leader epoch of the last batch replayed. */
  epoch = 0;
  nextProducerId = 0;
  /** 1 where the quorum's voters stand in the metadata log, 0 where every node is told of them. */
  kraftVersion = 0;
  readonly #topics: TopicsImage;
  readonly #brokers = new Map<number, BrokerImage>();
  /** `brokers`, until one of them changes. */
  #brokerList: readonly BrokerImage[] | null = null;
  readonly #controllers = new Map<number, ControllerImage>();
  readonly #features = new Map<string, number>();
  readonly #configs = new Map<number, Map<string, Map<string, string>>>();
  readonly #unserved = new UnservedRecords();
  readonly #change = new ChangeCollector();
  /** Records since BEGIN_TRANSACTION, or null outside of one. */
  #transaction: { readonly name: string; readonly records: { record: MetadataRecord; offset: number }[] } | null = null;

  constructor(clusterId: string) {
    this.clusterId = clusterId;
    this.#topics = new TopicsImage(this.#change);
  }

  get topics(): Iterable<TopicImage> {
    return this.#topics.all();
  }
  get topicCount(): number {
    return this.#topics.count;
  }
  /** Of all topics together. */
  get partitionCount(): number {
    return this.#topics.partitionCount;
  }
  topicByName(name: string): TopicImage | null {
    return this.#topics.byName(name);
  }
  topicById(id: string): TopicImage | null {
    return this.#topics.byId(id);
  }
  /** A topic whose name is the same once '.' is taken for '_' (itself included), or null. */
  topicColliding(name: string): string | null {
    return this.#topics.colliding(name);
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
  /** Records of what Naru does not serve, as they hold. */
  get unservedRecords(): Iterable<MetadataRecord> {
    return this.#unserved.all();
  }
  /** Slots 0 … slotCount-1 have been given to partitions. */
  get slotCount(): number {
    return this.#topics.slotCount;
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
        this.#topics.create(record, offset);
        break;
      case 'PartitionRecord':
        this.#topics.addPartition(record, offset);
        break;
      case 'PartitionChangeRecord':
        this.#topics.changePartition(record, offset);
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
        this.#change.featureChanged(record.name);
        break;
      case 'ProducerIdsRecord':
        this.nextProducerId = record.nextProducerId;
        break;
      case 'ClearElrRecord':
        this.#topics.clearElr(record.topicName);
        break;
      case 'NoOpRecord':
        break;
      default:
        this.#unserved.replay(record);
    }
  }

  #removeTopic(record: RecordOf<'RemoveTopicRecord'>, offset: number): void {
    const name = this.#topics.remove(record, offset);
    this.#configs.get(RESOURCE.TOPIC)?.delete(name);
  }

  #config(record: RecordOf<'ConfigRecord'>): void {
    const resources = this.#configs.get(record.resourceType) ?? new Map<string, Map<string, string>>();
    const values = resources.get(record.resourceName) ?? new Map<string, string>();
    this.#configs.set(record.resourceType, resources);
    resources.set(record.resourceName, values);
    if (record.value === null) values.delete(record.name);
    else values.set(record.name, record.value);
    if (values.size === 0) resources.delete(record.resourceName);
    this.#change.configChanged(record.resourceType, record.resourceName, record.name);
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
}

/** Whether the broker leads and takes replicas: registered, not fenced, not going down. */
export function isActive(image: ClusterImage, brokerId: number): boolean {
  const broker = image.broker(brokerId);
  return broker !== null && !broker.isFenced && !broker.isInControlledShutdown;
}

/** Whether partitions keep note of who was in sync last (KIP-966). */
export function isElrOn(image: ClusterImage): boolean {
  return (image.features.get(ELR_FEATURE) ?? 0) > 0;
}
