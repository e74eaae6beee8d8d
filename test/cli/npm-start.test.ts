// `npm start` as an init system or a container runs it: what is told to npm must reach the broker, whatever shell stands between them.
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';

const root = resolve(import.meta.dirname, '../..');

test('a SIGTERM to npm stops the broker cleanly, and npm ends with it', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'naru-npm-start-'));
  const args = ['start', '--', '--port', '0', '--data-dir', directory, '--override', 'naru.workers=0'];
  // A group of its own: what a lost signal would leave running is ended with it.
  const npm = spawn('npm', args, { cwd: root, detached: true, stdio: ['ignore', 'pipe', 'inherit'] });
  const exit = new Promise<number | null>((done) => npm.once('exit', (code) => done(code)));
  // The pipe ends when the last process that holds it does: npm, the shell and the broker.
  const outputEnd = new Promise<void>((done) => npm.stdout.once('end', done));
  let output = '';
  try {
    await new Promise<void>((ready, fail) => {
      npm.once('error', fail);
      npm.stdout.on('data', (chunk: Buffer) => {
        output += chunk;
        if (output.includes(' ready: ')) ready();
      });
      void outputEnd.then(() => fail(new Error(`no ready line in: ${output}`)));
    });
    expect(existsSync(join(directory, '.kafka_cleanshutdown'))).toBe(false);
    npm.kill('SIGTERM');
    expect(await exit).toBe(0);
    await outputEnd;
    expect(existsSync(join(directory, '.kafka_cleanshutdown'))).toBe(true);
  } finally {
    try {
      if (npm.pid !== undefined) process.kill(-npm.pid, 'SIGKILL');
    } catch {
      // Nothing of the group is left.
    }
    rmSync(directory, { recursive: true, force: true });
  }
});
