// A broker: opens the log directories, listens, starts the workers, hands connections to them, and stops all of it in order.
// The composition root of the main thread; it never touches a record's bytes.
// Start: directories locked and formatted → listeners bound (their ports are told to the cluster) → workers → serving.
// A start that fails or is called off stops as well, but leaves no mark of a clean stop: a log that was not opened yet may still have to be
// recovered.
// Stop: listeners closed → workers end their connections and close their logs → checkpoints → the mark of a clean stop → unlocked.
// Runs on: the main thread.
import { resolve } from 'node:path';
import { systemClock } from '../base/clock.ts';
import { crc32cImplementation } from '../base/crc32c.ts';
import { systemRandom } from '../base/random.ts';
import { setImmediate } from '../base/timers.ts';
import { VERSION } from '../base/version.ts';
import type { BrokerConfig } from '../config/broker-config.ts';
import { ConfigError } from '../config/define.ts';
import { formatHttpListener, formatListener, type Listener as ListenerAddress } from '../config/listeners.ts';
import { FileStorage } from '../log/file-storage.ts';
import { allNativeCalls } from '../native/native-calls.ts';
import { Listener } from '../network/listener.ts';
import type { SpareThreads } from '../scheduler/spare-threads.ts';
import { startWorkers } from '../scheduler/supervisor.ts';
import type { Workers } from '../scheduler/worker-runtime.ts';
import type { LeveledLogger } from '../telemetry/logger.ts';
import { BrokerDirectories } from './broker-directories.ts';
import { BrokerNews } from './broker-news.ts';
import { ConnectionDesk, type ConnectionDeskOptions, connectionLimits } from './connection-desk.ts';
import type { DescriptorBudget } from './descriptor-budget.ts';
import { lockDirectory } from './directory-lock.ts';
import { canonicalHostName } from './host-name.ts';
import { arenaBytesOf } from './memory-budget.ts';
import type { BrokerState, Operations } from './operations.ts';
import { sharedRegionBytes } from './shared-region.ts';
import type { BrokerWorkerData, FromBrokerWorker, ToBrokerWorker } from './worker-data.ts';
import { WORKER_ENTRY } from './worker-entry.ts';

/** What is told when the broker is ready. */
export interface BrokerFacts {
  /** NAME://host:port, with the ports that were really taken. */
  readonly listeners: readonly Pick<ListenerAddress, 'name' | 'host' | 'port'>[];
  /** naru.http.listener with the port that was really taken; null: none. */
  readonly httpListener: string | null;
  readonly clusterId: string;
  readonly dataDirectories: readonly string[];
  readonly workers: number;
  /** Which implementation of CRC-32C answers. */
  readonly crc: string;
  /** The native calls that answer; none where they are off or cannot be loaded. */
  readonly nativeCalls: readonly string[];
  /** How many files and connections together the process may have open; null where nobody can tell. */
  readonly descriptorLimit: number | null;
}

/** A broker that serves. */
export interface Broker {
  readonly ready: BrokerFacts;
  /**
   * Stops cleanly; resolves when everything is on disk, rejects where a worker failed on its way there. Calling it again gives the same promise.
   * `reason`: who asked for it, for the log.
   */
  stop(reason?: string): Promise<void>;
  /** Resolves with the reason when the broker cannot go on; all of it has been stopped by then. */
  readonly failed: Promise<Error>;
}

const CONTROLLER_WORKER = 0;

export class BrokerInstance implements Broker {
  readonly failed: Promise<Error>;
  readonly #config: BrokerConfig;
  readonly #logger: LeveledLogger;
  readonly #descriptors: DescriptorBudget;
  readonly #arenaBytes: number;
  readonly #spares: SpareThreads | null;
  readonly #directories: BrokerDirectories;
  readonly #listeners: Listener[] = [];
  readonly #news: BrokerNews;
  #desk: ConnectionDesk | null = null;
  readonly #state: BrokerState = { stage: 'starting', offline: new Map(), missing: null };
  #operations: Operations | null = null;
  #workers: Workers | null = null;
  #facts: BrokerFacts | null = null;
  #brokerEpoch = -1;
  #stopping: Promise<void> | null = null;
  #failure: Error | null = null;
  #onFailed: (error: Error) => void = () => {};
  #onServing: () => void = () => {};
  /** Without threads: gives an accepted socket's handle to the worker of this thread. */
  #adopt: ConnectionDeskOptions['adopt'] = () => {};

  constructor(config: BrokerConfig, logger: LeveledLogger, descriptors: DescriptorBudget, spares: SpareThreads | null) {
    this.#config = config;
    this.#spares = spares;
    this.#logger = logger;
    this.#descriptors = descriptors;
    this.#arenaBytes = arenaBytesOf(config);
    this.failed = new Promise((done) => {
      this.#onFailed = done;
    });
    this.#news = new BrokerNews(logger, systemClock, Math.max(1, config.workers));
    this.#directories = this.#openDirectories();
    for (const { path, error } of this.#directories.refused) this.#noteOffline(path, error.message);
  }

  get ready(): BrokerFacts {
    if (this.#facts === null) throw new Error('the broker has not been started');
    return this.#facts;
  }

  async start(calledOff: AbortSignal): Promise<void> {
    const config = this.#config;
    try {
      const serving = new Promise<void>((done, fail) => {
        this.#onServing = done;
        void this.failed.then(fail);
        calledOff.addEventListener('abort', () => fail(calledOff.reason), { once: true });
      });
      serving.catch(() => {}); // Heard below, once the workers are there.
      this.#news.starting({
        version: VERSION,
        node: process.version,
        pid: process.pid,
        nodeId: config.nodeId,
        clusterId: this.#directories.clusterId,
        directories: this.#directories.paths.join(','),
        lastStop: this.#directories.lastStop,
        workers: config.workers,
        descriptors: this.#descriptors.limitText,
      });
      const limits = await connectionLimits(config);
      const desk = new ConnectionDesk({
        config,
        limits,
        logger: this.#logger.of('network'),
        descriptorsEnd: () => this.#descriptors.connectionsEnd,
        adopt: (handle, acceptance, taken) => this.#adopt(handle, acceptance, taken),
        onCount: (count) => this.#tellController({ type: 'connections-open', count }),
      });
      this.#desk = desk;
      for (const [index, { host, port }] of config.listeners.entries()) this.#listeners.push(await this.#listen(desk, index, host, port));
      await this.#listenForOperators();
      const isHostNeeded = config.advertisedListeners.some(({ host }) => host === '');
      const hostName = isHostNeeded ? await canonicalHostName() : '';
      calledOff.throwIfAborted();
      const ports = this.#listeners.map((listener) => listener.port);
      const data = this.#directories.workerData({ ports, hostName }, Date.now());
      this.#workers = await this.#startWorkers(data);
      await serving;
      this.#descriptors.share(); // What the start opens is open.
      this.#boundConnections();
      const share = this.#descriptors.partitionShare;
      if (share !== null) this.#tellController({ type: 'descriptors', share });
      desk.serve(this.#workers);
      this.#state.stage = 'serving';
      this.#facts = {
        httpListener:
          this.#operations === null ? null : formatHttpListener({ host: config.httpListener?.host ?? '', port: this.#operations.port }),
        listeners: config.listeners.map(({ name, host }, index) => ({
          name,
          host: host === '' ? '0.0.0.0' : host,
          port: this.#listeners[index]?.port ?? 0,
        })),
        clusterId: this.#directories.clusterId,
        dataDirectories: this.#directories.paths,
        workers: config.workers,
        crc: crc32cImplementation(),
        nativeCalls: allNativeCalls(),
        descriptorLimit: this.#descriptors.limit,
      };
      this.#news.serving(this.#facts.listeners.map(formatListener).join(','));
    } catch (error) {
      await this.#endAfterFailure(); // Never orderly: workers that do not serve have not opened all logs.
      await this.#workers?.stop(); // Where something failed before they were there.
      throw error;
    }
  }

  #boundConnections(): void {
    for (const listener of this.#listeners) listener.descriptorsMax = this.#descriptors.connectionsEnd;
  }

  #tellController(message: ToBrokerWorker): void {
    if (this.#state.stage !== 'stopping') this.#workers?.send(CONTROLLER_WORKER, message);
  }

  stop(reason?: string): Promise<void> {
    if (this.#stopping === null) {
      this.#news.stopping(reason);
      this.#stopping = this.#end(true);
    }
    return this.#stopping;
  }

  async #end(isOrderly: boolean): Promise<void> {
    this.#state.stage = 'stopping';
    this.#desk?.close();
    await Promise.all(this.#listeners.map((listener) => listener.close()));
    await this.#workers?.stop();
    this.#desk?.workersEnded();
    await new Promise((done) => setImmediate(done)); // A worker in this thread says its last words one step behind.
    await this.#operations?.close();
    const isClean = this.#directories.close({ isOrderly, brokerEpoch: this.#brokerEpoch });
    if (isOrderly) this.#news.stopped(isClean);
    if (isOrderly && this.#failure !== null) throw this.#failure; // A worker failed while it stopped.
  }

  /** Never rejects: it is the failure that has to be told, not what goes wrong in its wake. */
  async #endAfterFailure(): Promise<void> {
    this.#stopping ??= this.#end(false); // Once: a second end would close the directories' locks again.
    try {
      await this.#stopping;
    } catch (error) {
      this.#logger.error('after a failure the broker did not stop in order', { error: String(error) });
    }
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    void this.#endAfterFailure().then(() => this.#onFailed(error));
  }

  /** Around what Node calls on this thread: an error of our own ends this broker, not the process of whoever embeds it. False: there was one. */
  #guard(task: () => void): boolean {
    try {
      task();
      return true;
    } catch (error) {
      this.#fail(Error.isError(error) ? error : new Error(`thrown: ${String(error)}`));
      return false;
    }
  }

  #listen(desk: ConnectionDesk, index: number, host: string, port: number): Promise<Listener> {
    return Listener.listen({
      host,
      port,
      backlog: this.#config.socketListenBacklogSize,
      onConnection: (socket) => {
        if (!this.#guard(() => desk.arrive(socket, index))) socket.destroy();
      },
      descriptorsMax: this.#descriptors.connectionsEnd,
      onRefused: (error) => this.#logger.of('network').warn(`a connection was refused: ${error.message}`),
    });
  }

  /** /readyz tells of the start, too: before the workers are there. */
  async #listenForOperators(): Promise<void> {
    const { httpListener: at, naruMetricsPartitionsMax: partitionsMax } = this.#config;
    if (at === null) return;
    const { Operations } = await import('./operations.ts');
    this.#operations = await Operations.listen({
      at,
      state: this.#state,
      partitionsMax,
      workers: () => this.#workers,
      facts: () => ({
        version: VERSION,
        crc: crc32cImplementation(),
        nativeCalls: this.#facts?.nativeCalls ?? [],
        refusedCount: this.#listeners.reduce((sum, listener) => sum + listener.refusedCount, this.#desk?.refusedCount ?? 0),
        descriptorLimit: this.#descriptors.limit,
        connectionsEnd: this.#descriptors.connectionsEnd,
      }),
      onError: (error) => this.#logger.of('http').error('the HTTP listener failed', { error: String(error) }),
    });
  }

  #openDirectories(): BrokerDirectories {
    const config = this.#config;
    const paths = config.logDirs.map((path) => resolve(path));
    const twice = paths.find((path, index) => paths.indexOf(path) !== index);
    if (twice !== undefined) {
      const given = config.logDirs.join(',');
      throw new ConfigError(`log.dirs=${given}: ${twice} is named twice (allowed: each directory once)`, 'log.dirs', given);
    }
    return new BrokerDirectories({
      storage: new FileStorage(),
      paths,
      metadataPath: resolve(config.metadataLogDir),
      config,
      random: systemRandom,
      workerCount: Math.max(1, config.workers),
      lock: lockDirectory,
      onCheckpointFailed: (directory, error) => {
        if (this.#state.stage !== 'stopping') this.#tellController({ type: 'directory-failed', directory, error: error.message });
        else this.#logger.of('log').error('a checkpoint could not be written', { directory, error: error.message });
      },
    });
  }

  #noteOffline(directory: string, error: string): void {
    this.#state.offline.set(directory, error);
    this.#logger.of('log').error('a log directory cannot be read and is offline', { directory, error });
  }

  async #startWorkers(data: BrokerWorkerData): Promise<Workers> {
    const { workers } = this.#config;
    const count = Math.max(1, workers);
    const common = {
      data,
      sharedBytes: sharedRegionBytes(count),
      arenaBytes: this.#arenaBytes,
      listener: {
        onMessage: (worker: number, message: unknown) => this.#guard(() => this.#hear(worker, message as FromBrokerWorker)),
        onFailed: (error: Error) => this.#fail(error),
      },
    };
    if (workers === 0) {
      const { startLocalWorker } = await import('./local-worker.ts');
      const onAdopter = (adopt: ConnectionDeskOptions['adopt']): void => {
        this.#adopt = adopt;
      };
      return startLocalWorker({ ...common, onAdopter });
    }
    return startWorkers({ ...common, count: workers, entry: WORKER_ENTRY, ...(this.#spares === null ? {} : { spares: this.#spares }) });
  }

  #hear(worker: number, message: FromBrokerWorker): void {
    switch (message.type) {
      case 'serving':
        this.#brokerEpoch = message.brokerEpoch;
        this.#onServing();
        return;
      case 'log':
        this.#logger.pass(message.line);
        return;
      case 'logs-opened':
        this.#news.opened(message.opened);
        return;
      case 'connection-limits':
        this.#desk?.changeLimits(message.limits);
        return;
      case 'more-partitions':
        this.#descriptors.notePartitions(message.count);
        this.#boundConnections();
        return;
      case 'log-level':
        this.#logger.level = message.level;
        return;
      case 'ends':
        this.#directories.hearEnds(worker, message);
        return;
      case 'log-starts':
        this.#directories.persistStarts(worker, message.starts, (failed) => {
          this.#workers?.send(worker, { type: 'log-starts-written', failed } satisfies ToBrokerWorker);
        });
        return;
      case 'connections-closed':
        this.#desk?.closed(worker, message.tickets);
        return;
      case 'offline':
        this.#directories.noteFailed(message.directory);
        this.#state.offline.set(message.directory, message.error);
        if (message.isNeeded) this.#state.missing ??= message.directory;
        return;
      case 'report':
        this.#operations?.hear(worker, message.id, message.report);
    }
  }
}
