// DescribeCluster: KIP-700 · v1 endpoint type (KIP-919) · v2 fenced brokers (KIP-1073)
// Pure.
import { array, bool, int8, int16, int32, type MessageOf, nullableString, request, response, string } from '../schema.ts';

export const describeClusterRequest = request({
  name: 'DescribeCluster',
  apiKey: 60,
  versions: [0, 2],
  flexibleSince: 0,
  fields: {
    includeClusterAuthorizedOperations: bool(),
    endpointType: int8({ since: 1, default: 1 }),
    includeFencedBrokers: bool({ since: 2 }),
  },
});
export type DescribeClusterRequest = MessageOf<typeof describeClusterRequest>;

export const describeClusterResponse = response({
  name: 'DescribeCluster',
  apiKey: 60,
  versions: [0, 2],
  flexibleSince: 0,
  fields: {
    throttleTimeMs: int32(),
    errorCode: int16(),
    errorMessage: nullableString({ default: null }),
    endpointType: int8({ since: 1, default: 1 }),
    clusterId: string(),
    controllerId: int32({ default: -1 }),
    brokers: array({
      brokerId: int32(),
      host: string(),
      port: int32(),
      rack: nullableString({ default: null }),
      isFenced: bool({ since: 2 }),
    }),
    clusterAuthorizedOperations: int32({ default: -2147483648 }),
  },
});
export type DescribeClusterResponse = MessageOf<typeof describeClusterResponse>;
