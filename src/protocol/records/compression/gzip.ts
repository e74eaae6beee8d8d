// Records as gzip, by node:zlib.
// Runs on: clients, tools, pool threads.
import { inflate, loadZlib } from './zlib-codec.ts';

export function compressGzip(bytes: Uint8Array): Uint8Array {
  return loadZlib().gzipSync(bytes);
}

/** All members of the stream. Throws CompressionError. */
export function decompressGzip(bytes: Uint8Array, limitBytes: number): Uint8Array {
  const { gunzipSync } = loadZlib();
  return inflate('gzip', limitBytes, (maxOutputLength) => gunzipSync(bytes, { maxOutputLength }));
}
