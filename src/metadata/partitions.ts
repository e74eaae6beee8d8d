// More partitions for topics that are there: CreatePartitions as a decision.
// Invariant: the records of a request go into one batch, which no request makes larger than one operation may be; a topic that is refused leaves no record; partitions are numbered without a gap.
// Pure.
// Source: the behaviour and the messages were recorded from Apache Kafka 4.3.1 (test/golden/answers/log-admin.json).
import { ERROR } from '../protocol/errors.ts';
import { type ControllerEnv, type OperationResult, RECORDS_PER_OPERATION_MAX } from './controller.ts';
import { type ClusterImage, isActive } from './image.ts';
import type { TopicImage } from './image-types.ts';
import type { MetadataRecord } from './metadata-records.ts';
import { DirectoryChoice } from './replica-directories.ts';
import { assignmentFault, partitionRecord, placeReplicas } from './replica-placement.ts';
import { duplicatesOf, type Placed, type Refusal } from './topics.ts';

export interface CreatePartitionsInput {
  readonly topics: readonly WantedPartitions[];
  readonly validateOnly: boolean;
}

interface WantedPartitions {
  readonly name: string;
  /** How many there are to be. */
  readonly count: number;
  /** A broker list for each new partition; null leaves the choice to the controller. */
  readonly assignments: readonly { readonly brokerIds: readonly number[] }[] | null;
}

export interface CreatedPartitions {
  readonly name: string;
  readonly errorCode: number;
  readonly errorMessage: string | null;
}

const TOO_LARGE: Refusal = [ERROR.POLICY_VIOLATION, 'Unable to perform excessively large batch operation.'];

/** Decides a CreatePartitions request. Topics that are refused do not keep the others from growing. */
export function createPartitions(
  image: ClusterImage,
  request: CreatePartitionsInput,
  env: ControllerEnv,
): OperationResult<CreatedPartitions[]> {
  const records: MetadataRecord[] = [];
  const directories = new DirectoryChoice(image);
  const response: CreatedPartitions[] = [];
  const duplicates = duplicatesOf(request.topics.map((topic) => topic.name));
  for (const name of duplicates) response.push(answerOf(name, [ERROR.INVALID_REQUEST, 'Duplicate topic name.']));
  // As by Apache Kafka, what stands before a topic that is too much is done, and nothing behind it. Of that topic Apache Kafka makes as many
  // partitions as there is room for, and answers UNKNOWN_SERVER_ERROR.
  let isFull = false;
  for (const wanted of request.topics) {
    if (duplicates.has(wanted.name)) continue;
    const placed = placeNew(image, wanted, env);
    if ('replicas' in placed) isFull ||= records.length + placed.replicas.length > RECORDS_PER_OPERATION_MAX;
    response.push(answerOf(wanted.name, 'refusal' in placed ? placed.refusal : isFull ? TOO_LARGE : [ERROR.NONE, null]));
    if ('refusal' in placed || isFull) continue;
    const { topic, replicas } = placed;
    for (const [index, brokerIds] of replicas.entries()) {
      records.push(partitionRecord(image, topic.id, topic.partitions.length + index, brokerIds, directories));
    }
  }
  return { records: request.validateOnly ? [] : records, response };
}

function answerOf(name: string, [errorCode, errorMessage]: Refusal): CreatedPartitions {
  return { name, errorCode, errorMessage };
}

type Wanted = { readonly topic: TopicImage; readonly replicas: readonly (readonly number[])[] } | { readonly refusal: Refusal };

/** Whose replicas the new partitions of a topic are to be, of more than one operation can make only so many that it shows; or why there are none. */
function placeNew(image: ClusterImage, { name, count, assignments }: WantedPartitions, env: ControllerEnv): Wanted {
  const topic = image.topicByName(name);
  if (topic === null) return { refusal: [ERROR.UNKNOWN_TOPIC_OR_PARTITION, null] };
  const known = topic.partitions.length;
  if (count === known) return { refusal: [ERROR.INVALID_PARTITIONS, `Topic already has ${known} partition(s).`] };
  if (count < known) {
    const message = `The topic ${name} currently has ${known} partition(s); ${count} would not be an increase.`;
    return { refusal: [ERROR.INVALID_PARTITIONS, message] };
  }
  const additional = count - known;
  if (assignments !== null && assignments.length !== additional) {
    const message = `Attempted to add ${additional} additional partition(s), but only ${assignments.length} assignment(s) were specified.`;
    return { refusal: [ERROR.INVALID_REPLICA_ASSIGNMENT, message] };
  }
  const shown = Math.min(additional, RECORDS_PER_OPERATION_MAX + 1);
  const placed = assignments === null ? byCount(image, topic, shown, env) : byHand(image, topic, assignments);
  return 'replicas' in placed ? { topic, replicas: placed.replicas } : placed;
}

function replicationFactorOf(topic: TopicImage): number {
  return topic.partitions[0]?.replicas.length ?? 1;
}

function byCount(image: ClusterImage, topic: TopicImage, additional: number, env: ControllerEnv): Placed {
  const placement = placeReplicas(image, additional, replicationFactorOf(topic), env.random);
  if (placement.fault === null) return { replicas: placement.replicas };
  return { refusal: [ERROR.INVALID_REPLICATION_FACTOR, placement.fault] };
}

function byHand(image: ClusterImage, topic: TopicImage, assignments: readonly { readonly brokerIds: readonly number[] }[]): Placed {
  for (const [index, { brokerIds }] of assignments.entries()) {
    const fault = assignmentFault(image, brokerIds, replicationFactorOf(topic));
    if (fault !== null) return { refusal: [ERROR.INVALID_REPLICA_ASSIGNMENT, fault] };
    if (brokerIds.some((brokerId) => isActive(image, brokerId))) continue;
    const partition = topic.partitions.length + index;
    const message = `All brokers specified in the manual partition assignment for partition ${partition} are fenced or in controlled shutdown.`;
    return { refusal: [ERROR.INVALID_REPLICA_ASSIGNMENT, message] };
  }
  return { replicas: assignments.map(({ brokerIds }) => brokerIds) };
}
