// DescribeQuorum: KIP-595 · v1 when replicas fetched (KIP-836) · v2 error messages, nodes, directory ids (KIP-853)
// Pure.
import { array, int16, int32, int64, type MessageOf, nullableString, request, response, string, uint16, uuid } from '../schema.ts';

export const describeQuorumRequest = request({
  name: 'DescribeQuorum',
  apiKey: 55,
  versions: [0, 2],
  flexibleSince: 0,
  fields: { topics: array({ topicName: string(), partitions: array({ partitionIndex: int32() }) }) },
});
export type DescribeQuorumRequest = MessageOf<typeof describeQuorumRequest>;

export const describeQuorumResponse = response({
  name: 'DescribeQuorum',
  apiKey: 55,
  versions: [0, 2],
  flexibleSince: 0,
  fields: {
    errorCode: int16(),
    errorMessage: nullableString({ since: 2, ignorable: true }),
    topics: array({
      topicName: string(),
      partitions: array({
        partitionIndex: int32(),
        errorCode: int16(),
        errorMessage: nullableString({ since: 2, ignorable: true }),
        leaderId: int32(),
        leaderEpoch: int32(),
        highWatermark: int64(),
        currentVoters: array({
          replicaId: int32(),
          replicaDirectoryId: uuid({ since: 2 }),
          logEndOffset: int64(),
          lastFetchTimestamp: int64({ since: 1, ignorable: true, default: -1 }),
          lastCaughtUpTimestamp: int64({ since: 1, ignorable: true, default: -1 }),
        }),
        observers: array({
          replicaId: int32(),
          replicaDirectoryId: uuid({ since: 2 }),
          logEndOffset: int64(),
          lastFetchTimestamp: int64({ since: 1, ignorable: true, default: -1 }),
          lastCaughtUpTimestamp: int64({ since: 1, ignorable: true, default: -1 }),
        }),
      }),
    }),
    nodes: array({ nodeId: int32(), listeners: array({ name: string(), host: string(), port: uint16() }) }, { since: 2 }),
  },
});
export type DescribeQuorumResponse = MessageOf<typeof describeQuorumResponse>;
