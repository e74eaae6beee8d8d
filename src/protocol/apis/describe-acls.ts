// DescribeAcls: KIP-140 · v1 pattern types (KIP-290) · v2 flexible · v3 users as resources (KIP-373)
// Pure.
import { array, int8, int16, int32, type MessageOf, nullableString, request, response, string } from '../schema.ts';

export const describeAclsRequest = request({
  name: 'DescribeAcls',
  apiKey: 29,
  versions: [1, 3],
  flexibleSince: 2,
  fields: {
    resourceTypeFilter: int8(),
    resourceNameFilter: nullableString(),
    patternTypeFilter: int8({ default: 3 }),
    principalFilter: nullableString(),
    hostFilter: nullableString(),
    operation: int8(),
    permissionType: int8(),
  },
});
export type DescribeAclsRequest = MessageOf<typeof describeAclsRequest>;

export const describeAclsResponse = response({
  name: 'DescribeAcls',
  apiKey: 29,
  versions: [1, 3],
  flexibleSince: 2,
  fields: {
    throttleTimeMs: int32(),
    errorCode: int16(),
    errorMessage: nullableString(),
    resources: array({
      resourceType: int8(),
      resourceName: string(),
      patternType: int8({ default: 3 }),
      acls: array({ principal: string(), host: string(), operation: int8(), permissionType: int8() }),
    }),
  },
});
export type DescribeAclsResponse = MessageOf<typeof describeAclsResponse>;
