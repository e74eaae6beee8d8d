// Heartbeat: v3 static members (KIP-345) · v4 flexible
// Pure.
import { int16, int32, type MessageOf, nullableString, request, response, string } from '../schema.ts';

export const heartbeatRequest = request({
  name: 'Heartbeat',
  apiKey: 12,
  versions: [0, 4],
  flexibleSince: 4,
  fields: { groupId: string(), generationId: int32(), memberId: string(), groupInstanceId: nullableString({ since: 3, default: null }) },
});
export type HeartbeatRequest = MessageOf<typeof heartbeatRequest>;

export const heartbeatResponse = response({
  name: 'Heartbeat',
  apiKey: 12,
  versions: [0, 4],
  flexibleSince: 4,
  fields: { throttleTimeMs: int32({ since: 1, ignorable: true }), errorCode: int16() },
});
export type HeartbeatResponse = MessageOf<typeof heartbeatResponse>;
