// What the protocol costs per request: decoding a produce and a fetch of one partition, sizing and encoding their answers, and the
// text and ids in them with and without remembering. Frames lie in shared memory, as they do in the broker.
// Run: node bench/micro/codec.bench.ts [--short]
import { Bench } from 'tinybench';
import { ByteReader } from '../../src/base/byte-reader.ts';
import { rememberedText, rememberedUuid } from '../../src/base/byte-text.ts';
import { ByteWriter } from '../../src/base/byte-writer.ts';
import { KIB } from '../../src/base/units.ts';
import { ZERO_UUID } from '../../src/base/uuid.ts';
import { type FetchRequest, type FetchResponse, fetchRequest, fetchResponse } from '../../src/protocol/apis/fetch.ts';
import { type ProduceRequest, type ProduceResponse, produceRequest, produceResponse } from '../../src/protocol/apis/produce.ts';
import { codec, encodeMessage } from '../../src/protocol/compile.ts';
import type { MessageOf, Table } from '../../src/protocol/schema.ts';

const BATCH = 64;
const TOPIC = 'orders-events';
const TOPIC_ID = 'VfICI7N8RQKm4uUOCSrtSg';
/** Last version that names topics. */
const NAMES_UNTIL = 12;

const nameOf = (version: number): string => (version <= NAMES_UNTIL ? TOPIC : '');
const idOf = (version: number): string => (version <= NAMES_UNTIL ? ZERO_UUID : TOPIC_ID);

function produce(version: number): ProduceRequest {
  const partitionData = [{ index: 3, records: new Uint8Array(KIB) }];
  return {
    transactionalId: null,
    acks: -1,
    timeoutMs: 30_000,
    topicData: [{ name: nameOf(version), topicId: idOf(version), partitionData }],
  };
}

function produced(version: number): ProduceResponse {
  const partition = {
    index: 3,
    errorCode: 0,
    baseOffset: 123_456_789,
    logAppendTimeMs: -1,
    logStartOffset: 0,
    recordErrors: [],
    errorMessage: null,
    currentLeader: { leaderId: -1, leaderEpoch: -1 },
  };
  return {
    responses: [{ name: nameOf(version), topicId: idOf(version), partitionResponses: [partition] }],
    throttleTimeMs: 0,
    nodeEndpoints: [],
  };
}

function fetch(version: number): FetchRequest {
  const partition = {
    partition: 3,
    currentLeaderEpoch: 5,
    fetchOffset: 123_456_789,
    lastFetchedEpoch: -1,
    logStartOffset: -1,
    partitionMaxBytes: 1024 * KIB,
    replicaDirectoryId: ZERO_UUID,
    highWatermark: 2n ** 63n - 1n,
  };
  return {
    clusterId: null,
    replicaId: -1,
    replicaState: { replicaId: -1, replicaEpoch: -1 },
    maxWaitMs: 500,
    minBytes: 1,
    maxBytes: 1024 * KIB,
    isolationLevel: 0,
    sessionId: 0,
    sessionEpoch: -1,
    topics: [{ topic: nameOf(version), topicId: idOf(version), partitions: [partition] }],
    forgottenTopicsData: [],
    rackId: '',
  };
}

function fetched(version: number): FetchResponse {
  const partition = {
    partitionIndex: 3,
    errorCode: 0,
    highWatermark: 123_456_789,
    lastStableOffset: 123_456_789,
    logStartOffset: 0,
    divergingEpoch: { epoch: -1, endOffset: -1 },
    currentLeader: { leaderId: -1, leaderEpoch: -1 },
    snapshotId: { endOffset: -1, epoch: -1 },
    abortedTransactions: null,
    preferredReadReplica: -1,
    records: { position: 0, length: KIB },
  };
  const responses = [{ topic: nameOf(version), topicId: idOf(version), partitions: [partition] }];
  return { throttleTimeMs: 0, errorCode: 0, sessionId: 0, responses, nodeEndpoints: [] };
}

const shared = (bytes: Uint8Array): Buffer => {
  const copy = Buffer.from(new SharedArrayBuffer(bytes.length));
  copy.set(bytes);
  return copy;
};

const bench = new Bench(process.argv.includes('--short') ? { time: 5, warmupTime: 5 } : { time: 500, warmupTime: 50 });
/** What was decoded last, so that nothing is optimized away. */
let sink: unknown;

function addDecode<T extends Table>(table: T, version: number, message: MessageOf<T>): void {
  const reader = new ByteReader(shared(encodeMessage(table, version, message)));
  bench.add(`decode ${table.name} ${table.type} v${version}`, () => {
    for (let i = 0; i < BATCH; i++) {
      reader.position = 0;
      sink = codec(table, version).decode(reader);
    }
  });
}

function addEncode<T extends Table>(table: T, version: number, message: MessageOf<T>): void {
  const writer = new ByteWriter(Buffer.from(new SharedArrayBuffer(4 * KIB)));
  bench.add(`size + encode ${table.name} ${table.type} v${version}`, () => {
    for (let i = 0; i < BATCH; i++) {
      const { size, encode } = codec(table, version);
      sink = size(message);
      writer.position = 0;
      encode(message, writer);
    }
  });
}

for (const version of [9, 13]) addDecode(produceRequest, version, produce(version));
for (const version of [12, 17]) addDecode(fetchRequest, version, fetch(version));
for (const version of [9, 13]) addEncode(produceResponse, version, produced(version));
for (const version of [12, 17]) addEncode(fetchResponse, version, fetched(version));

const text = shared(Buffer.from(TOPIC));
const id = shared(Buffer.from(TOPIC_ID, 'base64url'));
const add = (name: string, run: () => unknown): void => {
  bench.add(name, () => {
    for (let i = 0; i < BATCH; i++) sink = run();
  });
};
add(`text of ${TOPIC.length} bytes, remembered`, () => rememberedText(text, 0, text.length));
add(`text of ${TOPIC.length} bytes, toString`, () => text.toString('utf8', 0, text.length));
add('UUID, remembered', () => rememberedUuid(id, 0));
add('UUID, toString', () => id.toString('base64url'));

await bench.run();
for (const { name, result } of bench.tasks) {
  if (!('latency' in result)) throw new Error(`${name} gave no result`);
  console.log(`${name.padEnd(42)} ${((result.latency.p50 * 1e6) / BATCH).toFixed(0).padStart(6)} ns  (median)`);
}
if (sink === undefined) throw new Error('nothing was measured');
