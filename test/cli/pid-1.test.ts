// The broker as process 1 of a container, where a signal without a handler does nothing at all. A PID namespace of its own stands for the
// container; making one takes root on Linux.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { skipSuite } from '../support/skip.ts';

const MAIN = new URL('../../src/cli/main.ts', import.meta.url).pathname;
const NAMESPACE = ['--fork', '--pid', '--mount-proc', '--kill-child'];
const missing = spawnSync('unshare', [...NAMESPACE, 'true']).status === 0 ? null : 'no PID namespaces here (unshare, as root)';

let directory = '';

afterEach(() => {
  if (directory !== '') rmSync(directory, { recursive: true, force: true });
});

/** The process that is 1 in there, as it is known out here: the child of unshare. */
function childOf(pid: number): number {
  const [child = ''] = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ');
  return Number(child);
}

describe.each([0, 2])('at %i workers', (workers) => {
  skipSuite(missing);

  test.each(['SIGTERM', 'SIGINT'] as const)('process 1 stops cleanly at %s, and leaves no process behind', async (signal) => {
    directory = mkdtempSync(join(tmpdir(), 'naru-pid-1-'));
    const command = [process.execPath, MAIN, 'start', '--port', '0', '--data-dir', directory, '--override', `naru.workers=${workers}`];
    const outer = spawn('unshare', [...NAMESPACE, ...command], { stdio: ['ignore', 'pipe', 'inherit'] });
    const exit = new Promise<number | null>((done) => outer.once('close', (code) => done(code)));
    let output = '';
    await new Promise<void>((ready, fail) => {
      outer.stdout.on('data', (bytes: Buffer) => {
        output += bytes.toString();
        if (output.includes(' ready: ')) ready();
      });
      void exit.then((code) => fail(new Error(`ended with ${code} before it was ready: ${output}`)));
    });
    const inner = childOf(outer.pid ?? 0);
    // Its number in the namespace is the last one.
    expect(readFileSync(`/proc/${inner}/status`, 'utf8')).toMatch(/^NSpid:\s.*\s1$/m);
    expect(readdirSync(`/proc/${inner}/task`).every((task) => readFileSync(`/proc/${inner}/task/${task}/children`, 'utf8') === '')).toBe(
      true,
    );
    process.kill(inner, signal);
    expect(await exit).toBe(0);
    expect(existsSync(join(directory, '.kafka_cleanshutdown'))).toBe(true);
  });
});
