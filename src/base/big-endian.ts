// Big-endian integers at a position of plain bytes, for headers and files that are read and rewritten in place. Callers stay in bounds.
// Byte loads on a Uint8Array are inlined by V8, as fast as a kept DataView, and no view is needed for each piece of memory
// (bench/micro/records.bench.ts).
// Pure.

const TWO_32 = 2 ** 32;

export function readInt16(bytes: Uint8Array, position: number): number {
  return (((bytes[position] as number) << 24) >> 16) | (bytes[position + 1] as number);
}

export function readInt32(bytes: Uint8Array, position: number): number {
  return (
    ((bytes[position] as number) << 24) |
    ((bytes[position + 1] as number) << 16) |
    ((bytes[position + 2] as number) << 8) |
    (bytes[position + 3] as number)
  );
}

/** Exact within ±(2^53 − 1); beyond, the nearest double, which Number.isSafeInteger tells. */
export function readInt64(bytes: Uint8Array, position: number): number {
  return readInt32(bytes, position) * TWO_32 + (readInt32(bytes, position + 4) >>> 0);
}

export function writeInt16(bytes: Uint8Array, position: number, value: number): void {
  bytes[position] = value >> 8;
  bytes[position + 1] = value;
}

/** Takes signed and unsigned 32-bit values alike. */
export function writeInt32(bytes: Uint8Array, position: number, value: number): void {
  bytes[position] = value >>> 24;
  bytes[position + 1] = value >>> 16;
  bytes[position + 2] = value >>> 8;
  bytes[position + 3] = value;
}

/** `value` is a safe integer. */
export function writeInt64(bytes: Uint8Array, position: number, value: number): void {
  writeInt32(bytes, position, Math.floor(value / TWO_32));
  writeInt32(bytes, position + 4, value >>> 0);
}
