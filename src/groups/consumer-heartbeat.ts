// ConsumerGroupHeartbeat: how members of the consumer protocol join, stay, hear what they are to have, and leave.
// Invariant: a heartbeat that brings nothing new to a group where nothing is under way takes the same time whatever the group's size, and
// writes nothing.
// Pure. Source: KIP-848, "ConsumerGroupHeartbeat API".
import { randomUuid } from '../base/uuid.ts';
import type { Answer, Decision, Question, ShardEnvironment } from '../coordinator/shard.ts';
import type { ConsumerGroupHeartbeatRequest, ConsumerGroupHeartbeatResponse } from '../protocol/apis/consumer-group-heartbeat.ts';
import { ERROR } from '../protocol/errors.ts';
import { isSamePartitions, NO_PARTITIONS } from './assignment.ts';
import type { ClassicGroup } from './classic-group.ts';
import { checkHeartbeat, heartbeatAnswer, heartbeatRefused } from './consumer-answers.ts';
import type { ConsumerExit } from './consumer-exit.ts';
import { ConsumerGroup, NOT_CHECKED } from './consumer-group.ts';
import {
  ConsumerMember,
  distinctNames,
  isSameMetadata,
  isSameNames,
  JOIN_EPOCH,
  type MemberMetadata,
  STATIC_LEAVE_EPOCH,
} from './consumer-member.ts';
import { checkEpoch, checkReleased, checkRoom, findMember, findStatic, unknownMember } from './consumer-membership.ts';
import type { ConsumerRebalance } from './consumer-rebalance.ts';
import { currentRecord, isTooLarge, memberRecord } from './consumer-records.ts';
import type { ConsumerRegex } from './consumer-regex.ts';
import type { ConsumerTimers } from './consumer-timers.ts';
import type { GroupConfig } from './group-config.ts';
import type { GroupRecord } from './group-records.ts';
import type { GroupStore } from './group-store.ts';
import { answered, Outcome } from './outcome.ts';
import type { ProtocolMigration } from './protocol-migration.ts';
import { Refusal } from './refusal.ts';

type Request = ConsumerGroupHeartbeatRequest;

/** The parts that the consumer protocol's deciders share. */
export interface ConsumerParts {
  readonly environment: ShardEnvironment;
  readonly config: GroupConfig;
  readonly groups: GroupStore<ConsumerGroup>;
  readonly timers: ConsumerTimers;
  readonly rebalance: ConsumerRebalance;
  readonly regex: ConsumerRegex;
  readonly migration: ProtocolMigration;
  readonly exit: ConsumerExit;
  /** Answers what waits in a classic group that becomes one of the consumer protocol. */
  releaseClassic(group: ClassicGroup): readonly Answer[];
}

/** The member as the group counts it, null where it is new, and as this request finds it. */
interface Found {
  readonly from: ConsumerMember | null;
  readonly member: ConsumerMember;
}

export class ConsumerHeartbeat {
  readonly #parts: ConsumerParts;

  constructor(parts: ConsumerParts) {
    this.#parts = parts;
  }

  heartbeat(question: Question, request: Request): Decision<GroupRecord> {
    const { config } = this.#parts;
    const { token, apiVersion } = question;
    const refusal = checkHeartbeat(request, apiVersion, config.consumer.assignors);
    if (refusal !== null) return answered(token, heartbeatRefused(refusal));
    const outcome = new Outcome();
    const group = this.#parts.groups.consumer(request.groupId);
    const checkedVersion = group?.checkedVersion ?? NOT_CHECKED;
    const isLeaving = request.memberEpoch < JOIN_EPOCH;
    const response = isLeaving ? this.#leave(request, outcome.records) : this.#hear(question, request, outcome);
    const isRefused = response instanceof Refusal;
    if (!isRefused) return outcome.answer(token, response);
    if (group !== undefined) {
      // If the group was compared with its topics, then for nothing; and the member's time to give up what it is to lose goes on.
      group.checkedVersion = checkedVersion;
      const member = group.members.get(request.memberId);
      if (member !== undefined) this.#parts.rebalance.keepTimer(member);
    }
    return answered(token, heartbeatRefused(response));
  }

  #hear(question: Question, request: Request, outcome: Outcome): ConsumerGroupHeartbeatResponse | Refusal {
    const { config, environment, timers } = this.#parts;
    const { groupId, memberEpoch } = request;
    const known = this.#parts.groups.get(groupId);
    const group = this.#groupFor(request, outcome.records);
    if (group instanceof Refusal) return group;
    const refusal = checkRoom(group, request.memberId, config.consumer.sizeMax);
    if (refusal !== null) return refusal;
    const memberId = request.memberId === '' ? randomUuid(environment.random) : request.memberId;
    const found = this.#memberFor(group, memberId, request, outcome.records);
    if (found instanceof Refusal) return found;
    const member = this.#update(group, found, question, request, outcome.records);
    if (member instanceof Refusal) return member;
    // From here on others hear of it: what cannot be written is refused before.
    if (isTooLarge(outcome.records, environment)) return new Refusal(ERROR.UNKNOWN_SERVER_ERROR, null);
    timers.renewSession(member.sessionKey, timers.sessionTimeoutMs(groupId));
    if (known?.type === 'classic' && !known.isEmpty()) {
      this.#parts.migration.startSessions(group);
      timers.renewSession(member.sessionKey, timers.sessionTimeoutMs(groupId));
      outcome.answers.push(...this.#parts.releaseClassic(known as ClassicGroup));
    }
    const isTold = memberEpoch === JOIN_EPOCH || isFull(request);
    const { assigned } = member.current;
    const isChanged = !isSamePartitions(assigned, found.member.current.assigned);
    return heartbeatAnswer(memberId, member.memberEpoch, timers.heartbeatIntervalMs(groupId), isTold || isChanged ? assigned : null);
  }

  /** The group, or one that is about to be. Whoever joins a classic group changes its protocol. */
  #groupFor({ groupId, memberEpoch }: Request, records: GroupRecord[]): ConsumerGroup | Refusal {
    const group = this.#parts.groups.get(groupId);
    if (group instanceof ConsumerGroup) return group;
    if (memberEpoch !== JOIN_EPOCH) {
      const reason = group === undefined ? `Consumer group ${groupId} not found.` : `Group ${groupId} is not a consumer group.`;
      return new Refusal(ERROR.GROUP_ID_NOT_FOUND, reason);
    }
    if (group === undefined) return new ConsumerGroup(groupId);
    if (!group.isEmpty()) return this.#parts.migration.upgrade(group as ClassicGroup, records);
    records.push(...group.tombstones());
    return new ConsumerGroup(groupId);
  }

  #memberFor(group: ConsumerGroup, memberId: string, request: Request, records: GroupRecord[]): Found | Refusal {
    const { instanceId, memberEpoch, topicPartitions } = request;
    const isJoin = memberEpoch === JOIN_EPOCH;
    if (instanceId !== null && isJoin) return this.#joinStatic(group, memberId, instanceId, records);
    const member = findMember(group, memberId, instanceId);
    if (member instanceof Refusal) {
      if (!isJoin) return member;
      return { from: null, member: new ConsumerMember(group.groupId, memberId) };
    }
    return checkEpoch(member, memberEpoch, topicPartitions) ?? { from: member, member };
  }

  #joinStatic(group: ConsumerGroup, memberId: string, instanceId: string, records: GroupRecord[]): Found | Refusal {
    const owner = group.staticMember(instanceId);
    if (owner === undefined) {
      const known = group.members.get(memberId);
      return { from: known ?? null, member: known ?? new ConsumerMember(group.groupId, memberId) };
    }
    const refusal = owner.usesClassicProtocol ? null : checkReleased(owner, memberId, instanceId);
    if (refusal !== null) return refusal;
    const member = owner.renamed(memberId);
    this.#parts.rebalance.replaceStatic(group, owner, member, records);
    return { from: owner, member };
  }

  /** What the request makes of the member: what it says of itself, and then the next step of its reconciliation. */
  #update(
    group: ConsumerGroup,
    { from, member }: Found,
    question: Question,
    request: Request,
    records: GroupRecord[],
  ): ConsumerMember | Refusal {
    const { rebalance, regex } = this.#parts;
    const metadata = updatedMetadata(member.metadata, question, request);
    const updated = metadata === member.metadata ? member : member.withMetadata(metadata);
    if (updated !== member) records.push(memberRecord(updated));
    const isNamesChanged = !isSameNames(metadata.subscribedTopicNames, member.metadata.subscribedTopicNames);
    const regexChange = regex.change(group, from, updated, records);
    if (regexChange instanceof Refusal) return regexChange;
    const change = { from, to: updated };
    const groupChange = rebalance.changeGroup(group, change, isNamesChanged || regexChange === 'changed and resolved', records);
    const target = rebalance.targetFor(group, change, groupChange, records);
    const isSubscriptionChanged = isNamesChanged || regexChange !== 'same';
    return rebalance.reconcile(group, updated, target, request.topicPartitions, isSubscriptionChanged, records);
  }

  // Leaving.

  #leave(request: Request, records: GroupRecord[]): ConsumerGroupHeartbeatResponse | Refusal {
    const { groups, exit, environment } = this.#parts;
    const { groupId, memberId, memberEpoch, instanceId } = request;
    const group = groups.get(groupId);
    if (!(group instanceof ConsumerGroup)) {
      const reason = group === undefined ? `Group ${groupId} not found.` : `Group ${groupId} is not a consumer group.`;
      return new Refusal(ERROR.GROUP_ID_NOT_FOUND, reason);
    }
    const member = instanceId === null ? group.members.get(memberId) : findStatic(group, memberId, instanceId);
    if (member === undefined) return unknownMember(group, memberId);
    if (member instanceof Refusal) return member;
    if (instanceId !== null && memberEpoch === STATIC_LEAVE_EPOCH) leaveForAWhile(group, member, records);
    else exit.remove(group, [member], records);
    if (isTooLarge(records, environment)) return new Refusal(ERROR.UNKNOWN_SERVER_ERROR, null);
    return heartbeatAnswer(memberId, memberEpoch);
  }
}

/** The session goes on: when it ends, the member's partitions go to the others. Who comes back in time has them from epoch 0 on. */
function leaveForAWhile(group: ConsumerGroup, member: ConsumerMember, records: GroupRecord[]): void {
  const assigned = new Map(
    [...member.current.assigned].map(([topicId, epochs]) => [topicId, new Map([...epochs.keys()].map((each) => [each, 0]))]),
  );
  const current = { ...member.current, memberEpoch: STATIC_LEAVE_EPOCH, assigned, pendingRevocation: NO_PARTITIONS };
  records.push(currentRecord(group.groupId, member.memberId, current));
}

/** A member says everything when it joins, and after errors: then it is told what it has, changed or not. */
function isFull({ rebalanceTimeoutMs, subscribedTopicNames, subscribedTopicRegex, topicPartitions }: Request): boolean {
  return rebalanceTimeoutMs !== -1 && (subscribedTopicNames !== null || subscribedTopicRegex !== null) && topicPartitions !== null;
}

/** With what the request says anew; the same object where that is nothing. */
function updatedMetadata(metadata: MemberMetadata, { clientId, clientHost }: Question, request: Request): MemberMetadata {
  const { instanceId, rackId, rebalanceTimeoutMs, subscribedTopicNames, subscribedTopicRegex, serverAssignor } = request;
  const updated = {
    instanceId: instanceId ?? metadata.instanceId,
    rackId: rackId ?? metadata.rackId,
    clientId,
    clientHost,
    subscribedTopicNames: subscribedTopicNames === null ? metadata.subscribedTopicNames : distinctNames(subscribedTopicNames),
    subscribedTopicRegex: subscribedTopicRegex ?? metadata.subscribedTopicRegex,
    rebalanceTimeoutMs: rebalanceTimeoutMs === -1 ? metadata.rebalanceTimeoutMs : rebalanceTimeoutMs,
    serverAssignor: serverAssignor ?? metadata.serverAssignor,
    classicMemberMetadata: null,
  };
  return isSameMetadata(updated, metadata) ? metadata : updated;
}
