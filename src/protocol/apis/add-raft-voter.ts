// AddRaftVoter: KIP-853 · v1 ackWhenCommitted
// Pure.
import { array, bool, int16, int32, type MessageOf, nullableString, request, response, string, uint16, uuid } from '../schema.ts';

export const addRaftVoterRequest = request({
  name: 'AddRaftVoter',
  apiKey: 80,
  versions: [0, 1],
  flexibleSince: 0,
  fields: {
    clusterId: nullableString(),
    timeoutMs: int32(),
    voterId: int32(),
    voterDirectoryId: uuid(),
    listeners: array({ name: string(), host: string(), port: uint16() }),
    ackWhenCommitted: bool({ since: 1, default: true }),
  },
});
export type AddRaftVoterRequest = MessageOf<typeof addRaftVoterRequest>;

export const addRaftVoterResponse = response({
  name: 'AddRaftVoter',
  apiKey: 80,
  versions: [0, 1],
  flexibleSince: 0,
  fields: { throttleTimeMs: int32(), errorCode: int16(), errorMessage: nullableString({ ignorable: true }) },
});
export type AddRaftVoterResponse = MessageOf<typeof addRaftVoterResponse>;
