// The same tests in the caller's thread and with real worker threads: what an app on a runtime can tell apart is a mistake.
import net from 'node:net';
import { extname } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { duplicateDescriptor } from '../../src/native/dup.ts';
import { startWorkers, type ThreadWorkers, WorkerFailure } from '../../src/scheduler/supervisor.ts';
import { createLocalRuntime, startLocal, type Workers } from '../../src/scheduler/worker-runtime.ts';
import { type EchoCommand, type EchoOptions, type EchoReport, echoApp } from './echo-app.ts';

const entry = new URL(`./echo-worker${extname(import.meta.filename)}`, import.meta.url);
const SHARED_BYTES = 4096;

interface Harness {
  readonly workers: Workers;
  /** 0 … count-1, the last one. */
  readonly last: number;
  send(worker: number, command: EchoCommand): void;
  /** The next report of that type that nobody has taken. */
  next<T extends EchoReport['type']>(type: T): Promise<Extract<EchoReport, { type: T }> & { readonly worker: number }>;
  readonly failures: Error[];
  failed(): Promise<Error>;
}

const started: Workers[] = [];
afterEach(async () => {
  for (const workers of started.splice(0)) await workers.stop();
});

async function start(
  threads: number,
  data: EchoOptions = {},
  more: { heapMaxMib?: number; stopTimeoutMs?: number } = {},
): Promise<Harness> {
  const reports: (EchoReport & { worker: number })[] = [];
  const failures: Error[] = [];
  let onChange = (): void => {};
  const listener = {
    onMessage(worker: number, message: unknown): void {
      reports.push({ ...(message as EchoReport), worker });
      onChange();
    },
    onFailed(error: Error): void {
      failures.push(error);
      onChange();
    },
  };
  const until = async <T>(find: () => T | undefined): Promise<T> => {
    const deadline = performance.now() + 10_000;
    for (;;) {
      const found = find();
      if (found !== undefined) return found;
      if (performance.now() > deadline) throw new Error(`waited in vain; failures: ${failures.join('; ')}`);
      await new Promise<void>((resolve) => {
        onChange = resolve;
        setTimeout(resolve, 100);
      });
    }
  };
  const common = { data, sharedBytes: SHARED_BYTES, listener };
  const workers =
    threads === 0
      ? await startLocal({ ...common, factory: echoApp, arenaBytes: 2 ** 20 })
      : await startWorkers({ ...common, count: threads, entry, ...more });
  started.push(workers);
  return {
    workers,
    last: workers.count - 1,
    failures,
    send: (worker, command) => workers.send(worker, command),
    failed: () => until(() => failures[0]),
    next: (type) =>
      until(() => {
        const at = reports.findIndex((report) => report.type === type);
        const found = reports[at];
        if (found === undefined) return undefined;
        reports.splice(at, 1);
        return found as Extract<EchoReport, { type: typeof type }> & { worker: number };
      }),
  };
}

describe.each([0, 1, 2])('%i worker threads', (threads) => {
  test('a request reaches its worker and the reply comes back, in both directions', async () => {
    const { workers, last, send, next } = await start(threads);
    expect(workers.count).toBe(Math.max(1, threads));
    expect(workers.threadCount).toBe(threads);
    send(0, { type: 'ask', to: last, value: 41 });
    expect(await next('answer')).toMatchObject({ worker: 0, from: last, value: 42, float: 2 * (41 + 2 ** 40) });
    send(last, { type: 'ask', to: 0, value: 1 });
    expect(await next('answer')).toMatchObject({ worker: last, from: 0, value: 2 });
  });

  test('a worker that sleeps is woken by the request', async () => {
    const { last, send, next } = await start(threads);
    for (const pauseMs of [0, 1, 50, 200]) {
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
      send(0, { type: 'ask', to: last, value: pauseMs });
      expect((await next('answer')).value).toBe(pauseMs + 1);
    }
  });

  test('thousands of round trips, one at a time: no bell is lost', async () => {
    const { last, send, next } = await start(threads);
    send(0, { type: 'roundTrips', to: last, count: 5000 });
    expect((await next('roundTrips')).meanUs).toBeGreaterThan(0);
  });

  test('control messages arrive in order, cloned, and never nested into the sender', async () => {
    const { last, send, next } = await start(threads);
    send(0, { type: 'control', to: last, values: [1, 2, 3] });
    send(0, { type: 'control', to: 0, values: [4, 5] });
    const heard: (EchoReport & { worker: number; value: unknown })[] = [];
    for (let i = 0; i < 5; i++) heard.push(await next('control'));
    const valuesAt = (worker: number): unknown[] => heard.filter((report) => report.worker === worker).map((report) => report.value);
    if (last === 0) {
      expect(valuesAt(0)).toEqual([1, 2, 3, 4, 5].map((value) => ({ value })));
    } else {
      expect(valuesAt(last)).toEqual([1, 2, 3].map((value) => ({ value })));
      expect(valuesAt(0)).toEqual([4, 5].map((value) => ({ value })));
    }
    for (const report of heard) expect(report).toMatchObject({ from: 0, isInTurn: true });
  });

  test('what is thrown in a turn stops the instance, is told once, and stop() still ends cleanly', async () => {
    const { workers, last, failures, send, failed } = await start(threads);
    send(last, { type: 'die', how: 'throw in a turn' });
    const error = await failed();
    expect(error.message).toContain('thrown in a turn');
    if (threads > 0)
      expect(error).toMatchObject({ name: 'WorkerFailure', workerIndex: last, message: `worker ${last} failed: Error: thrown in a turn` });
    await workers.stop();
    expect(failures).toHaveLength(1);
  });

  test('a factory that throws fails the start with its reason', async () => {
    const failing = start(threads, { failStartOf: Math.max(0, threads - 1) });
    await expect(failing).rejects.toThrow('told not to start');
    if (threads > 0) await expect(failing).rejects.toBeInstanceOf(WorkerFailure);
  });

  test('stop() waits for the actors, and calling it twice is calling it once', async () => {
    const { workers, failures } = await start(threads);
    const stopping = workers.stop();
    expect(workers.stop()).toBe(stopping);
    await stopping;
    expect(failures).toEqual([]);
  });

  test('200 connections accepted here go on in the workers: every byte comes back to its own', async (context) => {
    const duplicate = duplicateDescriptor();
    context.skip(duplicate === null, 'connections cannot be handed over without native calls');
    if (duplicate === null) return;
    const { workers } = await start(threads);
    let nextWorker = 0;
    const server = net.createServer({ pauseOnConnect: true }, (accepted) => {
      // Read in the block in which it is used: after destroy() the number belongs to someone else.
      const descriptor = duplicate(Number(Reflect.get(Object(Reflect.get(accepted, '_handle')), 'fd')));
      accepted.destroy();
      workers.handOver(nextWorker++ % workers.count, descriptor);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    const sizeBytes = 100_000;
    const echoed = Array.from(
      { length: 200 },
      (_, i) =>
        new Promise<void>((resolve, reject) => {
          let received = 0;
          const client = net.connect(address.port, '127.0.0.1', () => client.write(Buffer.alloc(sizeBytes, i)));
          client.on('error', reject);
          client.on('data', (bytes: Buffer) => {
            if (!bytes.every((byte) => byte === i % 256)) reject(new Error(`connection ${i} got a byte of another one`));
            received += bytes.length;
            if (received < sizeBytes) return;
            client.destroy();
            resolve();
          });
        }),
    );
    await Promise.all(echoed);
    server.close();
  });
});

describe('threads', () => {
  test.each([
    ['throw outside', 'Error: thrown outside'],
    ['reject', 'Error: rejected'],
    ['exit', 'its thread ended with exit code 7'],
    ['out of memory', 'out of memory'],
  ] as const)('a worker that dies by %s is named with its reason, and takes the others down', async (how, reason) => {
    const { workers, send, failed, failures } = await start(2, {}, { heapMaxMib: 32 });
    send(1, { type: 'die', how });
    const error = await failed();
    expect(error).toBeInstanceOf(WorkerFailure);
    expect(error.message).toContain(`worker 1 failed: ${reason}`);
    await workers.stop(); // Resolves when both threads have ended.
    expect(failures).toHaveLength(1);
  });

  test('a worker whose actors do not end is ended after the time that is given', async () => {
    const { workers, failures } = await start(2, { hangsAtStop: true }, { stopTimeoutMs: 200 });
    const startMs = performance.now();
    await workers.stop();
    expect(performance.now() - startMs).toBeGreaterThan(150);
    expect(failures).toEqual([]);
  });

  test('a worker that dies while all are stopping does not make them wait', async () => {
    const { workers, send, failed } = await start(2, { hangsAtStop: true });
    const stopping = workers.stop();
    send(1, { type: 'die', how: 'exit' });
    await stopping;
    expect((await failed()).message).toBe('worker 1 failed: its thread ended with exit code 7');
  });

  test('a worker that sleeps takes no turns and no CPU', async () => {
    const { send, next, last } = await start(2);
    send(0, { type: 'ask', to: last, value: 1 });
    await next('answer');
    const workers = started.at(-1) as ThreadWorkers;
    const { inspector, close } = await workers.inspect(last);
    const before = await inspector.stats();
    await new Promise((resolve) => setTimeout(resolve, 500));
    const after = await inspector.stats();
    close();
    expect(after.turnCount).toBe(before.turnCount);
    expect(after.idleMs - before.idleMs).toBeGreaterThan(450);
    expect(after).toMatchObject({ workerIndex: last, arenaUsedBytes: 0, inflightJobCount: 0 });
  });

  test('a worker can be profiled from outside', async () => {
    const { send, next, last } = await start(2);
    const workers = started.at(-1) as ThreadWorkers;
    const { inspector, close } = await workers.inspect(0);
    await inspector.startProfile(100);
    send(0, { type: 'roundTrips', to: last, count: 2000 });
    await next('roundTrips');
    const profile: { nodes: { callFrame: { functionName: string } }[] } = JSON.parse((await inspector.stopProfile()) ?? 'null');
    expect(profile.nodes.map((node) => node.callFrame.functionName)).toContain('runTurn');
    expect(await inspector.stopProfile()).toBeNull();
    close();
  });

  test('arenas that nothing has touched take no memory', async () => {
    const before = process.memoryUsage().rss;
    await start(2); // 512 MiB each.
    expect(process.memoryUsage().rss - before).toBeLessThan(200 * 2 ** 20);
  });
});

describe('in the thread of the caller', () => {
  function local() {
    const failures: Error[] = [];
    const runtime = createLocalRuntime({ sharedBytes: 64, arenaBytes: 2 ** 16, onFailure: (error) => failures.push(error) });
    const app = { onControl() {}, onSupervisor() {}, onConnection() {}, stop() {} };
    return { runtime, failures, app };
  }

  test('timers fire in the order of their deadlines, not early; a cancelled one does not', async () => {
    const { runtime, app } = local();
    runtime.open(app);
    const startMs = runtime.clock.monotonicMs();
    runtime.after(10, () => expect.unreachable()).cancel();
    const fired: { readonly delayMs: number; readonly atMs: number }[] = [];
    await new Promise<void>((resolve) => {
      for (const delayMs of [40, 20]) {
        runtime.after(delayMs, () => {
          if (fired.push({ delayMs, atMs: runtime.clock.monotonicMs() }) === 2) resolve();
        });
      }
    });
    expect(fired.map(({ delayMs }) => delayMs)).toEqual([20, 40]);
    for (const { delayMs, atMs } of fired) expect(atMs - startMs).toBeGreaterThanOrEqual(delayMs);
    runtime.close();
  });

  test('a job runs outside and its end is heard in a turn', async () => {
    const { runtime, app } = local();
    runtime.open(app);
    const turn = runtime.loop.turnCount;
    const value = await new Promise((resolve) =>
      runtime.submit(
        async () => 'result',
        (_error, result) => resolve(result),
      ),
    );
    expect(value).toBe('result');
    expect(runtime.loop.turnCount).toBeGreaterThan(turn);
    expect(runtime.inflightJobCount).toBe(0);
    runtime.close();
  });

  test('fail() ends the instance without throwing at the caller', () => {
    const { runtime, failures, app } = local();
    runtime.open(app);
    runtime.fail(new Error('from a socket callback'));
    expect(failures.map((error) => error.message)).toEqual(['from a socket callback']);
  });
});
