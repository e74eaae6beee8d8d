// Reads the protocol's primitive types from bytes that a peer or a disk wrote, none of which is believed: every length is held
// against what is left before anything is touched or allocated.
// Invariant: a read that cannot be served throws DecodeError and nothing else; begin <= position <= limit <= bytes.length.
// Errors count bytes from where the reader began: where it lies in memory is nothing to its sender.
// Pure. The bytes may lie in shared memory, so text goes through Buffer (a TextDecoder refuses it). Not the zigzag varints inside
// records (protocol/records/varint.ts). Source: the protocol guide, "Protocol Primitive Types".
import { readInt16, readInt32, readInt64 } from './big-endian.ts';
import { rememberedText, rememberedUuid, utf8Bytes } from './byte-text.ts';
import { UUID_BYTES } from './uuid.ts';

/** The bytes are not what their sender claimed. The connection they came from is closed; nobody else notices. */
export class DecodeError extends Error {
  override readonly name = 'DecodeError';
  readonly code = 'ERR_DECODE';
}

/** Kafka's limit for text, in bytes: the length that an int16 can tell. Compact strings could be longer and may not. */
export const STRING_BYTES_MAX = 0x7fff;

export class ByteReader {
  bytes: Buffer;
  position: number;
  limit: number;
  /** Where it began. */
  begin: number;

  constructor(bytes: Uint8Array, position = 0, limit = bytes.length) {
    this.bytes = asBuffer(bytes);
    this.position = position;
    this.limit = limit;
    this.begin = position;
  }

  /** The same reader over other bytes. */
  reset(bytes: Uint8Array, position: number, limit: number): this {
    this.bytes = asBuffer(bytes);
    this.position = position;
    this.limit = limit;
    this.begin = position;
    return this;
  }

  get remaining(): number {
    return this.limit - this.position;
  }

  /** Moves over `count` bytes and returns where they begin. */
  take(count: number): number {
    const at = this.position;
    if (count < 0 || count > this.limit - at) this.#failShort(count);
    this.position = at + count;
    return at;
  }

  int8(): number {
    return ((this.bytes[this.take(1)] as number) << 24) >> 24;
  }

  bool(): boolean {
    return this.bytes[this.take(1)] !== 0;
  }

  int16(): number {
    return readInt16(this.bytes, this.take(2));
  }

  uint16(): number {
    return this.int16() & 0xffff;
  }

  int32(): number {
    return readInt32(this.bytes, this.take(4));
  }

  uint32(): number {
    return this.int32() >>> 0;
  }

  /** A safe integer; what is beyond ±(2^53−1) is refused. */
  int64(): number {
    return safeInt64(this.bytes, this.take(8), this);
  }

  /** A 64-bit integer of any size: beyond ±2^53 the nearest number. For values that are judged, not kept. */
  int64Rounded(): number {
    return readInt64(this.bytes, this.take(8));
  }

  /** A 64-bit integer of any size, exactly. For values that are handed on, not judged. */
  int64Opaque(): bigint {
    return this.bytes.readBigInt64BE(this.take(8));
  }

  float64(): number {
    return this.bytes.readDoubleBE(this.take(8));
  }

  /** At most five bytes, at most 2^32−1. */
  uvarint(): number {
    const at = this.position;
    const first = this.bytes[at] as number;
    if (first < 0x80 && at < this.limit) {
      this.position = at + 1;
      return first;
    }
    return this.#longUvarint();
  }

  #longUvarint(): number {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.bytes[this.take(1)] as number;
      if (shift === 28 && byte > 0x0f) break;
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
    throw new DecodeError(`a varint that does not end at byte ${this.position - this.begin}`);
  }

  uuid(): string {
    return rememberedUuid(this.bytes, this.take(UUID_BYTES));
  }

  /** `length` bytes as UTF-8. Bytes that are none become replacement characters, as in Kafka. */
  utf8(length: number): string {
    if (length > STRING_BYTES_MAX) this.#failLength('a string', length);
    const text = rememberedText(this.bytes, this.take(length), length);
    // A replacement character takes three bytes for one: what came in as a string must be able to leave as one.
    if (length * 3 > STRING_BYTES_MAX && utf8Bytes(text) > STRING_BYTES_MAX) this.#failLength('bytes that are no text,', length);
    return text;
  }

  string(): string {
    const length = this.int16();
    if (length < 0) this.#failLength('a string', length);
    return this.utf8(length);
  }

  nullableString(): string | null {
    const length = this.int16();
    if (length >= 0) return this.utf8(length);
    return length === -1 ? null : this.#failLength('a string', length);
  }

  compactString(): string {
    const length = this.uvarint() - 1;
    if (length < 0) this.#failLength('a string', length);
    return this.utf8(length);
  }

  compactNullableString(): string | null {
    const length = this.uvarint() - 1;
    return length < 0 ? null : this.utf8(length);
  }

  /** A copy of `length` bytes: they may outlive the frame. */
  copyBytes(length: number): Uint8Array {
    if (length < 0) this.#failLength('bytes', length);
    const at = this.take(length);
    return new Uint8Array(this.bytes.subarray(at, at + length));
  }

  /** An element count that can be true: each element takes at least `elementBytesMin`, one or more, of what is left. */
  count(count: number, elementBytesMin: number): number {
    if (count < 0 || count * elementBytesMin > this.limit - this.position) this.#failCount(count);
    return count;
  }

  /** Moves over a tag section that nobody here knows anything of. */
  skipTags(): void {
    for (let left = this.uvarint(); left > 0; left--) {
      this.uvarint();
      this.take(this.uvarint());
    }
  }

  #failShort(count: number): never {
    throw new DecodeError(`${count} bytes wanted at byte ${this.position - this.begin}, ${this.remaining} left`);
  }

  #failLength(what: string, length: number): never {
    throw new DecodeError(`${what} of length ${length} before byte ${this.position - this.begin}`);
  }

  #failCount(count: number): never {
    throw new DecodeError(`an array of ${count} elements before byte ${this.position - this.begin}, ${this.remaining} bytes left`);
  }
}

/** The int64 at `position`, within bounds; beyond ±(2^53−1) a DecodeError, which counts from where `reader` began. */
export function safeInt64(bytes: Uint8Array, position: number, reader: ByteReader): number {
  const value = readInt64(bytes, position);
  if (!Number.isSafeInteger(value)) throw new DecodeError(`a 64-bit number beyond 2^53 at byte ${position - reader.begin}`);
  return value;
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
