// What the checkpoints are told of logs that a start found and that are not open: what they said before, until the log is opened or its topic
// is deleted.
import { afterEach, expect, test } from 'vitest';
import { BrokerDirectories } from '../../src/broker/broker-directories.ts';
import { KnownDirectories } from '../../src/broker/known-directories.ts';
import { PartitionLogs } from '../../src/broker/partition-logs.ts';
import type { BrokerWorkerData } from '../../src/broker/worker-data.ts';
import { resolveBrokerConfig } from '../../src/config/broker-config.ts';
import { markCleanShutdown } from '../../src/log/clean-shutdown.ts';
import { replacePartitionMetadata } from '../../src/log/partition-metadata.ts';
import { ClusterImage } from '../../src/metadata/image.ts';
import type { MetadataRecord } from '../../src/metadata/metadata-records.ts';
import { PartitionHost } from '../../src/partition/partition-host.ts';
import { PartitionWords, partitionRegionBytes } from '../../src/partition/partition-words.ts';
import { Simulation } from '../../src/scheduler/sim-runtime.ts';
import { loggerTo } from '../../src/telemetry/logger.ts';

const WORKERS = 3;
const TOPIC_ID = 'HbwrFzDRSlKLpRs_d8iVNw';
const NO_LEADER = -1;
const ROWS = ['t-0 starts at 10, checked to 20', 't-1 starts at 11, checked to 21', 't-2 starts at 12, checked to 22'];

const simulations: Simulation[] = [];

afterEach(() => {
  for (const simulation of simulations.splice(0)) simulation.kill();
});

interface Started {
  /** What all workers tell together. */
  readonly rows: () => string[];
  /** Every worker hears of it. */
  readonly apply: (records: readonly MetadataRecord[]) => void;
  /** By worker: the directories that it did not leave in order. */
  readonly close: () => Promise<(readonly string[] | null)[]>;
  /** Topic `t` of three partitions, of which the first alone has a leader. */
  readonly topic: readonly MetadataRecord[];
}

/** A start that finds `t-0` to `t-2`, with rows in the checkpoints. */
async function start(wasClean: boolean): Promise<Started> {
  const simulation = new Simulation({ seed: 1, limits: { workerCount: WORKERS } });
  simulations.push(simulation);
  const storage = simulation.disk;
  const { config } = resolveBrokerConfig({ overrides: [['log.dirs', 'data']], coreCount: 1 });
  storage.makeDirectory('data');
  storage.makeDirectory('data/__cluster_metadata-0'); // No new node: its log is not looked at here.
  for (const partition of [0, 1, 2]) {
    storage.makeDirectory(`data/t-${partition}`);
    replacePartitionMetadata(storage, `data/t-${partition}`, TOPIC_ID);
  }
  const checkpoint = (least: number): string => `0\n3\n${[0, 1, 2].map((each) => `t ${each} ${least + each}\n`).join('')}`;
  storage.replaceText('data/log-start-offset-checkpoint', checkpoint(10));
  storage.replaceText('data/recovery-point-offset-checkpoint', checkpoint(20));
  if (wasClean) markCleanShutdown(storage, 'data', 1);
  const directories = new BrokerDirectories({
    storage,
    paths: ['data'],
    metadataPath: 'data',
    config,
    random: simulation.random,
    workerCount: WORKERS,
    onCheckpointFailed: () => {},
  });
  const found = directories.workerData({ ports: [9092], hostName: 'sim' }, simulation.clock.wallMs());
  const workers: { readonly logs: PartitionLogs; readonly image: ClusterImage }[] = [];
  await simulation.boot<BrokerWorkerData>({
    sharedBytes: partitionRegionBytes(3, WORKERS),
    data: found,
    factory: (runtime, data) => {
      const selfIndex = runtime.workerIndex;
      const words = new PartitionWords({ region: runtime.shared, slotCount: 3, workerCount: WORKERS, selfIndex, signal: () => {} });
      const onFailed = (_directory: string, error: Error): void => {
        throw error;
      };
      const host = new PartitionHost(runtime, words, () => 0, onFailed as ConstructorParameters<typeof PartitionHost>[3]);
      const logs = new PartitionLogs(
        runtime,
        data,
        host,
        new KnownDirectories(data, host),
        loggerTo(() => {}, 'warn'),
        {
          onPartitionsChanged: () => {},
          onOpened: () => {},
        },
      );
      workers[selfIndex] = { logs, image: new ClusterImage(data.clusterId) };
      return { onControl: () => {}, onSupervisor: () => {}, onConnection: () => {}, stop: (done) => done() };
    },
  });
  let offset = 0;
  return {
    rows: () => {
      const told = workers.flatMap(({ logs }) => logs.ends());
      expect(told.every(({ directory }) => directory === 'data')).toBe(true);
      return told
        .map(
          ({ topic, partition, logStartOffset, recoveryPoint }) =>
            `${topic}-${partition} starts at ${logStartOffset}, checked to ${recoveryPoint}`,
        )
        .sort();
    },
    apply: (records) => {
      for (const { logs, image } of workers) {
        records.forEach((record, index) => {
          image.replay(record, offset + index);
        });
        logs.onChange(image.takeChange(), image);
      }
      offset += records.length;
    },
    close: async () => {
      const unclean: (readonly string[] | null)[] = [];
      workers.forEach(({ logs }, worker) => {
        unclean[worker] = null;
        logs.close((paths) => {
          unclean[worker] = paths;
        });
      });
      while (unclean.includes(null)) await simulation.step();
      return unclean;
    },
    topic: [
      { type: 'TopicRecord', name: 't', topicId: TOPIC_ID },
      ...[0, 1, 2].map(
        (partitionId): MetadataRecord => ({
          type: 'PartitionRecord',
          partitionId,
          topicId: TOPIC_ID,
          replicas: [config.nodeId],
          isr: [config.nodeId],
          removingReplicas: [],
          addingReplicas: [],
          leader: partitionId === 0 ? config.nodeId : NO_LEADER,
          leaderRecoveryState: 0,
          leaderEpoch: 0,
          partitionEpoch: 0,
          directories: [found.directories[0]?.id ?? ''],
          eligibleLeaderReplicas: null,
          lastKnownElr: null,
        }),
      ),
    ],
  };
}

test('each has one worker that speaks for it, before the first image and while it has no leader', async () => {
  const { rows, apply, topic } = await start(false);
  expect(rows()).toEqual(ROWS);
  apply(topic);
  expect(rows().slice(1)).toEqual(ROWS.slice(1));
  expect(rows()).toHaveLength(3);
});

test('they are forgotten with their topic, and those that are open as well', async () => {
  const { rows, apply, topic } = await start(false);
  apply(topic);
  apply([{ type: 'RemoveTopicRecord', topicId: TOPIC_ID }]);
  expect(rows()).toEqual([]);
});

test('those of a topic that the first image does not know are put aside, and forgotten', async () => {
  const { rows, apply } = await start(false);
  apply([]);
  expect(rows()).toEqual([]);
});

test.each([
  ['was not clean', false, 2],
  ['was clean', true, 0],
])('a stop vouches for none whose tail nobody has looked at since one that %s', async (_, wasClean, uncleanCount) => {
  const { apply, close, topic } = await start(wasClean);
  apply(topic);
  const unclean = await close();
  expect(unclean.filter((paths) => paths?.includes('data'))).toHaveLength(uncleanCount);
});
