// The raw snappy format in JavaScript: a length, then literals and copies. The floor below the native library.
// Pure. Not the framing around it: that is snappy.ts.
// Source: the snappy format description.
import { corrupt } from './errors.ts';
import type { BoundedOutput } from './output.ts';

const MIN_MATCH = 4;
/** Copies of 1–64 bytes with a 16-bit distance are the only ones written. */
const COPY_BYTES_MAX = 64;
/** Input is encoded in pieces, so that distances fit 16 bits. */
const PIECE_BYTES = 64 * 1024;
const HASH_BITS = 14;
const SKIP_SHIFT = 6;
/** 2^32 in groups of 7 bits. */
const PREAMBLE_BYTES_MAX = 5;

/** The decompressed size that raw snappy announces at `start`, or -1 when none can be read. */
export function snappyLength(bytes: Uint8Array, start: number, end: number): number {
  let length = 0;
  for (let i = 0; i < PREAMBLE_BYTES_MAX && start + i < end; i++) {
    const byte = bytes[start + i] as number;
    length += (byte & 0x7f) * 2 ** (7 * i);
    if (byte < 0x80) return length;
  }
  return -1;
}

/**
 * Decompresses the raw snappy in bytes[start, end) behind the output's position; what it announces is reserved at once, so the
 * caller has looked at snappyLength. Throws CompressionError.
 */
export function decodeSnappyBlock(bytes: Uint8Array, start: number, end: number, output: BoundedOutput): void {
  const length = snappyLength(bytes, start, end);
  if (length < 0) throw corrupt('snappy', 'no length');
  const historyStart = output.position;
  const outputEnd = output.position + length;
  output.reserve(length);
  let at = start;
  while ((bytes[at++] as number) >= 0x80);
  while (at < end) {
    const tag = bytes[at++] as number;
    const kind = tag & 3;
    if (kind === 0) {
      let size = (tag >>> 2) + 1;
      if (size > 60) {
        const sizeFieldBytes = size - 60;
        if (sizeFieldBytes > end - at) throw corrupt('snappy', 'ends inside a length');
        size = readLittle(bytes, at, sizeFieldBytes) + 1;
        at += sizeFieldBytes;
      }
      if (size > end - at || size > outputEnd - output.position) throw corrupt('snappy', 'literals run past the end');
      output.take(bytes, at, size);
      at += size;
      continue;
    }
    const distanceFieldBytes = kind === 3 ? 4 : kind;
    if (distanceFieldBytes > end - at) throw corrupt('snappy', 'ends inside a copy');
    const low = distanceFieldBytes === 4 ? readLittle(bytes, at, 4) : (bytes[at] as number);
    const distance = kind === 1 ? ((tag >>> 5) << 8) | low : kind === 2 ? low | ((bytes[at + 1] as number) << 8) : low;
    at += distanceFieldBytes;
    const size = kind === 1 ? ((tag >>> 2) & 7) + 4 : (tag >>> 2) + 1;
    if (distance === 0 || distance > output.position - historyStart) throw corrupt('snappy', 'a copy reaches before the data');
    if (size > outputEnd - output.position) throw corrupt('snappy', 'a copy runs past the end');
    output.repeat(distance, size);
  }
  if (output.position !== outputEnd) throw corrupt('snappy', 'shorter than announced');
}

/** All of `bytes` as raw snappy. */
export function encodeSnappyBlock(bytes: Uint8Array): Uint8Array {
  // A literal costs at most 5 bytes of its own, a copy never more than what it replaces.
  const target = new Uint8Array(PREAMBLE_BYTES_MAX + bytes.length + Math.ceil(bytes.length / 6) + 32);
  const table = new Int32Array(1 << HASH_BITS);
  let at = 0;
  let rest = bytes.length;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) target[at++] = (rest % 0x80) | 0x80;
  target[at++] = rest;
  for (let start = 0; start < bytes.length; start += PIECE_BYTES) {
    at = encodePiece(bytes, start, Math.min(start + PIECE_BYTES, bytes.length), target, at, table.fill(-1));
  }
  return target.subarray(0, at);
}

function encodePiece(bytes: Uint8Array, start: number, end: number, target: Uint8Array, at: number, table: Int32Array): number {
  let anchor = start;
  let misses = 0;
  for (let position = start; position + MIN_MATCH <= end; ) {
    const word = readLittle(bytes, position, 4);
    const slot = Math.imul(word, 0x9e3779b1) >>> (32 - HASH_BITS);
    const candidate = table[slot] as number;
    table[slot] = position;
    if (candidate < 0 || readLittle(bytes, candidate, 4) !== word) {
      position += 1 + (misses++ >>> SKIP_SHIFT);
      continue;
    }
    let length = MIN_MATCH;
    while (position + length < end && bytes[candidate + length] === bytes[position + length]) length++;
    at = writeLiteral(bytes, anchor, position, target, at);
    for (let left = length; left > 0; left -= COPY_BYTES_MAX) {
      target[at++] = ((Math.min(left, COPY_BYTES_MAX) - 1) << 2) | 2;
      target[at++] = position - candidate;
      target[at++] = (position - candidate) >>> 8;
    }
    position += length;
    anchor = position;
    misses = 0;
  }
  return writeLiteral(bytes, anchor, end, target, at);
}

function writeLiteral(bytes: Uint8Array, from: number, to: number, target: Uint8Array, at: number): number {
  const size = to - from;
  if (size === 0) return at;
  if (size <= 60) {
    target[at++] = (size - 1) << 2;
  } else if (size <= 256) {
    target[at++] = 60 << 2;
    target[at++] = size - 1;
  } else {
    target[at++] = 61 << 2;
    target[at++] = size - 1;
    target[at++] = (size - 1) >>> 8;
  }
  target.set(bytes.subarray(from, to), at);
  return at + size;
}

/** 1–4 bytes, unsigned. */
function readLittle(bytes: Uint8Array, position: number, count: number): number {
  let value = 0;
  for (let i = 0; i < count; i++) value |= (bytes[position + i] as number) << (8 * i);
  return value >>> 0;
}
