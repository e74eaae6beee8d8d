// Request and response headers: which version of them an API's version uses, and the request header read in place.
// Pure. Source: the protocol guide, "Messages" and KIP-482.
import { type ByteReader, DecodeError } from '../base/byte-reader.ts';
import { API } from './api-keys.ts';
import { apis } from './apis/index.ts';

/** The client id is at most this long; Kafka knows no limit, and we keep one per connection. */
const CLIENT_ID_BYTES_MAX = 1024;

/** What stands in front of every request's body. Reused: a decoder overwrites all fields. */
export interface RequestHeader {
  apiKey: number;
  apiVersion: number;
  correlationId: number;
  clientId: string | null;
}

/** Whether requests of this version have a header with a tag section (header version 2). */
export function isRequestFlexible(apiKey: number, apiVersion: number): boolean {
  return apiVersion >= (apis.get(apiKey)?.request.flexibleSince ?? Number.POSITIVE_INFINITY);
}

/** Whether responses do (header version 1). Those of ApiVersions never: a client reads them before it knows anything (KIP-511). */
export function isResponseHeaderFlexible(apiKey: number, apiVersion: number): boolean {
  return apiKey !== API.ApiVersions && isRequestFlexible(apiKey, apiVersion);
}

/** Length of a response's header in bytes: correlation id and, where flexible, an empty tag section. */
export function responseHeaderBytes(apiKey: number, apiVersion: number): number {
  return isResponseHeaderFlexible(apiKey, apiVersion) ? 5 : 4;
}

/** Key, version and correlation id alone: the part of a header that never changes. */
export function decodeHeaderStart(reader: ByteReader, header: RequestHeader): void {
  header.apiKey = reader.int16();
  header.apiVersion = reader.int16();
  header.correlationId = reader.int32();
  header.clientId = null;
}

/** The rest, for an API and version that are served; the reader then stands at the body. `known` is returned again while it is the same. */
export function decodeHeaderRest(reader: ByteReader, header: RequestHeader, known: string | null): void {
  const length = reader.int16();
  if (length < -1 || length > CLIENT_ID_BYTES_MAX) throw new DecodeError(`a client id of ${length} bytes`);
  if (length >= 0) {
    const at = reader.take(length);
    header.clientId = known !== null && isSame(known, reader.bytes, at, length) ? known : reader.bytes.toString('utf8', at, at + length);
  }
  if (isRequestFlexible(header.apiKey, header.apiVersion)) reader.skipTags();
}

/** Whether the bytes are the ASCII string `known`. */
function isSame(known: string, bytes: Uint8Array, at: number, length: number): boolean {
  if (known.length !== length) return false;
  for (let i = 0; i < length; i++) if (known.charCodeAt(i) !== bytes[at + i]) return false;
  return true;
}
