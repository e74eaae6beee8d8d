// Odd questions to CreateTopics, DeleteTopics and Metadata: limits of time, duplicates, names and ids that contradict each other.
// Takes a broker without topics, and leaves none behind.
import { setTimeout as delay } from 'node:timers/promises';
import { ZERO_UUID } from '../../src/base/uuid.ts';
import { apiVersionsRequest, apiVersionsResponse } from '../../src/protocol/apis/api-versions.ts';
import { type CreateTopicsRequest, createTopicsRequest, createTopicsResponse } from '../../src/protocol/apis/create-topics.ts';
import { type DeleteTopicsRequest, deleteTopicsRequest, deleteTopicsResponse } from '../../src/protocol/apis/delete-topics.ts';
import {
  type DescribeTopicPartitionsRequest,
  describeTopicPartitionsRequest,
  describeTopicPartitionsResponse,
} from '../../src/protocol/apis/describe-topic-partitions.ts';
import { type MetadataRequest, metadataRequest, metadataResponse } from '../../src/protocol/apis/metadata.ts';
import { AnswerBook } from './answer-book.ts';
import type { Sparse } from './messages.ts';

const UNKNOWN_ID = 'xxxxxxxxxxxxxxxxxxxxxQ';
const TRIES = 250;
const PAUSE_MS = 20;

type Topic = Sparse<CreateTopicsRequest['topics'][number]>;

const plain = (name: string): Topic => ({ name, numPartitions: 1, replicationFactor: 1 });
const byHand = (name: string, ...assignments: [partitionIndex: number, ...brokerIds: number[]][]): Topic => ({
  name,
  numPartitions: -1,
  replicationFactor: -1,
  assignments: assignments.map(([partitionIndex, ...brokerIds]) => ({ partitionIndex, brokerIds })),
});
const configured = (name: string, ...configs: [name: string, value: string | null][]): Topic => ({
  ...plain(name),
  configs: configs.map(([key, value]) => ({ name: key, value })),
});

export async function askTopicAdminCases(port: number): Promise<Map<string, unknown>> {
  const book = await AnswerBook.open(port);

  const create = (label: string, version: number, request: Sparse<CreateTopicsRequest>): Promise<void> =>
    book.ask(label, createTopicsRequest, createTopicsResponse, version, { timeoutMs: 5000, ...request });
  const remove = (label: string, version: number, request: Sparse<DeleteTopicsRequest>): Promise<void> =>
    book.ask(label, deleteTopicsRequest, deleteTopicsResponse, version, { timeoutMs: 5000, ...request });
  const metadata = (label: string, version: number, request: Sparse<MetadataRequest>): Promise<void> =>
    book.ask(label, metadataRequest, metadataResponse, version, { allowAutoTopicCreation: false, ...request });
  /** Apache has deleted a topic some time after it has said so. */
  async function untilTopicsAre(...names: string[]): Promise<void> {
    for (let attempt = 0; attempt < TRIES; attempt++) {
      const { topics } = await book.client.ask(metadataRequest, metadataResponse, 12, { topics: null });
      const led = topics.filter((topic) => topic.partitions.every((partition) => partition.errorCode === 0)).map((topic) => topic.name);
      if (topics.length === led.length && led.sort().join() === names.join()) return;
      await delay(PAUSE_MS);
    }
    throw new Error(`there never were the topics ${names}`);
  }

  for (const version of [2, 4, 5, 7]) {
    for (const timeoutMs of [0, -1, -5000]) {
      await create(`with ${timeoutMs} ms`, version, { topics: [plain('late'), plain('bad!')], timeoutMs });
      await create(`validated only, with ${timeoutMs} ms`, version, { topics: [plain('late')], timeoutMs, validateOnly: true });
    }
  }
  await create('no topics, with -1 ms', 7, { topics: [], timeoutMs: -1 });
  await create('the same twice, with -1 ms', 7, { topics: [plain('late'), plain('late')], timeoutMs: -1 });
  await create('the same twice and another, with -1 ms', 7, { topics: [plain('late'), plain('late'), plain('later')], timeoutMs: -1 });
  await create('the metadata topic, with -1 ms', 7, { topics: [plain('__cluster_metadata')], timeoutMs: -1 });
  await metadata('after topics that came too late', 12, { topics: [{ name: 'late' }] });
  for (const version of [1, 3, 4, 5]) {
    for (const timeoutMs of [0, -1, -5000]) await remove(`with ${timeoutMs} ms`, version, { topicNames: ['late', 'missing'], timeoutMs });
  }
  await remove('with -1 ms', 6, {
    topics: [{ name: 'missing' }, { topicId: UNKNOWN_ID }, { name: 'x', topicId: UNKNOWN_ID }],
    timeoutMs: -1,
  });
  await remove('a name twice, with -1 ms', 6, { topics: [{ name: 'missing' }, { name: 'missing' }], timeoutMs: -1 });
  await remove('a name twice and an id, with -1 ms', 6, {
    topics: [{ name: 'missing' }, { name: 'missing' }, { topicId: UNKNOWN_ID }],
    timeoutMs: -1,
  });
  await remove('both and neither, with -1 ms', 6, {
    topics: [
      { name: 'x', topicId: UNKNOWN_ID },
      { name: null, topicId: ZERO_UUID },
    ],
    timeoutMs: -1,
  });
  await remove('no topics, with -1 ms', 6, { topics: [], timeoutMs: -1 });

  for (const version of [2, 5, 7]) {
    await create('validated only', version, { topics: [plain('kept'), configured('set', ['retention.ms', '7'])], validateOnly: true });
    await create('the same three times', version, { topics: [plain('kept'), plain('kept'), plain('kept')] });
    await create('the same twice, validated only', version, { topics: [plain('kept'), plain('kept')], validateOnly: true });
    await create('no value', version, { topics: [configured('set', ['retention.ms', null], ['segment.bytes', null])] });
    await create('a value and no value', version, { topics: [configured('set', ['retention.ms', '5'], ['retention.ms', null])] });
    await create('two values of one option', version, {
      topics: [configured('set', ['retention.ms', '5'], ['retention.ms', '6'])],
      validateOnly: true,
    });
    await create('an empty value', version, { topics: [configured('set', ['retention.ms', ''])] });
    await create('an empty name of an option', version, { topics: [configured('set', ['', '5'])] });
    await create('a list with blanks', version, {
      topics: [configured('set', ['cleanup.policy', ' compact , delete '])],
      validateOnly: true,
    });
    await create('an option of brokers', version, { topics: [configured('set', ['log.retention.ms', '5'])] });
    await create('the defaults', version, { topics: [{ name: 'kept', numPartitions: -1, replicationFactor: -1 }], validateOnly: true });
    await create('a gap at the start', version, { topics: [byHand('hand', [1, 1])] });
    await create('a negative partition', version, { topics: [byHand('hand', [-1, 1])] });
    await create('a partition that is far off', version, { topics: [byHand('hand', [0, 1], [2147483647, 1])] });
    await create('a negative broker', version, { topics: [byHand('hand', [0, -1])] });
    await create('a broker and a stranger', version, { topics: [byHand('hand', [0, 1, 9])] });
    await create('lists of different length', version, { topics: [byHand('hand', [0, 1], [1, 1, 1])] });
    await create('one without brokers', version, { topics: [byHand('hand', [0, 1], [1])] });
    await create('assigned, and 0 partitions', version, { topics: [{ ...byHand('hand', [0, 1]), numPartitions: 0 }] });
    await create('assigned, and 0 replicas', version, { topics: [{ ...byHand('hand', [0, 1]), replicationFactor: 0 }] });
    await create('assigned, and configured badly', version, { topics: [{ ...configured('hand', ['x', 'y']), ...byHand('hand', [0, 9]) }] });
    await create('more replicas than a number holds', version, { topics: [{ ...plain('many'), replicationFactor: 32767 }] });
  }
  for (const counts of [[10_000], [10_001], [5000, 5001], [2 ** 31 - 1], [2 ** 31 - 1, 2 ** 31 - 1], [2 ** 31 - 1, 0, 1]]) {
    const topics = counts.map((numPartitions, index) => ({ ...plain(`wide-${index}`), numPartitions }));
    await create(`${counts.join(' and ')} partitions, validated only`, 7, { topics, validateOnly: true });
    await create(`${counts.join(' and ')} partitions`, 7, { topics });
  }
  await create('to be kept', 7, { topics: [{ ...plain('kept'), numPartitions: 2 }] });
  await untilTopicsAre('kept');
  const keptId = (await book.client.metadata('kept')).topics[0]?.topicId ?? '';

  const operations = { includeClusterAuthorizedOperations: true, includeTopicAuthorizedOperations: true };
  for (const version of [0, 1, 3, 4, 7, 8, 9, 10, 11, 12, 13]) {
    await metadata('an empty list', version, { topics: [] });
    if (version > 0) await metadata('all topics', version, { topics: null });
    await metadata('one of them twice', version, { topics: [{ name: 'kept' }, { name: 'kept' }] });
    if (version >= 4) {
      await metadata('three names, two of them bad', version, {
        topics: [{ name: 'missing' }, { name: 'b@d' }, { name: 'kept' }, { name: '' }],
      });
      await metadata('a bad name that may be made', version, { topics: [{ name: 'b@d' }, { name: 'kept' }], allowAutoTopicCreation: true });
    }
    if (version >= 8) {
      const includes = version <= 10 ? operations : { includeTopicAuthorizedOperations: true };
      await metadata('operations, no topics', version, { topics: [], ...includes });
      await metadata('operations', version, { topics: null, ...includes });
      await metadata('operations of topics that are not', version, { topics: [{ name: 'missing' }, { name: 'b@d' }], ...includes });
    }
    if (version >= 10) {
      await metadata('a known id', version, { topics: [{ name: null, topicId: keptId }] });
      await metadata('a name with its id', version, { topics: [{ name: 'kept', topicId: keptId }] });
      await metadata('a name with another id', version, { topics: [{ name: 'kept', topicId: UNKNOWN_ID }] });
      await metadata('an id twice', version, {
        topics: [
          { name: null, topicId: keptId },
          { name: null, topicId: keptId },
        ],
      });
      await metadata('no name and no id', version, { topics: [{ name: null, topicId: ZERO_UUID }, { name: 'kept' }] });
      await metadata('ids and names', version, {
        topics: [{ name: 'missing' }, { name: null, topicId: keptId }, { name: null, topicId: UNKNOWN_ID }],
      });
      await metadata('an unknown id, operations', version, {
        topics: [{ name: null, topicId: UNKNOWN_ID }],
        includeTopicAuthorizedOperations: true,
      });
      await metadata('names, one with the id of another', version, {
        topics: [{ name: 'missing', topicId: keptId }, { name: 'elsewhere' }],
      });
    }
  }

  const pages: Sparse<DescribeTopicPartitionsRequest>[] = [
    { topics: [{ name: 'kept' }, { name: 'kept' }], responsePartitionLimit: 10 },
    { topics: [{ name: '' }], responsePartitionLimit: 10 },
    { topics: [{ name: '.' }, { name: 'b@d' }, { name: 'a'.repeat(250) }], responsePartitionLimit: 10 },
    { topics: [{ name: 'missing' }], responsePartitionLimit: 10, cursor: { topicName: 'missing', partitionIndex: 0 } },
    { topics: [{ name: 'missing' }, { name: 'kept' }], responsePartitionLimit: 10, cursor: { topicName: 'missing', partitionIndex: 3 } },
    { topics: [{ name: 'kept' }, { name: 'missing' }], responsePartitionLimit: 1 },
    { topics: [{ name: 'kept' }, { name: 'missing' }], responsePartitionLimit: 2 },
    { topics: [{ name: 'kept' }], responsePartitionLimit: -1 },
    { topics: [{ name: 'kept' }], responsePartitionLimit: -2147483648, cursor: { topicName: 'kept', partitionIndex: 1 } },
    { topics: [{ name: 'kept' }], responsePartitionLimit: 10, cursor: { topicName: 'kept', partitionIndex: 2 } },
    { topics: [{ name: 'kept' }], responsePartitionLimit: 10, cursor: { topicName: 'kept', partitionIndex: 2147483647 } },
    { topics: [{ name: 'kept' }], responsePartitionLimit: 10, cursor: { topicName: 'a', partitionIndex: 0 } },
    { topics: [], responsePartitionLimit: 10, cursor: { topicName: 'a', partitionIndex: 0 } },
    { topics: [], responsePartitionLimit: 10, cursor: { topicName: 'z', partitionIndex: 0 } },
    { topics: [], responsePartitionLimit: 10, cursor: { topicName: 'kept', partitionIndex: 1 } },
    { topics: [], responsePartitionLimit: 10, cursor: { topicName: '', partitionIndex: 0 } },
    { topics: [], responsePartitionLimit: 10, cursor: { topicName: 'kept', partitionIndex: -7 } },
  ];
  for (const page of pages) {
    const label = JSON.stringify(page).replace(/a{20,}/, 'aaa...');
    await book.ask(label, describeTopicPartitionsRequest, describeTopicPartitionsResponse, 0, page);
  }
  for (const version of [3, 4]) {
    for (const name of ['', ' ', '-a', 'a-', 'a_b', 'größe', 'a b', 'a\u0000', '.']) {
      const asked = { clientSoftwareName: name, clientSoftwareVersion: '1.0' };
      await book.ask(`software ${JSON.stringify(name)}`, apiVersionsRequest, apiVersionsResponse, version, asked);
      const other = { clientSoftwareName: 'a', clientSoftwareVersion: name };
      await book.ask(`software version ${JSON.stringify(name)}`, apiVersionsRequest, apiVersionsResponse, version, other);
    }
  }

  for (const version of [1, 5]) {
    await remove('one twice', version, { topicNames: ['kept', 'kept', 'missing', 'missing'] });
    await remove('bad names', version, { topicNames: ['b@d', '', '.'] });
  }
  await remove('by name and id', 6, { topics: [{ name: 'kept', topicId: keptId }] });
  await remove('one by name and by id', 6, { topics: [{ name: 'kept' }, { name: null, topicId: keptId }] });
  await remove('one by id, twice, and by name', 6, {
    topics: [{ name: null, topicId: keptId }, { name: 'kept' }, { name: null, topicId: keptId }],
  });
  await remove('in the end', 6, { topics: [{ name: null, topicId: keptId }] });
  await untilTopicsAre();
  return book.close();
}
