// The broker's options that have an effect, and those that a topic's configuration is made of; `noEffectYet` marks the ones without.
// Invariant: names and types are Kafka's, and so are the defaults, but for the rows that carry `kafkaDefault`; ours begin with `naru.`.
// Pure. Options that are known and have no effect yet stand in later-options.ts.
import { DAY_MS, GIB, HOUR_MS, KIB, MIB, MINUTE_MS, SECOND_MS } from '../base/units.ts';
import { logOptions } from './broker-log-options.ts';
import { bytes, count, durationMs, list, type Option, string, type ValuesOf } from './define.ts';
import { naruOptions } from './naru-options.ts';

const clusterWide = { update: 'cluster-wide' } as const;
const INT_MAX = 2 ** 31 - 1;

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
  configProviders: list('config.providers', {
    ...clusterWide,
    default: '',
    doc: 'Names of sources that placeholders in the values given at the start are filled from (a $ and, in braces, NAME:key or NAME:path:key): `config.providers.NAME.class` is Kafka’s EnvVarConfigProvider, FileConfigProvider or DirectoryConfigProvider with its package, and `config.providers.NAME.param.…` bounds what it may tell.',
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

  ...logOptions,

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
  maxConnectionCreationRate: count('max.connection.creation.rate', {
    ...clusterWide,
    default: INT_MAX,
    min: 0,
    doc: 'The most new connections of the broker in a second, on average over the windows of quota.window.num; who comes too soon waits, unserved, for quota.window.size.seconds at most. Those of the listener between brokers do not wait where there are other listeners. `listener.name.NAME.max.connection.creation.rate` limits one listener.',
  }),
  quotaWindowNum: count('quota.window.num', {
    default: 11,
    min: 1,
    doc: 'Over how many windows of time the rate of new connections is measured.',
  }),
  quotaWindowSizeSeconds: count('quota.window.size.seconds', {
    default: 1,
    min: 1,
    doc: 'Length of each of those windows.',
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
    doc: 'How long nothing may come or go on a connection before it is closed. A negative value is for ever, but for who takes nothing of a log file for 10 minutes.',
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

export type BrokerOptionValues = ValuesOf<typeof brokerOptions> & ValuesOf<typeof naruOptions>;

/** The rows by name. */
export const brokerOptionsByName: ReadonlyMap<string, Option<unknown>> = new Map(
  [...Object.values(brokerOptions), ...Object.values(naruOptions)].map((row) => [row.name, row]),
);
