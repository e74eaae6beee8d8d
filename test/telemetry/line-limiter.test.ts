import { expect, test } from 'vitest';
import { LineLimiter } from '../../src/telemetry/line-limiter.ts';

test('so many lines a second, counted from the first; what is left out is told once', () => {
  const limiter = new LineLimiter(2);
  const admitted = [0, 10, 20, 999, 1000, 1999, 1999, 2000, 9000].map((nowMs) => limiter.admits(nowMs));
  expect(admitted).toEqual([true, true, false, false, true, true, false, true, true]);
  expect([limiter.takeLeftOut(), limiter.takeLeftOut()]).toEqual([3, 0]);
});
