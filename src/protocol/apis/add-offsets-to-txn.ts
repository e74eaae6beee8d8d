// AddOffsetsToTxn: KIP-98 · v2 PRODUCER_FENCED (KIP-588) · v3 flexible · v4 TRANSACTION_ABORTABLE (KIP-890)
// Pure.
import { int16, int32, int64, type MessageOf, request, response, string } from '../schema.ts';

export const addOffsetsToTxnRequest = request({
  name: 'AddOffsetsToTxn',
  apiKey: 25,
  versions: [0, 4],
  flexibleSince: 3,
  fields: { transactionalId: string(), producerId: int64(), producerEpoch: int16(), groupId: string() },
});
export type AddOffsetsToTxnRequest = MessageOf<typeof addOffsetsToTxnRequest>;

export const addOffsetsToTxnResponse = response({
  name: 'AddOffsetsToTxn',
  apiKey: 25,
  versions: [0, 4],
  flexibleSince: 3,
  fields: { throttleTimeMs: int32(), errorCode: int16() },
});
export type AddOffsetsToTxnResponse = MessageOf<typeof addOffsetsToTxnResponse>;
