// JoinGroup to a classic group: who may be in it, under which id, and what that does to the round.
// Pure. Source: KIP-345 (static members), KIP-394 (the member id is given out first), KIP-814 (skipped assignment).

import { MINUTE_MS } from '../base/units.ts';
import type { Question, ShardEnvironment } from '../coordinator/shard.ts';
import type { JoinGroupRequest } from '../protocol/apis/join-group.ts';
import { ERROR } from '../protocol/errors.ts';
import { joined, joinedMembers, joinRefused, MEMBER_ID_REQUIRED_VERSION } from './classic-answers.ts';
import type { ClassicGroup } from './classic-group.ts';
import { ClassicMember, distinctProtocols } from './classic-member.ts';
import { groupRecord } from './classic-records.ts';
import type { ClassicRounds } from './classic-rounds.ts';
import { classicTimerKey } from './classic-timers.ts';
import type { GroupConfig } from './group-config.ts';
import { recordBytes } from './group-records.ts';
import { newMemberId } from './member-id.ts';
import type { Outcome } from './outcome.ts';

/** Since this version a static leader that came back is told that it need not assign. */
const SKIP_ASSIGNMENT_VERSION = 9;
/**
 * A member that joins cannot send heartbeats, as it waits, and its connection is not read: one that went away would stay for as long as the
 * round does, and each that it opens anew would add another. So a JoinGroup of a new member waits no longer than this.
 */
const NEW_MEMBER_JOIN_TIMEOUT_MS = 5 * MINUTE_MS;

export class ClassicJoin {
  readonly #environment: ShardEnvironment;
  readonly #config: GroupConfig;
  readonly #rounds: ClassicRounds;

  constructor(environment: ShardEnvironment, config: GroupConfig, rounds: ClassicRounds) {
    this.#environment = environment;
    this.#config = config;
    this.#rounds = rounds;
  }

  join(group: ClassicGroup, question: Question, request: JoinGroupRequest, outcome: Outcome): void {
    const { memberId } = request;
    if (!this.#hasRoom(group, memberId)) {
      const member = group.members.get(memberId);
      if (member !== undefined) this.#rounds.removeMember(group, member, outcome);
      else group.remove(memberId);
      this.#refuse(question, '', ERROR.GROUP_MAX_SIZE_REACHED, outcome);
      this.#rounds.completeIfJoined(group, outcome);
    } else if (!group.supports(request.protocolType, request.protocols)) {
      this.#refuse(question, memberId, ERROR.INCONSISTENT_GROUP_PROTOCOL, outcome);
    } else if (memberId === '') {
      this.#joinNew(group, question, request, outcome);
    } else {
      this.#joinKnown(group, question, request, outcome);
    }
  }

  /**
   * Whether the group takes this member within group.max.size. While a round is under way the members that wait are counted: the limit may
   * have been lowered, and then the last to join are out.
   */
  #hasRoom(group: ClassicGroup, memberId: string): boolean {
    const member = group.members.get(memberId);
    if (group.state === 'Empty') return true;
    if (group.state === 'PreparingRebalance') {
      return member?.isAwaitingJoin === true || group.awaitingJoinCount < this.#config.classicSizeMax;
    }
    return member !== undefined || group.members.size < this.#config.classicSizeMax;
  }

  #refuse(question: Question, memberId: string, errorCode: number, outcome: Outcome): void {
    outcome.answer(question.token, joinRefused(question.apiVersion, memberId, errorCode));
  }

  #joinNew(group: ClassicGroup, question: Question, request: JoinGroupRequest, outcome: Outcome): void {
    const { groupInstanceId } = request;
    const memberId = newMemberId(groupInstanceId ?? question.clientId, this.#environment.random);
    if (groupInstanceId !== null) {
      const oldMember = group.members.get(group.staticMemberIds.get(groupInstanceId) ?? '');
      if (oldMember === undefined) this.#add(group, memberId, question, request, outcome);
      else this.#replaceStatic(group, oldMember, memberId, question, request, outcome);
    } else if (question.apiVersion < MEMBER_ID_REQUIRED_VERSION) {
      this.#add(group, memberId, question, request, outcome);
    } else {
      group.pendingJoins.add(memberId);
      this.#environment.timers.set(classicTimerKey('session', group.groupId, memberId), request.sessionTimeoutMs);
      this.#refuse(question, memberId, ERROR.MEMBER_ID_REQUIRED, outcome);
    }
  }

  #joinKnown(group: ClassicGroup, question: Question, request: JoinGroupRequest, outcome: Outcome): void {
    const { memberId, groupInstanceId } = request;
    if (group.pendingJoins.has(memberId)) {
      // Static members are never given an id to come back with.
      if (groupInstanceId !== null) this.#refuse(question, '', ERROR.UNKNOWN_SERVER_ERROR, outcome);
      else this.#add(group, memberId, question, request, outcome);
      return;
    }
    const error = group.checkMember(memberId, groupInstanceId);
    const member = group.members.get(memberId);
    if (error !== ERROR.NONE || member === undefined) {
      this.#refuse(question, memberId, error, outcome);
    } else if (this.#isAnsweredAtOnce(group, member, request)) {
      const members = group.state === 'CompletingRebalance' && group.isLeader(memberId) ? joinedMembers(group) : [];
      outcome.answer(question.token, joined(group, memberId, members));
    } else {
      this.#update(group, member, question, request);
      this.#rounds.parkJoin(group, member, question.token, question.apiVersion, outcome);
      this.#rounds.beginOrComplete(group, outcome);
    }
  }

  /**
   * A member that joins the generation it is in, as it may have missed the answer, is told of it again. But a stable group's leader asks for
   * a round that way: what it assigns by has changed, without a change to its metadata.
   */
  #isAnsweredAtOnce(group: ClassicGroup, member: ClassicMember, request: JoinGroupRequest): boolean {
    if (group.state === 'PreparingRebalance') return false;
    if (group.state === 'Stable' && group.isLeader(member.memberId)) return false;
    return member.matches(distinctProtocols(request.protocols));
  }

  #update(group: ClassicGroup, member: ClassicMember, question: Question, request: JoinGroupRequest): void {
    group.update(member, distinctProtocols(request.protocols), rebalanceTimeoutOf(question, request), request.sessionTimeoutMs);
  }

  #add(group: ClassicGroup, memberId: string, question: Question, request: JoinGroupRequest, outcome: Outcome): void {
    const member = new ClassicMember(
      { memberId, instanceId: request.groupInstanceId, clientId: question.clientId, clientHost: question.clientHost },
      {
        rebalanceTimeoutMs: rebalanceTimeoutOf(question, request),
        sessionTimeoutMs: request.sessionTimeoutMs,
        protocols: distinctProtocols(request.protocols),
      },
      classicTimerKey('session', group.groupId, memberId),
    );
    member.isNew = true;
    if (group.state === 'PreparingRebalance' && group.isFirstRound) group.isMemberAdded = true;
    group.add(member, request.protocolType);
    this.#rounds.parkJoin(group, member, question.token, question.apiVersion, outcome);
    this.#rounds.renewSession(member, NEW_MEMBER_JOIN_TIMEOUT_MS);
    this.#rounds.beginOrComplete(group, outcome);
  }

  /** A static member came back without its id: it takes its own place under a new one, and who still uses the old one is fenced. */
  #replaceStatic(
    group: ClassicGroup,
    old: ClassicMember,
    memberId: string,
    question: Question,
    request: JoinGroupRequest,
    outcome: Outcome,
  ): void {
    const oldLeader = group.leaderId ?? '';
    const member = new ClassicMember({ ...identityOf(old), memberId }, old, classicTimerKey('session', group.groupId, memberId));
    member.assignment = old.assignment;
    this.#rounds.refuseJoin(group, old, old.memberId, ERROR.FENCED_INSTANCE_ID, outcome);
    this.#rounds.refuseSync(old, ERROR.FENCED_INSTANCE_ID, outcome);
    this.#environment.timers.cancel(old.sessionKey);
    group.replaceStatic(old, member);
    this.#update(group, member, question, request);
    this.#rounds.renewSession(member);
    if (group.state === 'Stable' && group.selectProtocol() === group.protocolName) {
      const record = groupRecord(group, (each) => each.assignment);
      if (recordBytes(record) <= this.#environment.recordBytesMax) {
        outcome.records.push(record);
        outcome.answer(question.token, this.#rejoined(group, member, question.apiVersion, oldLeader));
        return;
      }
    }
    this.#rounds.parkJoin(group, member, question.token, question.apiVersion, outcome);
    // In CompletingRebalance the leader may assign to the old id, which nobody would hear of: a new round too.
    this.#rounds.beginOrComplete(group, outcome);
  }

  /** The generation goes on. A leader that would assign is told to skip that, where it can hear it; else it is not told that it leads. */
  #rejoined(group: ClassicGroup, member: ClassicMember, apiVersion: number, oldLeader: string): unknown {
    if (apiVersion < SKIP_ASSIGNMENT_VERSION) return joined(group, member.memberId, [], oldLeader);
    const isLeader = group.isLeader(member.memberId);
    return joined(group, member.memberId, isLeader ? joinedMembers(group) : [], group.leaderId ?? '', isLeader);
  }
}

function identityOf({
  memberId,
  instanceId,
  clientId,
  clientHost,
}: ClassicMember): Pick<ClassicMember, 'memberId' | 'instanceId' | 'clientId' | 'clientHost'> {
  return { memberId, instanceId, clientId, clientHost };
}

/** Version 0 has none: the session timeout serves for both. */
function rebalanceTimeoutOf(question: Question, request: JoinGroupRequest): number {
  return question.apiVersion === 0 ? request.sessionTimeoutMs : request.rebalanceTimeoutMs;
}
