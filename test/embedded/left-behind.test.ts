// What a process has left of a broker that it ran: nothing that keeps it alive, no listener, no file. A process of its own, which ends by itself.
import { spawn } from 'node:child_process';
import { expect, test } from 'vitest';
import { within } from '../support/broker-process.ts';

const PROGRAM = new URL('embedded-program.ts', import.meta.url).pathname;
const ENDS_WITHIN_MS = 120_000;

async function run(workers: string): Promise<{ code: number | null; output: string }> {
  const child = spawn(process.execPath, [PROGRAM, workers], { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (bytes: Buffer) => (output += bytes.toString()));
  try {
    const code = await within(ENDS_WITHIN_MS, new Promise<number | null>((done) => child.once('close', done)));
    return { code, output };
  } catch (error) {
    throw new Error(`the program does not end: ${output}`, { cause: error });
  } finally {
    child.kill('SIGKILL');
  }
}

test.each(['0', '2'])(
  'brokers at %s workers that stopped, did not start or failed leave nothing',
  async (workers) => {
    const { code, output } = await run(workers);
    expect(output).toBe('no listeners, no files, nothing active\n');
    expect(code).toBe(0);
  },
  2 * ENDS_WITHIN_MS,
);
