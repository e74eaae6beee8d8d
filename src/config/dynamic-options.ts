// Which of a broker's options may be changed while it runs, for one broker or for all of them, and to what.
// Invariant: a change that is accepted leaves a configuration that the broker could have been started with.
// Pure. Not where changes are kept: the metadata image has them as texts, and `usableTexts` says which of those hold.
// Source: KIP-226; the behaviour and the words were recorded from Apache Kafka 4.3.1 (test/golden/answers/config-changes/brokers.json).
import { MIB } from '../base/units.ts';
import { type BrokerConfig, type BrokerOverrides, brokerRow, brokerTextOf } from './broker-config.ts';
import { parseAddressLimits } from './connection-options.ts';
import { ConfigError } from './define.ts';
import { inheritanceFault } from './inheritance.ts';
import { isOfListener, listenerBaseName, listenerOptionName } from './listener-option-names.ts';
import { refuseUnservedSecurity } from './security-options.ts';

/** Keys and certificates, which Kafka changes for one listener, never for the broker as a whole. */
const KEY_STORE_OPTION = /^ssl\.(?:(?:keystore|truststore)\..+|key\.password)$/;
/** Sizes of thread pools: no change more than doubles or halves one. */
const THREAD_COUNTS: readonly string[] = [
  'background.threads',
  'num.io.threads',
  'num.network.threads',
  'num.recovery.threads.per.data.dir',
  'num.replica.fetchers',
  'remote.log.manager.copier.thread.pool.size',
  'remote.log.manager.expiration.thread.pool.size',
  'remote.log.manager.follower.thread.pool.size',
  'remote.log.reader.threads',
];
/** Limits that must let somebody in, of all listeners and of each. A start takes 0, as Apache Kafka's does. */
const POSITIVE: readonly string[] = ['max.connections', 'max.connection.creation.rate'];
/** What is opened at the start and stays as it is. */
const FIXED: readonly string[] = ['listeners', 'listener.security.protocol.map', 'metric.reporters', 'config.providers'];
const ASSIGNMENT_KINDS: readonly string[] = ['consumer', 'share', 'streams'];

/**
 * What is wrong with all that would be set for one broker (`isOneBroker`) or for all of them, or null.
 * @param texts what would be set then, by Kafka's names; what nobody knows is kept, as Apache Kafka keeps it for plugins
 * @param before what is set now
 */
export function brokerChangeFault(
  texts: ReadonlyMap<string, string>,
  isOneBroker: boolean,
  config: BrokerConfig,
  before: BrokerOverrides,
): string | null {
  const after = isOneBroker ? { ...before, forBroker: texts } : { ...before, forCluster: texts };
  const textBefore = (name: string): string | null => brokerTextOf(config, before, name);
  const textAfter = (name: string): string | null => brokerTextOf(config, after, name);
  return (
    scopeFault([...texts.keys()], isOneBroker) ??
    valueFault(texts) ??
    wholeFault(textAfter, config) ??
    inheritedFault(texts) ??
    closedFault(textBefore, textAfter, config) ??
    stepFault(textBefore, textAfter) ??
    fixedFault(textBefore, textAfter)
  );
}

/** The texts that hold, of those that the metadata have. */
export function usableTexts(texts: ReadonlyMap<string, string>, isOneBroker: boolean): ReadonlyMap<string, string> {
  if (texts.size === 0) return texts;
  return new Map(
    [...texts].filter((each) => (scopeFault([each[0]], isOneBroker) ?? valueFault([each]) ?? inheritedFault([each])) === null),
  );
}

function scopeFault(names: readonly string[], isOneBroker: boolean): string | null {
  const fixed = names.filter((name) => brokerRow(name)?.update === 'read-only');
  if (fixed.length > 0) return `Cannot update these configs dynamically: [${fixed.join(', ')}]`;
  const keys = names.filter((name) => KEY_STORE_OPTION.test(name));
  if (keys.length > 0) {
    return `These security configs can be dynamically updated only per-listener using the listener prefix: [${keys.join(', ')}]`;
  }
  const own = isOneBroker ? [] : names.filter(isOfOneBroker);
  if (own.length === 0) return null;
  return `Cannot update these configs at default cluster level, broker id must be specified: [${own.join(', ')}]`;
}

/** Whether only one broker can have it; what may be set for all listeners of all brokers may be set for one of them, too. */
function isOfOneBroker(name: string): boolean {
  const update = brokerRow(listenerBaseName(name))?.update;
  return update === 'per-broker' || (isOfListener(name) && update !== 'cluster-wide');
}

function valueFault(texts: Iterable<readonly [string, string]>): string | null {
  try {
    for (const [name, text] of texts) {
      refuseUnservedSecurity(name, text);
      brokerRow(listenerBaseName(name))?.parse(text);
    }
    return null;
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
}

/** A value that no topic could take over. */
function inheritedFault(texts: Iterable<readonly [string, string]>): string | null {
  for (const [name, text] of texts) {
    const fault = inheritanceFault(name, text);
    if (fault !== null) return fault;
  }
  return null;
}

type TextOf = (name: string) => string | null;

/** What no value alone shows. */
function wholeFault(textOf: TextOf, config: BrokerConfig): string | null {
  const numberOf = (name: string, standard = 0): number => Number(textOf(name) ?? standard);
  const require = (isMet: boolean, sentence: string): string | null => (isMet ? null : `requirement failed: ${sentence}`);
  const retentionMs = numberOf('log.retention.ms', -1);
  const cleaners = numberOf('log.cleaner.threads');
  const cordoned = (textOf('cordoned.log.dirs') ?? '').split(',').filter((path) => path.trim() !== '');
  const isAllCordoned = cordoned.some((path) => path.trim() === '*');
  const strange = isAllCordoned ? [] : cordoned.filter((path) => !config.logDirs.includes(path.trim()));
  const overrides = textOf('max.connections.per.ip.overrides') ?? '';
  return (
    require(numberOf('log.roll.ms', 1) >= 1, 'log.roll.ms must be greater than or equal to 1') ??
    require(numberOf('log.roll.jitter.ms') >= 0, 'log.roll.jitter.ms must be greater than or equal to 0') ??
    require(retentionMs !== 0, 'log.retention.ms must be unlimited (-1) or, greater than or equal to 1') ??
    (cleaners >= 1 ? null : 'log.cleaner.threads must be at least 1 while brokers run') ??
    require(Math.floor(numberOf('log.cleaner.dedupe.buffer.size') / cleaners) >
      MIB, 'log.cleaner.dedupe.buffer.size must be at least 1MB per cleaner thread.') ??
    require(!isAllCordoned || cordoned.length === 1, 'When cordoned.log.dirs is set to *, it must not contain other values') ??
    require(strange.length ===
      0, `All entries in cordoned.log.dirs must be present in log.dirs or log.dir. Missing entries : ${strange.join(', ')}`) ??
    require(numberOf('max.connections.per.ip') > 0 ||
      overrides !== '', 'max.connections.per.ip can be set to zero only if max.connections.per.ip.overrides property is set.') ??
    overridesFault(overrides) ??
    assignmentFault(numberOf)
  );
}

function overridesFault(text: string): string | null {
  try {
    parseAddressLimits(text);
    return null;
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
}

function assignmentFault(numberOf: (name: string) => number): string | null {
  for (const kind of ASSIGNMENT_KINDS) {
    const name = `group.${kind}.assignment.interval.ms`;
    const [least, most] = [`group.${kind}.min.assignment.interval.ms`, `group.${kind}.max.assignment.interval.ms`];
    if (numberOf(name) < numberOf(least)) return `${name} must be greater than or equal to ${least}`;
    if (numberOf(name) > numberOf(most)) return `${name} must be less than or equal to ${most}`;
  }
  return null;
}

/** A limit that nobody could come in by from now on. */
function closedFault(textBefore: TextOf, textAfter: TextOf, { listeners }: BrokerConfig): string | null {
  const isZero = (text: string | null): boolean => text !== null && Number(text) === 0;
  for (const limit of POSITIVE) {
    for (const name of [limit, ...listeners.map((listener) => listenerOptionName(listener.name, limit))]) {
      if (isZero(textAfter(name)) && !isZero(textBefore(name))) return `Invalid ${limit} 0`;
    }
  }
  return null;
}

function stepFault(textBefore: TextOf, textAfter: TextOf): string | null {
  for (const name of THREAD_COUNTS) {
    const [from, to] = [Number(textBefore(name)), Number(textAfter(name))];
    const failed = `Dynamic thread count update validation failed for ${name}=${to}, value should`;
    if (to < Math.floor(from / 2)) return `${failed} be at least half the current value ${from}`;
    if (to > from * 2) return `${failed} not be greater than double the current value ${from}`;
  }
  const [from, to] = [Number(textBefore('log.cleaner.threads')), Number(textAfter('log.cleaner.threads'))];
  if (to < Math.floor(from / 2)) return `Log cleaner threads cannot be reduced to less than half the current value ${from}`;
  return to > from * 2 ? `Log cleaner threads cannot be increased to more than double the current value ${from}` : null;
}

/** What Apache Kafka changes while it runs and this broker does not: said, rather than kept without effect. */
function fixedFault(textBefore: TextOf, textAfter: TextOf): string | null {
  const name = FIXED.find((each) => (textAfter(each) ?? '') !== (textBefore(each) ?? '') && textAfter(each) !== '');
  return name === undefined ? null : `${name} cannot be changed while this broker runs: give it at the start`;
}
