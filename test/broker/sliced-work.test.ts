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

test('between slices others have their turn; pieces that are waited for come first, and the end is told each time', async () => {
  const runtime = await runtimeOf(1);
  const done: number[] = [];
  const told: number[] = [];
  const turns: number[] = [];
  const work = new SlicedWork<number>(
    runtime,
    (piece) => done.push(piece),
    () => told.push(done.length),
  );
  runtime.post(() => {
    for (let piece = 0; piece < PIECES; piece++) work.add(piece);
    work.add(-1, true);
    work.add(-2, true);
    expect(done, 'nothing in the turn that begins it').toEqual([]);
    const serve = (): void => {
      turns.push(done.length);
      if (turns.length === 3) work.add(-3, true);
      if (done.length < PIECES + 3) runtime.after(0, serve);
      else work.add(PIECES);
    };
    runtime.after(0, serve);
  });
  await simulation.until(() => told.length === 2, 1000);
  expect(told).toEqual([PIECES + 3, PIECES + 4]);
  expect(done.slice(0, 2)).toEqual([-1, -2]);
  expect(done.filter((piece) => piece >= 0)).toEqual(Array.from({ length: PIECES + 1 }, (_, piece) => piece));
  expect(done.indexOf(-3)).toBeLessThan(4 * SLICE_MAX);
  // However many pieces there are, no more than a slice of them stands between two turns of another.
  turns.forEach((count, index) => {
    expect(count - (turns[index - 1] ?? 0)).toBeLessThanOrEqual(2 * SLICE_MAX);
  });
  expect(turns.length).toBeGreaterThan(2);
});

test('what is dropped is not done', async () => {
  const runtime = await runtimeOf(2);
  const done: number[] = [];
  const told: string[] = [];
  const work = new SlicedWork<number>(
    runtime,
    (piece) => {
      done.push(piece);
      if (piece === 3) work.drop();
    },
    () => told.push(`at ${done.length}`),
  );
  runtime.post(() => {
    for (let piece = 0; piece < PIECES; piece++) work.add(piece);
  });
  await simulation.until(() => told.length === 1, 1000);
  expect(done).toEqual([0, 1, 2, 3]);
});
