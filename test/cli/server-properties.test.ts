// `naru start --config` with the files of real installations (test/config/server-properties): they start, and what has no effect is named
// in the log. Only the ports and the data directory are others.
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';

const MAIN = new URL('../../src/cli/main.ts', import.meta.url).pathname;
const FILES = new URL('../config/server-properties/', import.meta.url).pathname;
const home = mkdtempSync(join(tmpdir(), 'naru-properties-'));
afterAll(() => rmSync(home, { recursive: true, force: true }));

/** Starts it until it is ready or has ended, then ends it; its exit code and all that it said. */
async function start(name: string): Promise<{ code: number | null; output: string }> {
  const config = join(home, `${name}.properties`);
  const text = readFileSync(join(FILES, `${name}.properties`), 'utf8');
  const moved = text.replace(/^listeners=.*$/m, (line) =>
    line.replaceAll(/:\d+(?=,|$)/g, ':0').replaceAll(/:\/\/(?:0\.0\.0\.0)?:/g, '://127.0.0.1:'),
  );
  writeFileSync(config, moved);
  const args = [MAIN, 'start', '--config', config, '--data-dir', join(home, name), '--override', 'naru.workers=1'];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  let isStopping = false;
  const hear = (bytes: Buffer): void => {
    output += bytes.toString();
    if (isStopping || !/^naru .* ready/m.test(output)) return;
    isStopping = true; // Once: a second signal ends it at once.
    child.kill('SIGTERM');
  };
  child.stdout.on('data', hear);
  child.stderr.on('data', hear);
  return new Promise((done) => child.once('close', (code) => done({ code, output })));
}

describe('naru start --config', () => {
  test.each([
    ['apache-4-combined', 'controller.quorum.bootstrap.servers is known but has no effect yet'],
    ['confluent-image', 'unknown option confluent.balancer.enable'],
    ['bitnami-chart', 'super.users has no effect without authorizer.class.name'],
    ['zookeeper-2', 'zookeeper.connect is an option of Apache Kafka before 4 and has no effect'],
  ])('with %s', async (name, warning) => {
    const { code, output } = await start(name);
    expect(output).toMatch(/^naru .* ready/m);
    expect(output).toContain(warning);
    expect(code).toBe(0);
  });

  test('says in one line why it does not start', async () => {
    const { code, output } = await start('apache-4-controller');
    expect(code).toBe(1);
    expect(
      output
        .trim()
        .split('\n')
        .filter((line) => line.startsWith('naru: ')),
    ).toEqual(['naru: process.roles=controller: a node with one role alone is not served yet (allowed: broker,controller)']);
  });
});
