// InitProducerId: v2 flexible · v3 epoch bump (KIP-360) · v6 two-phase commit (KIP-939)
// Pure.
import { bool, int16, int32, int64, type MessageOf, nullableString, request, response } from '../schema.ts';

export const initProducerIdRequest = request({
  name: 'InitProducerId',
  apiKey: 22,
  versions: [0, 6],
  flexibleSince: 2,
  fields: {
    transactionalId: nullableString(),
    transactionTimeoutMs: int32(),
    producerId: int64({ since: 3, default: -1 }),
    producerEpoch: int16({ since: 3, default: -1 }),
    enable2Pc: bool({ since: 6 }),
    keepPreparedTxn: bool({ since: 6 }),
  },
});
export type InitProducerIdRequest = MessageOf<typeof initProducerIdRequest>;

export const initProducerIdResponse = response({
  name: 'InitProducerId',
  apiKey: 22,
  versions: [0, 6],
  flexibleSince: 2,
  fields: {
    throttleTimeMs: int32({ ignorable: true }),
    errorCode: int16(),
    producerId: int64({ default: -1 }),
    producerEpoch: int16(),
    ongoingTxnProducerId: int64({ since: 6, default: -1 }),
    ongoingTxnProducerEpoch: int16({ since: 6, default: -1 }),
  },
});
export type InitProducerIdResponse = MessageOf<typeof initProducerIdResponse>;
