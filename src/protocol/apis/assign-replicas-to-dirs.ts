// AssignReplicasToDirs: KIP-858
// Pure.
import { array, int16, int32, int64, type MessageOf, request, response, uuid } from '../schema.ts';

export const assignReplicasToDirsRequest = request({
  name: 'AssignReplicasToDirs',
  apiKey: 73,
  versions: [0, 0],
  flexibleSince: 0,
  fields: {
    brokerId: int32(),
    brokerEpoch: int64({ default: -1 }),
    directories: array({ id: uuid(), topics: array({ topicId: uuid(), partitions: array({ partitionIndex: int32() }) }) }),
  },
});
export type AssignReplicasToDirsRequest = MessageOf<typeof assignReplicasToDirsRequest>;

export const assignReplicasToDirsResponse = response({
  name: 'AssignReplicasToDirs',
  apiKey: 73,
  versions: [0, 0],
  flexibleSince: 0,
  fields: {
    throttleTimeMs: int32(),
    errorCode: int16(),
    directories: array({
      id: uuid(),
      topics: array({ topicId: uuid(), partitions: array({ partitionIndex: int32(), errorCode: int16() }) }),
    }),
  },
});
export type AssignReplicasToDirsResponse = MessageOf<typeof assignReplicasToDirsResponse>;
