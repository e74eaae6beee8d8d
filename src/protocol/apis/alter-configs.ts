// AlterConfigs: all of a resource's own configuration at once; what is not named is taken away. v2 flexible
// Pure. Changes one by one: incremental-alter-configs.ts.
import { array, bool, int8, int16, int32, type MessageOf, nullableString, request, response, string } from '../schema.ts';

export const alterConfigsRequest = request({
  name: 'AlterConfigs',
  apiKey: 33,
  versions: [0, 2],
  flexibleSince: 2,
  fields: {
    resources: array({
      resourceType: int8(),
      resourceName: string(),
      configs: array({ name: string(), value: nullableString() }),
    }),
    validateOnly: bool(),
  },
});
export type AlterConfigsRequest = MessageOf<typeof alterConfigsRequest>;

export const alterConfigsResponse = response({
  name: 'AlterConfigs',
  apiKey: 33,
  versions: [0, 2],
  flexibleSince: 2,
  fields: {
    throttleTimeMs: int32(),
    responses: array({ errorCode: int16(), errorMessage: nullableString(), resourceType: int8(), resourceName: string() }),
  },
});
export type AlterConfigsResponse = MessageOf<typeof alterConfigsResponse>;
