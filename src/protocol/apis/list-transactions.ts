// ListTransactions: KIP-664 · v1 those that run for long (KIP-994) · v2 by a pattern of ids (KIP-1152)
// Pure.
import { array, int16, int32, int64, type MessageOf, nullableString, request, response, string } from '../schema.ts';

export const listTransactionsRequest = request({
  name: 'ListTransactions',
  apiKey: 66,
  versions: [0, 2],
  flexibleSince: 0,
  fields: {
    stateFilters: array(string()),
    producerIdFilters: array(int64()),
    durationFilter: int64({ since: 1, default: -1 }),
    transactionalIdPattern: nullableString({ since: 2, default: null }),
  },
});
export type ListTransactionsRequest = MessageOf<typeof listTransactionsRequest>;

export const listTransactionsResponse = response({
  name: 'ListTransactions',
  apiKey: 66,
  versions: [0, 2],
  flexibleSince: 0,
  fields: {
    throttleTimeMs: int32(),
    errorCode: int16(),
    unknownStateFilters: array(string()),
    transactionStates: array({ transactionalId: string(), producerId: int64(), transactionState: string() }),
  },
});
export type ListTransactionsResponse = MessageOf<typeof listTransactionsResponse>;
