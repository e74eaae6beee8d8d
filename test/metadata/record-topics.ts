// Asks a running Apache Kafka of one node (node.id 1, no topics) the requests of topic-cases.ts and writes its answers:
//   node test/metadata/record-topics.ts 127.0.0.1:9092 > test/golden/metadata/topics.json
import { connect } from 'node:net';
import { ByteReader } from '../../src/base/byte-reader.ts';
import { ByteWriter } from '../../src/base/byte-writer.ts';
import { ZERO_UUID } from '../../src/base/uuid.ts';
import { createTopicsRequest, createTopicsResponse } from '../../src/protocol/apis/create-topics.ts';
import { deleteTopicsRequest, deleteTopicsResponse } from '../../src/protocol/apis/delete-topics.ts';
import { type Codec, codec } from '../../src/protocol/compile.ts';
import { topicCases } from './topic-cases.ts';

const CREATE_VERSION = 7;
const DELETE_VERSION = 6;
/** A flexible request header: api key, version, correlation id, no client id, no tagged fields. */
const HEADER_BYTES = 11;

const [host, port] = (process.argv[2] ?? '127.0.0.1:9092').split(':');

function ask<Q, A>(apiKey: number, version: number, requestCodec: Codec<Q>, responseCodec: Codec<A>, request: Q): Promise<A> {
  const frame = Buffer.alloc(4 + HEADER_BYTES + requestCodec.size(request));
  const writer = new ByteWriter(frame);
  writer.int32(frame.length - 4);
  writer.int16(apiKey);
  writer.int16(version);
  writer.int32(1);
  writer.int16(-1);
  writer.int8(0);
  requestCodec.encode(request, writer);
  return new Promise((resolve, reject) => {
    const socket = connect({ host: host ?? '', port: Number(port) }, () => socket.write(frame));
    let received: Buffer = Buffer.alloc(0);
    socket.on('error', reject);
    socket.on('data', (chunk: Buffer) => {
      received = Buffer.concat([received, chunk]);
      if (received.length < 4 || received.length < 4 + received.readInt32BE(0)) return;
      socket.destroy();
      resolve(responseCodec.decode(new ByteReader(received.subarray(4 + 4 + 1)))); // Length, correlation id, tagged fields.
    });
  });
}

const ids = new Map<string, string>();
const answers: unknown[] = [];
for (const asked of topicCases) {
  if ('create' in asked) {
    const topics = asked.create.map((topic) => ({
      ...topic,
      assignments: topic.assignments.map((assignment) => ({ ...assignment, brokerIds: [...assignment.brokerIds] })),
      configs: [...topic.configs],
    }));
    const request = { topics, timeoutMs: 30_000, validateOnly: asked.validateOnly ?? false };
    const response = await ask(
      19,
      CREATE_VERSION,
      codec(createTopicsRequest, CREATE_VERSION),
      codec(createTopicsResponse, CREATE_VERSION),
      request,
    );
    for (const topic of response.topics) if (topic.topicId !== ZERO_UUID && !asked.validateOnly) ids.set(`@${topic.name}`, topic.topicId);
    answers.push({
      about: asked.about,
      topics: response.topics.map(({ configs, topicId, ...rest }) => ({
        ...rest,
        hasId: topicId !== ZERO_UUID,
        hasConfigs: (configs?.length ?? 0) > 0,
      })),
    });
  } else {
    const topics = asked.remove.map(({ name, topicId }) => ({ name, topicId: ids.get(topicId) ?? topicId }));
    const request = { topics, topicNames: [], timeoutMs: 30_000 };
    const response = await ask(
      20,
      DELETE_VERSION,
      codec(deleteTopicsRequest, DELETE_VERSION),
      codec(deleteTopicsResponse, DELETE_VERSION),
      request,
    );
    answers.push({
      about: asked.about,
      topics: response.responses.map(({ topicId, ...rest }) => ({ ...rest, hasId: topicId !== ZERO_UUID })),
    });
  }
}
process.stdout.write(
  `${JSON.stringify({ recorded: 'Apache Kafka 4.3.1, one node, by test/metadata/record-topics.ts', answers }, null, 1)}\n`,
);
