// Frames that real clients and Apache Kafka wrote: each is read to its last byte, and written again it is the same.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ByteReader } from '../../src/base/byte-reader.ts';
import { ByteWriter } from '../../src/base/byte-writer.ts';
import { served } from '../../src/broker/handler-table.ts';
import { apiName } from '../../src/protocol/api-keys.ts';
import { createTopicsResponse } from '../../src/protocol/apis/create-topics.ts';
import { fetchRequest, fetchResponse } from '../../src/protocol/apis/fetch.ts';
import { apis } from '../../src/protocol/apis/index.ts';
import { metadataResponse } from '../../src/protocol/apis/metadata.ts';
import { offsetForLeaderEpochResponse } from '../../src/protocol/apis/offset-for-leader-epoch.ts';
import { produceRequest } from '../../src/protocol/apis/produce.ts';
import { codec } from '../../src/protocol/compile.ts';
import { ERROR } from '../../src/protocol/errors.ts';
import { decodeHeaderRest, decodeHeaderStart, type RequestHeader, responseHeaderBytes } from '../../src/protocol/header.ts';
import type { MessageOf, Table } from '../../src/protocol/schema.ts';

interface Frame {
  readonly name: string;
  readonly writer: string;
  readonly apiKey: number;
  readonly version: number;
  readonly isRequest: boolean;
  readonly bytes: Buffer;
}

const text = readFileSync(join(import.meta.dirname, '../golden/protocol/frames.txt'), 'utf8');
const frames = text
  .trimEnd()
  .split('\n')
  .map((line, index): Frame => {
    const [writer = '', apiKey, version, direction, hex = ''] = line.split(' ');
    const name = `line ${index + 1}: ${direction} ${apiKey} v${version} of ${writer}`;
    return {
      name,
      writer,
      apiKey: Number(apiKey),
      version: Number(version),
      isRequest: direction === 'request',
      bytes: Buffer.from(hex, 'hex'),
    };
  });

/** Skips the header and returns where the body begins. */
function bodyPosition(frame: Frame): number {
  if (!frame.isRequest) return responseHeaderBytes(frame.apiKey, frame.version);
  const reader = new ByteReader(frame.bytes);
  const header: RequestHeader = { apiKey: -1, apiVersion: -1, correlationId: -1, clientId: null };
  decodeHeaderStart(reader, header);
  decodeHeaderRest(reader, header);
  expect([header.apiKey, header.apiVersion]).toEqual([frame.apiKey, frame.version]);
  expect(header.clientId).toMatch(/^(rdkafka|kafkajs|naru|golden|console-|GetOffsetShell|adminclient-|producer-|consumer-|admin)/);
  return reader.position;
}

function tableOf(frame: Frame): Table {
  const api = apis.get(frame.apiKey);
  if (api === undefined) throw new Error(`no table for API ${frame.apiKey}`);
  return frame.isRequest ? api.request : api.response;
}

function bodies<T extends Table>(table: T, writer?: string): { version: number; body: MessageOf<T> }[] {
  return frames
    .filter((frame) => tableOf(frame) === table && (writer === undefined || frame.writer === writer))
    .map((frame) => ({
      version: frame.version,
      body: codec(table, frame.version).decode(new ByteReader(frame.bytes, bodyPosition(frame))),
    }));
}

describe('every frame', () => {
  it.each(frames)('$name', (frame) => {
    const { size, encode, decode } = codec(tableOf(frame), frame.version);
    const position = bodyPosition(frame);
    const reader = new ByteReader(frame.bytes, position);
    const message = decode(reader);
    expect(reader.remaining).toBe(0);
    expect(size(message)).toBe(frame.bytes.length - position);
    const again = Buffer.alloc(frame.bytes.length);
    frame.bytes.copy(again, 0, 0, position);
    const ranges = findRanges(message);
    const written = ranges.map((range) => frame.bytes.subarray(range.position, range.position + range.length));
    encode(message, new ByteWriter(again, position));
    for (const [i, range] of ranges.entries()) written[i]?.copy(again, range.position);
    expect(again.toString('hex')).toBe(frame.bytes.toString('hex'));
  });

  it('covers every version of every API that is served', () => {
    for (const {
      apiKey,
      versions: [first, last],
    } of served) {
      const versions = new Set(frames.filter((frame) => frame.apiKey === apiKey && !frame.isRequest).map((frame) => frame.version));
      for (let version = first; version <= last; version++) expect(versions, apiName(apiKey)).toContain(version);
    }
  });
});

/** The ranges in a message; encoding makes them gaps, to be filled by their owner. */
function findRanges(value: unknown): { position: number; length: number }[] {
  if (typeof value !== 'object' || value === null) return [];
  if ('position' in value && 'length' in value && typeof value.position === 'number' && typeof value.length === 'number') {
    return [value as { position: number; length: number }];
  }
  return Object.values(value).flatMap(findRanges);
}

describe('what they say', () => {
  it('a produce of the Java client names the topic by its id, and its batch lies in the frame', () => {
    const { version, body } = bodies(produceRequest, 'java')[0] ?? expect.fail('no such frame');
    expect(version).toBe(13);
    const [topic] = body.topicData;
    expect(topic?.name).toBe('');
    expect(topic?.topicId).toMatch(/^[A-Za-z0-9_-]{22}$/);
    const records = topic?.partitionData[0]?.records;
    expect(records).toMatchObject({ position: expect.any(Number), length: expect.any(Number) });
  });

  it('a fetch of the Java client starts a session at epoch 0 and knows of no feature for high watermarks', () => {
    const { body } = bodies(fetchRequest, 'java').find(({ body }) => body.topics.length > 0) ?? expect.fail('no such frame');
    expect(body).toMatchObject({ sessionId: 0, sessionEpoch: 0, replicaId: -1, isolationLevel: 0, clusterId: null });
    expect(body.topics[0]?.partitions[0]).toMatchObject({ fetchOffset: 0, lastFetchedEpoch: -1, highWatermark: 2n ** 63n - 1n });
  });

  it('a fetch of a partition that is not there is answered for that partition alone', () => {
    const [topic] = bodies(fetchResponse).find(({ version, body }) => version === 4 && body.responses.length > 0)?.body.responses ?? [];
    expect(topic?.topic).toBe('asked');
    expect(topic?.partitions.map((partition) => partition.errorCode)).toEqual([ERROR.NONE, ERROR.UNKNOWN_TOPIC_OR_PARTITION]);
    expect(topic?.partitions[0]).toMatchObject({ preferredReadReplica: -1, divergingEpoch: { epoch: -1, endOffset: -1 } });
  });

  it('metadata by name and by id is the same topic', () => {
    const asked = bodies(metadataResponse).filter(({ version, body }) => version >= 10 && body.topics[0]?.name === 'asked');
    expect(asked.length).toBeGreaterThanOrEqual(4);
    expect(new Set(asked.map(({ body }) => body.topics[0]?.topicId)).size).toBe(1);
    for (const { body } of asked) expect(body.topics[0]?.partitions.map((partition) => partition.replicaNodes)).toEqual([[1], [1]]);
  });

  it('created topics tell their configuration, with nulls where there is nothing to tell', () => {
    const { body } =
      bodies(createTopicsResponse).find(({ version, body }) => version === 7 && body.topics.length === 2) ?? expect.fail('no such frame');
    const [made, refused] = [...body.topics].sort((a, b) => a.errorCode - b.errorCode);
    expect(made?.configs?.find((config) => config.name === 'cleanup.policy')).toMatchObject({ value: 'delete', configSource: 5 });
    expect(refused).toMatchObject({ errorCode: ERROR.INVALID_TOPIC_EXCEPTION, numPartitions: -1 });
  });

  it('leader epochs end where the log ends', () => {
    for (const { body } of bodies(offsetForLeaderEpochResponse)) {
      const [known, unknown] = [...(body.topics[0]?.partitions ?? [])].sort((a, b) => a.partition - b.partition);
      expect([known?.errorCode, known?.leaderEpoch]).toEqual([ERROR.NONE, 0]);
      expect([unknown?.errorCode, unknown?.endOffset]).toEqual([ERROR.UNKNOWN_TOPIC_OR_PARTITION, -1]);
    }
  });
});
