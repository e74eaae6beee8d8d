// Short text out of bytes and into them, without a native call, and without a new string where the same text came before:
// topic names and ids arrive with every request, and a string that is the same object is found in a map without being hashed again.
// Invariant: what is returned equals what Buffer.toString returns; the tables below bound the memory behind it.
// Pure: the tables only remember. Measured: bench/micro/codec.bench.ts.
import { unreachable } from './assert.ts';
import { readInt32 } from './big-endian.ts';
import { UUID_BYTES, ZERO_UUID } from './uuid.ts';

/** Longer text is not remembered: a full table stays below 1024 × 64 characters. */
const REMEMBERED_BYTES_MAX = 64;
const TEXT_SLOTS = 1024;
const UUID_SLOTS = 256;
const FNV_PRIME = 0x01000193;

const texts: string[] = new Array<string>(TEXT_SLOTS).fill('');
const uuids: string[] = new Array<string>(UUID_SLOTS).fill(ZERO_UUID);
/** The four words of each remembered UUID. */
const uuidWords = new Int32Array(UUID_SLOTS * 4);

/** The UTF-8 text of `length` bytes at `at`, all within `bytes`; mostly the same string object as last time. */
export function rememberedText(bytes: Buffer, at: number, length: number): string {
  if (length > REMEMBERED_BYTES_MAX) return bytes.toString('utf8', at, at + length);
  let hash = length;
  let allBits = 0;
  for (let i = 0; i < length; i++) {
    const byte = bytes[at + i] as number;
    hash = Math.imul(hash ^ byte, FNV_PRIME);
    allBits |= byte;
  }
  if (allBits > 0x7f) return bytes.toString('utf8', at, at + length);
  const slot = (hash ^ (hash >>> 15)) & (TEXT_SLOTS - 1);
  const known = texts[slot] as string;
  if (isAscii(known, bytes, at, length)) return known;
  const text = bytes.toString('latin1', at, at + length);
  texts[slot] = text;
  return text;
}

/** Whether the `length` bytes at `at` are the ASCII text `text`. */
export function isAscii(text: string, bytes: Uint8Array, at: number, length: number): boolean {
  if (text.length !== length) return false;
  for (let i = 0; i < length; i++) {
    const byte = bytes[at + i] as number;
    if (byte > 0x7f || text.charCodeAt(i) !== byte) return false;
  }
  return true;
}

/** The 16 bytes at `at`, all within `bytes`, as 22 characters of base64url. */
export function rememberedUuid(bytes: Buffer, at: number): string {
  const a = readInt32(bytes, at);
  const b = readInt32(bytes, at + 4);
  const c = readInt32(bytes, at + 8);
  const d = readInt32(bytes, at + 12);
  const hash = Math.imul(Math.imul(a ^ b, FNV_PRIME) ^ c, FNV_PRIME) ^ d;
  const slot = (hash ^ (hash >>> 8) ^ (hash >>> 16)) & (UUID_SLOTS - 1);
  const words = slot * 4;
  if (uuidWords[words] === a && uuidWords[words + 1] === b && uuidWords[words + 2] === c && uuidWords[words + 3] === d) {
    return uuids[slot] as string; // An untouched slot holds zeros on both sides: that is the zero UUID, and right.
  }
  const uuid = bytes.toString('base64url', at, at + UUID_BYTES);
  uuidWords[words] = a;
  uuidWords[words + 1] = b;
  uuidWords[words + 2] = c;
  uuidWords[words + 3] = d;
  uuids[slot] = uuid;
  return uuid;
}

const BASE64URL = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
/** Six bits by character code. */
const SIX_BITS = new Uint8Array(128);
for (let i = 0; i < BASE64URL.length; i++) SIX_BITS[BASE64URL.charCodeAt(i)] = i;

/** The one that was written last, and its bytes: records of one commit, and partitions of one topic, repeat it. */
let writtenUuid = ZERO_UUID;
const writtenUuidBytes = new Uint8Array(UUID_BYTES);

/** Writes a UUID of 22 characters as 16 bytes. */
export function writeUuid(uuid: string, bytes: Uint8Array, at: number): void {
  if (uuid !== writtenUuid) {
    parseUuid(uuid, writtenUuidBytes);
    writtenUuid = uuid;
  }
  for (let i = 0; i < UUID_BYTES; i++) bytes[at + i] = writtenUuidBytes[i] as number;
}

function parseUuid(uuid: string, bytes: Uint8Array): void {
  if (uuid.length !== 22) unreachable(`${uuid} is no UUID of 22 characters`);
  let position = 0;
  for (let i = 0; i < 20; i += 4) {
    const bits = (sixBits(uuid, i) << 18) | (sixBits(uuid, i + 1) << 12) | (sixBits(uuid, i + 2) << 6) | sixBits(uuid, i + 3);
    bytes[position] = bits >> 16;
    bytes[position + 1] = bits >> 8;
    bytes[position + 2] = bits;
    position += 3;
  }
  bytes[position] = (sixBits(uuid, 20) << 2) | (sixBits(uuid, 21) >> 4);
}

function sixBits(uuid: string, index: number): number {
  return SIX_BITS[uuid.charCodeAt(index)] as number;
}

/** From here on a native call is faster than a loop. */
const LOOP_CHARACTERS_MAX = 48;

/** Writes `text` at `at` and returns where it ends. */
export function writeText(text: string, bytes: Buffer, at: number): number {
  const { length } = text;
  if (length <= LOOP_CHARACTERS_MAX) {
    let i = 0;
    for (; i < length; i++) {
      const code = text.charCodeAt(i);
      if (code > 0x7f) break;
      bytes[at + i] = code;
    }
    if (i === length) return at + length;
  }
  return at + bytes.write(text, at, 'utf8');
}

/** Length of a string in UTF-8, with a short cut for the ASCII names that nearly all of them are. */
export function utf8Bytes(text: string): number {
  const { length } = text;
  if (length > LOOP_CHARACTERS_MAX) return Buffer.byteLength(text);
  for (let i = 0; i < length; i++) if (text.charCodeAt(i) > 0x7f) return Buffer.byteLength(text);
  return length;
}
