// DescribeDelegationToken: KIP-48 · v1 the oldest since Kafka 4.0 · v2 flexible · v3 who asked for the token (KIP-373)
// Pure.
import { array, bytes, int16, int32, int64, type MessageOf, nullableArray, request, response, string } from '../schema.ts';

export const describeDelegationTokenRequest = request({
  name: 'DescribeDelegationToken',
  apiKey: 41,
  versions: [1, 3],
  flexibleSince: 2,
  fields: { owners: nullableArray({ principalType: string(), principalName: string() }) },
});
export type DescribeDelegationTokenRequest = MessageOf<typeof describeDelegationTokenRequest>;

export const describeDelegationTokenResponse = response({
  name: 'DescribeDelegationToken',
  apiKey: 41,
  versions: [1, 3],
  flexibleSince: 2,
  fields: {
    errorCode: int16(),
    tokens: array({
      principalType: string(),
      principalName: string(),
      tokenRequesterPrincipalType: string({ since: 3 }),
      tokenRequesterPrincipalName: string({ since: 3 }),
      issueTimestamp: int64(),
      expiryTimestamp: int64(),
      maxTimestamp: int64(),
      tokenId: string(),
      hmac: bytes(),
      renewers: array({ principalType: string(), principalName: string() }),
    }),
    throttleTimeMs: int32(),
  },
});
export type DescribeDelegationTokenResponse = MessageOf<typeof describeDelegationTokenResponse>;
