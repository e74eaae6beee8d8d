// ShareGroupHeartbeat: KIP-932 · v1 the first that is stable
// Pure.
import {
  array,
  int16,
  int32,
  type MessageOf,
  nullableArray,
  nullableString,
  nullableStruct,
  request,
  response,
  string,
  uuid,
} from '../schema.ts';

export const shareGroupHeartbeatRequest = request({
  name: 'ShareGroupHeartbeat',
  apiKey: 76,
  versions: [1, 1],
  flexibleSince: 0,
  fields: {
    groupId: string(),
    memberId: string(),
    memberEpoch: int32(),
    rackId: nullableString({ default: null }),
    subscribedTopicNames: nullableArray(string(), { default: null }),
  },
});
export type ShareGroupHeartbeatRequest = MessageOf<typeof shareGroupHeartbeatRequest>;

export const shareGroupHeartbeatResponse = response({
  name: 'ShareGroupHeartbeat',
  apiKey: 76,
  versions: [1, 1],
  flexibleSince: 0,
  fields: {
    throttleTimeMs: int32(),
    errorCode: int16(),
    errorMessage: nullableString({ default: null }),
    memberId: nullableString({ default: null }),
    memberEpoch: int32(),
    heartbeatIntervalMs: int32(),
    assignment: nullableStruct({ topicPartitions: array({ topicId: uuid(), partitions: array(int32()) }) }),
  },
});
export type ShareGroupHeartbeatResponse = MessageOf<typeof shareGroupHeartbeatResponse>;
