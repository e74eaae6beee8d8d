// Zigzag varints, the integers inside a record: small magnitudes of either sign in few bytes.
// A reader keeps its place in a VarintReader, which tells bad input by `isBad` rather than by throwing.
// Pure. Not the unsigned varints of flexible messages: those belong to the message codecs.
// Source: "Record" in Kafka's documentation of the message format; the encoding is Protocol Buffers' sint32 and sint64.

const TWO_27 = 2 ** 27;
const TWO_55 = 2 ** 55;

/** 32 bits in groups of 7. */
export const VARINT_MAX_BYTES = 5;
/** 64 bits in groups of 7. */
export const VARLONG_MAX_BYTES = 10;

/** Reads varints forward through [position, end). After a bad one `isBad` stays true and every value is 0. */
export class VarintReader {
  readonly bytes: Uint8Array;
  position: number;
  readonly end: number;
  isBad = false;

  constructor(bytes: Uint8Array, position: number, end: number) {
    this.bytes = bytes;
    this.position = position;
    this.end = end;
  }

  /** A signed 32-bit value; bad when it runs past the end or beyond 5 bytes. Bits above the 32nd are dropped, as Kafka does. */
  readVarint(): number {
    const { bytes, end } = this;
    let value = 0;
    let position = this.position;
    for (let shift = 0; shift < 7 * VARINT_MAX_BYTES && position < end; shift += 7) {
      const byte = bytes[position++] as number;
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) {
        this.position = position;
        return (value >>> 1) ^ -(value & 1);
      }
    }
    return this.#fail();
  }

  /**
   * A signed 64-bit value; bad when it runs past the end or beyond 10 bytes.
   * Exact within ±(2^53 − 1); beyond, a rounded one, which Number.isSafeInteger tells.
   */
  readVarlong(): number {
    const { bytes, end } = this;
    let low = 0; // Bits 0–27.
    let middle = 0; // Bits 28–55.
    let high = 0; // Bits 56–63.
    let position = this.position;
    for (let group = 0; group < VARLONG_MAX_BYTES && position < end; group++) {
      const byte = bytes[position++] as number;
      const bits = byte & 0x7f;
      if (group < 4) low |= bits << (7 * group);
      else if (group < 8) middle |= bits << (7 * (group - 4));
      else high |= group === 8 ? bits : (bits & 1) << 7;
      if (byte < 0x80) {
        this.position = position;
        const half = (low >>> 1) + middle * TWO_27 + high * TWO_55;
        return (low & 1) === 0 ? half : -half - 1;
      }
    }
    return this.#fail();
  }

  /** Moves behind `sizeBytes` more bytes; none for a negative size (null). Bad when it runs past the end. */
  skip(sizeBytes: number): void {
    if (sizeBytes > this.end - this.position) this.#fail();
    else if (sizeBytes > 0) this.position += sizeBytes;
  }

  #fail(): number {
    this.isBad = true;
    this.position = this.end;
    return 0;
  }
}

/** The bytes writeVarint takes for a signed 32-bit value: 1–5. */
export function varintSizeBytes(value: number): number {
  const zigzag = (value << 1) ^ (value >> 31);
  return zigzag === 0 ? 1 : Math.ceil((32 - Math.clz32(zigzag)) / 7);
}

/** The bytes writeVarlong takes for a safe integer: 1–8. */
export function varlongSizeBytes(value: number): number {
  if (value === (value | 0)) return varintSizeBytes(value);
  let sizeBytes = 5; // Four for the low 28 bits of the zigzag form, one for the first seven of the rest.
  for (let rest = Math.floor((value < 0 ? -value - 1 : value) / TWO_27); rest >= 0x80; rest = Math.floor(rest / 0x80)) sizeBytes++;
  return sizeBytes;
}

/** Writes a signed 32-bit value; returns the position behind it. */
export function writeVarint(bytes: Uint8Array, position: number, value: number): number {
  let zigzag = (value << 1) ^ (value >> 31);
  while ((zigzag & ~0x7f) !== 0) {
    bytes[position++] = zigzag | 0x80;
    zigzag >>>= 7;
  }
  bytes[position++] = zigzag;
  return position;
}

/** Writes a safe integer as a signed 64-bit value, 1–8 bytes; returns the position behind it. */
export function writeVarlong(bytes: Uint8Array, position: number, value: number): number {
  if (value === (value | 0)) return writeVarint(bytes, position, value);
  // The zigzag of v is 2v, or −2v − 1 below zero: kept as its low 28 bits and the rest, so that no double exceeds 2^53.
  const half = value < 0 ? -value - 1 : value;
  let low = (half % TWO_27) * 2 + (value < 0 ? 1 : 0);
  let rest = Math.floor(half / TWO_27);
  for (let group = 0; group < 4; group++) {
    bytes[position++] = low | 0x80;
    low >>>= 7;
  }
  // Beyond 32 bits there always is a rest: |v| > 2^31 leaves at least four bits here.
  while (rest >= 0x80) {
    bytes[position++] = (rest % 0x80) | 0x80;
    rest = Math.floor(rest / 0x80);
  }
  bytes[position++] = rest;
  return position;
}
