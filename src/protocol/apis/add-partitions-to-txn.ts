// AddPartitionsToTxn: KIP-98 · v2 PRODUCER_FENCED (KIP-588) · v3 flexible, the last of clients · v4 several transactions, for brokers (KIP-890) · v5 TRANSACTION_ABORTABLE (KIP-890)
// Pure.
import { array, bool, int16, int32, int64, type MessageOf, request, response, string } from '../schema.ts';

export const addPartitionsToTxnRequest = request({
  name: 'AddPartitionsToTxn',
  apiKey: 24,
  versions: [0, 5],
  flexibleSince: 3,
  fields: {
    transactions: array(
      {
        transactionalId: string(),
        producerId: int64(),
        producerEpoch: int16(),
        verifyOnly: bool(),
        topics: array({ name: string(), partitions: array(int32()) }),
      },
      { since: 4 },
    ),
    v3AndBelowTransactionalId: string({ until: 3 }),
    v3AndBelowProducerId: int64({ until: 3 }),
    v3AndBelowProducerEpoch: int16({ until: 3 }),
    v3AndBelowTopics: array({ name: string(), partitions: array(int32()) }, { until: 3 }),
  },
});
export type AddPartitionsToTxnRequest = MessageOf<typeof addPartitionsToTxnRequest>;

export const addPartitionsToTxnResponse = response({
  name: 'AddPartitionsToTxn',
  apiKey: 24,
  versions: [0, 5],
  flexibleSince: 3,
  fields: {
    throttleTimeMs: int32(),
    errorCode: int16({ since: 4, ignorable: true }),
    resultsByTransaction: array(
      {
        transactionalId: string(),
        topicResults: array({ name: string(), resultsByPartition: array({ partitionIndex: int32(), partitionErrorCode: int16() }) }),
      },
      { since: 4 },
    ),
    resultsByTopicV3AndBelow: array(
      { name: string(), resultsByPartition: array({ partitionIndex: int32(), partitionErrorCode: int16() }) },
      { until: 3 },
    ),
  },
});
export type AddPartitionsToTxnResponse = MessageOf<typeof addPartitionsToTxnResponse>;
