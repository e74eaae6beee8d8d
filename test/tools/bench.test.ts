// Every micro-benchmark runs, small: the code it measures is still there, and it has figures to show.
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';

const directory = resolve(import.meta.dirname, '../../bench/micro');

test.each(readdirSync(directory).filter((name) => name.endsWith('.bench.ts')))('%s runs', (name) => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(directory, name), '--short'], { encoding: 'utf8' });
  expect([status, stderr]).toEqual([0, '']);
  expect(stdout.match(/\d (?:ns|µs|ms)/g)?.length ?? 0).toBeGreaterThan(3);
  expect(stdout).not.toMatch(/NaN|undefined/);
});
