// Vote: KIP-595 · v1 voter keys, endpoints of the leader (KIP-853) · v2 pre-vote (KIP-996)
// Pure.
import { array, bool, int16, int32, int64, type MessageOf, nullableString, request, response, string, uint16, uuid } from '../schema.ts';

export const voteRequest = request({
  name: 'Vote',
  apiKey: 52,
  versions: [0, 2],
  flexibleSince: 0,
  fields: {
    clusterId: nullableString({ default: null }),
    voterId: int32({ since: 1, ignorable: true, default: -1 }),
    topics: array({
      topicName: string(),
      partitions: array({
        partitionIndex: int32(),
        replicaEpoch: int32(),
        replicaId: int32(),
        replicaDirectoryId: uuid({ since: 1, ignorable: true }),
        voterDirectoryId: uuid({ since: 1, ignorable: true }),
        lastOffsetEpoch: int32(),
        lastOffset: int64(),
        preVote: bool({ since: 2 }),
      }),
    }),
  },
});
export type VoteRequest = MessageOf<typeof voteRequest>;

export const voteResponse = response({
  name: 'Vote',
  apiKey: 52,
  versions: [0, 2],
  flexibleSince: 0,
  fields: {
    errorCode: int16(),
    topics: array({
      topicName: string(),
      partitions: array({ partitionIndex: int32(), errorCode: int16(), leaderId: int32(), leaderEpoch: int32(), voteGranted: bool() }),
    }),
    nodeEndpoints: array({ nodeId: int32(), host: string(), port: uint16() }, { since: 1, tag: 0 }),
  },
});
export type VoteResponse = MessageOf<typeof voteResponse>;
