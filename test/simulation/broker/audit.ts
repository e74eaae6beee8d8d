// Looks at everything a broker has after a start, before anybody else does: which topics there are, and every record of theirs.
import { fetchRequest, fetchResponse } from '../../../src/protocol/apis/fetch.ts';
import { listOffsetsRequest, listOffsetsResponse } from '../../../src/protocol/apis/list-offsets.ts';
import { metadataRequest, metadataResponse } from '../../../src/protocol/apis/metadata.ts';
import { offsetForLeaderEpochRequest, offsetForLeaderEpochResponse } from '../../../src/protocol/apis/offset-for-leader-epoch.ts';
import { ERROR, errorName } from '../../../src/protocol/errors.ts';
import type { MessageOf, RecordsRange, Table } from '../../../src/protocol/schema.ts';
import type { Sparse } from '../../support/messages.ts';
import { type ReadBatch, readBatches } from './batches.ts';
import type { ClientConnection } from './client-connection.ts';
import type { BrokerMachine } from './machine.ts';
import { Violation } from './violation.ts';
import type { PartitionModel, World } from './world.ts';

const ANSWER_LIMIT_MS = 10_000;
const FETCH_BYTES = 20_000;
/** As ListOffsets knows them. */
const LATEST = -1;
const EARLIEST = -2;

/** The disk, told to fail, has kept us from looking. */
class Hindered extends Error {}

/** Checks all of it; false where the disk kept it from that. `hasLostPower`: logs may be shorter than they were. */
export async function audit(machine: BrokerMachine, world: World, hasLostPower: boolean): Promise<boolean> {
  try {
    await new Auditor(machine, world, hasLostPower).run();
    return true;
  } catch (error) {
    if (error instanceof Hindered && machine.hasFaults) return false;
    throw error;
  }
}

class Auditor {
  readonly #machine: BrokerMachine;
  readonly #world: World;
  readonly #hasLostPower: boolean;
  readonly #connection: ClientConnection;

  constructor(machine: BrokerMachine, world: World, hasLostPower: boolean) {
    this.#machine = machine;
    this.#world = world;
    this.#hasLostPower = hasLostPower;
    this.#connection = machine.connect();
  }

  async run(): Promise<void> {
    await this.#checkTopics();
    for (const topic of this.#world.live) for (const partition of topic.partitions) await this.#checkPartition(partition);
    this.#connection.reset();
  }

  async #checkTopics(): Promise<void> {
    const { answer } = await this.#ask(metadataRequest, metadataResponse, 12, { topics: null });
    const found = new Map(
      answer.topics.map(({ name, topicId, partitions }) => [name ?? '', { id: topicId, partitionCount: partitions.length }]),
    );
    this.#world.checkTopics(found);
    for (const { name, errorCode, partitions } of answer.topics) {
      if (errorCode !== ERROR.NONE) throw new Violation(`Metadata of ${name}: ${errorName(errorCode)}`);
      const model = this.#world.live.find((topic) => topic.name === name);
      for (const { partitionIndex, errorCode: code, leaderId, leaderEpoch } of partitions) {
        const partition = model?.partitions[partitionIndex];
        if (code === ERROR.LEADER_NOT_AVAILABLE && this.#machine.hasFaults) throw new Hindered(`the directory of ${name} is offline`);
        if (partition === undefined || code !== ERROR.NONE || leaderId !== this.#machine.config.nodeId) {
          throw new Violation(`${name}-${partitionIndex} has leader ${leaderId} and error ${errorName(code)}`);
        }
        if (leaderEpoch <= partition.leaderEpoch) {
          throw new Violation(`${partition.name}: leader epoch ${leaderEpoch} after a start, ${partition.leaderEpoch} before`);
        }
        partition.leaderEpoch = leaderEpoch;
      }
    }
  }

  async #checkPartition(partition: PartitionModel): Promise<void> {
    const end = await this.#offsetAt(partition, LATEST);
    const start = await this.#offsetAt(partition, EARLIEST);
    partition.checkStart(start, partition.knownStart, 'a start of the broker');
    if (this.#hasLostPower && !this.#machine.syncsFirst) {
      if (end < partition.knownEnd) this.#world.counts.cuts++;
      partition.cutTo(end);
    }
    partition.checkEnd(end, partition.knownEnd, 'after a start the end');
    const batches: ReadBatch[] = [];
    for (let offset = start; offset < end; ) {
      const read = await this.#fetch(partition, offset);
      if (read === null) {
        // Retention goes on meanwhile: what it takes may be gone between two questions.
        const later = await this.#offsetAt(partition, EARLIEST);
        if (later <= offset) throw new Violation(`${partition.name}: ${offset} is out of range, and the log starts at ${later}`);
        partition.checkStart(later, partition.knownStart, 'retention during the audit');
        offset = later;
        continue;
      }
      const last = read.at(-1);
      if (last === undefined) throw new Violation(`${partition.name}: nothing at ${offset}, below the end ${end}`);
      batches.push(...read);
      offset = last.lastOffset + 1;
    }
    partition.learnEnd(end);
    checkOrder(partition, batches);
    await this.#checkEpochs(partition, batches, end);
  }

  async #offsetAt(partition: PartitionModel, timestamp: number): Promise<number> {
    const asked = { name: partition.topic.name, partitions: [{ partitionIndex: partition.index, timestamp }] };
    const { answer } = await this.#ask(listOffsetsRequest, listOffsetsResponse, 7, { topics: [asked] });
    const found = answer.topics[0]?.partitions[0];
    this.#expectNone(partition, 'ListOffsets', found?.errorCode ?? -1);
    return found?.offset ?? -1;
  }

  /** Null: the log does not have that offset. */
  async #fetch(partition: PartitionModel, offset: number): Promise<ReadBatch[] | null> {
    const { answer, bytes } = await this.#ask(fetchRequest, fetchResponse, 12, {
      maxBytes: FETCH_BYTES,
      sessionEpoch: -1,
      topics: [
        { topic: partition.topic.name, partitions: [{ partition: partition.index, fetchOffset: offset, partitionMaxBytes: FETCH_BYTES }] },
      ],
    });
    const found = answer.responses[0]?.partitions[0];
    if (found?.errorCode === ERROR.OFFSET_OUT_OF_RANGE) return null;
    this.#expectNone(partition, `Fetch at ${offset}`, found?.errorCode ?? -1);
    const range = found?.records as RecordsRange;
    return readBatches(partition, bytes.subarray(range.position, range.position + range.length), offset, found?.highWatermark ?? -1);
  }

  /** The end of an epoch is where the first batch of a later one begins, or the log's. */
  async #checkEpochs(partition: PartitionModel, batches: readonly ReadBatch[], end: number): Promise<void> {
    const epochs = new Set([...batches.map((batch) => batch.leaderEpoch), partition.leaderEpoch]);
    for (const leaderEpoch of epochs) {
      const asked = { topic: partition.topic.name, partitions: [{ partition: partition.index, leaderEpoch }] };
      const { answer } = await this.#ask(offsetForLeaderEpochRequest, offsetForLeaderEpochResponse, 4, { topics: [asked] });
      const found = answer.topics[0]?.partitions[0];
      this.#expectNone(partition, 'OffsetForLeaderEpoch', found?.errorCode ?? -1);
      const wanted = batches.find((batch) => batch.leaderEpoch > leaderEpoch)?.baseOffset ?? end;
      if (found?.endOffset !== wanted || found.leaderEpoch !== leaderEpoch) {
        throw new Violation(
          `${partition.name}: epoch ${leaderEpoch} is said to be epoch ${found?.leaderEpoch} and to end at ${found?.endOffset}, it ends at ${wanted}`,
        );
      }
    }
  }

  #expectNone(partition: PartitionModel, what: string, errorCode: number): void {
    if (errorCode === ERROR.NONE) return;
    const told = `${what} of ${partition.name}: ${errorName(errorCode)}`;
    if (errorCode === ERROR.KAFKA_STORAGE_ERROR) throw new Hindered(told);
    throw new Violation(told);
  }

  async #ask<Q extends Table, S extends Table>(
    request: Q,
    response: S,
    version: number,
    partial: Sparse<MessageOf<Q>>,
  ): Promise<{ answer: MessageOf<S>; bytes: Buffer }> {
    let result: { answer: MessageOf<S>; bytes: Buffer } | null = null;
    const take = (): typeof result => result;
    if (this.#connection.isClosed) throw new Hindered('closed');
    this.#connection.ask(request, response, version, partial, (answer, bytes) => {
      result = { answer, bytes };
    });
    const fate = await this.#machine.until(
      () => take() !== null || this.#connection.isClosed,
      ANSWER_LIMIT_MS,
      `an answer to the auditor's ${request.name}`,
    );
    const taken = take();
    if (taken !== null) return taken;
    throw new Hindered(fate === 'died' ? 'the broker died' : 'the connection was closed');
  }
}

/** Leader epochs rise along the log; what one producer has sent to a partition stands there in its order. */
function checkOrder(partition: PartitionModel, batches: readonly ReadBatch[]): void {
  const lastOf = new Map<string, number>();
  let leaderEpoch = 0;
  for (const batch of batches) {
    if (batch.leaderEpoch < leaderEpoch || batch.leaderEpoch > partition.leaderEpoch) {
      throw new Violation(`${partition.name}: leader epoch ${batch.leaderEpoch} at offset ${batch.baseOffset}, behind ${leaderEpoch}`);
    }
    leaderEpoch = batch.leaderEpoch;
    for (const value of batch.values) {
      const [, producer = '', number] = value.split('/');
      if (Number(number) <= (lastOf.get(producer) ?? 0)) {
        throw new Violation(`${partition.name}: ${value} stands behind number ${lastOf.get(producer)} of its producer`);
      }
      lastOf.set(producer, Number(number));
    }
  }
}
