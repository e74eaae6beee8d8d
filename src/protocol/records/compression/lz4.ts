// The lz4 frame format as Kafka's clients exchange it: written as Java writes it (independent blocks of 64 KiB, no checksums but the
// header's), read with every flag that a client may set.
// Blocks go through the native library where there is one, seven times as fast as our own block codec below it
// (bench/micro/records.bench.ts); linked blocks, which the library cannot decode, are always ours.
// Runs on: clients, tools, pool threads. Source: the LZ4 frame format description; KIP-57.
import { concatBytes } from './concat-bytes.ts';
import { CompressionError, corrupt } from './errors.ts';
import { decodeLz4Block, encodeLz4Block, lz4BlockBound } from './lz4-block.ts';
import { loadNative } from './native.ts';
import { BoundedOutput } from './output.ts';
import { xxHash32 } from './xxhash32.ts';

const MAGIC = 0x184d2204;
const BLOCK_BYTES = 64 * 1024;
/** Version 1 in bits 6–7, independent blocks. */
const WRITTEN_FLAGS = 0x60;
/** Blocks of at most 64 KiB: 4 in bits 4–6. */
const WRITTEN_BLOCK_DESCRIPTOR = 0x40;
const VERSION_MASK = 0xc0;
const VERSION_1 = 0x40;
const INDEPENDENT_BLOCKS = 0x20;
const BLOCK_CHECKSUMS = 0x10;
const CONTENT_SIZE = 0x08;
const CONTENT_CHECKSUM = 0x04;
const RESERVED_OR_DICTIONARY = 0x03;
/** Set in a block's length: its bytes are stored as they are. */
const STORED_BIT = 0x80000000;
/** Magic, flags, block descriptor, header checksum. */
const HEADER_BYTES = 7;

/** lz4-napi puts the block's decompressed size in front, four bytes that a frame has no place for. */
const NATIVE_PREFIX_BYTES = 4;
/** A byte of a length makes at most 255: what a decoder may reserve for a block follows the bytes that it has. */
const EXPANSION_MAX = 255;

type BlockEncoder = (block: Uint8Array) => Uint8Array;

/** One frame. */
export function compressLz4(bytes: Uint8Array): Uint8Array {
  const encodeBlock = blockEncoder();
  const header = new Uint8Array(HEADER_BYTES);
  writeWord(header, 0, MAGIC);
  header[4] = WRITTEN_FLAGS;
  header[5] = WRITTEN_BLOCK_DESCRIPTOR;
  header[6] = xxHash32(header, 4, 6) >>> 8;
  const pieces: Uint8Array[] = [header];
  for (let start = 0; start < bytes.length; start += BLOCK_BYTES) {
    const block = bytes.subarray(start, Math.min(start + BLOCK_BYTES, bytes.length));
    const encoded = encodeBlock(block);
    const isStored = encoded.length >= block.length;
    pieces.push(wordBytes(isStored ? block.length | STORED_BIT : encoded.length), isStored ? block : encoded);
  }
  pieces.push(wordBytes(0));
  return concatBytes(pieces);
}

/** The content of the frame at the start of `bytes`; what follows the frame is ignored, as other clients do. Throws CompressionError. */
export function decompressLz4(bytes: Uint8Array, limitBytes: number): Uint8Array {
  let at = readHeader(bytes);
  const flags = bytes[4] as number;
  const blockBytesMax = 1 << (2 * ((bytes[5] as number) >>> 4) + 8);
  const output = new BoundedOutput('lz4', bytes.length * 4, limitBytes);
  for (;;) {
    const announced = wordAt(bytes, at);
    at += 4;
    if (announced === 0) break;
    const sizeBytes = announced & ~STORED_BIT;
    if (sizeBytes > blockBytesMax || sizeBytes > bytes.length - at) throw corrupt('lz4', 'a block runs past its frame');
    const end = at + sizeBytes;
    if (announced >= STORED_BIT) output.append(bytes.subarray(at, end));
    else if ((flags & INDEPENDENT_BLOCKS) !== 0) decodeIndependentBlock(bytes, at, end, output, blockBytesMax);
    else decodeLz4Block(bytes, at, end, output, blockBytesMax, 0);
    if ((flags & BLOCK_CHECKSUMS) !== 0) {
      if (wordAt(bytes, end) !== xxHash32(bytes, at, end)) throw corrupt('lz4', 'a block does not match its checksum');
      at = end + 4;
    } else {
      at = end;
    }
  }
  const content = output.finish();
  if ((flags & CONTENT_CHECKSUM) !== 0 && wordAt(bytes, at) !== xxHash32(content, 0, content.length)) {
    throw corrupt('lz4', 'the content does not match its checksum');
  }
  return content;
}

/** Checks the frame's header; returns the position behind it. The content size it may give is not trusted, hence not read. */
function readHeader(bytes: Uint8Array): number {
  if (bytes.length < HEADER_BYTES || wordAt(bytes, 0) !== MAGIC) throw corrupt('lz4', 'no lz4 frame');
  const flags = bytes[4] as number;
  const blockDescriptor = bytes[5] as number;
  if ((flags & VERSION_MASK) !== VERSION_1 || (flags & RESERVED_OR_DICTIONARY) !== 0) throw corrupt('lz4', `frame flags ${flags}`);
  if ((blockDescriptor & 0x8f) !== 0 || blockDescriptor < 0x40) throw corrupt('lz4', `block descriptor ${blockDescriptor}`);
  const checksumAt = (flags & CONTENT_SIZE) !== 0 ? 14 : 6;
  if (checksumAt >= bytes.length) throw corrupt('lz4', 'the frame ends inside its header');
  if (bytes[checksumAt] !== ((xxHash32(bytes, 4, checksumAt) >>> 8) & 0xff)) throw corrupt('lz4', 'the header does not match its checksum');
  return checksumAt + 1;
}

function decodeIndependentBlock(bytes: Uint8Array, at: number, end: number, output: BoundedOutput, blockBytesMax: number): void {
  const native = loadNative('lz4-napi', 'uncompressSync');
  if (native === null) {
    decodeLz4Block(bytes, at, end, output, blockBytesMax, output.position);
    return;
  }
  const prefixed = new Uint8Array(NATIVE_PREFIX_BYTES + end - at);
  writeWord(prefixed, 0, Math.min(blockBytesMax, (end - at) * EXPANSION_MAX)); // The library takes a size that is too large.
  prefixed.set(bytes.subarray(at, end), NATIVE_PREFIX_BYTES);
  let block: Uint8Array;
  try {
    block = native(prefixed);
  } catch (cause) {
    throw corrupt('lz4', 'a block is none', cause);
  }
  output.append(block);
}

function blockEncoder(): BlockEncoder {
  const native = loadNative('lz4-napi', 'compressSync');
  if (native !== null) return (block) => native(block).subarray(NATIVE_PREFIX_BYTES);
  const target = new Uint8Array(lz4BlockBound(BLOCK_BYTES));
  return (block) => target.slice(0, encodeLz4Block(block, 0, block.length, target, 0));
}

/** Unsigned, little-endian; throws where the bytes end before it. */
function wordAt(bytes: Uint8Array, position: number): number {
  const d = bytes[position + 3];
  if (d === undefined) throw new CompressionError('lz4', 'corrupt', 'the frame ends early');
  return ((bytes[position] as number) | ((bytes[position + 1] as number) << 8) | ((bytes[position + 2] as number) << 16) | (d << 24)) >>> 0;
}

function writeWord(bytes: Uint8Array, position: number, word: number): void {
  bytes[position] = word;
  bytes[position + 1] = word >>> 8;
  bytes[position + 2] = word >>> 16;
  bytes[position + 3] = word >>> 24;
}

function wordBytes(word: number): Uint8Array {
  const bytes = new Uint8Array(4);
  writeWord(bytes, 0, word);
  return bytes;
}
