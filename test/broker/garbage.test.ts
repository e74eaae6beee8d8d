// What requests leave on the heaps of a broker: nothing that stays, and little that goes. No times: bytes, asked of the broker's threads.
import { describe, expect, it } from 'vitest';
import { apiVersionsFrame, createTopic, fetchNewest, flood, follow, produceFrame } from '../../bench/macro/garbage-loads.ts';
import type { HeapState } from '../../bench/macro/heap-probe.ts';
import { BrokerProcess } from '../support/broker-process.ts';
import { skipSuite } from '../support/skip.ts';
import { foreignReason, isForeign, workerCounts } from '../support/target.ts';

const PROBE = new URL('../../bench/macro/heap-probe.ts', import.meta.url).pathname;
/** An object with one field and its place in a list are 33 bytes and more. */
const KEPT_BYTES_MAX = 20;
/** Code that is compiled late is kept, too, up to a megabyte, once. What is kept of each request is kept in every round. */
const ROUNDS = 10;

/** Of a broker's threads together: what they have allocated, and what is left of it when everything dead is collected. */
async function heapsOf(broker: BrokerProcess, threadCount: number): Promise<{ allocatedBytes: number; keptBytes: number }> {
  const from = broker.output.length;
  broker.child.kill('SIGUSR2');
  let states: HeapState[] = [];
  await expect
    .poll(
      () => {
        states = [...broker.output.slice(from).matchAll(/^heap (\{.*\})$/gm)].map(([, json]) => JSON.parse(json ?? '') as HeapState);
        return states.length;
      },
      { timeout: 20_000 },
    )
    .toBe(threadCount);
  return {
    allocatedBytes: states.reduce((sum, { allocatedBytes }) => sum + allocatedBytes, 0),
    keptBytes: states.reduce((sum, { usedBytes, externalBytes }) => sum + usedBytes + externalBytes, 0),
  };
}

/** Bytes allocated per request are about a third of what is allowed here. */
const loads = [
  {
    name: 'ApiVersions',
    count: 60_000,
    allocatedMax: 1_000,
    run: (port: number, count: number) => flood(port, apiVersionsFrame(), count, 20),
  },
  {
    name: 'produce',
    count: 60_000,
    allocatedMax: 4_000,
    run: (port: number, count: number) => flood(port, produceFrame('kept', [0]), count, 20),
  },
  { name: 'fetch', count: 30_000, allocatedMax: 12_000, run: (port: number, count: number) => fetchNewest(port, 'kept', 0, count, 20) },
  {
    name: 'a produce and the fetch that waits for it',
    count: 20_000,
    allocatedMax: 40_000,
    run: (port: number, count: number) => follow(port, 'kept', 1, count),
  },
] as const;

describe.each(workerCounts(0, 2))('at %i workers', (workers) => {
  skipSuite(isForeign ? foreignReason : null);

  it('requests leave nothing on the heaps', { timeout: 180_000 }, async () => {
    const broker = await BrokerProcess.start({ workers, environment: { NODE_OPTIONS: `--import=${PROBE}` } });
    try {
      await createTopic(broker.port, 'kept', 2);
      for (const { name, count, allocatedMax, run } of loads) {
        await run(broker.port, count / 3); // Fills what is pooled, and compiles most of what is hot.
        let kept = Number.POSITIVE_INFINITY;
        let allocated = Number.POSITIVE_INFINITY;
        for (let round = 0; round < ROUNDS && (kept >= KEPT_BYTES_MAX || allocated >= allocatedMax); round++) {
          const before = await heapsOf(broker, workers + 1);
          await run(broker.port, count);
          const after = await heapsOf(broker, workers + 1);
          kept = Math.min(kept, (after.keptBytes - before.keptBytes) / count);
          allocated = Math.min(allocated, (after.allocatedBytes - before.allocatedBytes) / count);
        }
        expect(kept, `bytes kept of each ${name}`).toBeLessThan(KEPT_BYTES_MAX);
        expect(allocated, `bytes allocated for each ${name}`).toBeLessThan(allocatedMax);
      }
    } finally {
      await broker.dispose();
    }
  });
});
