// Bytes that grow as a decoder produces them, up to a limit: what is allocated follows what was decoded, not what a header says.
// Pure.
import { tooLarge } from './errors.ts';

/** Fewer bytes than this are copied faster in a loop than through a view. */
const VIEW_MIN_BYTES = 32;

export class BoundedOutput {
  bytes: Uint8Array;
  position = 0;
  readonly #codec: string;
  readonly #limitBytes: number;

  /** `expectedBytes` is a guess that costs nothing to be wrong. */
  constructor(codec: string, expectedBytes: number, limitBytes: number) {
    this.#codec = codec;
    this.#limitBytes = limitBytes;
    this.bytes = new Uint8Array(Math.min(expectedBytes, limitBytes));
  }

  /** Makes room for `moreBytes` behind the position; throws CompressionError ('too-large') beyond the limit. */
  reserve(moreBytes: number): void {
    const need = this.position + moreBytes;
    if (need <= this.bytes.length) return;
    if (need > this.#limitBytes) throw tooLarge(this.#codec, this.#limitBytes);
    const grown = new Uint8Array(Math.min(Math.max(need, this.bytes.length * 2), this.#limitBytes));
    grown.set(this.bytes.subarray(0, this.position));
    this.bytes = grown;
  }

  /** Takes `length` bytes from source[at, …), which has them. Room was reserved. */
  take(source: Uint8Array, at: number, length: number): void {
    const { bytes, position } = this;
    if (length > VIEW_MIN_BYTES) bytes.set(source.subarray(at, at + length), position);
    else for (let i = 0; i < length; i++) bytes[position + i] = source[at + i] as number;
    this.position = position + length;
  }

  append(source: Uint8Array): void {
    this.reserve(source.length);
    this.bytes.set(source, this.position);
    this.position += source.length;
  }

  /**
   * Repeats `length` bytes from `distance` back, byte after byte where the two overlap. Room was reserved; 1 <= distance <= position.
   */
  repeat(distance: number, length: number): void {
    const { bytes, position } = this;
    const from = position - distance;
    if (distance >= length && length > VIEW_MIN_BYTES) bytes.copyWithin(position, from, from + length);
    else for (let i = 0; i < length; i++) bytes[position + i] = bytes[from + i] as number;
    this.position = position + length;
  }

  finish(): Uint8Array {
    return this.bytes.subarray(0, this.position);
  }
}
