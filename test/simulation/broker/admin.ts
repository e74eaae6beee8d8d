// Makes, grows and removes topics, deletes records, and asks for ends, while producers and consumers are at work.
import { createPartitionsRequest, createPartitionsResponse } from '../../../src/protocol/apis/create-partitions.ts';
import { createTopicsRequest, createTopicsResponse } from '../../../src/protocol/apis/create-topics.ts';
import { deleteRecordsRequest, deleteRecordsResponse } from '../../../src/protocol/apis/delete-records.ts';
import { deleteTopicsRequest, deleteTopicsResponse } from '../../../src/protocol/apis/delete-topics.ts';
import { listOffsetsRequest, listOffsetsResponse } from '../../../src/protocol/apis/list-offsets.ts';
import { ERROR, errorName } from '../../../src/protocol/errors.ts';
import type { ClientConnection } from './client-connection.ts';
import type { BrokerMachine } from './machine.ts';
import { Violation } from './violation.ts';
import type { TopicModel, World } from './world.ts';

const TICK_MS = 25;
const TOPICS_MAX = 5;
const PARTITIONS_MAX = 4;
/** How many of the largest batches a segment takes. */
const SEGMENT_BATCHES = [1, 1, 5, 500];
/** Of topics with retention. */
const RETENTION = [
  { name: 'retention.bytes', value: '0' },
  { name: 'retention.bytes', value: '5000' },
  { name: 'retention.ms', value: '1' },
  { name: 'retention.ms', value: '30' },
];

/** By their numbers in COMPRESSION. */
const COMPRESSION_NAMES = ['uncompressed', 'gzip', 'snappy', 'lz4', 'zstd'];

export class Admin {
  isActive = true;
  readonly #machine: BrokerMachine;
  readonly #world: World;
  readonly #batchBytesMax: number;
  #connection: ClientConnection | null = null;

  constructor(machine: BrokerMachine, world: World, batchBytesMax: number) {
    this.#batchBytesMax = batchBytesMax;
    this.#machine = machine;
    this.#world = world;
  }

  start(): void {
    this.#connection = null;
    this.#tickLater(this.#machine.bootCount);
  }

  get isIdle(): boolean {
    return (this.#connection?.outstandingCount ?? 0) === 0;
  }

  closeConnection(): void {
    this.#connection?.reset();
  }

  #tickLater(boot: number): void {
    const { simulation } = this.#machine;
    simulation.time.at(simulation.time.nowMs + simulation.draw(TICK_MS), () => {
      if (!this.#machine.isUp || this.#machine.bootCount !== boot) return;
      if (this.isActive && !this.#machine.isStopping && this.isIdle) this.#tick();
      this.#tickLater(boot);
    });
  }

  #tick(): void {
    const { random } = this.#machine.simulation;
    const connection = this.#connection ?? this.#connect();
    const { live } = this.#world;
    const choice = random.below(10);
    if (live.length === 0 || (choice < 4 && live.length < TOPICS_MAX)) this.#create(connection);
    else if (choice === 4 && live.length > 1) this.#delete(connection, live[random.below(live.length)] as TopicModel);
    else if (choice === 5) this.#grow(connection, live[random.below(live.length)] as TopicModel);
    else if (choice < 8) this.#deleteRecords(connection, live[random.below(live.length)] as TopicModel);
    else this.#listOffsets(connection, live[random.below(live.length)] as TopicModel);
  }

  #connect(): ClientConnection {
    const connection = this.#machine.connect();
    this.#connection = connection;
    connection.onClosed = () => {
      if (this.#connection === connection) this.#connection = null;
    };
    return connection;
  }

  #create(connection: ClientConnection): void {
    const { random } = this.#machine.simulation;
    const hasRetention = random.below(3) === 0;
    const planned = this.#world.plan(
      Array.from({ length: 1 + random.below(2) }, () => 1 + random.below(PARTITIONS_MAX)),
      hasRetention,
    );
    const codec = random.below(3) === 0 ? random.below(COMPRESSION_NAMES.length) : null;
    for (const topic of planned) topic.codec = codec;
    const value = String(this.#batchBytesMax * (SEGMENT_BATCHES[random.below(SEGMENT_BATCHES.length)] ?? 1));
    const topics = planned.map(({ name, partitions }) => ({
      name,
      numPartitions: partitions.length,
      replicationFactor: 1,
      configs: [
        { name: 'internal.segment.bytes', value },
        ...(codec === null ? [] : [{ name: 'compression.type', value: COMPRESSION_NAMES[codec] as string }]),
        ...(hasRetention ? [RETENTION[random.below(RETENTION.length)] as (typeof RETENTION)[number]] : []),
      ],
    }));
    connection.ask(createTopicsRequest, createTopicsResponse, 7, { topics, timeoutMs: 1000 }, (answer) => {
      for (const topic of planned) {
        const found = answer.topics.find(({ name }) => name === topic.name);
        if (found?.errorCode === ERROR.KAFKA_STORAGE_ERROR && this.#machine.hasFaults) {
          this.#world.counts.offline++; // What the next start finds nobody knows: all of the request's topics, or none.
          continue;
        }
        if (found?.errorCode !== ERROR.NONE)
          throw new Violation(`creating ${topic.name}: ${errorName(found?.errorCode ?? -1)} ${found?.errorMessage}`);
        topic.id = found.topicId;
        topic.state = 'live';
        this.#world.counts.created++;
      }
    });
  }

  #grow(connection: ClientConnection, topic: TopicModel): void {
    const count = topic.partitions.length + 1 + this.#machine.simulation.random.below(2);
    if (count > 2 * PARTITIONS_MAX || topic.wantedCount > 0) return;
    topic.wantedCount = count;
    topic.askedCount++;
    const asked = { topics: [{ name: topic.name, count, assignments: null }], timeoutMs: 1000 };
    connection.ask(createPartitionsRequest, createPartitionsResponse, 3, asked, (answer) => {
      topic.askedCount--;
      const { errorCode = -1, errorMessage = null } = answer.results[0] ?? {};
      if (errorCode === ERROR.KAFKA_STORAGE_ERROR && this.#machine.hasFaults) {
        this.#world.counts.offline++; // The next start shows it.
        return;
      }
      if (errorCode !== ERROR.NONE) throw new Violation(`growing ${topic.name}: ${errorName(errorCode)} ${errorMessage}`);
      topic.growTo(count);
      this.#world.counts.grown++;
    });
  }

  #deleteRecords(connection: ClientConnection, topic: TopicModel): void {
    const { random } = this.#machine.simulation;
    const asked = topic.partitions
      .filter(() => random.below(2) === 0)
      .map((partition) => ({ partition, offset: random.below(4) === 0 ? -1 : random.below(partition.knownEnd + 1) }));
    for (const { partition, offset } of asked) partition.askDeletion(offset);
    const partitions = asked.map(({ partition, offset }) => ({ partitionIndex: partition.index, offset }));
    topic.askedCount++;
    connection.ask(
      deleteRecordsRequest,
      deleteRecordsResponse,
      2,
      { topics: [{ name: topic.name, partitions }], timeoutMs: 1000 },
      (answer) => {
        topic.askedCount--;
        const results = answer.topics[0]?.partitions ?? [];
        if (results.length !== asked.length)
          throw new Violation(`DeleteRecords: ${asked.length} partitions asked for, ${results.length} answered`);
        for (const { partitionIndex, errorCode, lowWatermark } of results) {
          const question = asked.find(({ partition }) => partition.index === partitionIndex);
          if (question === undefined) throw new Violation(`DeleteRecords of ${topic.name}: partition ${partitionIndex} was not asked for`);
          if (errorCode === ERROR.NONE) {
            question.partition.learnStart(question.offset, lowWatermark);
            this.#world.counts.deletions++;
          } else if (
            !(errorCode === ERROR.UNKNOWN_TOPIC_OR_PARTITION && topic.mayBeMissing) &&
            !(errorCode === ERROR.KAFKA_STORAGE_ERROR && this.#machine.hasFaults) &&
            !this.#machine.isStopping
          ) {
            throw new Violation(`DeleteRecords of ${question.partition.name} below ${question.offset}: ${errorName(errorCode)}`);
          }
        }
      },
    );
  }

  #delete(connection: ClientConnection, topic: TopicModel): void {
    topic.state = 'deleting';
    connection.ask(deleteTopicsRequest, deleteTopicsResponse, 6, { topics: [{ name: topic.name }], timeoutMs: 1000 }, (answer) => {
      const code = answer.responses[0]?.errorCode ?? -1;
      if (code === ERROR.KAFKA_STORAGE_ERROR && this.#machine.hasFaults) {
        this.#world.counts.offline++; // It is deleted at the next start, or it is not.
        return;
      }
      if (code !== ERROR.NONE) throw new Violation(`deleting ${topic.name}: ${errorName(code)}`);
      topic.state = 'gone';
      this.#world.counts.deleted++;
    });
  }

  #listOffsets(connection: ClientConnection, topic: TopicModel): void {
    const floors = topic.partitions.map((partition) => partition.knownEnd);
    const partitions = topic.partitions.map(({ index }) => ({ partitionIndex: index, timestamp: -1 }));
    topic.askedCount++;
    connection.ask(listOffsetsRequest, listOffsetsResponse, 7, { topics: [{ name: topic.name, partitions }] }, (answer) => {
      topic.askedCount--;
      for (const { partitionIndex, errorCode, offset } of answer.topics[0]?.partitions ?? []) {
        const partition = topic.partitions[partitionIndex];
        if (partition === undefined) throw new Violation(`ListOffsets of ${topic.name}: partition ${partitionIndex} was not asked for`);
        if (errorCode === ERROR.NONE) {
          partition.checkEnd(offset, floors[partitionIndex] ?? 0, 'the latest offset');
          partition.learnEnd(offset);
        } else if (
          !(errorCode === ERROR.UNKNOWN_TOPIC_OR_PARTITION && topic.mayBeMissing) &&
          !(errorCode === ERROR.KAFKA_STORAGE_ERROR && this.#machine.hasFaults) &&
          !this.#machine.isStopping
        ) {
          throw new Violation(`ListOffsets of ${partition.name}: ${errorName(errorCode)}`);
        }
      }
    });
  }
}
