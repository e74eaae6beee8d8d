// Records as zstd, by node:zlib, which has it from Node 22.15 on.
// Runs on: clients, tools, pool threads.
import { inflate, loadZlib, unavailable } from './zlib-codec.ts';

/** `level` 1 to 22, or below 0 for speed; 3 is zstd's own. Throws CompressionError ('unavailable') on an older Node. */
export function compressZstd(bytes: Uint8Array, level = 3): Uint8Array {
  const { zstdCompressSync, constants } = loadZlib();
  if (typeof zstdCompressSync !== 'function') throw unavailable('zstd');
  return zstdCompressSync(bytes, { params: { [constants.ZSTD_c_compressionLevel]: level } });
}

/** All frames of the stream. Throws CompressionError. */
export function decompressZstd(bytes: Uint8Array, limitBytes: number): Uint8Array {
  const { zstdDecompressSync } = loadZlib();
  if (typeof zstdDecompressSync !== 'function') throw unavailable('zstd');
  return inflate('zstd', limitBytes, (maxOutputLength) => zstdDecompressSync(bytes, { maxOutputLength }));
}
