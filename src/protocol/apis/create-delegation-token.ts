// CreateDelegationToken: KIP-48 · v1 the oldest since Kafka 4.0 · v2 flexible · v3 tokens for other owners (KIP-373)
// Pure.
import { array, bytes, int16, int32, int64, type MessageOf, nullableString, request, response, string } from '../schema.ts';

export const createDelegationTokenRequest = request({
  name: 'CreateDelegationToken',
  apiKey: 38,
  versions: [1, 3],
  flexibleSince: 2,
  fields: {
    ownerPrincipalType: nullableString({ since: 3 }),
    ownerPrincipalName: nullableString({ since: 3 }),
    renewers: array({ principalType: string(), principalName: string() }),
    maxLifetimeMs: int64(),
  },
});
export type CreateDelegationTokenRequest = MessageOf<typeof createDelegationTokenRequest>;

export const createDelegationTokenResponse = response({
  name: 'CreateDelegationToken',
  apiKey: 38,
  versions: [1, 3],
  flexibleSince: 2,
  fields: {
    errorCode: int16(),
    principalType: string(),
    principalName: string(),
    tokenRequesterPrincipalType: string({ since: 3 }),
    tokenRequesterPrincipalName: string({ since: 3 }),
    issueTimestampMs: int64(),
    expiryTimestampMs: int64(),
    maxTimestampMs: int64(),
    tokenId: string(),
    hmac: bytes(),
    throttleTimeMs: int32(),
  },
});
export type CreateDelegationTokenResponse = MessageOf<typeof createDelegationTokenResponse>;
