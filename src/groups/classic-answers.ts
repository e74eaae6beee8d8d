// Responses of the classic protocol that more than one decider gives.
// Pure.
import type { JoinGroupResponse } from '../protocol/apis/join-group.ts';
import type { SyncGroupResponse } from '../protocol/apis/sync-group.ts';
import type { ClassicGroup } from './classic-group.ts';
import { type ClassicMember, NO_BYTES } from './classic-member.ts';

/** Since this version of JoinGroup a dynamic member asks for its id before it joins. */
export const MEMBER_ID_REQUIRED_VERSION = 4;
/** Since this version LeaveGroup names several members. */
export const LEAVE_BATCH_VERSION = 3;
/** Since this version a group without a protocol is told as null, before as "". */
const NULL_PROTOCOL_VERSION = 7;

export function joinRefused(apiVersion: number, memberId: string, errorCode: number): JoinGroupResponse {
  return {
    throttleTimeMs: 0,
    errorCode,
    generationId: -1,
    protocolType: null,
    protocolName: apiVersion < NULL_PROTOCOL_VERSION ? '' : null,
    leader: '',
    skipAssignment: false,
    memberId,
    members: [],
  };
}

/** The generation as its members are told it. `leader` is the group's, but for a version that must not learn of a new id. */
export function joined(
  group: ClassicGroup,
  memberId: string,
  members: JoinGroupResponse['members'],
  leader: string = group.leaderId ?? '',
  skipAssignment = false,
): JoinGroupResponse {
  return {
    throttleTimeMs: 0,
    errorCode: 0,
    generationId: group.generationId,
    protocolType: group.protocolType,
    protocolName: group.protocolName ?? '',
    leader,
    skipAssignment,
    memberId,
    members,
  };
}

/** What the leader is told of everybody. */
export function joinedMembers(group: ClassicGroup): JoinGroupResponse['members'] {
  return [...group.members.values()].map((member) => ({
    memberId: member.memberId,
    groupInstanceId: member.instanceId,
    metadata: member.metadata(group.protocolName),
  }));
}

export function syncRefused(errorCode: number): SyncGroupResponse {
  return { throttleTimeMs: 0, errorCode, protocolType: null, protocolName: null, assignment: NO_BYTES };
}

export function synced(group: ClassicGroup, assignment: ClassicMember['assignment']): SyncGroupResponse {
  return { throttleTimeMs: 0, errorCode: 0, protocolType: group.protocolType, protocolName: group.protocolName, assignment };
}
