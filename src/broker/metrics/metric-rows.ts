// Every metric family there is: what /metrics and docs/reference/metrics.md are made of.
// Names follow Prometheus' conventions: base units, _total for counters. Pure.
import type { MetricRow } from '../../telemetry/prometheus.ts';

const row =
  (type: MetricRow['type']) =>
  (name: string, labels: readonly string[], help: string, cardinality?: string): MetricRow => ({
    name,
    type,
    labels,
    help,
    ...(cardinality === undefined ? {} : { cardinality }),
  });
const counter = row('counter');
const gauge = row('gauge');
const histogram = row('histogram');

const SERVED = 'APIs that were asked for at least once';
const TOPICS = 'one for each topic shown: see naru.metrics.partitions.max';
const PARTITIONS = 'one for each partition shown: at most naru.metrics.partitions.max';

/** Under the names that the code uses. */
export const METRIC = {
  build: gauge('naru_build_info', ['version', 'node', 'crc'], 'Always 1; version of Naru and of Node, which CRC-32C answers.'),
  nativeCall: gauge('naru_native_call_info', ['call'], '1 for each native call that answers here.'),
  ready: gauge('naru_ready', [], '1 while /readyz says that the broker serves, otherwise 0.'),

  requests: counter('naru_requests_total', ['api'], 'Requests that were given to their handlers.', SERVED),
  errors: counter(
    'naru_request_errors_total',
    ['api', 'error'],
    'Error codes in answers, as often as they occur in them (a Produce has one for each partition).',
    'APIs and errors that occurred at least once',
  ),
  requestBytes: counter('naru_request_bytes_total', ['api'], 'Bytes of these requests, with their size fields.', SERVED),
  responseBytes: counter('naru_response_bytes_total', ['api'], 'Bytes of their replies, with their size fields.', SERVED),
  latency: histogram(
    'naru_request_duration_seconds',
    ['api'],
    'From the read that brought the last of a request until its reply was given to the socket. A Fetch that waits for records counts in full.',
    SERVED,
  ),

  connections: gauge('naru_connections', ['worker'], 'Open connections.'),
  accepted: counter('naru_connections_accepted_total', ['worker'], 'Connections that were given to a worker.'),
  refused: counter(
    'naru_connections_refused_total',
    [],
    'Connections that were refused, for a limit of connections or for want of file descriptors.',
  ),
  closed: counter('naru_connections_closed_total', ['cause'], 'Connections that ended, by cause.'),
  receivedBytes: counter('naru_network_received_bytes_total', ['worker'], 'Bytes read from connections.'),
  sentBytes: counter('naru_network_sent_bytes_total', ['worker'], 'Bytes that the kernel took for connections.'),
  reads: counter('naru_network_reads_total', ['worker'], 'Reads that brought something.'),
  writes: counter('naru_network_writes_total', ['worker'], 'Writes that were begun.'),
  fileSends: counter('naru_network_file_sends_total', ['worker'], 'Pieces of files that the kernel sent by itself.'),
  waits: counter(
    'naru_connection_waits_total',
    ['reason'],
    'Times that a connection stopped reading: for memory, for a credit of a ring, for its reader.',
  ),
  waiting: gauge('naru_connections_waiting', ['reason'], 'Connections that wait now for memory or for a credit.'),

  turns: histogram('naru_loop_turn_seconds', ['worker'], 'How long turns of the run loop took.'),
  lag: histogram('naru_loop_lag_seconds', ['worker'], 'How late timers were heard; their resolution is 1 ms.'),
  loopActive: counter('naru_loop_active_seconds_total', ['thread'], 'Time that an event loop was busy; its rate is the utilisation.'),
  loopIdle: counter('naru_loop_idle_seconds_total', ['thread'], 'Time that an event loop waited.'),
  jobs: gauge('naru_disk_jobs', ['worker'], 'Slow jobs of the disk pool that are under way or wait.'),

  partitionRequests: counter(
    'naru_partition_requests_total',
    ['about', 'to'],
    'Messages to the workers that own partitions, one for each owner of a request’s partitions, whether that is the worker of the connection (own) or another one.',
  ),
  fetchPlans: counter(
    'naru_fetch_plans_total',
    ['by'],
    'Partitions of fetches by who said what to read: the lease of a worker whose consumers follow the tail, or the owner, who was asked.',
  ),
  fetchParks: counter(
    'naru_fetch_parks_total',
    [],
    'Times that a fetch began to wait for records; once more where it was woken by too few.',
  ),
  fetchWakes: counter(
    'naru_fetch_wakes_total',
    [],
    'Times that a waiting fetch looked again because of what was written, before its deadline.',
  ),
  credits: gauge('naru_ring_credits_in_use', ['worker'], 'Requests to workers, itself included, that have no reply yet.'),
  memoryUsed: gauge('naru_slab_memory_used_bytes', ['worker'], 'Memory of requests and replies in use, in whole slabs.'),
  memoryLimit: gauge('naru_slab_memory_limit_bytes', ['worker'], 'How much of it there is: the worker’s part of naru.memory.max.'),
  slabs: gauge('naru_slabs_in_use', ['worker', 'bytes'], 'Slabs in use by size; sizes that are not in use are left out.'),
  slabsRefused: counter('naru_slab_claims_refused_total', ['worker'], 'Claims of memory that were not met; who asked waits or takes less.'),

  writesToLogs: counter('naru_log_writes_total', ['worker'], 'Writes to files.'),
  writtenBytes: counter('naru_log_written_bytes_total', ['worker'], 'Bytes written to files.'),
  syncs: histogram(
    'naru_fsync_seconds',
    ['where'],
    'Syncs of files and directories that went well: waited for by a worker, or in the pool.',
  ),
  syncsFailed: counter('naru_fsync_failures_total', [], 'Syncs that failed; each takes the log directory offline.'),

  topics: gauge('naru_topics', [], 'Topics with partitions on this broker.'),
  partitions: gauge('naru_partitions', [], 'Partitions on this broker.'),
  partitionsUnmade: gauge(
    'naru_partitions_unmade',
    [],
    'Partitions of new topics whose logs are still to be made: served, and not among the others yet.',
  ),
  partitionsLeftOut: gauge('naru_partitions_left_out', [], 'Partitions that are not among those shown below.'),
  offlineDirectories: gauge('naru_log_directories_offline', [], 'Log directories that failed.'),
  topicPartitions: gauge('naru_topic_partitions', ['topic'], 'Partitions of a topic.', TOPICS),
  topicBytes: gauge('naru_topic_log_size_bytes', ['topic'], 'Size of its segments.', TOPICS),
  topicSegments: gauge('naru_topic_segments', ['topic'], 'How many segments it has.', TOPICS),
  startOffset: gauge('naru_partition_log_start_offset', ['topic', 'partition'], 'First offset that can be read.', PARTITIONS),
  endOffset: gauge('naru_partition_log_end_offset', ['topic', 'partition'], 'Offset of the next record.', PARTITIONS),
  highWatermark: gauge('naru_partition_high_watermark', ['topic', 'partition'], 'End of what consumers may read.', PARTITIONS),

  groups: gauge('naru_groups', ['protocol', 'state'], 'Groups by protocol and state.'),
  reportsMissing: gauge(
    'naru_worker_reports_missing',
    [],
    'Workers that did not tell within a second what is asked at a scrape (logs, groups, heap); their part is missing from this page.',
  ),

  heapUsed: gauge('naru_heap_used_bytes', ['thread'], 'JavaScript heap in use.'),
  resident: gauge('process_resident_memory_bytes', [], 'Resident memory of the process.'),
  startTime: gauge('process_start_time_seconds', [], 'When the process began, since the Unix epoch.'),
  cpu: counter('process_cpu_seconds_total', [], 'User and system time of the process.'),
  cpuUser: counter('process_cpu_user_seconds_total', [], 'User time of the process.'),
  cpuSystem: counter('process_cpu_system_seconds_total', [], 'System time of the process.'),
  descriptorsOpen: gauge('process_open_fds', [], 'How many files, connections and the like the process has open.'),
  descriptorsMax: gauge('process_max_fds', [], 'How many files the process may have open.'),
  descriptorsForConnections: gauge(
    'naru_connection_descriptors_end',
    [],
    'A connection whose descriptor would have this number or a larger one is refused; what lies above is for files.',
  ),
} as const;
