// The count behind the last line of `npm test`, over a vitest run of a few files made for it.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { COUNT_FILE_VARIABLE, type TestCount } from '../../tools/test-reporter.ts';

const root = resolve(import.meta.dirname, '../..');
const directory = mkdtempSync(join(tmpdir(), 'naru-reporter-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

function countOf(files: Record<string, string>): TestCount {
  for (const [name, text] of Object.entries(files)) writeFileSync(join(directory, name), text);
  const countFile = join(directory, 'count.json');
  const vitest = join(root, 'node_modules/vitest/vitest.mjs');
  const args = ['run', '--globals', '--root', directory, `--reporter=${join(root, 'tools/test-reporter.ts')}`];
  spawnSync(process.execPath, [vitest, ...args], { cwd: directory, env: { ...process.env, [COUNT_FILE_VARIABLE]: countFile } });
  return JSON.parse(readFileSync(countFile, 'utf8'));
}

test('passed, failed and skipped tests are counted, with the reasons of the skipped ones; so are files that cannot be loaded', () => {
  const count = countOf({
    'some.test.js': `
      test('good', () => {});
      test('bad', () => { throw new Error('bad'); });
      test('not here', (context) => context.skip('no kcat on this machine'));
      test.skip('never', () => {});
    `,
    'broken.test.js': "throw new Error('cannot be loaded');",
    'setup.test.js': "describe('suite', () => { beforeAll(() => { throw new Error('no broker'); }); test('unreached', () => {}); });",
  });
  expect({ ...count, skips: [...count.skips].sort() }).toEqual({
    passed: 1,
    failed: 3,
    skipped: 3,
    skips: [
      'setup.test.js > suite > unreached: no reason given',
      'some.test.js > never: no reason given',
      'some.test.js > not here: no kcat on this machine',
    ],
  });
});
