// A broker inside of another program, for tests and small applications: `naru/embedded` of the published package.
// Invariants: nothing of the process is changed but its limit of open files (no signal handlers, no exit, no variables), and nothing of the
// broker is left once it has stopped. What is exported names no other module's type: its declarations are published as one file.
// Runs on: the thread of whoever calls it.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from '../base/timers.ts';
import type { Broker } from '../broker/broker.ts';
import { ConfigError } from '../config/define.ts';
import { jsonSink, type LogSink, loggerTo, plainSink } from '../telemetry/logger.ts';
import { directoryKey, resolveSettings } from './settings.ts';

/** What of a logger is used, the fields first: a pino logger is one. */
export interface BrokerLogger {
  debug(fields: Readonly<Record<string, unknown>>, message: string): void;
  info(fields: Readonly<Record<string, unknown>>, message: string): void;
  warn(fields: Readonly<Record<string, unknown>>, message: string): void;
  error(fields: Readonly<Record<string, unknown>>, message: string): void;
}

export interface StartBrokerOptions {
  /**
   * Broker options by their names: Apache Kafka's, such as `'num.partitions': 3`, and Naru's own, such as `'naru.workers': 2`. Lists are
   * texts with commas. Neither files nor NARU_ variables say any; NARU_NATIVE=off alone holds for the whole process.
   */
  readonly config?: Readonly<Record<string, string | number | boolean | undefined>> | undefined;
  /**
   * The data directory: made where there is none, and kept. Where it is left out, the data lies in a new directory for temporary files, which
   * `stop` removes.
   */
  readonly directory?: string | undefined;
  /** The port that clients connect to, on 127.0.0.1 unless `config.listeners` says otherwise; 0, the default, takes a free one. */
  readonly port?: number | undefined;
  /**
   * Takes the log lines, from `info` on; null: nobody does. Where it is left out, warnings and errors are written to stderr.
   * `config['naru.log.level']` sets another level.
   */
  readonly logger?: BrokerLogger | null | undefined;
}

/** A broker that serves. */
export interface EmbeddedBroker {
  /** `host:port`, for a client's configuration. */
  readonly bootstrapServers: string;
  /** The port of `bootstrapServers`. */
  readonly port: number;
  /** The data directory, as an absolute path. */
  readonly directory: string;
  /** `http://host:port` with /metrics, /healthz and /readyz, where `naru.http.listener` was given; otherwise null. */
  readonly httpListener: string | null;
  /**
   * Rejects with the reason when the broker cannot go on; all of it has been stopped by then. It never resolves, and need not be listened to:
   * the reason is logged as well.
   */
  readonly failed: Promise<never>;
  /**
   * Stops in order: requests that were taken are answered, logs are closed, a temporary directory is removed. Resolves also where the broker
   * had failed before; rejects where it fails on its way. Called again, it gives the same promise.
   */
  stop(): Promise<void>;
  /** The same as `stop`, for `await using`. */
  [Symbol.asyncDispose](): Promise<void>;
}

const OPTION_NAMES: readonly string[] = ['config', 'directory', 'port', 'logger'] satisfies (keyof StartBrokerOptions)[];

/**
 * Starts a broker in this process; it serves when the promise resolves. Any number of them may run side by side, each with a directory of its
 * own. All of it runs in the calling thread unless `config['naru.workers']` asks for threads.
 *
 * Rejects with a `ConfigError` for an option that is refused (`key` names it), with a `DirectoryLockedError` where another broker has the
 * directory, with Node's own error where the port is taken (`code: 'EADDRINUSE'`); nothing is left of a start that failed.
 */
export async function startBroker(options: StartBrokerOptions = {}): Promise<EmbeddedBroker> {
  const stranger = Object.keys(options).find((name) => !OPTION_NAMES.includes(name));
  if (stranger !== undefined) throw new TypeError(`startBroker has no option ${stranger} (allowed: ${OPTION_NAMES.join(', ')})`);
  const { config: settings = {}, port, logger: taker } = options;
  const key = directoryKey(settings);
  if (key !== null && options.directory !== undefined) {
    const given = String(settings[key]);
    throw new ConfigError(`${key}: ${given} was given besides directory=${options.directory} (allowed: one of the two)`, key, given);
  }
  const given = options.directory ?? (key === null ? undefined : String(settings[key]));
  const directory = given ?? (await mkdtemp(join(tmpdir(), 'naru-')));
  const removeOwn = async (): Promise<void> => {
    if (given === undefined) await rm(directory, { recursive: true, force: true });
  };
  try {
    const { config, warnings } = resolveSettings({ config: settings, port, directory, hasLogger: taker !== undefined });
    const sink = taker === undefined ? await (config.naruLogFormat === 'json' ? jsonSink() : plainSink()) : sinkTo(taker);
    const logger = loggerTo(sink, config.naruLogLevel);
    for (const warning of warnings) logger.of('config').warn(warning);
    const { startBroker: start } = await import('../broker/broker.ts');
    const broker = await start(config, logger);
    void broker.failed.then((error) => logger.error('the broker failed', { error: error.stack ?? error.message }));
    return embedded(broker, removeOwn);
  } catch (error) {
    await removeOwn();
    throw error;
  }
}

function embedded(broker: Broker, removeOwn: () => Promise<void>): EmbeddedBroker {
  const { listeners, httpListener, dataDirectories } = broker.ready;
  const { host = '', port = 0 } = listeners[0] ?? {};
  const failed = broker.failed.then((error): never => {
    throw error;
  });
  failed.catch(() => {}); // Whoever does not listen must not have the process ended for it.
  let stopped: Promise<void> | null = null;
  const stop = (): Promise<void> => {
    stopped ??= broker.stop().finally(removeOwn);
    return stopped;
  };
  return {
    bootstrapServers: `${reachable(host)}:${port}`,
    port,
    directory: dataDirectories[0] ?? '',
    httpListener,
    failed,
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

/** A host to connect to from this machine. */
function reachable(host: string): string {
  if (host === '0.0.0.0' || host === '::') return 'localhost';
  return host.includes(':') ? `[${host}]` : host;
}

/** An error that the taker throws is its own program's, and must not end the broker. */
function sinkTo(taker: BrokerLogger | null): LogSink {
  if (taker === null) return () => {};
  return ({ level, component, message, fields }) => {
    try {
      taker[level]({ component, ...fields }, message);
    } catch (error) {
      setImmediate(() => {
        throw error;
      });
    }
  };
}
