// A whole broker under the simulator: real actors, real frames, a simulated disk that is killed, loses power, fills up and fails.
import { expect, test } from 'vitest';
import { runScenario, seedsOf } from './scenario.ts';

test('nothing that was promised is broken, for each seed', async () => {
  const totals = {
    acknowledged: 0,
    read: 0,
    kills: 0,
    powerLosses: 0,
    deletions: 0,
    grown: 0,
    outOfRange: 0,
    recompressed: 0,
    endsAtWork: 0,
  };
  for (const seed of seedsOf(1, 60)) {
    const { counts } = await runScenario('broker', seed);
    for (const name of Object.keys(totals) as (keyof typeof totals)[]) totals[name] += counts[name] ?? 0;
  }
  // Each of what it is there for has happened.
  if (process.env.NARU_SEEDS === undefined) for (const total of Object.values(totals)) expect(total).toBeGreaterThan(5);
});
