import fc from 'fast-check';
import { expect, test } from 'vitest';
import { TimerWheel, type WheelTimer } from '../../src/scheduler/timer-wheel.ts';

type Step =
  | { readonly do: 'add'; readonly delayMs: number }
  | { readonly do: 'cancel'; readonly pick: number }
  | { readonly do: 'wait'; readonly ms: number }
  /** To what nextMs says, as the driver does. */
  | { readonly do: 'next' };

const delay = fc.oneof(fc.nat(70), fc.nat(5_000), fc.nat(300_000), fc.nat(2 ** 31), fc.double({ min: 0, max: 5_000, noNaN: true }));
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: delay.map((delayMs) => ({ do: 'add' as const, delayMs })) },
  { weight: 1, arbitrary: fc.nat(30).map((pick) => ({ do: 'cancel' as const, pick })) },
  { weight: 2, arbitrary: delay.map((ms) => ({ do: 'wait' as const, ms })) },
  { weight: 3, arbitrary: fc.constant({ do: 'next' as const }) },
);

test('fires what a plain list fires, whatever was added, cancelled and waited for', () => {
  fc.assert(
    fc.property(fc.double({ min: 0, max: 2 ** 33, noNaN: true }), fc.array(step, { maxLength: 60 }), (startMs, steps) => {
      const wheel = new TimerWheel(startMs);
      let nowMs = startMs;
      const waiting: { readonly dueMs: number; readonly id: number; readonly timer: WheelTimer }[] = [];
      const fired: number[] = [];
      let id = 0;
      const check = (): void => {
        fired.length = 0;
        wheel.expire(nowMs, Number.MAX_SAFE_INTEGER);
        const due = waiting.filter((entry) => entry.dueMs <= Math.floor(nowMs));
        expect([...fired].sort((a, b) => a - b)).toEqual(due.map((entry) => entry.id));
        // Earlier deadlines first.
        const deadlines = fired.map((firedId) => due.find((entry) => entry.id === firedId)?.dueMs ?? -1);
        expect(deadlines).toEqual([...deadlines].sort((a, b) => a - b));
        for (const entry of due) waiting.splice(waiting.indexOf(entry), 1);
        expect(wheel.count).toBe(waiting.length);
        const nextMs = wheel.nextMs();
        const nearest = Math.min(...waiting.map((entry) => entry.dueMs));
        expect(nextMs).toBeLessThanOrEqual(nearest); // Never late …
        if (waiting.length <= 8) expect(nextMs).toBe(nearest); // … nor too soon for a few …
        if (waiting.length > 0) expect(nextMs).toBeGreaterThan(Math.floor(nowMs)); // … and never a loop without an end.
      };
      for (const { ...what } of steps) {
        if (what.do === 'add') {
          const own = id++;
          const dueMs = Math.max(Math.ceil(nowMs + what.delayMs), Math.floor(nowMs));
          waiting.push({ dueMs, id: own, timer: wheel.add(nowMs + what.delayMs, () => fired.push(own)) });
        } else if (what.do === 'cancel') {
          const [entry] = waiting.splice(what.pick, 1);
          entry?.timer.cancel();
          entry?.timer.cancel();
        } else {
          nowMs = what.do === 'wait' ? nowMs + what.ms : Math.max(nowMs, Math.min(wheel.nextMs(), nowMs + 2 ** 32));
          check();
        }
      }
      nowMs += 2 ** 32;
      check();
      expect(waiting).toEqual([]);
    }),
    { numRuns: 500 },
  );
});

test('following nextMs reaches a deadline years away in a few steps', () => {
  const wheel = new TimerWheel(0);
  const years = 10 * 365 * 24 * 3_600_000;
  let isFired = false;
  wheel.add(years, () => {
    isFired = true;
  });
  let steps = 0;
  let nowMs = 0;
  for (; !isFired; steps++) {
    nowMs = wheel.nextMs();
    wheel.expire(nowMs, 10);
  }
  expect(nowMs).toBe(years);
  expect(steps).toBeLessThan(30);
});

test('a deadline beyond the span does not hide a nearer one in a later slot', () => {
  const wheel = new TimerWheel(0);
  const spanMs = 2 ** 36;
  const fired: string[] = [];
  wheel.add(2 * spanMs, () => fired.push('far'));
  // The far one lies in the last slot of its level by now; this one will be placed behind it.
  const nowMs = spanMs / 2;
  wheel.expire(nowMs, 10);
  const nearMs = spanMs + spanMs / 4;
  wheel.add(nearMs, () => fired.push('near'));
  for (let next = wheel.nextMs(); fired.length === 0; next = wheel.nextMs()) {
    expect(next).toBeLessThanOrEqual(nearMs);
    wheel.expire(next, 10);
  }
  expect(fired).toEqual(['near']);
});

test('a task that adds a timer for now does not keep the call going', () => {
  const wheel = new TimerWheel(0);
  let fired = 0;
  const again = (): void => {
    fired++;
    wheel.add(0, again);
  };
  wheel.add(5, again);
  expect(wheel.expire(5, 100)).toBe(1);
  expect(wheel.expire(5, 100)).toBe(1);
  expect(fired).toBe(2);
});

test('what a task cancels does not fire, even when it is due already', () => {
  const wheel = new TimerWheel(0);
  const trace: string[] = [];
  wheel.add(5, () => {
    trace.push('first');
    later.cancel();
  });
  const later = wheel.add(5, () => trace.push('cancelled'));
  expect(wheel.expire(5, 100)).toBe(1);
  expect(wheel.expire(5, 100)).toBe(0);
  expect(trace).toEqual(['first']);
  expect(wheel.count).toBe(0);
});

test('a limit leaves the rest due', () => {
  const wheel = new TimerWheel(0);
  let fired = 0;
  for (let i = 0; i < 10; i++) wheel.add(i, () => fired++);
  expect(wheel.expire(100, 4)).toBe(4);
  expect(wheel.nextMs()).toBeLessThanOrEqual(100);
  expect(wheel.expire(100, 100)).toBe(6);
  expect(fired).toBe(10);
});

test('an error in a task loses that timer alone', () => {
  const wheel = new TimerWheel(0);
  let isFired = false;
  wheel.add(1, () => {
    throw new Error('in a task');
  });
  wheel.add(2, () => {
    isFired = true;
  });
  expect(() => wheel.expire(5, 100)).toThrow('in a task');
  wheel.expire(5, 100);
  expect(isFired).toBe(true);
});

test('100000 timers are added, mostly cancelled, and the rest fires in hardly more rounds than there are deadlines', () => {
  const wheel = new TimerWheel(0);
  let fired = 0;
  const deadlines = new Set<number>();
  for (let i = 0; i < 100_000; i++) {
    const delayMs = 500 + (i % 30_000);
    const timer = wheel.add(delayMs, () => fired++);
    if (i % 10 !== 0) timer.cancel();
    else deadlines.add(delayMs);
  }
  let rounds = 0;
  for (let nowMs = wheel.nextMs(); nowMs < Number.POSITIVE_INFINITY; nowMs = wheel.nextMs()) {
    wheel.expire(nowMs, 1000);
    rounds++;
  }
  expect(fired).toBe(10_000);
  // Not one for each cancelled timer, nor for each millisecond: beside the deadlines, those in which timers move to a finer wheel.
  expect(rounds).toBeLessThan(deadlines.size * 1.5);
});
