// Members of the classic protocol in a consumer group: JoinGroup, SyncGroup, Heartbeat and LeaveGroup take the place of a heartbeat with
// the member's state, so that old and new clients share a group while they are exchanged. No request waits: a member that joins is
// answered at once, and is told to join again whenever there is something new for it.
// Pure. Source: KIP-848, "Online migration".
import { randomUuid } from '../base/uuid.ts';
import type { Decision, Question } from '../coordinator/shard.ts';
import type { HeartbeatRequest } from '../protocol/apis/heartbeat.ts';
import type { JoinGroupRequest, JoinGroupResponse } from '../protocol/apis/join-group.ts';
import type { LeaveGroupRequest, LeaveGroupResponse } from '../protocol/apis/leave-group.ts';
import type { SyncGroupRequest } from '../protocol/apis/sync-group.ts';
import { ERROR } from '../protocol/errors.ts';
import { joinRefused, LEAVE_BATCH_VERSION, MEMBER_ID_REQUIRED_VERSION, syncRefused } from './classic-answers.ts';
import { distinctProtocols } from './classic-member.ts';
import type { ConsumerGroup } from './consumer-group.ts';
import type { ConsumerParts } from './consumer-heartbeat.ts';
import { ConsumerMember, distinctNames, isSameMetadata, isSameNames, type MemberMetadata } from './consumer-member.ts';
import { checkRoom, findMember, findStatic } from './consumer-membership.ts';
import { type ConsumerProtocolSubscription, embeddedVersion, readSubscription, writeAssignment } from './consumer-protocol.ts';
import { isTooLarge, memberRecord } from './consumer-records.ts';
import type { GroupRecord } from './group-records.ts';
import { answered, Outcome } from './outcome.ts';
import { byTopicId, byTopicName } from './protocol-migration.ts';
import { MEMBER_STATE } from './reconciliation.ts';
import { Refusal } from './refusal.ts';
import { CONSUMER_PROTOCOL_TYPE } from './subscription.ts';

/** JoinGroup v0 has none: the session timeout serves for both. */
const NO_REBALANCE_TIMEOUT = -1;

type LeavingMember = LeaveGroupRequest['members'][number];

export class ConsumerClassicMembers {
  readonly #parts: ConsumerParts;

  constructor(parts: ConsumerParts) {
    this.#parts = parts;
  }

  // JoinGroup.

  join(group: ConsumerGroup, question: Question, request: JoinGroupRequest): Decision<GroupRecord> {
    const outcome = new Outcome();
    const { checkedVersion } = group;
    const response = this.#join(group, question, request, outcome.records);
    if (typeof response !== 'number') return outcome.answer(question.token, response);
    // If the group was compared with its topics, then for nothing.
    group.checkedVersion = checkedVersion;
    return answered(question.token, joinRefused(question.apiVersion, '', response));
  }

  /** An error code, or the answer. */
  #join(group: ConsumerGroup, question: Question, request: JoinGroupRequest, records: GroupRecord[]): number | JoinGroupResponse {
    const { config, environment, timers } = this.#parts;
    const { sessionTimeoutMs, groupInstanceId } = request;
    if (sessionTimeoutMs < config.sessionTimeoutMinMs || sessionTimeoutMs > config.sessionTimeoutMaxMs)
      return ERROR.INVALID_SESSION_TIMEOUT;
    if (config.consumer.migrationPolicy === 'disabled') return ERROR.INCONSISTENT_GROUP_PROTOCOL;
    const isUnknown = request.memberId === '';
    const memberId = isUnknown ? randomUuid(environment.random) : request.memberId;
    const refusal = checkRoom(group, memberId, config.consumer.sizeMax);
    if (refusal !== null) return refusal.errorCode;
    const protocols = distinctProtocols(request.protocols);
    const names = protocols.map(({ name }) => name);
    if (!group.supportsClassic(request.protocolType, names)) return ERROR.INCONSISTENT_GROUP_PROTOCOL;
    if (isUnknown && groupInstanceId === null && question.apiVersion >= MEMBER_ID_REQUIRED_VERSION) {
      return joinRefused(question.apiVersion, memberId, ERROR.MEMBER_ID_REQUIRED);
    }
    const subscription = readSubscription(protocols[0]?.metadata ?? new Uint8Array(0));
    if (subscription === null) return ERROR.UNKNOWN_SERVER_ERROR;
    const found = this.#memberFor(group, memberId, groupInstanceId, isUnknown, records);
    if (found instanceof Refusal) return found.errorCode;
    const rebalanceTimeoutMs = request.rebalanceTimeoutMs === NO_REBALANCE_TIMEOUT ? sessionTimeoutMs : request.rebalanceTimeoutMs;
    const metadata: MemberMetadata = {
      instanceId: groupInstanceId ?? found.member.metadata.instanceId,
      rackId: subscription.rackId === null || subscription.rackId === '' ? found.member.metadata.rackId : subscription.rackId,
      clientId: question.clientId,
      clientHost: question.clientHost,
      subscribedTopicNames: distinctNames(subscription.topics),
      subscribedTopicRegex: '',
      rebalanceTimeoutMs,
      serverAssignor: found.member.metadata.serverAssignor,
      classicMemberMetadata: { sessionTimeoutMs, supportedProtocols: [...protocols] },
    };
    const joined = this.#update(group, found, metadata, subscription, records);
    if (joined instanceof Refusal) return joined.errorCode;
    if (isTooLarge(records, environment)) return ERROR.UNKNOWN_SERVER_ERROR;
    timers.cancelJoin(group.groupId, memberId);
    if (!joined.isDowngraded) {
      timers.renewSession(joined.member.sessionKey, sessionTimeoutMs);
      timers.setSync(group.groupId, memberId, rebalanceTimeoutMs);
    }
    return {
      throttleTimeMs: 0,
      errorCode: ERROR.NONE,
      generationId: joined.member.memberEpoch,
      protocolType: CONSUMER_PROTOCOL_TYPE,
      protocolName: names[0] ?? '',
      leader: '',
      skipAssignment: false,
      memberId,
      members: [],
    };
  }

  #memberFor(
    group: ConsumerGroup,
    memberId: string,
    instanceId: string | null,
    isUnknown: boolean,
    records: GroupRecord[],
  ): { readonly from: ConsumerMember | null; readonly member: ConsumerMember } | Refusal {
    const owner = group.staticMember(instanceId);
    if (instanceId !== null && !isUnknown) {
      const member = findStatic(group, memberId, instanceId);
      return member instanceof Refusal ? member : { from: member, member };
    }
    if (owner === undefined) {
      const known = group.members.get(memberId);
      return { from: known ?? null, member: known ?? new ConsumerMember(group.groupId, memberId) };
    }
    const member = owner.renamed(memberId);
    this.#parts.rebalance.replaceStatic(group, owner, member, records);
    return { from: owner, member };
  }

  #update(
    group: ConsumerGroup,
    { from, member }: { readonly from: ConsumerMember | null; readonly member: ConsumerMember },
    metadata: MemberMetadata,
    subscription: ConsumerProtocolSubscription,
    records: GroupRecord[],
  ): { readonly member: ConsumerMember; readonly isDowngraded: boolean } | Refusal {
    const { environment, rebalance, regex, migration } = this.#parts;
    const updated = isSameMetadata(metadata, member.metadata) ? member : member.withMetadata(metadata);
    if (updated !== member) records.push(memberRecord(updated));
    const isNamesChanged = !isSameNames(metadata.subscribedTopicNames, member.metadata.subscribedTopicNames);
    const regexChange = regex.change(group, from, updated, records);
    if (regexChange instanceof Refusal) return regexChange;
    const isChanged = isNamesChanged || regexChange !== 'same';
    const change = { from, to: updated };
    const groupChange = rebalance.changeGroup(group, change, isChanged, records);
    const owned = byTopicId(subscription.ownedPartitions, environment.topics);
    if (from !== null && metadata.instanceId !== null && migration.isReplacingDowngrade(group, from)) {
      const isRebalanced = group.assignmentEpoch < groupChange.groupEpoch;
      const target = { epoch: group.assignmentEpoch, assignment: group.targetOf(from.memberId) };
      const next = isRebalanced ? updated : rebalance.reconcile(group, updated, target, owned, isChanged, records);
      if (next instanceof Refusal) return next;
      if (migration.downgrade(group, [], { old: from, member: next }, isRebalanced, records)) return { member: next, isDowngraded: true };
    }
    const target = rebalance.targetFor(group, change, groupChange, records);
    const next = rebalance.reconcile(group, updated, target, owned, isChanged, records);
    return next instanceof Refusal ? next : { member: next, isDowngraded: false };
  }

  // SyncGroup and Heartbeat.

  sync(group: ConsumerGroup, question: Question, request: SyncGroupRequest): Decision<GroupRecord> {
    const { environment, timers } = this.#parts;
    const { memberId, protocolType, protocolName } = request;
    const member = this.#classicMember(group, memberId, request.groupInstanceId, request.generationId);
    const errorCode = typeof member === 'number' ? member : this.#checkSync(group, member, protocolType, protocolName);
    if (typeof member === 'number' || errorCode !== ERROR.NONE) return answered(question.token, syncRefused(errorCode));
    timers.cancelSync(group.groupId, memberId);
    this.#renewSession(member);
    const version = embeddedVersion(member.metadata.classicMemberMetadata?.supportedProtocols[0]?.metadata ?? new Uint8Array(0)) ?? 0;
    const partitions = new Map(
      [...member.current.assigned].map(([topicId, epochs]) => [topicId, [...epochs.keys()].sort((a, b) => a - b)]),
    );
    const assignment = writeAssignment(byTopicName(partitions, environment.topics), version);
    return answered(question.token, { throttleTimeMs: 0, errorCode: ERROR.NONE, protocolType, protocolName, assignment });
  }

  #checkSync(group: ConsumerGroup, member: ConsumerMember, protocolType: string | null, protocolName: string | null): number {
    const joinedWith = member.metadata.classicMemberMetadata?.supportedProtocols[0]?.name;
    if (protocolType !== null && protocolType !== CONSUMER_PROTOCOL_TYPE) return ERROR.INCONSISTENT_GROUP_PROTOCOL;
    if (protocolName !== null && protocolName !== joinedWith) return ERROR.INCONSISTENT_GROUP_PROTOCOL;
    // A member that is giving up partitions has joined for this very target, and joins again when it has.
    if (group.assignmentEpoch <= member.memberEpoch || member.current.state === MEMBER_STATE.Unrevoked) return ERROR.NONE;
    this.#parts.timers.setJoin(group.groupId, member.memberId, member.metadata.rebalanceTimeoutMs);
    return ERROR.REBALANCE_IN_PROGRESS;
  }

  heartbeat(group: ConsumerGroup, question: Question, request: HeartbeatRequest): Decision<GroupRecord> {
    const member = this.#classicMember(group, request.memberId, request.groupInstanceId, request.generationId);
    const errorCode = typeof member === 'number' ? member : this.#hear(group, member);
    return answered(question.token, { throttleTimeMs: 0, errorCode });
  }

  /** It joins again for a new target, to give up what it is to lose, and to get what the others have given up. */
  #hear(group: ConsumerGroup, member: ConsumerMember): number {
    this.#renewSession(member);
    const { state, memberEpoch } = member.current;
    const isUpToDate = memberEpoch >= group.assignmentEpoch && state !== MEMBER_STATE.Unrevoked;
    if (isUpToDate && (state !== MEMBER_STATE.Unreleased || isWaiting(group, member))) return ERROR.NONE;
    this.#parts.timers.setJoin(group.groupId, member.memberId, member.metadata.rebalanceTimeoutMs);
    return ERROR.REBALANCE_IN_PROGRESS;
  }

  #renewSession({ sessionKey, metadata }: ConsumerMember): void {
    const timeoutMs = metadata.classicMemberMetadata?.sessionTimeoutMs;
    if (timeoutMs !== undefined) this.#parts.timers.renewSession(sessionKey, timeoutMs);
  }

  /** An error code, or the member of that generation. */
  #classicMember(group: ConsumerGroup, memberId: string, instanceId: string | null, generationId: number): ConsumerMember | number {
    const member = findMember(group, memberId, instanceId);
    if (member instanceof Refusal) return member.errorCode;
    if (!member.usesClassicProtocol) return ERROR.UNKNOWN_MEMBER_ID;
    return generationId === member.memberEpoch ? member : ERROR.ILLEGAL_GENERATION;
  }

  // LeaveGroup.

  leave(group: ConsumerGroup, question: Question, request: LeaveGroupRequest): Decision<GroupRecord> {
    const isBatch = question.apiVersion >= LEAVE_BATCH_VERSION;
    const named = isBatch ? request.members : [{ memberId: request.memberId, groupInstanceId: null }];
    const leaving = new Set<ConsumerMember>();
    const members = named.map(({ memberId, groupInstanceId }) => {
      // An administrator removes a static member by its instance id alone.
      const owner = memberId === '' ? group.staticMember(groupInstanceId) : undefined;
      const member = owner ?? findMember(group, memberId, groupInstanceId);
      if (member instanceof ConsumerMember) leaving.add(member);
      return { memberId, groupInstanceId, errorCode: member instanceof Refusal ? member.errorCode : ERROR.NONE };
    });
    const outcome = new Outcome();
    if (!this.#parts.exit.remove(group, [...leaving], outcome.records)) return answered(question.token, leaveRefused(isBatch, named));
    const response: LeaveGroupResponse = isBatch
      ? { throttleTimeMs: 0, errorCode: ERROR.NONE, members }
      : { throttleTimeMs: 0, errorCode: members[0]?.errorCode ?? ERROR.NONE, members: [] };
    return outcome.answer(question.token, response);
  }
}

/** Nobody has left. */
function leaveRefused(isBatch: boolean, named: readonly Pick<LeavingMember, 'memberId' | 'groupInstanceId'>[]): LeaveGroupResponse {
  const errorCode = ERROR.UNKNOWN_SERVER_ERROR;
  const members = named.map(({ memberId, groupInstanceId }) => ({ memberId, groupInstanceId, errorCode }));
  return { throttleTimeMs: 0, errorCode, members: isBatch ? members : [] };
}

/** Whether others still have some of what the member is to get. */
function isWaiting(group: ConsumerGroup, { memberId, current }: ConsumerMember): boolean {
  for (const [topicId, partitions] of group.targetOf(memberId)) {
    const assigned = current.assigned.get(topicId);
    if (partitions.some((partition) => assigned?.has(partition) !== true && !group.isFree(topicId, partition))) return true;
  }
  return false;
}
