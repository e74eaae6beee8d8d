// Every option of a topic in Apache Kafka 4.3, with the broker options that stand behind it.
// Invariant: names, types, defaults and bounds are Kafka's; test/golden/config/topic-options.tsv is what Kafka itself says.
// Pure. Rows with `noEffectYet` are accepted, kept and described, and that is all.
import { DAY_MS, GIB, HOUR_MS, KIB, MIB, MINUTE_MS } from '../base/units.ts';
import { boolean, bytes, count, durationMs, list, type Option, oneOf, ratio, type ValuesOf } from './define.ts';

/** 2^63-1, Kafka's "never" and "no limit"; text, since no number holds it. */
export const LONG_MAX = '9223372036854775807';

/** The codecs that `compression.type` may name, in Kafka's order. */
export const COMPRESSION_TYPES = ['uncompressed', 'zstd', 'lz4', 'snappy', 'gzip', 'producer'] as const;
export const TIMESTAMP_TYPES = ['CreateTime', 'LogAppendTime'] as const;

const REPLICA = /^\d+:\d+$/;

function throttledReplicas(name: string, doc: string): Option<readonly string[]> {
  return list(name, {
    default: '',
    doc,
    noEffectYet: true,
    keepsRepeats: true,
    allowed: '*, or a list of partition:broker',
    check: (items) =>
      (items.length === 1 && items[0] === '*') || items.every((item) => REPLICA.test(item))
        ? null
        : `${name} must be the literal '*' or a list of replicas in the following format: [partitionId]:[brokerId],[partitionId]:[brokerId],...`,
  });
}

export const topicOptions = {
  cleanupPolicy: list('cleanup.policy', {
    noEffectYet: 'has half of its effect yet: old segments are deleted, nothing is compacted',
    default: 'delete',
    words: ['compact', 'delete'],
    doc: 'What becomes of old segments: removed whole (delete), reduced to the last record of each key (compact), or both. Empty keeps everything.',
  }),
  compressionGzipLevel: count('compression.gzip.level', {
    default: -1,
    min: 1,
    max: 9,
    orElse: -1,
    doc: 'Level where the broker itself compresses with gzip; -1 is the codec’s own default.',
  }),
  compressionLz4Level: count('compression.lz4.level', {
    noEffectYet: 'has no effect: the lz4 library here packs fast, as level 9 does with Kafka, and knows no other level',
    default: 9,
    min: 1,
    max: 17,
    doc: 'Level where the broker itself compresses with lz4.',
  }),
  compressionType: oneOf('compression.type', {
    default: 'producer',
    words: COMPRESSION_TYPES,
    doc: 'How batches are stored. `producer` keeps them as they came; with any other, a batch that comes in another codec has its records checked and compressed anew.',
  }),
  compressionZstdLevel: count('compression.zstd.level', {
    default: 3,
    min: -131072,
    max: 22,
    doc: 'Level where the broker itself compresses with zstd.',
  }),
  deleteRetentionMs: durationMs('delete.retention.ms', {
    noEffectYet: true,
    default: DAY_MS,
    min: 0,
    doc: 'How long the marker of a deleted key stays in a compacted topic, so that a reader from the start still sees it.',
  }),
  fileDeleteDelayMs: durationMs('file.delete.delay.ms', {
    default: MINUTE_MS,
    min: 0,
    doc: 'How long a deleted segment’s files stay under another name before they are removed.',
  }),
  flushMessages: count('flush.messages', {
    type: 'LONG',
    default: LONG_MAX,
    min: 1,
    doc: 'After how many records a partition is synced to disk. 1 answers a producer only when its record survives a loss of power.',
  }),
  flushMs: durationMs('flush.ms', {
    default: LONG_MAX,
    min: 0,
    doc: 'The longest time that a record waits before the partition is synced to disk; looked at every `log.flush.scheduler.interval.ms`, which by default is never.',
  }),
  followerReplicationThrottledReplicas: throttledReplicas(
    'follower.replication.throttled.replicas',
    'Replicas whose copying from the leader counts against the follower’s quota.',
  ),
  indexIntervalBytes: bytes('index.interval.bytes', {
    default: 4 * KIB,
    min: 0,
    doc: 'How many bytes of records lie between two entries of the offset index.',
  }),
  internalSegmentBytes: bytes('internal.segment.bytes', {
    default: null,
    isInternal: true,
    doc: 'Stands in for segment.bytes without its lower bound; for tests.',
  }),
  leaderReplicationThrottledReplicas: throttledReplicas(
    'leader.replication.throttled.replicas',
    'Replicas whose copying counts against the quota of the leader that serves them.',
  ),
  localRetentionBytes: bytes('local.retention.bytes', {
    noEffectYet: true,
    type: 'LONG',
    default: -2,
    min: -2,
    doc: 'With remote storage: how much of a partition stays on the local disk. -2 takes retention.bytes.',
  }),
  localRetentionMs: durationMs('local.retention.ms', {
    noEffectYet: true,
    default: -2,
    min: -2,
    doc: 'With remote storage: how long a segment stays on the local disk. -2 takes retention.ms.',
  }),
  maxCompactionLagMs: durationMs('max.compaction.lag.ms', {
    noEffectYet: true,
    default: LONG_MAX,
    min: 1,
    doc: 'The longest time that a record of a compacted topic stays out of compaction’s reach.',
  }),
  maxMessageBytes: bytes('max.message.bytes', {
    default: MIB + 12, // A record set of 1 MiB, with the base offset (8 bytes) and the length (4 bytes) in front of it.
    min: 0,
    doc: 'The largest batch that is accepted, compressed as it came, with its header.',
  }),
  timestampAfterMaxMs: durationMs('message.timestamp.after.max.ms', {
    default: HOUR_MS,
    min: 0,
    doc: 'How far a record’s own timestamp may lie in the broker’s future.',
  }),
  timestampBeforeMaxMs: durationMs('message.timestamp.before.max.ms', {
    default: LONG_MAX,
    min: 0,
    doc: 'How far a record’s own timestamp may lie in the broker’s past.',
  }),
  timestampType: oneOf('message.timestamp.type', {
    default: 'CreateTime',
    words: TIMESTAMP_TYPES,
    doc: 'Whose clock stamps the records: the producer’s (CreateTime) or the broker’s (LogAppendTime).',
  }),
  minCleanableDirtyRatio: ratio('min.cleanable.dirty.ratio', {
    noEffectYet: true,
    default: 0.5,
    min: 0,
    max: 1,
    doc: 'Which part of a compacted log must be new since the last compaction before the next one starts.',
  }),
  minCompactionLagMs: durationMs('min.compaction.lag.ms', {
    noEffectYet: true,
    default: 0,
    min: 0,
    doc: 'How long a record of a compacted topic is certain to stay.',
  }),
  minInsyncReplicas: count('min.insync.replicas', {
    noEffectYet: true,
    default: 1,
    min: 1,
    doc: 'How many replicas must have a record before a producer with acks=all is answered.',
  }),
  preallocate: boolean('preallocate', {
    noEffectYet: true,
    default: 'false',
    doc: 'Whether a new segment gets its full size on disk at once.',
  }),
  remoteLogCopyDisable: boolean('remote.log.copy.disable', {
    noEffectYet: true,
    default: 'false',
    doc: 'With remote storage: stop copying segments there.',
  }),
  remoteLogDeleteOnDisable: boolean('remote.log.delete.on.disable', {
    noEffectYet: true,
    default: 'false',
    doc: 'Whether the remote segments are removed when remote storage is switched off for the topic.',
  }),
  remoteStorageEnable: boolean('remote.storage.enable', {
    default: 'false',
    doc: 'Whether old segments move to remote storage. Not served: only false is accepted.',
  }),
  retentionBytes: bytes('retention.bytes', {
    type: 'LONG',
    default: -1,
    doc: 'How large a partition may grow before its oldest segments are deleted. -1 is no limit.',
  }),
  retentionMs: durationMs('retention.ms', {
    default: 7 * DAY_MS,
    min: -1,
    doc: 'How long a record stays before its segment is deleted. -1 keeps it for ever.',
  }),
  segmentBytes: bytes('segment.bytes', { default: GIB, min: MIB, doc: 'The size at which a new segment file is begun.' }),
  segmentIndexBytes: bytes('segment.index.bytes', {
    default: 10 * MIB,
    min: 4,
    doc: 'How much room an index file has; a full index begins a new segment.',
  }),
  segmentJitterMs: durationMs('segment.jitter.ms', {
    default: 0,
    min: 0,
    doc: 'At most this is taken off segment.ms, at random, so that not all partitions begin a segment at once.',
  }),
  segmentMs: durationMs('segment.ms', {
    default: 7 * DAY_MS,
    min: 1,
    doc: 'The age at which a new segment file is begun, full or not.',
  }),
  uncleanLeaderElectionEnable: boolean('unclean.leader.election.enable', {
    noEffectYet: true,
    default: 'false',
    doc: 'Whether a replica that lacks acknowledged records may lead when no other is left.',
  }),
};

export type TopicOptionKey = keyof typeof topicOptions;
export type TopicOptionValues = ValuesOf<typeof topicOptions>;

/** A broker option that gives a topic's option its value, with the factor from its unit to the topic's. */
export interface BrokerSynonym {
  readonly name: string;
  readonly factor: number;
}

function same(name: string): readonly BrokerSynonym[] {
  return [{ name, factor: 1 }];
}

/** Where a topic without an override takes its value from: the first of these that the broker has a value for. */
export const topicSynonyms: { readonly [K in TopicOptionKey]?: readonly BrokerSynonym[] } = {
  cleanupPolicy: same('log.cleanup.policy'),
  compressionGzipLevel: same('compression.gzip.level'),
  compressionLz4Level: same('compression.lz4.level'),
  compressionType: same('compression.type'),
  compressionZstdLevel: same('compression.zstd.level'),
  deleteRetentionMs: same('log.cleaner.delete.retention.ms'),
  fileDeleteDelayMs: same('log.segment.delete.delay.ms'),
  flushMessages: same('log.flush.interval.messages'),
  flushMs: [
    { name: 'log.flush.interval.ms', factor: 1 },
    { name: 'log.flush.scheduler.interval.ms', factor: 1 },
  ],
  indexIntervalBytes: same('log.index.interval.bytes'),
  localRetentionBytes: same('log.local.retention.bytes'),
  localRetentionMs: same('log.local.retention.ms'),
  maxCompactionLagMs: same('log.cleaner.max.compaction.lag.ms'),
  maxMessageBytes: same('message.max.bytes'),
  timestampAfterMaxMs: same('log.message.timestamp.after.max.ms'),
  timestampBeforeMaxMs: same('log.message.timestamp.before.max.ms'),
  timestampType: same('log.message.timestamp.type'),
  minCleanableDirtyRatio: same('log.cleaner.min.cleanable.ratio'),
  minCompactionLagMs: same('log.cleaner.min.compaction.lag.ms'),
  minInsyncReplicas: same('min.insync.replicas'),
  preallocate: same('log.preallocate'),
  retentionBytes: same('log.retention.bytes'),
  retentionMs: [
    { name: 'log.retention.ms', factor: 1 },
    { name: 'log.retention.minutes', factor: MINUTE_MS },
    { name: 'log.retention.hours', factor: HOUR_MS },
  ],
  segmentBytes: same('log.segment.bytes'),
  segmentIndexBytes: same('log.index.size.max.bytes'),
  segmentJitterMs: [
    { name: 'log.roll.jitter.ms', factor: 1 },
    { name: 'log.roll.jitter.hours', factor: HOUR_MS },
  ],
  segmentMs: [
    { name: 'log.roll.ms', factor: 1 },
    { name: 'log.roll.hours', factor: HOUR_MS },
  ],
  uncleanLeaderElectionEnable: same('unclean.leader.election.enable'),
};

/** The rows by Kafka's name. */
export const topicOptionsByName: ReadonlyMap<string, Option<unknown>> = new Map(Object.values(topicOptions).map((row) => [row.name, row]));
