// DescribeClientQuotas: KIP-546 · v1 flexible
// Pure.
import {
  array,
  bool,
  float64,
  int8,
  int16,
  int32,
  type MessageOf,
  nullableArray,
  nullableString,
  request,
  response,
  string,
} from '../schema.ts';

export const describeClientQuotasRequest = request({
  name: 'DescribeClientQuotas',
  apiKey: 48,
  versions: [0, 1],
  flexibleSince: 1,
  fields: { components: array({ entityType: string(), matchType: int8(), match: nullableString() }), strict: bool() },
});
export type DescribeClientQuotasRequest = MessageOf<typeof describeClientQuotasRequest>;

export const describeClientQuotasResponse = response({
  name: 'DescribeClientQuotas',
  apiKey: 48,
  versions: [0, 1],
  flexibleSince: 1,
  fields: {
    throttleTimeMs: int32(),
    errorCode: int16(),
    errorMessage: nullableString(),
    entries: nullableArray({
      entity: array({ entityType: string(), entityName: nullableString() }),
      values: array({ key: string(), value: float64() }),
    }),
  },
});
export type DescribeClientQuotasResponse = MessageOf<typeof describeClientQuotasResponse>;
