// The requests of the classic protocol's members, and the timers of their groups: JoinGroup, SyncGroup, Heartbeat, LeaveGroup.
// Pure. Not here: groups of the consumer protocol with members of the classic one (the coordinator sends those elsewhere).
import type { Answer, Decision, Question, ShardEnvironment } from '../coordinator/shard.ts';
import { nothing } from '../coordinator/shard.ts';
import type { HeartbeatRequest } from '../protocol/apis/heartbeat.ts';
import type { JoinGroupRequest } from '../protocol/apis/join-group.ts';
import type { LeaveGroupRequest, LeaveGroupResponse } from '../protocol/apis/leave-group.ts';
import type { SyncGroupRequest } from '../protocol/apis/sync-group.ts';
import { ERROR } from '../protocol/errors.ts';
import { joinRefused, LEAVE_BATCH_VERSION, synced, syncRefused } from './classic-answers.ts';
import { ClassicGroup } from './classic-group.ts';
import { ClassicJoin } from './classic-join.ts';
import { NO_BYTES, NO_TOKEN } from './classic-member.ts';
import { applyCommitted, groupRecord, newGroupRecord, restore } from './classic-records.ts';
import { ClassicRounds } from './classic-rounds.ts';
import { classicTimerKey, parseClassicTimer } from './classic-timers.ts';
import type { Group } from './group.ts';
import type { GroupConfig } from './group-config.ts';
import { type GroupRecord, recordBytes } from './group-records.ts';
import type { GroupStore } from './group-store.ts';
import { answered, Outcome } from './outcome.ts';
import type { GroupMetadataValue } from './record-tables.ts';

/** Since this version SyncGroup says which protocol it is about. */
const PROTOCOL_REQUIRED_VERSION = 5;

export class ClassicMembership {
  readonly #environment: ShardEnvironment;
  readonly #config: GroupConfig;
  readonly #groups: GroupStore;
  readonly #rounds: ClassicRounds;
  readonly #join: ClassicJoin;
  #isLoaded = false;
  /** A group whose first record is about to be replayed, with what of it dies with the shard. */
  #arriving: ClassicGroup | null = null;

  constructor(environment: ShardEnvironment, config: GroupConfig, groups: GroupStore) {
    this.#environment = environment;
    this.#config = config;
    this.#groups = groups;
    this.#rounds = new ClassicRounds(environment, config);
    this.#join = new ClassicJoin(environment, config, this.#rounds);
  }

  get waiting(): Iterable<number> {
    return this.#rounds.waiting;
  }

  // Records.

  replay(groupId: string, value: GroupMetadataValue | null): void {
    if (value === null) {
      const group = this.#groups.classic(groupId);
      if (group !== undefined) this.#rounds.cancelTimers(group);
      this.#groups.remove(groupId, 'classic');
      return;
    }
    const arriving = this.#arriving;
    this.#arriving = null;
    const known = this.#isLoaded ? this.#groups.classic(groupId) : undefined;
    const live = arriving?.groupId === groupId ? arriving : known;
    const group = live ?? new ClassicGroup(groupId);
    if (live !== undefined) applyCommitted(live, value);
    else restore(group, value);
    if (known === undefined) this.#groups.put(group);
    // A group that becomes a classic one while the shard lives: its members go on, and are to be heard from.
    if (live === undefined && this.#isLoaded) this.#startSessions(group);
  }

  onLoaded(outcome: Outcome): void {
    this.#isLoaded = true;
    for (const group of this.#groups.values()) {
      if (!(group instanceof ClassicGroup)) continue;
      this.#startSessions(group);
      // The limit was lowered: members get the chance to commit before some of them are out.
      if (group.members.size > this.#config.classicSizeMax) this.#rounds.begin(group, outcome);
    }
  }

  #startSessions(group: ClassicGroup): void {
    for (const member of group.members.values()) this.#rounds.renewSession(member);
  }

  // Other protocols.

  /** The group becomes one of the consumer protocol: what waits in it is answered; its tombstone is the caller's. */
  release(group: ClassicGroup, errorCode: number): readonly Answer[] {
    const outcome = new Outcome();
    this.#rounds.release(group, errorCode, outcome);
    return outcome.answers;
  }

  /** A commit of a member tells that it lives. */
  noteCommit(group: Group, memberId: string): void {
    if (!(group instanceof ClassicGroup) || (group.state !== 'Stable' && group.state !== 'PreparingRebalance')) return;
    const member = group.members.get(memberId);
    if (member !== undefined) this.#rounds.renewSession(member);
  }

  // Requests.

  /** `removed` are the records that take an empty group of another protocol out of the way. */
  join(question: Question, request: JoinGroupRequest, removed: readonly GroupRecord[]): Decision<GroupRecord> {
    const { groupId, memberId, sessionTimeoutMs } = request;
    const error = this.#checkJoin(groupId, sessionTimeoutMs);
    if (error !== ERROR.NONE) return answered(question.token, joinRefused(question.apiVersion, memberId, error));
    const outcome = new Outcome();
    const known = this.#groups.classic(groupId);
    if (known !== undefined) {
      this.#join.join(known, question, request, outcome);
      return outcome;
    }
    const refused = (errorCode: number): Outcome => outcome.answer(question.token, joinRefused(question.apiVersion, memberId, errorCode));
    if (memberId !== '') return refused(ERROR.UNKNOWN_MEMBER_ID);
    const group = new ClassicGroup(groupId);
    group.stateSinceMs = this.#environment.wallMs();
    const record = newGroupRecord(group);
    if (recordBytes(record) > this.#environment.recordBytesMax) return refused(ERROR.UNKNOWN_SERVER_ERROR);
    for (const tombstone of removed) outcome.records.push(tombstone);
    outcome.records.push(record);
    this.#arriving = group;
    this.#join.join(group, question, request, outcome);
    return outcome;
  }

  #checkJoin(groupId: string, sessionTimeoutMs: number): number {
    if (groupId === '') return ERROR.INVALID_GROUP_ID;
    const { sessionTimeoutMinMs, sessionTimeoutMaxMs } = this.#config;
    const isInBounds = sessionTimeoutMs >= sessionTimeoutMinMs && sessionTimeoutMs <= sessionTimeoutMaxMs;
    return isInBounds ? ERROR.NONE : ERROR.INVALID_SESSION_TIMEOUT;
  }

  sync(question: Question, request: SyncGroupRequest): Decision<GroupRecord> {
    const { groupId, memberId } = request;
    const refused = (errorCode: number): Decision<GroupRecord> => answered(question.token, syncRefused(errorCode));
    const isIncomplete =
      question.apiVersion >= PROTOCOL_REQUIRED_VERSION && (request.protocolType === null || request.protocolName === null);
    if (isIncomplete) return refused(ERROR.INCONSISTENT_GROUP_PROTOCOL);
    if (groupId === '') return refused(ERROR.INVALID_GROUP_ID);
    const group = this.#groups.classic(groupId);
    if (group === undefined || group.isEmpty()) return refused(ERROR.UNKNOWN_MEMBER_ID);
    const error = checkSync(group, request);
    const member = group.members.get(memberId);
    if (error !== ERROR.NONE || member === undefined) return refused(error);
    if (group.state === 'PreparingRebalance') return refused(ERROR.REBALANCE_IN_PROGRESS);
    this.#rounds.noteSync(group, memberId);
    if (group.state === 'Stable') return answered(question.token, synced(group, member.assignment));
    const outcome = new Outcome();
    this.#rounds.parkSync(member, question.token, outcome);
    if (group.isLeader(memberId)) this.#assign(group, request, outcome);
    return outcome;
  }

  /** The leader's assignments: they are written down, and who asked for one gets it. The replay of the record makes the group stable. */
  #assign(group: ClassicGroup, request: SyncGroupRequest, outcome: Outcome): void {
    const assignments = new Map(request.assignments.map(({ memberId, assignment }) => [memberId, assignment]));
    const record = groupRecord(group, ({ memberId }) => assignments.get(memberId) ?? NO_BYTES);
    const isTooLarge = recordBytes(record) > this.#environment.recordBytesMax;
    for (const member of group.members.values()) {
      if (member.syncToken === NO_TOKEN) continue;
      if (isTooLarge) this.#rounds.refuseSync(member, ERROR.UNKNOWN_SERVER_ERROR, outcome);
      else this.#rounds.answerSync(member, synced(group, assignments.get(member.memberId) ?? NO_BYTES), outcome);
      this.#rounds.renewSession(member);
    }
    if (isTooLarge) this.#rounds.begin(group, outcome);
    else outcome.records.push(record);
  }

  heartbeat(question: Question, request: HeartbeatRequest): Decision<GroupRecord> {
    return answered(question.token, { throttleTimeMs: 0, errorCode: this.#hear(request) });
  }

  #hear({ groupId, memberId, groupInstanceId, generationId }: HeartbeatRequest): number {
    if (groupId === '') return ERROR.INVALID_GROUP_ID;
    const group = this.#groups.classic(groupId);
    if (group === undefined) return ERROR.UNKNOWN_MEMBER_ID;
    const error = group.checkMember(memberId, groupInstanceId);
    const member = group.members.get(memberId);
    if (error !== ERROR.NONE || member === undefined) return error;
    if (generationId !== group.generationId) return ERROR.ILLEGAL_GENERATION;
    this.#rounds.renewSession(member);
    return group.state === 'PreparingRebalance' ? ERROR.REBALANCE_IN_PROGRESS : ERROR.NONE;
  }

  leave(question: Question, request: LeaveGroupRequest): Decision<GroupRecord> {
    const { token, apiVersion } = question;
    const outcome = new Outcome();
    if (request.groupId === '') return outcome.answer(token, left(ERROR.INVALID_GROUP_ID, []));
    const isBatch = apiVersion >= LEAVE_BATCH_VERSION;
    const leaving = isBatch ? request.members : [{ memberId: request.memberId, groupInstanceId: null }];
    const group = this.#groups.classic(request.groupId);
    const members = leaving.map(({ memberId, groupInstanceId }) => ({
      memberId,
      groupInstanceId,
      errorCode: group === undefined ? ERROR.UNKNOWN_MEMBER_ID : this.#leave(group, memberId, groupInstanceId, outcome),
    }));
    if (group !== undefined && members.some(({ errorCode }) => errorCode === ERROR.NONE) && !group.isEmpty()) {
      this.#rounds.beginOrComplete(group, outcome);
    }
    return outcome.answer(token, isBatch ? left(ERROR.NONE, members) : left(members[0]?.errorCode ?? ERROR.NONE, []));
  }

  #leave(group: ClassicGroup, givenId: string, instanceId: string | null, outcome: Outcome): number {
    // An administrator removes a static member by its instance id alone.
    const memberId = givenId === '' && instanceId !== null ? (group.staticMemberIds.get(instanceId) ?? '') : givenId;
    if (group.pendingJoins.has(memberId)) {
      this.#environment.timers.cancel(classicTimerKey('session', group.groupId, memberId));
      group.remove(memberId);
      return ERROR.NONE;
    }
    const error = memberId === '' ? ERROR.UNKNOWN_MEMBER_ID : group.checkMember(memberId, instanceId);
    const member = group.members.get(memberId);
    if (error === ERROR.NONE && member !== undefined) this.#rounds.removeMember(group, member, outcome);
    return error;
  }

  // Timers.

  onTimer(key: string): Decision<GroupRecord> {
    const { timer, groupId, memberId } = parseClassicTimer(key);
    const group = this.#groups.classic(groupId);
    if (group === undefined) return nothing();
    const outcome = new Outcome();
    if (timer === 'session') this.#onSessionEnd(group, memberId, outcome);
    else if (timer === 'join') this.#rounds.onJoinTimer(group, outcome);
    else if (timer === 'sync') this.#rounds.onSyncTimer(group, outcome);
    else if (timer === 'rebalance' && group.state === 'Stable') this.#rounds.begin(group, outcome);
    return outcome;
  }

  #onSessionEnd(group: ClassicGroup, memberId: string, outcome: Outcome): void {
    const member = group.members.get(memberId);
    if (member !== undefined) {
      // A member whose question waits is there; its session is counted anew when it is answered.
      if (member.isWaiting) return;
      this.#rounds.removeMember(group, member, outcome);
      if (group.state !== 'PreparingRebalance') this.#rounds.begin(group, outcome);
      else if (group.hasAllJoined()) this.#rounds.complete(group, outcome);
    } else if (group.pendingJoins.has(memberId)) {
      group.remove(memberId);
      if (group.state === 'PreparingRebalance' && group.hasAllJoined()) this.#rounds.complete(group, outcome);
    }
  }
}

/** An error code. */
function checkSync(group: ClassicGroup, request: SyncGroupRequest): number {
  const error = group.checkMember(request.memberId, request.groupInstanceId);
  if (error !== ERROR.NONE) return error;
  if (request.generationId !== group.generationId) return ERROR.ILLEGAL_GENERATION;
  const isOther = (given: string | null, known: string | null): boolean => given !== null && known !== null && given !== known;
  const isInconsistent = isOther(request.protocolType, group.protocolType) || isOther(request.protocolName, group.protocolName);
  return isInconsistent ? ERROR.INCONSISTENT_GROUP_PROTOCOL : ERROR.NONE;
}

function left(errorCode: number, members: LeaveGroupResponse['members']): LeaveGroupResponse {
  return { throttleTimeMs: 0, errorCode, members };
}
