// What happens at each owner of a directory that goes there and back: everything is looked at, then clients write on.
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'vitest';
import { ERROR } from '../../src/protocol/errors.ts';
import type { WireClient } from '../support/wire-client.ts';
import {
  forKafkajs,
  JAVA_CODECS,
  type JavaClients,
  KCAT_HEADERS,
  produceByKafkajs,
  produceByKcat,
  RepeatingProducer,
} from './exchange-clients.ts';
import { TopicModel, type TopicSpec } from './exchange-model.ts';
import { factsOf, type LogReading, producersOf, readLog } from './exchange-readings.ts';
import { RecordSource, TOPICS } from './exchange-records.ts';

const GROUP = 'exchange-group';
const TRANSACTIONAL_ID = 'exchange-transactions';
const GROUP_READS = 2500;
const COMPACTED_WITHIN_MS = 90_000;

export interface Owner {
  /** From 0 on, in the order in which they have the directory. */
  readonly index: number;
  readonly isKafka: boolean;
  readonly client: WireClient;
}

export class Exchange {
  readonly #java: JavaClients;
  readonly #address: string;
  readonly #models = TOPICS.map((spec) => new TopicModel(spec));
  readonly #source = new RecordSource(Date.now());
  readonly #groupPositions = new Map<number, number>();
  #repeating: RepeatingProducer | null = null;
  /** By topic: how many records were gone when the owner before ended. */
  #removedBefore: readonly number[] = TOPICS.map(() => 0);
  #facts: unknown = null;
  /** Of the logs that nobody compacts. */
  #batchDigests: unknown = null;

  constructor(java: JavaClients, address: string) {
    this.#java = java;
    this.#address = address;
  }

  get sentCount(): number {
    return this.#models.reduce((sum, { sentCount }) => sum + sentCount, 0);
  }

  async begin(client: WireClient): Promise<void> {
    for (const { name, partitionCount, configs } of TOPICS) await client.createTopic(name, partitionCount, configs);
    this.#repeating = await RepeatingProducer.make(client);
  }

  /** A new owner shows what the one before showed when it ended, and knows what its producers have sent. */
  async arrive({ client, isKafka }: Owner): Promise<void> {
    expect(await factsOf(client, TOPICS, [GROUP])).toEqual(this.#facts);
    // Whoever had it before, or has it now, may have compacted in the meantime.
    expect(await this.#readAll(client, true)).toEqual(this.#batchDigests);
    await this.#readByJava(isKafka);
    for (const { spec, ends } of this.#models) {
      for (let partition = 0; partition < spec.partitionCount; partition++) {
        const { baseOffset, expected } = await this.#repeater.repeat(client, spec.name, partition);
        expect(baseOffset, `${spec.name}-${partition}: offset of a repeated batch`).toBe(expected);
        const stray = new RecordSource(Date.now()).take({ ...spec, partitionCount: 1 }, 1, 0);
        const code = await this.#repeater.leaveGap(client, spec.name, partition, stray);
        expect(code, `${spec.name}-${partition}: a gap in the sequence`).toBe(ERROR.OUT_OF_ORDER_SEQUENCE_NUMBER);
        expect(await client.offsetAt(spec.name, partition, -1), `${spec.name}-${partition}: its end`).toBe(ends[partition]);
      }
    }
  }

  /** `counts`: how many records each partition gets, by topic. */
  async write({ client, index, isKafka }: Owner, counts: readonly number[]): Promise<void> {
    const before = await producersOf(client, TOPICS);
    await this.#eachTopic(counts, async (model, count) => {
      for (const codec of JAVA_CODECS) await this.#writeByJava(model, codec, Math.floor(count * 0.16), index);
    });
    if (index > 0) {
      // Java's producers went on: one whose sequence was not taken would have begun a new epoch, or another id.
      const identities = (all: typeof before): unknown =>
        Object.entries(all).map(([log, producers]) => [log, producers.map((each) => `${each.producerId} ${each.producerEpoch}`)]);
      expect(identities(await producersOf(client, TOPICS))).toEqual(identities(before));
    }
    if (isKafka) await this.#transact(client, index);
    await this.#eachTopic(counts, async (model, count) => {
      const { spec } = model;
      const byKafkajs = this.#source.take(spec, Math.floor(count * 0.13), index).map(forKafkajs);
      model.sent(byKafkajs, Date.now());
      await produceByKafkajs(this.#address, spec.name, byKafkajs);
      // Times of kcat's own would make segments of the compacted topic by themselves.
      if (spec.name === 'exchange.compacted') await this.#writeByJava(model, 'none', Math.floor(count * 0.05), index);
      else {
        const byKcat = this.#source.take(spec, Math.floor(count * 0.05), index, false).map((each) => ({ ...each, headers: KCAT_HEADERS }));
        model.sent(byKcat, Date.now());
        await produceByKcat(this.#address, spec.name, byKcat);
      }
      const rest = count - 5 * Math.floor(count * 0.16) - Math.floor(count * 0.13) - Math.floor(count * 0.05);
      const repeated = this.#source.take(spec, rest, index);
      model.sent(repeated, Date.now());
      for (let partition = 0; partition < spec.partitionCount; partition++) {
        const records = repeated.filter((record) => record.partition === partition);
        await this.#repeater.produce(client, spec.name, partition, records);
      }
    });
    await this.#readInGroup();
    // Each owner's writing begins segments, which leaves older ones to the cleaner.
    if (isKafka) await this.#untilCompacted(client, index);
  }

  /** What the next owner will have to show. */
  async leave({ client, isKafka }: Owner): Promise<void> {
    this.#batchDigests = await this.#readAll(client, isKafka);
    await this.#readByJava(isKafka);
    this.#removedBefore = this.#models.map(({ removedCount }) => removedCount);
    this.#facts = await factsOf(client, TOPICS, [GROUP]);
  }

  get #repeater(): RepeatingProducer {
    if (this.#repeating === null) throw new Error('the exchange has not begun');
    return this.#repeating;
  }

  async #eachTopic(counts: readonly number[], write: (model: TopicModel, count: number) => Promise<void>): Promise<void> {
    for (const [index, model] of this.#models.entries()) await write(model, counts[index] ?? 0);
  }

  async #writeByJava(model: TopicModel, codec: (typeof JAVA_CODECS)[number], count: number, owner: number): Promise<void> {
    const records = this.#source.take(model.spec, count, owner);
    model.sent(records, Date.now());
    await this.#java.produce(codec, model.spec.name, records);
  }

  /** Only Apache Kafka has transactions yet: two that are committed with one between that is aborted, all of one producer. */
  async #transact(client: WireClient, owner: number): Promise<void> {
    const model = this.#modelOf('exchange.plain');
    const partitions = Array.from({ length: model.spec.partitionCount }, (_, partition) => partition);
    for (const outcome of ['commit', 'abort', 'commit'] as const) {
      const records = this.#source.take(model.spec, 100, owner);
      model.sent(records, Date.now(), outcome === 'abort');
      model.markerWritten(partitions);
      await this.#java.transact(TRANSACTIONAL_ID, outcome, model.spec.name, records);
      // The end is answered before the markers are written.
      for (const partition of partitions)
        while ((await client.offsetAt(model.spec.name, partition, -1)) < (model.ends[partition] ?? 0)) await delay(20);
    }
  }

  /** A group's reader, which comes and goes, reads on where the one before it stopped, whoever has the directory. */
  async #readInGroup(): Promise<void> {
    const model = this.#modelOf('exchange.plain');
    const read = await this.#java.readInGroup(GROUP, model.spec.name, GROUP_READS);
    for (const { partition, offset } of read) {
      expect(offset, `${model.spec.name}-${partition}, read in a group`).toBe(
        model.nextPresent(partition, this.#groupPositions.get(partition) ?? 0),
      );
      this.#groupPositions.set(partition, offset + 1);
    }
  }

  /** Reads all that there is, holds it against what was sent, and gives the digests of what nobody compacts. */
  async #readAll(client: WireClient, mayCompact: boolean): Promise<Record<string, string>> {
    const digests: Record<string, string> = {};
    for (const model of this.#models) {
      const logs = await this.#readTopic(client, model.spec);
      expect(
        logs.map(({ logStartOffset, logEndOffset }) => [logStartOffset, logEndOffset]),
        `${model.spec.name}: starts and ends`,
      ).toEqual(model.ends.map((end) => [0, end]));
      expect(this.#compare(model, logs, mayCompact)).toEqual([]);
      if (!model.spec.isCompacted)
        for (const [partition, log] of logs.entries()) digests[`${model.spec.name}-${partition}`] = log.batchDigest;
    }
    return digests;
  }

  async #readTopic(client: WireClient, { name, partitionCount }: TopicSpec): Promise<LogReading[]> {
    const logs: LogReading[] = [];
    for (let partition = 0; partition < partitionCount; partition++) logs.push(await readLog(client, name, partition));
    return logs;
  }

  #compare(model: TopicModel, logs: readonly LogReading[], mayCompact: boolean): string[] {
    return model.compare(
      logs.flatMap(({ records }) => records),
      mayCompact,
    );
  }

  async #readByJava(mayCompact: boolean): Promise<void> {
    for (const model of this.#models) {
      expect(model.compare(await this.#java.read('read_uncommitted', model.spec.name), mayCompact)).toEqual([]);
      if (!model.spec.isCompacted) expect(model.compareCommitted(await this.#java.read('read_committed', model.spec.name))).toEqual([]);
    }
  }

  /** Waits until the cleaner has taken something of each compacted topic, at least where new segments are sure to have begun. */
  async #untilCompacted(client: WireClient, owner: number): Promise<void> {
    const isFirst = owner <= 1;
    for (const [index, model] of this.#models.entries()) {
      if (!model.spec.isCompacted || (!isFirst && model.spec.name !== 'exchange.compacted')) continue;
      const before = this.#removedBefore[index];
      for (const deadline = Date.now() + COMPACTED_WITHIN_MS; model.removedCount === before; await delay(1000)) {
        if (Date.now() > deadline) throw new Error(`nothing of ${model.spec.name} was compacted within ${COMPACTED_WITHIN_MS} ms`);
        expect(this.#compare(model, await this.#readTopic(client, model.spec), true)).toEqual([]);
      }
    }
  }

  #modelOf(name: string): TopicModel {
    const found = this.#models.find(({ spec }) => spec.name === name);
    if (found === undefined) throw new Error(`no topic ${name}`);
    return found;
  }
}
