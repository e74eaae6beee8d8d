// Records as gzip, by node:zlib.
// Runs on: clients, tools, pool threads.
import { inflate, loadZlib } from './zlib-codec.ts';

/** `level` 1 to 9; -1 is zlib's own. */
export function compressGzip(bytes: Uint8Array, level = -1): Uint8Array {
  return loadZlib().gzipSync(bytes, { level });
}

/** All members of the stream. Throws CompressionError. */
export function decompressGzip(bytes: Uint8Array, limitBytes: number): Uint8Array {
  const { gunzipSync } = loadZlib();
  return inflate('gzip', limitBytes, (maxOutputLength) => gunzipSync(bytes, { maxOutputLength }));
}
