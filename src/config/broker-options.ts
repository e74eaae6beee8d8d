// The broker's options that have an effect, and those that a topic's configuration is made of; `noEffectYet` marks the ones without.
// Invariant: names and types are Kafka's, and so are the defaults, but for the rows that carry `kafkaDefault`; ours begin with `naru.`.
// Pure. Options that are known and have no effect yet stand in later-options.ts.
import { DAY_MS, GIB, HOUR_MS, KIB, MIB, MINUTE_MS, SECOND_MS } from '../base/units.ts';
import { coordinatorOptions } from './coordinator-options.ts';
import { boolean, bytes, count, durationMs, list, type Option, oneOf, ratio, string, type ValuesOf } from './define.ts';
import { internalTopicOptions } from './internal-topic-options.ts';
import { COMPRESSION_TYPES, LONG_MAX, TIMESTAMP_TYPES } from './topic-options.ts';

const clusterWide = { update: 'cluster-wide' } as const;
const INT_MAX = 2 ** 31 - 1;

/** What rings and shared words have room for: WORKER_COUNT_MAX of src/actors/ring-layout.ts, which stands on this floor. */
export const WORKERS_MAX = 32;

export const brokerOptions = {
  // Who this node is.
  nodeId: count('node.id', {
    default: 1,
    kafkaDefault: null,
    min: 0,
    doc: 'The node’s number in its cluster, which its data directory is bound to. Kafka insists on it; here it may be left out.',
  }),
  brokerId: count('broker.id', {
    default: -1,
    doc: 'The old name of node.id; either gives the other its value. -1 is none.',
  }),
  processRoles: list('process.roles', {
    default: 'broker,controller',
    kafkaDefault: null,
    words: ['broker', 'controller'],
    doc: 'What the node does: serve clients, take part in the metadata quorum, or both. Kafka insists on it; here it may be left out.',
  }),
  brokerRack: string('broker.rack', { default: null, doc: 'Where the node stands, so that replicas are spread over several places.' }),

  // Where clients find it.
  listeners: list('listeners', {
    default: 'PLAINTEXT://127.0.0.1:9092',
    kafkaDefault: 'PLAINTEXT://:9092',
    isNonEmpty: true,
    update: 'per-broker',
    allowed: 'NAME://host:port, with commas',
    doc: 'The addresses that are listened on. An empty host is every interface. Kafka’s default listens on all of them, ours on this machine alone.',
  }),
  advertisedListeners: list('advertised.listeners', {
    default: null,
    allowed: 'NAME://host:port, with commas',
    doc: 'The addresses that clients are told, where they differ from `listeners`.',
  }),
  listenerSecurityProtocolMap: string('listener.security.protocol.map', {
    default: 'SASL_SSL:SASL_SSL,PLAINTEXT:PLAINTEXT,SSL:SSL,SASL_PLAINTEXT:SASL_PLAINTEXT',
    update: 'per-broker',
    doc: 'Which protocol each listener name speaks. Only PLAINTEXT is served.',
  }),
  controllerListenerNames: list('controller.listener.names', {
    default: '',
    kafkaDefault: null,
    doc: 'Which of the listeners belong to the metadata quorum. Kafka insists on one; here a node of its own needs none.',
  }),
  interBrokerListenerName: string('inter.broker.listener.name', {
    default: null,
    doc: 'The listener that other brokers use; the one called PLAINTEXT where it is left out, or the only one.',
  }),

  // Where data lies.
  logDir: list('log.dir', {
    default: './data',
    kafkaDefault: '/tmp/kafka-logs',
    isNonEmpty: true,
    doc: 'The data directory where `log.dirs` is not given. Kafka’s default is emptied by many systems at their start.',
  }),
  logDirs: list('log.dirs', { default: null, isNonEmpty: true, doc: 'The data directories, with commas.' }),
  metadataLogDir: string('metadata.log.dir', {
    noEffectYet: true,
    default: null,
    doc: 'The directory of the cluster’s metadata log; the first data directory where it is left out.',
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

  // Connections and requests.
  socketRequestMaxBytes: bytes('socket.request.max.bytes', {
    default: 100 * MIB,
    min: 1,
    doc: 'The longest request that is read; a longer one closes its connection.',
  }),
  maxConnections: count('max.connections', {
    ...clusterWide,
    default: INT_MAX,
    min: 0,
    doc: 'The most connections of the broker; who comes then waits until one is closed. Those of the listener between brokers do not wait where there are other listeners: the connection that was idle longest is closed for them. `listener.name.NAME.max.connections` limits one listener.',
  }),
  maxConnectionsPerIp: count('max.connections.per.ip', {
    ...clusterWide,
    default: INT_MAX,
    min: 0,
    doc: 'The most connections of one address; who comes then is closed at once.',
  }),
  maxConnectionsPerIpOverrides: string('max.connections.per.ip.overrides', {
    ...clusterWide,
    default: '',
    doc: 'Other limits for single addresses: host:count, with commas.',
  }),
  connectionsMaxIdleMs: durationMs('connections.max.idle.ms', {
    default: 10 * MINUTE_MS,
    doc: 'How long nothing may come or go on a connection before it is closed. A negative value is for ever.',
  }),
  socketListenBacklogSize: count('socket.listen.backlog.size', {
    default: 50,
    min: 1,
    doc: 'How many connections may wait to be accepted.',
  }),
  socketSendBufferBytes: bytes('socket.send.buffer.bytes', {
    noEffectYet: true,
    default: 100 * KIB,
    doc: 'The send buffer of a connection; -1 leaves it to the system, which is what happens where native calls are off.',
  }),
  socketReceiveBufferBytes: bytes('socket.receive.buffer.bytes', {
    noEffectYet: true,
    default: 100 * KIB,
    doc: 'The receive buffer of a connection; -1 leaves it to the system, which is what happens where native calls are off.',
  }),
  queuedMaxRequests: count('queued.max.requests', {
    noEffectYet: true,
    default: 500,
    min: 1,
    doc: 'How many requests may wait in Kafka’s queue. Here memory and credits are the bounds.',
  }),
  fetchMaxBytes: bytes('fetch.max.bytes', {
    default: 55 * MIB,
    min: KIB,
    doc: 'The most bytes of records that one fetch is answered with, whatever it asks for; never more than 8 MiB, since an answer is laid out in one piece of memory (a first batch alone may be larger).',
  }),
  maxIncrementalFetchSessionCacheSlots: count('max.incremental.fetch.session.cache.slots', {
    default: 1000,
    min: 0,
    doc: 'How many fetch sessions each worker remembers: a session belongs to the worker of its connection.',
  }),
  maxRequestPartitionSizeLimit: count('max.request.partition.size.limit', {
    default: 2000,
    min: 1,
    doc: 'The most partitions that one DescribeTopicPartitions is answered with.',
  }),
  requestTimeoutMs: durationMs('request.timeout.ms', {
    noEffectYet: true,
    type: 'INT',
    default: 30 * SECOND_MS,
    doc: 'How long the broker waits for an answer of another node.',
  }),

  // The cluster's metadata.
  metadataLogSegmentBytes: bytes('metadata.log.segment.bytes', {
    default: GIB,
    min: 8 * MIB,
    doc: 'The size at which a new segment of the metadata log is begun.',
  }),
  metadataLogSegmentMs: durationMs('metadata.log.segment.ms', {
    default: 7 * DAY_MS,
    doc: 'The age at which a new segment of the metadata log is begun.',
  }),
  metadataLogMaxRecordBytesBetweenSnapshots: bytes('metadata.log.max.record.bytes.between.snapshots', {
    type: 'LONG',
    default: 20 * MIB,
    min: 1,
    doc: 'How many bytes of metadata records make a new snapshot.',
  }),
  metadataLogMaxSnapshotIntervalMs: durationMs('metadata.log.max.snapshot.interval.ms', {
    default: HOUR_MS,
    min: 0,
    doc: 'The longest time between two snapshots while records come; 0 is no limit.',
  }),
  metadataMaxIdleIntervalMs: durationMs('metadata.max.idle.interval.ms', {
    type: 'INT',
    default: 500,
    min: 0,
    doc: 'How often an idle metadata log gets a record that says nothing; 0 is never.',
  }),
  metadataMaxRetentionBytes: bytes('metadata.max.retention.bytes', {
    noEffectYet: true,
    type: 'LONG',
    default: 100 * MIB,
    doc: 'How large the metadata log and its snapshots may grow before the oldest are deleted.',
  }),
  metadataMaxRetentionMs: durationMs('metadata.max.retention.ms', {
    noEffectYet: true,
    default: 7 * DAY_MS,
    doc: 'How long metadata log segments and snapshots are kept.',
  }),
};

/** Options that Apache Kafka does not have. */
export const naruOptions = {
  naruWorkers: count('naru.workers', {
    default: null,
    min: 0,
    max: WORKERS_MAX,
    doc: 'Worker threads; where it is left out, one for each core, as far as that goes. 0 runs everything in the main thread.',
  }),
  naruNative: oneOf('naru.native', {
    default: 'on',
    words: ['on', 'off'],
    doc: 'Whether system calls that Node lacks may be used. Off, or where they cannot be loaded, the portable ways serve.',
  }),
  naruLogLevel: oneOf('naru.log.level', {
    default: 'info',
    words: ['debug', 'info', 'warn', 'error'],
    update: 'cluster-wide',
    doc: 'Log lines below this level are left out.',
  }),
  naruLogFormat: oneOf('naru.log.format', {
    default: 'plain',
    words: ['plain', 'json'],
    doc: 'Log lines for people or, as JSON, for machines.',
  }),
  naruHttpListener: string('naru.http.listener', {
    default: '',
    doc: 'Where the broker answers /metrics, /healthz and /readyz by HTTP, such as http://127.0.0.1:9644; empty: nowhere. There is no login: whoever reaches the address reads it.',
  }),
  naruMetricsPartitionsMax: count('naru.metrics.partitions.max', {
    default: 2000,
    min: 0,
    doc: 'How many partitions /metrics shows one by one, those of the first topics by name; naru_partitions_left_out tells how many it does not.',
  }),
  naruSlowRequestMs: durationMs('naru.slow.request.ms', {
    default: -1,
    min: 1,
    orElse: -1,
    max: 2 ** 31 - 1,
    doc: 'A request that takes longer is told in the log, with where its time went; at most ten a second for each worker. −1: none is.',
  }),
  naruMemoryMax: bytes('naru.memory.max', {
    type: 'LONG',
    default: null,
    min: 16 * MIB,
    doc: 'The most memory for requests and replies in flight, all workers together; 256 MiB for each worker where it is left out, at most 2 GiB for each. When it runs short producers are paused first, then consumers, coordinators last.',
  }),
  naruWritebackBytes: bytes('naru.writeback.bytes', {
    type: 'LONG',
    default: 64 * MIB,
    min: 64 * KIB,
    doc: 'After how many written bytes of a partition the pool syncs them, so that unwritten memory never reaches the kernel’s limit.',
  }),
  naruSendfileMinBytes: bytes('naru.sendfile.min.bytes', {
    default: 256 * KIB,
    min: 0,
    doc: 'Record ranges of a fetch answer of at least this length may be sent by sendfile(2) where native calls are on; 0 never does.',
  }),
  naruSendfileAboveBytes: bytes('naru.sendfile.above.bytes', {
    type: 'LONG',
    default: 2 * MIB,
    min: 0,
    doc: 'How many bytes of requests and replies a worker holds in memory before ranges leave by sendfile(2); 0: ranges always do.',
  }),
  naruValidateRecords: boolean('naru.validate.records', {
    default: 'false',
    doc: 'Whether each record inside a batch is checked for every topic, decompressed where needed, as Apache Kafka always does.',
  }),
  naruConnectionInflightMax: count('naru.connection.inflight.max', {
    default: 16,
    min: 1,
    max: 1024,
    doc: 'How many requests of one connection may be worked on at once.',
  }),
  naruConnectionStallMs: durationMs('naru.connection.stall.ms', {
    default: 10 * SECOND_MS,
    min: 1,
    doc: 'How long a connection may leave its replies unread while others wait for the memory that they take; then it is closed.',
  }),
};

export type BrokerOptionValues = ValuesOf<typeof brokerOptions> & ValuesOf<typeof naruOptions>;

/** The rows by name. */
export const brokerOptionsByName: ReadonlyMap<string, Option<unknown>> = new Map(
  [...Object.values(brokerOptions), ...Object.values(naruOptions)].map((row) => [row.name, row]),
);
