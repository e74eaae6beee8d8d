// EndTxn: KIP-98 · v2 PRODUCER_FENCED (KIP-588) · v3 flexible · v4 TRANSACTION_ABORTABLE · v5 the next epoch in the answer (KIP-890)
// Pure.
import { bool, int16, int32, int64, type MessageOf, request, response, string } from '../schema.ts';

export const endTxnRequest = request({
  name: 'EndTxn',
  apiKey: 26,
  versions: [0, 5],
  flexibleSince: 3,
  fields: { transactionalId: string(), producerId: int64(), producerEpoch: int16(), committed: bool() },
});
export type EndTxnRequest = MessageOf<typeof endTxnRequest>;

export const endTxnResponse = response({
  name: 'EndTxn',
  apiKey: 26,
  versions: [0, 5],
  flexibleSince: 3,
  fields: {
    throttleTimeMs: int32(),
    errorCode: int16(),
    producerId: int64({ since: 5, ignorable: true, default: -1 }),
    producerEpoch: int16({ since: 5, ignorable: true, default: -1 }),
  },
});
export type EndTxnResponse = MessageOf<typeof endTxnResponse>;
