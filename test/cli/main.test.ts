// The command line as a process of its own.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { VERSION } from '../../src/base/version.ts';

const root = resolve(import.meta.dirname, '../..');

function naru(...args: string[]): { code: number | null; out: string; err: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [resolve(root, 'src/cli/main.ts'), ...args], { encoding: 'utf8' });
  return { code: status, out: stdout, err: stderr };
}

describe('naru', () => {
  test('--version tells the package’s version', () => {
    const manifest = JSON.parse(readFileSync(resolve(root, 'package.json'), 'utf8'));
    expect(manifest.version).toBe(VERSION);
    expect(naru('--version')).toEqual({ code: 0, out: `naru ${VERSION}\n`, err: '' });
  });

  test('--help names every option', () => {
    const { code, out } = naru('--help');
    expect(code).toBe(0);
    for (const word of ['start', '--config', '--override', '--port', '--data-dir', '--version']) expect(out).toContain(word);
    expect(naru('start', '--help').out).toContain('Usage: naru start [options]');
  });

  test('without a command it says what there is, and fails', () => {
    const { code, err } = naru();
    expect([code, err.startsWith('Usage: naru <command>')]).toEqual([1, true]);
  });

  test.each([
    [['stop'], 'naru: there is no command "stop"; see naru --help\n'],
    [['start', '--nonsense'], "naru: Unknown option '--nonsense'; see naru start --help\n"],
    [['start', '--override', 'ssl.client.auth=required'], 'naru: ssl.client.auth=required asks for security that is not served yet'],
    [['start', '--override', 'authorizer.class.name=a.B'], 'naru: authorizer.class.name=a.B asks for security that is not served yet'],
    [
      ['start', '--override', 'sasl.enabled.mechanisms=PLAIN'],
      'naru: sasl.enabled.mechanisms=PLAIN asks for security that is not served yet',
    ],
    [
      ['start', '--override', 'naru.workers=99'],
      'naru: Invalid value 99 for configuration naru.workers: Value must be no more than 32 (allowed: 0 to 32)',
    ],
    [
      ['start', '--override', 'naru.workers=0', '--override', 'naru.memory.max=16777216', '--override', 'message.max.bytes=20000000'],
      'naru: naru.memory.max=16777216: 16777216 bytes for each of one worker are too little for a batch of message.max.bytes=20000000 (allowed: at least 67108864, or a smaller message.max.bytes)',
    ],
    [
      ['start', '--override', 'log.dirs=/a', '--override', 'cordoned.log.dirs=/b'],
      'naru: cordoned.log.dirs=/b: /b (allowed: directories of log.dirs, or * alone)',
    ],
  ])('%j is one line and exit code 1', (args, message) => {
    const { code, out, err } = naru(...args);
    expect([code, out, err.split('\n').length]).toEqual([1, '', 2]);
    expect(err).toContain(message);
  });
});
