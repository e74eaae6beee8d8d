// AlterPartition: KIP-497 · v2 topic ids (KIP-841) · v3 epochs of the brokers in the ISR (KIP-903)
// Pure.
import { array, int8, int16, int32, int64, type MessageOf, request, response, uuid } from '../schema.ts';

export const alterPartitionRequest = request({
  name: 'AlterPartition',
  apiKey: 56,
  versions: [2, 3],
  flexibleSince: 0,
  fields: {
    brokerId: int32(),
    brokerEpoch: int64({ default: -1 }),
    topics: array({
      topicId: uuid({ ignorable: true }),
      partitions: array({
        partitionIndex: int32(),
        leaderEpoch: int32(),
        newIsr: array(int32(), { until: 2 }),
        newIsrWithEpochs: array({ brokerId: int32(), brokerEpoch: int64({ default: -1 }) }, { since: 3 }),
        leaderRecoveryState: int8(),
        partitionEpoch: int32(),
      }),
    }),
  },
});
export type AlterPartitionRequest = MessageOf<typeof alterPartitionRequest>;

export const alterPartitionResponse = response({
  name: 'AlterPartition',
  apiKey: 56,
  versions: [2, 3],
  flexibleSince: 0,
  fields: {
    throttleTimeMs: int32(),
    errorCode: int16(),
    topics: array({
      topicId: uuid({ ignorable: true }),
      partitions: array({
        partitionIndex: int32(),
        errorCode: int16(),
        leaderId: int32(),
        leaderEpoch: int32(),
        isr: array(int32()),
        leaderRecoveryState: int8({ ignorable: true }),
        partitionEpoch: int32(),
      }),
    }),
  },
});
export type AlterPartitionResponse = MessageOf<typeof alterPartitionResponse>;
