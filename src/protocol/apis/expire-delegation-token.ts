// ExpireDelegationToken: KIP-48 · v1 the oldest since Kafka 4.0 · v2 flexible
// Pure.
import { bytes, int16, int32, int64, type MessageOf, request, response } from '../schema.ts';

export const expireDelegationTokenRequest = request({
  name: 'ExpireDelegationToken',
  apiKey: 40,
  versions: [1, 2],
  flexibleSince: 2,
  fields: { hmac: bytes(), expiryTimePeriodMs: int64() },
});
export type ExpireDelegationTokenRequest = MessageOf<typeof expireDelegationTokenRequest>;

export const expireDelegationTokenResponse = response({
  name: 'ExpireDelegationToken',
  apiKey: 40,
  versions: [1, 2],
  flexibleSince: 2,
  fields: { errorCode: int16(), expiryTimestampMs: int64(), throttleTimeMs: int32() },
});
export type ExpireDelegationTokenResponse = MessageOf<typeof expireDelegationTokenResponse>;
