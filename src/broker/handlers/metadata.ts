// Metadata: brokers, topics, leaders. A topic that is missing is made on the way where client and broker allow it, and the answer
// waits for it, so that the client's next request finds it.
// Source: the protocol guide; KIP-516 for topic ids, KIP-430 for authorized operations.
import { ZERO_UUID } from '../../base/uuid.ts';
import type { PartitionImage, TopicImage } from '../../metadata/image-types.ts';
import { internalTopic } from '../../metadata/internal-topics.ts';
import { isDirectoryOnline } from '../../metadata/replica-directories.ts';
import { CLUSTER_METADATA_TOPIC, INTERNAL_TOPICS, topicNameFault } from '../../metadata/topic-names.ts';
import type { CreatableTopic } from '../../metadata/topics.ts';
import { type MetadataResponse, metadataRequest, metadataResponse } from '../../protocol/apis/metadata.ts';
import { CLUSTER_OPERATIONS, TOPIC_OPERATIONS, UNREQUESTED_OPERATIONS } from '../../protocol/authorized-operations.ts';
import { ERROR } from '../../protocol/errors.ts';
import { brokerAnswers, isReachable, listenerOf } from '../broker-answers.ts';
import type { BrokerContext } from '../broker-context.ts';
import { answer, decodeBody, type Handler } from './handler.ts';

type TopicAnswer = MetadataResponse['topics'][number];

/** Topic ids may be asked for from here on. */
const TOPIC_IDS_SINCE = 12;
/** An empty list of version 0 means all topics; later null does. */
const NULL_MEANS_ALL_SINCE = 1;
const LISTENER_ERRORS_SINCE = 6;

export function metadataHandler(context: BrokerContext): Handler {
  const { config, metadata, controller } = context;
  return (request) => {
    const { apiVersion } = request;
    const view = { listener: listenerOf(request, context), namesListeners: apiVersion >= LISTENER_ERRORS_SINCE };
    const body = decodeBody(request, metadataRequest);
    const isAll = body.topics === null || (apiVersion < NULL_MEANS_ALL_SINCE && body.topics.length === 0);
    const asked = isAll ? [] : (body.topics ?? []);
    if (
      asked.some((topic) => (topic.name === null || topic.topicId !== ZERO_UUID) && apiVersion < TOPIC_IDS_SINCE) ||
      asked.some(isNameless)
    ) {
      answer(request, metadataResponse, refusedResponse(asked, ERROR.INVALID_REQUEST));
      return true;
    }
    const send = (errors: ReadonlyMap<string, number>): void => {
      const { image } = metadata;
      const topics = isAll
        ? [...image.topics].map((topic) => topicAnswer(topic, context, view))
        : askedTopics(asked, context, view, errors);
      for (const topic of topics) {
        if (body.includeTopicAuthorizedOperations && topic.errorCode !== ERROR.UNKNOWN_TOPIC_ID)
          topic.topicAuthorizedOperations = TOPIC_OPERATIONS;
      }
      answer(request, metadataResponse, {
        throttleTimeMs: 0,
        brokers: brokerAnswers(
          image.brokers.filter((broker) => !broker.isFenced),
          view.listener,
        ),
        clusterId: image.clusterId,
        controllerId: context.nodeId,
        topics,
        clusterAuthorizedOperations:
          body.includeClusterAuthorizedOperations && apiVersion >= 8 && apiVersion <= 10 ? CLUSTER_OPERATIONS : UNREQUESTED_OPERATIONS,
        errorCode: ERROR.NONE,
      });
    };
    const byId = asked.some((topic) => topic.topicId !== ZERO_UUID);
    const missing = byId
      ? []
      : [...new Set(asked.map((topic) => topic.name ?? ''))].filter(
          (name) => metadata.image.topicByName(name) === null && topicNameFault(name) === null && name !== CLUSTER_METADATA_TOPIC,
        );
    if (missing.length === 0 || !config.autoCreateTopicsEnable || !body.allowAutoTopicCreation) {
      send(NO_ERRORS);
      return true;
    }
    const topics = missing.map((name) => internalTopic(name, config, metadata.image) ?? ordinaryTopic(name));
    controller.ask('createTopics', { topics, validateOnly: false }, (created) => {
      // Somebody else may have made it meanwhile: then it is simply there.
      send(
        new Map(created.filter((topic) => topic.errorCode !== ERROR.TOPIC_ALREADY_EXISTS).map((topic) => [topic.name, topic.errorCode])),
      );
    });
    return true;
  };
}

/** As the broker's defaults want it. */
function ordinaryTopic(name: string): CreatableTopic {
  return { name, numPartitions: -1, replicationFactor: -1, assignments: [], configs: [] };
}

type AskedTopic = { readonly name: string | null; readonly topicId: string };

function isNameless(topic: AskedTopic): boolean {
  return topic.name === null && topic.topicId === ZERO_UUID;
}

/** The whole request is refused: as from Apache Kafka, with the code at every topic and nothing told of the cluster. */
function refusedResponse(asked: readonly AskedTopic[], errorCode: number): MetadataResponse {
  return {
    throttleTimeMs: 0,
    brokers: [],
    clusterId: null,
    controllerId: -1,
    topics: asked.map(({ name, topicId }) => missingTopic(name ?? '', topicId, errorCode)),
    clusterAuthorizedOperations: UNREQUESTED_OPERATIONS,
    errorCode,
  };
}

const NO_ERRORS: ReadonlyMap<string, number> = new Map();

function askedTopics(asked: readonly AskedTopic[], context: BrokerContext, view: View, errors: ReadonlyMap<string, number>): TopicAnswer[] {
  const { image } = context.metadata;
  const ids = new Set(asked.map((topic) => topic.topicId).filter((id) => id !== ZERO_UUID));
  if (ids.size > 0) {
    return [...ids].map((id) => {
      const topic = image.topicById(id);
      return topic === null ? missingTopic(null, id, ERROR.UNKNOWN_TOPIC_ID) : topicAnswer(topic, context, view);
    });
  }
  return [...new Set(asked.map((topic) => topic.name ?? ''))].map((name) => {
    const topic = image.topicByName(name);
    if (topic !== null) return topicAnswer(topic, context, view);
    const refused = errors.get(name) ?? ERROR.NONE;
    const code =
      topicNameFault(name) !== null ? ERROR.INVALID_TOPIC_EXCEPTION : refused !== ERROR.NONE ? refused : ERROR.UNKNOWN_TOPIC_OR_PARTITION;
    return missingTopic(name, ZERO_UUID, code);
  });
}

function missingTopic(name: string | null, topicId: string, errorCode: number): TopicAnswer {
  return {
    errorCode,
    name,
    topicId,
    isInternal: name !== null && INTERNAL_TOPICS.has(name),
    partitions: [],
    topicAuthorizedOperations: UNREQUESTED_OPERATIONS,
  };
}

/** Who asks. */
export interface View {
  /** The listener that they came through. */
  readonly listener: string;
  /** Whether they know LISTENER_NOT_FOUND: that the leader is there, and they came the wrong way. */
  readonly namesListeners: boolean;
}

/** A replica in a directory that failed counts as that of a broker that is gone: here the broker itself knows, the image does not. */
export function topicAnswer(topic: TopicImage, { metadata, nodeId, directories }: BrokerContext, view: View): TopicAnswer {
  const { image } = metadata;
  const isThere = (brokerId: number, partition: PartitionImage): boolean => {
    if (image.broker(brokerId)?.isFenced !== false) return false;
    return brokerId === nodeId ? !directories.isOffline(partition) : isDirectoryOnline(image, partition, brokerId);
  };
  const isGone = (brokerId: number, partition: PartitionImage): boolean => {
    const broker = image.broker(brokerId);
    return broker === null || !isThere(brokerId, partition) || !isReachable(broker, view.listener);
  };
  return {
    errorCode: ERROR.NONE,
    name: topic.name,
    topicId: topic.id,
    isInternal: INTERNAL_TOPICS.has(topic.name),
    partitions: topic.partitions.map((partition) => {
      const isLed = !isGone(partition.leader, partition);
      return {
        errorCode: isLed
          ? ERROR.NONE
          : isThere(partition.leader, partition) && view.namesListeners
            ? ERROR.LISTENER_NOT_FOUND
            : ERROR.LEADER_NOT_AVAILABLE,
        partitionIndex: partition.partition,
        leaderId: isLed ? partition.leader : -1,
        leaderEpoch: partition.leaderEpoch,
        replicaNodes: [...partition.replicas],
        isrNodes: [...partition.isr],
        offlineReplicas: partition.replicas.filter((brokerId) => isGone(brokerId, partition)),
      };
    }),
    topicAuthorizedOperations: UNREQUESTED_OPERATIONS,
  };
}
