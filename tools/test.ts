// `npm test`: type check, lint, import layers, all tests. Each part says how it went; the last line is the sum.
// Invariant: a part that could not run has failed, and a run without a single test has failed.
// `npm test -- test/raft` runs the first three and the tests of that folder.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { COUNT_FILE_VARIABLE, type TestCount } from './test-reporter.ts';

const root = resolve(import.meta.dirname, '..');

interface Part {
  readonly name: string;
  readonly command: readonly string[];
}

/** The parts that are one check each. */
const CHECKS: readonly Part[] = [
  { name: 'type check', command: [join(root, 'node_modules/.bin/tsc')] },
  { name: 'lint', command: [join(root, 'node_modules/.bin/biome'), 'check', '--error-on-warnings', '.'] },
  { name: 'import layers', command: [process.execPath, join(root, 'tools/layers.ts')] },
];

function runPart(command: readonly string[], environment: Readonly<Record<string, string>> = {}): boolean {
  const [program = '', ...args] = command;
  const { status } = spawnSync(program, args, { cwd: root, stdio: 'inherit', env: { ...process.env, ...environment } });
  return status === 0;
}

function verdict(name: string, isGood: boolean, startedMs: number): void {
  console.log(`${isGood ? 'ok  ' : 'FAIL'} ${name} (${((performance.now() - startedMs) / 1000).toFixed(1)} s)\n`);
}

function runTests(filters: readonly string[]): TestCount {
  const directory = mkdtempSync(join(tmpdir(), 'naru-count-'));
  const countFile = join(directory, 'count.json');
  const startedMs = performance.now();
  try {
    const vitest = join(root, 'node_modules/vitest/vitest.mjs');
    const reporters = ['--reporter=default', `--reporter=${join(root, 'tools/test-reporter.ts')}`];
    const isGood = runPart([process.execPath, vitest, 'run', ...reporters, ...filters], { [COUNT_FILE_VARIABLE]: countFile });
    const count = readCount(countFile);
    for (const skip of count.skips) console.log(`skipped: ${skip}`);
    // Vitest may fail without a failed test: none found, a reporter that broke, a process that died.
    const failed = !isGood && count.failed === 0 ? 1 : count.failed;
    verdict('tests', failed === 0 && count.passed > 0, startedMs);
    return { ...count, failed: failed === 0 && count.passed === 0 ? 1 : failed };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function readCount(file: string): TestCount {
  try {
    // Written by our own reporter a moment ago.
    return JSON.parse(readFileSync(file, 'utf8')) as TestCount;
  } catch {
    return { passed: 0, failed: 1, skipped: 0, skips: [] };
  }
}

function main(): void {
  let passed = 0;
  let failed = 0;
  for (const part of CHECKS) {
    const startedMs = performance.now();
    const isGood = runPart(part.command);
    verdict(part.name, isGood, startedMs);
    if (isGood) passed++;
    else failed++;
  }
  const count = runTests(process.argv.slice(2));
  console.log(`${passed + count.passed} passed, ${failed + count.failed} failed, ${count.skipped} skipped`);
  process.exitCode = failed + count.failed === 0 ? 0 : 1;
}

main();
