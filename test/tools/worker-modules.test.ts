// What a worker loads before it runs: each module of ours in the closure of its entry, what it takes from Node and from packages, and what it
// leaves for later (`await import`). A module that joins this list makes every boot and every worker dearer: REWRITE=1 rewrites it, and the
// difference is read.
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { build } from 'esbuild';
import { expect, test } from 'vitest';

const root = resolve(import.meta.dirname, '../..');
const golden = join(root, 'test/golden/worker-modules.txt');
const ENTRY = 'src/broker/worker-main.ts';

async function list(): Promise<string> {
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: [ENTRY],
    bundle: true,
    write: false,
    metafile: true,
    format: 'esm',
    platform: 'node',
    packages: 'external',
    logLevel: 'silent',
  });
  const eager = new Set<string>();
  const outside = new Set<string>();
  const later = new Set<string>();
  const visit = (path: string): void => {
    if (eager.has(path)) return;
    eager.add(path);
    for (const { path: target, kind, external } of metafile.inputs[path]?.imports ?? []) {
      if (kind === 'dynamic-import' || kind === 'require-call') later.add(target);
      else if (external) outside.add(target);
      else visit(target);
    }
  };
  visit(ENTRY);
  const text = (title: string, names: Iterable<string>): string => `${title}\n${[...names].sort().join('\n')}\n`;
  return [
    text('# of ours', eager),
    text('# of Node and of packages', outside),
    text(
      '# later, when needed',
      [...later].filter((path) => !eager.has(path) && !outside.has(path)),
    ),
  ].join('\n');
}

test('a worker loads what is on the list, and nothing else', async () => {
  const now = await list();
  if (process.env.REWRITE === '1') writeFileSync(golden, now);
  expect(now).toBe(readFileSync(golden, 'utf8'));
});

test('what few brokers need is loaded when it is needed', async () => {
  const [ours = '', outside = ''] = (await list()).split('\n\n');
  for (const name of ['pino', 'comlink', 'koffi', 'node:inspector/promises', 'node:inspector', 'kafkajs']) {
    expect(outside.split('\n'), name).not.toContain(name);
  }
  expect(ours).not.toContain('src/cli/');
});
