// Copies over memory of one's own equal those of the engine, at every length around the steps they take.
import { expect, test } from 'vitest';
import { copyShared } from '../../src/base/shared-copy.ts';
import { KIB } from '../../src/base/units.ts';

test('within a shared buffer and between two, nothing beside the place is touched', () => {
  const sizeBytes = 300 * KIB;
  const source = Buffer.from(new SharedArrayBuffer(sizeBytes));
  for (let i = 0; i < sizeBytes; i++) source[i] = (i * 7 + (i >> 8)) & 0xff;
  const before = Buffer.from(source);
  const other = Buffer.from(new SharedArrayBuffer(sizeBytes));
  for (const length of [0, 1, 63, 1000, 32 * KIB - 1, 32 * KIB, 32 * KIB + 1, 64 * KIB, 100_000]) {
    other.fill(0xee);
    copyShared(source, 17, other, 5000, length);
    expect(other.subarray(5000, 5000 + length).equals(before.subarray(17, 17 + length)), `${length} bytes`).toBe(true);
    expect([other[4999], other[5000 + length]], `${length} bytes`).toEqual([0xee, 0xee]);
    copyShared(source, 3, source, 150 * KIB, length);
    expect(source.subarray(150 * KIB, 150 * KIB + length).equals(before.subarray(3, 3 + length)), `${length} bytes`).toBe(true);
    expect(source.subarray(150 * KIB + length).equals(before.subarray(150 * KIB + length)), `${length} bytes`).toBe(true);
    before.copy(source);
  }
});
