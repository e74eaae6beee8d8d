// The unit and the image: what they say of the broker is so. Neither is run here; process 1 is test/cli/pid-1.test.ts.
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { resolveBrokerConfig } from '../../src/config/broker-config.ts';

const root = resolve(import.meta.dirname, '../..');
const dockerfile = readFileSync(join(root, 'packaging/Dockerfile'), 'utf8');

test('systemd finds nothing wrong with the unit', (context) => {
  context.skip(spawnSync('systemd-analyze', ['--version']).status !== 0, 'no systemd-analyze on this machine');
  // It looks at the programs and users, too: those of an installation are not here.
  const { status, stdout, stderr } = spawnSync('systemd-analyze', ['verify', '--man=no', join(root, 'packaging/naru.service')], {
    encoding: 'utf8',
  });
  expect([status, `${stdout}${stderr}`]).toEqual([0, '']);
});

test('the variables of the image are options that are allowed, and its health is asked where it listens', () => {
  const [, block = ''] = /^ENV ((?:.*\\\n)*.*)$/m.exec(dockerfile) ?? [];
  const environment = Object.fromEntries([...block.matchAll(/(\w+)=(\S+)/g)].map(([, name = '', value = '']) => [name, value]));
  expect(Object.keys(environment).filter((name) => name.startsWith('NARU_')).length).toBeGreaterThan(2);
  const { config, warnings } = resolveBrokerConfig({ environment, overrides: [], coreCount: 2 });
  expect(warnings).toEqual([]);
  expect(config.logDirs).toEqual([/^VOLUME (\S+)$/m.exec(dockerfile)?.[1]]);
  const [, healthPort] = /fetch\('http:\/\/127\.0\.0\.1:(\d+)\/readyz'\)/.exec(dockerfile) ?? [];
  expect(String(config.httpListener?.port)).toBe(healthPort);
  const ports = [config.listeners[0]?.port, config.httpListener?.port].join(' ');
  expect(dockerfile).toContain(`EXPOSE ${ports}\n`);
});

test('the health check of the image is a program that runs', () => {
  const [, script = ''] = /"-e", "(.*)"\]/.exec(dockerfile) ?? [];
  // Nobody listens at that port here, or somebody who is no broker.
  const { status } = spawnSync(process.execPath, ['-e', script.replace(/:\d+/, ':1')]);
  expect(status).toBe(1);
});

test('what the image starts is what the package brings', () => {
  const manifest: { bin: Record<string, string> } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  expect(dockerfile).toContain(`/app/node_modules/naru/${manifest.bin.naru}`);
  for (const [, copied = ''] of dockerfile.matchAll(/^COPY (?!--from)(.+) \S+$/gm))
    for (const name of copied.split(' ')) expect(existsSync(join(root, name)), name).toBe(true);
  expect(execFileSync('git', ['ls-files', 'package-lock.json'], { cwd: root, encoding: 'utf8' })).not.toBe('');
});
