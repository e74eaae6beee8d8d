// Gathers what a replay changes, so that listeners hear of a batch once, after all of it is replayed.
// Invariant: of one partition or resource there is one entry: the state before the first change and the one after the last.
// Pure.
import type { ConfigChange, MetadataChange, PartitionChange, PartitionImage, TopicImage } from './image-types.ts';

export class ChangeCollector {
  readonly #created = new Map<string, TopicImage>();
  readonly #deleted = new Map<string, TopicImage>();
  readonly #partitions = new Map<string, PartitionChange>();
  readonly #configs = new Map<string, ConfigChange & { readonly keys: string[] }>();
  readonly #features = new Set<string>();
  readonly #brokers = new Set<number>();

  topicCreated(topic: TopicImage): void {
    this.#created.set(topic.id, topic);
  }

  topicDeleted(topic: TopicImage): void {
    if (!this.#created.delete(topic.id)) this.#deleted.set(topic.id, topic);
    for (const [key, change] of this.#partitions) if (change.topic === topic) this.#partitions.delete(key);
  }

  partitionChanged(topic: TopicImage, before: PartitionImage | null, after: PartitionImage): void {
    if (this.#created.has(topic.id)) return;
    const key = `${topic.id} ${after.partition}`;
    const earlier = this.#partitions.get(key);
    this.#partitions.set(key, { topic, before: earlier === undefined ? before : earlier.before, after });
  }

  configChanged(resourceType: number, resourceName: string, key: string): void {
    const id = `${resourceType} ${resourceName}`;
    const known = this.#configs.get(id);
    if (known === undefined) this.#configs.set(id, { resourceType, resourceName, keys: [key] });
    else if (!known.keys.includes(key)) known.keys.push(key);
  }

  featureChanged(name: string): void {
    this.#features.add(name);
  }

  brokerChanged(brokerId: number): void {
    this.#brokers.add(brokerId);
  }

  /** What was gathered; the collector starts anew. */
  take(): MetadataChange {
    const change = {
      topicsCreated: [...this.#created.values()],
      topicsDeleted: [...this.#deleted.values()],
      partitionsChanged: [...this.#partitions.values()],
      configsChanged: [...this.#configs.values()],
      brokersChanged: [...this.#brokers],
      featuresChanged: [...this.#features],
    };
    this.#created.clear();
    this.#deleted.clear();
    this.#partitions.clear();
    this.#configs.clear();
    this.#brokers.clear();
    this.#features.clear();
    return change;
  }
}
