// The rounds of classic groups: how one begins, when it is complete, what it leads to, and the timers that bound it.
//   Stable, CompletingRebalance, Empty → begin → PreparingRebalance: JoinGroups wait for all members, at most the rebalance timeout
//   PreparingRebalance → complete → CompletingRebalance: SyncGroups wait for the leader's; or → Empty, when nobody is left
// Here questions of members are parked and taken back, so that `waiting` is always exact.
// Pure. Not here: requests (classic-membership.ts); CompletingRebalance → Stable, which is the replay of the record (classic-records.ts).
import type { ShardEnvironment } from '../coordinator/shard.ts';
import { ERROR } from '../protocol/errors.ts';
import { joined, joinedMembers, joinRefused, syncRefused } from './classic-answers.ts';
import type { ClassicGroup } from './classic-group.ts';
import { type ClassicMember, NO_BYTES, NO_TOKEN } from './classic-member.ts';
import { groupRecord } from './classic-records.ts';
import { classicTimerKey } from './classic-timers.ts';
import type { GroupConfig } from './group-config.ts';
import { recordBytes } from './group-records.ts';
import type { Outcome } from './outcome.ts';

export class ClassicRounds {
  readonly #environment: ShardEnvironment;
  readonly #config: GroupConfig;
  /** Tokens of all questions that wait. */
  readonly waiting = new Set<number>();

  constructor(environment: ShardEnvironment, config: GroupConfig) {
    this.#environment = environment;
    this.#config = config;
  }

  // Questions that wait.

  /** The member's JoinGroup waits. One that waited already is of a connection that was given up. */
  parkJoin(group: ClassicGroup, member: ClassicMember, token: number, apiVersion: number, outcome: Outcome): void {
    this.refuseJoin(group, member, member.memberId, ERROR.REBALANCE_IN_PROGRESS, outcome);
    group.awaitJoin(member, token, apiVersion);
    this.waiting.add(token);
  }

  parkSync(member: ClassicMember, token: number, outcome: Outcome): void {
    this.refuseSync(member, ERROR.REBALANCE_IN_PROGRESS, outcome);
    member.syncToken = token;
    this.waiting.add(token);
  }

  answerJoin(group: ClassicGroup, member: ClassicMember, body: unknown, outcome: Outcome): void {
    const token = group.takeJoin(member);
    this.waiting.delete(token);
    outcome.answer(token, body);
  }

  answerSync(member: ClassicMember, body: unknown, outcome: Outcome): void {
    this.waiting.delete(member.syncToken);
    outcome.answer(member.syncToken, body);
    member.syncToken = NO_TOKEN;
  }

  refuseJoin(group: ClassicGroup, member: ClassicMember, memberId: string, errorCode: number, outcome: Outcome): void {
    if (member.isAwaitingJoin) this.answerJoin(group, member, joinRefused(member.joinVersion, memberId, errorCode), outcome);
  }

  refuseSync(member: ClassicMember, errorCode: number, outcome: Outcome): void {
    if (member.syncToken !== NO_TOKEN) this.answerSync(member, syncRefused(errorCode), outcome);
  }

  /** Answers all that waits in the group, and forgets its timers: it becomes a group of another protocol. */
  release(group: ClassicGroup, errorCode: number, outcome: Outcome): void {
    for (const member of group.members.values()) {
      this.refuseJoin(group, member, member.memberId, errorCode, outcome);
      this.refuseSync(member, errorCode, outcome);
    }
    this.cancelTimers(group);
  }

  // Sessions.

  /** The member was heard from. */
  renewSession(member: ClassicMember, timeoutMs: number = member.sessionTimeoutMs): void {
    // A record of another broker may say anything.
    this.#environment.timers.set(member.sessionKey, Math.max(timeoutMs, 0));
  }

  cancelTimers(group: ClassicGroup): void {
    const { timers } = this.#environment;
    timers.cancel(classicTimerKey('join', group.groupId));
    timers.cancel(classicTimerKey('sync', group.groupId));
    for (const member of group.members.values()) timers.cancel(member.sessionKey);
    for (const memberId of group.pendingJoins) timers.cancel(classicTimerKey('session', group.groupId, memberId));
  }

  /** Takes a member out, with an answer to what of it waits: a member that is still there then joins anew. */
  removeMember(group: ClassicGroup, member: ClassicMember, outcome: Outcome): void {
    this.refuseJoin(group, member, '', ERROR.UNKNOWN_MEMBER_ID, outcome);
    this.refuseSync(member, ERROR.UNKNOWN_MEMBER_ID, outcome);
    this.#environment.timers.cancel(member.sessionKey);
    group.remove(member.memberId);
  }

  // Rounds.

  /** A member came, changed or went: a round begins, or the one under way may be complete. */
  beginOrComplete(group: ClassicGroup, outcome: Outcome): void {
    if (group.state === 'PreparingRebalance') this.completeIfJoined(group, outcome);
    else this.begin(group, outcome);
  }

  /** From any state but PreparingRebalance. */
  begin(group: ClassicGroup, outcome: Outcome): void {
    if (group.state === 'CompletingRebalance') this.#forgetAssignments(group, outcome);
    group.pendingSyncs.clear();
    this.#environment.timers.cancel(classicTimerKey('sync', group.groupId));
    group.enter('PreparingRebalance', this.#environment.wallMs());
    if (group.isFirstRound) {
      // Members of a new group come one after the other: it waits for them, and longer as long as they come.
      const delayMs = this.#config.initialRebalanceDelayMs;
      this.#waitForJoins(group, { delayMs, remainingMs: Math.max(group.rebalanceTimeoutMs() - delayMs, 0) });
    } else if (group.hasAllJoined()) {
      this.complete(group, outcome);
    } else {
      this.#waitForJoins(group, null);
    }
  }

  #waitForJoins(group: ClassicGroup, firstRound: ClassicGroup['firstRound']): void {
    group.firstRound = firstRound;
    const delayMs = firstRound === null ? group.rebalanceTimeoutMs() : firstRound.delayMs;
    this.#environment.timers.set(classicTimerKey('join', group.groupId), delayMs);
  }

  #forgetAssignments(group: ClassicGroup, outcome: Outcome): void {
    for (const member of group.members.values()) {
      member.assignment = NO_BYTES;
      if (member.syncToken === NO_TOKEN) continue;
      this.refuseSync(member, ERROR.REBALANCE_IN_PROGRESS, outcome);
      this.renewSession(member);
    }
  }

  /** The first round always takes its time, since more members may come. */
  completeIfJoined(group: ClassicGroup, outcome: Outcome): void {
    if (group.state === 'PreparingRebalance' && !group.isFirstRound && group.hasAllJoined()) this.complete(group, outcome);
  }

  onJoinTimer(group: ClassicGroup, outcome: Outcome): void {
    if (group.state !== 'PreparingRebalance') return;
    const { firstRound } = group;
    if (firstRound !== null && group.isMemberAdded && firstRound.remainingMs > 0) {
      group.isMemberAdded = false;
      this.#waitForJoins(group, {
        delayMs: Math.min(this.#config.initialRebalanceDelayMs, firstRound.remainingMs),
        remainingMs: Math.max(firstRound.remainingMs - firstRound.delayMs, 0),
      });
    } else {
      this.complete(group, outcome);
    }
  }

  /** Ends PreparingRebalance: dynamic members that have not joined are out, the others are the next generation. */
  complete(group: ClassicGroup, outcome: Outcome): void {
    const { timers } = this.#environment;
    timers.cancel(classicTimerKey('join', group.groupId));
    group.firstRound = null;
    if (group.awaitingJoinCount < group.members.size) {
      for (const member of [...group.members.values()]) {
        if (!member.isAwaitingJoin && member.instanceId === null) this.removeMember(group, member, outcome);
      }
    }
    if (!group.electJoinedLeader() && group.members.size > 0) {
      // Only static members are left, and none has joined. They stay until their sessions end.
      this.#waitForJoins(group, null);
      return;
    }
    group.generationId++;
    group.pendingSyncs.clear();
    if (group.members.size === 0) this.#becomeEmpty(group, outcome);
    else this.#tellGeneration(group, outcome);
  }

  #becomeEmpty(group: ClassicGroup, outcome: Outcome): void {
    group.protocolName = null;
    group.enter('Empty', this.#environment.wallMs());
    group.noteSubscriptions();
    const record = groupRecord(group, () => NO_BYTES);
    // Without it, the generation before is what a restart finds, and its sessions end.
    if (recordBytes(record) <= this.#environment.recordBytesMax) outcome.records.push(record);
  }

  #tellGeneration(group: ClassicGroup, outcome: Outcome): void {
    group.protocolName = group.selectProtocol();
    group.enter('CompletingRebalance', this.#environment.wallMs());
    group.noteSubscriptions();
    for (const member of group.members.values()) {
      member.isNew = false;
      group.pendingSyncs.add(member.memberId);
      this.renewSession(member);
      if (!member.isAwaitingJoin) continue;
      const members = group.isLeader(member.memberId) ? joinedMembers(group) : [];
      this.answerJoin(group, member, joined(group, member.memberId, members), outcome);
    }
    this.#environment.timers.set(classicTimerKey('sync', group.groupId), group.rebalanceTimeoutMs());
  }

  /** The generation's members have had their time: who has not asked for an assignment is out. */
  onSyncTimer(group: ClassicGroup, outcome: Outcome): void {
    if (group.state !== 'CompletingRebalance' && group.state !== 'Stable') return;
    if (group.pendingSyncs.size === 0) return;
    for (const memberId of [...group.pendingSyncs]) {
      const member = group.members.get(memberId);
      if (member !== undefined) this.removeMember(group, member, outcome);
    }
    this.begin(group, outcome);
  }

  /** The member asked for its assignment. */
  noteSync(group: ClassicGroup, memberId: string): void {
    if (group.pendingSyncs.delete(memberId) && group.pendingSyncs.size === 0) {
      this.#environment.timers.cancel(classicTimerKey('sync', group.groupId));
    }
  }
}
