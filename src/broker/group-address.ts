// Where a group lives: the partition of __consumer_offsets that its id belongs to, and the worker that owns it.
// Pure.
import type { ShardAddress } from '../coordinator/coordinator-client.ts';
import { coordinatorPartition } from '../coordinator/partitioner.ts';
import type { ClusterImage } from '../metadata/image.ts';
import { CONSUMER_OFFSETS_TOPIC } from '../metadata/topic-names.ts';
import { workerOf } from '../scheduler/placement.ts';

/** Null as long as the topic is not there, or its leader is another broker. */
export function groupAddress(groupId: string, image: ClusterImage, nodeId: number, workerCount: number): ShardAddress | null {
  const topic = image.topicByName(CONSUMER_OFFSETS_TOPIC);
  if (topic === null) return null;
  const partition = topic.partitions[coordinatorPartition(groupId, topic.partitions.length)];
  if (partition === undefined || partition.leader !== nodeId) return null;
  return { slot: partition.slot, owner: workerOf(workerCount, topic.id, partition.partition) };
}

/** Every shard that this broker leads. */
export function allGroupAddresses(image: ClusterImage, nodeId: number, workerCount: number): ShardAddress[] {
  const topic = image.topicByName(CONSUMER_OFFSETS_TOPIC);
  if (topic === null) return [];
  return topic.partitions
    .filter(({ leader }) => leader === nodeId)
    .map(({ slot, partition }) => ({ slot, owner: workerOf(workerCount, topic.id, partition) }));
}
