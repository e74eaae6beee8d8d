// kcat (librdkafka) as a child process: a client in C that nobody here wrote.
import { spawn, spawnSync } from 'node:child_process';

/** Why the tests that need kcat are skipped, or null. */
export const kcatMissing: string | null =
  spawnSync('kcat', ['-V']).status === 0 ? null : 'kcat is not installed (Debian: apt-get install kcat)';

/** Runs kcat to its end; rejects with what it said when its exit code is not 0. */
export async function kcat(args: readonly string[], input?: Uint8Array | string): Promise<Buffer> {
  return new Promise((done, fail) => {
    const child = spawn('kcat', args, { stdio: ['pipe', 'pipe', 'pipe'] });
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    child.stdout.on('data', (bytes: Buffer) => out.push(bytes));
    child.stderr.on('data', (bytes: Buffer) => err.push(bytes));
    child.on('error', fail);
    child.on('exit', (code) => {
      if (code === 0) done(Buffer.concat(out));
      else fail(new Error(`kcat ${args.join(' ')} ended with ${code}: ${Buffer.concat(err).toString()}`));
    });
    child.stdin.on('error', () => {});
    child.stdin.end(input ?? '');
  });
}
