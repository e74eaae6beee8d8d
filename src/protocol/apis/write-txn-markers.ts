// WriteTxnMarkers: KIP-98 · v1 flexible · v2 transaction version (KIP-1228)
// Pure.
import { array, bool, int8, int16, int32, int64, type MessageOf, request, response, string } from '../schema.ts';

export const writeTxnMarkersRequest = request({
  name: 'WriteTxnMarkers',
  apiKey: 27,
  versions: [1, 2],
  flexibleSince: 1,
  fields: {
    markers: array({
      producerId: int64(),
      producerEpoch: int16(),
      transactionResult: bool(),
      topics: array({ name: string(), partitionIndexes: array(int32()) }),
      coordinatorEpoch: int32(),
      transactionVersion: int8({ since: 2, ignorable: true }),
    }),
  },
});
export type WriteTxnMarkersRequest = MessageOf<typeof writeTxnMarkersRequest>;

export const writeTxnMarkersResponse = response({
  name: 'WriteTxnMarkers',
  apiKey: 27,
  versions: [1, 2],
  flexibleSince: 1,
  fields: {
    markers: array({
      producerId: int64(),
      topics: array({ name: string(), partitions: array({ partitionIndex: int32(), errorCode: int16() }) }),
    }),
  },
});
export type WriteTxnMarkersResponse = MessageOf<typeof writeTxnMarkersResponse>;
