// Gets what the clients of other languages need: Go modules, Python packages, Kafka's jars. Downloads go to a cache outside of the tree
// (NARU_INTEROP_CACHE, by default ~/.cache/naru-interop) and are made once.
// Invariant: only what is absent skips a test. A program of ours that does not compile fails it.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { answers, runProgram, succeed } from './run-program.ts';

const INSTALL_TIMEOUT_MS = 240_000;

/** For Kafka's tools: JVMs that are small and start quickly, since each lives for a second. */
export const TOOL_ENVIRONMENT = { PEERS_HEAP: '-Xmx256M -XX:TieredStopAtLevel=1' };

/** A program to run, or why it is not there. */
export type Tool = { readonly program: string; readonly missing: null } | { readonly program: null; readonly missing: string };

function missing(reason: string): Tool {
  return { program: null, missing: reason };
}

function cacheDirectory(): string {
  const directory = process.env.NARU_INTEROP_CACHE ?? join(homedir(), '.cache/naru-interop');
  mkdirSync(directory, { recursive: true });
  return directory;
}

/** The script that runs Kafka's own tools. */
export async function kafkaTools(): Promise<Tool> {
  const program = join(process.env.NARU_PEERS ?? resolve(import.meta.dirname, '../../../shared/peers'), 'kafka');
  if (!existsSync(program)) return missing(`no Apache Kafka tools at ${program} (NARU_PEERS)`);
  if (!(await answers('java', '-version'))) return missing('Java is not installed');
  const got = await runProgram(program, ['get'], { timeoutMs: INSTALL_TIMEOUT_MS });
  return got.code === 0 ? { program, missing: null } : missing(`Kafka's jars did not come: ${lastLine(got.err)}`);
}

/** The program of test/interop/go, compiled. */
export async function goClient(): Promise<Tool> {
  const directory = join(import.meta.dirname, 'go');
  if (!(await answers('go', 'version'))) return missing('Go is not installed');
  const got = await runProgram('go', ['mod', 'download'], { directory, timeoutMs: INSTALL_TIMEOUT_MS });
  if (got.code !== 0) return missing(`the Go modules did not come: ${lastLine(got.err)}`);
  const program = join(cacheDirectory(), 'franz-go-client');
  await succeed('go', ['build', '-o', program, '.'], { directory, timeoutMs: INSTALL_TIMEOUT_MS });
  return { program, missing: null };
}

/** A Python with the packages of test/interop/python/requirements.txt. */
export async function pythonClients(): Promise<Tool> {
  const requirements = join(import.meta.dirname, 'python/requirements.txt');
  if (!(await answers('python3', '--version'))) return missing('Python is not installed');
  // Another list of packages is another environment.
  const digest = createHash('sha256').update(readFileSync(requirements)).digest('hex').slice(0, 12);
  const environment = join(cacheDirectory(), `python-${digest}`);
  const program = join(environment, 'bin/python');
  if (existsSync(join(environment, 'complete'))) return { program, missing: null };
  rmSync(environment, { recursive: true, force: true });
  const made = await runProgram('python3', ['-m', 'venv', environment]);
  if (made.code !== 0) return missing(`Python makes no virtual environment: ${lastLine(made.err)}`);
  const install = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--only-binary', ':all:', '-r', requirements];
  const got = await runProgram(program, install, { timeoutMs: INSTALL_TIMEOUT_MS });
  if (got.code !== 0) return missing(`the Python packages did not come: ${lastLine(got.err)}`);
  mkdirSync(join(environment, 'complete'));
  return { program, missing: null };
}

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1) ?? '';
}
