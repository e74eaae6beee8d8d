// ShareGroupDescribe: KIP-932 · v1 the first that is stable
// Pure.
import { array, bool, int16, int32, type MessageOf, nullableString, request, response, string, struct, uuid } from '../schema.ts';

export const shareGroupDescribeRequest = request({
  name: 'ShareGroupDescribe',
  apiKey: 77,
  versions: [1, 1],
  flexibleSince: 0,
  fields: { groupIds: array(string()), includeAuthorizedOperations: bool() },
});
export type ShareGroupDescribeRequest = MessageOf<typeof shareGroupDescribeRequest>;

export const shareGroupDescribeResponse = response({
  name: 'ShareGroupDescribe',
  apiKey: 77,
  versions: [1, 1],
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
        rackId: nullableString({ default: null }),
        memberEpoch: int32(),
        clientId: string(),
        clientHost: string(),
        subscribedTopicNames: array(string()),
        assignment: struct({ topicPartitions: array({ topicId: uuid(), topicName: string(), partitions: array(int32()) }) }),
      }),
      authorizedOperations: int32({ default: -2147483648 }),
    }),
  },
});
export type ShareGroupDescribeResponse = MessageOf<typeof shareGroupDescribeResponse>;
