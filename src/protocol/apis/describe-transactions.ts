// DescribeTransactions: KIP-664
// Pure.
import { array, int16, int32, int64, type MessageOf, request, response, string } from '../schema.ts';

export const describeTransactionsRequest = request({
  name: 'DescribeTransactions',
  apiKey: 65,
  versions: [0, 0],
  flexibleSince: 0,
  fields: { transactionalIds: array(string()) },
});
export type DescribeTransactionsRequest = MessageOf<typeof describeTransactionsRequest>;

export const describeTransactionsResponse = response({
  name: 'DescribeTransactions',
  apiKey: 65,
  versions: [0, 0],
  flexibleSince: 0,
  fields: {
    throttleTimeMs: int32(),
    transactionStates: array({
      errorCode: int16(),
      transactionalId: string(),
      transactionState: string(),
      transactionTimeoutMs: int32(),
      transactionStartTimeMs: int64(),
      producerId: int64(),
      producerEpoch: int16(),
      topics: array({ topic: string(), partitions: array(int32()) }),
    }),
  },
});
export type DescribeTransactionsResponse = MessageOf<typeof describeTransactionsResponse>;
