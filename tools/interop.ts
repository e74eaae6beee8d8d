// `npm run test:interop`: Kafka's own tools and clients in other languages against a broker of ours. Needs Java, Go and Python, and says
// what it skips where one is absent; the last line is the sum. Takes minutes.
// `npm run test:interop -- --workers 0,1,2` runs all of it at each number of workers; other arguments name the test files to run.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { COUNT_FILE_VARIABLE, type TestCount } from './test-reporter.ts';

const root = resolve(import.meta.dirname, '..');

function main(): void {
  const { values, positionals } = parseArgs({ options: { workers: { type: 'string', default: '1' } }, allowPositionals: true });
  if (!/^\d+(,\d+)*$/.test(values.workers)) {
    console.error(`--workers takes numbers with commas between them; "${values.workers}" was given`);
    process.exitCode = 2;
    return;
  }
  const directory = mkdtempSync(join(tmpdir(), 'naru-count-'));
  const countFile = join(directory, 'count.json');
  try {
    const vitest = join(root, 'node_modules/vitest/vitest.mjs');
    const reporters = ['--reporter=verbose', `--reporter=${join(root, 'tools/test-reporter.ts')}`];
    const args = [vitest, 'run', '--config', join(root, 'vitest.interop.config.ts'), ...reporters, ...positionals];
    const environment = { ...process.env, [COUNT_FILE_VARIABLE]: countFile, NARU_INTEROP_WORKERS: values.workers };
    const { status } = spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit', env: environment });
    const count = readCount(countFile);
    for (const skip of count.skips) console.log(`skipped: ${skip}`);
    // Vitest may fail without a failed test: none found, a process that died.
    const failed = status !== 0 && count.failed === 0 ? 1 : count.failed;
    console.log(`${count.passed} passed, ${failed} failed, ${count.skipped} skipped`);
    process.exitCode = failed === 0 ? 0 : 1;
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

main();
