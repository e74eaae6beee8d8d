// The controller on worker 0: the quorum actor over the metadata log, and this node's own broker taken into service by it.
// Runs on: worker 0.
import { randomUuid } from '../base/uuid.ts';
import type { BrokerConfig } from '../config/broker-config.ts';
import { DEFAULT_LOG_CONFIG } from '../log/log.ts';
import type { StorageError } from '../log/storage.ts';
import { METADATA_DIRECTORY, SUPPORTED_FEATURES } from '../metadata/bootstrap.ts';
import { registerBroker, tellCordonedDirectories, unfenceBroker } from '../metadata/brokers.ts';
import { configRules, topicConfigRules } from '../metadata/config-rules.ts';
import type { TopicImage } from '../metadata/image-types.ts';
import { MetadataLog } from '../metadata/metadata-log.ts';
import { checkMetadataLog } from '../metadata/metadata-log-check.ts';
import { QuorumActor } from '../metadata/quorum-actor.ts';
import { tellFailedDirectories, tellFoundReplicas } from '../metadata/replica-directories.ts';
import { CLUSTER_METADATA_TOPIC } from '../metadata/topic-names.ts';
import type { Runtime } from '../scheduler/runtime.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { KnownDirectories } from './known-directories.ts';
import { messageSizeRule } from './message-size-watch.ts';
import type { BrokerWorkerData, LogEnds } from './worker-data.ts';

const PLAINTEXT = 0;

/**
 * Opens the metadata log and builds the quorum actor over it; nothing runs before startController. `onFailure` hears of a disk that
 * refuses the log. Throws StorageError, and ImageError where the log has lost what was committed.
 */
export function createQuorum(
  runtime: Runtime,
  data: BrokerWorkerData,
  logger: Logger,
  onFailure: (error: StorageError) => void,
): QuorumActor {
  const { config, metadataDirectory } = data;
  const { storage } = runtime;
  const directory = `${metadataDirectory.path}/${METADATA_DIRECTORY}`;
  const partitionCount = [...data.found.values()].flat().filter(({ topicId }) => topicId !== null).length;
  checkMetadataLog(storage, directory, { end: data.metadataEnd, partitionCount });
  const log = MetadataLog.open({ storage, directory, config: metadataLogConfig(config), nowMs: runtime.clock.wallMs() });
  // Of the last minute nobody noted how far it was synced.
  const bytes = log.recoveredCutBytes;
  if (bytes > 0)
    logger.error('recovery of the metadata log cut a torn tail: topics made or deleted last may be lost', { directory, bytes });
  return new QuorumActor({
    clusterId: data.clusterId,
    nodeId: config.nodeId,
    directoryId: metadataDirectory.id,
    directory,
    storage,
    log,
    clock: runtime.clock,
    random: runtime.random,
    after: (delayMs, task) => runtime.after(delayMs, task),
    workerCount: runtime.workerCount,
    broadcast: (message) => {
      for (let worker = 0; worker < runtime.workerCount; worker++) runtime.sendControl(worker, message);
    },
    onFailure,
    defaults: {
      numPartitions: config.numPartitions,
      replicationFactor: config.defaultReplicationFactor,
      topicConfigs: topicConfigRules(config, config.nodeId),
      configRules: configRules(config, config.nodeId, messageSizeRule(config, runtime.arena.capacityBytes)),
    },
    controllerEndPoint: { ...data.controllerEndpoint, securityProtocol: PLAINTEXT },
    incarnationId: randomUuid(runtime.random),
    idleIntervalMs: config.metadataMaxIdleIntervalMs,
    snapshotBytes: config.metadataLogMaxRecordBytesBetweenSnapshots,
    snapshotIntervalMs: config.metadataLogMaxSnapshotIntervalMs,
  });
}

/**
 * Takes the leadership, registers this broker, says where its partitions lie, which directories are `cordoned`, and unfences it; `done` hears its epoch once every worker knows all
 * of that.
 */
export function startController(
  quorum: QuorumActor,
  data: BrokerWorkerData,
  directories: KnownDirectories,
  cordoned: () => readonly string[],
  logger: Logger,
  done: (brokerEpoch: number) => void,
): void {
  const brokerId = data.config.nodeId;
  quorum.start(() => {
    const registration = {
      brokerId,
      incarnationId: data.incarnationId,
      endPoints: data.endpoints.map((endpoint) => ({ ...endpoint, securityProtocol: PLAINTEXT })),
      features: SUPPORTED_FEATURES,
      rack: data.config.brokerRack,
      logDirs: directories.online().flatMap(({ id }) => id ?? []),
    };
    let brokerEpoch = -1;
    quorum.submit(
      (_image, env) => {
        brokerEpoch = env.nextOffset;
        return registerBroker(registration, env.nextOffset);
      },
      () => {},
    );
    quorum.submit(
      () => ({ records: [tellCordonedDirectories(brokerId, brokerEpoch, cordoned())], response: null }),
      () => {},
    );
    const foundIn = (topic: TopicImage, partition: number): string | null => {
      const found = directories.found(topic, partition);
      return found === null ? null : (directories.byPath(found.directory)?.id ?? null);
    };
    quorum.submit(
      (image) => {
        directories.claimUnnamed(image);
        const { records, lost } = tellFoundReplicas(image, { brokerId, foundIn, hasOffline: directories.hasOffline });
        return { records, response: lost };
      },
      (lost) => {
        for (const [directoryId, partitions] of lost)
          logger.warn('partitions begin empty: the directory that they were in is none of log.dirs', { directoryId, partitions });
      },
    );
    quorum.submit(
      (image) => ({ records: unfenceBroker(image, brokerId, brokerEpoch), response: null }),
      () => done(brokerEpoch),
    );
  });
}

/** Tells the cluster that a log directory of this broker has failed. */
export function tellFailure(quorum: QuorumActor, { config, directories }: BrokerWorkerData, path: string): void {
  const failed = directories.flatMap((directory) => (directory.path === path && directory.id !== null ? [directory.id] : []));
  quorum.submit(
    (image) => ({ records: tellFailedDirectories(image, config.nodeId, failed), response: null }),
    () => {},
  );
}

/** Tells the cluster which log directories of this broker, by their ids, get no new partitions from now on. */
export function tellCordoned(quorum: QuorumActor, { config: { nodeId } }: BrokerWorkerData, cordoned: readonly string[]): void {
  quorum.submit(
    (image) => ({ records: [tellCordonedDirectories(nodeId, image.broker(nodeId)?.brokerEpoch ?? -1, cordoned)], response: null }),
    () => {},
  );
}

/** How far the metadata log is on the medium, as a row of the checkpoint: the next start looks whether that much is still there. */
export function metadataEnds(quorum: QuorumActor, data: BrokerWorkerData): LogEnds {
  const end = Math.max(quorum.highWatermark, data.metadataEnd); // Before the first commit of this start, what was found.
  return {
    directory: data.metadataDirectory.path,
    topic: CLUSTER_METADATA_TOPIC,
    partition: 0,
    recoveryPoint: end,
    logStartOffset: 0,
    highWatermark: end,
  };
}

function metadataLogConfig(config: BrokerConfig): typeof DEFAULT_LOG_CONFIG {
  return { ...DEFAULT_LOG_CONFIG, segmentBytes: config.metadataLogSegmentBytes, segmentMs: config.metadataLogSegmentMs };
}
