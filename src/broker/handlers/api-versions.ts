// ApiVersions: what is served, as the handler table says. The first question of every client, so its answers must never depend on
// anything that can be missing, and a version that we do not know is answered too.
// Source: KIP-35, KIP-511, KIP-584.

import { SUPPORTED_FEATURES } from '../../metadata/bootstrap.ts';
import type { ClusterImage } from '../../metadata/image.ts';
import { API } from '../../protocol/api-keys.ts';
import { apiVersionsRequest, apiVersionsResponse } from '../../protocol/apis/api-versions.ts';
import { ERROR } from '../../protocol/errors.ts';
import { answer, answerEncoded, decodeBody, encoded, type Handler } from './handler.ts';

/** Versions that are advertised for an API. */
export interface ApiRange {
  readonly apiKey: number;
  readonly minVersion: number;
  readonly maxVersion: number;
}

/** KIP-511: what a client may call itself. */
const SOFTWARE_NAME = /^[a-zA-Z0-9](?:[a-zA-Z0-9\-.]*[a-zA-Z0-9])?$/;
/** From here on a client says what it is, and hears of features. */
const FEATURES_SINCE = 3;
/** Versions before 4 cannot read a feature whose lowest version is 0. */
const ZERO_FEATURES_SINCE = 4;

/** An answer in one version, as it leaves, and the end of the metadata log that it was made at. */
interface KeptAnswer {
  readonly bytes: Buffer;
  readonly endOffset: number;
}

export function apiVersionsHandler(ranges: readonly ApiRange[], image: ClusterImage): Handler {
  const own = ranges.find((range) => range.apiKey === API.ApiVersions);
  // Made once: the rows are most of the answer, and every client asks.
  const apiKeys = ranges.map((range) => ({ ...range }));
  const features = SUPPORTED_FEATURES.map(({ name, minSupportedVersion, maxSupportedVersion }) => ({
    name,
    minVersion: minSupportedVersion,
    maxVersion: maxSupportedVersion,
  }));
  const featuresAboveZero = features.filter(({ minVersion }) => minVersion > 0);
  const empty = { finalizedFeaturesEpoch: -1, finalizedFeatures: [], supportedFeatures: [], zkMigrationReady: false, throttleTimeMs: 0 };
  // By version. All clients are told the same until the metadata changes, and before version 3 for ever: encoding it anew for each took
  // 1 of some 16 µs.
  const kept: KeptAnswer[] = [];

  function answerIn(version: number): Buffer {
    const { endOffset } = image;
    const last = kept[version];
    if (last !== undefined && (last.endOffset === endOffset || version < FEATURES_SINCE)) return last.bytes;
    const bytes = encoded(apiVersionsResponse, version, {
      ...empty,
      errorCode: ERROR.NONE,
      apiKeys,
      supportedFeatures: version >= ZERO_FEATURES_SINCE ? features : featuresAboveZero,
      finalizedFeaturesEpoch: Math.max(endOffset - 1, 0),
      finalizedFeatures: finalizedOf(image),
    });
    kept[version] = { bytes, endOffset };
    return bytes;
  }

  return (request) => {
    const { apiVersion } = request;
    if (own === undefined || apiVersion < own.minVersion || apiVersion > own.maxVersion) {
      // The client reads version 0 of this answer whatever it asked for, and asks again with a version from the row.
      const row = own === undefined ? [] : [{ ...own }];
      answer(request, apiVersionsResponse, { ...empty, errorCode: ERROR.UNSUPPORTED_VERSION, apiKeys: row }, 0);
      return true;
    }
    const { clientSoftwareName, clientSoftwareVersion } = decodeBody(request, apiVersionsRequest);
    if (apiVersion >= FEATURES_SINCE) {
      if (!(SOFTWARE_NAME.test(clientSoftwareName) && SOFTWARE_NAME.test(clientSoftwareVersion))) {
        answer(request, apiVersionsResponse, { ...empty, errorCode: ERROR.INVALID_REQUEST, apiKeys: [] });
        return true;
      }
      request.connection.clientSoftwareName = clientSoftwareName;
      request.connection.clientSoftwareVersion = clientSoftwareVersion;
    }
    answerEncoded(request, answerIn(apiVersion));
    return true;
  };
}

/** The level of kraft.version stands in no record of its own. */
function finalizedOf({ features, kraftVersion }: ClusterImage): { name: string; minVersionLevel: number; maxVersionLevel: number }[] {
  const levels = kraftVersion > 0 ? new Map(features).set('kraft.version', kraftVersion) : features;
  return Array.from(levels, ([name, level]) => ({ name, minVersionLevel: level, maxVersionLevel: level }));
}
