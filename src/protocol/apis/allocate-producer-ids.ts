// AllocateProducerIds: KIP-730
// Pure.
import { int16, int32, int64, type MessageOf, request, response } from '../schema.ts';

export const allocateProducerIdsRequest = request({
  name: 'AllocateProducerIds',
  apiKey: 67,
  versions: [0, 0],
  flexibleSince: 0,
  fields: { brokerId: int32(), brokerEpoch: int64({ default: -1 }) },
});
export type AllocateProducerIdsRequest = MessageOf<typeof allocateProducerIdsRequest>;

export const allocateProducerIdsResponse = response({
  name: 'AllocateProducerIds',
  apiKey: 67,
  versions: [0, 0],
  flexibleSince: 0,
  fields: { throttleTimeMs: int32(), errorCode: int16(), producerIdStart: int64(), producerIdLen: int32() },
});
export type AllocateProducerIdsResponse = MessageOf<typeof allocateProducerIdsResponse>;
