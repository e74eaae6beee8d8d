// DescribeGroups: v3 authorized operations (KIP-430) · v4 static members · v5 flexible · v6 GROUP_ID_NOT_FOUND and a message (KIP-1043)
// Pure.
import { array, bool, bytes, int16, int32, type MessageOf, nullableString, request, response, string } from '../schema.ts';

export const describeGroupsRequest = request({
  name: 'DescribeGroups',
  apiKey: 15,
  versions: [0, 6],
  flexibleSince: 5,
  fields: { groups: array(string()), includeAuthorizedOperations: bool({ since: 3 }) },
});
export type DescribeGroupsRequest = MessageOf<typeof describeGroupsRequest>;

export const describeGroupsResponse = response({
  name: 'DescribeGroups',
  apiKey: 15,
  versions: [0, 6],
  flexibleSince: 5,
  fields: {
    throttleTimeMs: int32({ since: 1, ignorable: true }),
    groups: array({
      errorCode: int16(),
      errorMessage: nullableString({ since: 6, default: null }),
      groupId: string(),
      groupState: string(),
      protocolType: string(),
      protocolData: string(),
      members: array({
        memberId: string(),
        groupInstanceId: nullableString({ since: 4, ignorable: true, default: null }),
        clientId: string(),
        clientHost: string(),
        memberMetadata: bytes(),
        memberAssignment: bytes(),
      }),
      authorizedOperations: int32({ since: 3, default: -2147483648 }),
    }),
  },
});
export type DescribeGroupsResponse = MessageOf<typeof describeGroupsResponse>;
