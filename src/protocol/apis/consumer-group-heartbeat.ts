// ConsumerGroupHeartbeat (KIP-848): v1 regular expressions, the member makes its id (KIP-1082)
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

export const consumerGroupHeartbeatRequest = request({
  name: 'ConsumerGroupHeartbeat',
  apiKey: 68,
  versions: [0, 1],
  flexibleSince: 0,
  fields: {
    groupId: string(),
    memberId: string(),
    memberEpoch: int32(),
    instanceId: nullableString({ default: null }),
    rackId: nullableString({ default: null }),
    rebalanceTimeoutMs: int32({ default: -1 }),
    subscribedTopicNames: nullableArray(string(), { default: null }),
    subscribedTopicRegex: nullableString({ since: 1, default: null }),
    serverAssignor: nullableString({ default: null }),
    topicPartitions: nullableArray({ topicId: uuid(), partitions: array(int32()) }, { default: null }),
  },
});
export type ConsumerGroupHeartbeatRequest = MessageOf<typeof consumerGroupHeartbeatRequest>;

export const consumerGroupHeartbeatResponse = response({
  name: 'ConsumerGroupHeartbeat',
  apiKey: 68,
  versions: [0, 1],
  flexibleSince: 0,
  fields: {
    throttleTimeMs: int32(),
    errorCode: int16(),
    errorMessage: nullableString({ default: null }),
    memberId: nullableString({ default: null }),
    memberEpoch: int32(),
    heartbeatIntervalMs: int32(),
    assignment: nullableStruct({ topicPartitions: array({ topicId: uuid(), partitions: array(int32()) }) }, { default: null }),
  },
});
export type ConsumerGroupHeartbeatResponse = MessageOf<typeof consumerGroupHeartbeatResponse>;
