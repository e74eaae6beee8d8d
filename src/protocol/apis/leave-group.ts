// LeaveGroup: v3 several members (KIP-345) · v4 flexible · v5 reason (KIP-800)
// Pure.
import { array, int16, int32, type MessageOf, nullableString, request, response, string } from '../schema.ts';

export const leaveGroupRequest = request({
  name: 'LeaveGroup',
  apiKey: 13,
  versions: [0, 5],
  flexibleSince: 4,
  fields: {
    groupId: string(),
    memberId: string({ until: 2 }),
    members: array(
      {
        memberId: string({ since: 3 }),
        groupInstanceId: nullableString({ since: 3, default: null }),
        reason: nullableString({ since: 5, ignorable: true, default: null }),
      },
      { since: 3 },
    ),
  },
});
export type LeaveGroupRequest = MessageOf<typeof leaveGroupRequest>;

export const leaveGroupResponse = response({
  name: 'LeaveGroup',
  apiKey: 13,
  versions: [0, 5],
  flexibleSince: 4,
  fields: {
    throttleTimeMs: int32({ since: 1, ignorable: true }),
    errorCode: int16(),
    members: array(
      { memberId: string({ since: 3 }), groupInstanceId: nullableString({ since: 3 }), errorCode: int16({ since: 3 }) },
      { since: 3 },
    ),
  },
});
export type LeaveGroupResponse = MessageOf<typeof leaveGroupResponse>;
