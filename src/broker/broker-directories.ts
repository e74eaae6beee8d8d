// The log directories as the broker's supervisor handles them: opened and formatted at the start, what workers need to know of them,
// checkpoints from what they tell, and the marks of a clean stop. Each has its own of all that.
// Invariants: a checkpoint is written only when every worker has told its ends: a partition that is missing would be recovered
// from its start. A directory that has failed is not written to any more, and never called clean.
// Runs on: the main thread, or the simulator in its place.
import type { Random } from '../base/random.ts';
import { randomUuid } from '../base/uuid.ts';
import type { BrokerConfig } from '../config/broker-config.ts';
import { type DirectorySet, openDirectories, type RefusedDirectory } from '../log/directory-set.ts';
import { partitionDirectoryName } from '../log/file-names.ts';
import { ForeignDirectoryError, type LogDirectory } from '../log/log-directory.ts';
import { type Storage, StorageError } from '../log/storage.ts';
import { formatMetadata, METADATA_DIRECTORY } from '../metadata/bootstrap.ts';
import { checkMetadataLog } from '../metadata/metadata-log-check.ts';
import { CLUSTER_METADATA_TOPIC } from '../metadata/topic-names.ts';
import type { AdvertisedEndpoint, BrokerWorkerData, FoundLog, LogEnds, LogStart } from './worker-data.ts';

/** Stands in the voters' record where no controller listener is configured; nobody connects to a quorum of one. */
const DEFAULT_CONTROLLER_PORT = 9093;

export interface BrokerDirectoriesOptions {
  readonly storage: Storage;
  /** log.dirs, each once. */
  readonly paths: readonly string[];
  /** metadata.log.dir */
  readonly metadataPath: string;
  readonly config: BrokerConfig;
  readonly random: Random;
  /** How many workers will tell their ends. */
  readonly workerCount: number;
  readonly lock?: (path: string) => () => void;
  /** A checkpoint could not be written: the next start checks more. Called once for each directory, which is left alone from then on. */
  readonly onCheckpointFailed: (path: string, error: StorageError) => void;
}

interface ToldEnds {
  readonly ends: readonly LogEnds[];
  readonly isFinal: boolean;
  /** Directories in which a log could not be closed cleanly. */
  readonly unclean: readonly string[];
}

export class BrokerDirectories {
  readonly #options: BrokerDirectoriesOptions;
  readonly #set: DirectorySet;
  /** By worker; null until it has told its ends for the first time. */
  readonly #ends: (readonly LogEnds[] | null)[];
  /** By worker: log starts that it told since its last ends. */
  readonly #starts: Map<string, LogStart>[];
  /** Asked for before all workers had told their ends. */
  #early: (() => void)[] = [];
  #finalCount = 0;
  /** Paths of directories that failed, or were not left in order. */
  readonly #failed = new Set<string>();

  /** Locks and formats the directories. Throws what openDirectories throws. */
  constructor(options: BrokerDirectoriesOptions) {
    const { config, workerCount } = options;
    this.#options = options;
    this.#set = openDirectories({ ...options, nodeId: config.nodeId, formatsNew: config.naruFormatNewDirectories });
    this.#ends = Array.from({ length: workerCount }, () => null);
    this.#starts = Array.from({ length: workerCount }, () => new Map());
  }

  /** log.dirs, those among them that were refused at the start. */
  get paths(): readonly string[] {
    return this.#options.paths;
  }

  get refused(): readonly RefusedDirectory[] {
    return this.#set.refused;
  }

  /** How the last broker here ended. */
  get lastStop(): 'clean' | 'unclean' | 'none' {
    if (this.#set.metadata.isNew) return 'none';
    return [...this.#all()].every(({ isNew, hadCleanShutdown }) => isNew || hadCleanShutdown) ? 'clean' : 'unclean';
  }

  get clusterId(): string {
    return this.#set.metadata.clusterId;
  }

  /**
   * Formats the cluster's metadata where this is a new node, and gathers what the workers need to know of the directories. Throws
   * ForeignDirectoryError where a partition lies in two of them, ImageError where the metadata log is missing and is known to have been there.
   */
  workerData(listening: { ports: readonly number[]; hostName: string }, nowMs: number): BrokerWorkerData {
    const { storage, config, random, paths } = this.#options;
    const { metadata, open, refused } = this.#set;
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
    const found = findPartitions(open);
    const metadataEnd = metadata.recoveryPoint(CLUSTER_METADATA_TOPIC, 0);
    const metadataLog = `${metadata.path}/${METADATA_DIRECTORY}`;
    if (!storage.isDirectory(metadataLog)) {
      const partitionCount = [...found.values()].flat().filter(({ topicId }) => topicId !== null).length;
      checkMetadataLog(storage, metadataLog, { end: metadataEnd, partitionCount });
      const { name, host, port } = controllerEndpoint;
      const voter = { voterId: config.nodeId, voterDirectoryId: metadata.directoryId, endpoints: [{ name, host, port }] };
      formatMetadata(storage, metadata.path, voter, nowMs);
    }
    return {
      config,
      clusterId: metadata.clusterId,
      directories: paths.map((path) => {
        const directory = open.find((each) => each.path === path);
        return {
          path,
          id: directory?.directoryId ?? null,
          hadCleanShutdown: directory?.hadCleanShutdown ?? false,
          failure: refused.find((each) => each.path === path)?.error.message ?? null,
        };
      }),
      metadataDirectory: { path: metadata.path, id: metadata.directoryId },
      found,
      metadataEnd,
      endpoints,
      controllerEndpoint,
      incarnationId: randomUuid(random),
    };
  }

  /** A worker tells how far its partitions are on the medium; the last time when its logs are closed. */
  hearEnds(worker: number, { ends, isFinal, unclean }: ToldEnds): void {
    this.#ends[worker] = ends;
    this.#starts[worker]?.clear();
    for (const path of unclean) this.#failed.add(path);
    if (isFinal) this.#finalCount++;
    else this.#checkpoint();
    if (this.#ends.includes(null)) return;
    for (const task of this.#early.splice(0)) task();
  }

  /** A directory has failed: nothing is written into it any more. */
  noteFailed(path: string): void {
    this.#failed.add(path);
  }

  /** Log starts that a worker must have on the medium; `done` hears in which directories they are not. */
  persistStarts(worker: number, starts: readonly LogStart[], done: (failed: readonly string[]) => void): void {
    if (this.#ends.includes(null)) {
      this.#early.push(() => this.persistStarts(worker, starts, done));
      return;
    }
    for (const start of starts) this.#starts[worker]?.set(nameOf(start), start);
    const concerned = new Set(starts.map(({ directory }) => directory));
    const newest = this.#newestStarts();
    for (const directory of this.#all()) {
      if (concerned.has(directory.path)) this.#guard(directory, () => directory.checkpointLogStarts(within(directory, newest)));
    }
    done([...concerned].filter((path) => this.#failed.has(path)));
  }

  /** The end, once the workers have stopped; without `isOrderly` the next start recovers. Whether it was a clean one, of all directories. */
  close(stop: { isOrderly: boolean; brokerEpoch: number }): boolean {
    const isClosedByAll = stop.isOrderly && this.#finalCount === this.#ends.length;
    if (isClosedByAll) this.#checkpoint();
    for (const directory of this.#all()) {
      directory.close({ isClean: isClosedByAll && !this.#failed.has(directory.path), brokerEpoch: stop.brokerEpoch });
    }
    return isClosedByAll && this.#failed.size === 0;
  }

  #all(): Set<LogDirectory> {
    return new Set([this.#set.metadata, ...this.#set.open]);
  }

  /** What a worker has told since its ends counts, and must not be taken back for the sake of another one: its partition may be newer than they. */
  #newestStarts(): LogStart[] {
    const starts = new Map<string, LogStart>();
    for (const { directory, topic, partition, logStartOffset: offset } of this.#ends.flatMap((ends) => ends ?? [])) {
      const start = { directory, topic, partition, offset };
      starts.set(nameOf(start), start);
    }
    for (const told of this.#starts) for (const [name, start] of told) starts.set(name, start);
    return [...starts.values()];
  }

  #checkpoint(): void {
    if (this.#ends.includes(null)) return;
    const ends = this.#ends.flatMap((ofWorker) => ofWorker ?? []);
    const starts = this.#newestStarts();
    for (const directory of this.#all()) {
      const here = within(directory, ends);
      const ofPartitions = here.filter(({ topic }) => topic !== CLUSTER_METADATA_TOPIC);
      this.#guard(directory, () => {
        directory.checkpointRecoveryPoints(here.map(({ recoveryPoint, ...row }) => ({ ...row, offset: recoveryPoint })));
        directory.checkpointLogStarts(within(directory, starts));
        directory.checkpointHighWatermarks(ofPartitions.map(({ highWatermark, ...row }) => ({ ...row, offset: highWatermark })));
      });
    }
  }

  /** Writes nothing into a directory that has failed; one that refuses the write has. */
  #guard({ path }: LogDirectory, write: () => void): void {
    if (this.#failed.has(path)) return;
    try {
      write();
    } catch (error) {
      if (!(error instanceof StorageError)) throw error;
      this.#failed.add(path);
      this.#options.onCheckpointFailed(path, error);
    }
  }
}

/** Two directories may hold a log of one name, where a topic was made anew while the other directory was offline. Each keeps its row. */
function nameOf({ directory, topic, partition }: LogStart): string {
  return `${directory}/${partitionDirectoryName(topic, partition)}`;
}

function within<Row extends { readonly directory: string }>({ path }: LogDirectory, rows: readonly Row[]): Row[] {
  return rows.filter(({ directory }) => directory === path);
}

/** What lies in the directories, by the names of the partitions. */
function findPartitions(directories: readonly LogDirectory[]): Map<string, FoundLog[]> {
  const found = new Map<string, FoundLog[]>();
  for (const directory of directories) {
    for (const { topic, partition, topicId, isUnnamedLog } of directory.partitions) {
      const name = partitionDirectoryName(topic, partition);
      const others = found.get(name) ?? [];
      const twin = topicId === null ? undefined : others.find((other) => other.topicId === topicId);
      if (twin !== undefined) {
        throw new ForeignDirectoryError(
          `${name} of topic id ${topicId} lies in ${twin.directory} and in ${directory.path}: move one of them away, that of the directory which failed`,
        );
      }
      found.set(name, [
        ...others,
        {
          directory: directory.path,
          topicId,
          isUnnamedLog,
          recoveryPoint: directory.recoveryPoint(topic, partition),
          logStartOffset: directory.logStartOffset(topic, partition),
        },
      ]);
    }
  }
  return found;
}
