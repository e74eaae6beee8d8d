// kill -9 under load, again and again on one data directory, also while the broker starts: every acknowledged record is exactly
// where it was acknowledged, offsets go on without a gap, an idempotent producer's records are there once and in order, leader
// epochs rise, topics are there whole or not at all.
import { readdirSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import kafkajs from 'kafkajs';
import { expect, it } from 'vitest';
import { batchPositions, readLeaderEpoch } from '../../src/protocol/records/batch.ts';
import { readRecords } from '../../src/protocol/records/records.ts';
import { labels, range } from '../support/batches.ts';
import { BrokerProcess } from '../support/broker-process.ts';
import { type Acknowledged, LoadProducer } from '../support/load-producer.ts';
import { WireClient } from '../support/wire-client.ts';

const MIB = 1 << 20;
const LOADED = 'loaded';
const KAFKAJS = 'kafkajs';
const IDEMPOTENT = [0, 1, 2, 3];
const PLAIN = [4, 5];

/** xorshift32: the moments of a run, told by its seed. */
function randomFrom(seed: number): () => number {
  let state = seed | 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

/** kafkajs, sending one message after the other; those that were answered, with their offsets. */
class KafkajsLoad {
  readonly acknowledged: { value: string; baseOffset: number }[] = [];
  #isStopping = false;
  readonly #finished: Promise<void>;

  constructor(port: number) {
    this.#finished = this.#run(port);
  }

  async stop(): Promise<void> {
    this.#isStopping = true;
    await this.#finished;
  }

  async #run(port: number): Promise<void> {
    const kafka = new kafkajs.Kafka({
      clientId: 'load',
      brokers: [`127.0.0.1:${port}`],
      logLevel: kafkajs.logLevel.NOTHING,
      connectionTimeout: 500,
      requestTimeout: 3000,
      retry: { initialRetryTime: 30, maxRetryTime: 100, retries: 5 },
    });
    const producer = kafka.producer({ allowAutoTopicCreation: false });
    for (let i = 0; !this.#isStopping; i++) {
      const value = `${KAFKAJS}/${i}`;
      try {
        await producer.connect();
        const [sent] = await producer.send({ topic: KAFKAJS, acks: -1, messages: [{ value, partition: 0 }] });
        if (sent?.errorCode === 0) this.acknowledged.push({ value, baseOffset: Number(sent.baseOffset) });
      } catch {
        await delay(20); // The broker is down; the next message tries again.
      }
      await delay(2);
    }
    await producer.disconnect();
  }
}

/** Topics made one after the other while brokers die. */
class TopicMaker {
  readonly made = new Map<string, string>();
  asked = 0;
  port: number;
  #isStopping = false;
  readonly #finished: Promise<void>;

  constructor(port: number) {
    this.port = port;
    this.#finished = this.#run();
  }

  async stop(): Promise<void> {
    this.#isStopping = true;
    await this.#finished;
  }

  async #run(): Promise<void> {
    while (!this.#isStopping) {
      const client = await WireClient.connect(this.port).catch(() => null);
      while (client !== null && !this.#isStopping) {
        const name = `made-${this.asked++}`;
        const id = await client.createTopic(name, 2).catch((error: unknown) => {
          if (!client.raw.socket.destroyed) throw error;
          return null;
        });
        if (id === null) break;
        this.made.set(name, id);
        await delay(60);
      }
      client?.close();
      await delay(20);
    }
  }
}

for (const { workers, kills } of [
  { workers: 2, kills: 20 },
  { workers: 0, kills: 10 },
]) {
  const seed = Number(process.env.NARU_TEST_SEED ?? Date.now() % 1_000_000);
  it(`survives ${kills} kills in a row at ${workers} workers (NARU_TEST_SEED=${seed})`, { timeout: 120_000 }, async () => {
    const random = randomFrom(seed);
    const overrides = { 'log.segment.bytes': String(MIB) };
    let broker = await BrokerProcess.start({ workers, overrides });
    const { directory, port } = broker;
    try {
      let client = await WireClient.connect(port);
      await client.createTopic(LOADED, 6);
      await client.createTopic(KAFKAJS, 1);
      const producer = await client.producerId();
      const idempotent = new LoadProducer(port, { topic: LOADED, partitions: IDEMPOTENT, label: 'once', producer, random });
      const plain = new LoadProducer(port, { topic: LOADED, partitions: PLAIN, label: 'plain', producer: null, random });
      const kafkajsLoad = new KafkajsLoad(port);
      const topics = new TopicMaker(port);
      let epochs = await leaderEpochs(client);
      for (let kill = 1; kill <= kills; kill++) {
        await delay(100 + random() * 400);
        client.close();
        await broker.stop('SIGKILL');
        if (kill % 5 === 0) {
          // And once more while it starts.
          broker = await BrokerProcess.launch({ workers, overrides, directory, port });
          await delay(random() * 500);
          await broker.stop('SIGKILL');
        }
        broker = await BrokerProcess.start({ workers, overrides, directory, port });
        client = await WireClient.connect(port);
        const now = await leaderEpochs(client);
        now.forEach((epoch, partition) => {
          expect(epoch, `leader epoch of partition ${partition} after kill ${kill}`).toBeGreaterThan(epochs[partition] ?? -1);
        });
        epochs = now;
      }
      await delay(100);
      await Promise.all([idempotent.stop(), plain.stop(), kafkajsLoad.stop(), topics.stop()]);

      for (const partition of [...IDEMPOTENT, ...PLAIN]) {
        const { texts, batchEpochs } = await readPartition(client, LOADED, partition);
        const segments = readdirSync(`${directory}/${LOADED}-${partition}`).filter((name) => name.endsWith('.log'));
        expect(segments.length).toBeGreaterThan(2);
        const load = IDEMPOTENT.includes(partition) ? idempotent : plain;
        const label = `${load === idempotent ? 'once' : 'plain'}-${partition}`;
        expect(load.acknowledged.length).toBeGreaterThan(kills);
        for (const { baseOffset, first, count } of ofPartition(load.acknowledged, partition)) {
          expect(texts.slice(baseOffset, baseOffset + count), `${label} at ${baseOffset}`).toEqual(range(label, first, count));
        }
        expect(batchEpochs).toEqual([...batchEpochs].sort((a, b) => a - b));
        if (load === idempotent) {
          expect(texts).toEqual(range(label, 0, idempotent.next));
        } else {
          const counters = texts.map((text) => Number(text.slice(label.length + 1)));
          expect(counters.every((counter, i) => i === 0 || counter > (counters[i - 1] as number))).toBe(true);
        }
      }
      const { texts } = await readPartition(client, KAFKAJS, 0);
      expect(kafkajsLoad.acknowledged.length).toBeGreaterThan(kills);
      for (const { value, baseOffset } of kafkajsLoad.acknowledged) expect(texts[baseOffset]).toBe(value);

      const names = Array.from({ length: topics.asked }, (_, i) => `made-${i}`);
      for (const topic of (await client.metadata(...names)).topics) {
        const id = topics.made.get(topic.name ?? '');
        if (id !== undefined) expect(topic).toMatchObject({ errorCode: 0, topicId: id });
        if (topic.errorCode === 0) expect(topic.partitions).toHaveLength(2);
      }
      expect(topics.made.size).toBeGreaterThan(kills);
      client.close();
      expect(await broker.stop()).toEqual({ code: 0, signal: null });
    } finally {
      await broker.dispose();
    }
  });
}

const ofPartition = (acknowledged: readonly Acknowledged[], partition: number): Acknowledged[] =>
  acknowledged.filter((each) => each.partition === partition);

async function leaderEpochs(client: WireClient): Promise<number[]> {
  const [topic] = (await client.metadata(LOADED)).topics;
  const partitions = [...(topic?.partitions ?? [])].sort((a, b) => a.partitionIndex - b.partitionIndex);
  expect(partitions).toHaveLength(IDEMPOTENT.length + PLAIN.length);
  return partitions.map((partition) => partition.leaderEpoch);
}

/** All values by offset, and the leader epoch of each batch. Fails where an offset is missing or comes twice. */
async function readPartition(client: WireClient, topic: string, partition: number): Promise<{ texts: string[]; batchEpochs: number[] }> {
  const texts: string[] = [];
  const batchEpochs: number[] = [];
  for (;;) {
    const fetched = await client.fetchFrom(topic, partition, texts.length, 2 * MIB);
    expect(fetched.errorCode).toBe(0);
    if (texts.length === fetched.highWatermark) return { texts, batchEpochs };
    for (const position of batchPositions(fetched.batches)) {
      const records = readRecords(fetched.batches, position);
      expect(records[0]?.offset).toBe(texts.length);
      expect(records.at(-1)?.offset).toBe(texts.length + records.length - 1);
      texts.push(...labels(records));
      batchEpochs.push(readLeaderEpoch(fetched.batches, position));
    }
  }
}
