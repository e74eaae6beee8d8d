// The options that Apache Kafka does not have; their names begin with `naru.`.
// Pure.
import { KIB, MIB, SECOND_MS } from '../base/units.ts';
import { boolean, bytes, count, durationMs, oneOf, string } from './define.ts';

/** What rings and shared words have room for: WORKER_COUNT_MAX of src/actors/ring-layout.ts, which stands on this floor. */
export const WORKERS_MAX = 32;

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
    update: 'cluster-wide',
    default: -1,
    min: 1,
    orElse: -1,
    max: 2 ** 31 - 1,
    doc: 'A request that takes longer is told in the log, with where its time went; at most ten a second for each worker. −1: none is.',
  }),
  naruFormatNewDirectories: boolean('naru.format.new.directories', {
    default: 'false',
    doc: 'Whether log directories without a meta.properties are formatted although others of the node have one: directories that are new. Otherwise the start is refused, since a disk may not be mounted.',
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
    doc: 'How long a connection may leave its replies unread, or the rest of a request unsent, or keep a request waiting behind one of its own that waits for records or members of a group, while others wait for the memory that they take; then it is closed.',
  }),
};
