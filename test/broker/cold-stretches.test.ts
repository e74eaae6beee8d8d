// Which ranges of a file are taken for cold after one of them was.
import { expect, test } from 'vitest';
import { MIB } from '../../src/base/units.ts';
import { ColdStretches } from '../../src/broker/cold-stretches.ts';

test('what lies behind a cold place is taken for cold, so far and no farther, file by file', () => {
  const cold = new ColdStretches();
  expect(cold.has(5, 0)).toBe(false);
  cold.note(5, 100 * MIB);
  expect([99 * MIB, 100 * MIB, 131 * MIB].map((position) => cold.has(5, position))).toEqual([false, true, true]);
  expect(cold.has(6, 110 * MIB)).toBe(false);
  expect(cold.has(5, 132 * MIB)).toBe(false);
  // Forgotten there: its descriptor may be another file's by then.
  expect(cold.has(5, 110 * MIB)).toBe(false);
  cold.note(5, 0);
  cold.note(5, 200 * MIB);
  expect([10 * MIB, 210 * MIB].map((position) => cold.has(5, position))).toEqual([false, true]);
});
