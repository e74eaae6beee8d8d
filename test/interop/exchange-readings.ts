// What a broker says of the exchange's topics, by the protocol alone: each record of their logs, and all else that must move with them.
import { createHash } from 'node:crypto';
import { describeConfigsRequest, describeConfigsResponse } from '../../src/protocol/apis/describe-configs.ts';
import {
  type DescribeProducersResponse,
  describeProducersRequest,
  describeProducersResponse,
} from '../../src/protocol/apis/describe-producers.ts';
import { metadataRequest, metadataResponse } from '../../src/protocol/apis/metadata.ts';
import { batchPositions, batchSizeBytes, isControl, lastOffset, TIMESTAMP_TYPE, timestampType } from '../../src/protocol/records/batch.ts';
import { readRecords } from '../../src/protocol/records/records.ts';
import type { WireClient } from '../support/wire-client.ts';
import { offsetsOf, refuseErrors, untilLed } from './directory-story.ts';
import type { ReadRecord, TopicSpec } from './exchange-model.ts';

type ActiveProducer = DescribeProducersResponse['topics'][number]['partitions'][number]['activeProducers'][number];

const TOPIC_RESOURCE = 2;
const READ_BYTES = 4 << 20;

export interface LogReading {
  readonly records: readonly ReadRecord[];
  readonly logStartOffset: number;
  readonly logEndOffset: number;
  /** Of the batches as they are stored: codecs, producers, sequences, leader epochs and markers of transactions among them. */
  readonly batchDigest: string;
}

/** All of a partition, from its start to its end. */
export async function readLog(client: WireClient, topic: string, partition: number): Promise<LogReading> {
  const logStartOffset = await client.offsetAt(topic, partition, -2);
  const records: ReadRecord[] = [];
  const digest = createHash('sha256');
  for (let offset = logStartOffset; ; ) {
    const { errorCode, highWatermark, batches } = await client.fetchFrom(topic, partition, offset, READ_BYTES);
    if (errorCode !== 0) throw new Error(`Fetch of ${topic}-${partition} at ${offset}: ${errorCode}`);
    const before = offset;
    for (const position of batchPositions(batches)) {
      offset = lastOffset(batches, position) + 1;
      digest.update(batches.subarray(position, position + batchSizeBytes(batches, position)));
      if (!isControl(batches, position)) records.push(...recordsOf(batches, position, partition));
    }
    // What compaction has removed at the end of the log is no reason to wait.
    if (offset >= highWatermark || batches.length === 0)
      return { records, logStartOffset, logEndOffset: highWatermark, batchDigest: digest.digest('hex') };
    if (offset === before) throw new Error(`no whole batch of ${topic}-${partition} at ${offset}, below ${highWatermark}`);
  }
}

function recordsOf(batches: Buffer, position: number, partition: number): ReadRecord[] {
  const isStamped = timestampType(batches, position) === TIMESTAMP_TYPE.LOG_APPEND_TIME;
  return readRecords(batches, position).map(({ offset, timestampMs, key, value, headers }) => ({
    partition,
    offset,
    timestampType: isStamped ? 'L' : 'C',
    timestampMs,
    key: textOf(key),
    value: textOf(value),
    headers: headers.map((header) => `${header.key}=${textOf(header.value) ?? '~'};`).join(''),
  }));
}

function textOf(bytes: Uint8Array | null): string | null {
  return bytes === null ? null : Buffer.from(bytes).toString('latin1');
}

/** What must be the same at each owner of the directory, but for the records. */
export async function factsOf(client: WireClient, topics: readonly TopicSpec[], groups: readonly string[]): Promise<unknown> {
  for (const { name, partitionCount } of topics)
    for (let partition = 0; partition < partitionCount; partition++) await untilLed(client, name, partition);
  const metadata = await client.ask(metadataRequest, metadataResponse, 12, { topics: topics.map(({ name }) => ({ name })) });
  const configs = await client.ask(describeConfigsRequest, describeConfigsResponse, 4, {
    resources: topics.map(({ name }) => ({ resourceType: TOPIC_RESOURCE, resourceName: name, configurationKeys: null })),
    includeSynonyms: false,
  });
  refuseErrors('DescribeConfigs', configs.results);
  const offsets: Record<string, unknown> = {};
  for (const group of groups) offsets[group] = await offsetsOf(client, group);
  return {
    clusterId: metadata.clusterId,
    topics: metadata.topics.map(({ name, topicId, partitions }) => `${name} ${topicId} ${partitions.length}`).sort(),
    configs: Object.fromEntries(
      configs.results.map(({ resourceName, configs: all }) => [
        resourceName,
        all.map(({ name, value, configSource }) => `${name}=${value} (${configSource})`).sort(),
      ]),
    ),
    producers: await producersOf(client, topics),
    offsets,
  };
}

/** The producers that each partition knows, once all of them are led. */
export async function producersOf(client: WireClient, topics: readonly TopicSpec[]): Promise<Record<string, readonly ActiveProducer[]>> {
  for (const { name, partitionCount } of topics)
    for (let partition = 0; partition < partitionCount; partition++) await untilLed(client, name, partition);
  const answer = await client.ask(describeProducersRequest, describeProducersResponse, 0, {
    topics: topics.map(({ name, partitionCount }) => ({ name, partitionIndexes: Array.from({ length: partitionCount }, (_, i) => i) })),
  });
  const found = answer.topics.flatMap(({ name, partitions }) => partitions.map((partition) => ({ name, ...partition })));
  refuseErrors('DescribeProducers', found);
  return Object.fromEntries(
    found.map(({ name, partitionIndex, activeProducers }) => [
      `${name}-${partitionIndex}`,
      [...activeProducers].sort((a, b) => a.producerId - b.producerId),
    ]),
  );
}
