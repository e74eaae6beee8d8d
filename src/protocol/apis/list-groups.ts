// ListGroups: v3 flexible · v4 states (KIP-518) · v5 types (KIP-848)
// Pure.
import { array, int16, int32, type MessageOf, request, response, string } from '../schema.ts';

export const listGroupsRequest = request({
  name: 'ListGroups',
  apiKey: 16,
  versions: [0, 5],
  flexibleSince: 3,
  fields: { statesFilter: array(string(), { since: 4 }), typesFilter: array(string(), { since: 5 }) },
});
export type ListGroupsRequest = MessageOf<typeof listGroupsRequest>;

export const listGroupsResponse = response({
  name: 'ListGroups',
  apiKey: 16,
  versions: [0, 5],
  flexibleSince: 3,
  fields: {
    throttleTimeMs: int32({ since: 1, ignorable: true }),
    errorCode: int16(),
    groups: array({
      groupId: string(),
      protocolType: string(),
      groupState: string({ since: 4, ignorable: true }),
      groupType: string({ since: 5, ignorable: true }),
    }),
  },
});
export type ListGroupsResponse = MessageOf<typeof listGroupsResponse>;
