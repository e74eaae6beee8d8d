// A consumer of some partitions from their start: without a session or with one, waiting for little or much.
// What it watches: everything that readBatches checks, ends that never run back, and that no fetch sleeps over what it waits for.
import { type FetchResponse, fetchRequest, fetchResponse } from '../../../src/protocol/apis/fetch.ts';
import { listOffsetsRequest, listOffsetsResponse } from '../../../src/protocol/apis/list-offsets.ts';
import { ERROR, errorName } from '../../../src/protocol/errors.ts';
import type { RecordsRange } from '../../../src/protocol/schema.ts';
import { readBatches } from './batches.ts';
import type { ClientConnection } from './client-connection.ts';
import type { BrokerMachine } from './machine.ts';
import { Violation } from './violation.ts';
import type { PartitionModel, World } from './world.ts';

const VERSIONS = [4, 7, 11, 12, 13, 17];
const SESSIONS_SINCE = 7;
const TOPIC_IDS_SINCE = 13;
const LOG_START_SINCE = 5;
const EARLIEST = -2;
const PARTITIONS_MAX = 4;
const TICK_MS = 4;
const MAX_WAITS_MS = [0, 5, 100, 20_000, 20_000];
const MIN_BYTES = [0, 1, 1, 1, 300, 3000];
const MAX_BYTES = [1, 500, 20_000, 50 * 2 ** 20];
const PARTITION_MAX_BYTES = [1, 1000, 2 ** 20];

type PartitionAnswer = FetchResponse['responses'][number]['partitions'][number];

interface Lane {
  readonly partition: PartitionModel;
  position: number;
  /** What was known when the fetch that is under way was sent. */
  floor: number;
  startFloor: number;
  /** What the session knows; −1: nothing. */
  sentPosition: number;
  isStuck: boolean;
}

export class Consumer {
  readonly #machine: BrokerMachine;
  readonly #world: World;
  readonly #version: number;
  readonly #usesSession: boolean;
  readonly #maxWaitMs: number;
  readonly #minBytes: number;
  readonly #maxBytes: number;
  readonly #partitionMaxBytes: number;
  readonly #isolationLevel: number;
  #lanes: Lane[] = [];
  #connection: ClientConnection | null = null;
  #isFetching = false;
  #sessionId = 0;
  #sessionEpoch = 0;

  constructor(machine: BrokerMachine, world: World) {
    const { random } = machine.simulation;
    const pick = (choices: readonly number[]): number => choices[random.below(choices.length)] ?? 0;
    this.#machine = machine;
    this.#world = world;
    this.#version = pick(VERSIONS);
    this.#usesSession = this.#version >= SESSIONS_SINCE && random.below(2) === 0;
    this.#maxWaitMs = pick(MAX_WAITS_MS);
    this.#minBytes = pick(MIN_BYTES);
    this.#maxBytes = pick(MAX_BYTES);
    this.#partitionMaxBytes = pick(PARTITION_MAX_BYTES);
    this.#isolationLevel = random.below(2);
  }

  start(): void {
    for (const lane of this.#lanes) {
      lane.position = Math.min(lane.position, lane.partition.knownEnd); // A power loss may have cut behind us.
      lane.isStuck = false;
    }
    this.#connection = null;
    this.#isFetching = false;
    this.#tickLater(this.#machine.bootCount);
  }

  closeConnection(): void {
    this.#connection?.reset();
  }

  /** Why this consumer should have more than it has, or null. */
  get complaint(): string | null {
    const lanes = this.#lanes.filter(({ partition, isStuck }) => partition.topic.state === 'live' && !isStuck);
    const behind = lanes.filter(({ partition, position }) => position < partition.knownEnd);
    if (behind.length === 0) return null;
    if (this.#isFetching) {
      let bytes = 0;
      for (const { partition, position } of lanes) bytes += Math.min(partition.bytesFrom(position), this.#partitionMaxBytes);
      if (Math.min(bytes, this.#maxBytes) < this.#minBytes) return null; // It waits for more, and may.
    }
    const told = behind.map(({ partition, position }) => `${partition.name} at ${position} of ${partition.knownEnd}`).join(', ');
    return `a consumer (v${this.#version}, ${this.#minBytes} to ${this.#maxBytes} bytes, ${this.#partitionMaxBytes} a partition, waits ${this.#maxWaitMs} ms) has not read ${told}`;
  }

  #tickLater(boot: number): void {
    const { simulation } = this.#machine;
    simulation.time.at(simulation.time.nowMs + simulation.draw(TICK_MS), () => {
      if (!this.#machine.isUp || this.#machine.bootCount !== boot) return;
      if (!this.#machine.isStopping && !this.#isFetching) this.#fetch();
      this.#tickLater(boot);
    });
  }

  #connect(): ClientConnection {
    const connection = this.#machine.connect();
    this.#connection = connection;
    this.#sessionId = 0;
    this.#sessionEpoch = 0;
    for (const lane of this.#lanes) lane.sentPosition = -1;
    connection.onClosed = () => {
      this.#world.counts.closed++;
      if (this.#connection !== connection) return;
      this.#connection = null;
      this.#isFetching = false;
    };
    return connection;
  }

  #choose(): void {
    const { random } = this.#machine.simulation;
    this.#lanes = this.#lanes.filter(({ partition }) => partition.topic.state === 'live');
    if (this.#lanes.length > 0) return;
    const partitions = this.#world.live.flatMap((topic) => topic.partitions);
    if (partitions.length === 0) return;
    const chosen = new Set(Array.from({ length: 1 + random.below(PARTITIONS_MAX) }, () => partitions[random.below(partitions.length)]));
    for (const partition of chosen) {
      if (partition !== undefined) this.#lanes.push({ partition, position: 0, floor: 0, startFloor: 0, sentPosition: -1, isStuck: false });
    }
    this.#sessionEpoch = 0;
  }

  #fetch(): void {
    const { random } = this.#machine.simulation;
    const lanesBefore = this.#lanes.length;
    this.#choose();
    if (this.#lanes.length !== lanesBefore) this.#sessionEpoch = 0; // Begins anew, rather than forgetting topics one by one.
    if (this.#lanes.length === 0) return;
    const connection = this.#connection ?? this.#connect();
    const isFull = !this.#usesSession || this.#sessionEpoch === 0;
    for (const lane of this.#lanes) {
      lane.floor = lane.partition.knownEnd;
      lane.startFloor = lane.partition.knownStart;
    }
    const sent = this.#lanes.filter((lane) => isFull || lane.sentPosition !== lane.position);
    const topics = [...new Set(sent.map(({ partition }) => partition.topic))].map((topic) => ({
      ...(this.#version >= TOPIC_IDS_SINCE ? { topicId: topic.id ?? '' } : { topic: topic.name }),
      partitions: sent
        .filter(({ partition }) => partition.topic === topic)
        .map(({ partition, position }) => ({
          partition: partition.index,
          fetchOffset: position,
          partitionMaxBytes: this.#partitionMaxBytes,
          currentLeaderEpoch: this.#version >= 9 && random.below(2) === 0 ? partition.leaderEpoch : -1,
        })),
    }));
    for (const lane of sent) lane.sentPosition = lane.position;
    this.#isFetching = true;
    const asked = [...this.#lanes];
    for (const { partition } of asked) partition.topic.askedCount++;
    connection.ask(
      fetchRequest,
      fetchResponse,
      this.#version,
      {
        maxWaitMs: this.#maxWaitMs,
        minBytes: this.#minBytes,
        maxBytes: this.#maxBytes,
        isolationLevel: this.#isolationLevel,
        topics,
        ...(this.#usesSession
          ? { sessionId: this.#sessionEpoch === 0 ? 0 : this.#sessionId, sessionEpoch: this.#sessionEpoch }
          : { sessionEpoch: -1 }),
      },
      (answer, bytes) => {
        this.#isFetching = false;
        for (const { partition } of asked) partition.topic.askedCount--;
        this.#onAnswer(answer, bytes, asked, isFull);
      },
      this.#maxWaitMs,
    );
    if (random.below(100) === 0) {
      const { simulation } = this.#machine;
      simulation.time.at(simulation.time.nowMs + simulation.draw(2), () => {
        if (!connection.isClosed) connection.reset(); // Perhaps while it is parked.
      });
    }
  }

  #onAnswer(answer: FetchResponse, bytes: Buffer, asked: readonly Lane[], isFull: boolean): void {
    if (answer.errorCode !== ERROR.NONE) throw new Violation(`Fetch: ${errorName(answer.errorCode)}`);
    const answered = new Set<Lane>();
    for (const { topic, topicId, partitions } of answer.responses) {
      for (const partition of partitions) {
        const lane = asked.find(
          (each) =>
            each.partition.index === partition.partitionIndex &&
            (topic === '' ? each.partition.topic.id === topicId : each.partition.topic.name === topic),
        );
        if (lane === undefined) throw new Violation(`Fetch: ${topic}${topicId}-${partition.partitionIndex} was not asked for`);
        answered.add(lane);
        this.#onPartition(lane, partition, bytes);
      }
    }
    if (isFull && answered.size !== asked.length)
      throw new Violation(`Fetch: ${asked.length} partitions asked for, ${answered.size} answered`);
    if (!this.#usesSession) return;
    this.#sessionId = answer.sessionId;
    this.#sessionEpoch = answer.sessionId === 0 ? 0 : this.#sessionEpoch + 1;
  }

  /** What it wanted next is gone: it goes on with the oldest there is. */
  #seekStart(lane: Lane): void {
    const { partition } = lane;
    const { topic, index } = partition;
    const connection = this.#connection;
    if (connection === null || connection.isClosed) return;
    const from = lane.position;
    lane.isStuck = true;
    topic.askedCount++;
    const asked = [{ name: topic.name, partitions: [{ partitionIndex: index, timestamp: EARLIEST }] }];
    connection.ask(listOffsetsRequest, listOffsetsResponse, 7, { topics: asked }, (answer) => {
      topic.askedCount--;
      const found = answer.topics[0]?.partitions[0];
      if (found?.errorCode !== ERROR.NONE) return; // Not to be had any more, and the next fetch says why.
      if (lane.position !== from) return; // Asked twice.
      if (found.offset <= from) {
        throw new Violation(`${partition.name}: ${from} was out of range, and it starts at ${found.offset}`);
      }
      partition.checkStart(found.offset, partition.knownStart, 'ListOffsets');
      lane.position = found.offset;
      lane.isStuck = false;
    });
  }

  #onPartition(lane: Lane, answer: PartitionAnswer, bytes: Buffer): void {
    const { partition } = lane;
    const { errorCode, highWatermark } = answer;
    if (errorCode === ERROR.OFFSET_OUT_OF_RANGE && partition.mayStartAt(lane.sentPosition + 1)) {
      this.#world.counts.outOfRange++;
      if (lane.sentPosition === lane.position) this.#seekStart(lane);
      return;
    }
    if (errorCode !== ERROR.NONE) {
      const isMissing = errorCode === ERROR.UNKNOWN_TOPIC_OR_PARTITION || errorCode === ERROR.UNKNOWN_TOPIC_ID;
      const isRight =
        (isMissing && partition.topic.mayBeMissing) ||
        (errorCode === ERROR.KAFKA_STORAGE_ERROR && this.#machine.hasFaults) ||
        ((errorCode === ERROR.NOT_LEADER_OR_FOLLOWER || isMissing) && this.#machine.isStopping);
      if (!isRight)
        throw new Violation(
          `Fetch of ${partition.name} at ${lane.position}, of ${partition.knownStart} to ${partition.knownEnd}: ${errorName(errorCode)}`,
        );
      lane.isStuck = true;
      return;
    }
    if (lane.position < lane.startFloor) {
      throw new Violation(
        `Fetch of ${partition.name} at ${lane.position}: no error, and records below ${lane.startFloor} were deleted before`,
      );
    }
    if (this.#version >= LOG_START_SINCE) partition.checkStart(answer.logStartOffset, lane.startFloor, 'a Fetch');
    partition.checkEnd(highWatermark, lane.floor, 'the high watermark');
    partition.learnEnd(highWatermark);
    const range = answer.records as RecordsRange | null;
    if (range === null || range.length === 0) return;
    const batches = readBatches(partition, bytes.subarray(range.position, range.position + range.length), lane.position, highWatermark);
    for (const { lastOffset, values } of batches) {
      this.#world.counts.read += values.length;
      lane.position = lastOffset + 1;
    }
  }
}
