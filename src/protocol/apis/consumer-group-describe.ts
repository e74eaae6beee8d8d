// ConsumerGroupDescribe (KIP-848): v1 member type (KIP-1099)
// Pure.
import { array, bool, int8, int16, int32, type MessageOf, nullableString, request, response, string, struct, uuid } from '../schema.ts';

export const consumerGroupDescribeRequest = request({
  name: 'ConsumerGroupDescribe',
  apiKey: 69,
  versions: [0, 1],
  flexibleSince: 0,
  fields: { groupIds: array(string()), includeAuthorizedOperations: bool() },
});
export type ConsumerGroupDescribeRequest = MessageOf<typeof consumerGroupDescribeRequest>;

export const consumerGroupDescribeResponse = response({
  name: 'ConsumerGroupDescribe',
  apiKey: 69,
  versions: [0, 1],
  flexibleSince: 0,
  fields: {
    throttleTimeMs: int32(),
    groups: array({
      errorCode: int16(),
      errorMessage: nullableString({ default: null }),
      groupId: string(),
      groupState: string(),
      groupEpoch: int32(),
      assignmentEpoch: int32(),
      assignorName: string(),
      members: array({
        memberId: string(),
        instanceId: nullableString({ default: null }),
        rackId: nullableString({ default: null }),
        memberEpoch: int32(),
        clientId: string(),
        clientHost: string(),
        subscribedTopicNames: array(string()),
        subscribedTopicRegex: nullableString({ default: null }),
        assignment: struct({ topicPartitions: array({ topicId: uuid(), topicName: string(), partitions: array(int32()) }) }),
        targetAssignment: struct({ topicPartitions: array({ topicId: uuid(), topicName: string(), partitions: array(int32()) }) }),
        memberType: int8({ since: 1, ignorable: true, default: -1 }),
      }),
      authorizedOperations: int32({ default: -2147483648 }),
    }),
  },
});
export type ConsumerGroupDescribeResponse = MessageOf<typeof consumerGroupDescribeResponse>;
