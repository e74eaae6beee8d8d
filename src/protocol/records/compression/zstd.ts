// Records as zstd, by node:zlib, which has it from Node 22.15 on.
// Runs on: clients, tools, pool threads.
import { inflate, loadZlib, unavailable } from './zlib-codec.ts';

/** Throws CompressionError ('unavailable') on an older Node. */
export function compressZstd(bytes: Uint8Array): Uint8Array {
  const { zstdCompressSync } = loadZlib();
  if (typeof zstdCompressSync !== 'function') throw unavailable('zstd');
  return zstdCompressSync(bytes);
}

/** All frames of the stream. Throws CompressionError. */
export function decompressZstd(bytes: Uint8Array, limitBytes: number): Uint8Array {
  const { zstdDecompressSync } = loadZlib();
  if (typeof zstdDecompressSync !== 'function') throw unavailable('zstd');
  return inflate('zstd', limitBytes, (maxOutputLength) => zstdDecompressSync(bytes, { maxOutputLength }));
}
