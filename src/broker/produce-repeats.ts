// A Produce that names a partition more than once is read as Apache Kafka reads it: as one that names it once, with the batch that was
// said last. A partition that is given nothing once is given nothing: what is refused is not written.
// Pure.
import type { ProduceRequest } from '../protocol/apis/produce.ts';

type TopicData = ProduceRequest['topicData'][number];
type PartitionData = TopicData['partitionData'][number];

// Used within one call only.
const topicsSeen = new Set<string>();
const partitionsSeen = new Set<number>();

/** The topics of a request that it names partitions of, each partition once; the request's own list where that is so already. */
export function withoutRepeats(topics: readonly TopicData[]): readonly TopicData[] {
  if (!hasRepeats(topics) && topics.every(hasPartitions)) return topics;
  return merged(topics).filter(hasPartitions);
}

function hasPartitions({ partitionData }: TopicData): boolean {
  return partitionData.length > 0;
}

function hasRepeats(topics: readonly TopicData[]): boolean {
  if (topics.length > 1) {
    topicsSeen.clear();
    for (const { name, topicId } of topics) topicsSeen.add(name === '' ? topicId : name);
    if (topicsSeen.size < topics.length) return true;
  }
  for (const { partitionData } of topics) {
    if (partitionData.length < 2) continue;
    partitionsSeen.clear();
    for (const { index } of partitionData) partitionsSeen.add(index);
    if (partitionsSeen.size < partitionData.length) return true;
  }
  return false;
}

function merged(topics: readonly TopicData[]): TopicData[] {
  const byTopic = new Map<string, { topic: TopicData; partitions: Map<number, PartitionData> }>();
  for (const topic of topics) {
    const key = topic.name === '' ? topic.topicId : topic.name;
    const known = byTopic.get(key) ?? { topic, partitions: new Map<number, PartitionData>() };
    byTopic.set(key, known);
    for (const partition of topic.partitionData) {
      const before = known.partitions.get(partition.index);
      known.partitions.set(partition.index, before !== undefined && isEmpty(before) ? before : partition);
    }
  }
  return [...byTopic.values()].map(({ topic, partitions }) => ({ ...topic, partitionData: [...partitions.values()] }));
}

function isEmpty({ records }: PartitionData): boolean {
  return records === null || records.length === 0;
}
