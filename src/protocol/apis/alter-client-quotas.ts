// AlterClientQuotas: KIP-546 · v1 flexible
// Pure.
import { array, bool, float64, int16, int32, type MessageOf, nullableString, request, response, string } from '../schema.ts';

export const alterClientQuotasRequest = request({
  name: 'AlterClientQuotas',
  apiKey: 49,
  versions: [0, 1],
  flexibleSince: 1,
  fields: {
    entries: array({
      entity: array({ entityType: string(), entityName: nullableString() }),
      ops: array({ key: string(), value: float64(), remove: bool() }),
    }),
    validateOnly: bool(),
  },
});
export type AlterClientQuotasRequest = MessageOf<typeof alterClientQuotasRequest>;

export const alterClientQuotasResponse = response({
  name: 'AlterClientQuotas',
  apiKey: 49,
  versions: [0, 1],
  flexibleSince: 1,
  fields: {
    throttleTimeMs: int32(),
    entries: array({
      errorCode: int16(),
      errorMessage: nullableString(),
      entity: array({ entityType: string(), entityName: nullableString() }),
    }),
  },
});
export type AlterClientQuotasResponse = MessageOf<typeof alterClientQuotasResponse>;
