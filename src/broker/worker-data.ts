// What the main thread tells its workers at the start, and what they tell each other and the main thread afterwards.
// Structured-clone data only.
// Pure (types only).
import type { BrokerConfig } from '../config/broker-config.ts';
import type { PartitionOffset } from '../log/checkpoint-file.ts';
import type { MetadataAppliedMessage, MetadataMessage } from '../metadata/metadata-messages.ts';
import type { LogLevel, LogLine } from '../telemetry/logger.ts';
import type { ControllerRequest, ControllerResponse } from './controller-client.ts';
import type { LogLevelMessage } from './log-level.ts';
import type { WorkerReport } from './metrics/worker-report.ts';
import type { PartitionsRequest, PartitionsResponse } from './partition-questions.ts';
import type { DescriptorShare } from './partition-room.ts';

/** A log directory of log.dirs. */
export interface GivenDirectory {
  /** Absolute. */
  readonly path: string;
  /** Null where it could not be read. */
  readonly id: string | null;
  readonly hadCleanShutdown: boolean;
  /** Why it could not be opened at the start; null: it could. */
  readonly failure: string | null;
}

/** A partition's directory as it was found at the start. */
export interface FoundLog {
  /** Path of the log directory. */
  readonly directory: string;
  /** Null where partition.metadata is missing or malformed. */
  readonly topicId: string | null;
  /** partition.metadata does not say whose it is, and there is more than an empty log. */
  readonly isUnnamedLog: boolean;
  readonly recoveryPoint: number;
  readonly logStartOffset: number;
}

export interface AdvertisedEndpoint {
  readonly name: string;
  readonly host: string;
  readonly port: number;
}

export interface BrokerWorkerData {
  readonly config: BrokerConfig;
  readonly clusterId: string;
  /** log.dirs, in their order. */
  readonly directories: readonly GivenDirectory[];
  /** Holds the cluster's metadata log: path and id. */
  readonly metadataDirectory: { readonly path: string; readonly id: string };
  /** By directory name; several where a name stands in several log directories. */
  readonly found: ReadonlyMap<string, readonly FoundLog[]>;
  /** All records of the metadata log below it were on the medium; 0 where the checkpoint does not say. */
  readonly metadataEnd: number;
  readonly endpoints: readonly AdvertisedEndpoint[];
  readonly controllerEndpoint: AdvertisedEndpoint;
  /** New at each start of the process. */
  readonly incarnationId: string;
}

/** How far a partition is on the medium, for the checkpoint files. */
export interface LogEnds {
  /** Path of the log directory. */
  readonly directory: string;
  readonly topic: string;
  readonly partition: number;
  readonly recoveryPoint: number;
  readonly logStartOffset: number;
  readonly highWatermark: number;
}

/** What the opening of a worker's logs found and did at the start. */
export interface OpenedLogs {
  readonly logs: number;
  /** Logs that were checked behind their recovery points, since the last stop was not clean or something of them was damaged. */
  readonly checkedLogs: number;
  readonly checkedBytes: number;
  /** Logs that lost a torn tail. */
  readonly cutLogs: number;
  readonly cutBytes: number;
  readonly tookMs: number;
}

/** Where a log starts, for the checkpoint of its directory. */
export interface LogStart extends PartitionOffset {
  /** Path of the log directory. */
  readonly directory: string;
}

/** What of the configuration limits connections and may change while the broker runs. */
export type LiveConnectionLimits = Pick<
  BrokerConfig,
  | 'maxConnections'
  | 'listenerMaxConnections'
  | 'maxConnectionCreationRate'
  | 'listenerMaxConnectionCreationRate'
  | 'maxConnectionsPerIp'
  | 'maxConnectionsPerIpOverrides'
>;

export type FromBrokerWorker =
  /** Worker 0: the broker is registered and unfenced, every worker knows it. */
  | { readonly type: 'serving'; readonly brokerEpoch: number }
  | { readonly type: 'log'; readonly line: LogLine }
  /** Once: the logs that were found at the start are open. */
  | { readonly type: 'logs-opened'; readonly opened: OpenedLogs }
  /** Worker 0: the limits of connections that hold from now on. */
  | { readonly type: 'connection-limits'; readonly limits: LiveConnectionLimits }
  /** Worker 0: how many partitions more than at the start are there, or their files still. */
  | { readonly type: 'more-partitions'; readonly count: number }
  /** Lines of this level and above are wanted from now on. */
  | { readonly type: 'log-level'; readonly level: LogLevel }
  /** At an interval, and once more (`isFinal`) when all logs are closed; `unclean`: paths of the directories where that went wrong. */
  | { readonly type: 'ends'; readonly ends: readonly LogEnds[]; readonly isFinal: boolean; readonly unclean: readonly string[] }
  /** Log starts that have to be on the medium before the next checkpoint is due; answered by 'log-starts-written', in order. */
  | { readonly type: 'log-starts'; readonly starts: readonly LogStart[] }
  | { readonly type: 'connections-closed'; readonly tickets: readonly number[] }
  /** Worker 0: a log directory has failed; `isNeeded`: the broker does not serve without it. */
  | { readonly type: 'offline'; readonly directory: string; readonly error: string; readonly isNeeded: boolean }
  /** The answer to a question for a report. */
  | { readonly type: 'report'; readonly id: number; readonly report: WorkerReport };

export type ToBrokerWorker =
  /** To worker 0, once and before the first connection: what new partitions are measured by. */
  | { readonly type: 'descriptors'; readonly share: DescriptorShare }
  /** To worker 0: how many connections there are, a few more or less. */
  | { readonly type: 'connections-open'; readonly count: number }
  /** One connection more than max.connections came through this listener, which goes first: another one has to go. */
  | { readonly type: 'close-idlest'; readonly listener: number }
  /** For the metrics: a report with at most so many partitions. */
  | { readonly type: 'report'; readonly id: number; readonly partitionsMax: number }
  /** The answer to 'log-starts': paths of the directories where they were not written. */
  | { readonly type: 'log-starts-written'; readonly failed: readonly string[] }
  /** To worker 0: a checkpoint could not be written. */
  | { readonly type: 'directory-failed'; readonly directory: string; readonly error: string };

export type BetweenBrokerWorkers =
  | MetadataMessage
  | MetadataAppliedMessage
  | ControllerRequest
  | ControllerResponse
  | PartitionsRequest
  | PartitionsResponse
  | LogLevelMessage
  /** While stopping: all connections of the sending worker have ended, so nobody hears a refusal there. */
  | { readonly type: 'connections-ended' }
  /** A write failed on the sending worker: the directory is everybody's. */
  | { readonly type: 'directory-offline'; readonly directory: string; readonly error: string };
