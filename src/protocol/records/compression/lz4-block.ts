// The lz4 block format in JavaScript: sequences of literals and of repeats of what came before.
// Compresses where the native library is missing; decompresses everywhere, straight into the output and bounded by it.
// Pure. Not the frame around the blocks: that is lz4.ts.
// Source: the LZ4 block format description, with its end-of-block rules.
import { corrupt } from './errors.ts';
import type { BoundedOutput } from './output.ts';

const MIN_MATCH = 4;
/** The last five bytes of a block are literals… */
const LAST_LITERALS = 5;
/** … and its last match starts at least twelve bytes before the end. */
const MATCH_MARGIN = 12;
const DISTANCE_MAX = 65_535;
/** A length of 15 in a token goes on in further bytes, each adding up to 255. */
const TOKEN_LENGTH_MAX = 15;
const HASH_BITS = 14;
/** After every 2^6 positions without a match the step grows by one, so that incompressible bytes pass quickly. */
const SKIP_SHIFT = 6;

/** The most bytes a block of `sizeBytes` can take compressed. */
export function lz4BlockBound(sizeBytes: number): number {
  return sizeBytes + Math.ceil(sizeBytes / 255) + 16;
}

/**
 * Decodes the block bytes[start, end) behind the output's position, into at most `blockBytesMax` bytes.
 * Repeats may reach back to `historyStart`. Throws CompressionError.
 */
export function decodeLz4Block(
  bytes: Uint8Array,
  start: number,
  end: number,
  output: BoundedOutput,
  blockBytesMax: number,
  historyStart: number,
): void {
  const outputEnd = output.position + blockBytesMax;
  let at = start;
  for (;;) {
    if (at >= end) throw corrupt('lz4', 'a block ends inside a sequence');
    const token = bytes[at++] as number;
    let literals = token >>> 4;
    if (literals === TOKEN_LENGTH_MAX) {
      let more = 255;
      while (more === 255) {
        if (at >= end) throw corrupt('lz4', 'a block ends inside a length');
        more = bytes[at++] as number;
        literals += more;
      }
    }
    if (literals > end - at || literals > outputEnd - output.position) throw corrupt('lz4', 'literals run past their block');
    output.reserve(literals);
    output.take(bytes, at, literals);
    at += literals;
    if (at === end) return; // The last sequence has no match.
    if (end - at < 2) throw corrupt('lz4', 'a block ends inside a distance');
    const distance = (bytes[at] as number) | ((bytes[at + 1] as number) << 8);
    at += 2;
    let length = (token & 0x0f) + MIN_MATCH;
    if (length === TOKEN_LENGTH_MAX + MIN_MATCH) {
      let more = 255;
      while (more === 255) {
        if (at >= end) throw corrupt('lz4', 'a block ends inside a length');
        more = bytes[at++] as number;
        length += more;
      }
    }
    if (distance === 0 || distance > output.position - historyStart) throw corrupt('lz4', 'a repeat reaches before the data');
    if (length > outputEnd - output.position) throw corrupt('lz4', 'a repeat runs past its block');
    output.reserve(length);
    output.repeat(distance, length);
  }
}

/** Encodes bytes[start, end), at most 4 MiB, at target[at, …) with room for lz4BlockBound; returns the position behind the block. */
export function encodeLz4Block(bytes: Uint8Array, start: number, end: number, target: Uint8Array, at: number): number {
  const table = new Int32Array(1 << HASH_BITS).fill(-1);
  const matchLimit = end - LAST_LITERALS;
  let anchor = start;
  let misses = 0;
  for (let position = start; position <= end - MATCH_MARGIN; ) {
    const word = readWord(bytes, position);
    const slot = Math.imul(word, 0x9e3779b1) >>> (32 - HASH_BITS);
    const candidate = table[slot] as number;
    table[slot] = position;
    if (candidate < 0 || position - candidate > DISTANCE_MAX || readWord(bytes, candidate) !== word) {
      position += 1 + (misses++ >>> SKIP_SHIFT);
      continue;
    }
    let length = MIN_MATCH;
    while (position + length < matchLimit && bytes[candidate + length] === bytes[position + length]) length++;
    at = writeSequence(bytes, anchor, position, target, at, position - candidate, length);
    position += length;
    anchor = position;
    misses = 0;
  }
  return writeSequence(bytes, anchor, end, target, at, 0, MIN_MATCH);
}

/** Literals bytes[from, to), then a repeat of `length` from `distance` back; none for a distance of 0. */
function writeSequence(
  bytes: Uint8Array,
  from: number,
  to: number,
  target: Uint8Array,
  at: number,
  distance: number,
  length: number,
): number {
  const literals = to - from;
  const extra = length - MIN_MATCH;
  target[at++] = (Math.min(literals, TOKEN_LENGTH_MAX) << 4) | Math.min(extra, TOKEN_LENGTH_MAX);
  if (literals >= TOKEN_LENGTH_MAX) at = writeLength(target, at, literals - TOKEN_LENGTH_MAX);
  for (let i = from; i < to; i++) target[at++] = bytes[i] as number;
  if (distance === 0) return at;
  target[at++] = distance;
  target[at++] = distance >>> 8;
  return extra >= TOKEN_LENGTH_MAX ? writeLength(target, at, extra - TOKEN_LENGTH_MAX) : at;
}

function writeLength(target: Uint8Array, at: number, rest: number): number {
  for (; rest >= 255; rest -= 255) target[at++] = 255;
  target[at++] = rest;
  return at;
}

function readWord(bytes: Uint8Array, position: number): number {
  return (
    (bytes[position] as number) |
    ((bytes[position + 1] as number) << 8) |
    ((bytes[position + 2] as number) << 16) |
    ((bytes[position + 3] as number) << 24)
  );
}
