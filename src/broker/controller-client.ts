// The way from any worker to the controller on worker 0 and back. Operations are pure functions there; here they have names,
// since functions do not travel between threads.
// Invariant: an answer comes after every worker has applied what it tells of, and in the order of the questions of one worker.
// Runs on: every worker (client), worker 0 (server). Bounded by the connections: each has at most a few requests under way.
import { assert, unreachable } from '../base/assert.ts';
import { ZERO_UUID } from '../base/uuid.ts';
import { type Unregistered, type UnregisterInput, unregisterBroker } from '../metadata/brokers.ts';
import { type AlterConfigsInput, type AlteredConfigs, alterConfigs, refusedConfigs } from '../metadata/configs.ts';
import type { ControllerEnv, OperationResult } from '../metadata/controller.ts';
import { type ElectLeadersInput, electLeaders, type TopicElected } from '../metadata/elections.ts';
import { type FeaturesUpdated, type UpdateFeaturesInput, updateFeatures } from '../metadata/features.ts';
import type { ClusterImage } from '../metadata/image.ts';
import { type CreatedPartitions, type CreatePartitionsInput, createPartitions } from '../metadata/partitions.ts';
import { allocateProducerIds, type ProducerIdBlock } from '../metadata/producer-ids.ts';
import type { QuorumActor } from '../metadata/quorum-actor.ts';
import { type ReassignInput, reassignPartitions, type TopicReassigned } from '../metadata/reassignments.ts';
import type { QuorumDescription } from '../metadata/sole-voter.ts';
import {
  type CreatedTopic,
  type CreateTopicsInput,
  createTopics,
  type DeletedTopic,
  type DeleteTopicsInput,
  deleteTopics,
  refused,
} from '../metadata/topics.ts';
import { SLOT_COUNT_MAX } from '../partition/partition-words.ts';
import { ERROR } from '../protocol/errors.ts';
import type { Runtime } from '../scheduler/runtime.ts';
import type { PartitionRoom } from './partition-room.ts';

/** Question and answer of each operation. */
interface Operations {
  createTopics: { request: CreateTopicsInput; response: CreatedTopic[] };
  createPartitions: { request: CreatePartitionsInput; response: CreatedPartitions[] };
  deleteTopics: { request: DeleteTopicsInput; response: DeletedTopic[] };
  alterConfigs: { request: AlterConfigsInput; response: AlteredConfigs[] };
  allocateProducerIds: { request: { brokerId: number }; response: ProducerIdBlock };
  describeQuorum: { request: null; response: QuorumDescription };
  /** Null: the controller's log directory is offline. */
  electLeaders: { request: ElectLeadersInput; response: TopicElected[] | null };
  reassignPartitions: { request: ReassignInput; response: TopicReassigned[] | null };
  unregisterBroker: { request: UnregisterInput; response: Unregistered };
  updateFeatures: { request: UpdateFeaturesInput; response: FeaturesUpdated };
}

export type OperationName = keyof Operations;

export interface ControllerRequest {
  readonly type: 'controller-request';
  readonly id: number;
  readonly operation: OperationName;
  readonly request: unknown;
}

export interface ControllerResponse {
  readonly type: 'controller-response';
  readonly id: number;
  readonly response: unknown;
}

export class ControllerClient {
  readonly #runtime: Runtime;
  readonly #waiting = new Map<number, (response: never) => void>();
  #lastId = 0;

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
  }

  ask<N extends OperationName>(operation: N, request: Operations[N]['request'], done: (response: Operations[N]['response']) => void): void {
    const id = ++this.#lastId;
    this.#waiting.set(id, done);
    this.#runtime.sendControl(0, { type: 'controller-request', id, operation, request } satisfies ControllerRequest);
  }

  receive(message: ControllerResponse): void {
    const done = this.#waiting.get(message.id);
    assert(done !== undefined, `an answer of the controller to question ${message.id}, which nobody asked`);
    this.#waiting.delete(message.id);
    done(message.response as never);
  }
}

/** Runs a question on the controller and sends the answer back to the worker that asked. Runs on: worker 0. */
export function serveController(
  quorum: QuorumActor,
  room: PartitionRoom,
  runtime: Runtime,
  from: number,
  message: ControllerRequest,
): void {
  const reply = (response: unknown): void => {
    runtime.sendControl(from, { type: 'controller-response', id: message.id, response } satisfies ControllerResponse);
  };
  const refuse = (): void => reply(refusedOperation(message));
  if (message.operation === 'describeQuorum') {
    reply(quorum.describe());
    return;
  }
  if (quorum.isSuspended) {
    refuse();
    return;
  }
  switch (message.operation) {
    case 'createTopics':
      quorum.submitCreation((image, env) => createTopicsWithin(room, image, message.request as CreateTopicsInput, env), reply, refuse);
      return;
    case 'createPartitions':
      quorum.submit((image, env) => createPartitionsWithin(room, image, message.request as CreatePartitionsInput, env), reply, refuse);
      return;
    case 'deleteTopics':
      quorum.submit((image) => deleteTopics(image, message.request as DeleteTopicsInput), reply, refuse);
      return;
    case 'alterConfigs':
      quorum.submit((image, env) => alterConfigs(image, message.request as AlterConfigsInput, env), reply, refuse);
      return;
    case 'allocateProducerIds':
      quorum.submit(
        (image) => {
          const { brokerId } = message.request as { brokerId: number };
          return allocateProducerIds(image, brokerId, image.broker(brokerId)?.brokerEpoch ?? -1);
        },
        reply,
        refuse,
      );
      return;
    case 'electLeaders':
      quorum.submit((image) => electLeaders(image, message.request as ElectLeadersInput), reply, refuse);
      return;
    case 'reassignPartitions':
      quorum.submit((image) => reassignPartitions(image, message.request as ReassignInput), reply, refuse);
      return;
    case 'unregisterBroker':
      quorum.submit((image) => unregisterBroker(image, message.request as UnregisterInput), reply, refuse);
      return;
    case 'updateFeatures':
      quorum.submit((image, env) => updateFeatures(image, message.request as UpdateFeaturesInput, env), reply, refuse);
      return;
  }
}

/** The log directory is offline: its metadata log takes nothing more, or has refused this, and no partition could be made in it. */
function refusedOperation({ operation, request }: ControllerRequest): unknown {
  const errorCode = ERROR.KAFKA_STORAGE_ERROR;
  const message = 'The log directory of this broker failed and is offline.';
  switch (operation) {
    case 'createTopics':
      return (request as CreateTopicsInput).topics.map(({ name }) => refused(name, [errorCode, message]));
    case 'createPartitions':
      return (request as CreatePartitionsInput).topics.map(({ name }) => ({ name, errorCode, errorMessage: message }));
    case 'deleteTopics': {
      const { topicNames, topics } = request as DeleteTopicsInput;
      const asked = [...topicNames.map((name) => ({ name, topicId: ZERO_UUID })), ...topics];
      return asked.map(({ name, topicId }) => ({ name, topicId, errorCode, errorMessage: message })) satisfies DeletedTopic[];
    }
    case 'alterConfigs':
      return refusedConfigs(request as AlterConfigsInput, errorCode, message);
    case 'allocateProducerIds':
      return { firstProducerId: -1, count: 0 } satisfies ProducerIdBlock;
    case 'electLeaders':
    case 'reassignPartitions':
      return null;
    case 'unregisterBroker':
    case 'updateFeatures':
      return { errorCode, errorMessage: message };
    case 'describeQuorum':
      return unreachable('a question that writes nothing is never refused');
  }
}

/** Why this process has no room for so many new partitions, or null: shared counters, which a restart gives free, or descriptors. */
function roomFault(wanted: number, image: ClusterImage, room: PartitionRoom): string | null {
  if (image.slotCount + wanted <= SLOT_COUNT_MAX) return room.fault(wanted, image);
  return `This broker has held ${image.slotCount} partitions since its start, of ${SLOT_COUNT_MAX} that it can: restart it.`;
}

/** createTopics, of which this process has no room for it all: none of its topics is made. */
function createTopicsWithin(
  room: PartitionRoom,
  image: ClusterImage,
  request: CreateTopicsInput,
  env: ControllerEnv,
): OperationResult<CreatedTopic[]> {
  const result = createTopics(image, request, env);
  // Not by the records: a request that only validates has none.
  const wanted = result.response.reduce((sum, { errorCode, numPartitions }) => (errorCode === ERROR.NONE ? sum + numPartitions : sum), 0);
  const fault = roomFault(wanted, image, room);
  if (fault === null) return result;
  const refuse = (topic: CreatedTopic): CreatedTopic =>
    topic.errorCode === ERROR.NONE ? refused(topic.name, [ERROR.POLICY_VIOLATION, fault]) : topic;
  return { records: [], response: result.response.map(refuse) };
}

/** As createTopicsWithin, of new partitions. */
function createPartitionsWithin(
  room: PartitionRoom,
  image: ClusterImage,
  request: CreatePartitionsInput,
  env: ControllerEnv,
): OperationResult<CreatedPartitions[]> {
  const result = createPartitions(image, request, env);
  const grown = new Set(result.response.filter(({ errorCode }) => errorCode === ERROR.NONE).map(({ name }) => name));
  let wanted = 0;
  for (const { name, count } of request.topics) if (grown.has(name)) wanted += count - (image.topicByName(name)?.partitions.length ?? 0);
  const errorMessage = roomFault(wanted, image, room);
  if (errorMessage === null) return result;
  const refuse = (topic: CreatedPartitions): CreatedPartitions =>
    topic.errorCode === ERROR.NONE ? { ...topic, errorCode: ERROR.POLICY_VIOLATION, errorMessage } : topic;
  return { records: [], response: result.response.map(refuse) };
}
