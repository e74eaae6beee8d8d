// A broker instance: opens the log directory, listens, starts the workers, hands connections to them, and stops all of it in order.
// The composition root of the main thread; it never touches a record's bytes.
// Start: directory locked and formatted → listeners bound (their ports are told to the cluster) → workers → serving.
// Stop: listeners closed → workers end their connections and close their logs → checkpoints → the mark of a clean stop → unlocked.
// Runs on: the main thread.
import type { Socket } from 'node:net';
import { hostname } from 'node:os';
import { extname, resolve } from 'node:path';
import { crc32cImplementation } from '../base/crc32c.ts';
import { systemRandom } from '../base/random.ts';
import { randomUuid } from '../base/uuid.ts';
import type { BrokerConfig } from '../config/broker-config.ts';
import { ConfigError } from '../config/define.ts';
import { partitionDirectoryName } from '../log/file-names.ts';
import { FileStorage } from '../log/file-storage.ts';
import { LogDirectory } from '../log/log-directory.ts';
import type { Storage } from '../log/storage.ts';
import { formatMetadata, METADATA_DIRECTORY } from '../metadata/bootstrap.ts';
import { configureNative, nativeCalls } from '../native/load.ts';
import { raiseDescriptorLimit } from '../native/raise-descriptor-limit.ts';
import { HandOver, takeHandle } from '../network/hand-over.ts';
import { Listener } from '../network/listener.ts';
import { SocketTransport } from '../network/socket-transport.ts';
import type { WorkerFactory } from '../scheduler/runtime.ts';
import { startWorkers } from '../scheduler/supervisor.ts';
import { startLocal, type Workers } from '../scheduler/worker-runtime.ts';
import type { Logger } from '../telemetry/logger.ts';
import { lockDirectory } from './directory-lock.ts';
import { createBrokerWorker, sharedRegionBytes } from './worker.ts';
import type { AdvertisedEndpoint, BrokerWorkerData, FoundLog, FromBrokerWorker, LogEnds } from './worker-data.ts';

/** What is told when the broker is ready. */
export interface BrokerFacts {
  /** NAME://host:port, with the ports that were really taken. */
  readonly listeners: readonly string[];
  readonly clusterId: string;
  readonly dataDirectories: readonly string[];
  readonly workers: number;
  readonly crc: string;
  readonly nativeCalls: readonly string[];
}

/** A broker that serves. */
export interface Broker {
  readonly ready: BrokerFacts;
  /** Stops cleanly; resolves when everything is on disk. Calling it again gives the same promise. */
  stop(): Promise<void>;
  /** Resolves with the reason when the broker cannot go on; all of it has been stopped by then. */
  readonly failed: Promise<Error>;
}

/** Starts a broker. Rejects with ConfigError, StorageError, DirectoryLockedError, a listen error, or what a worker failed with. */
export async function startBroker(config: BrokerConfig, logger: Logger): Promise<Broker> {
  configureNative({ enabled: config.isNativeAllowed });
  raiseDescriptorLimit()?.();
  const instance = new BrokerInstance(config, logger);
  await instance.start();
  return instance;
}

class BrokerInstance implements Broker {
  readonly failed: Promise<Error>;
  readonly #config: BrokerConfig;
  readonly #logger: Logger;
  readonly #storage: Storage = new FileStorage();
  readonly #directory: LogDirectory;
  readonly #listeners: Listener[] = [];
  /** Accepted before there was a worker to take them. */
  #early: Socket[] = [];
  #onConnection = (socket: Socket): void => void this.#early.push(socket);
  #handOver: HandOver | null = null;
  #workers: Workers | null = null;
  #facts: BrokerFacts | null = null;
  #brokerEpoch = -1;
  /** By worker; null until it has told its ends for the first time. */
  #ends: (readonly LogEnds[] | null)[] = [];
  #cleanCount = 0;
  #stopping: Promise<void> | null = null;
  #onFailed: (error: Error) => void = () => {};
  #onServing: () => void = () => {};
  /** Without threads: gives an accepted socket's handle to the worker of this thread. */
  #takeHandle: (handle: object) => void = () => {};

  constructor(config: BrokerConfig, logger: Logger) {
    this.#config = config;
    this.#logger = logger;
    this.failed = new Promise((done) => {
      this.#onFailed = done;
    });
    this.#directory = this.#openDirectory();
  }

  get ready(): BrokerFacts {
    if (this.#facts === null) throw new Error('the broker has not been started');
    return this.#facts;
  }

  async start(): Promise<void> {
    const config = this.#config;
    try {
      const serving = new Promise<void>((done, fail) => {
        this.#onServing = done;
        void this.failed.then(fail);
      });
      serving.catch(() => {}); // Heard below, once the workers are there.
      for (const { host, port } of config.listeners) this.#listeners.push(await this.#listen(host, port));
      const data = this.#workerData(this.#listeners.map((listener) => listener.port));
      this.#ends = Array.from({ length: Math.max(1, config.workers) }, () => null);
      this.#workers = await this.#startWorkers(data);
      await serving;
      this.#serve(this.#workers);
      this.#facts = {
        listeners: config.listeners.map(
          ({ name, host }, index) => `${name}://${host === '' ? '0.0.0.0' : host}:${this.#listeners[index]?.port}`,
        ),
        clusterId: this.#directory.clusterId,
        dataDirectories: [this.#directory.path],
        workers: config.workers,
        crc: crc32cImplementation,
        nativeCalls: nativeCalls(),
      };
    } catch (error) {
      await this.#end(false);
      throw error;
    }
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#end(true);
    return this.#stopping;
  }

  async #end(isOrderly: boolean): Promise<void> {
    for (const socket of this.#early) socket.destroy();
    await Promise.all(this.#listeners.map((listener) => listener.close()));
    await this.#workers?.stop();
    await new Promise((done) => setImmediate(done)); // A worker in this thread says its last words one step behind.
    const isClean = isOrderly && this.#cleanCount === this.#ends.length;
    if (isClean) this.#checkpoint();
    this.#directory.close({ isClean, brokerEpoch: this.#brokerEpoch });
  }

  #listen(host: string, port: number): Promise<Listener> {
    return Listener.listen({
      host: host === '' ? EVERY_INTERFACE : host,
      port,
      backlog: this.#config.socketListenBacklogSize,
      onConnection: (socket) => this.#onConnection(socket),
      onRefused: (error) => this.#logger.warn(`a connection was refused: ${error.message}`),
    });
  }

  /** From here on connections go to the workers; those that came before wait and go first. */
  #serve(workers: Workers): void {
    if (workers.threadCount === 0) {
      this.#onConnection = (socket) => {
        const handle = takeHandle(socket);
        if (handle !== null) this.#takeHandle(handle);
      };
    } else {
      const handOver = new HandOver(workers.count, (worker, descriptor) => workers.handOver(worker, descriptor));
      this.#handOver = handOver;
      this.#onConnection = (socket) => {
        if (!handOver.accept(socket)) this.#logger.warn('a connection was refused: no descriptor to hand it over with');
      };
    }
    const early = this.#early;
    this.#early = [];
    for (const socket of early) this.#onConnection(socket);
  }

  #openDirectory(): LogDirectory {
    const [path, ...others] = this.#config.logDirs;
    if (path === undefined || others.length > 0) {
      throw new ConfigError(
        `log.dirs: one directory is served so far; ${this.#config.logDirs.length} were given (${this.#config.logDirs.join(',')})`,
        'log.dirs',
        this.#config.logDirs.join(','),
      );
    }
    return LogDirectory.open({
      storage: this.#storage,
      path: resolve(path),
      clusterId: null,
      nodeId: this.#config.nodeId,
      random: systemRandom,
      lock: lockDirectory,
    });
  }

  /** Formats the cluster's metadata where this is a new node, and gathers what the workers need to know of the directory. */
  #workerData(ports: readonly number[]): BrokerWorkerData {
    const config = this.#config;
    const directory = this.#directory;
    const endpoints = config.advertisedListeners.map(({ name, host, port }): AdvertisedEndpoint => {
      const own = config.listeners.findIndex((listener) => listener.name === name);
      return { name, host: host === '' ? hostname() : host, port: port === 0 ? (ports[own] ?? 0) : port };
    });
    const controller = config.controllerListeners[0];
    const controllerEndpoint = {
      name: controller?.name ?? 'CONTROLLER',
      host: controller?.host || (endpoints[0]?.host ?? 'localhost'),
      port: controller?.port ?? DEFAULT_CONTROLLER_PORT,
    };
    if (!this.#storage.isDirectory(`${directory.path}/${METADATA_DIRECTORY}`)) {
      const { name, host, port } = controllerEndpoint;
      const voter = { voterId: config.nodeId, voterDirectoryId: directory.directoryId, endpoints: [{ name, host, port }] };
      formatMetadata(this.#storage, directory.path, voter, Date.now());
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
      endpoints,
      controllerEndpoint,
      incarnationId: randomUuid(systemRandom),
    };
  }

  #startWorkers(data: BrokerWorkerData): Promise<Workers> {
    const { workers, memoryMaxBytes } = this.#config;
    const count = Math.max(1, workers);
    const common = {
      data,
      sharedBytes: sharedRegionBytes(count),
      arenaBytes: Math.floor(memoryMaxBytes / count),
      listener: {
        onMessage: (worker: number, message: unknown) => this.#hear(worker, message as FromBrokerWorker),
        onFailed: (error: Error) => {
          void this.#end(false).then(() => this.#onFailed(error));
        },
      },
    };
    if (workers === 0) {
      const factory: WorkerFactory<BrokerWorkerData> = (runtime, workerData, supervisor) => {
        const worker = createBrokerWorker(runtime, workerData, supervisor);
        this.#takeHandle = (handle) => runtime.post(() => worker.network.adopt(new SocketTransport(handle)));
        return worker;
      };
      return startLocal({ ...common, factory });
    }
    const entry = new URL(`./worker-main${extname(import.meta.filename)}`, import.meta.url);
    return startWorkers({ ...common, count: workers, entry });
  }

  #hear(worker: number, message: FromBrokerWorker): void {
    switch (message.type) {
      case 'serving':
        this.#brokerEpoch = message.brokerEpoch;
        this.#onServing();
        return;
      case 'log':
        this.#logger[message.line.level](message.line.message, message.line.fields);
        return;
      case 'ends':
        this.#ends[worker] = message.ends;
        if (message.isFinal && message.isClean) this.#cleanCount++;
        if (!message.isFinal) this.#checkpoint();
        return;
      case 'connections-closed':
        this.#handOver?.closed(worker, message.count);
    }
  }

  /** Written only when all workers are in it: a partition that is missing would be recovered from its start. */
  #checkpoint(): void {
    const ends: LogEnds[] = [];
    for (const ofWorker of this.#ends) {
      if (ofWorker === null) return;
      ends.push(...ofWorker);
    }
    this.#directory.checkpoint(ends);
    this.#directory.checkpointHighWatermarks(
      ends.map(({ topic, partition, highWatermark }) => ({ topic, partition, offset: highWatermark })),
    );
  }
}

/** Node listens on both families there where the machine has both. */
const EVERY_INTERFACE = '::';
/** Stands in the voters' record where no controller listener is configured; nobody connects to a quorum of one. */
const DEFAULT_CONTROLLER_PORT = 9093;
