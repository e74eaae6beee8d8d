// SyncGroup: v3 static members (KIP-345) · v4 flexible · v5 protocol type and name
// Pure.
import { array, bytes, int16, int32, type MessageOf, nullableString, request, response, string } from '../schema.ts';

export const syncGroupRequest = request({
  name: 'SyncGroup',
  apiKey: 14,
  versions: [0, 5],
  flexibleSince: 4,
  fields: {
    groupId: string(),
    generationId: int32(),
    memberId: string(),
    groupInstanceId: nullableString({ since: 3, default: null }),
    protocolType: nullableString({ since: 5, ignorable: true, default: null }),
    protocolName: nullableString({ since: 5, ignorable: true, default: null }),
    assignments: array({ memberId: string(), assignment: bytes() }),
  },
});
export type SyncGroupRequest = MessageOf<typeof syncGroupRequest>;

export const syncGroupResponse = response({
  name: 'SyncGroup',
  apiKey: 14,
  versions: [0, 5],
  flexibleSince: 4,
  fields: {
    throttleTimeMs: int32({ since: 1, ignorable: true }),
    errorCode: int16(),
    protocolType: nullableString({ since: 5, ignorable: true, default: null }),
    protocolName: nullableString({ since: 5, ignorable: true, default: null }),
    assignment: bytes(),
  },
});
export type SyncGroupResponse = MessageOf<typeof syncGroupResponse>;
