// UpdateFeatures: KIP-584 · v1 kinds of upgrades, validateOnly (KIP-778) · v2 no results by feature
// Pure.
import { array, bool, int8, int16, int32, type MessageOf, nullableString, request, response, string } from '../schema.ts';

export const updateFeaturesRequest = request({
  name: 'UpdateFeatures',
  apiKey: 57,
  versions: [0, 2],
  flexibleSince: 0,
  fields: {
    timeoutMs: int32({ default: 60000 }),
    featureUpdates: array({
      feature: string(),
      maxVersionLevel: int16(),
      allowDowngrade: bool({ until: 0 }),
      upgradeType: int8({ since: 1, default: 1 }),
    }),
    validateOnly: bool({ since: 1 }),
  },
});
export type UpdateFeaturesRequest = MessageOf<typeof updateFeaturesRequest>;

export const updateFeaturesResponse = response({
  name: 'UpdateFeatures',
  apiKey: 57,
  versions: [0, 2],
  flexibleSince: 0,
  fields: {
    throttleTimeMs: int32(),
    errorCode: int16(),
    errorMessage: nullableString(),
    results: array({ feature: string(), errorCode: int16(), errorMessage: nullableString() }, { until: 1, ignorable: true }),
  },
});
export type UpdateFeaturesResponse = MessageOf<typeof updateFeaturesResponse>;
