// DeleteTopics: v4 flexible · v5 error messages · v6 by topic id (KIP-516)
// Pure.
import { array, int16, int32, type MessageOf, nullableString, request, response, string, uuid } from '../schema.ts';

export const deleteTopicsRequest = request({
  name: 'DeleteTopics',
  apiKey: 20,
  versions: [1, 6],
  flexibleSince: 4,
  fields: {
    topics: array({ name: nullableString({ since: 6, default: null }), topicId: uuid({ since: 6 }) }, { since: 6 }),
    topicNames: array(string(), { until: 5, ignorable: true }),
    timeoutMs: int32(),
  },
});
export type DeleteTopicsRequest = MessageOf<typeof deleteTopicsRequest>;

export const deleteTopicsResponse = response({
  name: 'DeleteTopics',
  apiKey: 20,
  versions: [1, 6],
  flexibleSince: 4,
  fields: {
    throttleTimeMs: int32({ ignorable: true }),
    responses: array({
      name: nullableString({ nullableSince: 6 }),
      topicId: uuid({ since: 6, ignorable: true }),
      errorCode: int16(),
      errorMessage: nullableString({ since: 5, ignorable: true, default: null }),
    }),
  },
});
export type DeleteTopicsResponse = MessageOf<typeof deleteTopicsResponse>;
