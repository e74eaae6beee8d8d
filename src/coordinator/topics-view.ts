// The topics of a worker's metadata image, as coordinators see them.
// Pure.
import type { ClusterImage } from '../metadata/image.ts';
import type { TopicImage } from '../metadata/image-types.ts';
import type { TopicsView, TopicView } from './shard.ts';

/** One for all shards of a worker. */
export class ImageTopics implements TopicsView {
  /** Raised by whoever follows the image's changes. */
  version = 0;
  readonly #image: ClusterImage;

  constructor(image: ClusterImage) {
    this.#image = image;
  }

  byName(name: string): TopicView | null {
    return this.#viewOf(this.#image.topicByName(name));
  }

  byId(topicId: string): TopicView | null {
    return this.#viewOf(this.#image.topicById(topicId));
  }

  *names(): IterableIterator<string> {
    for (const topic of this.#image.topics) yield topic.name;
  }

  #viewOf(topic: TopicImage | null): TopicView | null {
    return topic === null
      ? null
      : { name: topic.name, topicId: topic.id, partitionCount: topic.partitions.length, racks: this.#racks(topic) };
  }

  #racks(topic: TopicImage): string[][] | null {
    const racks = new Map<number, string>();
    for (const { brokerId, rack } of this.#image.brokers) if (rack !== null) racks.set(brokerId, rack);
    if (racks.size === 0) return null;
    return topic.partitions.map(({ replicas }) => [
      ...new Set(replicas.map((broker) => racks.get(broker)).filter((rack) => rack !== undefined)),
    ]);
  }
}
