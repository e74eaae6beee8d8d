// The package as it is published: what is in the tarball, and whether a project that installs it gets a broker, from the command line and from
// TypeScript, with and without the optional parts. npm takes what it has downloaded before; where it has not and there is no network, the tests with an installation are skipped.
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { VERSION } from '../../src/base/version.ts';
import { freePort, within } from '../support/broker-process.ts';
import { exchange } from '../support/kafkajs-exchange.ts';

const root = resolve(import.meta.dirname, '../..');
const golden = join(root, 'test/golden/package-files.txt');
const directory = mkdtempSync(join(tmpdir(), 'naru-package-'));
/** The Node that runs the tests comes first, as one that is new enough does on a user's machine. */
const environment = { ...process.env, PATH: `${dirname(process.execPath)}${delimiter}${process.env.PATH}` };
const NO_NETWORK = /ENOTCACHED|ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ETIMEDOUT|ENETUNREACH/;
const INSTALL_WITHIN_MS = 150_000;
const ENDS_WITHIN_MS = 30_000;
/** A project's own: without the types of Node. */
const PROGRAM = join(root, 'test/support/package-program.mts');
/** The same without types, from CommonJS. */
const REQUIRING = `
require('naru/embedded')
  .startBroker({ config: { 'naru.workers': process.argv[1] } })
  .then((broker) => {
    console.log(broker.bootstrapServers);
    process.stdin.on('end', () => broker.stop()).resume();
  });
`;

let tarball = '';

beforeAll(() => {
  execFileSync('npm', ['pack', '--pack-destination', directory], { cwd: root, env: environment, stdio: 'pipe' });
  tarball = join(directory, `naru-${VERSION}.tgz`);
}, INSTALL_WITHIN_MS);

afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** Chunks bear a hash of what is in them, and several may bear the same name. */
function published(): string {
  const listed = execFileSync('tar', ['--list', '--gzip', '--file', tarball], { encoding: 'utf8' }).trim().split('\n');
  const names = listed.map((name) => name.replace(/^package\//, '').replace(/-[A-Z0-9]{8}\.js$/, '-HASH.js'));
  return `${[...new Set(names)].sort().join('\n')}\n`;
}

test('what is published is on the list, and nothing else (REWRITE=1 rewrites it)', () => {
  const now = published();
  if (process.env.REWRITE === '1') writeFileSync(golden, now);
  expect(now).toBe(readFileSync(golden, 'utf8'));
});

/** Pages for who runs a broker, and those that everybody sees first; what is for who changes it leads to the sources as well. */
const isForOperators = (path: string): boolean =>
  path === 'README.md' || path === 'CHANGELOG.md' || (/^docs\/(?:reference\/)?[^/]+\.md$/.test(path) && path !== 'docs/style.md');

test('what the published pages point to is published, too', () => {
  const published = execFileSync('tar', ['--list', '--gzip', '--file', tarball], { encoding: 'utf8' })
    .trim()
    .split('\n')
    .map((name) => name.replace(/^package\//, ''));
  const pages = published.filter(isForOperators);
  expect(pages.length).toBeGreaterThan(6);
  const lost = pages.flatMap((page) =>
    [...readFileSync(join(root, page), 'utf8').matchAll(/\]\(([^)#]+)/g)]
      .map(([, target = '']) => target)
      .filter((target) => !/^[a-z]+:/.test(target))
      .map((target) => join(dirname(page), target))
      .filter((target) => !published.some((path) => path === target || path.startsWith(`${target}/`)))
      .map((target) => `${page} -> ${target}`),
  );
  expect(lost).toEqual([]);
});

/** A new project with the package in it; why there is none, where npm has no network. */
function install(name: string, options: readonly string[]): { readonly project: string; readonly missing: string | null } {
  const project = join(directory, name);
  mkdirSync(project);
  writeFileSync(join(project, 'package.json'), '{ "private": true }\n');
  const args = ['install', '--prefer-offline', '--no-audit', '--no-fund', ...options, tarball];
  try {
    execFileSync('npm', args, { cwd: project, env: environment, stdio: 'pipe', timeout: INSTALL_WITHIN_MS });
    return { project, missing: null };
  } catch (error) {
    const text = error instanceof Error && 'stderr' in error ? String(error.stderr) : String(error);
    if (NO_NETWORK.test(text)) return { project, missing: 'npm has neither the packages nor a network' };
    throw error;
  }
}

test('the package’s own name stands for no module yet', () => {
  const manifest: { exports: Record<string, unknown> } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  expect(Object.keys(manifest.exports).sort()).toEqual(['./embedded', './package.json']);
});

describe.each([
  { title: 'with the optional parts', options: [], native: / native (?!none)/ },
  { title: 'without them', options: ['--omit=optional'], native: / native none,/ },
])('installed $title', ({ title, options, native }) => {
  let project = '';
  let missing: string | null = null;

  beforeAll(() => {
    ({ project, missing } = install(title.replaceAll(' ', '-'), options));
  }, INSTALL_WITHIN_MS);

  const run = (...args: string[]): string =>
    execFileSync('npx', ['--no-install', ...args], { cwd: project, env: environment, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });

  test('the command tells its version and its options', (context) => {
    context.skip(missing !== null, missing ?? '');
    expect(run('naru', '--version')).toBe(`naru ${VERSION}\n`);
    expect(run('naru', '--help')).toContain('Usage: naru <command>');
    expect(run('naru', 'start', '--help')).toContain('--data-dir');
  });

  test('its optional parts are there, or not', (context) => {
    context.skip(missing !== null, missing ?? '');
    const manifest: { optionalDependencies: Record<string, string> } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
    const installed = readdirSync(join(project, 'node_modules'));
    expect(Object.keys(manifest.optionalDependencies).some((name) => installed.includes(name))).toBe(options.length === 0);
  });

  test.for(['nodenext', 'bundler'])('a program in TypeScript is checked against its declarations (%s)', (resolution, context) => {
    context.skip(missing !== null, missing ?? '');
    writeFileSync(join(project, 'program.mts'), readFileSync(PROGRAM, 'utf8'));
    const compilerOptions = {
      strict: true,
      noEmit: true,
      skipLibCheck: false,
      target: 'es2022',
      lib: ['es2022'],
      types: [],
      module: resolution === 'bundler' ? 'esnext' : resolution,
      moduleResolution: resolution,
    };
    writeFileSync(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['program.mts'] }));
    const { status, stdout } = spawnSync(join(root, 'node_modules/.bin/tsc'), [], { cwd: project, env: environment, encoding: 'utf8' });
    expect([stdout, status]).toEqual(['', 0]);
  });

  test.for([0, 1])('and serves at %i workers, whether it is imported or required, and ends by itself', async (workers, context) => {
    context.skip(missing !== null, missing ?? '');
    const main = workers === 0 ? ['program.mts'] : ['--eval', REQUIRING];
    writeFileSync(join(project, 'program.mts'), readFileSync(PROGRAM, 'utf8'));
    const child = spawn(process.execPath, [...main, String(workers)], { cwd: project, env: environment, stdio: 'pipe' });
    const exit = new Promise<number | null>((done) => child.once('close', done));
    let output = '';
    let errors = '';
    child.stderr.on('data', (bytes: Buffer) => (errors += bytes.toString()));
    const said = new Promise<void>((done) => {
      child.stdout.on('data', (bytes: Buffer) => {
        output += bytes.toString();
        if (output.includes('\n')) done();
      });
    });
    try {
      await Promise.race([said, exit.then((code) => Promise.reject(new Error(`ended with ${code}: ${errors}`)))]);
      const { sent, read } = await exchange(output.trim(), 'embedded');
      expect(read).toEqual(sent);
      child.stdin.end();
      expect(await within(ENDS_WITHIN_MS, exit)).toBe(0);
      // Without native parts one thread does everything, and that is said.
      expect(errors).toMatch(workers === 1 && options.length > 0 ? /^\S+ WARN +\[broker\] naru\.workers=1: .*\n$/ : /^$/);
    } finally {
      child.kill('SIGKILL');
    }
  });

  test('npx naru start serves a producer and a consumer, and stops when it is told to', async (context) => {
    context.skip(missing !== null, missing ?? '');
    const port = await freePort();
    const args = ['--no-install', 'naru', 'start', '--port', String(port), '--data-dir', join(project, 'data')];
    const broker = spawn('npx', args, { cwd: project, env: environment, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
    const exit = new Promise<void>((done) => broker.once('close', () => done()));
    let output = '';
    try {
      await new Promise<void>((ready, fail) => {
        const hear = (bytes: Buffer): void => {
          output += bytes.toString();
          if (output.includes(' ready: ')) ready();
        };
        broker.stdout.on('data', hear);
        broker.stderr.on('data', hear);
        void exit.then(() => fail(new Error(`no ready line in: ${output}`)));
      });
      expect(output).toMatch(native);
      const { sent, read } = await exchange(`127.0.0.1:${port}`, 'published');
      expect(read).toEqual(sent);
    } finally {
      if (broker.pid !== undefined) process.kill(-broker.pid, 'SIGTERM');
      await exit;
    }
    expect(readdirSync(join(project, 'data'))).toContain('.kafka_cleanshutdown');
  });
});
