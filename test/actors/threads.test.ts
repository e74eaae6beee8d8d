// The same code on real threads: what the interleaving explorer cannot say is whether the machine keeps its promises.
import { Worker } from 'node:worker_threads';
import { expect, it } from 'vitest';
import { createExchangeRegion, RING_HEAD_WORD, RING_TAIL_WORD, ringWords } from '../../src/actors/ring-layout.ts';
import { SharedWords } from '../../src/actors/shared-words.ts';
import type { ExchangeTortureData, ExchangeTortureResult } from './exchange-torture-worker.ts';
import type { RingTortureData } from './ring-torture-worker.ts';

function spawn(file: string, workerData: RingTortureData | ExchangeTortureData): Worker {
  return new Worker(new URL(file, import.meta.url), { workerData, execArgv: [] });
}

async function tortureRing(messageCount: number, capacityBytes: number, payloadWordsMax: number, initialCounter: number): Promise<void> {
  const region = new SharedArrayBuffer(ringWords(capacityBytes) * 4);
  const words = new SharedWords(region);
  words.store(RING_TAIL_WORD, initialCounter);
  words.store(RING_HEAD_WORD, initialCounter);
  const ends = [true, false].map((isProducer) =>
    spawn('./ring-torture-worker.ts', { region, capacityBytes, messageCount, isProducer, payloadWordsMax }),
  );
  const finished = ends.map(
    (end) =>
      new Promise<void>((resolve, reject) => {
        end.once('message', () => resolve());
        end.once('error', reject);
      }),
  );
  try {
    await Promise.all(finished);
  } finally {
    await Promise.all(ends.map((end) => end.terminate()));
  }
  expect(words.load(RING_HEAD_WORD)).toBe(words.load(RING_TAIL_WORD));
  expect(words.load(RING_HEAD_WORD)).not.toBe(initialCounter);
}

it('ten million messages of random sizes arrive in order and whole, past 2^31', { timeout: 120_000 }, async () => {
  await tortureRing(10_000_000, 256 * 1024, 40, 2 ** 31 - 100_000);
});

it.each([
  ['past 2^32', 500_000, 4096, 40, -100_000],
  ['through a ring of the smallest size', 40_000, 128, 12, -1000],
])(
  'messages arrive in order and whole %s',
  { timeout: 120_000 },
  async (_, messageCount, capacityBytes, payloadWordsMax, initialCounter) => {
    await tortureRing(messageCount, capacityBytes, payloadWordsMax, initialCounter);
  },
);

it.each([
  [1, 128, 20_000],
  [2, 128, 20_000],
  [3, 128, 8_000],
  [3, 4096, 20_000],
])(
  '%i workers with rings of %i bytes answer each other and sleep in between',
  { timeout: 120_000 },
  async (workerCount, ringCapacityBytes, requestCount) => {
    const region = createExchangeRegion(workerCount, ringCapacityBytes, -1000);
    const workers = Array.from({ length: workerCount }, (_, selfIndex) =>
      spawn('./exchange-torture-worker.ts', { selfIndex, workerCount, region, ringCapacityBytes, requestCount }),
    );
    let bells = 0;
    const results = workers.map(
      (worker) =>
        new Promise<ExchangeTortureResult>((resolve, reject) => {
          worker.on('message', (message: number | ExchangeTortureResult) => {
            if (typeof message !== 'number') return resolve(message);
            bells++;
            workers[message]?.postMessage('bell');
          });
          worker.once('error', reject);
        }),
    );
    try {
      const done = await Promise.all(results);
      for (const { answered } of done) expect(answered).toBe(requestCount);
      for (const { refused } of done) expect(refused).toBeGreaterThan(0);
      if (workerCount > 1) expect(bells).toBeGreaterThan(0);
      if (workerCount > 1) expect(done.reduce((sum, { sleeps }) => sum + sleeps, 0)).toBeGreaterThan(0);
    } finally {
      await Promise.all(workers.map((worker) => worker.terminate()));
    }
  },
);
