// DeleteGroups: v2 flexible · v3 error message
// Pure.
import { array, int16, int32, type MessageOf, nullableString, request, response, string } from '../schema.ts';

export const deleteGroupsRequest = request({
  name: 'DeleteGroups',
  apiKey: 42,
  versions: [0, 3],
  flexibleSince: 2,
  fields: { groupsNames: array(string()) },
});
export type DeleteGroupsRequest = MessageOf<typeof deleteGroupsRequest>;

export const deleteGroupsResponse = response({
  name: 'DeleteGroups',
  apiKey: 42,
  versions: [0, 3],
  flexibleSince: 2,
  fields: {
    throttleTimeMs: int32(),
    results: array({ groupId: string(), errorCode: int16(), errorMessage: nullableString({ since: 3, ignorable: true, default: null }) }),
  },
});
export type DeleteGroupsResponse = MessageOf<typeof deleteGroupsResponse>;
