// IncrementalAlterConfigs (KIP-339): single keys set, deleted, appended to, subtracted from. v1 flexible
// Pure.
import { array, bool, int8, int16, int32, type MessageOf, nullableString, request, response, string } from '../schema.ts';

export const incrementalAlterConfigsRequest = request({
  name: 'IncrementalAlterConfigs',
  apiKey: 44,
  versions: [0, 1],
  flexibleSince: 1,
  fields: {
    resources: array({
      resourceType: int8(),
      resourceName: string(),
      configs: array({ name: string(), configOperation: int8(), value: nullableString() }),
    }),
    validateOnly: bool(),
  },
});
export type IncrementalAlterConfigsRequest = MessageOf<typeof incrementalAlterConfigsRequest>;

export const incrementalAlterConfigsResponse = response({
  name: 'IncrementalAlterConfigs',
  apiKey: 44,
  versions: [0, 1],
  flexibleSince: 1,
  fields: {
    throttleTimeMs: int32(),
    responses: array({ errorCode: int16(), errorMessage: nullableString(), resourceType: int8(), resourceName: string() }),
  },
});
export type IncrementalAlterConfigsResponse = MessageOf<typeof incrementalAlterConfigsResponse>;
