// The broker's configuration: all that was given, checked and put in order, in one plain object that can be sent to every worker.
// Invariant: plain data (no functions, no classes), so that it survives a structured clone; every value in it was accepted.
// Pure. Not the reading of files and variables: the command line does that.
import { MIB } from '../base/units.ts';
import { type BrokerOptionValues, brokerOptions, brokerOptionsByName } from './broker-options.ts';
import { fillPlaceholders, isOfProvider } from './config-providers.ts';
import { listenerLimit, listenerOptionFault, parseAddressLimits, refuseBadConnectionLimits } from './connection-options.ts';
import { ConfigError, type Option, readRows, readText } from './define.ts';
import { refuseBadInheritance } from './inheritance.ts';
import { laterOptionsByName, runtimeOptionsByName } from './later-options.ts';
import { type ListenerConfig, resolveListeners } from './listener-config.ts';
import { isOfListener, listenerBaseName } from './listener-option-names.ts';
import { formatListener, type HttpListener, parseHttpListener } from './listeners.ts';
import { missingEffect } from './missing-effects.ts';
import { naruOptions, WORKERS_MAX } from './naru-options.ts';
import { type ConfigSources, type GivenValue, gatherValues } from './parse.ts';
import { insteadOfRemoved } from './removed-options.ts';
import { needsAuthorizer, refuseUnservedSecurity } from './security-options.ts';

/** What was changed while the brokers run, as the metadata image has it: for this broker, and for all. */
export interface BrokerOverrides {
  readonly forBroker: ReadonlyMap<string, string>;
  readonly forCluster: ReadonlyMap<string, string>;
}

export const NO_OVERRIDES: BrokerOverrides = { forBroker: new Map(), forCluster: new Map() };

/** The option values under the code's names, several of them worked out from more than one option. */
export interface BrokerConfig
  extends ListenerConfig,
    Omit<
      BrokerOptionValues,
      | 'brokerId'
      | 'listeners'
      | 'advertisedListeners'
      | 'logDir'
      | 'logDirs'
      | 'metadataLogDir'
      | 'interBrokerListenerName'
      | 'logRollMs'
      | 'logRollJitterMs'
      | 'logFlushIntervalMs'
      | 'logRetentionMs'
      | 'naruWorkers'
      | 'naruNative'
      | 'naruHttpListener'
      | 'naruMemoryMax'
      | 'naruWritebackBytes'
      | 'naruSendfileMinBytes'
      | 'naruSendfileAboveBytes'
      | 'naruValidateRecords'
      | 'naruConnectionInflightMax'
      | 'naruConnectionStallMs'
      | 'maxConnectionsPerIpOverrides'
    > {
  /** max.connections.per.ip.overrides: host, as given, and how many. */
  readonly maxConnectionsPerIpOverrides: ReadonlyMap<string, number>;
  /** listener.name.NAME.max.connections, for each of `listeners`. */
  readonly listenerMaxConnections: readonly number[];
  /** listener.name.NAME.max.connection.creation.rate, for each of `listeners`. */
  readonly listenerMaxConnectionCreationRate: readonly number[];
  /** At least one; relative ones as given. */
  readonly logDirs: readonly string[];
  readonly metadataLogDir: string;
  readonly logRollMs: number;
  readonly logRollJitterMs: number;
  readonly logFlushIntervalMs: number;
  readonly logRetentionMs: number;
  /** naru.workers: 0 is everything in the main thread. */
  readonly workers: number;
  /** naru.native */
  readonly isNativeAllowed: boolean;
  /** naru.http.listener; null: none. */
  readonly httpListener: HttpListener | null;
  /** naru.memory.max, all workers together. */
  readonly memoryMaxBytes: number;
  /** naru.writeback.bytes */
  readonly writebackBytes: number;
  /** naru.sendfile.min.bytes */
  readonly sendfileMinBytes: number;
  /** naru.sendfile.above.bytes */
  readonly sendfileAboveBytes: number;
  /** naru.validate.records */
  readonly validatesRecords: boolean;
  /** naru.connection.inflight.max */
  readonly connectionInflightMax: number;
  /** naru.connection.stall.ms */
  readonly connectionStallMs: number;
  /** What was given at the start, by Kafka's names, as it was written. */
  readonly givenTexts: ReadonlyMap<string, string>;
}

export interface BrokerConfigSources extends ConfigSources {
  /** --port: takes the place of the first listener's port. */
  readonly port?: number;
  /** os.availableParallelism(), for the number of workers. */
  readonly coreCount: number;
}

export interface ResolvedBrokerConfig {
  readonly config: BrokerConfig;
  /** What the operator should know: unknown keys, keys without effect. */
  readonly warnings: readonly string[];
}

const NO_BROKER_ID = '-1';
const MEMORY_PER_WORKER_BYTES = 256 * MIB;

/** All option names that anybody may give. */
export function knownOptionNames(): Iterable<string> {
  return [...brokerOptionsByName.keys(), ...laterOptionsByName.keys()];
}

/** The row of a broker's option, whether it has an effect or not. */
export function brokerRow(name: string): Option<unknown> | undefined {
  return brokerOptionsByName.get(name) ?? laterOptionsByName.get(name) ?? runtimeOptionsByName.get(name);
}

/** The text of a broker option as it holds now: changed for this broker, for all, given at the start, or the default. */
export function brokerTextOf(config: BrokerConfig, overrides: BrokerOverrides, name: string): string | null {
  return (
    overrides.forBroker.get(name) ?? overrides.forCluster.get(name) ?? config.givenTexts.get(name) ?? brokerRow(name)?.defaultText ?? null
  );
}

/** Checks and orders what was given. Throws ConfigError: which key, what was given, what is allowed. */
export function resolveBrokerConfig(sources: BrokerConfigSources): ResolvedBrokerConfig {
  const { given: asGiven, unknownVariables } = gatherValues(sources, knownOptionNames());
  const { given, warnings: unfilled } = fillPlaceholders(asGiven, sources);
  if (sources.port !== undefined) given.set('listeners', withPort(given.get('listeners'), sources.port));
  shareNodeId(given);
  const warnings = [...unknownVariables.map((variable) => `the variable ${variable} names no option`), ...unfilled];
  for (const [key, { text, origin }] of given) {
    refuseUnservedSecurity(key, text);
    if (isStrange(key) && !isOfProvider(key, given)) warnings.push(`${strange(key)} (${origin})`);
  }

  const values: BrokerOptionValues = readRows({ ...brokerOptions, ...naruOptions }, (row) =>
    parseGiven(row, given.get(row.name)?.text ?? row.defaultText),
  );
  const workers = values.naruWorkers ?? Math.min(sources.coreCount, WORKERS_MAX);
  const logDirs = values.logDirs ?? values.logDir;
  const {
    brokerId: _,
    naruWorkers,
    naruNative,
    naruHttpListener,
    naruMemoryMax,
    naruWritebackBytes,
    naruSendfileMinBytes,
    naruSendfileAboveBytes,
    naruValidateRecords,
    naruConnectionInflightMax,
    naruConnectionStallMs,
    ...kept
  } = values;
  // Before the listeners, which are others for each role.
  refuseOneRole(values);
  const resolved = resolveListeners(values, (option) => given.has(option));
  const config: BrokerConfig = {
    ...kept,
    ...resolved,
    maxConnectionsPerIpOverrides: parseAddressLimits(values.maxConnectionsPerIpOverrides),
    listenerMaxConnections: resolved.listeners.map(({ name }) => listenerLimit(name, brokerOptions.maxConnections, given)),
    listenerMaxConnectionCreationRate: resolved.listeners.map(({ name }) =>
      listenerLimit(name, brokerOptions.maxConnectionCreationRate, given),
    ),
    logDirs,
    metadataLogDir: values.metadataLogDir ?? logDirs[0] ?? '',
    logRollMs: values.logRollMs ?? hours(values.logRollHours),
    logRollJitterMs: values.logRollJitterMs ?? hours(values.logRollJitterHours),
    logFlushIntervalMs: values.logFlushIntervalMs ?? values.logFlushSchedulerIntervalMs,
    logRetentionMs: values.logRetentionMs ?? retentionMs(values),
    workers,
    isNativeAllowed: naruNative === 'on',
    httpListener: naruHttpListener === '' ? null : parseHttpListener('naru.http.listener', naruHttpListener),
    memoryMaxBytes: naruMemoryMax ?? MEMORY_PER_WORKER_BYTES * Math.max(1, workers),
    writebackBytes: naruWritebackBytes,
    sendfileMinBytes: naruSendfileMinBytes,
    sendfileAboveBytes: naruSendfileAboveBytes,
    validatesRecords: naruValidateRecords,
    connectionInflightMax: naruConnectionInflightMax,
    connectionStallMs: naruConnectionStallMs,
    givenTexts: new Map([...given].map(([key, { text }]) => [key, text])),
  };
  for (const [key, { text, origin }] of given) {
    const without = isStrange(key) ? null : withoutEffect(key, text, config);
    if (without !== null) warnings.push(`${key} ${without} (${origin})`);
  }
  for (const listener of config.controllerListeners) {
    warnings.push(`${formatListener(listener)} is not listened on: this node alone is the metadata quorum, and no other one asks it`);
  }
  refuseBadCombination(config, given);
  refuseBadInheritance((name) => given.get(name)?.text);
  return { config, warnings };
}

/**
 * Why a broker's option does not do what it says, after its name; null where it does, and where it says what holds without it.
 * @param text one that the option takes
 */
export function withoutEffect(name: string, text: string, { listeners }: Pick<BrokerConfig, 'listeners'>): string | null {
  const row = brokerRow(listenerBaseName(name));
  if (row === undefined) return null;
  const missing = missingEffect(row);
  if (missing !== null) return !isOfListener(name) && row.canonical(text) === row.defaultText ? null : `is known but ${missing}`;
  if (!isOfListener(name)) return null;
  return listenerOptionFault(
    name,
    listeners.map((listener) => listener.name),
  );
}

/** Whether nobody knows such an option: a plugin's, an old one or a typing mistake. */
function isStrange(name: string): boolean {
  const base = listenerBaseName(name);
  return !brokerOptionsByName.has(base) && !laterOptionsByName.has(base);
}

/** What to say of a name that is no option's. */
function strange(key: string): string {
  if (needsAuthorizer(key)) return `${key} has no effect without authorizer.class.name`;
  const instead = insteadOfRemoved(key);
  return instead === null ? `unknown option ${key}` : `${key} is an option of Apache Kafka before 4 and has no effect: ${instead}`;
}

/** Names the bounds besides Kafka's sentence, so that the operator need not look them up. */
function parseGiven<T>(row: Option<T>, text: string | null): T {
  try {
    return readText(row, text);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    throw new ConfigError(`${error.message} (allowed: ${row.allowed})`, row.name, text);
  }
}

const HOUR_IN_MS = 3_600_000;
const MINUTE_IN_MS = 60_000;

function hours(count: number): number {
  return count * HOUR_IN_MS;
}

function retentionMs(values: BrokerOptionValues): number {
  const { logRetentionMinutes: minutes, logRetentionHours } = values;
  if (minutes !== null) return minutes < 0 ? -1 : minutes * MINUTE_IN_MS;
  return logRetentionHours < 0 ? -1 : hours(logRetentionHours);
}

function withPort(listeners: GivenValue | undefined, port: number): GivenValue {
  const [first = '', ...rest] = (listeners?.text ?? brokerOptions.listeners.defaultText ?? '').split(',');
  return { text: [first.replace(/:\d+\s*$/, `:${port}`), ...rest].join(','), origin: 'command line' };
}

/** Of node.id and broker.id, the one that was given gives the other its value, as in Apache Kafka. */
function shareNodeId(given: Map<string, GivenValue>): void {
  const nodeId = given.get('node.id');
  const brokerId = given.get('broker.id');
  const isNodeAlone = brokerId === undefined || brokerId.text.trim() === NO_BROKER_ID;
  if (nodeId !== undefined && isNodeAlone) given.set('broker.id', nodeId);
  if (nodeId === undefined && brokerId !== undefined && !isNodeAlone) given.set('node.id', brokerId);
}

function refuseOneRole({ processRoles }: BrokerOptionValues): void {
  if (processRoles.length === 2) return;
  const roles = processRoles.join(',');
  throw new ConfigError(
    `process.roles=${roles}: a node with one role alone is not served yet (allowed: broker,controller)`,
    'process.roles',
    roles,
  );
}

function refuseBadCombination(config: BrokerConfig, given: ReadonlyMap<string, GivenValue>): void {
  const brokerId = given.get('broker.id')?.text.trim();
  if (brokerId !== undefined && brokerId !== NO_BROKER_ID && brokerId !== String(config.nodeId)) {
    throw new ConfigError(
      `broker.id=${brokerId} and node.id=${config.nodeId} must be the same; broker.id may be left out`,
      'broker.id',
      brokerId,
    );
  }
  const voters = given.get('controller.quorum.voters')?.text.trim() ?? '';
  if (voters.includes(',')) {
    throw new ConfigError(
      `controller.quorum.voters=${voters}: a quorum of several nodes is not served yet`,
      'controller.quorum.voters',
      voters,
    );
  }
  refuseStrangeCordons(config);
  refuseBadConnectionLimits(config);
  atLeastOne('log.roll.ms', config.logRollMs);
  if (config.logRollJitterMs < 0)
    throw new ConfigError('log.roll.jitter.ms must be at least 0', 'log.roll.jitter.ms', String(config.logRollJitterMs));
  if (config.logRetentionMs !== -1) atLeastOne('log.retention.ms', config.logRetentionMs, ', or -1');
}

function refuseStrangeCordons({ cordonedLogDirs, logDirs }: BrokerConfig): void {
  const strange = cordonedLogDirs.filter((path) => !logDirs.includes(path));
  if (strange.length === 0 || cordonedLogDirs.join() === '*') return;
  const text = cordonedLogDirs.join(',');
  throw new ConfigError(
    `cordoned.log.dirs=${text}: ${strange.join(',')} (allowed: directories of log.dirs, or * alone)`,
    'cordoned.log.dirs',
    text,
  );
}

function atLeastOne(key: string, value: number, orElse = ''): void {
  if (value < 1) throw new ConfigError(`${key}: ${value} was given (allowed: at least 1${orElse})`, key, String(value));
}
