// FindCoordinator: v1 key type (transactions) · v3 flexible · v4 several keys (KIP-699) · v5 transactions V2 errors (KIP-890) · v6 share groups (KIP-932)
// Pure.
import { array, int8, int16, int32, type MessageOf, nullableString, request, response, string } from '../schema.ts';

export const findCoordinatorRequest = request({
  name: 'FindCoordinator',
  apiKey: 10,
  versions: [0, 6],
  flexibleSince: 3,
  fields: { key: string({ until: 3 }), keyType: int8({ since: 1 }), coordinatorKeys: array(string(), { since: 4 }) },
});
export type FindCoordinatorRequest = MessageOf<typeof findCoordinatorRequest>;

export const findCoordinatorResponse = response({
  name: 'FindCoordinator',
  apiKey: 10,
  versions: [0, 6],
  flexibleSince: 3,
  fields: {
    throttleTimeMs: int32({ since: 1, ignorable: true }),
    errorCode: int16({ until: 3 }),
    errorMessage: nullableString({ since: 1, until: 3, ignorable: true }),
    nodeId: int32({ until: 3 }),
    host: string({ until: 3 }),
    port: int32({ until: 3 }),
    coordinators: array(
      {
        key: string({ since: 4 }),
        nodeId: int32({ since: 4 }),
        host: string({ since: 4 }),
        port: int32({ since: 4 }),
        errorCode: int16({ since: 4 }),
        errorMessage: nullableString({ since: 4, ignorable: true }),
      },
      { since: 4 },
    ),
  },
});
export type FindCoordinatorResponse = MessageOf<typeof findCoordinatorResponse>;
