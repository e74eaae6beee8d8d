// ShareFetch: KIP-932 · v1 the first that is stable · v2 how records are acquired (KIP-1206), renewal of locks (KIP-1222)
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
  records,
  request,
  response,
  string,
  struct,
  uuid,
} from '../schema.ts';

export const shareFetchRequest = request({
  name: 'ShareFetch',
  apiKey: 78,
  versions: [1, 2],
  flexibleSince: 0,
  fields: {
    groupId: nullableString({ default: null }),
    memberId: nullableString(),
    shareSessionEpoch: int32(),
    maxWaitMs: int32(),
    minBytes: int32(),
    maxBytes: int32({ default: 0x7fffffff }),
    maxRecords: int32(),
    batchSize: int32(),
    shareAcquireMode: int8({ since: 2, ignorable: true }),
    isRenewAck: bool({ since: 2 }),
    topics: array({
      topicId: uuid(),
      partitions: array({
        partitionIndex: int32(),
        partitionMaxBytes: int32({ until: 0 }),
        acknowledgementBatches: array({ firstOffset: int64(), lastOffset: int64(), acknowledgeTypes: array(int8()) }),
      }),
    }),
    forgottenTopicsData: array({ topicId: uuid(), partitions: array(int32()) }),
  },
});
export type ShareFetchRequest = MessageOf<typeof shareFetchRequest>;

export const shareFetchResponse = response({
  name: 'ShareFetch',
  apiKey: 78,
  versions: [1, 2],
  flexibleSince: 0,
  fields: {
    throttleTimeMs: int32(),
    errorCode: int16(),
    errorMessage: nullableString({ default: null }),
    acquisitionLockTimeoutMs: int32(),
    responses: array({
      topicId: uuid(),
      partitions: array({
        partitionIndex: int32(),
        errorCode: int16(),
        errorMessage: nullableString({ default: null }),
        acknowledgeErrorCode: int16(),
        acknowledgeErrorMessage: nullableString({ default: null }),
        currentLeader: struct({ leaderId: int32(), leaderEpoch: int32() }),
        records: records(),
        acquiredRecords: array({ firstOffset: int64(), lastOffset: int64(), deliveryCount: int16() }),
      }),
    }),
    nodeEndpoints: array({ nodeId: int32(), host: string(), port: int32(), rack: nullableString({ default: null }) }),
  },
});
export type ShareFetchResponse = MessageOf<typeof shareFetchResponse>;
