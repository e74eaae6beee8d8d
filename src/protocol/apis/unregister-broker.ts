// UnregisterBroker: KIP-631
// Pure.
import { int16, int32, type MessageOf, nullableString, request, response } from '../schema.ts';

export const unregisterBrokerRequest = request({
  name: 'UnregisterBroker',
  apiKey: 64,
  versions: [0, 0],
  flexibleSince: 0,
  fields: { brokerId: int32() },
});
export type UnregisterBrokerRequest = MessageOf<typeof unregisterBrokerRequest>;

export const unregisterBrokerResponse = response({
  name: 'UnregisterBroker',
  apiKey: 64,
  versions: [0, 0],
  flexibleSince: 0,
  fields: { throttleTimeMs: int32(), errorCode: int16(), errorMessage: nullableString() },
});
export type UnregisterBrokerResponse = MessageOf<typeof unregisterBrokerResponse>;
