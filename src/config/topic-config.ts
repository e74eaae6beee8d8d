// The configuration of one topic: its own overrides over what the broker gives all topics.
// Invariant: a TopicConfig holds accepted values only; overrides come from the metadata log and were checked before they went there.
// Pure.
import { COMPRESSION } from '../protocol/records/batch.ts';
import type { BrokerConfig, BrokerOverrides } from './broker-config.ts';
import { brokerTextOf, NO_OVERRIDES } from './broker-config.ts';
import { brokerOptions } from './broker-options.ts';
import { ConfigError, readRows, readText } from './define.ts';
import { inUnit } from './inheritance.ts';
import { type TopicOptionKey, type TopicOptionValues, topicOptions, topicOptionsByName, topicSynonyms } from './topic-options.ts';

const expirationRow = brokerOptions.producerIdExpirationMs;

/** What compression.type names. */
const CODECS: Readonly<Record<TopicOptionValues['compressionType'], number>> = {
  producer: -1,
  uncompressed: COMPRESSION.NONE,
  gzip: COMPRESSION.GZIP,
  snappy: COMPRESSION.SNAPPY,
  lz4: COMPRESSION.LZ4,
  zstd: COMPRESSION.ZSTD,
};

interface TopicConfig extends TopicOptionValues {
  readonly isCompacted: boolean;
  readonly isDeleted: boolean;
  /** A number of COMPRESSION, or -1 for `producer`. */
  readonly compression: number;
  /** Of that codec. */
  readonly compressionLevel: number;
  readonly isLogAppendTime: boolean;
  /** naru.validate.records */
  readonly validatesRecords: boolean;
  /** producer.id.expiration.ms: the broker's, since a topic has none. */
  readonly producerIdExpirationMs: number;
}

/** The text of an option that a topic does not set itself: the first broker option behind it that has a value, in the topic's unit. */
export function inheritedText(key: TopicOptionKey, broker: BrokerConfig, overrides: BrokerOverrides): string | null {
  for (const { name, factor } of topicSynonyms[key] ?? []) {
    const text = brokerTextOf(broker, overrides, name);
    if (text === null) continue;
    return inUnit(key, text.trim(), factor);
  }
  return topicOptions[key].defaultText;
}

/**
 * A topic's configuration.
 * @param topicOverrides what the topic sets itself, by Kafka's names; unknown names are left aside
 * @param overrides what was changed on the running brokers, as the metadata image has it
 * Throws ConfigError for a value that `validateTopicConfigs` refuses.
 */
export function resolveTopicConfig(
  topicOverrides: ReadonlyMap<string, string>,
  broker: BrokerConfig,
  overrides: BrokerOverrides = NO_OVERRIDES,
): TopicConfig {
  const values = readRows(topicOptions, (row, key) => readText(row, topicOverrides.get(row.name) ?? inheritedText(key, broker, overrides)));
  return {
    ...values,
    segmentBytes: values.internalSegmentBytes ?? values.segmentBytes,
    isCompacted: values.cleanupPolicy.includes('compact'),
    isDeleted: values.cleanupPolicy.includes('delete'),
    compression: CODECS[values.compressionType],
    compressionLevel: values.compressionType === 'gzip' ? values.compressionGzipLevel : values.compressionZstdLevel,
    isLogAppendTime: values.timestampType === 'LogAppendTime',
    validatesRecords: broker.validatesRecords,
    producerIdExpirationMs: readText(expirationRow, brokerTextOf(broker, overrides, expirationRow.name)),
  };
}

/**
 * What is wrong with a topic's own configuration, in the words that Apache Kafka answers with, or null.
 * A null value is a value that a client left out.
 */
export function validateTopicConfigs(
  entries: Iterable<readonly [string, string | null]>,
  broker: BrokerConfig,
  overrides: BrokerOverrides = NO_OVERRIDES,
): string | null {
  const values = new Map<string, string>();
  const missing: string[] = [];
  for (const [name, text] of entries) {
    if (text === null) missing.push(name);
    else values.set(name, text);
  }
  if (missing.length > 0) return `Null value not supported for topic configs: ${missing.join(',')}`;
  for (const name of values.keys()) {
    if (!topicOptionsByName.has(name)) return `Unknown topic config name: ${name}`;
  }
  try {
    // In the rows' order, which is Kafka's, so that of several errors the same one is told.
    for (const [name, row] of topicOptionsByName) {
      const text = values.get(name);
      if (text !== undefined) row.parse(text);
    }
    return conflict(resolveTopicConfig(values, broker, overrides));
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
}

/** What no value alone shows. */
function conflict(config: TopicConfig): string | null {
  const { minCompactionLagMs, maxCompactionLagMs } = config;
  if (minCompactionLagMs > maxCompactionLagMs) {
    return `conflict topic config setting min.compaction.lag.ms (${minCompactionLagMs}) > max.compaction.lag.ms (${maxCompactionLagMs})`;
  }
  if (config.remoteStorageEnable) {
    return 'Tiered Storage functionality is disabled in the broker. Topic cannot be configured with remote log storage.';
  }
  return null;
}
