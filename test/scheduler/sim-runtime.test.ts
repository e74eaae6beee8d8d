import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Runtime, WorkerApp, WorkerFactory } from '../../src/scheduler/runtime.ts';
import { Simulation } from '../../src/scheduler/sim-runtime.ts';
import { VirtualTime } from '../../src/scheduler/virtual-time.ts';
import { type EchoCommand, type EchoReport, echoApp } from './echo-app.ts';

const idleApp: WorkerApp = { onControl() {}, onSupervisor() {}, onConnection() {}, stop: (done) => done() };

/** A process whose app is `idleApp`, but for what `build` does with each runtime. */
async function simulate(seed: number, build: (runtime: Runtime) => Partial<WorkerApp>, workerCount = 2) {
  const simulation = new Simulation({ seed, limits: { workerCount, ringCapacityBytes: 4096, ioConcurrency: 2 } });
  const factory: WorkerFactory<null> = (runtime) => ({ ...idleApp, ...build(runtime) });
  const process = await simulation.boot({ factory, data: null, sharedBytes: 64 });
  return { simulation, process };
}

test('virtual time: events happen in the order of their times, then of their asking', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(20), { maxLength: 60 }), (times) => {
      const time = new VirtualTime();
      const happened: { atMs: number; number: number }[] = [];
      times.forEach((atMs, number) => {
        time.at(atMs, () => {
          happened.push({ atMs, number });
          expect(time.nowMs).toBe(atMs);
        });
      });
      while (time.step());
      expect(happened).toEqual(times.map((atMs, number) => ({ atMs, number })).sort((a, b) => a.atMs - b.atMs || a.number - b.number));
    }),
  );
});

test('virtual time never runs back: an event that is asked for in the past happens now', () => {
  const time = new VirtualTime();
  time.skipTo(10);
  time.at(3, () => expect(time.nowMs).toBe(10));
  expect(time.nextMs()).toBe(10);
  time.step();
});

describe('a simulated process', () => {
  test('runs the app that real workers run', async () => {
    for (let seed = 1; seed <= 20; seed++) {
      const simulation = new Simulation({ seed, limits: { workerCount: 2 } });
      const reports: EchoReport[] = [];
      const process = await simulation.boot({
        factory: echoApp,
        data: {},
        sharedBytes: 64,
        onMessage: (_worker, message) => reports.push(message as EchoReport),
      });
      process.send(0, { type: 'ask', to: 1, value: 41 } satisfies EchoCommand);
      process.send(0, { type: 'control', to: 1, values: [1, 2, 3, 4] } satisfies EchoCommand);
      await simulation.until(() => reports.length === 5, 1000);
      const { nowMs } = simulation.time;
      expect(reports).toContainEqual({ type: 'answer', from: 1, value: 42, float: 2 * (41 + 2 ** 40) });
      const heard = reports.filter((report) => report.type === 'control');
      expect(heard.map((report) => report.value)).toEqual([1, 2, 3, 4].map((value) => ({ value })));
      await process.stop();
      expect(simulation.time.nowMs).toBeGreaterThanOrEqual(nowMs + 5); // Its timer of 5 ms was virtual.
    }
  });

  test('timers fire in the order of their deadlines, at virtual time', async () => {
    const fired: string[] = [];
    const { simulation } = await simulate(
      3,
      (runtime) => {
        for (const delayMs of [500, 3, 40_000]) {
          runtime.after(delayMs, () => fired.push(`${delayMs} at ${Math.floor(runtime.clock.monotonicMs() / 100)}`));
        }
        runtime.after(50, () => expect.unreachable()).cancel();
        return {};
      },
      1,
    );
    await simulation.runFor(3_600_000);
    expect(fired).toEqual(['3 at 0', '500 at 5', '40000 at 400']);
    expect(simulation.time.nowMs).toBeGreaterThanOrEqual(3_600_000);
  });

  test('jobs end in a later turn, in virtual time, and wait for each other as in production', async () => {
    const trace: string[] = [];
    const { simulation, process } = await simulate(4, (runtime) => {
      if (runtime.workerIndex === 1) return {};
      for (const job of [1, 2, 3]) {
        runtime.submit(
          async () => {
            trace.push(`start ${job}`);
            await Promise.resolve();
            if (job === 2) throw new Error('refused');
            return job;
          },
          (error, value) => trace.push(error === null ? `done ${value}` : `failed ${error.message}`),
        );
      }
      trace.push('submitted');
      return {};
    });
    await simulation.until(() => trace.length === 7, 1000);
    expect(trace.slice(0, 3)).toEqual(['start 1', 'start 2', 'submitted']); // Two at a time: the third waits.
    expect(trace.toSorted()).toEqual(['done 1', 'done 3', 'failed refused', 'start 1', 'start 2', 'start 3', 'submitted']);
    expect(process.hasJobs).toBe(false);
  });

  test('control messages to itself are queued, cloned and heard after the start', async () => {
    const heard: unknown[] = [];
    const message = { text: 'before' };
    const { simulation } = await simulate(
      5,
      (runtime) => {
        runtime.sendControl(runtime.workerIndex, message);
        message.text = 'after';
        return { onControl: (from, value) => void heard.push({ from, value }) };
      },
      1,
    );
    expect(heard).toEqual([]);
    await simulation.runFor(100);
    expect(heard).toEqual([{ from: 0, value: { text: 'before' } }]);
  });

  test('what a turn throws comes out of step()', async () => {
    const { simulation } = await simulate(6, (runtime) => {
      runtime.after(5, () => {
        throw new Error('of our own');
      });
      return {};
    });
    await expect(simulation.runFor(100)).rejects.toThrow('of our own');
  });

  test('of a process that was killed nothing happens any more, and its disk keeps what it wrote', async () => {
    let ticks = 0;
    const { simulation } = await simulate(7, (runtime) => {
      runtime.storage.replaceText(`file-${runtime.workerIndex}`, 'text');
      const tick = (): void => {
        ticks++;
        runtime.storage.open('synced never', 'create');
        runtime.after(1, tick);
      };
      tick();
      return {};
    });
    await simulation.runFor(50);
    simulation.kill();
    const before = ticks;
    expect(before).toBeGreaterThan(20);
    await simulation.runFor(50);
    expect(ticks).toBe(before);
    expect(simulation.disk.exists('synced never')).toBe(true);
    expect(simulation.process).toBeNull();
  });

  test('waiting for what never comes says so', async () => {
    const { simulation } = await simulate(8, () => ({}));
    await expect(simulation.until(() => false, 1000, 'the impossible')).rejects.toThrow(
      'the impossible did not happen within 1000 ms: nothing happens any more',
    );
  });

  test('a worker whose start waits for a job is ready when the job has ended', async () => {
    const simulation = new Simulation({ seed: 9, limits: { workerCount: 2 } });
    const factory: WorkerFactory<null> = async (runtime) => {
      await new Promise<void>((resolve) =>
        runtime.submit(
          async () => {},
          () => resolve(),
        ),
      );
      return idleApp;
    };
    await simulation.boot({ factory, data: null, sharedBytes: 64 });
    await expect(
      new Simulation({ seed: 9 }).boot({ factory: () => Promise.reject(new Error('not today')), data: null, sharedBytes: 64 }),
    ).rejects.toThrow('not today');
  });
});

test('seeds draw limits down to their minimum, and differ', () => {
  const seen = new Map<string, Set<number>>();
  for (let seed = 0; seed < 200; seed++) {
    for (const [name, value] of Object.entries(new Simulation({ seed }).limits)) {
      const values = seen.get(name) ?? new Set();
      seen.set(name, values.add(value));
    }
  }
  expect([...(seen.get('ringCapacityBytes') ?? [])]).toContain(128);
  expect([...(seen.get('arenaBytes') ?? [])]).toContain(4096);
  expect([...(seen.get('workerCount') ?? [])].sort()).toEqual([1, 2, 3, 4]);
});
