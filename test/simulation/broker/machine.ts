// A simulated machine with a broker on it: the composition of production (createBrokerWorker, BrokerDirectories) on virtual
// workers over the simulated disk, booted again and again on the disk as the last end left it.
import { BrokerDirectories } from '../../../src/broker/broker-directories.ts';
import { poolJobs } from '../../../src/broker/pool-jobs.ts';
import { sharedRegionBytes } from '../../../src/broker/shared-region.ts';
import { type BrokerWorker, createBrokerWorker } from '../../../src/broker/worker.ts';
import type { BrokerWorkerData, FromBrokerWorker, ToBrokerWorker } from '../../../src/broker/worker-data.ts';
import type { BrokerConfig } from '../../../src/config/broker-config.ts';
import { UnformattedDirectoryError } from '../../../src/log/directory-set.ts';
import { META_PROPERTIES_NAME } from '../../../src/log/meta-properties.ts';
import { StorageError } from '../../../src/log/storage.ts';
import type { MessageOf, Table } from '../../../src/protocol/schema.ts';
import type { SimProcess } from '../../../src/scheduler/sim-process.ts';
import type { Simulation } from '../../../src/scheduler/sim-runtime.ts';
import type { Sparse } from '../../support/messages.ts';
import { ClientConnection, type Manners } from './client-connection.ts';
import { Violation } from './violation.ts';

const BOOT_LIMIT_MS = 60_000;
const ANSWER_LIMIT_MS = 60_000;
const PATIENCE_CHECK_MS = 250;

/** How far something came before a disk error ended the process. */
export type Fate = 'lives' | 'died';

export class BrokerMachine {
  readonly simulation: Simulation;
  readonly config: BrokerConfig;
  readonly connections = new Set<ClientConnection>();
  /** Errors of the disk are to be expected in this incarnation. */
  hasFaults = false;
  isStopping = false;
  bootCount = 0;
  readonly #manners: Manners;
  /** Log directories that the disk kept a start from formatting, while it went on with the others. */
  #unformatted: ReadonlySet<string> = new Set();
  #directories: BrokerDirectories | null = null;
  #process: SimProcess | null = null;
  #workers: BrokerWorker[] = [];
  #baseBytes: number[] = [];
  #brokerEpoch = -1;
  #isServing = false;
  #nextCheckMs = 0;

  constructor(simulation: Simulation, config: BrokerConfig, manners: Manners) {
    this.simulation = simulation;
    this.config = config;
    this.#manners = manners;
  }

  /** Records are on the medium before anybody is told of them. */
  get syncsFirst(): boolean {
    return this.config.givenTexts.get('log.flush.interval.messages') === '1';
  }

  get workerCount(): number {
    return this.simulation.limits.workerCount;
  }

  get isUp(): boolean {
    return this.#isServing;
  }

  /** Starts the broker; 'died' where the disk did not let it. */
  async boot(): Promise<Fate> {
    const { simulation } = this;
    this.bootCount++;
    this.isStopping = false;
    this.#isServing = false;
    this.#workers = [];
    try {
      this.#directories = this.#openDirectories();
      const data = this.#directories.workerData({ ports: [9092], hostName: 'sim' }, simulation.clock.wallMs());
      this.#process = await simulation.boot<BrokerWorkerData>({
        factory: (runtime, workerData, supervisor) => {
          const worker = createBrokerWorker(runtime, workerData, supervisor);
          this.#workers[runtime.workerIndex] = worker;
          return worker;
        },
        data,
        jobs: poolJobs,
        sharedBytes: sharedRegionBytes(this.workerCount),
        onMessage: (worker, message) => this.#hear(worker, message as FromBrokerWorker),
      });
    } catch (error) {
      this.#expectFault(error);
      return this.#died();
    }
    const fate = await this.until(() => this.#isServing, BOOT_LIMIT_MS, 'the broker serves');
    this.#baseBytes = simulation.process?.runtimes.map((runtime) => runtime.arena.usedBytes) ?? [];
    return fate;
  }

  /**
   * As the operator does it: where a start was refused for a directory that an earlier one could not format, the next says that it is new.
   * Any other without its meta.properties has lost it.
   */
  #openDirectories(): BrokerDirectories {
    const { config } = this;
    const isNew = (path: string): boolean => !this.simulation.disk.exists(`${path}/${META_PROPERTIES_NAME}`);
    const unformatted = config.logDirs.filter((path) => this.#unformatted.has(path) || isNew(path));
    let directories: BrokerDirectories;
    try {
      directories = this.#directoriesOf(config);
    } catch (error) {
      const isExplained = config.logDirs.every((path) => this.#unformatted.has(path) || !isNew(path));
      if (!(error instanceof UnformattedDirectoryError) || !isExplained) throw error;
      directories = this.#directoriesOf({ ...config, naruFormatNewDirectories: true });
    }
    // Of one that was refused in the middle of it, what was written may not be on the medium.
    const refused = new Set(directories.refused.map(({ path }) => path));
    this.#unformatted = new Set(unformatted.filter((path) => refused.has(path)));
    return directories;
  }

  #directoriesOf(config: BrokerConfig): BrokerDirectories {
    return new BrokerDirectories({
      storage: this.simulation.disk,
      paths: config.logDirs,
      metadataPath: config.metadataLogDir,
      config,
      random: this.simulation.random,
      workerCount: this.workerCount,
      onCheckpointFailed: (directory, error) => {
        this.#expectFault(error);
        const message: ToBrokerWorker = { type: 'directory-failed', directory, error: error.message };
        if (!this.isStopping) this.#process?.send(0, message);
      },
    });
  }

  /** A connection to a worker that the seed draws. */
  connect(): ClientConnection {
    const worker = this.simulation.random.below(this.workerCount);
    const connection = new ClientConnection(this.simulation, worker, this.#manners);
    this.connections.add(connection);
    this.#process?.runtime(worker).post(() => this.#workers[worker]?.network.adopt(connection.transport));
    return connection;
  }

  async runFor(durationMs: number): Promise<Fate> {
    const endMs = this.simulation.time.nowMs + durationMs;
    return this.#run(() => this.simulation.time.nextMs() > endMs);
  }

  /** Goes on until `isDone`; a Violation where that takes more than `limitMs` of virtual time. */
  async until(isDone: () => boolean, limitMs: number, what: string | (() => string)): Promise<Fate> {
    const endMs = this.simulation.time.nowMs + limitMs;
    return this.#run(() => {
      if (isDone()) return true;
      if (this.simulation.time.nextMs() <= endMs) return false;
      throw new Violation(`not within ${limitMs} ms: ${typeof what === 'string' ? what : what()}`);
    });
  }

  /** The answer to a request on a connection, and the bytes it lies in. */
  async ask<Q extends Table, S extends Table>(
    connection: ClientConnection,
    request: Q,
    response: S,
    version: number,
    partial: Sparse<MessageOf<Q>>,
  ): Promise<{ answer: MessageOf<S>; bytes: Buffer }> {
    const answers: { answer: MessageOf<S>; bytes: Buffer }[] = [];
    connection.ask(request, response, version, partial, (answer, bytes) => answers.push({ answer, bytes }));
    await this.until(() => answers.length > 0, ANSWER_LIMIT_MS, request.name);
    const [first] = answers;
    if (first === undefined) throw new Violation(`no answer to ${request.name}`);
    return first;
  }

  /** Jobs of the workers' pools are under way. */
  get isComputing(): boolean {
    return (this.#process?.computingCount ?? 0) > 0;
  }

  kill(): void {
    this.simulation.kill();
    this.#ended();
  }

  losePower(): void {
    this.simulation.losePower();
    this.#ended();
  }

  /** An orderly stop, as SIGTERM asks for it. Whether it was clean. */
  async stop(): Promise<boolean> {
    const process = this.#process;
    if (process === null) throw new Error('no broker runs');
    this.isStopping = true;
    try {
      await process.stop();
    } catch (error) {
      this.#expectFault(error);
      this.#died();
      return false;
    }
    const hadMark = (): boolean => this.config.logDirs.every((path) => this.simulation.disk.exists(`${path}/.kafka_cleanshutdown`));
    try {
      this.#directories?.close({ isOrderly: true, brokerEpoch: this.#brokerEpoch });
    } catch (error) {
      this.#expectFault(error);
    }
    this.#ended();
    return hadMark();
  }

  /** All memory of requests and replies is back, once every connection has been closed. */
  checkMemory(): void {
    for (const [worker, runtime] of (this.#process?.runtimes ?? []).entries()) {
      const { usedBytes } = runtime.arena;
      const network = this.#workers[worker]?.network;
      if (usedBytes !== this.#baseBytes[worker]) {
        throw new Violation(
          `worker ${worker} holds ${usedBytes} bytes of its arena with nothing to do, ${this.#baseBytes[worker]} at its start`,
        );
      }
      if (network?.connectionCount !== 0)
        throw new Violation(`worker ${worker} keeps ${network?.connectionCount} connections that are closed`);
      for (let target = 0; target < this.workerCount; target++) {
        const count = runtime.exchange.outstandingCount(target);
        if (count !== 0) throw new Violation(`worker ${worker} waits for ${count} replies of worker ${target} with nothing to do`);
      }
    }
  }

  async #run(isDone: () => boolean): Promise<Fate> {
    const { simulation } = this;
    try {
      while (!isDone()) {
        await simulation.step();
        if (simulation.time.nowMs < this.#nextCheckMs) continue;
        this.#nextCheckMs = simulation.time.nowMs + PATIENCE_CHECK_MS;
        for (const connection of this.connections) {
          if (connection.isClosed) this.connections.delete(connection);
          else connection.checkPatience();
        }
      }
    } catch (error) {
      if (error instanceof Violation) throw error;
      this.#expectDeath(error);
      return this.#died();
    }
    return 'lives';
  }

  #hear(worker: number, message: FromBrokerWorker): void {
    if (message.type === 'serving') {
      this.#brokerEpoch = message.brokerEpoch;
      this.#isServing = true;
    } else if (message.type === 'ends') {
      this.#directories?.hearEnds(worker, message);
    } else if (message.type === 'log-starts') {
      this.#directories?.persistStarts(worker, message.starts, (failed) => {
        this.#process?.send(worker, { type: 'log-starts-written', failed } satisfies ToBrokerWorker);
      });
    } else if (message.type === 'offline') {
      this.#directories?.noteFailed(message.directory);
    } else if (message.type === 'log') {
      this.simulation.note(`worker ${worker} says: ${message.line.message} ${JSON.stringify(message.line.fields)}`);
    }
  }

  /** An error is right only where it comes from a disk that was told to fail. */
  #expectFault(error: unknown): void {
    if (this.hasFaults) {
      for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) if (cause instanceof StorageError) return;
    }
    throw error;
  }

  /** A disk ends no broker that serves: its directory is offline. */
  #expectDeath(error: unknown): void {
    this.#expectFault(error);
    if (!this.#isServing) return;
    throw new Violation(`a broker that serves has died: ${error instanceof Error ? error.stack : String(error)}`);
  }

  #died(): 'died' {
    this.simulation.note('the broker gave up');
    this.kill();
    return 'died';
  }

  #ended(): void {
    this.#process = null;
    this.#isServing = false;
    for (const connection of this.connections) connection.processDied();
    this.connections.clear();
  }
}
