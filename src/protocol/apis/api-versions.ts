// ApiVersions: v3 flexible, client software name (KIP-511) · v4 supported features from 0 (KIP-584) · v5 cluster and node id (KIP-1242). Its response header is never flexible.
// Pure.
import { array, bool, int16, int32, int64, type MessageOf, nullableString, request, response, string } from '../schema.ts';

export const apiVersionsRequest = request({
  name: 'ApiVersions',
  apiKey: 18,
  versions: [0, 5],
  flexibleSince: 3,
  fields: {
    clientSoftwareName: string({ since: 3, ignorable: true }),
    clientSoftwareVersion: string({ since: 3, ignorable: true }),
    clusterId: nullableString({ since: 5, ignorable: true, default: null }),
    nodeId: int32({ since: 5, ignorable: true, default: -1 }),
  },
});
export type ApiVersionsRequest = MessageOf<typeof apiVersionsRequest>;

export const apiVersionsResponse = response({
  name: 'ApiVersions',
  apiKey: 18,
  versions: [0, 5],
  flexibleSince: 3,
  fields: {
    errorCode: int16(),
    apiKeys: array({ apiKey: int16(), minVersion: int16(), maxVersion: int16() }),
    throttleTimeMs: int32({ since: 1, ignorable: true }),
    supportedFeatures: array(
      { name: string({ since: 3 }), minVersion: int16({ since: 3 }), maxVersion: int16({ since: 3 }) },
      { since: 3, tag: 0, ignorable: true },
    ),
    finalizedFeaturesEpoch: int64({ since: 3, tag: 1, ignorable: true, default: -1 }),
    finalizedFeatures: array(
      { name: string({ since: 3 }), maxVersionLevel: int16({ since: 3 }), minVersionLevel: int16({ since: 3 }) },
      { since: 3, tag: 2, ignorable: true },
    ),
    zkMigrationReady: bool({ since: 3, tag: 3, ignorable: true }),
  },
});
export type ApiVersionsResponse = MessageOf<typeof apiVersionsResponse>;
