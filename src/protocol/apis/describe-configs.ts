// DescribeConfigs: v1 synonyms (KIP-226) · v3 types and documentation (KIP-569) · v4 flexible
// Pure.
import { array, bool, int8, int16, int32, type MessageOf, nullableArray, nullableString, request, response, string } from '../schema.ts';

export const describeConfigsRequest = request({
  name: 'DescribeConfigs',
  apiKey: 32,
  versions: [1, 4],
  flexibleSince: 4,
  fields: {
    resources: array({ resourceType: int8(), resourceName: string(), configurationKeys: nullableArray(string()) }),
    includeSynonyms: bool(),
    includeDocumentation: bool({ since: 3 }),
  },
});
export type DescribeConfigsRequest = MessageOf<typeof describeConfigsRequest>;

export const describeConfigsResponse = response({
  name: 'DescribeConfigs',
  apiKey: 32,
  versions: [1, 4],
  flexibleSince: 4,
  fields: {
    throttleTimeMs: int32(),
    results: array({
      errorCode: int16(),
      errorMessage: nullableString(),
      resourceType: int8(),
      resourceName: string(),
      configs: array({
        name: string(),
        value: nullableString(),
        readOnly: bool(),
        configSource: int8({ ignorable: true, default: -1 }),
        isSensitive: bool(),
        synonyms: array({ name: string(), value: nullableString(), source: int8() }, { ignorable: true }),
        configType: int8({ since: 3, ignorable: true }),
        documentation: nullableString({ since: 3, ignorable: true }),
      }),
    }),
  },
});
export type DescribeConfigsResponse = MessageOf<typeof describeConfigsResponse>;
