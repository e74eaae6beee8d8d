// Questions to a broker with three log directories, `one`, `two` and `three`, before and after `two` is moved away under it. Takes a broker
// without topics that writes checkpoints each second, since that is when Apache Kafka notices.
import { renameSync } from 'node:fs';
import { basename } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { alterReplicaLogDirsRequest, alterReplicaLogDirsResponse } from '../../src/protocol/apis/alter-replica-log-dirs.ts';
import { createPartitionsRequest, createPartitionsResponse } from '../../src/protocol/apis/create-partitions.ts';
import { createTopicsRequest, createTopicsResponse } from '../../src/protocol/apis/create-topics.ts';
import { deleteRecordsRequest, deleteRecordsResponse } from '../../src/protocol/apis/delete-records.ts';
import { deleteTopicsRequest, deleteTopicsResponse } from '../../src/protocol/apis/delete-topics.ts';
import {
  type DescribeLogDirsResponse,
  describeLogDirsRequest,
  describeLogDirsResponse,
} from '../../src/protocol/apis/describe-log-dirs.ts';
import { describeProducersRequest, describeProducersResponse } from '../../src/protocol/apis/describe-producers.ts';
import { describeTopicPartitionsRequest, describeTopicPartitionsResponse } from '../../src/protocol/apis/describe-topic-partitions.ts';
import { electLeadersRequest, electLeadersResponse } from '../../src/protocol/apis/elect-leaders.ts';
import { fetchRequest, fetchResponse } from '../../src/protocol/apis/fetch.ts';
import { incrementalAlterConfigsRequest, incrementalAlterConfigsResponse } from '../../src/protocol/apis/incremental-alter-configs.ts';
import { listOffsetsRequest, listOffsetsResponse } from '../../src/protocol/apis/list-offsets.ts';
import { metadataRequest, metadataResponse } from '../../src/protocol/apis/metadata.ts';
import { offsetForLeaderEpochRequest, offsetForLeaderEpochResponse } from '../../src/protocol/apis/offset-for-leader-epoch.ts';
import { produceRequest, produceResponse } from '../../src/protocol/apis/produce.ts';
import { AnswerBook } from './answer-book.ts';
import { labelled } from './batches.ts';
import { isForeign } from './target.ts';
import type { WireClient } from './wire-client.ts';

export const DIRECTORY_NAMES = ['one', 'two', 'three'];
/** One partition each, made one after the other: so each lies in the directory of its place. */
const TOPICS = ['first', 'second', 'third'];
const BROKER = 4;
const LOOK_EACH_MS = 100;
const NOTICED_WITHIN_MS = 60_000;

/** Asks everything; gives the answers by case. */
export async function askDirectoryCases(port: number): Promise<Map<string, unknown>> {
  const book = await AnswerBook.open(port);
  for (const topic of TOPICS) {
    await book.client.createTopic(topic, 1);
    await book.client.produce(topic, 0, labelled(topic, 0, 3));
  }
  const paths = await pathsOf(book.client);
  const [one = '', two = '', three = ''] = DIRECTORY_NAMES.map((name) => paths.find((path) => basename(path) === name) ?? '');
  await askForDirectories(book, 'before');
  await askForMoves(book, 'before', { one, three });
  await askOfCordons(book, one);
  renameSync(two, `${two}-away`);
  try {
    await untilLeaderless(book.client);
    await askForDirectories(book, 'after');
    await askForMoves(book, 'after', { two, three });
    await askOfPartitions(book);
    await askForNewOnes(book);
  } finally {
    renameSync(`${two}-away`, two);
  }
  return book.close();
}

async function pathsOf(client: WireClient): Promise<string[]> {
  const { results } = await client.ask(describeLogDirsRequest, describeLogDirsResponse, 4, { topics: null });
  return results.map(({ logDir }) => logDir);
}

async function untilLeaderless(client: WireClient): Promise<void> {
  const deadline = performance.now() + NOTICED_WITHIN_MS;
  while ((await client.metadata('second')).topics[0]?.partitions[0]?.leaderId !== -1) {
    if (performance.now() > deadline) throw new Error(`nobody has noticed within ${NOTICED_WITHIN_MS} ms that a directory is gone`);
    await delay(LOOK_EACH_MS);
  }
}

/** By the directories' names; sizes of volumes are the machine's. */
function directories(answer: DescribeLogDirsResponse): unknown {
  const results = answer.results.map(({ totalBytes, usableBytes, logDir, topics, ...rest }) => ({
    logDir: basename(logDir),
    ...rest,
    volume: totalBytes === -1 && usableBytes === -1 ? 'untold' : totalBytes >= usableBytes && usableBytes > 0 ? '<sizes>' : 'odd',
    topics,
  }));
  return { ...answer, results: results.sort((a, b) => (a.logDir < b.logDir ? -1 : 1)) };
}

async function askForDirectories(book: AnswerBook, when: string): Promise<void> {
  for (const version of [1, 5]) {
    await book.ask(`all, ${when}`, describeLogDirsRequest, describeLogDirsResponse, version, { topics: null }, directories);
  }
  const second = [{ topic: 'second', partitions: [0] }];
  await book.ask(`what is in one of them, ${when}`, describeLogDirsRequest, describeLogDirsResponse, 4, { topics: second }, directories);
}

async function askForMoves(book: AnswerBook, when: string, targets: Readonly<Record<string, string>>): Promise<void> {
  const move = (label: string, path: string, name: string) =>
    book.ask(`${label}, ${when}`, alterReplicaLogDirsRequest, alterReplicaLogDirsResponse, 2, {
      dirs: [{ path, topics: [{ name, partitions: [0] }] }],
    });
  if (targets.one !== undefined) await move('where it is', targets.one, 'first');
  if (targets.two !== undefined) {
    await move('into the one that is gone', targets.two, 'first');
    await move('where it was', targets.two, 'second');
    await move('out of the one that is gone', targets.three ?? '', 'second');
  }
  await move('where no directory is', '/nowhere', 'first');
  await move('a topic that is not there', targets.three ?? '', 'missing');
}

/** cordoned.log.dirs; Apache Kafka's broker tells its controller with the next heartbeat. */
async function askOfCordons(book: AnswerBook, one: string): Promise<void> {
  const create = (label: string, name: string) =>
    book.ask(
      label,
      createTopicsRequest,
      createTopicsResponse,
      7,
      { topics: [{ name, numPartitions: 2, replicationFactor: 1 }] },
      ({ topics }) => topics.map((topic) => ({ ...topic, configs: [] })),
    );
  await cordon(book.client, one, 1);
  await book.ask('all, one cordoned', describeLogDirsRequest, describeLogDirsResponse, 5, { topics: [] }, directories);
  await create('past a cordon', 'spared');
  book.answers.set('partitions in each directory, past a cordon', await countsOf(book.client, 5));
  await cordon(book.client, '*', DIRECTORY_NAMES.length);
  await create('all cordoned', 'nowhere');
  await book.ask('all cordoned', createPartitionsRequest, createPartitionsResponse, 3, {
    topics: [{ name: 'first', count: 2, assignments: null }],
    timeoutMs: 5000,
  });
  await cordon(book.client, null, 0);
  await book.client.deleteTopic('spared');
}

/** Null takes the option back; `count` directories are cordoned then. */
async function cordon(client: WireClient, value: string | null, count: number): Promise<void> {
  const configs = [{ name: 'cordoned.log.dirs', configOperation: value === null ? 1 : 0, value }];
  const { responses } = await client.ask(incrementalAlterConfigsRequest, incrementalAlterConfigsResponse, 1, {
    resources: [{ resourceType: BROKER, resourceName: '1', configs }],
  });
  if (responses[0]?.errorCode !== 0) throw new Error(`cordoned.log.dirs=${value}: ${responses[0]?.errorMessage}`);
  const deadline = performance.now() + NOTICED_WITHIN_MS;
  for (;;) {
    const { results } = await client.ask(describeLogDirsRequest, describeLogDirsResponse, 5, { topics: [] });
    // The controller may hear of it later than that.
    if (results.filter(({ isCordoned }) => isCordoned).length === count) return delay(LOOK_EACH_MS * (isForeign ? 30 : 1));
    if (performance.now() > deadline) throw new Error(`nothing is cordoned within ${NOTICED_WITHIN_MS} ms`);
    await delay(LOOK_EACH_MS);
  }
}

/** By directory, once there are `total`: Apache Kafka answers before its partitions are made. */
async function countsOf(client: WireClient, total: number): Promise<Record<string, number>> {
  const deadline = performance.now() + NOTICED_WITHIN_MS;
  for (;;) {
    const { results } = await client.ask(describeLogDirsRequest, describeLogDirsResponse, 4, { topics: null });
    const counts = results
      .map(({ logDir, topics }): [string, number] => [basename(logDir), topics.flatMap(({ partitions }) => partitions).length])
      .sort(([a], [b]) => (a < b ? -1 : 1));
    if (counts.reduce((sum, [, count]) => sum + count, 0) === total || performance.now() > deadline) return Object.fromEntries(counts);
    await delay(LOOK_EACH_MS);
  }
}

async function askOfPartitions(book: AnswerBook): Promise<void> {
  for (const topic of ['second', 'third']) {
    await book.ask(topic, metadataRequest, metadataResponse, 12, { topics: [{ name: topic }], allowAutoTopicCreation: false });
    await book.ask(topic, describeTopicPartitionsRequest, describeTopicPartitionsResponse, 0, { topics: [{ name: topic }] });
    const records = labelled(topic, 3, 1);
    await book.ask(topic, produceRequest, produceResponse, 9, {
      acks: -1,
      timeoutMs: 5000,
      topicData: [{ name: topic, partitionData: [{ index: 0, records }] }],
    });
    const fetch = { topic, partitions: [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1 }] };
    await book.ask(topic, fetchRequest, fetchResponse, 12, { maxWaitMs: 0, maxBytes: 1000, topics: [fetch] }, withoutRecords);
    await book.ask(topic, listOffsetsRequest, listOffsetsResponse, 7, {
      replicaId: -1,
      topics: [{ name: topic, partitions: [{ partitionIndex: 0, timestamp: -1 }] }],
    });
    await book.ask(topic, offsetForLeaderEpochRequest, offsetForLeaderEpochResponse, 4, {
      topics: [{ topic, partitions: [{ partition: 0, leaderEpoch: 0 }] }],
    });
    await book.ask(topic, describeProducersRequest, describeProducersResponse, 0, { topics: [{ name: topic, partitionIndexes: [0] }] });
    await book.ask(topic, deleteRecordsRequest, deleteRecordsResponse, 2, {
      topics: [{ name: topic, partitions: [{ partitionIndex: 0, offset: 1 }] }],
      timeoutMs: 5000,
    });
    for (const electionType of [0, 1]) {
      const kind = electionType === 0 ? 'preferred' : 'unclean';
      const topicPartitions = [{ topic, partitions: [0] }];
      await book.ask(`${topic}, ${kind}`, electLeadersRequest, electLeadersResponse, 2, { electionType, topicPartitions, timeoutMs: 5000 });
    }
  }
}

/** That there are some. */
function withoutRecords(answer: { responses: readonly object[] }): unknown {
  return JSON.parse(
    JSON.stringify(answer, (key, value) => (key !== 'records' ? value : value === null || value.length === 0 ? 'none' : '<records>')),
  );
}

async function askForNewOnes(book: AnswerBook): Promise<void> {
  await book.ask('of a topic without a leader', createPartitionsRequest, createPartitionsResponse, 3, {
    topics: [{ name: 'second', count: 3, assignments: null }],
    timeoutMs: 5000,
  });
  const topics = [{ name: 'fourth', numPartitions: 2, replicationFactor: 1 }];
  await book.ask('new', createTopicsRequest, createTopicsResponse, 7, { topics, timeoutMs: 5000 }, (answer) => ({
    ...answer,
    topics: answer.topics.map((topic) => ({ ...topic, configs: [] })),
  }));
  book.answers.set('partitions in each directory, after new ones', await countsOf(book.client, 6));
  await book.ask('with a part that is offline', deleteTopicsRequest, deleteTopicsResponse, 6, {
    topics: [{ name: 'second' }],
    timeoutMs: 5000,
  });
  await book.ask('deleted', metadataRequest, metadataResponse, 12, { topics: [{ name: 'second' }], allowAutoTopicCreation: false });
}
