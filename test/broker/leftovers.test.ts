// Directories that a start finds and cannot name: each has one worker that decides about it, in whatever order the workers hear of the topics.
import { expect, test } from 'vitest';
import { BrokerDirectories } from '../../src/broker/broker-directories.ts';
import { KnownDirectories } from '../../src/broker/known-directories.ts';
import { PartitionLogs } from '../../src/broker/partition-logs.ts';
import type { BrokerWorkerData } from '../../src/broker/worker-data.ts';
import { resolveBrokerConfig } from '../../src/config/broker-config.ts';
import { ClusterImage } from '../../src/metadata/image.ts';
import type { MetadataRecord } from '../../src/metadata/metadata-records.ts';
import { PartitionHost } from '../../src/partition/partition-host.ts';
import { PartitionWords, partitionRegionBytes } from '../../src/partition/partition-words.ts';
import { Simulation } from '../../src/scheduler/sim-runtime.ts';
import { loggerTo } from '../../src/telemetry/logger.ts';

const WORKERS = 3;
const PARTITIONS = 16;
const TOPIC_ID = 'HbwrFzDRSlKLpRs_d8iVNw';

/** The cluster has topic `t`. */
function records(nodeId: number, directoryId: string): MetadataRecord[] {
  const partitions = Array.from(
    { length: PARTITIONS },
    (_, partitionId): MetadataRecord => ({
      type: 'PartitionRecord',
      partitionId,
      topicId: TOPIC_ID,
      replicas: [nodeId],
      isr: [nodeId],
      removingReplicas: [],
      addingReplicas: [],
      leader: nodeId,
      leaderRecoveryState: 0,
      leaderEpoch: 0,
      partitionEpoch: 0,
      directories: [directoryId],
      eligibleLeaderReplicas: null,
      lastKnownElr: null,
    }),
  );
  return [{ type: 'TopicRecord', name: 't', topicId: TOPIC_ID }, ...partitions];
}

test.each([
  [0, 1, 2],
  [2, 1, 0],
  [1, 0, 2],
])('heard of in the order %i, %i, %i, no directory is put aside that a worker has just made', async (...order) => {
  const simulation = new Simulation({ seed: 1, limits: { workerCount: WORKERS } });
  const storage = simulation.disk;
  const { config } = resolveBrokerConfig({ overrides: [['log.dirs', 'data']], coreCount: 1 });
  storage.makeDirectory('data');
  for (let partition = 0; partition < PARTITIONS; partition++) storage.makeDirectory(`data/t-${partition}`); // Without partition.metadata.
  storage.makeDirectory('data/gone-0');
  const directories = new BrokerDirectories({
    storage,
    paths: ['data'],
    metadataPath: 'data',
    config,
    random: simulation.random,
    workerCount: WORKERS,
    onCheckpointFailed: () => {},
  });
  const data = directories.workerData({ ports: [9092], hostName: 'sim' }, simulation.clock.wallMs());
  const apps: { readonly logs: PartitionLogs; readonly host: PartitionHost }[] = [];
  const warnings: string[] = [];
  await simulation.boot<BrokerWorkerData>({
    sharedBytes: partitionRegionBytes(PARTITIONS, WORKERS),
    data,
    factory: (runtime, workerData) => {
      const words = new PartitionWords({
        region: runtime.shared,
        slotCount: PARTITIONS,
        workerCount: WORKERS,
        selfIndex: runtime.workerIndex,
        signal: () => {},
      });
      const host = new PartitionHost(
        runtime,
        words,
        () => 0,
        (_directory, error) => {
          throw error;
        },
      );
      const logger = loggerTo((line) => warnings.push(line.message), 'warn');
      apps[runtime.workerIndex] = {
        host,
        logs: new PartitionLogs(runtime, workerData, host, new KnownDirectories(workerData, host), logger, {
          onPartitionsChanged: () => {},
          onOpened: () => {},
        }),
      };
      return { onControl: () => {}, onSupervisor: () => {}, onConnection: () => {}, stop: (done) => done() };
    },
  });
  for (const worker of order) {
    const image = new ClusterImage(data.clusterId);
    records(config.nodeId, data.directories[0]?.id ?? '').forEach((record, offset) => {
      image.replay(record, offset);
    });
    apps[worker]?.logs.onChange(image.takeChange(), image);
  }
  const names = storage.list('data');
  const open = apps.flatMap(({ host }) => [...host.replicas()].map(({ log }) => log.directory)).sort();
  expect(open).toHaveLength(PARTITIONS);
  for (const path of open) expect(storage.isDirectory(path), `${path} of ${names}`).toBe(true);
  expect(names.filter((name) => /^t-\d+\..*-stray$/.test(name))).toHaveLength(PARTITIONS);
  expect(names.filter((name) => /^gone-0\..*-stray$/.test(name))).toHaveLength(1);
  expect(warnings).toHaveLength(PARTITIONS + 1);
  simulation.kill();
});
