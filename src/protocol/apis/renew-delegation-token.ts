// RenewDelegationToken: KIP-48 · v1 the oldest since Kafka 4.0 · v2 flexible
// Pure.
import { bytes, int16, int32, int64, type MessageOf, request, response } from '../schema.ts';

export const renewDelegationTokenRequest = request({
  name: 'RenewDelegationToken',
  apiKey: 39,
  versions: [1, 2],
  flexibleSince: 2,
  fields: { hmac: bytes(), renewPeriodMs: int64() },
});
export type RenewDelegationTokenRequest = MessageOf<typeof renewDelegationTokenRequest>;

export const renewDelegationTokenResponse = response({
  name: 'RenewDelegationToken',
  apiKey: 39,
  versions: [1, 2],
  flexibleSince: 2,
  fields: { errorCode: int16(), expiryTimestampMs: int64(), throttleTimeMs: int32() },
});
export type RenewDelegationTokenResponse = MessageOf<typeof renewDelegationTokenResponse>;
