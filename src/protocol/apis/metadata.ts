// Metadata: v4 auto-creation on demand · v7 leader epochs (KIP-320) · v8 authorized operations (KIP-430) · v9 flexible · v10 topic ids (KIP-516) · v13 top-level error
// Pure.
import { array, bool, int16, int32, type MessageOf, nullableArray, nullableString, request, response, string, uuid } from '../schema.ts';

export const metadataRequest = request({
  name: 'Metadata',
  apiKey: 3,
  versions: [0, 13],
  flexibleSince: 9,
  fields: {
    topics: nullableArray(
      { topicId: uuid({ since: 10, ignorable: true }), name: nullableString({ nullableSince: 10 }) },
      { nullableSince: 1 },
    ),
    allowAutoTopicCreation: bool({ since: 4, default: true }),
    includeClusterAuthorizedOperations: bool({ since: 8, until: 10 }),
    includeTopicAuthorizedOperations: bool({ since: 8 }),
  },
});
export type MetadataRequest = MessageOf<typeof metadataRequest>;

export const metadataResponse = response({
  name: 'Metadata',
  apiKey: 3,
  versions: [0, 13],
  flexibleSince: 9,
  fields: {
    throttleTimeMs: int32({ since: 3, ignorable: true }),
    brokers: array({ nodeId: int32(), host: string(), port: int32(), rack: nullableString({ since: 1, ignorable: true, default: null }) }),
    clusterId: nullableString({ since: 2, ignorable: true, default: null }),
    controllerId: int32({ since: 1, ignorable: true, default: -1 }),
    topics: array({
      errorCode: int16(),
      name: nullableString({ nullableSince: 12 }),
      topicId: uuid({ since: 10, ignorable: true }),
      isInternal: bool({ since: 1, ignorable: true }),
      partitions: array({
        errorCode: int16(),
        partitionIndex: int32(),
        leaderId: int32(),
        leaderEpoch: int32({ since: 7, ignorable: true, default: -1 }),
        replicaNodes: array(int32()),
        isrNodes: array(int32()),
        offlineReplicas: array(int32(), { since: 5, ignorable: true }),
      }),
      topicAuthorizedOperations: int32({ since: 8, default: -2147483648 }),
    }),
    clusterAuthorizedOperations: int32({ since: 8, until: 10, default: -2147483648 }),
    errorCode: int16({ since: 13, ignorable: true }),
  },
});
export type MetadataResponse = MessageOf<typeof metadataResponse>;
