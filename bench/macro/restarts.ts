// Rows 19 and 20: how long a broker with much data takes to come back and to go. One broker after the other, since two times 10 GB are
// more than a page cache likes. A stop is timed after a sync of the whole system, so that the disk's own cost is on nobody's account.
import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { bootMs, kload, rows, type Tools, withTopic } from './rows.ts';
import type { Subject } from './subjects.ts';

const PARTITION_COUNT = 200;
const FILL_REQUESTS = 10_000; // of 1 MB
/** Until every partition has a leader that answers, also where that takes a while. */
const LEADERS_MS = 3000;

export interface Restarts {
  readonly afterKillMs: number[];
  readonly afterStopMs: number[];
  readonly stopMs: number[];
}

/** Fills a fresh broker with 10 GB in 200 partitions, then kills and stops it in turn. Leaves it down. */
export async function measureRestarts(subject: Subject, tools: Tools, scale: number, rounds: number): Promise<Restarts> {
  const seen: Restarts = { afterKillMs: [], afterStopMs: [], stopMs: [] };
  await subject.stop();
  rmSync(subject.directory, { recursive: true, force: true });
  await subject.start();
  await withTopic(
    subject,
    PARTITION_COUNT,
    async (topic) => {
      await sleep(LEADERS_MS);
      const count = Math.max(PARTITION_COUNT, Math.round(FILL_REQUESTS * scale));
      await kload(tools, ['produce', subject.port, topic, PARTITION_COUNT, PARTITION_COUNT, 1, count, 1000, 1000, 1]);
    },
    { keep: true },
  );
  for (let round = 0; round < rounds; round++) {
    await subject.stop('SIGKILL');
    seen.afterKillMs.push(await bootMs(subject, tools));
    await subject.stop();
    seen.afterStopMs.push(await bootMs(subject, tools));
  }
  for (let round = 0; round < rounds; round++) {
    for (const row of rows) if (row.id === '3' || row.id === '8') await row.run(subject, tools, scale);
    execFileSync('sync');
    const start = performance.now();
    await subject.stop();
    seen.stopMs.push(performance.now() - start);
    await subject.start();
  }
  await subject.stop();
  return seen;
}
