import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { runScenario, SimulationFailure, scenarios, seedsOf } from './scenario.ts';
import { runJournal } from './scenarios/journal.ts';

describe('the journal scenario', () => {
  test('holds for each seed', async () => {
    const totals = { acknowledged: 0, creditless: 0, refused: 0 };
    for (const seed of seedsOf(1, 100)) {
      const { counts } = await runScenario('journal', seed);
      for (const name of ['acknowledged', 'creditless', 'refused'] as const) totals[name] += counts[name] ?? 0;
    }
    // Each of what it is there for has happened.
    if (process.env.NARU_SEEDS === undefined) for (const total of Object.values(totals)) expect(total).toBeGreaterThan(100);
  });

  test('the same seed gives the same trace, another one another', async () => {
    for (const seed of [1, 7, 23]) {
      const [first, second] = [
        await runScenario('journal', seed, { keepsTrace: true }),
        await runScenario('journal', seed, { keepsTrace: true }),
      ];
      expect(first.trace.length).toBeGreaterThan(100);
      expect(second).toEqual(first);
      expect((await runScenario('journal', seed + 1)).traceHash).not.toBe(first.traceHash);
    }
  });

  test('finds an owner that acknowledges before its sync', async () => {
    const found: string[] = [];
    for (let seed = 1; seed <= 30; seed++) {
      await runJournal(seed, { keepsTrace: false }, true).catch((error: Error) => found.push(error.message));
    }
    expect(found.length).toBeGreaterThan(5);
    for (const message of found) expect(message).toMatch(/value \d+ was acknowledged and is gone/);
  });
});

test('a failure names the seed and the command that replays it', async () => {
  const { run } = scenarios[0] ?? {};
  expect(run).toBeDefined();
  const broken = { name: 'broken', about: '', run: () => Promise.reject(new Error('an invariant')) };
  const all = scenarios as (typeof broken)[];
  all.push(broken);
  try {
    const failure = await runScenario('broken', 42).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(SimulationFailure);
    expect(String(failure)).toContain('seed 42');
    expect(String(failure)).toContain('node tools/simulate.ts --scenario broken --seed 42');
    expect(String(failure)).toContain('an invariant');
  } finally {
    all.pop();
  }
});

test('the tool runs a seed and lists the scenarios', async () => {
  const tool = (...args: string[]): string =>
    spawnSync(process.execPath, ['tools/simulate.ts', ...args], { encoding: 'utf8', cwd: join(import.meta.dirname, '../..') }).stdout;
  const { traceHash } = await runScenario('journal', 3);
  expect(tool('--seed', '3')).toContain(`journal seed 3: `);
  expect(tool('--seed', '3')).toContain(`trace ${traceHash.toString(16)}`); // The same in another process.
  expect(tool('--list')).toContain('journal');
});
