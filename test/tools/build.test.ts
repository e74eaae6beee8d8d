// The bundle that is published, built into a folder of the test's own.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { VERSION } from '../../src/base/version.ts';
import { bundle } from '../../tools/build.ts';

const root = resolve(import.meta.dirname, '../..');
const directory = mkdtempSync(join(tmpdir(), 'naru-build-'));
const dist = join(directory, 'dist');

beforeAll(async () => {
  symlinkSync(join(root, 'node_modules'), join(directory, 'node_modules'));
  await bundle(dist);
});

afterAll(() => rmSync(directory, { recursive: true, force: true }));

test('the entry can be executed and runs', () => {
  expect(statSync(join(dist, 'cli.js')).mode & 0o111).not.toBe(0);
  const { status, stdout } = spawnSync(process.execPath, [join(dist, 'cli.js'), '--version'], { encoding: 'utf8' });
  expect([status, stdout]).toEqual([0, `naru ${VERSION}\n`]);
});

test('the entry imports nothing before it has looked at Node’s version', () => {
  const text = readFileSync(join(dist, 'cli.js'), 'utf8');
  expect(text.startsWith('#!/usr/bin/env node\n')).toBe(true);
  expect(text).not.toMatch(/^import\b(?!\()|;import\b(?!\()/m);
  expect(text.indexOf('process.versions.node')).toBeLessThan(text.indexOf('import('));
});

test('the entries of a worker and of a pool thread lie beside it', () => {
  for (const name of ['worker-main.js', 'pool-main.js']) expect(existsSync(join(dist, name)), name).toBe(true);
});
