// Elections at an administrator's word: the preferred leader, the first of the replicas, back into its place, or any leader at all where
// there is none.
// Pure. Source: KIP-183, KIP-460 (unclean ones).
import { ERROR } from '../protocol/errors.ts';
import type { OperationResult } from './controller.ts';
import type { ClusterImage } from './image.ts';
import { NO_LEADER, type PartitionImage } from './image-types.ts';
import type { MetadataRecord } from './metadata-records.ts';
import { partitionChange } from './record-forms.ts';
import { mayLead } from './replica-directories.ts';

export const ELECTION_TYPE = { PREFERRED: 0, UNCLEAN: 1 } as const;
/** In a partition's records: the leader may lack what was acknowledged. */
const RECOVERING = 1;
const NOT_PREFERRED = { errorCode: ERROR.PREFERRED_LEADER_NOT_AVAILABLE, errorMessage: 'The preferred leader was not available.' };
const NONE_ELIGIBLE = {
  errorCode: ERROR.ELIGIBLE_LEADERS_NOT_AVAILABLE,
  errorMessage: 'Eligible topic partition leaders are not available.',
};
const NOT_NEEDED = 'Leader election not needed for topic partition.';

export interface ElectLeadersInput {
  readonly electionType: number;
  /** Null: all partitions. */
  readonly topicPartitions: readonly { readonly topic: string; readonly partitions: readonly number[] }[] | null;
}

export interface TopicElected {
  readonly topic: string;
  readonly partitionResult: { partitionId: number; errorCode: number; errorMessage: string | null }[];
}

/** Elects leaders; of all partitions those that need none are left out. */
export function electLeaders(image: ClusterImage, { electionType, topicPartitions }: ElectLeadersInput): OperationResult<TopicElected[]> {
  const records: MetadataRecord[] = [];
  const elected = new Set<PartitionImage>();
  const elect = (name: string, partitionId: number): TopicElected['partitionResult'][number] => {
    const topic = image.topicByName(name);
    const partition = topic?.partitions[partitionId];
    const unknown = topic === null ? `No such topic as ${name}` : `No such partition as ${name}-${partitionId}`;
    if (topic === null || partition === undefined) {
      return { partitionId, errorCode: ERROR.UNKNOWN_TOPIC_OR_PARTITION, errorMessage: unknown };
    }
    const isThere = electionType === ELECTION_TYPE.PREFERRED ? partition.leader === partition.replicas[0] : partition.leader !== NO_LEADER;
    if (isThere || elected.has(partition)) return { partitionId, errorCode: ERROR.ELECTION_NOT_NEEDED, errorMessage: NOT_NEEDED };
    const change = electionType === ELECTION_TYPE.PREFERRED ? preferred(image, partition) : anyLeader(image, partition);
    if (change === null) {
      return { partitionId, ...(electionType === ELECTION_TYPE.PREFERRED ? NOT_PREFERRED : NONE_ELIGIBLE) };
    }
    elected.add(partition);
    records.push({ ...partitionChange(topic.id, partitionId), ...change });
    return { partitionId, errorCode: ERROR.NONE, errorMessage: null };
  };
  if (topicPartitions !== null) {
    const response = topicPartitions.map(({ topic, partitions }) => ({
      topic,
      partitionResult: partitions.map((partition) => elect(topic, partition)),
    }));
    return { records, response };
  }
  const response = Array.from(image.topics, ({ name, partitions }) => ({
    topic: name,
    partitionResult: partitions
      .map(({ partition }) => elect(name, partition))
      .filter(({ errorCode }) => errorCode !== ERROR.ELECTION_NOT_NEEDED),
  }));
  return { records, response };
}

interface Leadership {
  readonly leader: number;
  readonly isr?: number[];
  readonly leaderRecoveryState?: number;
}

function preferred(image: ClusterImage, partition: PartitionImage): Leadership | null {
  const leader = partition.replicas[0] ?? NO_LEADER;
  return partition.isr.includes(leader) && mayLead(image, partition, leader) ? { leader } : null;
}

/** Somebody who has all that was acknowledged, else whoever is there. */
function anyLeader(image: ClusterImage, partition: PartitionImage): Leadership | null {
  const active = partition.replicas.filter((replica) => mayLead(image, partition, replica));
  const complete = active.find((replica) => partition.isr.includes(replica));
  if (complete !== undefined) return { leader: complete };
  const leader = active[0];
  return leader === undefined ? null : { leader, isr: [leader], leaderRecoveryState: RECOVERING };
}
