// Loads of one kind of request each, from one process, by frames made ahead: what they cost here does not matter, what they make the broker
// allocate does.
import { connect } from 'node:net';
import { ZERO_UUID } from '../../src/base/uuid.ts';
import { apiVersionsRequest } from '../../src/protocol/apis/api-versions.ts';
import { createTopicsRequest, createTopicsResponse } from '../../src/protocol/apis/create-topics.ts';
import { fetchRequest } from '../../src/protocol/apis/fetch.ts';
import { listOffsetsRequest, listOffsetsResponse } from '../../src/protocol/apis/list-offsets.ts';
import { produceRequest } from '../../src/protocol/apis/produce.ts';
import { BatchBuilder } from '../../src/protocol/records/batch-builder.ts';
import { frameOf, Wire } from './wire.ts';

const FETCH_VERSION = 12;
const PRODUCE_VERSION = 9;
const NO_SESSION = -1;
const MAX_BYTES = 1 << 20;

/** Sends `frame` `count` times on one connection, `depth` of them under way, and waits for the last answer. */
export async function flood(port: number, frame: Buffer, count: number, depth: number): Promise<void> {
  await new Promise<void>((done, fail) => {
    let sent = 0;
    let answered = 0;
    let left = 0; // Of the answer that is being read.
    let cut: Buffer = Buffer.alloc(0);
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    const send = (frames: number): void => {
      sent += frames;
      if (frames > 0) socket.write(frames === 1 ? frame : Buffer.concat(Array.from({ length: frames }, () => frame)));
    };
    socket.on('connect', () => send(Math.min(depth, count)));
    socket.on('error', fail);
    socket.on('close', () => (answered < count ? fail(new Error(`closed after ${answered} of ${count} answers`)) : undefined));
    socket.on('data', (piece: Buffer) => {
      let bytes: Buffer = cut.length === 0 ? piece : Buffer.concat([cut, piece]);
      cut = Buffer.alloc(0);
      const before = answered;
      for (;;) {
        const skipped = Math.min(left, bytes.length);
        bytes = bytes.subarray(skipped);
        left -= skipped;
        if (left > 0 || bytes.length < 4) break;
        left = 4 + bytes.readInt32BE(0);
        answered++;
      }
      if (left === 0) cut = bytes;
      send(Math.min(count - sent, answered - before));
      if (answered < count || left > bytes.length) return;
      socket.destroy();
      done();
    });
  });
}

/** One record of 100 bytes to each of the partitions. */
export function produceFrame(topic: string, partitions: readonly number[]): Buffer {
  const batch = new BatchBuilder();
  batch.append({ value: Buffer.alloc(100, 'x'), timestampMs: Date.now() });
  const records = batch.build();
  const partitionData = partitions.map((index) => ({ index, records }));
  const topicData = [{ name: topic, topicId: ZERO_UUID, partitionData }];
  return frameOf(produceRequest, PRODUCE_VERSION, { transactionalId: null, acks: 1, timeoutMs: 30_000, topicData });
}

export function apiVersionsFrame(): Buffer {
  return frameOf(apiVersionsRequest, 3, { clientSoftwareName: 'bench', clientSoftwareVersion: '1', clusterId: null, nodeId: -1 });
}

function fetchFrame(topic: string, partition: number, fetchOffset: number, sessionId = 0, sessionEpoch = NO_SESSION): Buffer {
  const asked = { partition, fetchOffset, currentLeaderEpoch: -1, lastFetchedEpoch: -1, logStartOffset: -1, partitionMaxBytes: MAX_BYTES };
  return frameOf(fetchRequest, FETCH_VERSION, {
    ...{ clusterId: null, replicaId: -1, replicaState: { replicaId: -1, replicaEpoch: -1 }, maxWaitMs: 10_000, minBytes: 1 },
    ...{ maxBytes: MAX_BYTES, isolationLevel: 0, sessionId, sessionEpoch, forgottenTopicsData: [], rackId: '' },
    topics: [{ topic, topicId: ZERO_UUID, partitions: [{ ...asked, replicaDirectoryId: ZERO_UUID, highWatermark: 2n ** 63n - 1n }] }],
  });
}

/** Made, and its partitions take records. */
export async function createTopic(port: number, name: string, numPartitions: number): Promise<void> {
  const wire = await Wire.connect(port);
  const topics = [{ name, numPartitions, replicationFactor: 1, assignments: [], configs: [] }];
  const answer = await wire.ask(createTopicsRequest, createTopicsResponse, 5, { topics, timeoutMs: 30_000, validateOnly: false });
  wire.close();
  if (answer.topics[0]?.errorCode !== 0) throw new Error(`${name} was not made: error ${answer.topics[0]?.errorCode}`);
}

async function logEnd(port: number, topic: string, partition: number): Promise<number> {
  const wire = await Wire.connect(port);
  const partitions = [{ partitionIndex: partition, currentLeaderEpoch: -1, timestamp: -1 }];
  const question = { replicaId: -1, isolationLevel: 0, timeoutMs: 0, topics: [{ name: topic, partitions }] };
  const { topics } = await wire.ask(listOffsetsRequest, listOffsetsResponse, 5, question);
  wire.close();
  return topics[0]?.partitions[0]?.offset ?? 0;
}

/** `count` fetches, without a session, of the partition's newest batch. */
export async function fetchNewest(port: number, topic: string, partition: number, count: number, depth: number): Promise<void> {
  await flood(port, fetchFrame(topic, partition, (await logEnd(port, topic, partition)) - 1), count, depth);
}

/** `count` times: a consumer with a session asks for what comes next, a producer sends it, the consumer is answered. */
export async function follow(port: number, topic: string, partition: number, count: number): Promise<void> {
  let next = await logEnd(port, topic, partition);
  const [consumer, producer] = await Promise.all([Wire.connect(port), Wire.connect(port)]);
  const record = produceFrame(topic, [partition]);
  let sessionId = 0;
  for (let epoch = 0; epoch < count; epoch++, next++) {
    const frame = fetchFrame(topic, partition, next, sessionId, epoch);
    const answered = consumer.exchange(frame);
    await producer.exchange(record);
    const answer = await answered;
    if (epoch === 0) sessionId = answer.readInt32BE(11); // Correlation id, no tags, throttle time, error code.
    if (sessionId === 0 || answer.readInt16BE(9) !== 0)
      throw new Error(`the fetch of offset ${next} was answered with an error, or without a session`);
  }
  consumer.close();
  producer.close();
}
