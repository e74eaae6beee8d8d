// Zigzag varints at their bounds, against a definition in bigint.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { VarintReader, varintSizeBytes, varlongSizeBytes, writeVarint, writeVarlong } from '../../../src/protocol/records/varint.ts';

/** The bytes of a 64-bit zigzag varint, by its definition. */
function encode(value: bigint): number[] {
  let rest = BigInt.asUintN(64, (value << 1n) ^ (value >> 63n));
  const bytes: number[] = [];
  for (; rest >= 0x80n; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
  return [...bytes, Number(rest)];
}

const readerOf = (bytes: readonly number[]): VarintReader => new VarintReader(Uint8Array.from(bytes), 0, bytes.length);

const INT32_BOUNDS = [0, -1, 1, 63, -64, 64, -65, 8191, -8192, 8192, 0x7ffffffe, 0x7fffffff, -0x7fffffff, -0x80000000];
const SAFE_BOUNDS = [
  ...INT32_BOUNDS,
  ...[27, 28, 31, 32, 34, 35, 41, 42, 48, 49, 52].flatMap((bits) => [-1, 0, 1].flatMap((by) => [2 ** bits + by, -(2 ** bits) + by])),
  Number.MAX_SAFE_INTEGER,
  Number.MIN_SAFE_INTEGER,
];

function expectVarlong(value: number): void {
  const expected = encode(BigInt(value));
  const bytes = new Uint8Array(12).fill(0xee);
  expect(writeVarlong(bytes, 1, value), `${value}`).toBe(1 + expected.length);
  expect([...bytes.subarray(1, 1 + expected.length)], `${value}`).toEqual(expected);
  expect(bytes[1 + expected.length]).toBe(0xee);
  expect(varlongSizeBytes(value), `${value}`).toBe(expected.length);
  const reader = readerOf(expected);
  expect(reader.readVarlong()).toBe(value);
  expect([reader.isBad, reader.position]).toEqual([false, expected.length]);
}

function expectVarint(value: number): void {
  const expected = encode(BigInt(value));
  const bytes = new Uint8Array(8).fill(0xee);
  expect(writeVarint(bytes, 1, value)).toBe(1 + expected.length);
  expect([...bytes.subarray(1, 1 + expected.length)]).toEqual(expected);
  expect(varintSizeBytes(value)).toBe(expected.length);
  const reader = readerOf(expected);
  expect(reader.readVarint()).toBe(value);
  expect([reader.isBad, reader.position]).toEqual([false, expected.length]);
}

describe('varints', () => {
  it('are right at their bounds', () => {
    for (const value of INT32_BOUNDS) expectVarint(value);
    for (const value of SAFE_BOUNDS) expectVarlong(value);
  });

  it('are right everywhere between', () => {
    fc.assert(fc.property(fc.integer(), expectVarint));
    fc.assert(fc.property(fc.maxSafeInteger(), expectVarlong));
  });

  it('come out rounded beyond 2^53, of 64 bits at most', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (value) => {
        const reader = readerOf(encode(value));
        const read = reader.readVarlong();
        expect(reader.isBad).toBe(false);
        if (Number.isSafeInteger(Number(value))) expect(read).toBe(Number(value));
        else {
          expect(Number.isSafeInteger(read)).toBe(false);
          expect(Math.abs(read / Number(value) - 1)).toBeLessThan(1e-15);
        }
      }),
    );
  });

  it('are bad when they do not end in time, and stay bad', () => {
    for (const bytes of [[], [0x80], [0xff, 0xff, 0xff, 0xff, 0xff, 0x01]]) {
      const reader = readerOf(bytes);
      expect(reader.readVarint()).toBe(0);
      expect([reader.isBad, reader.readVarint(), reader.isBad]).toEqual([true, 0, true]);
    }
    for (const bytes of [[], new Array<number>(9).fill(0x80), [...new Array<number>(10).fill(0x80), 0]]) {
      const reader = readerOf(bytes);
      expect(reader.readVarlong()).toBe(0);
      expect(reader.isBad).toBe(true);
    }
    const skipping = readerOf([0, 0, 0]);
    skipping.skip(-1);
    skipping.skip(2);
    expect([skipping.position, skipping.isBad]).toEqual([2, false]);
    skipping.skip(2);
    expect(skipping.isBad).toBe(true);
  });
});
