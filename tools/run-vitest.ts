// Runs vitest in a process of its own and gives the count of its tests. For tools/test.ts and tools/interop.ts.
// Invariant: a run that died, or found no test, counts as one failure.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { COUNT_FILE_VARIABLE, type TestCount } from './test-reporter.ts';

const root = resolve(import.meta.dirname, '..');

export interface VitestRun {
  /** Which of vitest's own reporters people see. */
  readonly reporter: 'default' | 'verbose' | 'dot';
  /** What follows `vitest run`: options, then parts of file names. */
  readonly args: readonly string[];
  /** Variables besides those of this process. */
  readonly environment?: Readonly<Record<string, string>>;
}

export function runVitest({ reporter, args, environment = {} }: VitestRun): TestCount {
  const directory = mkdtempSync(join(tmpdir(), 'naru-count-'));
  const countFile = join(directory, 'count.json');
  try {
    const vitest = join(root, 'node_modules/vitest/vitest.mjs');
    const reporters = [`--reporter=${reporter}`, `--reporter=${join(root, 'tools/test-reporter.ts')}`];
    const env = { ...process.env, ...environment, [COUNT_FILE_VARIABLE]: countFile };
    const { status } = spawnSync(process.execPath, [vitest, 'run', ...reporters, ...args], { cwd: root, stdio: 'inherit', env });
    const count = readCount(countFile);
    const isBad = status !== 0 || count.passed === 0;
    return isBad && count.failed === 0 ? { ...count, failed: 1 } : count;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

export function sumOf(counts: readonly TestCount[]): TestCount {
  return {
    passed: counts.reduce((sum, { passed }) => sum + passed, 0),
    failed: counts.reduce((sum, { failed }) => sum + failed, 0),
    skipped: counts.reduce((sum, { skipped }) => sum + skipped, 0),
    skips: counts.flatMap(({ skips }) => skips),
  };
}

/** The skipped tests with their reasons, then the line that ends a run. */
export function printCount({ passed, failed, skipped, skips }: TestCount): void {
  for (const skip of skips) console.log(`skipped: ${skip}`);
  console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`);
}

function readCount(file: string): TestCount {
  try {
    // Written by our own reporter a moment ago.
    return JSON.parse(readFileSync(file, 'utf8')) as TestCount;
  } catch {
    return { passed: 0, failed: 1, skipped: 0, skips: [] };
  }
}
