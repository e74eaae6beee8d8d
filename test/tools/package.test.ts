// The package as it is published: what is in the tarball, and whether a project that installs it gets a broker, with and without the optional
// parts. npm takes what it has downloaded before; where it has not and there is no network, the tests with an installation are skipped.
import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import kafkajs from 'kafkajs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { VERSION } from '../../src/base/version.ts';
import { freePort } from '../support/broker-process.ts';

const root = resolve(import.meta.dirname, '../..');
const golden = join(root, 'test/golden/package-files.txt');
const directory = mkdtempSync(join(tmpdir(), 'naru-package-'));
/** The Node that runs the tests comes first, as one that is new enough does on a user's machine. */
const environment = { ...process.env, PATH: `${dirname(process.execPath)}${delimiter}${process.env.PATH}` };
const NO_NETWORK = /ENOTCACHED|ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ETIMEDOUT|ENETUNREACH/;
const INSTALL_WITHIN_MS = 150_000;

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

  test('it offers no modules, and says so', (context) => {
    context.skip(missing !== null, missing ?? '');
    const script = "import('naru').catch((error) => console.log(error.code))";
    const said = execFileSync(process.execPath, ['--eval', script], { cwd: project, encoding: 'utf8' });
    expect(said).toBe('ERR_PACKAGE_PATH_NOT_EXPORTED\n');
    const manifest: { optionalDependencies: Record<string, string> } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
    const installed = readdirSync(join(project, 'node_modules'));
    expect(Object.keys(manifest.optionalDependencies).some((name) => installed.includes(name))).toBe(options.length === 0);
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
      const kafka = new kafkajs.Kafka({ brokers: [`127.0.0.1:${port}`], logLevel: kafkajs.logLevel.NOTHING });
      const producer = kafka.producer();
      await producer.connect();
      const values = Array.from({ length: 20 }, (_, index) => `value ${index}`);
      await producer.send({ topic: 'published', messages: values.map((value) => ({ key: 'same', value })) });
      await producer.disconnect();
      const consumer = kafka.consumer({ groupId: 'readers' });
      await consumer.connect();
      await consumer.subscribe({ topic: 'published', fromBeginning: true });
      const read: string[] = [];
      await new Promise<void>((done) => {
        void consumer.run({
          eachMessage: async ({ message }) => {
            read.push(String(message.value));
            if (read.length === values.length) done();
          },
        });
      });
      expect(read).toEqual(values);
      await consumer.disconnect();
    } finally {
      if (broker.pid !== undefined) process.kill(-broker.pid, 'SIGTERM');
      await exit;
    }
    expect(readdirSync(join(project, 'data'))).toContain('.kafka_cleanshutdown');
  });
});
