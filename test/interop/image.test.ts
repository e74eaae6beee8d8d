// The image, built from packaging/Dockerfile as it stands and run: what docs/operations.md and docs/listeners.md say of a container.
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { freePort } from '../support/broker-process.ts';
import { kcat, kcatMissing } from '../support/kcat.ts';
import { asVariables, blockOf } from './packaged/pages.ts';
import { limits, Podman, processesBeside } from './packaged/podman.ts';
import { runProgram } from './run-program.ts';

const READY_WITHIN_MS = 60_000;
const RECORD_COUNT = 500;
const USER = 10_001;
const FILES_MAX = 8192;
const lines = Array.from({ length: RECORD_COUNT }, (_, index) => `record ${index}`);

let engine: Podman | null = null;
let missing: string | null = kcatMissing;

beforeAll(async () => {
  if (missing !== null) return;
  ({ engine, missing } = await Podman.open());
  await engine?.build('naru');
}, 1_200_000);

beforeEach((context) => context.skip(missing !== null, missing ?? ''));

afterEach(async () => {
  await engine?.run('rm', '--all', '--force', '--time', '0');
  await engine?.run('volume', 'rm', '--all', '--force');
});

afterAll(async () => engine?.dispose());

function podman(): Podman {
  if (engine === null) throw new Error(missing ?? 'no podman');
  return engine;
}

/** Starts the container `naru`, whose port is published under its own number, and waits until it serves. */
async function start(port: number, options: readonly string[] = [], data = 'naru-data'): Promise<void> {
  const listeners = [
    '--env',
    `NARU_LISTENERS=PLAINTEXT://0.0.0.0:${port}`,
    '--env',
    `NARU_ADVERTISED_LISTENERS=PLAINTEXT://localhost:${port}`,
  ];
  const published = ['--publish', `${port}:${port}`, '--volume', `${data}:/data`];
  await podman().ask('run', '--detach', '--name', 'naru', '--pull', 'never', ...published, ...listeners, ...options, 'naru');
  await ready();
}

/** Every line is an object: the image asks for that. */
function readyLinesIn(said: string): Record<string, unknown>[] {
  const lines = said
    .split('\n')
    .filter((line) => line !== '')
    .map((line): Record<string, unknown> => JSON.parse(line));
  return lines.filter(({ msg }) => msg === 'ready');
}

async function ready(readyLines = 1): Promise<void> {
  const deadline = performance.now() + READY_WITHIN_MS;
  for (;;) {
    const said = await podman().logs('naru');
    if (readyLinesIn(said).length >= readyLines) return;
    const isRunning = (await podman().inspect('naru', '{{.State.Running}}')) === 'true';
    if (!isRunning || performance.now() > deadline) throw new Error(`the container is not ready:\n${said}`);
    await delay(100);
  }
}

async function write(address: string, topic = 'records'): Promise<void> {
  await kcat(['-P', '-b', address, '-t', topic, '-p', '0', '-X', 'acks=all'], `${lines.join('\n')}\n`);
}

async function read(address: string, topic = 'records'): Promise<string[]> {
  const out = await kcat(['-C', '-q', '-e', '-b', address, '-t', topic, '-p', '0', '-o', 'beginning']);
  return out.toString().split('\n').slice(0, -1);
}

/** Where the volume lies out here. */
async function dataDirectory(): Promise<string> {
  return podman().ask('volume', 'inspect', '--format', '{{.Mountpoint}}', 'naru-data');
}

async function exitCode(): Promise<number> {
  return Number(await podman().ask('wait', 'naru'));
}

test('is the package and Node, and no more', async () => {
  const list = await podman().ask(
    'run',
    '--rm',
    '--pull',
    'never',
    '--entrypoint',
    'ls',
    'naru',
    '/app',
    '/app/node_modules/naru',
    '/data',
  );
  expect(list).toBe(
    '/app:\nnode_modules\n\n/app/node_modules/naru:\nARCHITECTURE.md\nCHANGELOG.md\nCONTRIBUTING.md\nLICENSE\nREADME.md\ndist\ndocs\npackage.json\npackaging\n\n/data:',
  );
  // What npm needed to know of this machine is not in there.
  const there = await podman().ask(
    'run',
    '--rm',
    '--pull',
    'never',
    '--entrypoint',
    'sh',
    '--user',
    '0',
    'naru',
    '-c',
    'cat /root/.npmrc /usr/local/etc/npmrc 2>/dev/null | wc -c',
  );
  expect(there).toBe('0');
});

test('runs as process 1 of a user of its own on a file system that it cannot write to, is healthy, and serves', async () => {
  const port = await freePort();
  // Docker gives a container that is read-only no temporary folder either.
  const bounds = ['--cap-drop', 'all', '--security-opt', 'no-new-privileges', ...limits(FILES_MAX).flatMap((limit) => ['--ulimit', limit])];
  await start(port, ['--read-only', '--read-only-tmpfs=false', ...bounds]);
  const pid = await podman().pid('naru');
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  expect(status).toMatch(/^NSpid:\s.*\s1$/m);
  expect(status).toMatch(new RegExp(`^Uid:\\t${USER}\\t${USER}\\t${USER}\\t${USER}$`, 'm'));
  expect(status).toMatch(new RegExp(`^Gid:\\t${USER}\\t`, 'm'));
  const unwritable = await podman().run('exec', 'naru', 'touch', '/app/file');
  expect(unwritable.err).toMatch(/Read-only file system/);

  const health = await podman().run('healthcheck', 'run', 'naru');
  expect([health.code, health.story]).toEqual([0, health.story]);
  const [line] = readyLinesIn(await podman().logs('naru'));
  expect(line?.native).not.toBe('none');
  expect(line?.descriptors).toBe(FILES_MAX);

  await write(`localhost:${port}`);
  expect(await read(`localhost:${port}`)).toEqual(lines);
  expect(await podman().inspect('naru', '{{.State.Running}}')).toBe('true');
});

test('a client that is killed, and programs that are run in there, leave no process behind', async () => {
  const port = await freePort();
  await start(port);
  await write(`localhost:${port}`);
  const pid = await podman().pid('naru');
  const reader = runProgram('kcat', ['-C', '-q', '-b', `localhost:${port}`, '-t', 'records', '-p', '0'], { timeoutMs: 2000 });
  await podman().ask('healthcheck', 'run', 'naru');
  await podman().ask('exec', 'naru', 'node', '--version');
  expect((await reader).isTimedOut).toBe(true); // Killed, that is.
  expect(await read(`localhost:${port}`)).toEqual(lines);
  expect(processesBeside(pid)).toEqual([{ pid, name: expect.any(String), state: expect.stringMatching(/[SR]/) }]);
});

test.each(['TERM', 'INT'])('stops cleanly at SIG%s, and goes on where it was', async (signal) => {
  const port = await freePort();
  await start(port);
  await write(`localhost:${port}`);
  await podman().ask('kill', '--signal', signal, 'naru');
  expect(await exitCode()).toBe(0);
  const mark = join(await dataDirectory(), '.kafka_cleanshutdown');
  expect(existsSync(mark)).toBe(true);
  await podman().ask('start', 'naru');
  await ready(2);
  expect(await read(`localhost:${port}`)).toEqual(lines);
});

test('stops as `docker stop` asks, and where no time is left for that, recovers at the next start', async () => {
  const port = await freePort();
  await start(port);
  await write(`localhost:${port}`);
  await podman().ask('stop', '--time', '60', 'naru');
  expect(await podman().inspect('naru', '{{.State.ExitCode}}')).toBe('0');
  await podman().ask('start', 'naru');
  await ready(2);
  await write(`localhost:${port}`);
  await podman().ask('stop', '--time', '0', 'naru');
  expect(await podman().inspect('naru', '{{.State.ExitCode}}')).toBe('137');
  expect(existsSync(join(await dataDirectory(), '.kafka_cleanshutdown'))).toBe(false);
  await podman().ask('start', 'naru');
  await ready(3);
  expect(await read(`localhost:${port}`)).toEqual([...lines, ...lines]);
});

test("a host's folder serves as the volume once it belongs to the container's user, and is refused by name before", async () => {
  const port = await freePort();
  const folder = join(podman().directory, 'folder');
  mkdirSync(folder, { mode: 0o755 });
  const run = ['run', '--name', 'naru', '--pull', 'never', '--network', 'none', '--volume', `${folder}:/data`, 'naru'];
  const refused = await podman().run(...run);
  expect(refused.code).toBe(1);
  expect(refused.err).toMatch(
    /the log directory \/data cannot be used \(EACCES at \/data\/\S+\): \S+ belongs to user 0, group 0 \(mode 0755\)/,
  );
  expect(refused.err).toContain(`naru runs as user ${USER}, group ${USER}. Give it the directory: chown -R ${USER}:${USER} /data;`);
  await podman().ask('rm', 'naru');
  await runProgram('chown', [`${USER}:${USER}`, folder]);
  await start(port, [], folder);
  await write(`localhost:${port}`);
  expect(readdirSync(folder)).toContain('records-0');
});

describe('two listeners, as docs/listeners.md has them', () => {
  test('serve another container and the host at once, each under the address that works there', async () => {
    const port = await freePort();
    const clients = 'naru-test-clients';
    await podman().buildFrom(
      `FROM ${podman().base}\nRUN apt-get update -qq && apt-get install -y -qq --no-install-recommends kcat\n`,
      clients,
    );
    await podman().ask('network', 'create', 'naru-test');
    // The port of the host is free here, and 9092 need not be.
    const block = blockOf('listeners.md', 'A container and its host at once').replace(/\b9092\b/g, String(port));
    const variables = Object.entries(asVariables(block)).flatMap(([name, value]) => ['--env', `${name}=${value}`]);
    const options = ['--network', 'naru-test', '--publish', `${port}:${port}`, ...variables];
    await podman().ask('run', '--detach', '--name', 'naru', '--pull', 'never', ...options, 'naru');
    await ready();
    const inside = await podman().inspect('naru', '{{(index .NetworkSettings.Networks "naru-test").IPAddress}}');
    const neighbour = async (...args: readonly string[]): Promise<string> =>
      podman().ask('run', '--rm', '--pull', 'never', '--network', 'naru-test', '--add-host', `naru:${inside}`, clients, 'kcat', ...args);

    const told = (text: string): unknown => JSON.parse(text);
    const metadata = await kcat(['-L', '-J', '-b', `localhost:${port}`]);
    expect(told(metadata.toString())).toMatchObject({ brokers: [{ id: 1, name: `localhost:${port}` }] });
    expect(told(await neighbour('-L', '-J', '-b', 'naru:19092'))).toMatchObject({ brokers: [{ id: 1, name: 'naru:19092' }] });

    await write(`localhost:${port}`);
    const out = await neighbour('-C', '-q', '-e', '-b', 'naru:19092', '-t', 'records', '-p', '0', '-o', 'beginning');
    expect(out.split('\n')).toEqual(lines);
  });
});
