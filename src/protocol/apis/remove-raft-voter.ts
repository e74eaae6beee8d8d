// RemoveRaftVoter: KIP-853
// Pure.
import { int16, int32, type MessageOf, nullableString, request, response, uuid } from '../schema.ts';

export const removeRaftVoterRequest = request({
  name: 'RemoveRaftVoter',
  apiKey: 81,
  versions: [0, 0],
  flexibleSince: 0,
  fields: { clusterId: nullableString(), voterId: int32(), voterDirectoryId: uuid() },
});
export type RemoveRaftVoterRequest = MessageOf<typeof removeRaftVoterRequest>;

export const removeRaftVoterResponse = response({
  name: 'RemoveRaftVoter',
  apiKey: 81,
  versions: [0, 0],
  flexibleSince: 0,
  fields: { throttleTimeMs: int32(), errorCode: int16(), errorMessage: nullableString({ ignorable: true }) },
});
export type RemoveRaftVoterResponse = MessageOf<typeof removeRaftVoterResponse>;
