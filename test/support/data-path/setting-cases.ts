// What a topic's settings make of a batch: stored in the topic's codec, stamped with the broker's time, refused for its times or its size;
// also where a setting changes while the topic is in use.
import { createHash } from 'node:crypto';
import { incrementalAlterConfigsRequest, incrementalAlterConfigsResponse } from '../../../src/protocol/apis/incremental-alter-configs.ts';
import { produceRequest, produceResponse } from '../../../src/protocol/apis/produce.ts';
import {
  BATCH_OVERHEAD_BYTES,
  batchPositions,
  COMPRESSION,
  compressionType,
  NO_TIMESTAMP,
  readBaseOffset,
  readMaxTimestamp,
  readProducerId,
  readRecordCount,
  recomputeCrc,
  TIMESTAMP_TYPE,
  timestampType,
} from '../../../src/protocol/records/batch.ts';
import { BatchBuilder } from '../../../src/protocol/records/batch-builder.ts';
import { compressionName } from '../../../src/protocol/records/compression/index.ts';
import { BASE_TIME_MS, labelled, labels } from '../batches.ts';
import type { Questions, Topic } from './questions.ts';

const VERSION = 12;
const TOPIC_RESOURCE = 2;
const SET = 0;
const MIB = 1024 * 1024;
const DAY_MS = 24 * 3_600_000;
const CODECS = Object.values(COMPRESSION);
const TYPES = ['uncompressed', 'gzip', 'snappy', 'lz4', 'zstd', 'producer'] as const;

/** Sends one batch; its answer, and what the log holds more afterwards. */
async function send(questions: Questions, label: string, topic: Topic, records: Uint8Array): Promise<void> {
  const before = (await stored(questions, topic)).length;
  const request = { acks: -1, timeoutMs: 10_000, topicData: [{ name: topic.name, partitionData: [{ index: 0, records }] }] };
  const produced = await questions.answerTo(produceRequest, produceResponse, VERSION, request);
  questions.note(label, { produced, stored: (await stored(questions, topic)).slice(before) });
}

/** The batches of a log: what their headers and records say. */
async function stored(questions: Questions, { name }: Topic): Promise<object[]> {
  const batches: object[] = [];
  for (let offset = 0, end = 1; offset < end; ) {
    const fetched = await questions.client.fetchFrom(name, 0, offset, 8 * MIB);
    const bytes = fetched.batches;
    for (const at of batchPositions(bytes)) {
      const isStamped = timestampType(bytes, at) === TIMESTAMP_TYPE.LOG_APPEND_TIME;
      batches.push({
        codec: compressionName(compressionType(bytes, at)),
        baseOffset: readBaseOffset(bytes, at),
        count: readRecordCount(bytes, at),
        time: isStamped ? readMaxTimestamp(bytes, at) > BASE_TIME_MS : timeOf(readMaxTimestamp(bytes, at)),
        hasProducer: readProducerId(bytes, at) >= 0,
      });
    }
    end = fetched.highWatermark;
    offset = (fetched.records.at(-1)?.offset ?? end) + 1;
  }
  const values = labels(await questions.client.readAll(name));
  return batches.map((batch, i) => ({
    ...batch,
    ...(i === batches.length - 1 ? { values: values.length > 12 ? values.length : values } : {}),
  }));
}

/** Relative to the first record’s of `labelled`. */
function timeOf(timestampMs: number): number | null {
  return timestampMs === NO_TIMESTAMP ? null : timestampMs - BASE_TIME_MS;
}

async function alter(questions: Questions, { name }: Topic, configs: Readonly<Record<string, string>>): Promise<void> {
  const entries = Object.entries(configs).map(([key, value]) => ({ name: key, configOperation: SET, value }));
  const resources = [{ resourceType: TOPIC_RESOURCE, resourceName: name, configs: entries }];
  await questions.client.ask(incrementalAlterConfigsRequest, incrementalAlterConfigsResponse, 1, { resources, validateOnly: false });
}

/** Kafka applies a change some time after it has answered: the same batch is sent until it is stored otherwise than before. */
async function settle(questions: Questions, topic: Topic, codec: number, wanted: string): Promise<void> {
  for (;;) {
    await questions.client.produce(topic.name, 0, labelled('settling', 0, 1, { compression: codec }));
    const last = (await stored(questions, topic)).at(-1) as { codec: string };
    if (last.codec === wanted) return;
  }
}

const words = (label: string, compression: number, more = {}): Uint8Array =>
  labelled(label, 0, 3, { compression, valueBytes: 200, ...more });

/** Every codec into every compression.type; producers with sequences; levels; a change while the topic is in use. */
export async function askCodecs(questions: Questions): Promise<void> {
  for (const type of TYPES) {
    const topic = await questions.topic(`to-${type}`, 1, { 'compression.type': type });
    for (const codec of CODECS) await send(questions, `${compressionName(codec)} to ${type}`, topic, words(`${codec}`, codec));
    await send(questions, `one small record to ${type}`, topic, labelled('s', 0, 1));
    await send(questions, `records without a time to ${type}`, topic, timeless());
  }
  const sequenced = await questions.topic('sequenced', 1, { 'compression.type': 'zstd' });
  const sequence = (baseSequence: number, compression: number): Uint8Array =>
    words('q', compression, { producerId: 1_000_777, producerEpoch: 0, baseSequence });
  await send(questions, 'a first sequence', sequenced, sequence(0, COMPRESSION.NONE));
  await send(questions, 'the next, in the right codec', sequenced, sequence(3, COMPRESSION.ZSTD));
  await send(questions, 'the next, in another', sequenced, sequence(6, COMPRESSION.LZ4));
  await send(questions, 'the first again', sequenced, sequence(0, COMPRESSION.NONE));
  await send(questions, 'the third again, as it would have been stored', sequenced, sequence(6, COMPRESSION.ZSTD));
  await send(questions, 'one that is not next', sequenced, sequence(30, COMPRESSION.NONE));
  for (const [type, level] of [
    ['gzip', '1'],
    ['gzip', '9'],
    ['lz4', '17'],
    ['zstd', '-5'],
    ['zstd', '22'],
  ] as const) {
    const levelled = await questions.topic(`level-${type}-${level}`, 1, { 'compression.type': type, [`compression.${type}.level`]: level });
    await send(questions, `${type} at level ${level}`, levelled, words('w', COMPRESSION.NONE));
  }
  const changing = await questions.topic('changing');
  await send(questions, 'before a change', changing, words('a', COMPRESSION.NONE));
  await alter(questions, changing, { 'compression.type': 'gzip' });
  await settle(questions, changing, COMPRESSION.NONE, 'gzip');
  await alter(questions, changing, { 'compression.type': 'uncompressed' });
  await settle(questions, changing, COMPRESSION.GZIP, 'none');
}

/** Times, sizes, keys: refused as a whole, with the records at fault. */
export async function askLimits(questions: Questions): Promise<void> {
  const bounds = { 'message.timestamp.before.max.ms': `${DAY_MS}`, 'message.timestamp.after.max.ms': '3600000' };
  for (const type of ['uncompressed', 'zstd']) {
    const timed = await questions.topic(`timed-${type}`, 1, { ...bounds, 'compression.type': type });
    const codec = type === 'zstd' ? COMPRESSION.LZ4 : COMPRESSION.GZIP;
    await send(questions, `in bounds to ${type}`, timed, at([0, 1000, -1000], codec));
    await send(questions, `the second too old, to ${type}`, timed, at([0, -2 * DAY_MS, 0], codec));
    await send(questions, `the first too new, to ${type}`, timed, at([2 * DAY_MS, 0, 0], codec));
    await send(questions, `two at fault, to ${type}`, timed, at([2 * DAY_MS, 0, -2 * DAY_MS], codec));
    await send(questions, `none has a time, to ${type}`, timed, timeless());
    const stamped = await questions.topic(`stamped-${type}`, 1, { 'compression.type': type, 'message.timestamp.type': 'LogAppendTime' });
    await send(questions, `stamped, to ${type}`, stamped, words('st', codec));
    await send(questions, `stamped, as it comes, to ${type}`, stamped, words('st', type === 'zstd' ? COMPRESSION.ZSTD : COMPRESSION.NONE));
    await send(questions, `stamped though too old, to ${type}`, stamped, at([-900 * DAY_MS], codec));
    await send(questions, `stamped by its producer, to ${type}`, stamped, words('st', codec, { logAppendTimeMs: BASE_TIME_MS }));
    const keyed = await questions.topic(`keyed-${type}`, 1, { 'compression.type': type, 'cleanup.policy': 'compact', ...bounds });
    await send(questions, `keys, to ${type}`, keyed, withKeys(['a', 'b'], codec));
    await send(questions, `the second without a key, to ${type}`, keyed, withKeys(['a', null, 'b'], codec));
    await send(questions, `two without keys, to ${type}`, keyed, withKeys([null, 'a', null], codec));
    await send(questions, `no key and no time in bounds, to ${type}`, keyed, withKeys([null, 'a'], codec, 2 * DAY_MS));
  }
  await askSizes(questions);
}

async function askSizes(questions: Questions): Promise<void> {
  const repeated = (sizeBytes: number, compression: number): Uint8Array => labelled('r', 0, 1, { valueBytes: sizeBytes, compression });
  const small = { 'max.message.bytes': '10000' };
  const grows = await questions.topic('grows', 1, { 'compression.type': 'uncompressed', ...small });
  await send(questions, 'too large once it is decompressed', grows, repeated(20_000, COMPRESSION.GZIP));
  await send(questions, 'not too large when it is decompressed', grows, repeated(9000, COMPRESSION.GZIP));
  const shrinks = await questions.topic('shrinks', 1, { 'compression.type': 'gzip', ...small });
  await send(questions, 'too large before it is compressed', shrinks, repeated(20_000, COMPRESSION.NONE));
  await send(questions, 'not too large before it is compressed', shrinks, repeated(9000, COMPRESSION.NONE));
  const segments = await questions.topic('segments', 1, {
    'compression.type': 'uncompressed',
    'max.message.bytes': `${4 * MIB}`,
    'segment.bytes': `${MIB}`,
  });
  await send(questions, 'larger than a segment once it is decompressed', segments, repeated(2 * MIB, COMPRESSION.ZSTD));
  const broken = await questions.topic('broken', 1, { 'compression.type': 'zstd' });
  for (const codec of [COMPRESSION.GZIP, COMPRESSION.SNAPPY, COMPRESSION.LZ4])
    await send(questions, `${compressionName(codec)} that is none`, broken, garbled(codec));
}

function at(timesMs: readonly number[], compression: number): Uint8Array {
  const builder = new BatchBuilder({ compression });
  for (const [i, ms] of timesMs.entries()) builder.append({ value: noise(`t${i}`), timestampMs: BASE_TIME_MS + ms });
  return builder.build();
}

/** Text that no codec makes much shorter: what is wrong with records is told in the room that their batch took. */
function noise(label: string): Buffer {
  return Buffer.from(`${label}/${createHash('sha512').update(label).digest('base64')}`);
}

function timeless(): Uint8Array {
  return new BatchBuilder({ compression: COMPRESSION.GZIP }).append({ value: Buffer.from('t'), timestampMs: -1 }).build();
}

function withKeys(keys: readonly (string | null)[], compression: number, ms = 0): Uint8Array {
  const builder = new BatchBuilder({ compression });
  for (const key of keys)
    builder.append({ key: key === null ? null : Buffer.from(key), value: noise(`v${key}`), timestampMs: BASE_TIME_MS + ms });
  return builder.build();
}

/** A batch whose header and checksum are good, over bytes that do not decompress. */
function garbled(compression: number): Uint8Array {
  const bytes = Buffer.from(words('g', compression));
  bytes.fill(0x55, BATCH_OVERHEAD_BYTES);
  recomputeCrc(bytes, 0);
  return bytes;
}
