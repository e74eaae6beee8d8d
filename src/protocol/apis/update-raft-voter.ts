// UpdateRaftVoter: KIP-853
// Pure.
import { array, int16, int32, type MessageOf, nullableString, request, response, string, struct, uint16, uuid } from '../schema.ts';

export const updateRaftVoterRequest = request({
  name: 'UpdateRaftVoter',
  apiKey: 82,
  versions: [0, 0],
  flexibleSince: 0,
  fields: {
    clusterId: nullableString(),
    currentLeaderEpoch: int32(),
    voterId: int32(),
    voterDirectoryId: uuid(),
    listeners: array({ name: string(), host: string(), port: uint16() }),
    kRaftVersionFeature: struct({ minSupportedVersion: int16(), maxSupportedVersion: int16() }),
  },
});
export type UpdateRaftVoterRequest = MessageOf<typeof updateRaftVoterRequest>;

export const updateRaftVoterResponse = response({
  name: 'UpdateRaftVoter',
  apiKey: 82,
  versions: [0, 0],
  flexibleSince: 0,
  fields: {
    throttleTimeMs: int32(),
    errorCode: int16(),
    currentLeader: struct(
      { leaderId: int32({ default: -1 }), leaderEpoch: int32({ default: -1 }), host: string(), port: int32() },
      { tag: 0 },
    ),
  },
});
export type UpdateRaftVoterResponse = MessageOf<typeof updateRaftVoterResponse>;
