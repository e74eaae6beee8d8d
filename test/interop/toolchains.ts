// Gets what the clients of other languages need: Go modules, Python packages, a client with native parts, Kafka's jars. Downloads go to a cache outside of the tree
// (NARU_INTEROP_CACHE, by default ~/.cache/naru-interop) and are made once.
// Invariant: only what is absent skips a test. A program of ours that does not compile fails it.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join, resolve } from 'node:path';
import { answers, runProgram, succeed } from './run-program.ts';

const INSTALL_TIMEOUT_MS = 240_000;
/** librdkafka and the parts for Node are compiled where nobody offers them: minutes, once. */
const COMPILE_TIMEOUT_MS = 580_000;
const CONFLUENT_JAVASCRIPT = { name: '@confluentinc/kafka-javascript', version: '1.10.1' };

/** For Kafka's tools: JVMs that are small and start quickly, since each lives for a second. */
export const TOOL_ENVIRONMENT = { PEERS_HEAP: '-Xmx256M -XX:TieredStopAtLevel=1' };

/** A program to run, or why it is not there. */
export type Tool = { readonly program: string; readonly missing: null } | { readonly program: null; readonly missing: string };

export function missing(reason: string): Tool {
  return { program: null, missing: reason };
}

export function cacheDirectory(): string {
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
  return pythonWith('requirements.txt');
}

/** A Python with Kaskade, a console for terminals, which wants another version of its client than the other tests. */
export async function kaskade(): Promise<Tool> {
  return pythonWith('requirements-kaskade.txt');
}

async function pythonWith(list: string): Promise<Tool> {
  const requirements = join(import.meta.dirname, 'python', list);
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

/** PATH without this repository's own Node. */
export const MACHINES_PATH = (process.env.PATH ?? '')
  .split(delimiter)
  .filter((folder) => !folder.includes('node_modules'))
  .join(delimiter);

/**
 * A folder with @confluentinc/kafka-javascript for the machine's own Node, whose headers are there to compile it with. It takes the libraries
 * that the machine has (CKJS_LINKING); else it would get the sources of each.
 */
export async function confluentJavascript(): Promise<Tool> {
  const environment = { PATH: MACHINES_PATH, CKJS_LINKING: 'dynamic' };
  const version = await runProgram('node', ['--version'], { environment }).catch(() => null);
  if (version?.code !== 0) return missing("Node is not installed, besides this repository's own");
  const directory = join(cacheDirectory(), `javascript-${CONFLUENT_JAVASCRIPT.version}-${version.out.trim()}`);
  if (existsSync(join(directory, 'complete'))) return { program: directory, missing: null };
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory, { recursive: true });
  const { name } = CONFLUENT_JAVASCRIPT;
  const wanted = { private: true, dependencies: { [name]: CONFLUENT_JAVASCRIPT.version }, allowScripts: { [name]: true } };
  writeFileSync(join(directory, 'package.json'), JSON.stringify(wanted));
  const install = ['install', '--no-audit', '--no-fund', '--foreground-scripts'];
  const got = await runProgram('npm', install, { directory, environment, timeoutMs: COMPILE_TIMEOUT_MS });
  if (got.code !== 0)
    return missing(`${name} did not come, or could not be compiled: ${got.isTimedOut ? 'not in time' : lastProblem(got.err)}`);
  mkdirSync(join(directory, 'complete'));
  return { program: directory, missing: null };
}

/** What a failed `npm install` has to say, without where its log is. */
function lastProblem(text: string): string {
  return lastLine(
    text
      .split('\n')
      .filter((line) => /error|fail/i.test(line) && !/not ok|complete log/.test(line))
      .join('\n'),
  );
}

export function lastLine(text: string): string {
  return text.trim().split('\n').at(-1) ?? '';
}
