// Envelope: KIP-590
// Pure.
import { bytes, int16, type MessageOf, nullableBytes, request, response } from '../schema.ts';

export const envelopeRequest = request({
  name: 'Envelope',
  apiKey: 58,
  versions: [0, 0],
  flexibleSince: 0,
  fields: { requestData: bytes(), requestPrincipal: nullableBytes(), clientHostAddress: bytes() },
});
export type EnvelopeRequest = MessageOf<typeof envelopeRequest>;

export const envelopeResponse = response({
  name: 'Envelope',
  apiKey: 58,
  versions: [0, 0],
  flexibleSince: 0,
  fields: { responseData: nullableBytes({ default: null }), errorCode: int16() },
});
export type EnvelopeResponse = MessageOf<typeof envelopeResponse>;
