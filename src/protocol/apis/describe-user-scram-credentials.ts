// DescribeUserScramCredentials: KIP-554
// Pure.
import { array, int8, int16, int32, type MessageOf, nullableArray, nullableString, request, response, string } from '../schema.ts';

export const describeUserScramCredentialsRequest = request({
  name: 'DescribeUserScramCredentials',
  apiKey: 50,
  versions: [0, 0],
  flexibleSince: 0,
  fields: { users: nullableArray({ name: string() }) },
});
export type DescribeUserScramCredentialsRequest = MessageOf<typeof describeUserScramCredentialsRequest>;

export const describeUserScramCredentialsResponse = response({
  name: 'DescribeUserScramCredentials',
  apiKey: 50,
  versions: [0, 0],
  flexibleSince: 0,
  fields: {
    throttleTimeMs: int32(),
    errorCode: int16(),
    errorMessage: nullableString(),
    results: array({
      user: string(),
      errorCode: int16(),
      errorMessage: nullableString(),
      credentialInfos: array({ mechanism: int8(), iterations: int32() }),
    }),
  },
});
export type DescribeUserScramCredentialsResponse = MessageOf<typeof describeUserScramCredentialsResponse>;
