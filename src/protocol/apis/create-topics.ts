// CreateTopics: v1 validateOnly · v4 broker defaults (KIP-464) · v5 flexible, resulting configs (KIP-525) · v7 topic ids (KIP-516)
// Pure.
import {
  array,
  bool,
  int8,
  int16,
  int32,
  type MessageOf,
  nullableArray,
  nullableString,
  request,
  response,
  string,
  uuid,
} from '../schema.ts';

export const createTopicsRequest = request({
  name: 'CreateTopics',
  apiKey: 19,
  versions: [2, 7],
  flexibleSince: 5,
  fields: {
    topics: array({
      name: string(),
      numPartitions: int32(),
      replicationFactor: int16(),
      assignments: array({ partitionIndex: int32(), brokerIds: array(int32()) }),
      configs: array({ name: string(), value: nullableString() }),
    }),
    timeoutMs: int32({ default: 60000 }),
    validateOnly: bool(),
  },
});
export type CreateTopicsRequest = MessageOf<typeof createTopicsRequest>;

export const createTopicsResponse = response({
  name: 'CreateTopics',
  apiKey: 19,
  versions: [2, 7],
  flexibleSince: 5,
  fields: {
    throttleTimeMs: int32({ ignorable: true }),
    topics: array({
      name: string(),
      topicId: uuid({ since: 7, ignorable: true }),
      errorCode: int16(),
      errorMessage: nullableString({ ignorable: true }),
      topicConfigErrorCode: int16({ since: 5, tag: 0, ignorable: true }),
      numPartitions: int32({ since: 5, ignorable: true, default: -1 }),
      replicationFactor: int16({ since: 5, ignorable: true, default: -1 }),
      configs: nullableArray(
        {
          name: string({ since: 5 }),
          value: nullableString({ since: 5 }),
          readOnly: bool({ since: 5 }),
          configSource: int8({ since: 5, ignorable: true, default: -1 }),
          isSensitive: bool({ since: 5 }),
        },
        { since: 5, ignorable: true },
      ),
    }),
  },
});
export type CreateTopicsResponse = MessageOf<typeof createTopicsResponse>;
