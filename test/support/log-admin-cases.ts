// Questions about more partitions and fewer records: CreatePartitions and DeleteRecords, each at every version, in one order, with looks at
// what is there afterwards.
import { createPartitionsRequest, createPartitionsResponse } from '../../src/protocol/apis/create-partitions.ts';
import { deleteRecordsRequest, deleteRecordsResponse } from '../../src/protocol/apis/delete-records.ts';
import { fetchRequest, fetchResponse } from '../../src/protocol/apis/fetch.ts';
import { listOffsetsRequest, listOffsetsResponse } from '../../src/protocol/apis/list-offsets.ts';
import { metadataRequest, metadataResponse } from '../../src/protocol/apis/metadata.ts';
import { offsetForLeaderEpochRequest, offsetForLeaderEpochResponse } from '../../src/protocol/apis/offset-for-leader-epoch.ts';
import { produceRequest, produceResponse } from '../../src/protocol/apis/produce.ts';
import { BatchBuilder } from '../../src/protocol/records/batch-builder.ts';
import { AnswerBook, comparable } from './answer-book.ts';

type Wanted = { name: string; count: number; assignments?: { brokerIds: number[] }[] | null };

const TOPICS = ['few', 'grown', 'third', 'records', 'tight', 'both', 'empty'];
const brokers = (...lists: number[][]): { brokerIds: number[] }[] => lists.map((brokerIds) => ({ brokerIds }));

/** Asks everything of a broker without topics of these names; gives the answers by case. */
export async function askLogAdminCases(port: number): Promise<Map<string, unknown>> {
  const book = await AnswerBook.open(port);
  await book.client.createTopic('few', 2);
  await book.client.createTopic('grown', 1);
  await book.client.createTopic('third', 1);
  await askForPartitions(book);
  await book.client.createTopic('records', 2);
  await book.client.createTopic('tight', 1, { 'cleanup.policy': 'compact' });
  await book.client.createTopic('both', 1, { 'cleanup.policy': 'compact,delete' });
  await book.client.createTopic('empty', 1, { 'cleanup.policy': '' });
  await askForDeletions(book);
  for (const name of TOPICS) await book.client.deleteTopic(name);
  return book.close();
}

async function askForPartitions(book: AnswerBook): Promise<void> {
  /** Whose results have no order. */
  const grow = async (label: string, version: number, topics: Wanted[], more: { validateOnly?: boolean; timeoutMs?: number } = {}) => {
    const asked = { topics: topics.map((topic) => ({ assignments: null, ...topic })), timeoutMs: 10_000, validateOnly: false, ...more };
    const message = await book.client.ask(createPartitionsRequest, createPartitionsResponse, version, asked);
    const results = [...message.results].sort((a, b) => (a.name < b.name ? -1 : 1));
    book.answers.set(`CreatePartitions v${version}: ${label}`, comparable({ ...message, results }));
  };
  const look = (label: string) =>
    book.ask(label, metadataRequest, metadataResponse, 9, { topics: [{ name: 'few' }, { name: 'grown' }], allowAutoTopicCreation: false });

  for (let version = 0; version <= 3; version++) {
    await grow('as many as there are', version, [{ name: 'few', count: 2 }]);
    await grow('fewer', version, [{ name: 'few', count: 1 }]);
    await grow('none', version, [{ name: 'few', count: 0 }]);
    await grow('less than none', version, [{ name: 'few', count: -1 }]);
    await grow('a topic that is not there', version, [{ name: 'missing', count: 3 }]);
    await grow('a name that none can have', version, [{ name: 'bad name!', count: 3 }]);
    await grow('no topics', version, []);
    await grow('twice in a request', version, [
      { name: 'few', count: 3 },
      { name: 'third', count: 1 },
      { name: 'few', count: 4 },
    ]);
    await grow('only to validate', version, [{ name: 'few', count: 5 }], { validateOnly: true });
    await grow('only to validate, refused', version, [{ name: 'few', count: 2 }], { validateOnly: true });
    await grow('too late', version, [{ name: 'few', count: 5 }], { timeoutMs: 0 });
    await grow(
      'too late, twice in a request',
      version,
      [
        { name: 'few', count: 5 },
        { name: 'few', count: 6 },
      ],
      { timeoutMs: -1 },
    );
    await grow('by hand', version, [{ name: 'grown', count: 2 + version, assignments: brokers([1]) }]);
    await grow('by hand, too few lists', version, [{ name: 'few', count: 4, assignments: brokers([1]) }]);
    await grow('by hand, too many lists', version, [{ name: 'few', count: 3, assignments: brokers([1], [1]) }]);
    await grow('by hand, no lists', version, [{ name: 'few', count: 3, assignments: [] }]);
    await grow('by hand, a broker that is not there', version, [{ name: 'few', count: 3, assignments: brokers([7]) }]);
    await grow('by hand, a broker twice', version, [{ name: 'few', count: 3, assignments: brokers([1, 1]) }]);
    await grow('by hand, no broker', version, [{ name: 'few', count: 3, assignments: brokers([]) }]);
    await grow('by hand, another number of replicas', version, [{ name: 'few', count: 3, assignments: brokers([1, 2]) }]);
    await look(`after version ${version}`);
  }
  await grow('some good, some not', 3, [
    { name: 'few', count: 3 },
    { name: 'missing', count: 3 },
    { name: 'third', count: 1 },
    { name: 'grown', count: 7 },
  ]);
  await grow(
    'three, of which the second is too much',
    3,
    [
      { name: 'third', count: 2 },
      { name: 'few', count: 10_003 },
      { name: 'grown', count: 8 },
      { name: 'missing', count: 3 },
    ],
    { validateOnly: true },
  );
  await grow(
    'one that is too much, and a bad list',
    3,
    [
      { name: 'few', count: 10_003, assignments: brokers(...Array.from({ length: 10_001 }, (_, index) => [index === 10_000 ? 9 : 1])) },
      { name: 'third', count: 2 },
    ],
    { validateOnly: true },
  );
  await look('in the end');
  const batch = new BatchBuilder({}).append({ value: Buffer.from('new'), timestampMs: 1000 }).build();
  const topicData = [{ name: 'grown', partitionData: [{ index: 6, records: batch }] }];
  await book.ask('to a new partition', produceRequest, produceResponse, 9, { acks: -1, timeoutMs: 1000, topicData });
}

async function askForDeletions(book: AnswerBook): Promise<void> {
  type Wanted = { name: string; partitions: { partitionIndex: number; offset: number }[] }[];
  /** Whose partitions have no order. */
  const remove = async (label: string, version: number, topics: Wanted) => {
    const message = await book.client.ask(deleteRecordsRequest, deleteRecordsResponse, version, { topics, timeoutMs: 5000 });
    for (const { partitions } of message.topics) partitions.sort((a, b) => a.partitionIndex - b.partitionIndex);
    book.answers.set(`DeleteRecords v${version}: ${label}`, comparable(message));
  };
  const one = (name: string, offset: number, partitionIndex = 0) => [{ name, partitions: [{ partitionIndex, offset }] }];
  const look = async (label: string) => {
    for (const timestamp of [-2, -1, -4, 1005]) {
      const partitions = [{ partitionIndex: 0, currentLeaderEpoch: -1, timestamp }];
      await book.ask(`${label}, at ${timestamp}`, listOffsetsRequest, listOffsetsResponse, 8, {
        topics: [{ name: 'records', partitions }],
      });
    }
    for (const fetchOffset of [0, 4, 5, 19, 20, 21]) {
      const topics = [{ topic: 'records', partitions: [{ partition: 0, fetchOffset, partitionMaxBytes: 1 << 20 }] }];
      const asked = { replicaId: -1, maxWaitMs: 0, minBytes: 0, maxBytes: 1 << 20, sessionEpoch: -1, topics };
      const message = await book.client.ask(fetchRequest, fetchResponse, 12, asked);
      const answer = message.responses[0]?.partitions[0];
      const isEmpty = answer?.records === null || answer?.records.length === 0;
      book.answers.set(`Fetch v12: ${label}, from ${fetchOffset}`, comparable({ ...answer, records: isEmpty ? 'none' : 'some' }));
    }
    const topics = [{ topic: 'records', partitions: [{ partition: 0, currentLeaderEpoch: -1, leaderEpoch: 0 }] }];
    await book.ask(label, offsetForLeaderEpochRequest, offsetForLeaderEpochResponse, 4, { replicaId: -2, topics });
  };

  for (const name of ['records', 'tight', 'both', 'empty']) {
    for (let batch = 0; batch < 10; batch++) {
      const builder = new BatchBuilder({});
      for (const i of [0, 1]) {
        const key = Buffer.from(`${name}${batch}`);
        builder.append({ key, value: Buffer.from('value'), timestampMs: 1000 + 2 * batch + i });
      }
      await book.client.produce(name, 0, builder.build());
    }
  }
  await look('before');
  for (let version = 0; version <= 2; version++) {
    await remove('a topic that is not there', version, one('missing', 1));
    await remove('a partition that is not there', version, one('records', 1, 9));
    await remove('a partition below zero', version, one('records', 1, -1));
    await remove('no topics', version, []);
    await remove('no partitions', version, [{ name: 'records', partitions: [] }]);
    await remove('behind the end', version, one('records', 21));
    await remove('far behind the end', version, one('records', 2 ** 53 - 1));
    await remove('below zero', version, one('records', -2));
    await remove('to the start', version, one('records', 0));
    await remove('inside a batch', version, one('records', 3 + 2 * version));
    await remove('where it starts already', version, one('records', 1));
    await remove('of a compacted topic', version, one('tight', 4));
    await remove('of a compacted topic, behind the end', version, one('tight', 400));
    await remove('of a topic that is both', version, one('both', 4 + version));
    await remove('of a topic that keeps all', version, one('empty', 4 + version));
    await remove('of a partition without records, to its end', version, one('records', -1, 1));
    await remove('of a partition without records', version, one('records', 1, 1));
    await remove('a partition twice', version, [
      {
        name: 'both',
        partitions: [
          { partitionIndex: 0, offset: 9 + version },
          { partitionIndex: 0, offset: 7 },
        ],
      },
    ]);
    await remove('a topic twice', version, [...one('both', 15 + version), ...one('both', 14, 7)]);
    await remove('good and bad', version, [...one('empty', 12 + version), ...one('missing', 1), ...one('tight', 1)]);
    await look(`after version ${version}`);
  }
  await remove('to the high watermark', 2, one('records', -1));
  await look('in the end');
}
