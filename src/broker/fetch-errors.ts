// What a Fetch says of partitions that it has no bytes of, and of who leads instead.
// Pure.
import type { ClusterImage } from '../metadata/image.ts';
import type { FetchRequest, FetchResponse } from '../protocol/apis/fetch.ts';
import { ERROR } from '../protocol/errors.ts';
import { brokerAnswers } from './broker-answers.ts';
import { findPartition, findTopic } from './topic-partitions.ts';

type TopicAnswer = FetchResponse['responses'][number];
type PartitionAnswer = TopicAnswer['partitions'][number];

const UNKNOWN = -1;
/** From here on an answer says who leads where this broker does not, or not at the epoch that was asked for (KIP-951). */
const LEADERS_SINCE = 16;

export function isFromFollower({ replicaId, replicaState }: FetchRequest): boolean {
  return replicaId >= 0 || replicaState.replicaId >= 0;
}

/** This broker is alone, so whoever says that it is a replica is none. Apache Kafka's answer to a replica that it does not know. */
export function replicaError(askedEpoch: number, leaderEpoch: number): number {
  if (askedEpoch === UNKNOWN) return ERROR.NOT_LEADER_OR_FOLLOWER;
  return askedEpoch < leaderEpoch ? ERROR.FENCED_LEADER_EPOCH : ERROR.UNKNOWN_LEADER_EPOCH;
}

/** Of every answer that has none of it; shared, since each partition of each Fetch is answered, and nobody writes to them. */
const NO_DIVERGENCE: PartitionAnswer['divergingEpoch'] = { epoch: UNKNOWN, endOffset: UNKNOWN };
const NO_LEADER: PartitionAnswer['currentLeader'] = { leaderId: UNKNOWN, leaderEpoch: UNKNOWN };
const NO_SNAPSHOT: PartitionAnswer['snapshotId'] = { endOffset: UNKNOWN, epoch: UNKNOWN };
const NO_BYTES = new Uint8Array(0);

/** For a partition whose log nobody looked for: it has a list of aborted transactions, if an empty one. */
export function missingAnswer(partitionIndex: number, errorCode: number): PartitionAnswer {
  return { ...emptyAnswer(partitionIndex, errorCode), abortedTransactions: [] };
}

export function emptyAnswer(partitionIndex: number, errorCode: number): PartitionAnswer {
  return {
    partitionIndex,
    errorCode,
    highWatermark: UNKNOWN,
    lastStableOffset: UNKNOWN,
    logStartOffset: UNKNOWN,
    divergingEpoch: NO_DIVERGENCE,
    currentLeader: NO_LEADER,
    snapshotId: NO_SNAPSHOT,
    abortedTransactions: null,
    preferredReadReplica: UNKNOWN,
    records: NO_BYTES,
  };
}

/** Tells those who asked the wrong broker, or at an epoch that is over, who leads; consumers also where it is. */
export function nameLeaders(
  image: ClusterImage,
  request: FetchRequest,
  apiVersion: number,
  listener: string,
  responses: readonly TopicAnswer[],
): FetchResponse['nodeEndpoints'] {
  if (apiVersion < LEADERS_SINCE) return [];
  let leaders: Set<number> | null = null;
  for (const { topic: name, topicId, partitions } of responses) {
    for (const answer of partitions) {
      if (answer.errorCode !== ERROR.NOT_LEADER_OR_FOLLOWER && answer.errorCode !== ERROR.FENCED_LEADER_EPOCH) continue;
      const topic = findTopic(image, name, topicId);
      const partition = topic === null ? null : findPartition(topic, answer.partitionIndex);
      if (partition === null) continue;
      answer.currentLeader = { leaderId: partition.leader, leaderEpoch: partition.leaderEpoch };
      leaders ??= new Set();
      leaders.add(partition.leader);
    }
  }
  if (leaders === null || isFromFollower(request)) return [];
  const named = leaders;
  return brokerAnswers(
    image.brokers.filter(({ brokerId }) => named.has(brokerId)),
    listener,
  );
}
