// Writes the protocol's primitive types into bytes that are large enough: sizes are computed first, with the functions below.
// Pure. The bytes may lie in shared memory. Source: the protocol guide, "Protocol Primitive Types".
import { assert } from './assert.ts';
import { UUID_BYTES, uuidToBytes } from './uuid.ts';

const INT32_RANGE = 2 ** 32;

export class ByteWriter {
  bytes: Buffer;
  position: number;

  constructor(bytes: Uint8Array, position = 0) {
    this.bytes = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.position = position;
  }

  reset(bytes: Uint8Array, position: number): this {
    this.bytes = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
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
    const { bytes, position } = this;
    bytes[position] = value >> 8;
    bytes[position + 1] = value;
    this.position = position + 2;
  }

  uint16(value: number): void {
    this.int16(value);
  }

  int32(value: number): void {
    const { bytes, position } = this;
    bytes[position] = value >> 24;
    bytes[position + 1] = value >> 16;
    bytes[position + 2] = value >> 8;
    bytes[position + 3] = value;
    this.position = position + 4;
  }

  uint32(value: number): void {
    this.int32(value | 0);
  }

  int64(value: number): void {
    assert(Number.isSafeInteger(value), `${value} is no 64-bit integer that a number can hold`);
    const high = Math.floor(value / INT32_RANGE);
    this.int32(high);
    this.int32((value - high * INT32_RANGE) | 0);
  }

  /** What is beyond the range of 64 bits becomes its end. */
  int64Rounded(value: number): void {
    if (Number.isSafeInteger(value)) this.int64(value);
    else this.position = this.bytes.writeBigInt64BE(BigInt.asIntN(64, value >= 2 ** 63 ? 2n ** 63n - 1n : BigInt(value)), this.position);
  }

  float64(value: number): void {
    this.position = this.bytes.writeDoubleBE(value, this.position);
  }

  uvarint(value: number): void {
    let left = value;
    while (left > 0x7f) {
      this.bytes[this.position++] = (left & 0x7f) | 0x80;
      left = Math.floor(left / 128);
    }
    this.bytes[this.position++] = left;
  }

  uuid(value: string): void {
    uuidToBytes(value, this.bytes, this.position);
    this.position += UUID_BYTES;
  }

  utf8(value: string): void {
    this.position += this.bytes.write(value, this.position, 'utf8');
  }

  string(value: string): void {
    this.int16(utf8Bytes(value));
    this.utf8(value);
  }

  nullableString(value: string | null): void {
    if (value === null) this.int16(-1);
    else this.string(value);
  }

  compactString(value: string): void {
    this.uvarint(utf8Bytes(value) + 1);
    this.utf8(value);
  }

  compactNullableString(value: string | null): void {
    if (value === null) this.uvarint(0);
    else this.compactString(value);
  }

  raw(value: Uint8Array): void {
    this.bytes.set(value, this.position);
    this.position += value.length;
  }

  nullableBytes(value: Uint8Array | null): void {
    this.int32(value === null ? -1 : value.length);
    if (value !== null) this.raw(value);
  }

  compactNullableBytes(value: Uint8Array | null): void {
    this.uvarint(value === null ? 0 : value.length + 1);
    if (value !== null) this.raw(value);
  }
}

/** Length of a string in UTF-8, with a short cut for the ASCII names that nearly all of them are. */
export function utf8Bytes(value: string): number {
  for (let i = 0; i < value.length; i++) if (value.charCodeAt(i) > 0x7f) return Buffer.byteLength(value);
  return value.length;
}

export function uvarintBytes(value: number): number {
  let size = 1;
  for (let left = value; left > 0x7f; left = Math.floor(left / 128)) size++;
  return size;
}

export function compactStringBytes(value: string): number {
  const length = utf8Bytes(value);
  return uvarintBytes(length + 1) + length;
}
