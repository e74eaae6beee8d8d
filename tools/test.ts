// `npm test`: type check, lint, import layers, all tests, and some of them again with every native part hidden. Each part says how it
// went; the last line is the sum.
// Invariant: a part that could not run has failed, and a run without a single test has failed.
// `npm test -- test/raft` runs the checks and the tests of that folder.
import { spawnSync } from 'node:child_process';
import { join, resolve } from 'node:path';
import { printCount, runVitest, sumOf } from './run-vitest.ts';
import type { TestCount } from './test-reporter.ts';

const root = resolve(import.meta.dirname, '..');

interface Part {
  readonly name: string;
  run(): TestCount;
}

const CHECKS: readonly Part[] = [
  check('type check', join(root, 'node_modules/.bin/tsc')),
  check('lint', join(root, 'node_modules/.bin/biome'), 'check', '--error-on-warnings', '.'),
  check('import layers', process.execPath, join(root, 'tools/layers.ts')),
];

/** What has a native and a portable implementation: checksums, codecs, and the broker over them with real clients. */
const WITHOUT_NATIVES = {
  args: ['test/base/crc32c', 'test/protocol/records', 'test/clients'],
  environment: { NARU_NATIVE: 'off', TEST_WORKERS: '0,2' },
};

/** A command that is good when its exit code is 0. */
function check(name: string, program: string, ...args: readonly string[]): Part {
  return {
    name,
    run() {
      const isGood = spawnSync(program, args, { cwd: root, stdio: 'inherit' }).status === 0;
      return { passed: isGood ? 1 : 0, failed: isGood ? 0 : 1, skipped: 0, skips: [] };
    },
  };
}

function partsFor(filters: readonly string[]): readonly Part[] {
  const tests: Part = { name: 'tests', run: () => runVitest({ reporter: 'default', args: filters }) };
  if (filters.length > 0) return [...CHECKS, tests];
  return [...CHECKS, tests, { name: 'tests without native parts', run: () => runVitest({ reporter: 'dot', ...WITHOUT_NATIVES }) }];
}

function runPart({ name, run }: Part): TestCount {
  const startedMs = performance.now();
  const count = run();
  console.log(`${count.failed === 0 ? 'ok  ' : 'FAIL'} ${name} (${((performance.now() - startedMs) / 1000).toFixed(1)} s)\n`);
  return count;
}

const sum = sumOf(partsFor(process.argv.slice(2)).map(runPart));
printCount(sum);
process.exitCode = sum.failed === 0 ? 0 : 1;
