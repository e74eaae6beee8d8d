// ListPartitionReassignments: KIP-455
// Pure.
import { array, int16, int32, type MessageOf, nullableArray, nullableString, request, response, string } from '../schema.ts';

export const listPartitionReassignmentsRequest = request({
  name: 'ListPartitionReassignments',
  apiKey: 46,
  versions: [0, 0],
  flexibleSince: 0,
  fields: {
    timeoutMs: int32({ default: 60000 }),
    topics: nullableArray({ name: string(), partitionIndexes: array(int32()) }, { default: null }),
  },
});
export type ListPartitionReassignmentsRequest = MessageOf<typeof listPartitionReassignmentsRequest>;

export const listPartitionReassignmentsResponse = response({
  name: 'ListPartitionReassignments',
  apiKey: 46,
  versions: [0, 0],
  flexibleSince: 0,
  fields: {
    throttleTimeMs: int32(),
    errorCode: int16(),
    errorMessage: nullableString(),
    topics: array({
      name: string(),
      partitions: array({
        partitionIndex: int32(),
        replicas: array(int32()),
        addingReplicas: array(int32()),
        removingReplicas: array(int32()),
      }),
    }),
  },
});
export type ListPartitionReassignmentsResponse = MessageOf<typeof listPartitionReassignmentsResponse>;
