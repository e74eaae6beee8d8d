// The broker's options of data directories, topics, segments, records and retention: what a topic takes from the broker stands here.
// Pure. `noEffectYet` marks the rows without effect, as in broker-options.ts.
import { DAY_MS, GIB, HOUR_MS, KIB, MIB, MINUTE_MS, SECOND_MS } from '../base/units.ts';
import { coordinatorOptions } from './coordinator-options.ts';
import { boolean, bytes, count, durationMs, list, oneOf, ratio, string } from './define.ts';
import { internalTopicOptions } from './internal-topic-options.ts';
import { COMPRESSION_TYPES, LONG_MAX, TIMESTAMP_TYPES } from './topic-options.ts';

const clusterWide = { update: 'cluster-wide' } as const;

export const logOptions = {
  // Where data lies.
  logDir: list('log.dir', {
    default: './data',
    kafkaDefault: '/tmp/kafka-logs',
    isNonEmpty: true,
    doc: 'The data directory where `log.dirs` is not given. Kafka’s default is emptied by many systems at their start.',
  }),
  logDirs: list('log.dirs', {
    default: null,
    isNonEmpty: true,
    doc: 'The data directories, with commas. New partitions go to the one with the fewest.',
  }),
  metadataLogDir: string('metadata.log.dir', {
    default: null,
    doc: 'The directory of the cluster’s metadata log; the first data directory where it is left out. It takes partitions where `log.dirs` names it, too.',
  }),
  cordonedLogDirs: list('cordoned.log.dirs', {
    update: 'per-broker',
    default: '',
    doc: 'Data directories, named as in `log.dirs`, that get no new partitions; * for all, so that this broker gets none.',
  }),

  // Topics.
  numPartitions: count('num.partitions', { default: 1, min: 1, doc: 'Partitions of a topic whose creator does not say how many.' }),
  defaultReplicationFactor: count('default.replication.factor', {
    default: 1,
    doc: 'Replicas of a topic whose creator does not say how many.',
  }),
  autoCreateTopicsEnable: boolean('auto.create.topics.enable', {
    default: 'true',
    doc: 'Whether a topic comes into being when a client asks for it.',
  }),
  deleteTopicEnable: boolean('delete.topic.enable', { default: 'true', doc: 'Whether topics can be deleted.' }),
  minInsyncReplicas: count('min.insync.replicas', {
    ...clusterWide,
    default: 1,
    min: 1,
    doc: 'How many replicas must have a record before a producer with acks=all is answered.',
  }),
  uncleanLeaderElectionEnable: boolean('unclean.leader.election.enable', {
    ...clusterWide,
    default: 'false',
    doc: 'Whether a replica that lacks acknowledged records may lead when no other is left.',
  }),

  ...internalTopicOptions,
  ...coordinatorOptions,

  // Segments.
  logSegmentBytes: bytes('log.segment.bytes', {
    ...clusterWide,
    default: GIB,
    min: MIB,
    doc: 'The size at which a new segment file is begun.',
  }),
  logRollMs: durationMs('log.roll.ms', {
    ...clusterWide,
    default: null,
    doc: 'The age at which a new segment file is begun; `log.roll.hours` where it is left out.',
  }),
  logRollHours: count('log.roll.hours', { default: 168, min: 1, doc: 'The same in hours, where `log.roll.ms` is left out.' }),
  logRollJitterMs: durationMs('log.roll.jitter.ms', {
    ...clusterWide,
    default: null,
    doc: 'At most this is taken off the age, at random; `log.roll.jitter.hours` where it is left out.',
  }),
  logRollJitterHours: count('log.roll.jitter.hours', {
    default: 0,
    min: 0,
    doc: 'The same in hours, where `log.roll.jitter.ms` is left out.',
  }),
  logIndexIntervalBytes: bytes('log.index.interval.bytes', {
    ...clusterWide,
    default: 4 * KIB,
    min: 0,
    doc: 'How many bytes of records lie between two entries of the offset index.',
  }),
  logIndexSizeMaxBytes: bytes('log.index.size.max.bytes', {
    ...clusterWide,
    default: 10 * MIB,
    min: 4,
    doc: 'How much room an index file has; a full index begins a new segment.',
  }),
  logPreallocate: boolean('log.preallocate', {
    ...clusterWide,
    default: 'false',
    doc: 'Whether a new segment gets its full size on disk at once.',
  }),
  logSegmentDeleteDelayMs: durationMs('log.segment.delete.delay.ms', {
    ...clusterWide,
    default: MINUTE_MS,
    min: 0,
    doc: 'How long a deleted segment’s files stay under another name before they are removed.',
  }),
  logFlushIntervalMessages: count('log.flush.interval.messages', {
    ...clusterWide,
    type: 'LONG',
    default: LONG_MAX,
    min: 1,
    doc: 'After how many records a partition is synced to disk.',
  }),
  logFlushIntervalMs: durationMs('log.flush.interval.ms', {
    ...clusterWide,
    default: null,
    doc: 'The longest time that a record waits for a sync; `log.flush.scheduler.interval.ms` where it is left out.',
  }),
  logFlushSchedulerIntervalMs: durationMs('log.flush.scheduler.interval.ms', {
    default: LONG_MAX,
    doc: 'How often it is looked whether a partition has to be synced.',
  }),
  logInitialTaskDelayMs: durationMs('log.initial.task.delay.ms', {
    default: 30 * SECOND_MS,
    min: 0,
    isInternal: true,
    doc: 'Pause after the start before background work on logs begins.',
  }),
  logFlushOffsetCheckpointIntervalMs: durationMs('log.flush.offset.checkpoint.interval.ms', {
    type: 'INT',
    default: MINUTE_MS,
    min: 0,
    doc: 'How often the recovery points are written down; a start after a crash checks what lies behind them.',
  }),
  logFlushStartOffsetCheckpointIntervalMs: durationMs('log.flush.start.offset.checkpoint.interval.ms', {
    type: 'INT',
    default: MINUTE_MS,
    min: 0,
    doc: 'How often the log start offsets are written down.',
  }),

  // Records.
  messageMaxBytes: bytes('message.max.bytes', {
    ...clusterWide,
    default: MIB + 12, // As max.message.bytes of a topic.
    min: 0,
    doc: 'The largest batch that is accepted, compressed as it came, with its header.',
  }),
  compressionType: oneOf('compression.type', {
    ...clusterWide,
    default: 'producer',
    words: COMPRESSION_TYPES,
    doc: 'How batches are stored. `producer` keeps them as they came.',
  }),
  compressionGzipLevel: count('compression.gzip.level', {
    ...clusterWide,
    default: -1,
    min: 1,
    max: 9,
    orElse: -1,
    doc: 'Level where the broker itself compresses with gzip; -1 is the codec’s own default.',
  }),
  compressionLz4Level: count('compression.lz4.level', {
    ...clusterWide,
    default: 9,
    min: 1,
    max: 17,
    doc: 'Level where the broker itself compresses with lz4.',
  }),
  compressionZstdLevel: count('compression.zstd.level', {
    ...clusterWide,
    default: 3,
    min: -131072,
    max: 22,
    doc: 'Level where the broker itself compresses with zstd.',
  }),
  logMessageTimestampType: oneOf('log.message.timestamp.type', {
    ...clusterWide,
    default: 'CreateTime',
    words: TIMESTAMP_TYPES,
    doc: 'Whose clock stamps the records: the producer’s (CreateTime) or the broker’s (LogAppendTime).',
  }),
  logMessageTimestampBeforeMaxMs: durationMs('log.message.timestamp.before.max.ms', {
    ...clusterWide,
    default: LONG_MAX,
    min: 0,
    doc: 'How far a record’s own timestamp may lie in the broker’s past.',
  }),
  logMessageTimestampAfterMaxMs: durationMs('log.message.timestamp.after.max.ms', {
    ...clusterWide,
    default: HOUR_MS,
    min: 0,
    doc: 'How far a record’s own timestamp may lie in the broker’s future.',
  }),
  producerIdExpirationMs: durationMs('producer.id.expiration.ms', {
    ...clusterWide,
    type: 'INT',
    default: DAY_MS,
    min: 1,
    doc: 'How long the state of an idle idempotent producer is kept.',
  }),
  producerIdExpirationCheckIntervalMs: durationMs('producer.id.expiration.check.interval.ms', {
    noEffectYet: true,
    type: 'INT',
    default: 10 * MINUTE_MS,
    min: 1,
    isInternal: true,
    doc: 'How often idle producers are looked for.',
  }),

  // Retention and compaction: what a topic takes from the broker.
  logCleanupPolicy: list('log.cleanup.policy', {
    ...clusterWide,
    default: 'delete',
    words: ['compact', 'delete'],
    doc: 'What becomes of old segments: deleted, compacted, or both.',
  }),
  logRetentionBytes: bytes('log.retention.bytes', {
    ...clusterWide,
    type: 'LONG',
    default: -1,
    doc: 'How large a partition may grow before its oldest segments are deleted. -1 is no limit.',
  }),
  logRetentionMs: durationMs('log.retention.ms', {
    ...clusterWide,
    default: null,
    doc: 'How long a record stays; `log.retention.minutes` where it is left out. -1 keeps it for ever.',
  }),
  logRetentionMinutes: count('log.retention.minutes', {
    default: null,
    doc: 'The same in minutes; `log.retention.hours` where it is left out.',
  }),
  logRetentionHours: count('log.retention.hours', { default: 168, doc: 'The same in hours.' }),
  logRetentionCheckIntervalMs: durationMs('log.retention.check.interval.ms', {
    default: 5 * MINUTE_MS,
    min: 1,
    doc: 'How often it is looked for segments to delete.',
  }),
  logCleanerDeleteRetentionMs: durationMs('log.cleaner.delete.retention.ms', {
    ...clusterWide,
    default: DAY_MS,
    min: 0,
    doc: 'How long the marker of a deleted key stays in a compacted topic.',
  }),
  logCleanerMinCompactionLagMs: durationMs('log.cleaner.min.compaction.lag.ms', {
    ...clusterWide,
    default: 0,
    min: 0,
    doc: 'How long a record of a compacted topic is certain to stay.',
  }),
  logCleanerMaxCompactionLagMs: durationMs('log.cleaner.max.compaction.lag.ms', {
    ...clusterWide,
    default: LONG_MAX,
    min: 1,
    doc: 'The longest time that a record of a compacted topic stays out of compaction’s reach.',
  }),
  logCleanerMinCleanableRatio: ratio('log.cleaner.min.cleanable.ratio', {
    ...clusterWide,
    default: 0.5,
    min: 0,
    max: 1,
    doc: 'Which part of a compacted log must be new before the next compaction starts.',
  }),
  logLocalRetentionBytes: bytes('log.local.retention.bytes', {
    ...clusterWide,
    type: 'LONG',
    default: -2,
    min: -2,
    doc: 'With remote storage: how much of a partition stays on the local disk.',
  }),
  logLocalRetentionMs: durationMs('log.local.retention.ms', {
    ...clusterWide,
    default: -2,
    min: -2,
    doc: 'With remote storage: how long a segment stays on the local disk.',
  }),
};
