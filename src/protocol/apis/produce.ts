// Produce: v3 record batches v2 · v8 record errors (KIP-467) · v9 flexible · v10 current leader (KIP-951) · v13 topic ids (KIP-516)
// Pure.
import {
  array,
  int16,
  int32,
  int64,
  type MessageOf,
  nullableRecords,
  nullableString,
  request,
  response,
  string,
  struct,
  uuid,
} from '../schema.ts';

export const produceRequest = request({
  name: 'Produce',
  apiKey: 0,
  versions: [3, 13],
  flexibleSince: 9,
  fields: {
    transactionalId: nullableString({ default: null }),
    acks: int16(),
    timeoutMs: int32(),
    topicData: array({
      name: string({ until: 12, ignorable: true }),
      topicId: uuid({ since: 13, ignorable: true }),
      partitionData: array({ index: int32(), records: nullableRecords() }),
    }),
  },
});
export type ProduceRequest = MessageOf<typeof produceRequest>;

export const produceResponse = response({
  name: 'Produce',
  apiKey: 0,
  versions: [3, 13],
  flexibleSince: 9,
  fields: {
    responses: array({
      name: string({ until: 12, ignorable: true }),
      topicId: uuid({ since: 13, ignorable: true }),
      partitionResponses: array({
        index: int32(),
        errorCode: int16(),
        baseOffset: int64(),
        logAppendTimeMs: int64({ ignorable: true, default: -1 }),
        logStartOffset: int64({ since: 5, ignorable: true, default: -1 }),
        recordErrors: array(
          { batchIndex: int32({ since: 8 }), batchIndexErrorMessage: nullableString({ since: 8, default: null }) },
          { since: 8, ignorable: true },
        ),
        errorMessage: nullableString({ since: 8, ignorable: true, default: null }),
        currentLeader: struct(
          { leaderId: int32({ since: 10, default: -1 }), leaderEpoch: int32({ since: 10, default: -1 }) },
          { since: 10, tag: 0 },
        ),
      }),
    }),
    throttleTimeMs: int32({ ignorable: true }),
    nodeEndpoints: array(
      {
        nodeId: int32({ since: 10 }),
        host: string({ since: 10 }),
        port: int32({ since: 10 }),
        rack: nullableString({ since: 10, default: null }),
      },
      { since: 10, tag: 0 },
    ),
  },
});
export type ProduceResponse = MessageOf<typeof produceResponse>;
