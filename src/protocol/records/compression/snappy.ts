// Snappy as Kafka's clients exchange it: Java frames it in chunks (the xerial framing), others send raw snappy; both are read,
// the framed one is written. The native library does the work where there is one; below it, our own block codec, bounded the same.
// Runs on: clients, tools, pool threads. Source: snappy-java's SnappyOutputStream; the snappy format description.
import { concatBytes } from './concat-bytes.ts';
import { corrupt, tooLarge } from './errors.ts';
import { loadNative } from './native.ts';
import { BoundedOutput } from './output.ts';
import { decodeSnappyBlock, encodeSnappyBlock, snappyLength } from './snappy-block.ts';

/** 0x82 "SNAPPY" 0x00. No raw snappy starts so: behind the length 10626 stands a copy, with nothing yet to copy from. */
const XERIAL_MAGIC = Uint8Array.of(0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00);
/** The magic, then twice the version 1: of the writer, and the oldest reader that will do. */
const XERIAL_HEADER = Uint8Array.of(...XERIAL_MAGIC, 0, 0, 0, 1, 0, 0, 0, 1);
/** snappy-java's default. */
const CHUNK_BYTES = 32 * 1024;
const CHUNK_LENGTH_BYTES = 4;
/** Three bytes of a copy make at most 64: what announces more than that is a lie. */
const EXPANSION_MAX = 32;

/** The framed form. */
export function compressSnappy(bytes: Uint8Array): Uint8Array {
  const encode = loadNative('snappy', 'compressSync') ?? encodeSnappyBlock;
  const pieces: Uint8Array[] = [XERIAL_HEADER];
  for (let start = 0; start < bytes.length; start += CHUNK_BYTES) {
    const chunk = encode(bytes.subarray(start, Math.min(start + CHUNK_BYTES, bytes.length)));
    pieces.push(Uint8Array.of(chunk.length >>> 24, chunk.length >>> 16, chunk.length >>> 8, chunk.length), chunk);
  }
  return concatBytes(pieces);
}

/** Either form. Throws CompressionError. */
export function decompressSnappy(bytes: Uint8Array, limitBytes: number): Uint8Array {
  const output = new BoundedOutput('snappy', bytes.length * 2, limitBytes);
  if (!isXerialHeader(bytes, 0)) {
    decodeChunk(bytes, 0, bytes.length, output, limitBytes);
    return output.finish();
  }
  let at = 0;
  while (at < bytes.length) {
    if (isXerialHeader(bytes, at)) {
      at += XERIAL_HEADER.length; // At the start, and where a writer joined two streams.
      continue;
    }
    if (bytes.length - at < CHUNK_LENGTH_BYTES) throw corrupt('snappy', 'ends inside a chunk length');
    const chunkBytes =
      ((bytes[at] as number) << 24) | ((bytes[at + 1] as number) << 16) | ((bytes[at + 2] as number) << 8) | (bytes[at + 3] as number);
    at += CHUNK_LENGTH_BYTES;
    if (chunkBytes < 0 || chunkBytes > bytes.length - at) throw corrupt('snappy', 'a chunk runs past the end');
    decodeChunk(bytes, at, at + chunkBytes, output, limitBytes);
    at += chunkBytes;
  }
  return output.finish();
}

function decodeChunk(bytes: Uint8Array, start: number, end: number, output: BoundedOutput, limitBytes: number): void {
  const announced = snappyLength(bytes, start, end);
  if (announced < 0 || announced > (end - start) * EXPANSION_MAX) throw corrupt('snappy', 'a length that its bytes cannot make');
  if (announced > limitBytes - output.position) throw tooLarge('snappy', limitBytes);
  const native = loadNative('snappy', 'uncompressSync');
  if (native === null) {
    decodeSnappyBlock(bytes, start, end, output);
    return;
  }
  let chunk: Uint8Array;
  try {
    chunk = native(bytes.subarray(start, end)); // Makes what was announced, or nothing.
  } catch (cause) {
    throw corrupt('snappy', 'no snappy', cause);
  }
  output.append(chunk);
}

function isXerialHeader(bytes: Uint8Array, at: number): boolean {
  return bytes.length - at >= XERIAL_HEADER.length && XERIAL_MAGIC.every((byte, i) => bytes[at + i] === byte);
}
