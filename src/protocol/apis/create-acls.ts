// CreateAcls: KIP-140 · v1 pattern types (KIP-290) · v2 flexible · v3 users as resources (KIP-373)
// Pure.
import { array, int8, int16, int32, type MessageOf, nullableString, request, response, string } from '../schema.ts';

export const createAclsRequest = request({
  name: 'CreateAcls',
  apiKey: 30,
  versions: [1, 3],
  flexibleSince: 2,
  fields: {
    creations: array({
      resourceType: int8(),
      resourceName: string(),
      resourcePatternType: int8({ default: 3 }),
      principal: string(),
      host: string(),
      operation: int8(),
      permissionType: int8(),
    }),
  },
});
export type CreateAclsRequest = MessageOf<typeof createAclsRequest>;

export const createAclsResponse = response({
  name: 'CreateAcls',
  apiKey: 30,
  versions: [1, 3],
  flexibleSince: 2,
  fields: { throttleTimeMs: int32(), results: array({ errorCode: int16(), errorMessage: nullableString() }) },
});
export type CreateAclsResponse = MessageOf<typeof createAclsResponse>;
