import { afterEach, expect, test } from 'vitest';
import { SlicedWork } from '../../src/broker/sliced-work.ts';
import type { Runtime } from '../../src/scheduler/runtime.ts';
import { Simulation } from '../../src/scheduler/sim-runtime.ts';

const PIECES = 100;
/** A slice is no longer. */
const SLICE_MAX = 16;

let simulation: Simulation;

afterEach(() => {
  simulation.kill();
});

async function runtimeOf(seed: number): Promise<Runtime> {
  simulation = new Simulation({ seed, limits: { workerCount: 1 } });
  const app = { onControl: () => {}, onSupervisor: () => {}, onConnection: () => {}, stop: (done: () => void) => done() };
  const process = await simulation.boot({ sharedBytes: 64, data: null, factory: () => app });
  return process.runtime(0);
}

test('between slices others have their turn; who waits is told in order, when all before is done', async () => {
  const runtime = await runtimeOf(1);
  const done: number[] = [];
  const told: string[] = [];
  const turns: number[] = [];
  const work = new SlicedWork<number>(runtime, (piece) => done.push(piece));
  runtime.post(() => {
    for (let piece = 0; piece < PIECES; piece++) work.add(piece);
    work.whenDone(() => told.push(`first at ${done.length}`));
    expect(done.length).toBeLessThanOrEqual(SLICE_MAX);
    const serve = (): void => {
      turns.push(done.length);
      if (done.length < PIECES) runtime.after(0, serve);
    };
    runtime.after(0, serve);
    runtime.after(0, () => {
      work.add(PIECES);
      work.whenDone(() => told.push(`second at ${done.length}`));
    });
  });
  await simulation.until(() => told.length === 2, 1000);
  expect(done).toEqual(Array.from({ length: PIECES + 1 }, (_, piece) => piece));
  expect(told).toEqual([`first at ${PIECES + 1}`, `second at ${PIECES + 1}`]);
  // However many pieces there are, no more than a slice of them stands between two turns of another.
  turns.forEach((count, index) => {
    expect(count - (turns[index - 1] ?? 0)).toBeLessThanOrEqual(2 * SLICE_MAX);
  });
  expect(turns.length).toBeGreaterThan(2);
});

test('with nothing in line one is told at once, and what is dropped is not done', async () => {
  const runtime = await runtimeOf(2);
  const done: number[] = [];
  const told: string[] = [];
  const work = new SlicedWork<number>(runtime, (piece) => done.push(piece));
  runtime.post(() => {
    work.whenDone(() => told.push('at once'));
    expect(told).toEqual(['at once']);
    for (let piece = 0; piece < PIECES; piece++) work.add(piece);
    work.whenDone(() => told.push('later'));
    work.drop();
  });
  await simulation.until(() => told.length === 2, 1000);
  expect(done.length).toBeLessThanOrEqual(SLICE_MAX);
});
