// AlterUserScramCredentials: KIP-554
// Pure.
import { array, bytes, int8, int16, int32, type MessageOf, nullableString, request, response, string } from '../schema.ts';

export const alterUserScramCredentialsRequest = request({
  name: 'AlterUserScramCredentials',
  apiKey: 51,
  versions: [0, 0],
  flexibleSince: 0,
  fields: {
    deletions: array({ name: string(), mechanism: int8() }),
    upsertions: array({ name: string(), mechanism: int8(), iterations: int32(), salt: bytes(), saltedPassword: bytes() }),
  },
});
export type AlterUserScramCredentialsRequest = MessageOf<typeof alterUserScramCredentialsRequest>;

export const alterUserScramCredentialsResponse = response({
  name: 'AlterUserScramCredentials',
  apiKey: 51,
  versions: [0, 0],
  flexibleSince: 0,
  fields: { throttleTimeMs: int32(), results: array({ user: string(), errorCode: int16(), errorMessage: nullableString() }) },
});
export type AlterUserScramCredentialsResponse = MessageOf<typeof alterUserScramCredentialsResponse>;
