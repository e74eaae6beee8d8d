// BeginQuorumEpoch: KIP-595 · v1 flexible, voter keys, endpoints of the leader (KIP-853)
// Pure.
import { array, int16, int32, type MessageOf, nullableString, request, response, string, uint16, uuid } from '../schema.ts';

export const beginQuorumEpochRequest = request({
  name: 'BeginQuorumEpoch',
  apiKey: 53,
  versions: [0, 1],
  flexibleSince: 1,
  fields: {
    clusterId: nullableString({ default: null }),
    voterId: int32({ since: 1, ignorable: true, default: -1 }),
    topics: array({
      topicName: string(),
      partitions: array({
        partitionIndex: int32(),
        voterDirectoryId: uuid({ since: 1, ignorable: true }),
        leaderId: int32(),
        leaderEpoch: int32(),
      }),
    }),
    leaderEndpoints: array({ name: string(), host: string(), port: uint16() }, { since: 1, ignorable: true }),
  },
});
export type BeginQuorumEpochRequest = MessageOf<typeof beginQuorumEpochRequest>;

export const beginQuorumEpochResponse = response({
  name: 'BeginQuorumEpoch',
  apiKey: 53,
  versions: [0, 1],
  flexibleSince: 1,
  fields: {
    errorCode: int16(),
    topics: array({
      topicName: string(),
      partitions: array({ partitionIndex: int32(), errorCode: int16(), leaderId: int32(), leaderEpoch: int32() }),
    }),
    nodeEndpoints: array({ nodeId: int32(), host: string(), port: uint16() }, { since: 1, tag: 0 }),
  },
});
export type BeginQuorumEpochResponse = MessageOf<typeof beginQuorumEpochResponse>;
