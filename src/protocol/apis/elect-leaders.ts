// ElectLeaders: KIP-183 · v1 kinds of elections, error of the whole (KIP-460) · v2 flexible
// Pure.
import { array, int8, int16, int32, type MessageOf, nullableArray, nullableString, request, response, string } from '../schema.ts';

export const electLeadersRequest = request({
  name: 'ElectLeaders',
  apiKey: 43,
  versions: [0, 2],
  flexibleSince: 2,
  fields: {
    electionType: int8({ since: 1 }),
    topicPartitions: nullableArray({ topic: string(), partitions: array(int32()) }),
    timeoutMs: int32({ default: 60000 }),
  },
});
export type ElectLeadersRequest = MessageOf<typeof electLeadersRequest>;

export const electLeadersResponse = response({
  name: 'ElectLeaders',
  apiKey: 43,
  versions: [0, 2],
  flexibleSince: 2,
  fields: {
    throttleTimeMs: int32(),
    errorCode: int16({ since: 1 }),
    replicaElectionResults: array({
      topic: string(),
      partitionResult: array({ partitionId: int32(), errorCode: int16(), errorMessage: nullableString() }),
    }),
  },
});
export type ElectLeadersResponse = MessageOf<typeof electLeadersResponse>;
