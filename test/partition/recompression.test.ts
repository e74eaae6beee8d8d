// How many batches are open at a time in the pool: those that open to much one after the other, whatever the number of threads.
import { expect, test } from 'vitest';
import { MIB } from '../../src/base/units.ts';
import { OPENED_BYTES_USUAL, type Recompressed, type RecompressTask, recompress } from '../../src/log/recompress.ts';
import type { LeaderReplica } from '../../src/partition/leader-replica.ts';
import type { PendingProduce } from '../../src/partition/pending-produce.ts';
import { Recompression, type WaitingBatch } from '../../src/partition/recompression.ts';
import { COMPRESSION } from '../../src/protocol/records/batch.ts';
import type { Runtime } from '../../src/scheduler/runtime.ts';
import { batch, NOW_MS, openLog } from '../log/log-fixtures.ts';

const THREADS = 4;

interface Job {
  readonly task: RecompressTask;
  readonly done: (error: Error | null, outcome: Recompressed | undefined) => void;
}

/** A pool whose jobs end when the test says so. */
function pooled() {
  const jobs: Job[] = [];
  const decided: WaitingBatch[] = [];
  const runtime = {
    poolThreadCount: THREADS,
    clock: { wallMs: () => NOW_MS },
    compute: (_name: string, task: RecompressTask, done: Job['done']) => jobs.push({ task, done }),
  } as unknown as Runtime;
  const recompression = new Recompression(runtime, (waiting) => decided.push(waiting));
  const log = openLog({ config: { compression: COMPRESSION.ZSTD, compressionLevel: 3, maxMessageBytes: 100 * MIB } });
  /** Each batch for a partition of its own. */
  const take = (bytes: Uint8Array): void => {
    const replica = { log, hasWaiting: false } as unknown as LeaderReplica;
    const shared = new Uint8Array(new SharedArrayBuffer(bytes.length));
    shared.set(bytes);
    recompression.take(replica, { undecidedCount: 0 } as PendingProduce, 0, shared, 0, shared.length);
  };
  const largeCount = (): number => jobs.filter(({ task }) => task.openedBytesMax > OPENED_BYTES_USUAL).length;
  const end = (job: Job): void => {
    jobs.splice(jobs.indexOf(job), 1);
    job.done(null, recompress(job.task));
  };
  return { jobs, decided, take, largeCount, end };
}

const opensTo = (bytes: number): Uint8Array => batch({ compression: COMPRESSION.GZIP, values: ['x'.repeat(bytes)] });

test('batches that open to much do so one after the other; the others do not wait for them', () => {
  const { jobs, decided, take, largeCount, end } = pooled();
  const [large, small] = [opensTo(OPENED_BYTES_USUAL + 1000), opensTo(1000)];
  for (let i = 0; i < 6; i++) take(large);
  for (let i = 0; i < 6; i++) take(small);
  for (let usual = true; usual; ) {
    const job = jobs.find(({ task }) => task.openedBytesMax <= OPENED_BYTES_USUAL);
    if (job !== undefined) end(job);
    usual = job !== undefined;
  }
  expect([decided.length, largeCount()]).toEqual([6, 1]);
  for (let i = 0; i < 6; i++) {
    expect([jobs.length, largeCount()]).toEqual([1, 1]);
    end(jobs[0] as Job);
  }
  expect(decided.map(({ outcome }) => [outcome?.error, outcome?.wantsMore])).toEqual(Array.from({ length: 12 }, () => [0, false]));
});

test('what opens to more than is ever allowed is refused', () => {
  const { jobs, decided, take, end } = pooled();
  take(opensTo(129 * MIB));
  while (jobs[0] !== undefined) end(jobs[0]);
  expect(decided[0]?.outcome).toMatchObject({ error: 10, wantsMore: false, grown: null });
});

test('a thread that dies under a batch fails that batch; the next large one has its turn', () => {
  const { jobs, decided, take, end } = pooled();
  for (let i = 0; i < 2; i++) take(opensTo(OPENED_BYTES_USUAL + 1000));
  end(jobs[0] as Job);
  end(jobs[0] as Job);
  const [dying] = jobs.splice(0, 1);
  dying?.done(new Error('worker exited with code: 3'), undefined);
  while (jobs[0] !== undefined) end(jobs[0]);
  expect(decided.map(({ error, outcome }) => error?.message ?? outcome?.error)).toEqual(['worker exited with code: 3', 0]);
});
