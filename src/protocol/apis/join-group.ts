// JoinGroup: v1 rebalance timeout · v4 member id required (KIP-394) · v5 static members (KIP-345) · v6 flexible · v7 protocol type · v8 reason (KIP-800) · v9 skip assignment (KIP-814)
// Pure.
import { array, bool, bytes, int16, int32, type MessageOf, nullableString, request, response, string } from '../schema.ts';

export const joinGroupRequest = request({
  name: 'JoinGroup',
  apiKey: 11,
  versions: [0, 9],
  flexibleSince: 6,
  fields: {
    groupId: string(),
    sessionTimeoutMs: int32(),
    rebalanceTimeoutMs: int32({ since: 1, ignorable: true, default: -1 }),
    memberId: string(),
    groupInstanceId: nullableString({ since: 5, default: null }),
    protocolType: string(),
    protocols: array({ name: string(), metadata: bytes() }),
    reason: nullableString({ since: 8, ignorable: true, default: null }),
  },
});
export type JoinGroupRequest = MessageOf<typeof joinGroupRequest>;

export const joinGroupResponse = response({
  name: 'JoinGroup',
  apiKey: 11,
  versions: [0, 9],
  flexibleSince: 6,
  fields: {
    throttleTimeMs: int32({ since: 2, ignorable: true }),
    errorCode: int16(),
    generationId: int32({ default: -1 }),
    protocolType: nullableString({ since: 7, ignorable: true, default: null }),
    protocolName: nullableString({ nullableSince: 7 }),
    leader: string(),
    skipAssignment: bool({ since: 9 }),
    memberId: string(),
    members: array({
      memberId: string(),
      groupInstanceId: nullableString({ since: 5, ignorable: true, default: null }),
      metadata: bytes(),
    }),
  },
});
export type JoinGroupResponse = MessageOf<typeof joinGroupResponse>;
