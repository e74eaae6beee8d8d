// SaslHandshake: KIP-43 · v1 SaslAuthenticate follows (KIP-152)
// Pure.
import { array, int16, type MessageOf, request, response, string } from '../schema.ts';

export const saslHandshakeRequest = request({
  name: 'SaslHandshake',
  apiKey: 17,
  versions: [0, 1],
  fields: { mechanism: string() },
});
export type SaslHandshakeRequest = MessageOf<typeof saslHandshakeRequest>;

export const saslHandshakeResponse = response({
  name: 'SaslHandshake',
  apiKey: 17,
  versions: [0, 1],
  fields: { errorCode: int16(), mechanisms: array(string()) },
});
export type SaslHandshakeResponse = MessageOf<typeof saslHandshakeResponse>;
