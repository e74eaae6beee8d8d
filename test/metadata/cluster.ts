// A quorum actor and the metadata actors of its workers over a disk that a test hands in. The clock stands still until a test moves it,
// syncs are answered when the test lets them, messages go to the actors in order.
import { type Random, seededRandom } from '../../src/base/random.ts';
import { randomUuid } from '../../src/base/uuid.ts';
import { resolveBrokerConfig } from '../../src/config/broker-config.ts';
import { DEFAULT_LOG_CONFIG } from '../../src/log/log.ts';
import type { Storage, StorageError } from '../../src/log/storage.ts';
import { formatMetadata, METADATA_DIRECTORY, SUPPORTED_FEATURES } from '../../src/metadata/bootstrap.ts';
import { registerBroker, tellCordonedDirectories, unfenceBroker } from '../../src/metadata/brokers.ts';
import { configRules, topicConfigRules } from '../../src/metadata/config-rules.ts';
import type { ControllerDefaults, Operation } from '../../src/metadata/controller.ts';
import { MetadataActor } from '../../src/metadata/metadata-actor.ts';
import { MetadataLog } from '../../src/metadata/metadata-log.ts';
import type { MetadataRecord } from '../../src/metadata/metadata-records.ts';
import { QuorumActor, type QuorumActorOptions } from '../../src/metadata/quorum-actor.ts';
import { type ControlSeen, logRecords } from './read-log.ts';

export const CLUSTER_ID = 'MkU3OEVBNTcwNTJENDM2Qg';
export const DIRECTORY_ID = 'rcLuce-ZQ9O9K3L_zmJGeg';
export const NODE_ID = 1;
export const LOG_DIRECTORY = '/data';
const CONTROLLER = { name: 'CONTROLLER', host: '127.0.0.1', port: 29193, securityProtocol: 0 };
const START_MS = 1_795_244_752_000;

const { config } = resolveBrokerConfig({ environment: {}, overrides: [], coreCount: 1 });

export const DEFAULTS: ControllerDefaults = {
  numPartitions: 1,
  replicationFactor: 1,
  topicConfigs: topicConfigRules(config, NODE_ID),
  configRules: configRules(config, NODE_ID),
};

interface Timer {
  readonly atMs: number;
  readonly task: () => void;
  isCancelled: boolean;
}

export interface TestNodeOptions {
  readonly storage: Storage;
  readonly seed?: number;
  readonly workerCount?: number;
  readonly quorum?: Partial<QuorumActorOptions>;
  readonly segmentBytes?: number;
  readonly logDirectory?: string;
}

/** One process: begins with what is on the disk, ends when it is dropped (a crash) or stopped. */
export class TestNode {
  readonly quorum: QuorumActor;
  readonly workers: MetadataActor[] = [];
  readonly failures: StorageError[] = [];
  readonly random: Random;
  nowMs = START_MS;
  brokerEpoch = -1;
  readonly #storage: Storage;
  readonly #directory: string;
  readonly #timers: Timer[] = [];
  #held: (() => void)[] | null = null;

  constructor(options: TestNodeOptions) {
    const { storage, workerCount = 2 } = options;
    this.#storage = storage;
    this.random = seededRandom(options.seed ?? 1);
    const directory = `${options.logDirectory ?? LOG_DIRECTORY}/${METADATA_DIRECTORY}`;
    this.#directory = directory;
    const logConfig = { ...DEFAULT_LOG_CONFIG, segmentBytes: options.segmentBytes ?? DEFAULT_LOG_CONFIG.segmentBytes };
    const log = MetadataLog.open({ storage, directory, config: logConfig, nowMs: this.nowMs });
    this.quorum = new QuorumActor({
      clusterId: CLUSTER_ID,
      nodeId: NODE_ID,
      directoryId: DIRECTORY_ID,
      directory,
      storage,
      log,
      clock: { wallMs: () => this.nowMs, monotonicMs: () => this.nowMs },
      random: this.random,
      after: (delayMs, task) => {
        const timer: Timer = { atMs: this.nowMs + delayMs, task, isCancelled: false };
        this.#timers.push(timer);
        return {
          cancel: () => {
            timer.isCancelled = true;
          },
        };
      },
      workerCount,
      broadcast: (message) => {
        const copies = this.workers.map((worker) => () => worker.receive(structuredClone(message)));
        if (this.#held === null) for (const deliver of copies) deliver();
        else this.#held.push(...copies);
      },
      onFailure: (error) => this.failures.push(error),
      defaults: DEFAULTS,
      controllerEndPoint: CONTROLLER,
      incarnationId: randomUuid(this.random),
      idleIntervalMs: 0,
      snapshotBytes: 20 * 1024 * 1024,
      snapshotIntervalMs: 0,
      ...options.quorum,
    });
    for (let index = 0; index < workerCount; index++) {
      this.workers.push(
        new MetadataActor({
          clusterId: CLUSTER_ID,
          workerIndex: index,
          sendApplied: (message) => this.quorum.receive(structuredClone(message)),
        }),
      );
    }
  }

  /** Starts the quorum and takes the broker into service, as a broker does at its start. */
  async start(): Promise<this> {
    await new Promise<void>((resolve, reject) => {
      this.quorum.start(resolve);
      this.#rejectOnFailure(reject);
    });
    const { brokerEpoch } = await this.submit((_image, env) =>
      registerBroker(
        {
          brokerId: NODE_ID,
          incarnationId: randomUuid(env.random),
          endPoints: [{ name: 'PLAINTEXT', host: '127.0.0.1', port: 29093, securityProtocol: 0 }],
          features: SUPPORTED_FEATURES,
          rack: null,
          logDirs: [DIRECTORY_ID],
        },
        env.nextOffset,
      ),
    );
    this.brokerEpoch = brokerEpoch;
    await this.submit(() => ({ records: [tellCordonedDirectories(NODE_ID, brokerEpoch, [])], response: null }));
    await this.submit((image) => ({ records: unfenceBroker(image, NODE_ID, brokerEpoch), response: null }));
    return this;
  }

  /** The response, once every worker has applied it. Rejects where the quorum failed. */
  submit<Response>(operation: Operation<Response>): Promise<Response> {
    return new Promise((resolve, reject) => {
      this.quorum.submit(operation, resolve);
      this.#rejectOnFailure(reject);
    });
  }

  /** While it is true, what is sent to the workers waits; they get it when it is false again. */
  set isHeld(isHeld: boolean) {
    const due = this.#held ?? [];
    this.#held = isHeld ? due : null;
    if (!isHeld) for (const deliver of due) deliver();
  }

  /** Moves the clock, running what is due on the way. */
  async advance(byMs: number): Promise<void> {
    const endMs = this.nowMs + byMs;
    for (;;) {
      this.#timers.sort((a, b) => a.atMs - b.atMs);
      const next = this.#timers[0];
      if (next === undefined || next.atMs > endMs) break;
      this.#timers.shift();
      this.nowMs = next.atMs;
      if (!next.isCancelled) next.task();
      await settled();
    }
    this.nowMs = endMs;
  }

  /** Every record of the log, control records included. */
  log(): (MetadataRecord | ControlSeen)[] {
    return logRecords(this.#storage, this.#directory);
  }

  #rejectOnFailure(reject: (error: Error) => void): void {
    setImmediate(() =>
      setImmediate(() =>
        setImmediate(() => {
          const failure = this.failures[0];
          if (failure !== undefined) reject(failure);
        }),
      ),
    );
  }
}

/** Long enough for what a memory disk answers. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
}

/** A directory as formatting leaves it. */
export function format(storage: Storage, logDirectory = LOG_DIRECTORY): void {
  storage.makeDirectory(logDirectory);
  const { name, host, port } = CONTROLLER;
  formatMetadata(storage, logDirectory, { voterId: NODE_ID, voterDirectoryId: DIRECTORY_ID, endpoints: [{ name, host, port }] }, START_MS);
}
