// Writes the protocol's primitive types into bytes that are large enough: sizes are computed first, with the functions below.
// Pure. The bytes may lie in shared memory. Source: the protocol guide, "Protocol Primitive Types".
import { unreachable } from './assert.ts';
import { writeInt16, writeInt32, writeInt64 } from './big-endian.ts';
import { STRING_BYTES_MAX } from './byte-reader.ts';
import { utf8Bytes, writeText, writeUuid } from './byte-text.ts';
import { UUID_BYTES } from './uuid.ts';

const INT64_MAX = 2n ** 63n - 1n;
const INT64_MIN = -(2n ** 63n);

export class ByteWriter {
  bytes: Buffer;
  position: number;

  constructor(bytes: Uint8Array, position = 0) {
    this.bytes = asBuffer(bytes);
    this.position = position;
  }

  /** The same writer over other bytes. */
  reset(bytes: Uint8Array, position: number): this {
    this.bytes = asBuffer(bytes);
    this.position = position;
    return this;
  }

  int8(value: number): void {
    this.bytes[this.position++] = value;
  }

  bool(value: boolean): void {
    this.bytes[this.position++] = value ? 1 : 0;
  }

  int16(value: number): void {
    writeInt16(this.bytes, this.position, value);
    this.position += 2;
  }

  uint16(value: number): void {
    this.int16(value);
  }

  int32(value: number): void {
    writeInt32(this.bytes, this.position, value);
    this.position += 4;
  }

  uint32(value: number): void {
    this.int32(value);
  }

  int64(value: number): void {
    writeSafeInt64(this.bytes, this.position, value);
    this.position += 8;
  }

  int64Rounded(value: number): void {
    writeRoundedInt64(this.bytes, this.position, value);
    this.position += 8;
  }

  int64Opaque(value: bigint): void {
    this.position = this.bytes.writeBigInt64BE(value, this.position);
  }

  float64(value: number): void {
    this.position = this.bytes.writeDoubleBE(value, this.position);
  }

  /** `value` is between 0 and 2^32−1. */
  uvarint(value: number): void {
    let left = value;
    while (left > 0x7f) {
      this.bytes[this.position++] = (left & 0x7f) | 0x80;
      left = Math.floor(left / 128);
    }
    this.bytes[this.position++] = left;
  }

  uuid(value: string): void {
    writeUuid(value, this.bytes, this.position);
    this.position += UUID_BYTES;
  }

  string(value: string): void {
    const at = this.position;
    const end = writeText(value, this.bytes, at + 2);
    const length = end - at - 2;
    if (length > STRING_BYTES_MAX) unreachable(`text of ${length} bytes, ${STRING_BYTES_MAX} can be told`);
    writeInt16(this.bytes, at, length);
    this.position = end;
  }

  nullableString(value: string | null): void {
    if (value === null) this.int16(-1);
    else this.string(value);
  }

  compactString(value: string): void {
    const length = utf8Bytes(value);
    if (length > STRING_BYTES_MAX) unreachable(`text of ${length} bytes, ${STRING_BYTES_MAX} can be told`);
    this.uvarint(length + 1);
    this.position = writeText(value, this.bytes, this.position);
  }

  compactNullableString(value: string | null): void {
    if (value === null) this.uvarint(0);
    else this.compactString(value);
  }

  raw(value: Uint8Array): void {
    this.bytes.set(value, this.position);
    this.position += value.length;
  }
}

/** Refuses, as our own mistake, what is no safe integer. */
export function writeSafeInt64(bytes: Uint8Array, position: number, value: number): void {
  if (!Number.isSafeInteger(value)) unreachable(`${value} is no 64-bit integer that a number can hold`);
  writeInt64(bytes, position, value);
}

/** Takes any whole number; what is beyond the range of 64 bits becomes its end. */
export function writeRoundedInt64(bytes: Buffer, position: number, value: number): void {
  if (Number.isSafeInteger(value)) writeInt64(bytes, position, value);
  else bytes.writeBigInt64BE(value >= 2 ** 63 ? INT64_MAX : value <= -(2 ** 63) ? INT64_MIN : BigInt(value), position);
}

export function uvarintBytes(value: number): number {
  if (value < 0x80) return 1;
  let size = 1;
  for (let left = value; left > 0x7f; left = Math.floor(left / 128)) size++;
  return size;
}

/** Size of a string with its int16 length. */
export function stringBytes(value: string): number {
  return 2 + utf8Bytes(value);
}

export function compactStringBytes(value: string): number {
  const length = utf8Bytes(value);
  return uvarintBytes(length + 1) + length;
}

/** The longest beginning of `value` that a string of the protocol can hold: all of it, nearly always. Whole characters only. */
export function fittingText(value: string): string {
  if (value.length * 3 <= STRING_BYTES_MAX || utf8Bytes(value) <= STRING_BYTES_MAX) return value;
  const bytes = Buffer.alloc(STRING_BYTES_MAX);
  const length = bytes.write(value);
  return bytes.toString('utf8', 0, length);
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
