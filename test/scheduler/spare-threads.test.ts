// Threads that are started before they are wanted: whatever happens between, none is left.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import type { Worker } from 'node:worker_threads';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Broker, startBroker } from '../../src/broker/broker.ts';
import { WORKER_ENTRY } from '../../src/broker/worker-entry.ts';
import { resolveBrokerConfig } from '../../src/config/broker-config.ts';
import { SpareThreads } from '../../src/scheduler/spare-threads.ts';
import { startWorkers, WorkerFailure } from '../../src/scheduler/supervisor.ts';
import { loggerTo } from '../../src/telemetry/logger.ts';

const entry = new URL(`./echo-worker${extname(import.meta.filename)}`, import.meta.url);
const HAS_ENDED = -1; // The threadId of a thread that is no more.
const LISTENER = { onMessage: () => {}, onFailed: () => {} };

const threads: Worker[] = [];
const note = (thread: Worker): void => void threads.push(thread);
beforeEach(() => void process.on('worker', note));
afterEach(async () => {
  process.off('worker', note);
  await Promise.all(threads.splice(0).map((thread) => thread.terminate()));
});

const ids = (): number[] => threads.map(({ threadId }) => threadId);

describe('threads that are lent', () => {
  test('end where what they are lent to throws at once', async () => {
    const lent = SpareThreads.lend(entry, 2, () => {
      throw new Error('no budget');
    });
    await expect(lent).rejects.toThrow('no budget');
    expect(ids()).toEqual([HAS_ENDED, HAS_ENDED]);
  });

  test('end where nobody took them, and stay where somebody did', async () => {
    const taken = await SpareThreads.lend(entry, 2, async (spares) => spares.take(1));
    expect(threads).toHaveLength(2);
    expect(threads[1]).toBe(taken);
    expect(ids()[0]).toBe(HAS_ENDED);
    expect(ids()[1]).toBeGreaterThan(0);
  });

  test('are added to until there are as many as are wanted', async () => {
    const taken = await SpareThreads.lend(entry, 1, async (spares) => {
      spares.begin(2);
      spares.begin(1);
      return [spares.take(0), spares.take(1), spares.take(2)];
    });
    await new Promise((done) => setImmediate(done)); // Node tells of a thread a tick later.
    expect(taken).toEqual([...threads, null]);
    expect(threads).toHaveLength(2);
    expect(ids()).not.toContain(HAS_ENDED);
  });
});

test('a thread that cannot be made fails whoever wants it, and nobody else', async () => {
  const nowhere = new URL('http://127.0.0.1/worker.js'); // Refused by Node before it makes a thread.
  await expect(SpareThreads.lend(nowhere, 1, async () => 'without')).resolves.toBe('without');
  const start = SpareThreads.lend(nowhere, 1, (spares) =>
    startWorkers({ count: 1, entry: nowhere, data: {}, sharedBytes: 4096, listener: LISTENER, spares }),
  );
  await expect(start).rejects.toThrow(WorkerFailure);
});

test('those that a supervisor took end where it cannot boot all of them', async () => {
  // Cannot be cloned: the first message to a thread fails, when it is the supervisor's already.
  const data = { callback: () => {} };
  const start = SpareThreads.lend(entry, 2, (spares) =>
    startWorkers({ count: 2, entry, data, sharedBytes: 4096, listener: LISTENER, spares }),
  );
  await expect(start).rejects.toThrow(WorkerFailure);
  expect(ids()).toEqual([HAS_ENDED, HAS_ENDED]);
});

describe('a thread that began before it was known how many workers there are', () => {
  let directory = '';
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'naru-spares-'));
  });
  afterEach(() => rm(directory, { recursive: true }));

  const begin = (workers: number): Promise<Broker> =>
    SpareThreads.lend(WORKER_ENTRY, 1, (spares) => {
      const overrides = Object.entries({ 'naru.workers': String(workers), 'log.dirs': directory, listeners: 'PLAINTEXT://127.0.0.1:0' });
      const { config } = resolveBrokerConfig({ overrides, coreCount: 2 });
      return startBroker(
        config,
        loggerTo(() => {}, 'error'),
        undefined,
        spares,
      );
    });

  test('is the first of them', async () => {
    const broker = await begin(2);
    expect(threads).toHaveLength(2);
    expect(ids()).not.toContain(HAS_ENDED);
    await broker.stop();
    expect(ids()).toEqual([HAS_ENDED, HAS_ENDED]);
  });

  test('ends where there are none', async () => {
    const broker = await begin(0);
    expect(ids()).toEqual([HAS_ENDED]);
    await broker.stop();
  });
});

test('a broker that does not get as far as its workers leaves no thread', async () => {
  const { config } = resolveBrokerConfig({
    overrides: [
      ['naru.workers', '2'],
      ['log.dirs', '/dev/null'],
    ],
    coreCount: 2,
  });
  await expect(
    startBroker(
      config,
      loggerTo(() => {}, 'error'),
    ),
  ).rejects.toThrow('/dev/null');
  expect(threads).toHaveLength(2);
  expect(ids()).toEqual([HAS_ENDED, HAS_ENDED]);
});
