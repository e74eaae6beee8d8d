// The log directory as the broker's supervisor handles it: opened and formatted at the start, what workers need to know of it,
// checkpoints from what they tell, and the mark of a clean stop.
// Invariant: a checkpoint is written only when every worker has told its ends: a partition that is missing would be recovered
// from its start. A directory that a checkpoint failed in is never called clean.
// Runs on: the main thread, or the simulator in its place.
import type { Random } from '../base/random.ts';
import { randomUuid } from '../base/uuid.ts';
import type { BrokerConfig } from '../config/broker-config.ts';
import type { PartitionOffset } from '../log/checkpoint-file.ts';
import { partitionDirectoryName } from '../log/file-names.ts';
import { LogDirectory } from '../log/log-directory.ts';
import { type Storage, StorageError } from '../log/storage.ts';
import { formatMetadata, METADATA_DIRECTORY } from '../metadata/bootstrap.ts';
import { CLUSTER_METADATA_TOPIC } from '../metadata/topic-names.ts';
import type { AdvertisedEndpoint, BrokerWorkerData, FoundLog, LogEnds } from './worker-data.ts';

/** Stands in the voters' record where no controller listener is configured; nobody connects to a quorum of one. */
const DEFAULT_CONTROLLER_PORT = 9093;

export interface BrokerDirectoryOptions {
  readonly storage: Storage;
  readonly path: string;
  readonly config: BrokerConfig;
  readonly random: Random;
  /** How many workers will tell their ends. */
  readonly workerCount: number;
  readonly lock?: (path: string) => () => void;
  /** A checkpoint could not be written: the next start checks more. */
  readonly onCheckpointFailed: (error: StorageError) => void;
}

export class BrokerDirectory {
  readonly #options: BrokerDirectoryOptions;
  readonly #directory: LogDirectory;
  /** By worker; null until it has told its ends for the first time. */
  readonly #ends: (readonly LogEnds[] | null)[];
  /** By worker: log starts that it told since its last ends. */
  readonly #starts: Map<string, PartitionOffset>[];
  /** Asked for before all workers had told their ends. */
  #early: (() => void)[] = [];
  #cleanCount = 0;
  #hasFailed = false;

  /** Locks and formats the directory. Throws what LogDirectory.open throws. */
  constructor(options: BrokerDirectoryOptions) {
    const { storage, path, config, random, lock } = options;
    this.#options = options;
    this.#directory = LogDirectory.open({
      storage,
      path,
      clusterId: null,
      nodeId: config.nodeId,
      random,
      ...(lock === undefined ? {} : { lock }),
    });
    this.#ends = Array.from({ length: options.workerCount }, () => null);
    this.#starts = Array.from({ length: options.workerCount }, () => new Map());
  }

  get path(): string {
    return this.#directory.path;
  }

  /** How the last broker here ended. */
  get lastStop(): 'clean' | 'unclean' | 'none' {
    const { isNew, hadCleanShutdown } = this.#directory;
    return isNew ? 'none' : hadCleanShutdown ? 'clean' : 'unclean';
  }

  get clusterId(): string {
    return this.#directory.clusterId;
  }

  /** Formats the cluster's metadata where this is a new node, and gathers what the workers need to know of the directory. */
  workerData(listening: { ports: readonly number[]; hostName: string }, nowMs: number): BrokerWorkerData {
    const { storage, config, random } = this.#options;
    const directory = this.#directory;
    const endpoints = config.advertisedListeners.map(({ name, host, port }): AdvertisedEndpoint => {
      const own = config.listeners.findIndex((listener) => listener.name === name);
      return { name, host: host === '' ? listening.hostName : host, port: port === 0 ? (listening.ports[own] ?? 0) : port };
    });
    const controller = config.controllerListeners[0];
    const controllerEndpoint = {
      name: controller?.name ?? 'CONTROLLER',
      host: controller?.host || (endpoints[0]?.host ?? 'localhost'),
      port: controller?.port ?? DEFAULT_CONTROLLER_PORT,
    };
    if (!storage.isDirectory(`${directory.path}/${METADATA_DIRECTORY}`)) {
      const { name, host, port } = controllerEndpoint;
      const voter = { voterId: config.nodeId, voterDirectoryId: directory.directoryId, endpoints: [{ name, host, port }] };
      formatMetadata(storage, directory.path, voter, nowMs);
    }
    const found = new Map<string, FoundLog>();
    for (const { topic, partition, topicId } of directory.partitions()) {
      found.set(partitionDirectoryName(topic, partition), {
        topicId,
        recoveryPoint: directory.recoveryPoint(topic, partition),
        logStartOffset: directory.logStartOffset(topic, partition),
      });
    }
    return {
      config,
      clusterId: directory.clusterId,
      directory: directory.path,
      directoryId: directory.directoryId,
      hadCleanShutdown: directory.hadCleanShutdown,
      found,
      metadataEnd: directory.recoveryPoint(CLUSTER_METADATA_TOPIC, 0),
      endpoints,
      controllerEndpoint,
      incarnationId: randomUuid(random),
    };
  }

  /** A worker tells how far its partitions are on the medium; the last time when its logs are closed. */
  hearEnds(worker: number, message: { readonly ends: readonly LogEnds[]; readonly isFinal: boolean; readonly isClean: boolean }): void {
    this.#ends[worker] = message.ends;
    this.#starts[worker]?.clear();
    if (message.isFinal && message.isClean) this.#cleanCount++;
    if (!message.isFinal) this.#checkpoint();
    if (this.#ends.includes(null)) return;
    for (const task of this.#early.splice(0)) task();
  }

  /** Log starts that a worker must have on the medium; `done` hears whether they are. */
  persistStarts(worker: number, starts: readonly PartitionOffset[], done: (isWritten: boolean) => void): void {
    if (this.#ends.includes(null)) {
      this.#early.push(() => this.persistStarts(worker, starts, done));
      return;
    }
    for (const start of starts) this.#starts[worker]?.set(nameOf(start), start);
    const rows = new Map<string, PartitionOffset>();
    for (const { topic, partition, logStartOffset } of this.#ends.flatMap((ends) => ends ?? [])) {
      rows.set(nameOf({ topic, partition }), { topic, partition, offset: logStartOffset });
    }
    for (const told of this.#starts) for (const [name, start] of told) rows.set(name, start);
    done(this.#guard(() => this.#directory.checkpointLogStarts([...rows.values()])));
  }

  /** The end, once the workers have stopped; without `isOrderly` the next start recovers. Whether it was a clean one. */
  close(stop: { isOrderly: boolean; brokerEpoch: number }): boolean {
    const isClosedByAll = stop.isOrderly && this.#cleanCount === this.#ends.length;
    if (isClosedByAll) this.#checkpoint();
    const isClean = isClosedByAll && !this.#hasFailed;
    this.#directory.close({ isClean, brokerEpoch: stop.brokerEpoch });
    return isClean;
  }

  #checkpoint(): void {
    const ends: LogEnds[] = [];
    for (const [worker, ofWorker] of this.#ends.entries()) {
      if (ofWorker === null) return;
      // What a worker has told since must not be taken back for the sake of another one.
      const told = this.#starts[worker];
      for (const each of ofWorker) ends.push({ ...each, logStartOffset: told?.get(nameOf(each))?.offset ?? each.logStartOffset });
    }
    const ofPartitions = ends.filter(({ topic }) => topic !== CLUSTER_METADATA_TOPIC);
    this.#guard(() => {
      this.#directory.checkpoint(ends);
      this.#directory.checkpointHighWatermarks(
        ofPartitions.map(({ topic, partition, highWatermark }) => ({ topic, partition, offset: highWatermark })),
      );
    });
  }

  /** False, and told, where the disk refuses. */
  #guard(write: () => void): boolean {
    try {
      write();
      return true;
    } catch (error) {
      if (!(error instanceof StorageError)) throw error;
      this.#hasFailed = true;
      this.#options.onCheckpointFailed(error);
      return false;
    }
  }
}

function nameOf({ topic, partition }: { readonly topic: string; readonly partition: number }): string {
  return `${topic}-${partition}`;
}
