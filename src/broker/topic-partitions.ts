// From what a request calls a partition (a name or an id, and a number) to where it is: its slot and its owner, or the error.
// Pure.
import { ZERO_UUID } from '../base/uuid.ts';
import type { ClusterImage } from '../metadata/image.ts';
import type { PartitionImage, TopicImage } from '../metadata/image-types.ts';
import { ERROR } from '../protocol/errors.ts';

/** The topic of a name, or of an id where one is given. */
export function findTopic(image: ClusterImage, name: string, topicId: string): TopicImage | null {
  return topicId === ZERO_UUID ? image.topicByName(name) : image.topicById(topicId);
}

/** What to answer for a topic that findTopic does not find. */
export function missingTopicError(topicId: string): number {
  return topicId === ZERO_UUID ? ERROR.UNKNOWN_TOPIC_OR_PARTITION : ERROR.UNKNOWN_TOPIC_ID;
}

export function findPartition(topic: TopicImage, partition: number): PartitionImage | null {
  return topic.partitions[partition] ?? null;
}
