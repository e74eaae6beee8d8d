// What DescribeConfigs and CreateTopics tell of a configuration: each option's value, where it comes from, and all that stands behind it.
// Pure.
import { type BrokerConfig, type BrokerOverrides, brokerRow, brokerTextOf, NO_OVERRIDES } from './broker-config.ts';
import { brokerOptionsByName } from './broker-options.ts';
import type { Option, OptionType } from './define.ts';
import { clientMetricsOptions, groupOptions } from './group-options.ts';
import { laterOptionsByName } from './later-options.ts';
import { isOfListener, listenerBaseName } from './listener-option-names.ts';
import { ROOT_LOGGER } from './logger-rules.ts';
import { inheritedText } from './topic-config.ts';
import { type BrokerSynonym, type TopicOptionKey, topicOptions, topicSynonyms } from './topic-options.ts';

/** ConfigSource on the wire. */
export const CONFIG_SOURCE = {
  DYNAMIC_TOPIC_CONFIG: 1,
  DYNAMIC_BROKER_CONFIG: 2,
  DYNAMIC_DEFAULT_BROKER_CONFIG: 3,
  STATIC_BROKER_CONFIG: 4,
  DEFAULT_CONFIG: 5,
  DYNAMIC_BROKER_LOGGER_CONFIG: 6,
  CLIENT_METRICS_CONFIG: 7,
  GROUP_CONFIG: 8,
} as const;

/** ConfigType on the wire. */
const CONFIG_TYPE: Readonly<Record<OptionType, number>> = {
  BOOLEAN: 1,
  STRING: 2,
  INT: 3,
  SHORT: 4,
  LONG: 5,
  DOUBLE: 6,
  LIST: 7,
  CLASS: 8,
  PASSWORD: 9,
};
const CONFIG_TYPE_UNKNOWN = 0;

interface ConfigSynonym {
  readonly name: string;
  readonly value: string | null;
  readonly source: number;
}

/** One option as DescribeConfigs answers it; the field names are the wire's. */
export interface ConfigEntry {
  readonly name: string;
  /** Null where there is no value, and where it is sensitive. */
  readonly value: string | null;
  readonly readOnly: boolean;
  readonly configSource: number;
  readonly isSensitive: boolean;
  /** Strongest first; the first one's source is the entry's. */
  readonly synonyms: readonly ConfigSynonym[];
  readonly configType: number;
  /** Null where nobody knows the option, and for those of single listeners. */
  readonly documentation: string | null;
}

/** Options that are one setting in several units: what is listed as standing behind each of them. */
const FAMILIES: readonly (readonly string[])[] = [
  ['log.roll.ms', 'log.roll.hours'],
  ['log.roll.jitter.ms', 'log.roll.jitter.hours'],
  ['log.retention.ms', 'log.retention.minutes', 'log.retention.hours'],
];
const FLUSH_FAMILY: readonly string[] = ['log.flush.interval.ms', 'log.flush.scheduler.interval.ms'];

function familyOf(name: string): readonly string[] {
  if (name === 'log.flush.interval.ms') return FLUSH_FAMILY;
  if (isOfListener(name)) return [name, listenerBaseName(name)];
  return FAMILIES.find((family) => family.includes(name)) ?? [name];
}

type Layer = readonly [source: number, textOf: (name: string) => string | null | undefined];

/** Where a broker's option may have its value from, the strongest first. */
function brokerLayers(config: BrokerConfig, overrides: BrokerOverrides): Layer[] {
  return [
    [CONFIG_SOURCE.DYNAMIC_BROKER_CONFIG, (each) => overrides.forBroker.get(each)],
    [CONFIG_SOURCE.DYNAMIC_DEFAULT_BROKER_CONFIG, (each) => overrides.forCluster.get(each)],
    [CONFIG_SOURCE.STATIC_BROKER_CONFIG, (each) => config.givenTexts.get(each)],
    [CONFIG_SOURCE.DEFAULT_CONFIG, (each) => brokerRow(each)?.defaultText],
  ];
}

/** Layer by layer, the strongest first, from the first mention of `name` itself on, as Apache Kafka lists them. */
function brokerSynonyms(name: string, config: BrokerConfig, overrides: BrokerOverrides, isSensitive: boolean): ConfigSynonym[] {
  const family = familyOf(name);
  const all = brokerLayers(config, overrides).flatMap(([source, textOf]) =>
    family.flatMap((each) => {
      const text = textOf(each) ?? null;
      return text === null ? [] : [{ name: each, value: isSensitive ? null : text, source }];
    }),
  );
  const start = all.findIndex((synonym) => synonym.name === name);
  return start < 0 ? [] : all.slice(start);
}

/** The broker's options behind a topic's, by the topic's. */
const synonymsByName: ReadonlyMap<string, readonly BrokerSynonym[]> = new Map(
  (Object.keys(topicOptions) as TopicOptionKey[]).map((key) => [topicOptions[key].name, topicSynonyms[key] ?? []]),
);

/** All options of a topic, sorted by name. Internal ones only where the topic sets them. */
export function describeTopicConfigs(
  topicOverrides: ReadonlyMap<string, string>,
  config: BrokerConfig,
  overrides: BrokerOverrides = NO_OVERRIDES,
): ConfigEntry[] {
  const entries: ConfigEntry[] = [];
  for (const key of Object.keys(topicOptions) as TopicOptionKey[]) {
    const row: Option<unknown> = topicOptions[key];
    const own = topicOverrides.get(row.name);
    if (row.isInternal && own === undefined) continue;
    const text = own ?? inheritedText(key, config, overrides);
    const value = text === null ? null : row.canonical(text);
    const first = topicSynonyms[key]?.[0];
    const inherited = first === undefined ? [] : brokerSynonyms(first.name, config, overrides, row.isSensitive);
    entries.push(entryOf(row, value, false, withOwn(row.name, own, value, CONFIG_SOURCE.DYNAMIC_TOPIC_CONFIG, inherited)));
  }
  return entries.sort(byName);
}

/**
 * The same as CreateTopics answers it, which in Apache Kafka is another piece of code: what the topic sets itself stands as it was
 * written, and the source is that of the broker's option that gave the value, under whichever of its names.
 */
export function effectiveTopicConfigs(
  topicOverrides: ReadonlyMap<string, string>,
  config: BrokerConfig,
  overrides: BrokerOverrides = NO_OVERRIDES,
): Pick<ConfigEntry, 'name' | 'value' | 'readOnly' | 'configSource' | 'isSensitive'>[] {
  const layers = brokerLayers(config, overrides);
  return describeTopicConfigs(topicOverrides, config, overrides).map(({ name, value, readOnly, isSensitive }) => {
    const own = topicOverrides.get(name);
    if (own !== undefined) return { name, value: own, readOnly, configSource: CONFIG_SOURCE.DYNAMIC_TOPIC_CONFIG, isSensitive };
    const synonyms = synonymsByName.get(name) ?? [];
    const layer = layers.find(([, textOf]) => synonyms.some((synonym) => (textOf(synonym.name) ?? null) !== null));
    return { name, value, readOnly, configSource: layer?.[0] ?? CONFIG_SOURCE.DEFAULT_CONFIG, isSensitive };
  });
}

/** All options of a group, sorted by name: its own over what the broker gives all groups. */
export function describeGroupConfigs(
  groupOverrides: ReadonlyMap<string, string>,
  config: BrokerConfig,
  overrides: BrokerOverrides = NO_OVERRIDES,
): ConfigEntry[] {
  return groupOptions
    .map(({ row, brokerName }) => {
      const own = groupOverrides.get(row.name);
      const text = own ?? (brokerName === null ? row.defaultText : brokerTextOf(config, overrides, brokerName));
      const value = text === null ? null : row.canonical(text);
      const inherited =
        brokerName === null
          ? [{ name: row.name, value: row.defaultText, source: CONFIG_SOURCE.DEFAULT_CONFIG }]
          : brokerSynonyms(brokerName, config, overrides, row.isSensitive);
      return entryOf(row, value, false, withOwn(row.name, own, value, CONFIG_SOURCE.GROUP_CONFIG, inherited));
    })
    .sort(byName);
}

/** All options of a subscription to clients' metrics, sorted by name; nothing stands behind them. */
export function describeClientMetricsConfigs(subscription: ReadonlyMap<string, string>): ConfigEntry[] {
  return clientMetricsOptions
    .map((row) => {
      const own = subscription.get(row.name);
      const text = own ?? row.defaultText;
      const value = text === null ? null : row.canonical(text);
      return entryOf(row, value, false, withOwn(row.name, own, value, CONFIG_SOURCE.CLIENT_METRICS_CONFIG, []));
    })
    .sort(byName);
}

/**
 * The loggers of a broker. There is one, for all lines of the process; names of Java classes, which Kafka lists besides, would be levels
 * that nothing has.
 */
export function describeBrokerLoggers(level: string): ConfigEntry[] {
  const common = { readOnly: false, isSensitive: false, synonyms: [], configType: CONFIG_TYPE_UNKNOWN, documentation: '' };
  return [{ ...common, name: ROOT_LOGGER, value: level, configSource: CONFIG_SOURCE.DYNAMIC_BROKER_LOGGER_CONFIG }];
}

/** What is set on the resource itself stands before what it inherits. */
function withOwn(
  name: string,
  own: string | undefined,
  value: string | null,
  source: number,
  inherited: readonly ConfigSynonym[],
): readonly ConfigSynonym[] {
  return own === undefined ? inherited : [{ name, value, source }, ...inherited];
}

/** All options of this broker, sorted by name; unknown ones that were given stand among them, as with Apache Kafka. */
export function describeBrokerConfigs(config: BrokerConfig, overrides: BrokerOverrides = NO_OVERRIDES): ConfigEntry[] {
  const { forBroker, forCluster } = overrides;
  const set = new Set([...config.givenTexts.keys(), ...forBroker.keys(), ...forCluster.keys()]);
  const names = new Set([...brokerOptionsByName.keys(), ...laterOptionsByName.keys(), ...set]);
  const entries: ConfigEntry[] = [];
  for (const name of names) {
    const row = shownRow(name);
    // Whether it was given or not, the broker has an id, and it is the node's.
    const text = name === 'broker.id' ? String(config.nodeId) : brokerTextOf(config, overrides, name);
    if (row === undefined) {
      entries.push(unknownEntry(name, brokerSynonyms(name, config, overrides, true)));
    } else if (!row.isInternal || set.has(name)) {
      const synonyms = brokerSynonyms(name, config, overrides, row.isSensitive);
      const value = row.isSensitive || text === null ? null : row.canonical(text);
      entries.push(brokerEntry(name, row, value, synonyms));
    }
  }
  return entries.sort(byName);
}

/** What was set for all brokers of the cluster: the resource of type broker without a name. */
export function describeClusterConfigs(overrides: BrokerOverrides): ConfigEntry[] {
  const entries: ConfigEntry[] = [];
  for (const [name, text] of overrides.forCluster) {
    const row = shownRow(name);
    const source = CONFIG_SOURCE.DYNAMIC_DEFAULT_BROKER_CONFIG;
    if (row === undefined) {
      entries.push(unknownEntry(name, [{ name, value: null, source }]));
      continue;
    }
    const value = row.isSensitive ? null : row.canonical(text);
    entries.push(brokerEntry(name, row, value, [{ name, value, source }]));
  }
  return entries.sort(byName);
}

/** What tells an option's type, and whether it is a secret: of a single listener's, the row of the same option for all of them. */
function shownRow(name: string): Option<unknown> | undefined {
  return brokerRow(listenerBaseName(name));
}

/** A single listener's option is shown as one that cannot be changed, though it can be, and without a text, as Apache Kafka shows it. */
function brokerEntry(name: string, row: Option<unknown>, value: string | null, synonyms: readonly ConfigSynonym[]): ConfigEntry {
  if (!isOfListener(name)) return entryOf(row, value, row.update === 'read-only', synonyms);
  return { ...entryOf(row, value, true, synonyms), name, documentation: null };
}

function entryOf(row: Option<unknown>, value: string | null, readOnly: boolean, synonyms: readonly ConfigSynonym[]): ConfigEntry {
  return {
    name: row.name,
    value,
    readOnly,
    configSource: synonyms[0]?.source ?? CONFIG_SOURCE.DEFAULT_CONFIG,
    isSensitive: row.isSensitive,
    synonyms,
    configType: CONFIG_TYPE[row.type],
    documentation: row.doc,
  };
}

/** Nobody knows what an unknown option holds: it is treated as a secret. */
function unknownEntry(name: string, synonyms: readonly ConfigSynonym[]): ConfigEntry {
  return {
    name,
    value: null,
    readOnly: true,
    configSource: synonyms[0]?.source ?? CONFIG_SOURCE.STATIC_BROKER_CONFIG,
    isSensitive: true,
    synonyms,
    configType: CONFIG_TYPE_UNKNOWN,
    documentation: null,
  };
}

function byName(a: ConfigEntry, b: ConfigEntry): number {
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
}
