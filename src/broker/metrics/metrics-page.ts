// Puts the page of /metrics together: what workers counted in their slots, what they report when asked, what the main thread knows.
// Invariant: nothing is asked of a worker for what its slots tell; a worker that does not report is counted, and its part left out.
// Runs on: the main thread; loaded when the HTTP listener is.
import { ARENA_CAPACITY, ARENA_CLASSES, ARENA_REFUSED, ARENA_USED, SLAB_CLASS_COUNT, SLAB_MIN_BYTES } from '../../actors/slab-arena.ts';
import { CLOSE_CAUSES, type NetworkCounters, networkCounters } from '../../network/network-counters.ts';
import { API_LATENCY, API_RECEIVED, API_REQUESTS, API_ROWS, API_SENT, API_STRIDE, ERROR_COLUMNS } from '../../network/request-meter.ts';
import { ASKED_ABOUT, PartitionMeter } from '../../partition/partition-meter.ts';
import { apiName } from '../../protocol/api-keys.ts';
import { errorName } from '../../protocol/errors.ts';
import { LAG_BOUNDS_MS, LOOP_CREDITS, LOOP_JOBS, LOOP_LAG, LOOP_TURNS, TURN_BOUNDS_MS } from '../../scheduler/loop-meter.ts';
import { DISK_FAILED_SYNCS, DISK_INLINE_SYNCS, DISK_POOL_SYNCS, DISK_WRITES, DISK_WRITTEN_BYTES } from '../../scheduler/sync-meter.ts';
import { LATENCY_BOUNDS_MS } from '../../telemetry/histogram.ts';
import { addHistograms, MetricsText } from '../../telemetry/prometheus.ts';
import type { WorkerSlots } from '../../telemetry/worker-slots.ts';
import { METRIC } from './metric-rows.ts';
import { compare, type GroupCount, type TopicFacts, type WorkerReport } from './worker-report.ts';

const MS = 1e-3;
const US = 1e-6;

/** Where one thread's time went, in ms since it began. */
interface ThreadUse {
  readonly thread: string;
  readonly active: number;
  readonly idle: number;
  /** Null: it did not tell. */
  readonly heapUsedBytes: number | null;
}

export interface MetricsSources {
  readonly version: string;
  readonly crc: string;
  readonly nativeCalls: readonly string[];
  readonly isReady: boolean;
  /** Log directories that have failed. */
  readonly offlineCount: number;
  readonly slots: readonly WorkerSlots[];
  /** By worker; null: it did not tell. */
  readonly reports: readonly (WorkerReport | null)[];
  readonly partitionsMax: number;
  readonly refusedCount: number;
  readonly threads: readonly ThreadUse[];
  /** Null: nobody can tell. */
  readonly descriptorLimit: number | null;
  /** Null: nobody can tell. */
  readonly descriptorsOpen: number | null;
  readonly connectionsEnd: number;
}

export function metricsPage(sources: MetricsSources): string {
  const text = new MetricsText();
  writeBroker(text, sources);
  writeRequests(text, sources.slots);
  writeConnections(text, sources);
  writePartitionRequests(text, sources.slots);
  writeLoops(text, sources);
  writeMemory(text, sources.slots);
  writeDisk(text, sources.slots);
  writeReports(text, sources);
  writeProcess(text, sources);
  return text.toString();
}

function writeBroker(text: MetricsText, { version, crc, nativeCalls, isReady }: MetricsSources): void {
  text.sample(METRIC.build, [version, process.versions.node, crc], 1);
  for (const call of nativeCalls) text.sample(METRIC.nativeCall, [call], 1);
  text.sample(METRIC.ready, [], isReady ? 1 : 0);
}

function sum(blocks: readonly Float64Array[], at: number): number {
  let total = 0;
  for (const block of blocks) total += block[at] as number;
  return total;
}

function writeRequests(text: MetricsText, slots: readonly WorkerSlots[]): void {
  const requests = slots.map((each) => each.requests);
  const errors = slots.map((each) => each.errors);
  for (let apiKey = 0; apiKey < API_ROWS; apiKey++) {
    const at = apiKey * API_STRIDE;
    const count = sum(requests, at + API_REQUESTS);
    const api = apiName(apiKey);
    for (let column = 0; column < ERROR_COLUMNS; column++) {
      const errorCount = sum(errors, apiKey * ERROR_COLUMNS + column);
      if (errorCount > 0) text.sample(METRIC.errors, [api, errorName(column - 1)], errorCount);
    }
    if (count === 0) continue;
    text.sample(METRIC.requests, [api], count);
    text.sample(METRIC.requestBytes, [api], sum(requests, at + API_RECEIVED));
    text.sample(METRIC.responseBytes, [api], sum(requests, at + API_SENT));
    text.histogram(METRIC.latency, [api], LATENCY_BOUNDS_MS, addHistograms(requests, at + API_LATENCY, LATENCY_BOUNDS_MS), MS);
  }
}

function writeConnections(text: MetricsText, { slots, refusedCount }: MetricsSources): void {
  const counters = slots.map((each) => networkCounters(each.network));
  const total = (of: (each: NetworkCounters) => number): number => counters.reduce((before, each) => before + of(each), 0);
  for (const [worker, each] of counters.entries()) {
    text.sample(METRIC.connections, [worker], each.connectionsOpen);
    text.sample(METRIC.accepted, [worker], each.connectionsOpened);
    text.sample(METRIC.receivedBytes, [worker], each.receivedBytes);
    text.sample(METRIC.sentBytes, [worker], each.sentBytes);
    text.sample(METRIC.reads, [worker], each.readCount);
    text.sample(METRIC.writes, [worker], each.writeCount);
    text.sample(METRIC.fileSends, [worker], each.fileSends);
  }
  text.sample(METRIC.refused, [], refusedCount);
  for (const cause of CLOSE_CAUSES)
    text.sample(
      METRIC.closed,
      [cause],
      total((each) => each.closedCount(cause)),
    );
  text.sample(
    METRIC.waits,
    ['memory'],
    total((each) => each.memoryWaits),
  );
  text.sample(
    METRIC.waits,
    ['credit'],
    total((each) => each.creditWaits),
  );
  text.sample(
    METRIC.waits,
    ['reader'],
    total((each) => each.outputWaits),
  );
  text.sample(
    METRIC.waiting,
    ['memory'],
    total((each) => each.memoryWaiting),
  );
  text.sample(
    METRIC.waiting,
    ['credit'],
    total((each) => each.creditWaiting),
  );
}

function writeLoops(text: MetricsText, { slots, threads }: MetricsSources): void {
  for (const [worker, { loop }] of slots.entries()) {
    text.histogram(METRIC.turns, [worker], TURN_BOUNDS_MS, addHistograms([loop], LOOP_TURNS, TURN_BOUNDS_MS), MS);
    text.histogram(METRIC.lag, [worker], LAG_BOUNDS_MS, addHistograms([loop], LOOP_LAG, LAG_BOUNDS_MS), MS);
    text.sample(METRIC.credits, [worker], loop[LOOP_CREDITS] as number);
    text.sample(METRIC.jobs, [worker], loop[LOOP_JOBS] as number);
  }
  for (const { thread, active, idle, heapUsedBytes } of threads) {
    text.sample(METRIC.loopActive, [thread], active * MS);
    text.sample(METRIC.loopIdle, [thread], idle * MS);
    if (heapUsedBytes !== null) text.sample(METRIC.heapUsed, [thread], heapUsedBytes);
  }
}

function writePartitionRequests(text: MetricsText, slots: readonly WorkerSlots[]): void {
  const meters = slots.map((each) => new PartitionMeter(each.partitions));
  const total = (of: (each: PartitionMeter) => number): number => meters.reduce((before, each) => before + of(each), 0);
  for (const [kind, about] of ASKED_ABOUT) {
    const [own, other] = [total((each) => each.askedCount(kind, false)), total((each) => each.askedCount(kind, true))];
    text.sample(METRIC.partitionRequests, [about, 'own'], own);
    text.sample(METRIC.partitionRequests, [about, 'other'], other);
  }
  const [leased, asked] = [total((each) => each.plansByLease), total((each) => each.plansByOwner)];
  text.sample(METRIC.fetchPlans, ['lease'], leased);
  text.sample(METRIC.fetchPlans, ['owner'], asked);
  const [parks, wakes] = [total((each) => each.parkCount), total((each) => each.wakeCount)];
  text.sample(METRIC.fetchParks, [], parks);
  text.sample(METRIC.fetchWakes, [], wakes);
}

function writeMemory(text: MetricsText, slots: readonly WorkerSlots[]): void {
  for (const [worker, { arena }] of slots.entries()) {
    text.sample(METRIC.memoryUsed, [worker], arena[ARENA_USED] as number);
    text.sample(METRIC.memoryLimit, [worker], arena[ARENA_CAPACITY] as number);
    text.sample(METRIC.slabsRefused, [worker], arena[ARENA_REFUSED] as number);
    for (let order = 0; order < SLAB_CLASS_COUNT; order++) {
      const count = arena[ARENA_CLASSES + order] as number;
      if (count > 0) text.sample(METRIC.slabs, [worker, SLAB_MIN_BYTES * 2 ** order], count);
    }
  }
}

function writeDisk(text: MetricsText, slots: readonly WorkerSlots[]): void {
  const disks = slots.map((each) => each.disk);
  for (const [worker, disk] of disks.entries()) {
    text.sample(METRIC.writesToLogs, [worker], disk[DISK_WRITES] as number);
    text.sample(METRIC.writtenBytes, [worker], disk[DISK_WRITTEN_BYTES] as number);
  }
  text.histogram(METRIC.syncs, ['worker'], LATENCY_BOUNDS_MS, addHistograms(disks, DISK_INLINE_SYNCS, LATENCY_BOUNDS_MS), MS);
  text.histogram(METRIC.syncs, ['pool'], LATENCY_BOUNDS_MS, addHistograms(disks, DISK_POOL_SYNCS, LATENCY_BOUNDS_MS), MS);
  text.sample(METRIC.syncsFailed, [], sum(disks, DISK_FAILED_SYNCS));
}

function writeReports(text: MetricsText, { reports, partitionsMax, offlineCount }: MetricsSources): void {
  const told = reports.filter((report) => report !== null);
  const topics = new Map<string, TopicFacts>();
  const groups = new Map<string, GroupCount>();
  for (const report of told) {
    for (const { topic, partitionCount, segmentCount, sizeBytes } of report.topics) {
      const facts = topics.get(topic) ?? { topic, partitionCount: 0, segmentCount: 0, sizeBytes: 0 };
      facts.partitionCount += partitionCount;
      facts.segmentCount += segmentCount;
      facts.sizeBytes += sizeBytes;
      topics.set(topic, facts);
    }
    for (const { protocol, state, count } of report.groups) {
      const group = groups.get(`${protocol}\n${state}`) ?? { protocol, state, count: 0 };
      group.count += count;
      groups.set(`${protocol}\n${state}`, group);
    }
  }
  const sorted = [...topics.values()].sort((a, b) => compare(a.topic, b.topic));
  const partitionCount = sorted.reduce((total, each) => total + each.partitionCount, 0);
  text.sample(METRIC.topics, [], sorted.length);
  text.sample(METRIC.partitions, [], partitionCount);
  text.sample(
    METRIC.partitionsUnmade,
    [],
    told.reduce((total, { unmadeCount }) => total + unmadeCount, 0),
  );
  // Whole topics in the order of their names, as long as their partitions fit.
  const shown = new Set<string>();
  let shownCount = 0;
  for (const { topic, partitionCount: count } of sorted) {
    if (shownCount + count > partitionsMax) break;
    shownCount += count;
    shown.add(topic);
  }
  text.sample(METRIC.partitionsLeftOut, [], partitionCount - shownCount);
  text.sample(METRIC.offlineDirectories, [], offlineCount);
  text.sample(METRIC.reportsMissing, [], reports.length - told.length);
  for (const { topic, partitionCount: count, segmentCount, sizeBytes } of sorted) {
    if (!shown.has(topic)) continue;
    text.sample(METRIC.topicPartitions, [topic], count);
    text.sample(METRIC.topicBytes, [topic], sizeBytes);
    text.sample(METRIC.topicSegments, [topic], segmentCount);
  }
  const partitions = told.flatMap((report) => report.partitions.filter(({ topic }) => shown.has(topic)));
  partitions.sort((a, b) => compare(a.topic, b.topic) || a.partition - b.partition);
  for (const { topic, partition, logStartOffset, logEndOffset, highWatermark } of partitions) {
    text.sample(METRIC.startOffset, [topic, partition], logStartOffset);
    text.sample(METRIC.endOffset, [topic, partition], logEndOffset);
    text.sample(METRIC.highWatermark, [topic, partition], highWatermark);
  }
  for (const { protocol, state, count } of groups.values()) text.sample(METRIC.groups, [protocol, state], count);
}

function writeProcess(text: MetricsText, { descriptorLimit, descriptorsOpen, connectionsEnd }: MetricsSources): void {
  const { user, system } = process.cpuUsage();
  text.sample(METRIC.cpu, [], (user + system) * US);
  text.sample(METRIC.cpuUser, [], user * US);
  text.sample(METRIC.cpuSystem, [], system * US);
  text.sample(METRIC.resident, [], residentBytes());
  text.sample(METRIC.startTime, [], performance.timeOrigin * MS);
  if (descriptorsOpen !== null) text.sample(METRIC.descriptorsOpen, [], descriptorsOpen);
  if (descriptorLimit !== null) text.sample(METRIC.descriptorsMax, [], descriptorLimit);
  text.sample(METRIC.descriptorsForConnections, [], connectionsEnd);
}

let lastResidentBytes = 0;

/** As it was last told where the file that has it cannot be opened: when descriptors run out is no time for a page to fail. */
function residentBytes(): number {
  try {
    lastResidentBytes = process.memoryUsage.rss();
  } catch {}
  return lastResidentBytes;
}
