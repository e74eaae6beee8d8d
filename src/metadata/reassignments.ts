// Reassignments: other brokers for a partition. In a cluster without replication a partition can lose replicas that are on brokers of another
// life, or have them in another order; it can gain none.
// Pure. Source: KIP-455, KIP-860 (the replication factor may be kept).
import { ERROR } from '../protocol/errors.ts';

import type { OperationResult } from './controller.ts';
import type { ClusterImage } from './image.ts';
import type { PartitionImage } from './image-types.ts';
import type { MetadataRecord } from './metadata-records.ts';
import { partitionChange } from './record-forms.ts';
import { directoryOf, mayLead } from './replica-directories.ts';
import { assignmentFault } from './replica-placement.ts';

type PartitionChange = Extract<MetadataRecord, { type: 'PartitionChangeRecord' }>;
type Refusal = readonly [errorCode: number, errorMessage: string | null];

export interface ReassignInput {
  readonly allowReplicationFactorChange: boolean;
  readonly topics: readonly {
    readonly name: string;
    /** Null replicas: a reassignment that is under way is called off. */
    readonly partitions: readonly { readonly partitionIndex: number; readonly replicas: readonly number[] | null }[];
  }[];
}

export interface TopicReassigned {
  readonly name: string;
  readonly partitions: { partitionIndex: number; errorCode: number; errorMessage: string | null }[];
}

export function reassignPartitions(image: ClusterImage, input: ReassignInput): OperationResult<TopicReassigned[]> {
  const records: MetadataRecord[] = [];
  const response = input.topics.map(({ name, partitions }) => ({
    name,
    partitions: partitions.map(({ partitionIndex, replicas }) => {
      const decided = decide(image, name, partitionIndex, replicas, input.allowReplicationFactorChange);
      if (Array.isArray(decided)) return { partitionIndex, errorCode: decided[0], errorMessage: decided[1] };
      if (decided !== null) records.push(decided as PartitionChange);
      return { partitionIndex, errorCode: ERROR.NONE, errorMessage: null };
    }),
  }));
  return { records, response };
}

/** A record, null where nothing changes, or a refusal. */
function decide(
  image: ClusterImage,
  name: string,
  partitionIndex: number,
  replicas: readonly number[] | null,
  mayChangeCount: boolean,
): PartitionChange | Refusal | null {
  const topic = image.topicByName(name);
  if (topic === null) return [ERROR.UNKNOWN_TOPIC_OR_PARTITION, `Unable to find a topic named ${name}.`];
  const partition = topic.partitions[partitionIndex];
  if (partition === undefined) return [ERROR.UNKNOWN_TOPIC_OR_PARTITION, `Unable to find partition ${name}:${partitionIndex}.`];
  const isUnderWay = partition.addingReplicas.length + partition.removingReplicas.length > 0;
  if (replicas === null) {
    if (!isUnderWay) return [ERROR.NO_REASSIGNMENT_IN_PROGRESS, null];
    return changed(
      image,
      topic.id,
      partition,
      partition.replicas.filter((each) => !partition.addingReplicas.includes(each)),
    );
  }
  const fault = assignmentFault(image, replicas, -1);
  if (fault !== null) return [ERROR.INVALID_REPLICA_ASSIGNMENT, fault];
  const count = partition.replicas.filter((each) => !partition.removingReplicas.includes(each)).length;
  if (!mayChangeCount && count !== replicas.length) {
    return [ERROR.INVALID_REPLICATION_FACTOR, `The replication factor is changed from ${count} to ${replicas.length}`];
  }
  const added = replicas.find((each) => !partition.replicas.includes(each));
  if (added !== undefined) {
    const message = `The manual partition assignment includes broker ${added}, which is to take a copy of the partition: no broker of this cluster replicates yet.`;
    return [ERROR.INVALID_REPLICA_ASSIGNMENT, message];
  }
  if (!isUnderWay && replicas.join() === partition.replicas.join()) return null;
  return changed(image, topic.id, partition, replicas);
}

/** The partition on some of its replicas; refused where none of them has all that was acknowledged. */
function changed(image: ClusterImage, topicId: string, partition: PartitionImage, replicas: readonly number[]): PartitionChange | Refusal {
  const isr = partition.isr.filter((each) => replicas.includes(each));
  if (isr.length === 0) {
    const message = `Unable to reassign partition ${partition.partition} because it would require an unclean leader election.`;
    return [ERROR.INVALID_REPLICA_ASSIGNMENT, message];
  }
  const leader = isr.includes(partition.leader) ? null : isr.find((each) => mayLead(image, partition, each));
  return {
    ...partitionChange(topicId, partition.partition),
    replicas: [...replicas],
    isr,
    ...(leader === null ? {} : { leader: leader ?? -1 }),
    addingReplicas: [],
    removingReplicas: [],
    directories: replicas.map((each) => directoryOf(partition, each)),
  };
}
