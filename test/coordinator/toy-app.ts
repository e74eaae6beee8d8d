// Workers that own partitions of a coordinator's topic, with toy shards over real logs, and that ask each other's. Partition p, which has
// slot p, is owned by worker p modulo their number. Runs in the caller's thread, in threads and in the simulator.
import { SharedWords } from '../../src/actors/shared-words.ts';
import { ByteReader } from '../../src/base/byte-reader.ts';
import { createSegmentReader } from '../../src/broker/segment-reader.ts';
import { type AnswerSink, CoordinatorClient } from '../../src/coordinator/coordinator-client.ts';
import { CoordinatorHost } from '../../src/coordinator/coordinator-host.ts';
import { coordinatorRegionBytes } from '../../src/coordinator/coordinator-messages.ts';
import { groupRefusal } from '../../src/groups/group-refusals.ts';
import { DEFAULT_LOG_CONFIG, Log, type LogConfig } from '../../src/log/log.ts';
import type { MetadataChange, TopicImage } from '../../src/metadata/image-types.ts';
import { MetadataActor } from '../../src/metadata/metadata-actor.ts';
import { LeaderReplica } from '../../src/partition/leader-replica.ts';
import { PartitionHost } from '../../src/partition/partition-host.ts';
import { PartitionWords, partitionRegionBytes } from '../../src/partition/partition-words.ts';
import { apis } from '../../src/protocol/apis/index.ts';
import { codec, encodeMessage } from '../../src/protocol/compile.ts';
import type { Runtime, SupervisorPort, WorkerApp } from '../../src/scheduler/runtime.ts';
import { silentLogger } from '../../src/telemetry/logger.ts';
import { ToyShard, toyCodec } from './toy-shard.ts';

export const TOY_TOPIC = 'toy';
export const TOPIC_ID = 'HbwrFzDRSlKLpRs_d8iVNw';
const SLOTS = 64;

export function toySharedBytes(workerCount: number): number {
  return bitsAt(workerCount) + coordinatorRegionBytes(workerCount);
}

function bitsAt(workerCount: number): number {
  return Math.ceil(partitionRegionBytes(SLOTS, workerCount) / 128) * 128;
}

export interface ToyData {
  readonly partitionCount: number;
  readonly logConfig?: Partial<LogConfig>;
  readonly questionsOpenMax?: number;
}

export interface ToyQuestion {
  readonly id: number;
  readonly partition: number;
  readonly apiKey: number;
  readonly apiVersion: number;
  /** Encoded at that version, or what is none. */
  readonly body: Uint8Array;
  /** What the sender claims to have applied of the metadata; 0 where left out. */
  readonly metadataOffset?: number;
}

export type ToyCommand =
  | { readonly type: 'ask'; readonly questions: readonly ToyQuestion[] }
  | { readonly type: 'apply'; readonly endOffset: number };

export interface ToyAnswer {
  readonly id: number;
  /** Null: the question's body was malformed. */
  readonly body: unknown;
  readonly sizeBytes: number;
}

export interface ToyApp extends WorkerApp {
  readonly runtime: Runtime;
  readonly client: CoordinatorClient;
  readonly coordinators: CoordinatorHost;
  readonly partitions: PartitionHost;
  /** By partition, those built last; only of this worker. */
  readonly shards: Map<number, ToyShard>;
  readonly logs: Map<number, Log>;
  change(change: Partial<MetadataChange>): void;
}

export const NO_CHANGE: MetadataChange = {
  topicsCreated: [],
  topicsDeleted: [],
  partitionsChanged: [],
  configsChanged: [],
  brokersChanged: [],
  featuresChanged: [],
};

export function toyTopic(partitionCount: number, name = TOY_TOPIC, id = TOPIC_ID, firstSlot = 0): TopicImage {
  const partitions = Array.from({ length: partitionCount }, (_, partition) => ({
    partition,
    slot: firstSlot + partition,
    leader: 1,
    leaderEpoch: 0,
    partitionEpoch: 0,
    replicas: [1],
    isr: [1],
    removingReplicas: [],
    addingReplicas: [],
    directories: [],
    eligibleLeaderReplicas: [],
    lastKnownElr: [],
    leaderRecoveryState: 0,
  }));
  return { name, id, partitions };
}

class ToySink implements AnswerSink {
  #bytes = Buffer.alloc(0);
  #filled = 0;
  readonly #question: ToyQuestion;
  readonly #tell: (answer: ToyAnswer) => void;

  constructor(question: ToyQuestion, tell: (answer: ToyAnswer) => void) {
    this.#question = question;
    this.#tell = tell;
  }

  begin(sizeBytes: number): void {
    this.#bytes = Buffer.alloc(sizeBytes);
  }

  piece(bytes: Buffer, position: number, length: number): void {
    bytes.copy(this.#bytes, this.#filled, position, position + length);
    this.#filled += length;
  }

  end(): void {
    const { id, apiKey, apiVersion } = this.#question;
    if (this.#filled !== this.#bytes.length) throw new Error(`${this.#filled} of ${this.#bytes.length} bytes came`);
    const response = apis.get(apiKey)?.response;
    if (response === undefined) throw new Error(`no API ${apiKey}`);
    const reader = new ByteReader(this.#bytes);
    const body = codec(response, apiVersion).decode(reader);
    if (reader.remaining > 0) throw new Error(`${reader.remaining} bytes too many`);
    this.#tell({ id, body, sizeBytes: this.#filled });
  }

  malformed(): void {
    this.#tell({ id: this.#question.id, body: null, sizeBytes: 0 });
  }
}

export function toyApp(runtime: Runtime, data: ToyData, supervisor: SupervisorPort): ToyApp {
  const { exchange, workerIndex, workerCount, clock } = runtime;
  const words = new PartitionWords({
    region: runtime.shared,
    slotCount: SLOTS,
    workerCount,
    selfIndex: workerIndex,
    signal: (worker) => exchange.signal(worker),
  });
  const metadata = new MetadataActor({ clusterId: 'toy', workerIndex, sendApplied: () => {} });
  const partitions = new PartitionHost(
    runtime,
    words,
    () => metadata.appliedOffset,
    () => {},
  );
  const shards = new Map<number, ToyShard>();
  const logs = new Map<number, Log>();
  const bits = { words: new SharedWords(runtime.shared), firstWord: bitsAt(workerCount) / 4 };
  const coordinators = new CoordinatorHost({
    runtime,
    partitions,
    metadata,
    reader: createSegmentReader(runtime),
    logger: silentLogger,
    ...bits,
    ...(data.questionsOpenMax === undefined ? {} : { questionsOpenMax: data.questionsOpenMax }),
    kinds: [
      {
        topic: TOY_TOPIC,
        codec: toyCodec,
        create(environment) {
          const shard = new ToyShard(environment);
          shards.set(environment.partition, shard);
          return shard;
        },
      },
    ],
    refusal: ({ apiKey, apiVersion, body }, errorCode) => groupRefusal(apiKey, apiVersion, body, errorCode),
  });
  let claimedOffset = 0;
  const client = new CoordinatorClient({
    exchange,
    arena: runtime.arena,
    ...bits,
    metadataOffset: () => claimedOffset,
    wake: () => runtime.wake(),
  });
  if (!runtime.storage.isDirectory('data')) runtime.storage.makeDirectories('data');
  for (let partition = workerIndex; partition < data.partitionCount; partition += workerCount) {
    const log = Log.open({
      storage: runtime.storage,
      directory: `data/${TOY_TOPIC}-${partition}`,
      topicId: TOPIC_ID,
      config: { ...DEFAULT_LOG_CONFIG, ...data.logConfig },
      nowMs: clock.wallMs(),
      cleanShutdown: false,
      recoveryPoint: 0,
      logStartOffset: 0,
    });
    logs.set(partition, log);
    partitions.add(new LeaderReplica(partition, TOY_TOPIC, TOPIC_ID, partition, log, 0, words));
  }
  const change = (some: Partial<MetadataChange>): void => coordinators.onChange({ ...NO_CHANGE, ...some });
  runtime.post(() => change({ topicsCreated: [toyTopic(data.partitionCount)] }));
  const answered = (answer: ToyAnswer): void => supervisor.send(answer);

  function ask(question: ToyQuestion): void {
    const { partition, apiKey, apiVersion, body, metadataOffset = 0 } = question;
    const bytes = Buffer.from(body);
    claimedOffset = metadataOffset;
    const asked = { apiKey, apiVersion, clientId: 'toy', clientHost: '/1.2.3.4', bytes, position: 0, length: bytes.length };
    const address = { slot: partition, owner: partition % workerCount };
    if (!client.ask(address, asked, new ToySink(question, answered))) runtime.after(1, () => ask(question));
  }

  return {
    runtime,
    client,
    coordinators,
    partitions,
    shards,
    logs,
    change,
    onControl: () => {},
    onSupervisor(message) {
      const command = message as ToyCommand;
      if (command.type === 'ask') for (const question of command.questions) ask(question);
      else {
        metadata.receive({ type: 'metadata-batch', bytes: new Uint8Array(0), endOffset: command.endOffset, epoch: 0 });
        partitions.onMetadataApplied();
      }
    },
    onConnection: () => {},
    stop(done) {
      coordinators.close();
      partitions.close();
      done();
    },
  };
}

/** A question's body. */
export function questionBody(apiKey: number, apiVersion: number, whole: unknown): Uint8Array {
  const request = apis.get(apiKey)?.request;
  if (request === undefined) throw new Error(`no API ${apiKey}`);
  return new Uint8Array(encodeMessage(request, apiVersion, whole as never));
}
