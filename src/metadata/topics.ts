// Making and removing topics: CreateTopics v2-7 and DeleteTopics v1-6 as decisions.
// Invariant: the records of a request go into one batch; a topic that is refused leaves no record.
// Pure. Not the auto-creation by Metadata: that is createTopics with -1 for partitions and replication factor.
// Source: the behaviour and the messages were recorded from Apache Kafka 4.3.1 (test/golden/metadata).
import { randomUuid, ZERO_UUID } from '../base/uuid.ts';
import { ERROR } from '../protocol/errors.ts';
import { type ControllerEnv, type EffectiveConfig, type OperationResult, RECORDS_PER_OPERATION_MAX } from './controller.ts';
import { type ClusterImage, isActive } from './image.ts';
import { RESOURCE } from './image-types.ts';
import type { MetadataRecord } from './metadata-records.ts';
import { DirectoryChoice } from './replica-directories.ts';
import { assignmentFault, partitionRecord, placeReplicas } from './replica-placement.ts';
import { CLUSTER_METADATA_TOPIC, topicCollisionFault, topicNameFault } from './topic-names.ts';

/** The part of a CreateTopics request that is decided on; `-1` asks for the default. */
export interface CreateTopicsInput {
  readonly topics: readonly CreatableTopic[];
  readonly validateOnly: boolean;
}

export interface CreatableTopic {
  readonly name: string;
  readonly numPartitions: number;
  readonly replicationFactor: number;
  readonly assignments: readonly { readonly partitionIndex: number; readonly brokerIds: readonly number[] }[];
  readonly configs: readonly { readonly name: string; readonly value: string | null }[];
}

export interface CreatedTopic {
  readonly name: string;
  readonly topicId: string;
  readonly errorCode: number;
  readonly errorMessage: string | null;
  readonly topicConfigErrorCode: number;
  readonly numPartitions: number;
  readonly replicationFactor: number;
  /** Empty where the topic was refused. */
  readonly configs: EffectiveConfig[];
}

/** Topics by name up to version 5 (`topicNames`), by name or id from version 6 (`topics`). */
export interface DeleteTopicsInput {
  readonly topicNames: readonly string[];
  readonly topics: readonly { readonly name: string | null; readonly topicId: string }[];
}

export interface DeletedTopic {
  readonly name: string | null;
  readonly topicId: string;
  readonly errorCode: number;
  readonly errorMessage: string | null;
}

const UNKNOWN_ID_MESSAGE = 'This server does not host this topic ID.';
export const UNKNOWN_NAME_MESSAGE = 'This server does not host this topic-partition.';

export type Refusal = readonly [errorCode: number, message: string | null];

/** Decides a CreateTopics request. Topics that are refused do not keep the others from being made. */
export function createTopics(image: ClusterImage, request: CreateTopicsInput, env: ControllerEnv): OperationResult<CreatedTopic[]> {
  const duplicates = duplicatesOf(request.topics.map((topic) => topic.name));
  const wanted = request.topics.filter((topic) => !duplicates.has(topic.name));
  if (partitionTotal(wanted, env) > RECORDS_PER_OPERATION_MAX) {
    const refusal: Refusal = [ERROR.POLICY_VIOLATION, 'Excessively large number of partitions per request.'];
    return { records: [], response: request.topics.map((topic) => refused(topic.name, refusal)) };
  }
  const records: MetadataRecord[] = [];
  const directories = new DirectoryChoice(image);
  const response: CreatedTopic[] = [];
  for (const topic of wanted) {
    if (topic.name === CLUSTER_METADATA_TOPIC) continue;
    response.push(createTopic(image, topic, env, records, directories));
  }
  for (const name of duplicates) response.push(refused(name, [ERROR.INVALID_REQUEST, 'Duplicate topic name.']));
  if (wanted.some((topic) => topic.name === CLUSTER_METADATA_TOPIC)) {
    const message = `Creation of internal topic ${CLUSTER_METADATA_TOPIC} is prohibited.`;
    response.push(refused(CLUSTER_METADATA_TOPIC, [ERROR.INVALID_REQUEST, message]));
  }
  if (records.length > RECORDS_PER_OPERATION_MAX) {
    const refusal: Refusal = [ERROR.POLICY_VIOLATION, 'Unable to perform excessively large batch operation.'];
    return { records: [], response: request.topics.map((topic) => refused(topic.name, refusal)) };
  }
  return { records: request.validateOnly ? [] : records, response };
}

/** Decides a DeleteTopics request: each topic by its name or by its id, never both. */
export function deleteTopics(image: ClusterImage, request: DeleteTopicsInput): OperationResult<DeletedTopic[]> {
  const response: DeletedTopic[] = [];
  const answer = (name: string | null, topicId: string, errorCode: number, message: string | null): void => {
    response.push({ name, topicId, errorCode, errorMessage: message });
  };
  const refuse = (name: string | null, topicId: string, message: string): void => {
    answer(name, topicId, ERROR.INVALID_REQUEST, message);
  };
  const names: string[] = [...request.topicNames];
  const ids: string[] = [];
  for (const { name, topicId } of request.topics) {
    if (name === null && topicId === ZERO_UUID) refuse(null, ZERO_UUID, 'Neither topic name nor id were specified.');
    else if (name === null) ids.push(topicId);
    else if (topicId === ZERO_UUID) names.push(name);
    else refuse(name, topicId, 'You may not specify both topic name and topic id.');
  }
  const duplicateNames = duplicatesOf(names);
  const duplicateIds = duplicatesOf(ids);
  for (const name of duplicateNames) refuse(name, ZERO_UUID, 'Duplicate topic name.');
  for (const id of duplicateIds) refuse(null, id, 'Duplicate topic id.');
  /** Topics to be removed, by id. */
  const doomed = new Map<string, string>();
  const refusedIds = new Set(duplicateIds);
  for (const id of ids) {
    if (duplicateIds.has(id)) continue;
    const topic = image.topicById(id);
    if (topic === null) answer(null, id, ERROR.UNKNOWN_TOPIC_ID, UNKNOWN_ID_MESSAGE);
    else doomed.set(id, topic.name);
  }
  for (const name of names) {
    if (duplicateNames.has(name)) continue;
    const topic = image.topicByName(name);
    if (topic === null) {
      answer(name, ZERO_UUID, ERROR.UNKNOWN_TOPIC_OR_PARTITION, UNKNOWN_NAME_MESSAGE);
    } else if (refusedIds.has(topic.id) || doomed.has(topic.id)) {
      doomed.delete(topic.id);
      refusedIds.add(topic.id);
      refuse(name, topic.id, 'The provided topic name maps to an ID that was already supplied.');
    } else {
      doomed.set(topic.id, name);
    }
  }
  const records: MetadataRecord[] = [];
  for (const [topicId, name] of doomed) {
    records.push({ type: 'RemoveTopicRecord', topicId });
    answer(name, topicId, ERROR.NONE, null);
  }
  return { records, response };
}

function createTopic(
  image: ClusterImage,
  topic: CreatableTopic,
  env: ControllerEnv,
  records: MetadataRecord[],
  directories: DirectoryChoice,
): CreatedTopic {
  const refusal = nameRefusal(image, topic.name) ?? configRefusal(image, topic, env);
  if (refusal !== null) return refused(topic.name, refusal);
  const placed = topic.assignments.length > 0 ? byHand(image, topic) : byCount(image, topic, env);
  if (!('replicas' in placed)) return refused(topic.name, placed.refusal);
  const topicId = randomUuid(env.random);
  records.push({ type: 'TopicRecord', name: topic.name, topicId });
  const configs = new Map<string, string>();
  for (const { name, value } of topic.configs) configs.set(name, value as string);
  for (const [name, value] of configs) {
    records.push({ type: 'ConfigRecord', resourceType: RESOURCE.TOPIC, resourceName: topic.name, name, value });
  }
  placed.replicas.forEach((replicas, partitionId) => {
    records.push(partitionRecord(image, topicId, partitionId, replicas, directories));
  });
  return {
    name: topic.name,
    topicId,
    errorCode: ERROR.NONE,
    errorMessage: null,
    topicConfigErrorCode: ERROR.NONE,
    numPartitions: placed.replicas.length,
    replicationFactor: placed.replicas[0]?.length ?? 0,
    configs: [...env.defaults.topicConfigs.effective(configs, image)],
  };
}

function nameRefusal(image: ClusterImage, name: string): Refusal | null {
  if (image.topicByName(name) !== null) return [ERROR.TOPIC_ALREADY_EXISTS, `Topic '${name}' already exists.`];
  const fault = topicCollisionFault(name, image) ?? topicNameFault(name);
  return fault === null ? null : [ERROR.INVALID_TOPIC_EXCEPTION, fault];
}

function configRefusal(image: ClusterImage, topic: CreatableTopic, env: ControllerEnv): Refusal | null {
  const nullNames = topic.configs.filter((config) => config.value === null).map((config) => config.name);
  if (nullNames.length > 0) return [ERROR.INVALID_CONFIG, `Null value not supported for topic configs: ${nullNames.join(',')}`];
  if (topic.configs.length === 0) return null;
  const fault = env.defaults.topicConfigs.validate(new Map(topic.configs.map((config) => [config.name, config.value as string])), image);
  return fault === null ? null : [ERROR.INVALID_CONFIG, fault];
}

export type Placed = { readonly replicas: readonly (readonly number[])[] } | { readonly refusal: Refusal };

function byHand(image: ClusterImage, topic: CreatableTopic): Placed {
  if (topic.replicationFactor !== -1) {
    return { refusal: [ERROR.INVALID_REQUEST, 'A manual partition assignment was specified, but replication factor was not set to -1.'] };
  }
  if (topic.numPartitions !== -1) {
    return { refusal: [ERROR.INVALID_REQUEST, 'A manual partition assignment was specified, but numPartitions was not set to -1.'] };
  }
  const byPartition = new Map<number, readonly number[]>();
  let replicationFactor = -1;
  for (const { partitionIndex, brokerIds } of topic.assignments) {
    if (byPartition.has(partitionIndex)) {
      return badAssignment(`Found multiple manual partition assignments for partition ${partitionIndex}`);
    }
    const fault = assignmentFault(image, brokerIds, replicationFactor);
    if (fault !== null) return badAssignment(fault);
    replicationFactor = brokerIds.length;
    if (!brokerIds.some((brokerId) => isActive(image, brokerId))) {
      return badAssignment(
        `All brokers specified in the manual partition assignment for partition ${partitionIndex} are fenced or in controlled shutdown.`,
      );
    }
    byPartition.set(partitionIndex, brokerIds);
  }
  const replicas: (readonly number[])[] = [];
  for (let partition = 0; partition < byPartition.size; partition++) {
    const brokerIds = byPartition.get(partition);
    if (brokerIds === undefined) return badAssignment('partitions should be a consecutive 0-based integer sequence');
    replicas.push(brokerIds);
  }
  return { replicas };
}

function badAssignment(message: string): Placed {
  return { refusal: [ERROR.INVALID_REPLICA_ASSIGNMENT, message] };
}

function byCount(image: ClusterImage, topic: CreatableTopic, env: ControllerEnv): Placed {
  if (topic.replicationFactor < -1 || topic.replicationFactor === 0) {
    return {
      refusal: [ERROR.INVALID_REPLICATION_FACTOR, 'Replication factor must be larger than 0, or -1 to use the default value.'],
    };
  }
  if (topic.numPartitions < -1 || topic.numPartitions === 0) {
    return { refusal: [ERROR.INVALID_PARTITIONS, 'Number of partitions was set to an invalid non-positive value.'] };
  }
  const partitionCount = topic.numPartitions === -1 ? env.defaults.numPartitions : topic.numPartitions;
  const replicationFactor = topic.replicationFactor === -1 ? env.defaults.replicationFactor : topic.replicationFactor;
  const placement = placeReplicas(image, partitionCount, replicationFactor, env.random);
  if (placement.fault === null) return { replicas: placement.replicas };
  const message = `Unable to replicate the partition ${replicationFactor} time(s): ${placement.fault}`;
  return { refusal: [ERROR.INVALID_REPLICATION_FACTOR, message] };
}

/** The answer of a topic that is not made. */
export function refused(name: string, [errorCode, message]: Refusal): CreatedTopic {
  return {
    name,
    topicId: ZERO_UUID,
    errorCode,
    errorMessage: message,
    topicConfigErrorCode: ERROR.NONE,
    numPartitions: -1,
    replicationFactor: -1,
    configs: [],
  };
}

function partitionTotal(topics: readonly CreatableTopic[], env: ControllerEnv): number {
  let total = 0;
  for (const topic of topics) {
    if (topic.assignments.length > 0) total += topic.assignments.length;
    else if (topic.numPartitions === -1) total += env.defaults.numPartitions;
    else if (topic.numPartitions > 0) total += topic.numPartitions;
  }
  return total;
}

/** Names that stand more than once, in the order in which they first do so. */
export function duplicatesOf(names: readonly string[]): Set<string> {
  const seen = new Set<string>();
  const duplicates = new Set<string>();
  for (const name of names) (seen.has(name) ? duplicates : seen).add(name);
  return duplicates;
}
