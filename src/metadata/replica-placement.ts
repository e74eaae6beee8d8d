// Which brokers hold a new partition: given by hand and checked, or chosen in stripes over the brokers.
// Pure.

import type { Random } from '../base/random.ts';
import type { ClusterImage } from './image.ts';
import { isActive } from './image.ts';
import type { BrokerImage } from './image-types.ts';
import type { MetadataRecord } from './metadata-records.ts';
import { type DirectoryChoice, uncordonedDirectories } from './replica-directories.ts';

/** A refusal's text instead of a placement. */
type Placement = { readonly fault: string } | { readonly fault: null; readonly replicas: readonly (readonly number[])[] };

/** Brokers that a new replica may be put on, fenced ones among them. */
export function usableBrokers(image: ClusterImage): BrokerImage[] {
  return image.brokers.filter(hasUncordonedDirectory);
}

/** Broker lists for `partitionCount` partitions. Leaders and followers go round the active brokers first, then the fenced ones. */
export function placeReplicas(image: ClusterImage, partitionCount: number, replicationFactor: number, random: Random): Placement {
  const usable = usableBrokers(image);
  const active = usable.filter((broker) => isActive(image, broker.brokerId)).map((broker) => broker.brokerId);
  const inactive = usable.filter((broker) => !isActive(image, broker.brokerId)).map((broker) => broker.brokerId);
  if (active.length === 0) {
    return { fault: 'All brokers are currently fenced, or have all their log directories cordoned.' };
  }
  if (replicationFactor > usable.length) {
    return {
      fault:
        `The target replication factor of ${replicationFactor} cannot be reached because only ${usable.length} broker(s) ` +
        'are registered or some brokers have all their log directories cordoned.',
    };
  }
  // A random first broker, then the next one each time: partition 0 of many one-partition topics is not always on the same broker.
  const first = random.below(active.length);
  const replicas: number[][] = [];
  for (let partition = 0; partition < partitionCount; partition++) {
    replicas.push([...rotated(active, first + partition), ...rotated(inactive, partition)].slice(0, replicationFactor));
  }
  return { fault: null, replicas };
}

/** Null where the broker list may be a partition's; `replicationFactor` is that of the topic's other partitions, or -1. */
export function assignmentFault(image: ClusterImage, brokerIds: readonly number[], replicationFactor: number): string | null {
  if (brokerIds.length === 0) return 'The manual partition assignment includes an empty replica list.';
  const sorted = [...brokerIds].sort((a, b) => a - b);
  for (let i = 0; i < sorted.length; i++) {
    const brokerId = sorted[i] as number;
    const broker = image.broker(brokerId);
    if (broker === null) {
      return `The manual partition assignment includes broker ${brokerId}, but no such broker is registered.`;
    }
    if (!hasUncordonedDirectory(broker)) {
      return `The manual partition assignment includes broker ${brokerId}, but all its log directories are cordoned.`;
    }
    if (brokerId === sorted[i - 1]) return `The manual partition assignment includes the broker ${brokerId} more than once.`;
  }
  if (replicationFactor !== -1 && sorted.length !== replicationFactor) {
    return (
      `The manual partition assignment includes a partition with ${sorted.length} replica(s), but this is not consistent with ` +
      `previous partitions, which have ${replicationFactor} replica(s).`
    );
  }
  return null;
}

/** The record of a new partition on `replicas`, of which one at least is active: the first such one leads. */
export function partitionRecord(
  image: ClusterImage,
  topicId: string,
  partitionId: number,
  replicas: readonly number[],
  directories: DirectoryChoice,
): MetadataRecord {
  const isr = replicas.filter((brokerId) => isActive(image, brokerId));
  return {
    type: 'PartitionRecord',
    partitionId,
    topicId,
    replicas: [...replicas],
    isr,
    removingReplicas: [],
    addingReplicas: [],
    leader: isr[0] as number,
    leaderRecoveryState: 0,
    leaderEpoch: 0,
    partitionEpoch: 0,
    directories: replicas.map((brokerId) => directories.next(brokerId)),
    eligibleLeaderReplicas: null,
    lastKnownElr: null,
  };
}

function hasUncordonedDirectory(broker: BrokerImage): boolean {
  return broker.logDirs.length === 0 || uncordonedDirectories(broker).length > 0;
}

function rotated(list: readonly number[], by: number): number[] {
  return list.map((_, i) => list[(i + by) % list.length] as number);
}
