// The codecs of record batches by their number, the same in a batch's attributes everywhere.
// Invariant: nothing but CompressionError is thrown for any input, and nothing is allocated beyond the limit that the caller gives
// (plus what a library needs to stop there).
// Runs on: clients, tools, pool threads. The broker's produce and fetch paths leave batches as they came.
import { MIB } from '../../../base/units.ts';
import { CompressionError } from './errors.ts';
import { compressGzip, decompressGzip } from './gzip.ts';
import { compressLz4, decompressLz4 } from './lz4.ts';
import { compressSnappy, decompressSnappy } from './snappy.ts';
import { compressZstd, decompressZstd } from './zstd.ts';

export { CompressionError, type CompressionFailure } from './errors.ts';

interface Codec {
  readonly name: string;
  readonly compress: (bytes: Uint8Array, level?: number) => Uint8Array;
  readonly decompress: (bytes: Uint8Array, limitBytes: number) => Uint8Array;
}

/** Much above any batch that default limits let through, much below what hurts. */
export const DECOMPRESSED_BYTES_MAX = 128 * MIB;

/** By number: 0 is no compression. */
const CODECS: readonly Codec[] = [
  { name: 'none', compress: (bytes) => bytes, decompress: withinLimit },
  { name: 'gzip', compress: compressGzip, decompress: decompressGzip },
  { name: 'snappy', compress: (bytes) => compressSnappy(bytes), decompress: decompressSnappy },
  { name: 'lz4', compress: (bytes) => compressLz4(bytes), decompress: decompressLz4 },
  { name: 'zstd', compress: compressZstd, decompress: decompressZstd },
];

/** `none`, `gzip`, …, as in `compression.type`; `unknown(5)` for a number that is no codec. */
export function compressionName(type: number): string {
  return CODECS[type]?.name ?? `unknown(${type})`;
}

/** The number of a codec by name, or -1. */
export function compressionByName(name: string): number {
  return CODECS.findIndex((codec) => codec.name === name);
}

/**
 * All of `bytes`, compressed; `bytes` itself for type 0. `level` is gzip's or zstd's, their own default where it is left out; snappy has
 * none, and of lz4's only the fast one is there. Throws CompressionError ('unknown', 'unavailable').
 */
export function compress(type: number, bytes: Uint8Array, level?: number): Uint8Array {
  return codecOf(type).compress(bytes, level);
}

/** The content of `bytes`, at most `limitBytes` of it; `bytes` itself for type 0. Throws CompressionError. */
export function decompress(type: number, bytes: Uint8Array, limitBytes = DECOMPRESSED_BYTES_MAX): Uint8Array {
  return codecOf(type).decompress(bytes, limitBytes);
}

function codecOf(type: number): Codec {
  const codec = CODECS[type];
  if (codec === undefined) throw new CompressionError(compressionName(type), 'unknown', 'no such codec');
  return codec;
}

function withinLimit(bytes: Uint8Array, limitBytes: number): Uint8Array {
  if (bytes.length > limitBytes) throw new CompressionError('none', 'too-large', `more than ${limitBytes} bytes`);
  return bytes;
}
