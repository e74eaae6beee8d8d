// Key and value of the records in __transaction_state, each at every version. The int16 before a key is its table's api key; before a value
// stands its version.
// Pure. Source: KIP-98; KIP-890 for the tagged fields of the value.
import { array, int8, int16, int32, int64, type MessageOf, nullableArray, record, string } from '../protocol/schema.ts';

export const transactionLogKey = record({
  name: 'TransactionLogKey',
  apiKey: 0,
  versions: [0, 0],
  fields: { transactionalId: string() },
});
export type TransactionLogKey = MessageOf<typeof transactionLogKey>;

export const transactionLogValue = record({
  name: 'TransactionLogValue',
  apiKey: 0,
  versions: [0, 1],
  flexibleSince: 1,
  fields: {
    producerId: int64(),
    previousProducerId: int64({ since: 1, tag: 0, default: -1 }),
    nextProducerId: int64({ since: 1, tag: 1, default: -1 }),
    producerEpoch: int16(),
    nextProducerEpoch: int16({ since: 1, tag: 3, default: -1 }),
    transactionTimeoutMs: int32(),
    transactionStatus: int8(),
    transactionPartitions: nullableArray({ topic: string(), partitionIds: array(int32()) }),
    transactionLastUpdateTimestampMs: int64(),
    transactionStartTimestampMs: int64(),
    clientTransactionVersion: int16({ since: 1, tag: 2 }),
  },
});
export type TransactionLogValue = MessageOf<typeof transactionLogValue>;
