// What a broker is filled with before its directory moves, and what whoever has the directory must show of it afterwards. All of it by
// the protocol alone, so that both brokers are asked the same.
import { createHash } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { addPartitionsToTxnRequest, addPartitionsToTxnResponse } from '../../src/protocol/apis/add-partitions-to-txn.ts';
import { alterClientQuotasRequest, alterClientQuotasResponse } from '../../src/protocol/apis/alter-client-quotas.ts';
import {
  alterUserScramCredentialsRequest,
  alterUserScramCredentialsResponse,
} from '../../src/protocol/apis/alter-user-scram-credentials.ts';
import { createAclsRequest, createAclsResponse } from '../../src/protocol/apis/create-acls.ts';
import { deleteRecordsRequest, deleteRecordsResponse } from '../../src/protocol/apis/delete-records.ts';
import { describeAclsRequest, describeAclsResponse } from '../../src/protocol/apis/describe-acls.ts';
import { describeClientQuotasRequest, describeClientQuotasResponse } from '../../src/protocol/apis/describe-client-quotas.ts';
import { describeConfigsRequest, describeConfigsResponse } from '../../src/protocol/apis/describe-configs.ts';
import {
  describeUserScramCredentialsRequest,
  describeUserScramCredentialsResponse,
} from '../../src/protocol/apis/describe-user-scram-credentials.ts';
import { endTxnRequest, endTxnResponse } from '../../src/protocol/apis/end-txn.ts';
import { findCoordinatorRequest, findCoordinatorResponse } from '../../src/protocol/apis/find-coordinator.ts';
import { incrementalAlterConfigsRequest, incrementalAlterConfigsResponse } from '../../src/protocol/apis/incremental-alter-configs.ts';
import { initProducerIdRequest, initProducerIdResponse } from '../../src/protocol/apis/init-producer-id.ts';
import { listOffsetsRequest, listOffsetsResponse } from '../../src/protocol/apis/list-offsets.ts';
import { metadataRequest, metadataResponse } from '../../src/protocol/apis/metadata.ts';
import { offsetCommitRequest, offsetCommitResponse } from '../../src/protocol/apis/offset-commit.ts';
import { offsetFetchRequest, offsetFetchResponse } from '../../src/protocol/apis/offset-fetch.ts';
import { produceRequest, produceResponse } from '../../src/protocol/apis/produce.ts';
import { ERROR } from '../../src/protocol/errors.ts';
import { COMPRESSION } from '../../src/protocol/records/batch.ts';
import { BatchBuilder } from '../../src/protocol/records/batch-builder.ts';

import type { Record as LogRecord } from '../../src/protocol/records/record.ts';
import { BASE_TIME_MS, labelled } from '../support/batches.ts';

import type { PartitionFetched, WireClient } from '../support/wire-client.ts';

export const TOPIC = 'moved.plain';
export const PARTITIONS = 3;
const CODECS = Object.entries(COMPRESSION);
export const GROUP = 'moved-group';
const COMPACTED_TOPIC = 'moved.compacted';
const TRANSACTIONAL_TOPIC = 'moved.transactions';
const RESOURCE = { TOPIC: 2, BROKER: 4, CLIENT_METRICS: 16, GROUP: 32 } as const;
const CONFIGURED: readonly (readonly [type: number, name: string, configs: Readonly<Record<string, string>>])[] = [
  [RESOURCE.TOPIC, TOPIC, { 'retention.ms': '-1', 'segment.bytes': '1048576', 'max.message.bytes': '2000000' }],
  [RESOURCE.BROKER, '', { 'log.retention.ms': '86400000' }],
  [RESOURCE.BROKER, '1', { 'log.segment.bytes': '2097152' }],
  [RESOURCE.GROUP, GROUP, { 'consumer.session.timeout.ms': '50000' }],
  [RESOURCE.CLIENT_METRICS, 'moved-metrics', { 'interval.ms': '60000', match: 'client_id=a.*' }],
];
/** DescribeConfigs sources that stand in the metadata. */
const METADATA_SOURCES: ReadonlySet<number> = new Set([1, 2, 3, 7, 8]);
const KEYED_ROUNDS = 4;
const KEY_COUNT = 5;
const ANY = 1;
const READ_COMMITTED = 1;

export interface Producer {
  readonly producerId: number;
  readonly producerEpoch: number;
  /** The sequence that comes next, in every partition of TOPIC. */
  nextSequence: number;
}

/** Fills a new broker with what both serve; gives the idempotent producer, which is to go on behind the move. */
export async function fill(client: WireClient): Promise<Producer> {
  await client.createTopic(TOPIC, PARTITIONS);
  for (const [codec] of CODECS) await client.createTopic(`moved.codec.${codec.toLowerCase()}`);
  await client.createTopic('moved.gone', 2);
  await client.createTopic(COMPACTED_TOPIC, 1, { 'cleanup.policy': 'compact', 'min.cleanable.dirty.ratio': '0.01', 'segment.ms': '100' });
  await produced(client, 'moved.gone', 0, labelled('gone', 0, 10));
  for (const [codec, compression] of CODECS) {
    for (let first = 0; first < 300; first += 100) {
      await produced(client, `moved.codec.${codec.toLowerCase()}`, 0, labelled(codec, first, 100, { compression, valueBytes: 100 }));
    }
  }
  const init = await retried(() =>
    client.ask(initProducerIdRequest, initProducerIdResponse, 4, { transactionalId: null, transactionTimeoutMs: 60_000 }),
  );
  refuseErrors('InitProducerId', [init]);
  const producer: Producer = { producerId: init.producerId, producerEpoch: init.producerEpoch, nextSequence: 0 };
  for (let round = 0; round < 6; round++) await goOn(client, producer, 'plain');
  for (let round = 0; round < KEYED_ROUNDS; round++) {
    await produced(client, COMPACTED_TOPIC, 0, keyed(round));
    await delay(150); // segment.ms: the next batch begins a segment.
  }
  for (const [resourceType, resourceName, configs] of CONFIGURED) await configure(client, resourceType, resourceName, configs);
  await deleteRecords(client, TOPIC, 1, 77);
  await commitOffsets(client, 33);
  await client.deleteTopic('moved.gone');
  return producer;
}

/** The next batch of the producer into every partition, each larger than a tenth of a segment. */
export async function goOn(client: WireClient, producer: Producer, label: string): Promise<void> {
  const { producerId, producerEpoch, nextSequence } = producer;
  for (let partition = 0; partition < PARTITIONS; partition++) {
    const options = { producerId, producerEpoch, baseSequence: nextSequence, valueBytes: 4000 };
    await produced(client, TOPIC, partition, labelled(label, nextSequence, 60, options));
  }
  producer.nextSequence += 60;
}

/** What a broker that lost the producer's state would accept, and what one that has it answers: the first offset of the repeated batch. */
export async function repeatLast(
  client: WireClient,
  { producerId, producerEpoch, nextSequence }: Producer,
  label: string,
): Promise<number> {
  const first = nextSequence - 60;
  const batch = labelled(label, first, 60, { producerId, producerEpoch, baseSequence: first, valueBytes: 4000 });
  return (await produced(client, TOPIC, 0, batch)).baseOffset;
}

/** The code that a batch of the producer's gets whose sequence leaves a gap. */
export async function leaveGap(client: WireClient, { producerId, producerEpoch, nextSequence }: Producer): Promise<number> {
  const batch = labelled('gap', 0, 1, { producerId, producerEpoch, baseSequence: nextSequence + 7 });
  return (await client.produce(TOPIC, 0, batch)).errorCode;
}

/** What Naru keeps without serving it: made by Apache Kafka. */
export async function fillUnserved(client: WireClient): Promise<void> {
  const acls = await client.ask(createAclsRequest, createAclsResponse, 3, {
    creations: ['alice', 'bob'].map((name) => ({
      resourceType: 2,
      resourceName: TOPIC,
      resourcePatternType: 3,
      principal: `User:${name}`,
      host: '*',
      operation: 3,
      permissionType: 3,
    })),
  });
  refuseErrors('CreateAcls', acls.results);
  const quotas = await client.ask(alterClientQuotasRequest, alterClientQuotasResponse, 1, {
    entries: [
      { entity: [{ entityType: 'user', entityName: 'alice' }], ops: [{ key: 'producer_byte_rate', value: 1e9, remove: false }] },
      { entity: [{ entityType: 'client-id', entityName: null }], ops: [{ key: 'request_percentage', value: 150.5, remove: false }] },
    ],
  });
  refuseErrors('AlterClientQuotas', quotas.entries);
  const scram = await client.ask(alterUserScramCredentialsRequest, alterUserScramCredentialsResponse, 0, {
    upsertions: [{ name: 'alice', mechanism: 1, iterations: 4096, salt: Buffer.from('salt'), saltedPassword: Buffer.alloc(32, 7) }],
  });
  refuseErrors('AlterUserScramCredentials', scram.results);
}

/** A committed transaction, then an aborted one, and, where asked for, one that stays open, each with plain records behind it. */
export async function fillTransactions(client: WireClient, isLastOpen: boolean): Promise<void> {
  await client.createTopic(TRANSACTIONAL_TOPIC);
  const outcomes = ['commit', 'abort', 'abort', ...(isLastOpen ? ['open'] : [])];
  for (const [index, outcome] of outcomes.entries()) {
    const transactionalId = `moved-${index}`;
    await findCoordinator(client, 1, transactionalId);
    const init = await retried(() =>
      client.ask(initProducerIdRequest, initProducerIdResponse, 4, { transactionalId, transactionTimeoutMs: 600_000 }),
    );
    const { producerId, producerEpoch } = init;
    const added = await retried(async () => {
      const answer = await client.ask(addPartitionsToTxnRequest, addPartitionsToTxnResponse, 3, {
        v3AndBelowTransactionalId: transactionalId,
        v3AndBelowProducerId: producerId,
        v3AndBelowProducerEpoch: producerEpoch,
        v3AndBelowTopics: [{ name: TRANSACTIONAL_TOPIC, partitions: [0] }],
      });
      return { errorCode: answer.resultsByTopicV3AndBelow[0]?.resultsByPartition[0]?.partitionErrorCode ?? -1 };
    });
    refuseErrors('AddPartitionsToTxn', [added]);
    const batch = labelled(outcome, index * 10, 10, { producerId, producerEpoch, baseSequence: 0, isTransactional: true });
    await produced(client, TRANSACTIONAL_TOPIC, 0, batch, transactionalId);
    if (outcome !== 'open') {
      const committed = outcome === 'commit';
      refuseErrors('EndTxn', [
        await client.ask(endTxnRequest, endTxnResponse, 3, { transactionalId, producerId, producerEpoch, committed }),
      ]);
      for (let end = 11 * (index + 1) + index; (await client.offsetAt(TRANSACTIONAL_TOPIC, 0, -1)) < end; ) await delay(20); // The marker.
    }
    await produced(client, TRANSACTIONAL_TOPIC, 0, labelled('between', index, 1));
  }
}

/** All that a broker says of what it was filled with, in a form that is the same at whoever has it. */
export async function shown(client: WireClient): Promise<Record<string, unknown>> {
  const { topics } = await client.ask(metadataRequest, metadataResponse, 12, { topics: null });
  const logs: Record<string, unknown> = {};
  for (const { name, partitions } of topics) {
    if (name === null || name.startsWith('__')) continue;
    for (const { partitionIndex } of partitions) logs[`${name}-${partitionIndex}`] = await logOf(client, name, partitionIndex);
  }
  const configs: Record<string, unknown> = {};
  for (const [resourceType, resourceName] of CONFIGURED)
    configs[`${resourceType} ${resourceName}`] = await configsOf(client, resourceType, resourceName);
  const quotas = await client.ask(describeClientQuotasRequest, describeClientQuotasResponse, 1, { components: [], strict: false });
  const scram = await client.ask(describeUserScramCredentialsRequest, describeUserScramCredentialsResponse, 0, { users: null });
  return {
    topics: topics.map(({ name, topicId, partitions }) => `${name} ${topicId} ${partitions.length}`).sort(),
    logs,
    configs,
    quotas: quotas.entries?.map((entry) => JSON.stringify(entry)).sort(),
    scram: scram.results,
    offsets: await offsetsOf(client),
  };
}

/** Waits until the log's cleaner has left gaps between the offsets of the compacted topic. */
export async function untilCompacted(client: WireClient): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt++) {
    if ((await client.readAll(COMPACTED_TOPIC)).length < KEYED_ROUNDS * KEY_COUNT) return;
    await delay(200);
  }
  throw new Error('nothing was compacted');
}

/** The access control list; a broker without an authorizer shows none. */
export async function aclsOf(client: WireClient): Promise<string[]> {
  const answer = await client.ask(describeAclsRequest, describeAclsResponse, 3, {
    resourceTypeFilter: ANY,
    patternTypeFilter: ANY,
    resourceNameFilter: null,
    principalFilter: null,
    hostFilter: null,
    operation: ANY,
    permissionType: ANY,
  });
  refuseErrors('DescribeAcls', [answer]);
  return answer.resources.flatMap(({ resourceName, acls }) => acls.map((acl) => `${resourceName} ${JSON.stringify(acl)}`)).sort();
}

/** What a reader of committed records alone is given: data, and which producers' records to leave out from where on. */
export async function committedOf(client: WireClient): Promise<unknown> {
  const { partitions } = await client.fetch({
    isolationLevel: READ_COMMITTED,
    topics: [{ topic: TRANSACTIONAL_TOPIC, partitions: [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1 << 20 }] }],
  });
  const [fetched] = partitions;
  const behind = await client.fetch({
    isolationLevel: READ_COMMITTED,
    topics: [{ topic: TRANSACTIONAL_TOPIC, partitions: [{ partition: 0, fetchOffset: 24, partitionMaxBytes: 1 << 20 }] }],
  });
  const summary = (part: PartitionFetched | undefined): unknown => [
    part?.errorCode,
    part?.lastStableOffset,
    part?.abortedTransactions,
    part?.records.map(({ offset }) => offset),
  ];
  return [summary(fetched), summary(behind.partitions[0])];
}

export async function commitOffsets(client: WireClient, offset: number): Promise<void> {
  await findCoordinator(client, 0, GROUP);
  const answer = await retried(async () => {
    const { topics } = await client.ask(offsetCommitRequest, offsetCommitResponse, 8, {
      groupId: GROUP,
      topics: [
        {
          name: TOPIC,
          partitions: Array.from({ length: PARTITIONS }, (_, partitionIndex) => ({
            partitionIndex,
            committedOffset: offset + partitionIndex,
            committedMetadata: `at ${offset}`,
          })),
        },
      ],
    });
    return { errorCode: topics[0]?.partitions[0]?.errorCode ?? -1 };
  });
  refuseErrors('OffsetCommit', [answer]);
}

export async function deleteRecords(client: WireClient, name: string, partitionIndex: number, offset: number): Promise<void> {
  const answer = await client.ask(deleteRecordsRequest, deleteRecordsResponse, 2, {
    topics: [{ name, partitions: [{ partitionIndex, offset }] }],
    timeoutMs: 10_000,
  });
  refuseErrors('DeleteRecords', answer.topics[0]?.partitions ?? []);
}

export async function configure(
  client: WireClient,
  resourceType: number,
  resourceName: string,
  configs: Readonly<Record<string, string>>,
): Promise<void> {
  const answer = await client.ask(incrementalAlterConfigsRequest, incrementalAlterConfigsResponse, 1, {
    resources: [
      { resourceType, resourceName, configs: Object.entries(configs).map(([name, value]) => ({ name, configOperation: 0, value })) },
    ],
  });
  refuseErrors(`configuring ${resourceType} ${resourceName}`, answer.responses);
}

/** Has the coordinator's topic made where it is not there yet. `keyType` 0 is a group, 1 a transaction. */
async function findCoordinator(client: WireClient, keyType: number, key: string): Promise<void> {
  const answer = await retried(async () => {
    const { coordinators } = await client.ask(findCoordinatorRequest, findCoordinatorResponse, 4, { keyType, coordinatorKeys: [key] });
    return coordinators[0] ?? { errorCode: -1 };
  });
  refuseErrors('FindCoordinator', [answer]);
}

/** Apache Kafka answers requests before it leads its partitions. */
export async function untilLed(client: WireClient, topic: string, partition: number): Promise<void> {
  const ask = { replicaId: -1, topics: [{ name: topic, partitions: [{ partitionIndex: partition, timestamp: -1 }] }] };
  const led = await retried(async () => {
    const { topics } = await client.ask(listOffsetsRequest, listOffsetsResponse, 7, ask);
    return topics[0]?.partitions[0] ?? { errorCode: -1 };
  });
  refuseErrors(`ListOffsets of ${topic}-${partition}`, [led]);
}

async function logOf(client: WireClient, topic: string, partition: number): Promise<unknown> {
  await untilLed(client, topic, partition);
  const records = await client.readAll(topic, partition);
  // A cleaner may run at any moment: what stays is the last value of each key.
  if (topic === COMPACTED_TOPIC) return Object.fromEntries(records.map(({ key, value }) => [textOf(key), textOf(value)]));
  return {
    start: await client.offsetAt(topic, partition, -2),
    end: await client.offsetAt(topic, partition, -1),
    records: `${records.length}, ${digestOf(records)}`,
  };
}

async function configsOf(client: WireClient, resourceType: number, resourceName: string): Promise<unknown> {
  const answer = await client.ask(describeConfigsRequest, describeConfigsResponse, 4, {
    resources: [{ resourceType, resourceName, configurationKeys: null }],
    includeSynonyms: false,
  });
  refuseErrors(`DescribeConfigs of ${resourceType} ${resourceName}`, answer.results);
  const set = answer.results[0]?.configs.filter(({ configSource }) => METADATA_SOURCES.has(configSource)) ?? [];
  return set.map(({ name, value, configSource }) => `${name}=${value} (${configSource})`).sort();
}

/** The committed offsets of a group, by topic and partition. */
export async function offsetsOf(client: WireClient, groupId = GROUP): Promise<unknown> {
  await findCoordinator(client, 0, groupId);
  const answer = await retried(async () => {
    const { groups } = await client.ask(offsetFetchRequest, offsetFetchResponse, 8, { groups: [{ groupId, topics: null }] });
    return groups[0] ?? { errorCode: -1, topics: [] };
  });
  refuseErrors('OffsetFetch', [answer]);
  return answer.topics.map(({ name, partitions }) => ({
    name,
    partitions: [...partitions].sort((a, b) => a.partitionIndex - b.partitionIndex),
  }));
}

/** Asks again while a coordinator is being made or loaded, or a transaction before is being ended. */
export async function retried<T extends { readonly errorCode: number }>(ask: () => Promise<T>): Promise<T> {
  const transient: readonly number[] = [
    ERROR.COORDINATOR_LOAD_IN_PROGRESS,
    ERROR.COORDINATOR_NOT_AVAILABLE,
    ERROR.NOT_COORDINATOR,
    ERROR.CONCURRENT_TRANSACTIONS,
    ERROR.UNKNOWN_TOPIC_OR_PARTITION,
    ERROR.NOT_LEADER_OR_FOLLOWER,
  ];
  for (let attempt = 0; ; attempt++) {
    const answer = await ask();
    if (!transient.includes(answer.errorCode) || attempt === 200) return answer;
    await delay(50);
  }
}

async function produced(
  client: WireClient,
  topic: string,
  partition: number,
  batch: Uint8Array,
  transactionalId: string | null = null,
): Promise<{ baseOffset: number }> {
  const found = await retried(async () => {
    const answer = await client.ask(produceRequest, produceResponse, 11, {
      transactionalId,
      acks: -1,
      timeoutMs: 10_000,
      topicData: [{ name: topic, partitionData: [{ index: partition, records: batch }] }],
    });
    const [partitionAnswer] = answer.responses.flatMap(({ partitionResponses }) => partitionResponses);
    return partitionAnswer ?? { errorCode: -1, errorMessage: 'an empty answer', baseOffset: -1 };
  });
  refuseErrors(`Produce to ${topic}-${partition}`, [found]);
  return found;
}

function keyed(round: number): Uint8Array {
  const builder = new BatchBuilder();
  for (let key = 0; key < KEY_COUNT; key++) {
    builder.append({ key: Buffer.from(`key ${key}`), value: Buffer.from(`round ${round}`), timestampMs: BASE_TIME_MS + round * 1000 });
  }
  return builder.build();
}

/** Of all that is in them, with their offsets. */
function digestOf(records: readonly LogRecord[]): string {
  const hash = createHash('sha256');
  for (const { offset, timestampMs, key, value } of records) hash.update(`${offset} ${timestampMs} ${textOf(key)} ${textOf(value)}\n`);
  return hash.digest('hex').slice(0, 16);
}

function textOf(bytes: Uint8Array | null): string {
  return bytes === null ? 'null' : Buffer.from(bytes).toString('latin1');
}

export function refuseErrors(
  what: string,
  answers: readonly { readonly errorCode: number; readonly errorMessage?: string | null }[],
): void {
  for (const { errorCode, errorMessage } of answers) if (errorCode !== 0) throw new Error(`${what}: ${errorCode} ${errorMessage ?? ''}`);
}
