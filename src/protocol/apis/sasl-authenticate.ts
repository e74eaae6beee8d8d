// SaslAuthenticate: KIP-152 · v1 lifetime of the session (KIP-368) · v2 flexible
// Pure.
import { bytes, int16, int64, type MessageOf, nullableString, request, response } from '../schema.ts';

export const saslAuthenticateRequest = request({
  name: 'SaslAuthenticate',
  apiKey: 36,
  versions: [0, 2],
  flexibleSince: 2,
  fields: { authBytes: bytes() },
});
export type SaslAuthenticateRequest = MessageOf<typeof saslAuthenticateRequest>;

export const saslAuthenticateResponse = response({
  name: 'SaslAuthenticate',
  apiKey: 36,
  versions: [0, 2],
  flexibleSince: 2,
  fields: {
    errorCode: int16(),
    errorMessage: nullableString(),
    authBytes: bytes(),
    sessionLifetimeMs: int64({ since: 1, ignorable: true }),
  },
});
export type SaslAuthenticateResponse = MessageOf<typeof saslAuthenticateResponse>;
