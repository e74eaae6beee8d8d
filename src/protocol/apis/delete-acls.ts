// DeleteAcls: KIP-140 · v1 pattern types (KIP-290) · v2 flexible · v3 users as resources (KIP-373)
// Pure.
import { array, int8, int16, int32, type MessageOf, nullableString, request, response, string } from '../schema.ts';

export const deleteAclsRequest = request({
  name: 'DeleteAcls',
  apiKey: 31,
  versions: [1, 3],
  flexibleSince: 2,
  fields: {
    filters: array({
      resourceTypeFilter: int8(),
      resourceNameFilter: nullableString(),
      patternTypeFilter: int8({ default: 3 }),
      principalFilter: nullableString(),
      hostFilter: nullableString(),
      operation: int8(),
      permissionType: int8(),
    }),
  },
});
export type DeleteAclsRequest = MessageOf<typeof deleteAclsRequest>;

export const deleteAclsResponse = response({
  name: 'DeleteAcls',
  apiKey: 31,
  versions: [1, 3],
  flexibleSince: 2,
  fields: {
    throttleTimeMs: int32(),
    filterResults: array({
      errorCode: int16(),
      errorMessage: nullableString(),
      matchingAcls: array({
        errorCode: int16(),
        errorMessage: nullableString(),
        resourceType: int8(),
        resourceName: string(),
        patternType: int8({ default: 3 }),
        principal: string(),
        host: string(),
        operation: int8(),
        permissionType: int8(),
      }),
    }),
  },
});
export type DeleteAclsResponse = MessageOf<typeof deleteAclsResponse>;
