// A producer: plain, or idempotent, which sends again after a lost connection what was not acknowledged, as real clients do.
// What it watches: refusals are right, producer ids are new, a topic that was created is known everywhere at once.
import { initProducerIdRequest, initProducerIdResponse } from '../../../src/protocol/apis/init-producer-id.ts';
import { type ProduceResponse, produceRequest, produceResponse } from '../../../src/protocol/apis/produce.ts';
import { ERROR, errorName } from '../../../src/protocol/errors.ts';
import { BATCH_OVERHEAD_BYTES, COMPRESSION, compressionType } from '../../../src/protocol/records/batch.ts';
import { buildBatch, corrupted } from './batches.ts';
import type { ClientConnection } from './client-connection.ts';
import type { BrokerMachine } from './machine.ts';
import { Violation } from './violation.ts';
import type { PartitionModel, World } from './world.ts';

const VERSIONS = [3, 7, 9, 12, 13];
const TOPIC_IDS_SINCE = 13;
/** Kafka's own limit for idempotent producers: what a broker remembers of each. */
const UNACKNOWLEDGED_MAX = 5;
const RECORDS_MAX = 4;
const PARTITIONS_PER_REQUEST_MAX = 3;
const TICK_MS = 3;
/** What a value's name takes at most, and what compression adds to the incompressible. */
const NAME_BYTES_MAX = 40;
const COMPRESSION_BYTES_MAX = 40;

/** No batch is larger. */
export function batchBytesMax(valueBytesMax: number): number {
  return BATCH_OVERHEAD_BYTES + RECORDS_MAX * (Math.max(valueBytesMax, NAME_BYTES_MAX) + 20) + COMPRESSION_BYTES_MAX;
}

interface Batch {
  readonly values: readonly string[];
  readonly bytes: Uint8Array;
  readonly isCorrupt: boolean;
  isUnderWay: boolean;
  /** In which life of the broker it was made. */
  readonly boot: number;
}

/** A partition as one producer sees it. */
interface Lane {
  readonly partition: PartitionModel;
  nextSequence: number;
  /** Oldest first. */
  readonly unacknowledged: Batch[];
  /** Refused by the disk: nothing more before the next boot. */
  isStuck: boolean;
}

type PartitionAnswer = ProduceResponse['responses'][number]['partitionResponses'][number];

export class Producer {
  /** Makes new batches; else it only brings home what it has. */
  isActive = true;
  readonly #machine: BrokerMachine;
  readonly #world: World;
  readonly #name: string;
  readonly #isIdempotent: boolean;
  readonly #acks: number;
  readonly #version: number;
  readonly #inflightMax: number;
  readonly #valueBytesMax: number;
  #lanes = new Map<PartitionModel, Lane>();
  #connection: ClientConnection | null = null;
  #producerId = -1;
  #isAskingForId = false;
  #connectionCount = 0;
  #sentCount = 0;
  /** Under which its values stand: another one for each connection where nothing keeps their order beyond it. */
  #label: string;

  constructor(machine: BrokerMachine, world: World, name: string, valueBytesMax: number) {
    const { random } = machine.simulation;
    this.#machine = machine;
    this.#world = world;
    this.#name = name;
    this.#label = name;
    this.#isIdempotent = random.below(3) > 0;
    this.#acks = this.#isIdempotent ? -1 : ([-1, 1, 0][random.below(3)] ?? -1);
    this.#version = VERSIONS[random.below(VERSIONS.length)] ?? 9;
    this.#inflightMax = 1 + random.below(UNACKNOWLEDGED_MAX);
    this.#valueBytesMax = valueBytesMax;
  }

  /** A broker serves: connects, and begins again with what the last one did not acknowledge. */
  start({ hasLostPower }: { hasLostPower: boolean }): void {
    if (hasLostPower) {
      // What was acknowledged may be gone, and sequences with it: a new identity, as a client takes after an error that is fatal to the old one.
      this.#lanes = new Map();
      this.#producerId = -1;
    }
    for (const lane of this.#lanes.values()) lane.isStuck = false;
    this.#isAskingForId = false;
    this.#connection = null;
    this.#tickLater(this.#machine.bootCount);
  }

  /** Everything that can be acknowledged is. */
  get isIdle(): boolean {
    if (this.#isAskingForId || (this.#connection?.outstandingCount ?? 0) > 0) return false;
    return [...this.#lanes.values()].every(
      (lane) => lane.isStuck || lane.partition.topic.state === 'gone' || lane.unacknowledged.length === 0,
    );
  }

  closeConnection(): void {
    this.#connection?.reset();
    this.#connection = null;
  }

  #tickLater(boot: number): void {
    const { simulation } = this.#machine;
    simulation.time.at(simulation.time.nowMs + simulation.draw(TICK_MS), () => {
      if (!this.#machine.isUp || this.#machine.bootCount !== boot) return;
      if (!this.#machine.isStopping) this.#tick();
      this.#tickLater(boot);
    });
  }

  #tick(): void {
    const { random } = this.#machine.simulation;
    if (this.#connection === null) {
      if (!this.isActive && this.isIdle) return;
      this.#connect();
    }
    const connection = this.#connection as ClientConnection;
    if (this.#isIdempotent && this.#producerId < 0) {
      this.#askForId(connection);
      return;
    }
    if (random.below(200) === 0) {
      connection.reset(); // Lost on the way, with whatever was under way.
      return;
    }
    while (connection.outstandingCount < this.#inflightMax && !connection.isClosed) if (!this.#send(connection)) return;
  }

  #connect(): void {
    const connection = this.#machine.connect();
    this.#connection = connection;
    if (!this.#isIdempotent) this.#label = `${this.#name}.${++this.#connectionCount}`;
    for (const lane of this.#lanes.values()) for (const batch of lane.unacknowledged) batch.isUnderWay = false;
    connection.onClosed = () => {
      this.#isAskingForId = false;
      this.#world.counts.closed++;
      if (this.#connection === connection) this.#connection = null;
      if (!this.#isIdempotent) for (const lane of this.#lanes.values()) lane.unacknowledged.length = 0;
    };
  }

  #askForId(connection: ClientConnection): void {
    if (this.#isAskingForId) return;
    this.#isAskingForId = true;
    connection.ask(initProducerIdRequest, initProducerIdResponse, 4, { transactionalId: null, transactionTimeoutMs: 1000 }, (answer) => {
      this.#isAskingForId = false;
      if (answer.errorCode === ERROR.COORDINATOR_LOAD_IN_PROGRESS && this.#machine.hasFaults) return; // The directory is offline.
      if (answer.errorCode !== ERROR.NONE) throw new Violation(`InitProducerId: ${errorName(answer.errorCode)}`);
      if (this.#world.producerIds.has(answer.producerId)) throw new Violation(`producer id ${answer.producerId} was given twice`);
      this.#world.producerIds.add(answer.producerId);
      this.#producerId = answer.producerId;
    });
  }

  /** One request; false where there is nothing to send. */
  #send(connection: ClientConnection): boolean {
    const chosen = this.#choose();
    if (chosen.length === 0) return false;
    const usesIds = this.#version >= TOPIC_IDS_SINCE;
    const byTopic = new Map(chosen.map(({ partition: { topic } }) => [topic, chosen.filter((each) => each.partition.topic === topic)]));
    const batches = new Map<PartitionModel, Batch>();
    const topicData = [...byTopic].map(([topic, lanes]) => ({
      ...(usesIds ? { topicId: topic.id ?? '' } : { name: topic.name }),
      partitionData: lanes.map((lane) => {
        const batch = lane.unacknowledged.find((each) => !each.isUnderWay) ?? this.#newBatch(lane);
        if (batch.isUnderWay) throw new Error('a batch is sent twice on one connection');
        batch.isUnderWay = true;
        batches.set(lane.partition, batch);
        return { index: lane.partition.index, records: batch.bytes };
      }),
    }));
    const body = { acks: this.#acks, timeoutMs: 1000, topicData };
    if (this.#acks === 0) {
      connection.tell(produceRequest, this.#version, body);
      // Nobody says when it was heard: until this process has gone, it may still come to a topic of the same name.
      if (!usesIds) for (const topic of byTopic.keys()) topic.askedCount++;
      for (const lane of chosen) lane.unacknowledged.length = 0;
      return false; // Nothing bounds these but time.
    }
    for (const topic of byTopic.keys()) topic.askedCount++;
    connection.ask(produceRequest, produceResponse, this.#version, body, (answer) => {
      for (const topic of byTopic.keys()) topic.askedCount--;
      const found = new Map<string, PartitionAnswer>();
      for (const { name, topicId, partitionResponses } of answer.responses) {
        for (const partition of partitionResponses) found.set(`${usesIds ? topicId : name}/${partition.index}`, partition);
      }
      if (found.size !== batches.size) throw new Violation(`${batches.size} partitions were produced to, ${found.size} answered`);
      for (const [partition, batch] of batches) {
        const { topic, index } = partition;
        const result = found.get(`${usesIds ? topic.id : topic.name}/${index}`);
        if (result === undefined) throw new Violation(`Produce: no answer for ${partition.name}`);
        this.#onAnswer(partition, batch, result);
      }
    });
    return true;
  }

  /** Lanes that have something to send, as many as the seed draws. */
  #choose(): Lane[] {
    const { random } = this.#machine.simulation;
    // Its name may be another topic's by now.
    for (const partition of [...this.#lanes.keys()]) if (partition.topic.state === 'gone') this.#lanes.delete(partition);
    const isWaiting = (lane: Lane): boolean => !lane.isStuck && lane.unacknowledged.some((batch) => !batch.isUnderWay);
    const chosen = [...this.#lanes.values()].filter(isWaiting).slice(0, PARTITIONS_PER_REQUEST_MAX);
    if (chosen.length > 0) {
      this.#world.counts.retried += chosen.length;
      return chosen;
    }
    const partitions = this.isActive ? this.#world.live.flatMap((topic) => topic.partitions) : [];
    if (partitions.length === 0) return [];
    const wanted = new Set(
      Array.from({ length: 1 + random.below(PARTITIONS_PER_REQUEST_MAX) }, () => partitions[random.below(partitions.length)]),
    );
    for (const partition of wanted) {
      if (partition === undefined) continue;
      let lane = this.#lanes.get(partition);
      if (lane === undefined) {
        lane = { partition, nextSequence: 0, unacknowledged: [], isStuck: false };
        this.#lanes.set(partition, lane);
      }
      if (!lane.isStuck && lane.unacknowledged.length < UNACKNOWLEDGED_MAX) chosen.push(lane);
    }
    return chosen;
  }

  #newBatch(lane: Lane): Batch {
    const { random, clock } = this.#machine.simulation;
    const { topic, index } = lane.partition;
    const values = Array.from(
      { length: 1 + random.below(RECORDS_MAX) },
      () => `${topic.serial}-${index}/${this.#label}/${++this.#sentCount}`,
    );
    const identity = this.#isIdempotent ? { producerId: this.#producerId, producerEpoch: 0, baseSequence: lane.nextSequence } : {};
    const compression = random.below(8) === 0 ? COMPRESSION.GZIP : COMPRESSION.NONE;
    const whole = buildBatch(values, random.below(this.#valueBytesMax), clock.wallMs(), { ...identity, compression });
    const isCorrupt = !this.#isIdempotent && this.#acks !== 0 && random.below(50) === 0;
    const batch = { values, bytes: isCorrupt ? corrupted(whole) : whole, isCorrupt, isUnderWay: false, boot: this.#machine.bootCount };
    lane.nextSequence += values.length;
    lane.unacknowledged.push(batch);
    return batch;
  }

  #onAnswer(partition: PartitionModel, batch: Batch, { errorCode, baseOffset, errorMessage }: PartitionAnswer): void {
    const lane = this.#lanes.get(partition);
    const place = lane?.unacknowledged.indexOf(batch) ?? -1;
    if (errorCode === ERROR.NONE) {
      if (batch.isCorrupt) throw new Violation(`${partition.name}: a batch with a wrong checksum was taken`);
      for (const [i, value] of batch.values.entries()) partition.learn(baseOffset + i, value, 'acknowledged');
      const lastOffset = baseOffset + batch.values.length - 1;
      // One that was compressed anew has another size.
      if (partition.topic.codec === null) partition.learnBatch({ baseOffset, lastOffset, sizeBytes: batch.bytes.length });
      else if (compressionType(batch.bytes, 0) !== partition.topic.codec) this.#world.counts.recompressed++;
      partition.learnEnd(lastOffset + 1);
      this.#world.counts.acknowledged += batch.values.length;
      if (place >= 0) lane?.unacknowledged.splice(place, 1);
      return;
    }
    this.#world.counts.refused++;
    if (errorCode === ERROR.KAFKA_STORAGE_ERROR && this.#machine.hasFaults) {
      if (lane !== undefined) lane.isStuck = true;
      batch.isUnderWay = false;
      if (!this.#isIdempotent && place >= 0) lane?.unacknowledged.splice(place, 1);
      return;
    }
    const isMissing = errorCode === ERROR.UNKNOWN_TOPIC_OR_PARTITION || errorCode === ERROR.UNKNOWN_TOPIC_ID;
    // Of each producer a snapshot keeps the last batch alone, as in Apache Kafka: after a start an older one is not known as
    // what it is. It is in the log all the same, or was before records were deleted.
    const isForgotten = errorCode === ERROR.OUT_OF_ORDER_SEQUENCE_NUMBER && batch.boot < this.#machine.bootCount;
    if (isForgotten && (partition.mayStartAt(1) || batch.values.every((value) => partition.holds(value)))) {
      this.#world.counts.forgotten++;
      if (place >= 0) lane?.unacknowledged.splice(place, 1);
      return;
    }
    const isRight =
      (isMissing && partition.topic.mayBeMissing) ||
      (errorCode === ERROR.CORRUPT_MESSAGE && batch.isCorrupt) ||
      (errorCode === ERROR.NOT_LEADER_OR_FOLLOWER && this.#machine.isStopping);
    if (!isRight) throw new Violation(`${this.#name} to ${partition.name}: ${errorName(errorCode)} ${errorMessage ?? ''}`);
    if (isMissing) this.#lanes.delete(partition);
    else if (errorCode === ERROR.CORRUPT_MESSAGE && place >= 0) lane?.unacknowledged.splice(place, 1);
    else batch.isUnderWay = false;
  }
}
