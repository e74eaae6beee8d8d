// The record of a classic group: written from a group, and a group made of it.
// Pure.
import type { ClassicGroup } from './classic-group.ts';
import { ClassicMember } from './classic-member.ts';
import { classicTimerKey } from './classic-timers.ts';
import type { GroupRecord } from './group-records.ts';
import type { GroupMetadataValue } from './record-tables.ts';

/** The group's record with all its members; `assignmentOf` gives what each is assigned. */
export function groupRecord(group: ClassicGroup, assignmentOf: (member: ClassicMember) => Uint8Array): GroupRecord {
  const members = [...group.members.values()].map((member) => ({
    memberId: member.memberId,
    groupInstanceId: member.instanceId,
    clientId: member.clientId,
    clientHost: member.clientHost,
    rebalanceTimeout: member.rebalanceTimeoutMs,
    sessionTimeout: member.sessionTimeoutMs,
    subscription: member.metadata(group.protocolName),
    assignment: assignmentOf(member),
  }));
  return recordWith(group, members);
}

/** The record of a group that has come to be and has no generation yet, whoever is about to join. */
export function newGroupRecord(group: ClassicGroup): GroupRecord {
  return {
    type: 'GroupMetadata',
    key: { group: group.groupId },
    value: { protocolType: '', generation: 0, protocol: null, leader: null, currentStateTimestamp: group.stateSinceMs, members: [] },
  };
}

function recordWith(group: ClassicGroup, members: GroupMetadataValue['members']): GroupRecord {
  const value = {
    protocolType: group.protocolType ?? '',
    generation: group.generationId,
    protocol: group.protocolName,
    leader: group.leaderId,
    currentStateTimestamp: group.stateSinceMs,
    members,
  };
  return { type: 'GroupMetadata', key: { group: group.groupId }, value };
}

/** Makes of a new group what the record says. */
export function restore(group: ClassicGroup, value: GroupMetadataValue): void {
  group.committed = value;
  group.state = value.members.length === 0 ? 'Empty' : 'Stable';
  group.stateSinceMs = value.currentStateTimestamp;
  group.generationId = value.generation;
  group.protocolType = value.protocolType === '' ? null : value.protocolType;
  group.protocolName = value.protocol;
  for (const each of value.members) {
    const given = {
      // Version 0 of the record has none.
      rebalanceTimeoutMs: each.rebalanceTimeout === -1 ? each.sessionTimeout : each.rebalanceTimeout,
      sessionTimeoutMs: each.sessionTimeout,
      protocols: [{ name: value.protocol ?? '', metadata: each.subscription }],
    };
    const member = new ClassicMember(
      { memberId: each.memberId, instanceId: each.groupInstanceId, clientId: each.clientId, clientHost: each.clientHost },
      given,
      classicTimerKey('session', group.groupId, each.memberId),
    );
    member.assignment = each.assignment;
    group.add(member, value.protocolType);
  }
  group.leaderId = value.leader !== null && group.members.has(value.leader) ? value.leader : (group.members.keys().next().value ?? null);
  group.noteSubscriptions();
}

/** The live group's record was replayed: the round whose end it is has its assignments, and the group is stable. */
export function applyCommitted(group: ClassicGroup, value: GroupMetadataValue): void {
  group.committed = value;
  if (group.state !== 'CompletingRebalance' || value.generation !== group.generationId) return;
  for (const { memberId, assignment } of value.members) {
    const member = group.members.get(memberId);
    if (member !== undefined) member.assignment = assignment;
  }
  group.state = 'Stable';
  group.stateSinceMs = value.currentStateTimestamp;
}
