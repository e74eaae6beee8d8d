// More partitions for topics that are there: CreatePartitions as a decision.
// Invariant: the records of a request go into one batch; a topic that is refused leaves no record; partitions are numbered without a gap.
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
  if (additionalCount(image, request) > RECORDS_PER_OPERATION_MAX) {
    const tooLarge: Refusal = [ERROR.POLICY_VIOLATION, 'Unable to perform excessively large batch operation.'];
    return { records: [], response: request.topics.map(({ name }) => answerOf(name, tooLarge)) };
  }
  for (const wanted of request.topics) {
    if (duplicates.has(wanted.name)) continue;
    const refused = grow(image, wanted, env, records, directories);
    response.push(answerOf(wanted.name, refused ?? [ERROR.NONE, null]));
  }
  return { records: request.validateOnly ? [] : records, response };
}

/** How many partitions the request asks for, of topics that are there. */
function additionalCount(image: ClusterImage, { topics }: CreatePartitionsInput): number {
  let total = 0;
  for (const { name, count } of topics) total += Math.max(0, count - (image.topicByName(name)?.partitions.length ?? count));
  return total;
}

function answerOf(name: string, [errorCode, errorMessage]: Refusal): CreatedPartitions {
  return { name, errorCode, errorMessage };
}

/** Adds the records of the new partitions, or says why there are none. */
function grow(
  image: ClusterImage,
  { name, count, assignments }: WantedPartitions,
  env: ControllerEnv,
  records: MetadataRecord[],
  directories: DirectoryChoice,
): Refusal | null {
  const topic = image.topicByName(name);
  if (topic === null) return [ERROR.UNKNOWN_TOPIC_OR_PARTITION, null];
  const known = topic.partitions.length;
  if (count === known) return [ERROR.INVALID_PARTITIONS, `Topic already has ${known} partition(s).`];
  if (count < known) {
    const message = `The topic ${name} currently has ${known} partition(s); ${count} would not be an increase.`;
    return [ERROR.INVALID_PARTITIONS, message];
  }
  const additional = count - known;
  if (assignments !== null && assignments.length !== additional) {
    const message = `Attempted to add ${additional} additional partition(s), but only ${assignments.length} assignment(s) were specified.`;
    return [ERROR.INVALID_REPLICA_ASSIGNMENT, message];
  }
  const placed = assignments === null ? byCount(image, topic, additional, env) : byHand(image, topic, assignments);
  if (!('replicas' in placed)) return placed.refusal;
  for (const [index, brokerIds] of placed.replicas.entries()) {
    records.push(partitionRecord(image, topic.id, known + index, brokerIds, directories));
  }
  return null;
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
