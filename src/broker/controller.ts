// The controller on worker 0: the quorum actor over the metadata log, and this node's own broker taken into service by it.
// Runs on: worker 0.
import { randomUuid } from '../base/uuid.ts';
import type { BrokerConfig } from '../config/broker-config.ts';
import { DEFAULT_LOG_CONFIG } from '../log/log.ts';
import type { StorageError } from '../log/storage.ts';
import { METADATA_DIRECTORY, SUPPORTED_FEATURES } from '../metadata/bootstrap.ts';
import { registerBroker, tellCordonedDirectories, unfenceBroker } from '../metadata/brokers.ts';
import { MetadataLog } from '../metadata/metadata-log.ts';
import { QuorumActor } from '../metadata/quorum-actor.ts';
import { topicConfigRules } from '../metadata/topic-config-rules.ts';
import type { Runtime } from '../scheduler/runtime.ts';
import type { BrokerWorkerData } from './worker-data.ts';

const PLAINTEXT = 0;

/**
 * Opens the metadata log and builds the quorum actor over it; nothing runs before startController. `onFailure` hears of a disk that
 * refuses the log. Throws StorageError.
 */
export function createQuorum(runtime: Runtime, data: BrokerWorkerData, onFailure: (error: StorageError) => void): QuorumActor {
  const { config, directoryId } = data;
  const directory = `${data.directory}/${METADATA_DIRECTORY}`;
  return new QuorumActor({
    clusterId: data.clusterId,
    nodeId: config.nodeId,
    directoryId,
    directory,
    storage: runtime.storage,
    log: MetadataLog.open({ storage: runtime.storage, directory, config: metadataLogConfig(config), nowMs: runtime.clock.wallMs() }),
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
    },
    controllerEndPoint: { ...data.controllerEndpoint, securityProtocol: PLAINTEXT },
    incarnationId: randomUuid(runtime.random),
    idleIntervalMs: config.metadataMaxIdleIntervalMs,
    snapshotBytes: config.metadataLogMaxRecordBytesBetweenSnapshots,
    snapshotIntervalMs: config.metadataLogMaxSnapshotIntervalMs,
  });
}

/** Takes the leadership, registers this broker and unfences it; `done` hears its epoch once every worker knows all of that. */
export function startController(quorum: QuorumActor, data: BrokerWorkerData, done: (brokerEpoch: number) => void): void {
  const brokerId = data.config.nodeId;
  quorum.start(() => {
    const registration = {
      brokerId,
      incarnationId: data.incarnationId,
      endPoints: data.endpoints.map((endpoint) => ({ ...endpoint, securityProtocol: PLAINTEXT })),
      features: SUPPORTED_FEATURES,
      rack: data.config.brokerRack,
      logDirs: [data.directoryId],
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
      () => ({ records: [tellCordonedDirectories(brokerId, brokerEpoch)], response: null }),
      () => {},
    );
    quorum.submit(
      (image) => ({ records: unfenceBroker(image, brokerId, brokerEpoch), response: null }),
      () => done(brokerEpoch),
    );
  });
}

function metadataLogConfig(config: BrokerConfig): typeof DEFAULT_LOG_CONFIG {
  return { ...DEFAULT_LOG_CONFIG, segmentBytes: config.metadataLogSegmentBytes, segmentMs: config.metadataLogSegmentMs };
}
