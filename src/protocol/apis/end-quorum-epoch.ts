// EndQuorumEpoch: KIP-595 · v1 flexible, candidates with directories, endpoints of the leader (KIP-853)
// Pure.
import { array, int16, int32, type MessageOf, nullableString, request, response, string, uint16, uuid } from '../schema.ts';

export const endQuorumEpochRequest = request({
  name: 'EndQuorumEpoch',
  apiKey: 54,
  versions: [0, 1],
  flexibleSince: 1,
  fields: {
    clusterId: nullableString({ default: null }),
    topics: array({
      topicName: string(),
      partitions: array({
        partitionIndex: int32(),
        leaderId: int32(),
        leaderEpoch: int32(),
        preferredSuccessors: array(int32(), { until: 0, ignorable: true }),
        preferredCandidates: array({ candidateId: int32(), candidateDirectoryId: uuid() }, { since: 1, ignorable: true }),
      }),
    }),
    leaderEndpoints: array({ name: string(), host: string(), port: uint16() }, { since: 1, ignorable: true }),
  },
});
export type EndQuorumEpochRequest = MessageOf<typeof endQuorumEpochRequest>;

export const endQuorumEpochResponse = response({
  name: 'EndQuorumEpoch',
  apiKey: 54,
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
export type EndQuorumEpochResponse = MessageOf<typeof endQuorumEpochResponse>;
