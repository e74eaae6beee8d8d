// The systemd unit, installed with the commands of docs/operations.md under a systemd that was booted for it, and what the pages say of it.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { VERSION } from '../../src/base/version.ts';
import { BrokerProcess, freePort } from '../support/broker-process.ts';
import { kcat, kcatMissing } from '../support/kcat.ts';
import { BootedSystem } from './packaged/booted-system.ts';
import { blockOf } from './packaged/pages.ts';
import { succeed } from './run-program.ts';

const root = resolve(import.meta.dirname, '../..');
const WITHIN_MS = 60_000;
/** Of `systemd-analyze security`, in tenths: 0 is closed, 100 is open. */
const EXPOSURE_MAX = 25;
const lines = Array.from({ length: 500 }, (_, index) => `record ${index}`);

let system: BootedSystem | null = null;
let missing: string | null = kcatMissing;
let port = 0;
let httpPort = 0;
const directory = mkdtempSync(join(tmpdir(), 'naru-unit-'));

beforeAll(async () => {
  if (missing !== null) return;
  await succeed('npm', ['pack', '--silent', '--pack-destination', directory], { directory: root, timeoutMs: 120_000 });
  ({ system, missing } = await BootedSystem.open(directory, '/package'));
  if (system === null) return;
  [port, httpPort] = [await freePort(), await freePort()];
  const properties = [`listeners=PLAINTEXT://127.0.0.1:${port}`, `naru.http.listener=http://127.0.0.1:${httpPort}`];
  // The registry does not have this version yet.
  const commands = blockOf('operations.md', 'systemd').replace('install --global naru', `install --global /package/naru-${VERSION}.tgz`);
  expect(commands).toContain('/package/');
  await system.ask(`cd /root; printf '%s\\n' ${properties.join(' ')} >server.properties\n${commands}`);
  await isServing();
}, 1_200_000);

beforeEach((context) => context.skip(missing !== null, missing ?? ''));

afterAll(async () => {
  await system?.dispose();
  rmSync(directory, { recursive: true, force: true });
});

async function ask(script: string): Promise<string> {
  if (system === null) throw new Error(missing ?? 'no systemd');
  return system.ask(script);
}

/** What systemd knows of the unit. */
async function property(name: string): Promise<string> {
  return ask(`systemctl show --property ${name} --value naru`);
}

async function journal(): Promise<string> {
  return ask('journalctl --unit naru --output cat --no-pager');
}

async function until(what: string, isSo: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + WITHIN_MS;
  while (!(await isSo().catch(() => false))) {
    if (performance.now() > deadline)
      throw new Error(`${what}: not within ${WITHIN_MS} ms\n${await ask('systemctl status naru || true')}\n${await journal()}`);
    await delay(200);
  }
}

async function isServing(): Promise<void> {
  await until('it serves', async () => (await fetch(`http://127.0.0.1:${httpPort}/readyz`)).ok);
}

async function write(topic: string): Promise<void> {
  await kcat(['-P', '-b', `127.0.0.1:${port}`, '-t', topic, '-p', '0', '-X', 'acks=all'], `${lines.join('\n')}\n`);
}

async function read(topic: string): Promise<string[]> {
  const out = await kcat(['-C', '-q', '-e', '-b', `127.0.0.1:${port}`, '-t', topic, '-p', '0', '-o', 'beginning']);
  return out.toString().split('\n').slice(0, -1);
}

/** The native calls that a ready line names. */
function nativeCalls(text: string): string | undefined {
  return /ready: .* native ([^,]+),/.exec(text)?.[1];
}

test('serves, as a user of its own, from the folder that systemd made', async () => {
  expect(await ask('systemctl is-active naru')).toBe('active');
  expect(await ask('systemctl is-enabled naru')).toBe('enabled');
  await write('records');
  expect(await read('records')).toEqual(lines);
  expect(await ask(`ps -o user= -p ${await property('MainPID')} 2>/dev/null || stat -c %U /proc/${await property('MainPID')}`)).toBe(
    'naru',
  );
  expect(await ask('stat -c "%U %a" /var/lib/naru /var/cache/naru')).toMatch(/^naru 750\nnaru \d+$/);
});

test('nothing that the unit forbids is needed: every native call answers that answers without it', async () => {
  const plain = await BrokerProcess.start({ workers: 1 });
  try {
    expect(nativeCalls(plain.output)).toBeDefined();
    expect(nativeCalls(await journal())).toBe(nativeCalls(plain.output));
  } finally {
    await plain.stop();
    await plain.dispose();
  }
});

test('has the descriptors that the unit asks for, or as many of them as the machine allows', async () => {
  const [, asked] = /^LimitNOFILE=(\d+)$/m.exec(readFileSync(join(root, 'packaging/naru.service'), 'utf8')) ?? [];
  // Only who has CAP_SYS_RESOURCE (24) gives more than it has itself.
  const capabilities = BigInt(`0x${/^CapEff:\s(\w+)$/m.exec(await ask('cat /proc/1/status'))?.[1]}`);
  const has = /^Max open files +\d+ +(\d+)/m.exec(await ask('cat /proc/1/limits'))?.[1];
  const limit = (capabilities >> 24n) % 2n === 1n ? asked : String(Math.min(Number(asked), Number(has)));
  const metrics = await (await fetch(`http://127.0.0.1:${httpPort}/metrics`)).text();
  expect(/^process_max_fds (\d+)$/m.exec(metrics)?.[1]).toBe(limit);
  expect(await journal()).toContain(` ${limit} descriptors, `);
});

test('may write to its own folders and to no others', async () => {
  const pid = await property('MainPID');
  const asBroker = `nsenter --target ${pid} --mount setpriv --reuid naru --regid naru --clear-groups`;
  expect(await ask(`${asBroker} sh -c 'touch /var/lib/naru/x && rm /var/lib/naru/x && echo written'`)).toBe('written');
  for (const path of ['/etc/naru/x', '/var/lib/x', '/usr/x', '/root/x'])
    expect(await ask(`${asBroker} touch ${path} 2>&1 || true`)).toMatch(/Read-only file system|Permission denied/);
});

test('systemd finds nothing wrong with it where it is installed, and little that it could still do', async () => {
  expect(await ask('systemd-analyze verify /etc/systemd/system/naru.service 2>&1')).toBe('');
  await ask(`systemd-analyze security --no-pager --threshold=${EXPOSURE_MAX} naru.service`);
});

test('stops cleanly, and has everything at the next start', async () => {
  await write('stopped');
  await ask('systemctl stop naru');
  expect([await property('Result'), await property('ExecMainStatus')]).toEqual(['success', '0']);
  expect(await ask('ls /var/lib/naru/data/.kafka_cleanshutdown')).toMatch(/cleanshutdown/);
  await ask('systemctl start naru');
  await isServing();
  expect(await read('stopped')).toEqual(lines);
});

test('a broker that was killed is started again, and has what was acknowledged', async () => {
  await write('killed');
  const [pid, restarts] = [await property('MainPID'), Number(await property('NRestarts'))];
  await ask(`kill -KILL ${pid}`);
  await until(
    'it is started again',
    async () => Number(await property('NRestarts')) === restarts + 1 && (await property('MainPID')) !== '0',
  );
  await isServing();
  expect(await property('MainPID')).not.toBe(pid);
  expect(await read('killed')).toEqual(lines);
});

test('a start that cannot succeed says why, and is not tried for ever', async () => {
  await ask('systemctl stop naru; cp /etc/naru/server.properties /root/kept; echo log.segment.bytes=no >>/etc/naru/server.properties');
  await ask('systemctl start naru || true');
  await until('systemd gives up', async () => (await property('ActiveState')) === 'failed');
  expect(await journal()).toMatch(/^naru: .*log\.segment\.bytes/m);
  expect(await journal()).toMatch(/Start request repeated too quickly/);
  await ask('cp /root/kept /etc/naru/server.properties; systemctl reset-failed naru; systemctl start naru');
  await isServing();
});
