// Reads the protocol's primitive types from bytes that a peer or a disk wrote, none of which is believed: every length is held
// against what is left before anything is touched or allocated.
// Invariant: a read that cannot be served throws DecodeError and nothing else.
// Pure. The bytes may lie in shared memory. Source: the protocol guide, "Protocol Primitive Types".
import { UUID_BYTES, uuidFromBytes } from './uuid.ts';

/** The bytes are not what their sender claimed. The connection they came from is closed; nobody else notices. */
export class DecodeError extends Error {
  override readonly name = 'DecodeError';
  readonly code = 'ERR_DECODE';
}

const INT32_RANGE = 2 ** 32;

export class ByteReader {
  bytes: Buffer;
  position: number;
  limit: number;

  constructor(bytes: Uint8Array, position = 0, limit = bytes.length) {
    this.bytes = asBuffer(bytes);
    this.position = position;
    this.limit = limit;
  }

  /** The same reader over other bytes. */
  reset(bytes: Uint8Array, position: number, limit: number): this {
    this.bytes = asBuffer(bytes);
    this.position = position;
    this.limit = limit;
    return this;
  }

  get remaining(): number {
    return this.limit - this.position;
  }

  /** Moves over `count` bytes and returns where they begin. */
  take(count: number): number {
    const at = this.position;
    if (count < 0 || count > this.limit - at) this.#fail(count);
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
    const at = this.take(2);
    return (((this.bytes[at] as number) << 24) >> 16) | (this.bytes[at + 1] as number);
  }

  uint16(): number {
    return this.int16() & 0xffff;
  }

  int32(): number {
    const at = this.take(4);
    const { bytes } = this;
    return ((bytes[at] as number) << 24) | ((bytes[at + 1] as number) << 16) | ((bytes[at + 2] as number) << 8) | (bytes[at + 3] as number);
  }

  uint32(): number {
    return this.int32() >>> 0;
  }

  /** A safe integer; what is beyond ±(2^53−1) is refused. */
  int64(): number {
    const high = this.int32();
    const value = high * INT32_RANGE + this.uint32();
    if (!Number.isSafeInteger(value)) throw new DecodeError(`a 64-bit number beyond 2^53 at byte ${this.position - 8}`);
    return value;
  }

  /** A 64-bit integer of any size: beyond ±2^53 the nearest number. For values that are judged, not kept. */
  int64Rounded(): number {
    const high = this.int32();
    return high * INT32_RANGE + this.uint32();
  }

  float64(): number {
    return this.bytes.readDoubleBE(this.take(8));
  }

  /** At most five bytes, at most 2^32−1. */
  uvarint(): number {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.bytes[this.take(1)] as number;
      if (shift === 28 && byte > 0x0f) break;
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
    throw new DecodeError(`a varint that does not end at byte ${this.position}`);
  }

  uuid(): string {
    return uuidFromBytes(this.bytes, this.take(UUID_BYTES));
  }

  /** `length` bytes as UTF-8. */
  utf8(length: number): string {
    const at = this.take(length);
    return this.bytes.toString('utf8', at, at + length);
  }

  string(): string {
    const length = this.int16();
    if (length < 0) throw new DecodeError(`null where a string must be, at byte ${this.position - 2}`);
    return this.utf8(length);
  }

  nullableString(): string | null {
    const length = this.int16();
    if (length < -1) throw new DecodeError(`a string of ${length} bytes at byte ${this.position - 2}`);
    return length < 0 ? null : this.utf8(length);
  }

  compactString(): string {
    const length = this.uvarint() - 1;
    if (length < 0) throw new DecodeError(`null where a string must be, at byte ${this.position}`);
    return this.utf8(length);
  }

  compactNullableString(): string | null {
    const length = this.uvarint() - 1;
    return length < 0 ? null : this.utf8(length);
  }

  /** A copy of `length` bytes: they may outlive the frame. */
  copyBytes(length: number): Uint8Array {
    const at = this.take(length);
    return new Uint8Array(this.bytes.subarray(at, at + length));
  }

  nullableBytes(): Uint8Array | null {
    const length = this.int32();
    if (length < -1) throw new DecodeError(`${length} bytes at byte ${this.position - 4}`);
    return length < 0 ? null : this.copyBytes(length);
  }

  compactNullableBytes(): Uint8Array | null {
    const length = this.uvarint() - 1;
    return length < 0 ? null : this.copyBytes(length);
  }

  bytesNotNull(value: Uint8Array | null): Uint8Array {
    if (value === null) throw new DecodeError(`null where bytes must be, at byte ${this.position}`);
    return value;
  }

  /** An element count that can be true: each element takes at least `elementBytesMin` of what is left. −1 is null. */
  count(count: number, elementBytesMin: number): number {
    if (count < -1 || count * elementBytesMin > this.limit - this.position) {
      throw new DecodeError(`an array of ${count} elements in ${this.limit - this.position} bytes at byte ${this.position}`);
    }
    return count;
  }

  /** The same where null is not allowed. */
  countNotNull(count: number, elementBytesMin: number): number {
    if (count < 0) throw new DecodeError(`null where an array must be, at byte ${this.position}`);
    return this.count(count, elementBytesMin);
  }

  /** Moves over a tag section that nobody here knows anything of. */
  skipTags(): void {
    for (let left = this.uvarint(); left > 0; left--) {
      this.uvarint();
      this.take(this.uvarint());
    }
  }

  #fail(count: number): never {
    throw new DecodeError(`${count} bytes wanted at byte ${this.position}, ${this.limit - this.position} left`);
  }
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
