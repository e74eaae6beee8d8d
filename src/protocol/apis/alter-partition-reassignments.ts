// AlterPartitionReassignments: KIP-455 · v1 whether the replication factor may change
// Pure.
import { array, bool, int16, int32, type MessageOf, nullableArray, nullableString, request, response, string } from '../schema.ts';

export const alterPartitionReassignmentsRequest = request({
  name: 'AlterPartitionReassignments',
  apiKey: 45,
  versions: [0, 1],
  flexibleSince: 0,
  fields: {
    timeoutMs: int32({ default: 60000 }),
    allowReplicationFactorChange: bool({ since: 1, default: true }),
    topics: array({ name: string(), partitions: array({ partitionIndex: int32(), replicas: nullableArray(int32(), { default: null }) }) }),
  },
});
export type AlterPartitionReassignmentsRequest = MessageOf<typeof alterPartitionReassignmentsRequest>;

export const alterPartitionReassignmentsResponse = response({
  name: 'AlterPartitionReassignments',
  apiKey: 45,
  versions: [0, 1],
  flexibleSince: 0,
  fields: {
    throttleTimeMs: int32(),
    allowReplicationFactorChange: bool({ since: 1, ignorable: true, default: true }),
    errorCode: int16(),
    errorMessage: nullableString(),
    responses: array({
      name: string(),
      partitions: array({ partitionIndex: int32(), errorCode: int16(), errorMessage: nullableString() }),
    }),
  },
});
export type AlterPartitionReassignmentsResponse = MessageOf<typeof alterPartitionReassignmentsResponse>;
