// ListConfigResources: v0 subscriptions to clients' metrics (KIP-714) · v1 resources of any type (KIP-1142)
// Pure.
import { array, int8, int16, int32, type MessageOf, request, response, string } from '../schema.ts';

export const listConfigResourcesRequest = request({
  name: 'ListConfigResources',
  apiKey: 74,
  versions: [0, 1],
  flexibleSince: 0,
  fields: { resourceTypes: array(int8(), { since: 1 }) },
});
export type ListConfigResourcesRequest = MessageOf<typeof listConfigResourcesRequest>;

export const listConfigResourcesResponse = response({
  name: 'ListConfigResources',
  apiKey: 74,
  versions: [0, 1],
  flexibleSince: 0,
  fields: {
    throttleTimeMs: int32(),
    errorCode: int16(),
    configResources: array({ resourceName: string(), resourceType: int8({ since: 1, ignorable: true, default: 16 }) }),
  },
});
export type ListConfigResourcesResponse = MessageOf<typeof listConfigResourcesResponse>;
