// DescribeProducers: KIP-664
// Pure.
import { array, int16, int32, int64, type MessageOf, nullableString, request, response, string } from '../schema.ts';

export const describeProducersRequest = request({
  name: 'DescribeProducers',
  apiKey: 61,
  versions: [0, 0],
  flexibleSince: 0,
  fields: { topics: array({ name: string(), partitionIndexes: array(int32()) }) },
});
export type DescribeProducersRequest = MessageOf<typeof describeProducersRequest>;

export const describeProducersResponse = response({
  name: 'DescribeProducers',
  apiKey: 61,
  versions: [0, 0],
  flexibleSince: 0,
  fields: {
    throttleTimeMs: int32(),
    topics: array({
      name: string(),
      partitions: array({
        partitionIndex: int32(),
        errorCode: int16(),
        errorMessage: nullableString({ default: null }),
        activeProducers: array({
          producerId: int64(),
          producerEpoch: int32(),
          lastSequence: int32({ default: -1 }),
          lastTimestamp: int64({ default: -1 }),
          coordinatorEpoch: int32(),
          currentTxnStartOffset: int64({ default: -1 }),
        }),
      }),
    }),
  },
});
export type DescribeProducersResponse = MessageOf<typeof describeProducersResponse>;
