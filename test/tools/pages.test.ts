// The pages that people read: what they point to exists, and what they tell to type is what is run.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { served } from '../../src/broker/handler-table.ts';
import { API, apiName } from '../../src/protocol/api-keys.ts';

const root = resolve(import.meta.dirname, '../..');
const read = (path: string): string => readFileSync(join(root, path), 'utf8');
const pages = execFileSync('git', ['ls-files', '*.md'], { cwd: root, encoding: 'utf8' })
  .split('\n')
  .filter((path) => path !== '' && existsSync(join(root, path)));
const manifest: { scripts: Record<string, string> } = JSON.parse(read('package.json'));

describe.each(pages)('%s', (page) => {
  test('points to files that exist', () => {
    const missing = [...read(page).matchAll(/\]\(([^)#]+)(?:#[^)]*)?\)/g)]
      .map((match) => match[1] ?? '')
      .filter((target) => !/^[a-z]+:/.test(target) && !existsSync(join(root, dirname(page), target)));
    expect(missing).toEqual([]);
  });

  test('names scripts that exist', () => {
    const named = [...read(page).matchAll(/\bnpm run ([a-z:]+)/g)].map((match) => match[1] ?? '');
    expect(named.filter((script) => manifest.scripts[script] === undefined)).toEqual([]);
  });
});

test('the sources name pages that exist', () => {
  const sources = execFileSync('git', ['ls-files', 'src', 'test', 'tools', 'bench'], { cwd: root, encoding: 'utf8' })
    .split('\n')
    .filter((path) => path.endsWith('.ts') && existsSync(join(root, path)));
  const named = sources.flatMap((path) => [...read(path).matchAll(/\bdocs\/[\w/-]+\.md\b/g)].map(([page]) => ({ path, page })));
  expect(named.length).toBeGreaterThan(10);
  expect(named.filter(({ page }) => !existsSync(join(root, page)))).toEqual([]);
});

test('the architecture page names files that exist', () => {
  const named = [...read('ARCHITECTURE.md').matchAll(/`((?:src|tools|test|bench|docs)\/[^`\s]*)`/g)].map((match) => match[1] ?? '');
  expect(named.length).toBeGreaterThan(20);
  expect(named.filter((path) => !existsSync(join(root, path)))).toEqual([]);
});

test('the architecture page has every folder of src, test and tools, and no file that is not there', () => {
  const page = read('ARCHITECTURE.md');
  const map = page.slice(page.indexOf('## Where things are'));
  const files = execFileSync('git', ['ls-files', 'src', 'test', 'tools'], { cwd: root, encoding: 'utf8' }).split('\n');
  // A map's section begins with the folder in bold; test is one section, which names what does not mirror src.
  const sections = new Map(
    [...map.matchAll(/^\*\*`([^`]+)`\*\*([\s\S]*?)(?=^\*\*|$(?![\s\S]))/gm)].map(([, folder = '', text = '']) => [folder, text]),
  );
  for (const folder of new Set(files.filter((path) => path.startsWith('src/')).map(dirname))) {
    const [, top = ''] = folder.split('/');
    const below = folder.slice(`src/${top}/`.length);
    expect(sections.get(`src/${top}`), folder).toContain(below === '' ? '' : `${below}/`);
  }
  const mirrors = new Set([...sections.keys()].map((folder) => folder.replace('src/', 'test/')));
  for (const path of files.filter((each) => each.startsWith('test/'))) {
    const folder = path.split('/').slice(0, 2).join('/');
    if (!mirrors.has(folder)) expect(sections.get('test'), path).toContain(`${folder.slice('test/'.length)}/`);
  }
  for (const [folder, text] of sections) {
    for (const [, name = ''] of text.matchAll(/`([a-z0-9-]+\.ts)`/g))
      expect(existsSync(join(root, folder, name)), `${folder}/${name}`).toBe(true);
  }
  for (const path of files.filter((each) => each.startsWith('tools/')))
    expect(sections.get('tools')).toContain(path.slice('tools/'.length));
});

test('the README names every API that is served, and no other as one', () => {
  const page = read('README.md');
  const list = page.slice(page.indexOf('## What is served'), page.indexOf('Transactions, share groups, security'));
  const named = [...list.matchAll(/\b[A-Z][a-z]+[A-Za-z]*\b/g)].map(([word]) => word).filter((word) => word in API);
  expect(named.sort()).toEqual(served.map(({ apiKey }) => apiName(apiKey)).sort());
});

test('the README has two commands, and .ci/run runs the second', () => {
  const commands = [...read('README.md').matchAll(/```sh\n([\s\S]*?)```/g)].map((match) => match[1]);
  expect(commands).toEqual(['npm ci && npm start\n', 'npm ci && npm test\n']);
  const extract = /sed -n '([^']+)' README\.md/.exec(read('.ci/run'))?.[1] ?? '';
  expect(execFileSync('sed', ['-n', extract, 'README.md'], { cwd: root, encoding: 'utf8' })).toBe('npm ci && npm test\n');
  expect(statSync(join(root, '.ci/run')).mode & 0o111).not.toBe(0);
});

test('the lock file names no registry', () => {
  expect(read('package-lock.json')).not.toMatch(/"resolved"|registry\./);
});

test('every dependency is pinned to one version', () => {
  const { dependencies, devDependencies, optionalDependencies } = JSON.parse(read('package.json'));
  for (const version of Object.values({ ...dependencies, ...devDependencies, ...optionalDependencies })) {
    expect(version).toMatch(/^\d+\.\d+\.\d+$/);
  }
});
