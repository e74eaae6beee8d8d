// FindCoordinator: which broker leads the groups of a key. The topic that they are kept in is made on first use, and the answer waits for
// it, so that the client's next request finds its coordinator (Apache Kafka says COORDINATOR_NOT_AVAILABLE first, and is asked again).
// Transactions and share groups have no coordinator here. Their keys get an error that clients take for final: with a retriable one a
// transactional producer would ask for ever.
// Source: the protocol guide; KIP-699 (several keys), KIP-932 (share groups).
import { coordinatorPartition } from '../../coordinator/partitioner.ts';
import type { ClusterImage } from '../../metadata/image.ts';
import { internalTopic } from '../../metadata/internal-topics.ts';
import { CONSUMER_OFFSETS_TOPIC } from '../../metadata/topic-names.ts';
import type { CreatedTopic } from '../../metadata/topics.ts';
import { type FindCoordinatorResponse, findCoordinatorRequest, findCoordinatorResponse } from '../../protocol/apis/find-coordinator.ts';
import { ERROR, errorMessage, errorName } from '../../protocol/errors.ts';
import { brokerAnswer, listenerOf } from '../broker-answers.ts';
import type { BrokerContext } from '../broker-context.ts';
import { answer, decodeBody, type Handler } from './handler.ts';

const KEY_TYPE = { GROUP: 0, TRANSACTION: 1, SHARE: 2 } as const;
const SEVERAL_KEYS_SINCE = 4;

type CoordinatorAnswer = FindCoordinatorResponse['coordinators'][number];

export function findCoordinatorHandler(context: BrokerContext): Handler {
  const { metadata, controller, config, logger } = context;
  /** Why the topic was refused when that was last said: clients ask many times a second, and hear only that there is no coordinator. */
  let saidReason = '';
  const noteMade = ([made]: readonly CreatedTopic[]): void => {
    if (made === undefined || made.errorCode === ERROR.NONE || made.errorCode === ERROR.TOPIC_ALREADY_EXISTS) return;
    const { name, errorCode, errorMessage: reason } = made;
    const key = `${errorName(errorCode)} ${reason}`;
    if (key === saidReason) return;
    saidReason = key;
    logger.of('coordinator').error(`${name} cannot be made: groups have no coordinator`, {
      error: errorName(errorCode),
      reason,
      'offsets.topic.num.partitions': config.offsetsTopicNumPartitions,
      'offsets.topic.replication.factor': config.offsetsTopicReplicationFactor,
      'offsets.topic.segment.bytes': config.offsetsTopicSegmentBytes,
    });
  };
  return (request) => {
    const body = decodeBody(request, findCoordinatorRequest);
    const keys = request.apiVersion >= SEVERAL_KEYS_SINCE ? body.coordinatorKeys : [body.key];
    const listener = listenerOf(request, context);
    const send = (): void => {
      const coordinators = keys.map((key) => coordinatorOf(key, body.keyType, metadata.image, listener));
      answer(request, findCoordinatorResponse, responseOf(coordinators, request.apiVersion));
    };
    const topic =
      body.keyType === KEY_TYPE.GROUP && metadata.image.topicByName(CONSUMER_OFFSETS_TOPIC) === null
        ? internalTopic(CONSUMER_OFFSETS_TOPIC, config, metadata.image)
        : null;
    if (topic === null) send();
    else {
      controller.ask('createTopics', { topics: [topic], validateOnly: false }, (made) => {
        noteMade(made);
        // Refused, or made by somebody else meanwhile: the image tells.
        send();
      });
    }
    return true;
  };
}

function coordinatorOf(key: string, keyType: number, image: ClusterImage, listener: string): CoordinatorAnswer {
  if (keyType === KEY_TYPE.TRANSACTION) return refusal(key, ERROR.TRANSACTIONAL_ID_AUTHORIZATION_FAILED);
  if (keyType === KEY_TYPE.SHARE) return refusal(key, ERROR.INVALID_REQUEST);
  if (keyType !== KEY_TYPE.GROUP) return { ...refusal(key, ERROR.INVALID_REQUEST), errorMessage: errorMessage(ERROR.INVALID_REQUEST) };
  const topic = image.topicByName(CONSUMER_OFFSETS_TOPIC);
  const partition = topic?.partitions[coordinatorPartition(key, topic.partitions.length)];
  const leader = partition === undefined ? null : image.broker(partition.leader);
  const reached = leader === null || leader.isFenced ? null : brokerAnswer(leader, listener);
  if (reached === null) return refusal(key, ERROR.COORDINATOR_NOT_AVAILABLE);
  const { nodeId, host, port } = reached;
  return { key, nodeId, host, port, errorCode: ERROR.NONE, errorMessage: '' };
}

function refusal(key: string, errorCode: number): CoordinatorAnswer {
  return { key, nodeId: -1, host: '', port: -1, errorCode, errorMessage: '' };
}

/** As from Apache Kafka, only the form with one key tells a message, and of success as well: its name. */
function responseOf(coordinators: CoordinatorAnswer[], version: number): FindCoordinatorResponse {
  const [only] = coordinators;
  if (version >= SEVERAL_KEYS_SINCE || only === undefined) {
    return { throttleTimeMs: 0, errorCode: 0, errorMessage: '', nodeId: 0, host: '', port: 0, coordinators };
  }
  const { errorCode, nodeId, host, port } = only;
  const message = errorCode === ERROR.NONE ? errorName(ERROR.NONE) : errorMessage(errorCode);
  return { throttleTimeMs: 0, errorCode, errorMessage: message, nodeId, host, port, coordinators: [] };
}
