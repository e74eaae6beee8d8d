// What a worker tells the main thread when somebody asks for metrics: what is not counted as it happens, since it is found by looking at
// what the worker has (logs, offsets, groups, heap).
// Invariant: partitions are looked at a slice at a time, and the worker serves between slices.
// Runs on: every worker, a few times a minute.
import type { CoordinatorHost } from '../../coordinator/coordinator-host.ts';
import type { LeaderReplica } from '../../partition/leader-replica.ts';
import type { PartitionHost } from '../../partition/partition-host.ts';
import type { Runtime } from '../../scheduler/runtime.ts';

/** At about a µs each. */
const PARTITIONS_IN_SLICE = 500;

export interface PartitionFacts {
  readonly topic: string;
  readonly partition: number;
  readonly logStartOffset: number;
  readonly logEndOffset: number;
  readonly highWatermark: number;
}

export interface TopicFacts {
  readonly topic: string;
  partitionCount: number;
  segmentCount: number;
  sizeBytes: number;
}

export interface GroupCount {
  readonly protocol: string;
  readonly state: string;
  count: number;
}

/** Structured-clone data. */
export interface WorkerReport {
  readonly topics: readonly TopicFacts[];
  /** At most as many as were asked for; of the worker's topics in the order of their names. */
  readonly partitions: readonly PartitionFacts[];
  /** Partitions of new topics that are not among `topics` yet, since their logs are still to be made. */
  readonly unmadeCount: number;
  readonly groups: readonly GroupCount[];
  readonly heapUsedBytes: number;
}

export interface ReportSources {
  readonly runtime: Runtime;
  readonly host: PartitionHost;
  readonly coordinators: CoordinatorHost;
}

/** Gathers a report with at most `partitionsMax` partitions, in slices; `done` in a later turn where there are many. */
export function gatherReport(
  { runtime, host, coordinators }: ReportSources,
  partitionsMax: number,
  done: (report: WorkerReport) => void,
): void {
  const replicas = [...host.replicas()];
  const { unmadeCount } = host;
  replicas.sort((a, b) => compare(a.topic, b.topic) || a.partition - b.partition);
  const topics = new Map<string, TopicFacts>();
  let at = 0;
  const slice = (): void => {
    const end = Math.min(replicas.length, at + PARTITIONS_IN_SLICE);
    for (; at < end; at++) addTo(topics, replicas[at] as LeaderReplica);
    if (at < replicas.length) {
      runtime.after(0, slice);
      return;
    }
    done({
      topics: [...topics.values()],
      partitions: replicas.slice(0, partitionsMax).map(({ topic, partition, log, highWatermark }) => ({
        topic,
        partition,
        logStartOffset: log.logStartOffset,
        logEndOffset: log.writtenEnd,
        highWatermark,
      })),
      unmadeCount,
      groups: countGroups(coordinators),
      heapUsedBytes: process.memoryUsage().heapUsed,
    });
  };
  slice();
}

function addTo(topics: Map<string, TopicFacts>, { topic, log }: LeaderReplica): void {
  let facts = topics.get(topic);
  if (facts === undefined) {
    facts = { topic, partitionCount: 0, segmentCount: 0, sizeBytes: 0 };
    topics.set(topic, facts);
  }
  facts.partitionCount++;
  facts.segmentCount += log.segmentCount;
  facts.sizeBytes += log.sizeBytes();
}

function countGroups(coordinators: CoordinatorHost): GroupCount[] {
  const counts = new Map<string, GroupCount>();
  for (const { protocol, state } of coordinators.census()) {
    const key = `${protocol}\n${state}`;
    const found = counts.get(key);
    if (found === undefined) counts.set(key, { protocol, state, count: 1 });
    else found.count++;
  }
  return [...counts.values()];
}

export function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
