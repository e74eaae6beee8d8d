// AlterReplicaLogDirs: KIP-113 · v1 the oldest since Kafka 4.0 · v2 flexible
// Pure.
import { array, int16, int32, type MessageOf, request, response, string } from '../schema.ts';

export const alterReplicaLogDirsRequest = request({
  name: 'AlterReplicaLogDirs',
  apiKey: 34,
  versions: [1, 2],
  flexibleSince: 2,
  fields: { dirs: array({ path: string(), topics: array({ name: string(), partitions: array(int32()) }) }) },
});
export type AlterReplicaLogDirsRequest = MessageOf<typeof alterReplicaLogDirsRequest>;

export const alterReplicaLogDirsResponse = response({
  name: 'AlterReplicaLogDirs',
  apiKey: 34,
  versions: [1, 2],
  flexibleSince: 2,
  fields: {
    throttleTimeMs: int32(),
    results: array({ topicName: string(), partitions: array({ partitionIndex: int32(), errorCode: int16() }) }),
  },
});
export type AlterReplicaLogDirsResponse = MessageOf<typeof alterReplicaLogDirsResponse>;
