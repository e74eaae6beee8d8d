// Request and response headers: which version of them an API's version uses, and the request header read in place.
// Pure. Not header version 0 of requests: only ControlledShutdown v0 had it. Source: the protocol guide, "Messages", and KIP-482.
import { type ByteReader, DecodeError } from '../base/byte-reader.ts';
import { isAscii } from '../base/byte-text.ts';
import { API } from './api-keys.ts';
import { apis } from './apis/index.ts';

/** The client id is at most this long; Kafka knows no limit but a string's, and each connection keeps one. */
const CLIENT_ID_BYTES_MAX = 1024;

/** What stands in front of every request's body. Reused: a decoder overwrites all fields. */
export interface RequestHeader {
  apiKey: number;
  apiVersion: number;
  correlationId: number;
  clientId: string | null;
}

/** By API key; Infinity where an API never was flexible or has no table. */
const flexibleSince: number[] = [];
for (const [apiKey, api] of apis) flexibleSince[apiKey] = api.request.flexibleSince;

/** Whether requests of this version have a header with a tag section (header version 2). */
export function isRequestFlexible(apiKey: number, apiVersion: number): boolean {
  return apiVersion >= (flexibleSince[apiKey] ?? Number.POSITIVE_INFINITY);
}

/** Whether responses do (header version 1). Those of ApiVersions never: a client reads them before it knows anything (KIP-511). */
export function isResponseHeaderFlexible(apiKey: number, apiVersion: number): boolean {
  return apiKey !== API.ApiVersions && isRequestFlexible(apiKey, apiVersion);
}

/** Length of a response's header in bytes: correlation id and, where flexible, an empty tag section. */
export function responseHeaderBytes(apiKey: number, apiVersion: number): number {
  return isResponseHeaderFlexible(apiKey, apiVersion) ? 5 : 4;
}

/** Key, version and correlation id alone: the part of a header that never changes. Throws DecodeError. */
export function decodeHeaderStart(reader: ByteReader, header: RequestHeader): void {
  header.apiKey = reader.int16();
  header.apiVersion = reader.int16();
  header.correlationId = reader.int32();
  header.clientId = null;
}

/**
 * The rest, for an API and version that are served; the reader then stands at the body. `known` is the connection's client id,
 * returned again while it is the same. Throws DecodeError.
 */
export function decodeHeaderRest(reader: ByteReader, header: RequestHeader, known: string | null = null): void {
  // The length is an int16 in flexible headers too, so that a broker can read those of versions that it does not know.
  const length = reader.int16();
  if (length < -1 || length > CLIENT_ID_BYTES_MAX) throw new DecodeError(`a client id of ${length} bytes`);
  if (length >= 0) {
    const isKnown = known !== null && length <= reader.remaining && isAscii(known, reader.bytes, reader.position, length);
    if (isKnown) reader.take(length);
    header.clientId = isKnown ? known : reader.utf8(length);
  }
  if (isRequestFlexible(header.apiKey, header.apiVersion)) reader.skipTags();
}
