// `naru start`: reads the configuration, starts the broker, says that it is ready, and stops it when it is told to.
// Invariant: whatever goes wrong is one line on stderr and an exit code; nothing but this file ends the process.
// Runs on: the main thread.
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import type { Broker } from '../../broker/broker.ts';
import type { BrokerConfig, BrokerConfigSources, ResolvedBrokerConfig } from '../../config/broker-config.ts';
import { resolveBrokerConfig } from '../../config/broker-config.ts';
import { ConfigError } from '../../config/define.ts';
import { parseOverride } from '../../config/parse.ts';
import type { SpareThreads } from '../../scheduler/spare-threads.ts';
import { type LeveledLogger, loggerTo } from '../../telemetry/logger.ts';
import { parseOptions, UsageError } from '../options.ts';
import { startCommand } from './start-options.ts';
import { isJsonAskedFor, jsonOutput, plainOutput, type StartOutput, type Streams } from './start-output.ts';

/** `calledOff` ends the start: the promise rejects with the signal's reason once all of it has been stopped. */
export type BrokerStarter = (config: BrokerConfig, logger: LeveledLogger, calledOff: AbortSignal) => Promise<Broker>;

/** The parts of the process that a test puts something else in place of. */
export interface ProcessParts extends Streams {
  readonly startBroker: BrokerStarter;
  exit(code: number): void;
  onSignal(listener: (signal: 'SIGINT' | 'SIGTERM') => void): void;
}

/** `spares`: threads for workers that have begun already. */
export const realProcess = (spares?: SpareThreads): ProcessParts => ({
  startBroker: async (config, logger, calledOff) => (await import('../../broker/broker.ts')).startBroker(config, logger, calledOff, spares),
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
  exit: exitWhenSaid,
  onSignal(listener) {
    process.on('SIGINT', listener);
    process.on('SIGTERM', listener);
  },
});

/** How long an exit waits for whoever reads what was said last. */
const LAST_WORDS_WAIT_MS = 3000;

/** A pipe whose reader is slow takes lines later, and an exit at once would lose those; one that is not read at all is not waited for. */
function exitWhenSaid(code: number): void {
  setTimeout(() => process.exit(code), LAST_WORDS_WAIT_MS);
  process.stderr.write('', () => void process.stdout.write('', () => process.exit(code)));
}

/** 128 + the signal's number, as shells show it. */
const SIGNAL_EXIT_CODE = { SIGINT: 130, SIGTERM: 143 } as const;

/** Returns once the broker is ready or has failed to start. Throws UsageError. */
export async function start(args: readonly string[], parts: ProcessParts): Promise<void> {
  let output: StartOutput = plainOutput(parts);
  let hasFailed = false;
  const failure = (message: string): void => {
    if (hasFailed) return; // One line: what fails while that is written fails because of it.
    hasFailed = true;
    output.failure(message);
    parts.exit(1);
  };
  const values = parseOptions(startCommand, args);
  let resolved: ResolvedBrokerConfig;
  let isJson = false;
  const useJson = async (isAsked: boolean): Promise<void> => {
    if (isJson || !isAsked) return;
    isJson = true;
    output = await jsonOutput(parts);
  };
  try {
    // Asked as soon as it can be: what is refused is said in that form, too.
    const given = sourcesOf(values);
    await useJson(isJsonAskedFor(given));
    const sources = { ...given, ...configFileOf(values) };
    await useJson(isJsonAskedFor(sources));
    resolved = resolveBrokerConfig(sources);
    await useJson(resolved.config.naruLogFormat === 'json'); // By a placeholder.
  } catch (error) {
    if (error instanceof ConfigError) return failure(error.message);
    throw error;
  }
  const { config, warnings } = resolved;
  const logger = loggerTo(output.log, config.naruLogLevel);
  for (const warning of warnings) logger.of('config').warn(warning);

  const calledOff = new AbortController();
  let running: Broker | null = null;
  let asked: string | undefined; // The signal that ends it.
  const stop = (broker: Broker): void => {
    broker.stop(asked).then(
      () => parts.exit(0),
      (error: unknown) => failure(`the broker did not stop cleanly: ${describeFailure(error)}`),
    );
  };
  parts.onSignal((signal) => {
    if (calledOff.signal.aborted) return parts.exit(SIGNAL_EXIT_CODE[signal]);
    asked = signal;
    calledOff.abort();
    if (running !== null) stop(running);
  });

  try {
    running = await parts.startBroker(config, logger, calledOff.signal);
  } catch (error) {
    if (error === calledOff.signal.reason) {
      logger.info('the start was called off', { reason: asked });
      return parts.exit(0);
    }
    return failure(describeFailure(error));
  }
  running.failed.then((error) => failure(`the broker failed: ${describeFailure(error)}`));
  output.ready(running.ready);
  if (calledOff.signal.aborted) stop(running); // It came too late for the start to hear of it.
}

/** What is given besides the file. */
function sourcesOf(values: ReadonlyMap<string, readonly string[]>): BrokerConfigSources {
  const [portText] = values.get('port') ?? [];
  const [directory] = values.get('data-dir') ?? [];
  const overrides = (values.get('override') ?? []).map(parseOverride);
  if (directory !== undefined) overrides.push(['log.dirs', directory]);
  return {
    ...(portText === undefined ? {} : { port: parsePort(portText) }),
    environment: process.env,
    readFile: textOfFile,
    overrides,
    coreCount: availableParallelism(),
  };
}

function configFileOf(values: ReadonlyMap<string, readonly string[]>): { readonly file?: string } {
  const [path] = values.get('config') ?? [];
  return path === undefined ? {} : { file: readConfigFile(path) };
}

function readConfigFile(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new ConfigError(`the configuration ${path} cannot be read (${codeOf(error)})`, 'config', path);
  }
}

/** For placeholders; null: it cannot be read, and whoever asks says why it was wanted. */
function textOfFile(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}

function parsePort(text: string): number {
  const port = Number(text);
  if (!/^\d+$/.test(text) || port > 65_535) throw new UsageError(`--port takes a number of 0 to 65535; "${text}" was given`);
  return port;
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : String(error);
}

/** One line for what users can mend; the whole stack for what only we can. */
function describeFailure(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if ('code' in error && 'port' in error) {
    const host = 'address' in error ? String(error.address) : '';
    const address = `${host.includes(':') ? `[${host}]` : host}:${error.port}`;
    if (error.code === 'EADDRINUSE') return `the address ${address} is taken by another process`;
    if (error.code === 'EACCES') return `the address ${address} may not be used by this user`;
    if (error.code === 'EADDRNOTAVAIL') return `the address ${address} is none of this machine's`;
  }
  const isOurs =
    error.name === 'AssertionError' || error instanceof TypeError || error instanceof RangeError || error instanceof ReferenceError;
  return isOurs ? (error.stack ?? error.message) : error.message.replace(/\s*\n\s*/g, ' ');
}
