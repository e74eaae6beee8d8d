// Responses to the members of consumer groups, and what is wrong with a request by itself.
// Pure. Source: the messages are Apache Kafka's, since clients show them.
import type { ConsumerGroupHeartbeatRequest, ConsumerGroupHeartbeatResponse } from '../protocol/apis/consumer-group-heartbeat.ts';
import { ERROR } from '../protocol/errors.ts';
import { type PartitionEpochs, partitionsOf } from './assignment.ts';
import { JOIN_EPOCH, LEAVE_EPOCH, STATIC_LEAVE_EPOCH } from './consumer-member.ts';
import { Refusal } from './refusal.ts';

/** Since this version the member makes its id (KIP-1082). */
const OWN_MEMBER_ID_VERSION = 1;

export function heartbeatAnswer(
  memberId: string,
  memberEpoch: number,
  heartbeatIntervalMs = 0,
  assigned: PartitionEpochs | null = null,
): ConsumerGroupHeartbeatResponse {
  const assignment = assigned && {
    topicPartitions: [...assigned].map(([topicId, epochs]) => ({ topicId, partitions: partitionsOf(epochs) })),
  };
  return { throttleTimeMs: 0, errorCode: ERROR.NONE, errorMessage: null, memberId, memberEpoch, heartbeatIntervalMs, assignment };
}

export function heartbeatRefused({ errorCode, message }: Refusal): ConsumerGroupHeartbeatResponse {
  return {
    throttleTimeMs: 0,
    errorCode,
    errorMessage: message,
    memberId: null,
    memberEpoch: 0,
    heartbeatIntervalMs: 0,
    assignment: null,
  };
}

/** Null: nothing is wrong with it. */
export function checkHeartbeat(request: ConsumerGroupHeartbeatRequest, apiVersion: number, assignors: readonly string[]): Refusal | null {
  const { memberEpoch, serverAssignor } = request;
  const needsMemberId = apiVersion >= OWN_MEMBER_ID_VERSION || memberEpoch > 0 || memberEpoch === LEAVE_EPOCH;
  if (needsMemberId && isBlank(request.memberId)) return invalid("MemberId can't be empty.");
  if (isBlank(request.groupId)) return invalid("GroupId can't be empty.");
  if (isBlank(request.instanceId)) return invalid("InstanceId can't be empty.");
  if (isBlank(request.rackId)) return invalid("RackId can't be empty.");
  if (memberEpoch === JOIN_EPOCH) {
    const refusal = checkJoin(request);
    if (refusal !== null) return refusal;
  } else if (memberEpoch === STATIC_LEAVE_EPOCH) {
    if (request.instanceId === null) return invalid("InstanceId can't be null.");
  } else if (memberEpoch < STATIC_LEAVE_EPOCH) {
    return invalid('MemberEpoch is invalid.');
  }
  if (serverAssignor === null || assignors.includes(serverAssignor)) return null;
  const message = `ServerAssignor ${serverAssignor} is not supported. Supported assignors: ${assignors.join(', ')}.`;
  return new Refusal(ERROR.UNSUPPORTED_ASSIGNOR, message);
}

function checkJoin(request: ConsumerGroupHeartbeatRequest): Refusal | null {
  if (request.rebalanceTimeoutMs === -1) return invalid('RebalanceTimeoutMs must be provided in first request.');
  if (request.topicPartitions === null || request.topicPartitions.length > 0) {
    return invalid('TopicPartitions must be empty when (re-)joining.');
  }
  // Empty ones will do: a member may subscribe to nothing.
  if (request.subscribedTopicNames !== null || request.subscribedTopicRegex !== null) return null;
  return invalid('Either SubscribedTopicNames or SubscribedTopicRegex must be non-null when (re-)joining.');
}

function invalid(message: string): Refusal {
  return new Refusal(ERROR.INVALID_REQUEST, message);
}

/** Java's trim takes away all up to the space. */
function isBlank(text: string | null): boolean {
  if (text === null) return false;
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0x20) return false;
  return true;
}
