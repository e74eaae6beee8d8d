// ShareAcknowledge: KIP-932 · v1 the first that is stable · v2 renewal of locks (KIP-1222)
// Pure.
import {
  array,
  bool,
  int8,
  int16,
  int32,
  int64,
  type MessageOf,
  nullableString,
  request,
  response,
  string,
  struct,
  uuid,
} from '../schema.ts';

export const shareAcknowledgeRequest = request({
  name: 'ShareAcknowledge',
  apiKey: 79,
  versions: [1, 2],
  flexibleSince: 0,
  fields: {
    groupId: nullableString({ default: null }),
    memberId: nullableString(),
    shareSessionEpoch: int32(),
    isRenewAck: bool({ since: 2 }),
    topics: array({
      topicId: uuid(),
      partitions: array({
        partitionIndex: int32(),
        acknowledgementBatches: array({ firstOffset: int64(), lastOffset: int64(), acknowledgeTypes: array(int8()) }),
      }),
    }),
  },
});
export type ShareAcknowledgeRequest = MessageOf<typeof shareAcknowledgeRequest>;

export const shareAcknowledgeResponse = response({
  name: 'ShareAcknowledge',
  apiKey: 79,
  versions: [1, 2],
  flexibleSince: 0,
  fields: {
    throttleTimeMs: int32(),
    errorCode: int16(),
    errorMessage: nullableString({ default: null }),
    acquisitionLockTimeoutMs: int32({ since: 2, ignorable: true }),
    responses: array({
      topicId: uuid(),
      partitions: array({
        partitionIndex: int32(),
        errorCode: int16(),
        errorMessage: nullableString({ default: null }),
        currentLeader: struct({ leaderId: int32(), leaderEpoch: int32() }),
      }),
    }),
    nodeEndpoints: array({ nodeId: int32(), host: string(), port: int32(), rack: nullableString({ default: null }) }),
  },
});
export type ShareAcknowledgeResponse = MessageOf<typeof shareAcknowledgeResponse>;
