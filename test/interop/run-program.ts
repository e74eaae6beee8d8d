// Runs a program to its end, within a time: a client that waits for ever is a finding, not a reason to wait with it.
import { spawn } from 'node:child_process';

const TIMEOUT_MS = 60_000;

export interface ProgramResult {
  /** null: ended by a signal, or by us when its time was over. */
  readonly code: number | null;
  readonly isTimedOut: boolean;
  readonly out: string;
  readonly err: string;
  /** The command line and everything that it said, for messages. */
  readonly story: string;
}

export interface ProgramOptions {
  readonly input?: Uint8Array | string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly directory?: string;
  readonly timeoutMs?: number;
}

/** Resolves however the program ends; rejects only where it cannot be started. */
export async function runProgram(program: string, args: readonly string[], options: ProgramOptions = {}): Promise<ProgramResult> {
  return new Promise((done, fail) => {
    const child = spawn(program, args, {
      cwd: options.directory,
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { ...process.env, ...options.environment },
    });
    let isTimedOut = false;
    const timer = setTimeout(() => {
      isTimedOut = true;
      child.kill('SIGKILL');
    }, options.timeoutMs ?? TIMEOUT_MS);
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    child.stdout.on('data', (bytes: Buffer) => out.push(bytes));
    child.stderr.on('data', (bytes: Buffer) => err.push(bytes));
    child.on('error', (error) => {
      clearTimeout(timer);
      fail(error);
    });
    child.on('close', (code) => {
      clearTimeout(timer);
      const result = { code, isTimedOut, out: Buffer.concat(out).toString(), err: Buffer.concat(err).toString() };
      const end = isTimedOut ? 'did not end in time' : `ended with ${code}`;
      done({ ...result, story: `${program} ${args.join(' ')} ${end}\n${result.out}${result.err}` });
    });
    child.stdin.on('error', () => {});
    child.stdin.end(options.input ?? '');
  });
}

/** Runs a program that must end with exit code 0, and gives what it said on stdout; throws with its whole story otherwise. */
export async function succeed(program: string, args: readonly string[], options: ProgramOptions = {}): Promise<string> {
  const result = await runProgram(program, args, options);
  if (result.code !== 0) throw new Error(result.story);
  return result.out;
}

/** Whether a program is there and answers. */
export async function answers(program: string, ...args: readonly string[]): Promise<boolean> {
  try {
    return (await runProgram(program, args)).code === 0;
  } catch {
    return false;
  }
}
