// A client of the protocol and nothing more: any request at any version through our own codecs, every byte of the answer accounted
// for, and the few requests that most tests make. Not a client library: no retries, no metadata cache, one connection.
import { setTimeout as delay } from 'node:timers/promises';
import { ByteReader } from '../../src/base/byte-reader.ts';
import { API } from '../../src/protocol/api-keys.ts';
import { createTopicsRequest, createTopicsResponse } from '../../src/protocol/apis/create-topics.ts';
import { deleteTopicsRequest, deleteTopicsResponse } from '../../src/protocol/apis/delete-topics.ts';
import { type FetchRequest, type FetchResponse, fetchRequest, fetchResponse } from '../../src/protocol/apis/fetch.ts';
import { initProducerIdRequest, initProducerIdResponse } from '../../src/protocol/apis/init-producer-id.ts';
import { listOffsetsRequest, listOffsetsResponse } from '../../src/protocol/apis/list-offsets.ts';
import { type MetadataResponse, metadataRequest, metadataResponse } from '../../src/protocol/apis/metadata.ts';
import { type ProduceResponse, produceRequest, produceResponse } from '../../src/protocol/apis/produce.ts';
import { codec, encodeMessage } from '../../src/protocol/compile.ts';
import { ERROR } from '../../src/protocol/errors.ts';
import type { Record } from '../../src/protocol/records/record.ts';
import { readAllRecords } from '../../src/protocol/records/records.ts';
import type { MessageOf, RecordsRange, Table } from '../../src/protocol/schema.ts';
import { message, type Sparse } from './messages.ts';
import { RawClient } from './raw-client.ts';
import { isForeign } from './target.ts';

const PRODUCE_VERSION = 12;
const FETCH_VERSION = 12;

export type PartitionProduced = ProduceResponse['responses'][number]['partitionResponses'][number];
type PartitionAnswer = FetchResponse['responses'][number]['partitions'][number];
/** What a Fetch gave for a partition: `batches` are copies of the bytes, `records` those of whole batches. */
export interface PartitionFetched extends Omit<PartitionAnswer, 'records'> {
  readonly topic: string;
  readonly topicId: string;
  readonly batches: Buffer;
  readonly records: readonly Record[];
}

export interface Fetched {
  readonly errorCode: number;
  readonly sessionId: number;
  readonly partitions: readonly PartitionFetched[];
}

/** An answer with its frame's body, in which record ranges lie. */
export interface Answer<T> {
  readonly message: T;
  readonly bytes: Buffer;
}

export class WireClient {
  readonly raw: RawClient;

  private constructor(raw: RawClient) {
    this.raw = raw;
  }

  static async connect(port: number, host?: string): Promise<WireClient> {
    return new WireClient(await RawClient.connect(port, host));
  }

  close(): void {
    this.raw.close();
  }

  /** Sends without waiting; answers come in order through `receive`. */
  send<Q extends Table>(request: Q, version: number, partial: Sparse<MessageOf<Q>>): number {
    const body = encodeMessage(request, version, message(request, partial));
    // By the table, not by header.ts: that knows what Naru serves, and other brokers are asked for more.
    return this.raw.send(request.apiKey, version, body, version >= request.flexibleSince);
  }

  /** The next answer. Fails unless it is the answer to `correlationId` and decodes at `version` to its last byte. */
  async receive<S extends Table>(correlationId: number, response: S, version: number): Promise<Answer<MessageOf<S>>> {
    const frame = await this.raw.receive();
    if (frame.readInt32BE(0) !== correlationId) throw new Error(`answer ${frame.readInt32BE(0)} to request ${correlationId}`);
    return decodeAnswer(response, version, frame);
  }

  async ask<Q extends Table, S extends Table>(
    request: Q,
    response: S,
    version: number,
    partial: Sparse<MessageOf<Q>>,
  ): Promise<MessageOf<S>> {
    return (await this.receive(this.send(request, version, partial), response, version)).message;
  }

  /** Creates a topic and gives its id; fails where the broker refuses. */
  async createTopic(name: string, partitionCount = 1, configs: { readonly [key: string]: string } = {}): Promise<string> {
    const answer = await this.ask(createTopicsRequest, createTopicsResponse, 7, {
      topics: [
        {
          name,
          numPartitions: partitionCount,
          replicationFactor: 1,
          configs: Object.entries(configs).map(([key, value]) => ({ name: key, value })),
        },
      ],
      timeoutMs: 10_000,
    });
    const [topic] = answer.topics;
    if (topic === undefined || topic.errorCode !== 0) throw new Error(`topic ${name}: ${topic?.errorCode} ${topic?.errorMessage}`);
    // Apache answers before its leaders are there; Naru must not.
    if (isForeign) for (let partition = 0; partition < partitionCount; partition++) await this.#untilLed(name, partition);
    return topic.topicId;
  }

  async #untilLed(topic: string, partition: number): Promise<void> {
    for (let attempt = 0; ; attempt++) {
      try {
        await this.offsetAt(topic, partition, -1);
        return;
      } catch (error) {
        if (attempt === 100) throw error;
        await delay(20);
      }
    }
  }

  async deleteTopic(name: string): Promise<void> {
    const answer = await this.ask(deleteTopicsRequest, deleteTopicsResponse, 6, { topics: [{ name }], timeoutMs: 10_000 });
    const code = answer.responses[0]?.errorCode;
    if (code !== 0) throw new Error(`deleting ${name}: ${code}`);
  }

  async metadata(...names: string[]): Promise<MetadataResponse> {
    return this.ask(metadataRequest, metadataResponse, 12, { topics: names.map((name) => ({ name })), allowAutoTopicCreation: false });
  }

  async leaderEpoch(topic: string, partition = 0): Promise<number> {
    const answer = await this.metadata(topic);
    const found = answer.topics[0]?.partitions.find((each) => each.partitionIndex === partition);
    if (found === undefined) throw new Error(`no partition ${topic}-${partition}`);
    return found.leaderEpoch;
  }

  async producerId(): Promise<{ producerId: number; producerEpoch: number }> {
    const answer = await this.ask(initProducerIdRequest, initProducerIdResponse, 4, {
      transactionalId: null,
      transactionTimeoutMs: 60_000,
    });
    if (isForeign && answer.errorCode === ERROR.COORDINATOR_LOAD_IN_PROGRESS) {
      await delay(20);
      return this.producerId();
    }
    if (answer.errorCode !== 0) throw new Error(`InitProducerId: ${answer.errorCode}`);
    return { producerId: answer.producerId, producerEpoch: answer.producerEpoch };
  }

  sendProduce(topic: string, batches: ReadonlyMap<number, Uint8Array>, acks = -1): number {
    return this.send(produceRequest, PRODUCE_VERSION, produceOf(topic, batches, acks));
  }

  /** The answers by partition, in the order of `batches`. */
  async receiveProduced(correlationId: number): Promise<PartitionProduced[]> {
    const { message: answer } = await this.receive(correlationId, produceResponse, PRODUCE_VERSION);
    return answer.responses.flatMap((topic) => topic.partitionResponses);
  }

  /** One batch into one partition with acks=all. */
  async produce(topic: string, partition: number, batch: Uint8Array): Promise<PartitionProduced> {
    const [produced] = await this.receiveProduced(this.sendProduce(topic, new Map([[partition, batch]])));
    if (produced === undefined) throw new Error('an empty answer to Produce');
    return produced;
  }

  async fetch(partial: Sparse<FetchRequest>, version = FETCH_VERSION): Promise<Fetched> {
    return this.receiveFetched(this.sendFetch(partial, version), version);
  }

  sendFetch(partial: Sparse<FetchRequest>, version = FETCH_VERSION): number {
    return this.send(fetchRequest, version, { minBytes: 1, ...partial });
  }

  async receiveFetched(correlationId: number, version = FETCH_VERSION): Promise<Fetched> {
    const { message: answer, bytes } = await this.receive(correlationId, fetchResponse, version);
    const partitions = answer.responses.flatMap(({ topic, topicId, partitions: found }) =>
      found.map((partition) => {
        const range = partition.records as RecordsRange | null;
        const batches = range === null ? Buffer.alloc(0) : Buffer.from(bytes.subarray(range.position, range.position + range.length));
        return { ...partition, topic, topicId, batches, records: readAllRecords(batches) };
      }),
    );
    return { errorCode: answer.errorCode, sessionId: answer.sessionId, partitions };
  }

  /** One partition by name, from an offset. */
  async fetchFrom(topic: string, partition: number, fetchOffset: number, maxBytes = 1 << 20, maxWaitMs = 0): Promise<PartitionFetched> {
    const { partitions } = await this.fetch({
      maxWaitMs,
      topics: [{ topic, partitions: [{ partition, fetchOffset, partitionMaxBytes: maxBytes }] }],
    });
    const [fetched] = partitions;
    if (fetched === undefined) throw new Error('an empty answer to Fetch');
    return fetched;
  }

  /** All records of a partition from its start to its high watermark. */
  async readAll(topic: string, partition = 0): Promise<Record[]> {
    const records: Record[] = [];
    for (let offset = await this.offsetAt(topic, partition, -2); ; ) {
      const fetched = await this.fetchFrom(topic, partition, offset, 4 << 20);
      if (fetched.errorCode !== 0) throw new Error(`Fetch of ${topic}-${partition} at ${offset}: ${fetched.errorCode}`);
      const news = fetched.records.filter((record) => record.offset >= offset);
      records.push(...news);
      offset = (news.at(-1)?.offset ?? offset - 1) + 1;
      if (offset >= fetched.highWatermark) return records;
      if (news.length === 0) throw new Error(`no records of ${topic}-${partition} at ${offset}, below ${fetched.highWatermark}`);
    }
  }

  /** −1 latest, −2 earliest. */
  async offsetAt(topic: string, partition: number, timestamp: number): Promise<number> {
    const answer = await this.ask(listOffsetsRequest, listOffsetsResponse, 7, {
      replicaId: -1,
      topics: [{ name: topic, partitions: [{ partitionIndex: partition, timestamp }] }],
    });
    const found = answer.topics[0]?.partitions[0];
    if (found === undefined || found.errorCode !== 0) throw new Error(`ListOffsets of ${topic}-${partition}: ${found?.errorCode}`);
    return found.offset;
  }
}

/** Decodes an answer that starts with its correlation id. Throws where bytes are left. */
export function decodeAnswer<S extends Table>(response: S, version: number, frame: Buffer): Answer<MessageOf<S>> {
  const bytes = frame.subarray(response.apiKey !== API.ApiVersions && version >= response.flexibleSince ? 5 : 4);
  const reader = new ByteReader(bytes);
  const decoded = codec(response, version).decode(reader);
  if (reader.remaining !== 0) throw new Error(`${reader.remaining} bytes are left behind ${response.name} v${version}`);
  return { message: decoded, bytes };
}

export function produceOf(topic: string, batches: ReadonlyMap<number, Uint8Array>, acks = -1): Sparse<MessageOf<typeof produceRequest>> {
  return {
    acks,
    timeoutMs: 10_000,
    topicData: [{ name: topic, partitionData: [...batches].map(([index, records]) => ({ index, records })) }],
  };
}
