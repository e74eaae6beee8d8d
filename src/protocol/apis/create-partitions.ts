// CreatePartitions: KIP-195 · v1 as v0 · v2 flexible · v3 THROTTLING_QUOTA_EXCEEDED (KIP-599)
// Pure.
import { array, bool, int16, int32, type MessageOf, nullableArray, nullableString, request, response, string } from '../schema.ts';

export const createPartitionsRequest = request({
  name: 'CreatePartitions',
  apiKey: 37,
  versions: [0, 3],
  flexibleSince: 2,
  fields: {
    topics: array({ name: string(), count: int32(), assignments: nullableArray({ brokerIds: array(int32()) }) }),
    timeoutMs: int32(),
    validateOnly: bool(),
  },
});
export type CreatePartitionsRequest = MessageOf<typeof createPartitionsRequest>;

export const createPartitionsResponse = response({
  name: 'CreatePartitions',
  apiKey: 37,
  versions: [0, 3],
  flexibleSince: 2,
  fields: {
    throttleTimeMs: int32(),
    results: array({ name: string(), errorCode: int16(), errorMessage: nullableString({ default: null }) }),
  },
});
export type CreatePartitionsResponse = MessageOf<typeof createPartitionsResponse>;
