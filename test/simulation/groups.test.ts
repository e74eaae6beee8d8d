// Groups of both protocols under the simulator: one owner for each partition, and no committed offset that is lost.
import { expect, test } from 'vitest';
import { runScenario, seedsOf } from './scenario.ts';

test('members that come and go share all partitions, and nothing acknowledged is lost, for each seed', async () => {
  const totals = { assignments: 0, commits: 0, rejoins: 0, hangs: 0, deaths: 0, leaves: 0, cuts: 0, doubled: 0, kills: 0, powerLosses: 0 };
  for (const seed of seedsOf(1, 50)) {
    const { counts } = await runScenario('groups', seed);
    for (const name of Object.keys(totals) as (keyof typeof totals)[]) totals[name] += counts[name] ?? 0;
  }
  // Each of what it is there for has happened.
  if (process.env.NARU_SEEDS === undefined) for (const total of Object.values(totals)) expect(total).toBeGreaterThan(10);
});
