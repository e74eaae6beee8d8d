// How long connections wait for the rate that they may come at.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ConnectionRate } from '../../src/network/connection-rate.ts';

const WINDOWS = { count: 11, sizeMs: 1000 };

describe('a rate', () => {
  test('lets as many come at once as come in ten windows, and the next ones one after the other', () => {
    const rate = new ConnectionRate(10, WINDOWS);
    const delays = Array.from({ length: 105 }, () => rate.record(5000));
    // At the beginning of the eleventh window: 100 in 10 s are 10 a second; each one more takes a tenth of a second.
    expect(delays.slice(0, 100)).toEqual(new Array(100).fill(0));
    expect(delays.slice(100)).toEqual([100, 200, 300, 400, 500]);
  });

  test('holds nobody up for longer than a window', () => {
    const rate = new ConnectionRate(1, { count: 2, sizeMs: 300 });
    expect([1, 2, 3].map(() => rate.record(0))).toEqual([300, 300, 300]);
  });

  test('forgets what lies behind all windows', () => {
    const rate = new ConnectionRate(10, WINDOWS);
    for (let i = 0; i < 100; i++) rate.record(0);
    expect(rate.record(10_999)).toBe(0); // Eleven seconds, and 101 connections in them: below ten a second.
    for (let i = 0; i < 8; i++) rate.record(10_999);
    expect(rate.record(10_999)).toBeGreaterThan(0);
    expect(rate.record(11_000 + 10_999)).toBe(0);
  });

  test('that is changed holds for the next one', () => {
    const rate = new ConnectionRate(1000, WINDOWS);
    for (let i = 0; i < 50; i++) expect(rate.record(0)).toBe(0);
    rate.limit = 5;
    expect(rate.record(0)).toBe(200);
    rate.limit = 0;
    expect(rate.record(0)).toBe(WINDOWS.sizeMs);
  });

  test('is met in the long run by those who wait as long as they are told', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 50 }),
        fc.integer({ min: 1, max: 12 }),
        fc.integer({ min: 1, max: 40 }),
        (limit, count, rushed) => {
          const rate = new ConnectionRate(limit, { count, sizeMs: 1000 });
          let nowMs = 0;
          const seconds = 100;
          let inCount = 0;
          while (nowMs < seconds * 1000) {
            for (let i = 0; i < rushed; i++) {
              nowMs += rate.record(nowMs);
              inCount++;
            }
            nowMs += 1;
          }
          // A first burst of all windows, and what the last wait was for; since a window is forgotten as a whole, up to one of them is not seen.
          expect(inCount).toBeLessThanOrEqual(limit * (seconds + count) * (1 + 1 / count) + rushed);
        },
      ),
      { numRuns: 200 },
    );
  });
});
