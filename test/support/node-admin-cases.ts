// Questions about one node and the cluster that it is alone in: its directories, what producers wrote, the quorum, reassignments, elections,
// credentials, quotas, access rules, transactions. Takes a broker without topics, and leaves `held` behind.
import { alterReplicaLogDirsRequest, alterReplicaLogDirsResponse } from '../../src/protocol/apis/alter-replica-log-dirs.ts';
import { createAclsRequest, createAclsResponse } from '../../src/protocol/apis/create-acls.ts';
import { deleteAclsRequest, deleteAclsResponse } from '../../src/protocol/apis/delete-acls.ts';
import { describeAclsRequest, describeAclsResponse } from '../../src/protocol/apis/describe-acls.ts';
import { describeClientQuotasRequest, describeClientQuotasResponse } from '../../src/protocol/apis/describe-client-quotas.ts';
import {
  type DescribeLogDirsResponse,
  describeLogDirsRequest,
  describeLogDirsResponse,
} from '../../src/protocol/apis/describe-log-dirs.ts';
import {
  type DescribeProducersResponse,
  describeProducersRequest,
  describeProducersResponse,
} from '../../src/protocol/apis/describe-producers.ts';
import { type DescribeQuorumResponse, describeQuorumRequest, describeQuorumResponse } from '../../src/protocol/apis/describe-quorum.ts';
import {
  describeUserScramCredentialsRequest,
  describeUserScramCredentialsResponse,
} from '../../src/protocol/apis/describe-user-scram-credentials.ts';
import {
  listPartitionReassignmentsRequest,
  listPartitionReassignmentsResponse,
} from '../../src/protocol/apis/list-partition-reassignments.ts';
import { listTransactionsRequest, listTransactionsResponse } from '../../src/protocol/apis/list-transactions.ts';
import { BatchBuilder } from '../../src/protocol/records/batch-builder.ts';
import { AnswerBook } from './answer-book.ts';

const METADATA_TOPIC = '__cluster_metadata';

/** Asks everything; gives the answers by case. */
export async function askNodeAdminCases(port: number): Promise<Map<string, unknown>> {
  const book = await AnswerBook.open(port);
  await book.client.createTopic('held', 2);
  await write(book);
  await askAboutDirectories(book);
  await askAboutProducers(book);
  await askAboutTheQuorum(book);
  await askAboutReassignments(book);
  await askAboutAcls(book);
  await askAboutQuotas(book);
  await askAboutCredentials(book);
  await askAboutTransactions(book);
  return book.close();
}

/** Two producers with ids, and one without, into `held`. */
async function write({ client }: AnswerBook): Promise<void> {
  const value = Buffer.from('x');
  await client.produce('held', 0, new BatchBuilder({}).append({ value, timestampMs: 500 }).build());
  const first = await client.producerId();
  const second = await client.producerId();
  for (const [baseSequence, timestampMs] of [
    [0, 1000],
    [2, 3000],
  ] as const) {
    const batch = new BatchBuilder({ ...first, baseSequence });
    await client.produce(
      'held',
      0,
      batch
        .append({ value, timestampMs })
        .append({ value, timestampMs: timestampMs + 7 })
        .build(),
    );
  }
  await client.produce('held', 0, new BatchBuilder({ ...second, baseSequence: 0 }).append({ value, timestampMs: 2000 }).build());
}

/** Sizes of volumes are the machine's; topics and partitions come in the order of a hash table from Apache Kafka. */
function directories(answer: DescribeLogDirsResponse): unknown {
  const results = answer.results.map(({ totalBytes, usableBytes, logDir, topics, ...rest }) => ({
    ...rest,
    logDir: logDir.startsWith('/') ? '<directory>' : logDir,
    volume: totalBytes === -1 ? 'untold' : totalBytes >= usableBytes && usableBytes > 0 ? '<sizes>' : { totalBytes, usableBytes },
    topics: topics.map(({ name, partitions }) => ({ name, partitions: partitions.sort((a, b) => a.partitionIndex - b.partitionIndex) })),
  }));
  return { ...answer, results };
}

async function askAboutDirectories(book: AnswerBook): Promise<void> {
  const asked: [label: string, topics: { topic: string; partitions: number[] }[] | null][] = [
    ['all', null],
    ['no topics', []],
    ['a topic without partitions', [{ topic: 'held', partitions: [] }]],
    [
      'one and those that are not',
      [
        { topic: 'held', partitions: [1, 7, -1] },
        { topic: 'missing', partitions: [0] },
      ],
    ],
    [
      'twice',
      [
        { topic: 'held', partitions: [0, 0] },
        { topic: 'held', partitions: [0, 1] },
      ],
    ],
    [
      'bad names',
      [
        { topic: 'b@d', partitions: [0] },
        { topic: '', partitions: [0] },
      ],
    ],
    ['the metadata', [{ topic: METADATA_TOPIC, partitions: [0] }]],
  ];
  for (let version = 1; version <= 5; version++) {
    for (const [label, topics] of asked) {
      await book.ask(label, describeLogDirsRequest, describeLogDirsResponse, version, { topics }, directories);
    }
  }
  const { results } = await book.client.ask(describeLogDirsRequest, describeLogDirsResponse, 4, { topics: [] });
  const own = results[0]?.logDir ?? '';
  const topics = [
    { name: 'held', partitions: [0, 1, 7] },
    { name: 'missing', partitions: [0] },
  ];
  for (const version of [1, 2]) {
    const move = (label: string, ...dirs: { path: string; topics: { name: string; partitions: number[] }[] }[]): Promise<void> =>
      book.ask(label, alterReplicaLogDirsRequest, alterReplicaLogDirsResponse, version, { dirs }, ({ throttleTimeMs, results: found }) => ({
        throttleTimeMs,
        results: found
          .map(({ topicName, partitions }) => ({ topicName, partitions: partitions.sort((a, b) => a.partitionIndex - b.partitionIndex) }))
          .sort((a, b) => (a.topicName < b.topicName ? -1 : 1)),
      }));
    await move('nothing');
    await move('no topics', { path: own, topics: [] });
    await move('no partitions', { path: own, topics: [{ name: 'held', partitions: [] }] });
    await move('to where they are', { path: own, topics });
    await move('with a slash at the end', { path: `${own}/`, topics: [{ name: 'held', partitions: [0] }] });
    await move('to a directory that is none', { path: '/nowhere', topics });
    await move('to a relative path', { path: 'data', topics });
    await move('to a path without a name', { path: '', topics });
    await move('twice', {
      path: own,
      topics: [
        { name: 'held', partitions: [0, 0] },
        { name: 'held', partitions: [0] },
      ],
    });
    await move(
      'to both',
      { path: own, topics: [{ name: 'held', partitions: [0] }] },
      { path: '/nowhere', topics: [{ name: 'held', partitions: [0, 1] }] },
    );
    await move(
      'to both, the other first',
      { path: '/nowhere', topics: [{ name: 'held', partitions: [0] }] },
      { path: own, topics: [{ name: 'held', partitions: [0] }] },
    );
    await move('names that are bad', {
      path: own,
      topics: [
        { name: 'b@d', partitions: [0] },
        { name: '', partitions: [-1] },
      ],
    });
    for (const length of [212, 213, 214, 249]) {
      const name = 'a'.repeat(length);
      await move(
        `a name of ${length}`,
        { path: own, topics: [{ name, partitions: [0] }] },
        { path: '/nowhere', topics: [{ name, partitions: [10] }] },
      );
    }
  }
}

async function askAboutProducers(book: AnswerBook): Promise<void> {
  /** The ids differ from run to run, and so does their order from Apache Kafka. */
  const shown = (answer: DescribeProducersResponse): unknown => ({
    ...answer,
    topics: answer.topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map((partition) => ({
        ...partition,
        activeProducers: partition.activeProducers.sort((a, b) => a.producerId - b.producerId),
      })),
    })),
  });
  const asked: [label: string, ...topics: { name: string; partitionIndexes: number[] }[]][] = [
    ['nothing'],
    ['no partitions', { name: 'held', partitionIndexes: [] }],
    ['all', { name: 'held', partitionIndexes: [0, 1] }],
    ['those that are not', { name: 'held', partitionIndexes: [7, -1] }, { name: 'missing', partitionIndexes: [0, 1] }],
    ['twice', { name: 'held', partitionIndexes: [1, 1] }, { name: 'held', partitionIndexes: [1] }],
    ['bad names', { name: 'b@d', partitionIndexes: [0] }, { name: '', partitionIndexes: [0] }, { name: '.', partitionIndexes: [0] }],
    ['the metadata', { name: METADATA_TOPIC, partitionIndexes: [0] }],
  ];
  for (const [label, ...topics] of asked) {
    await book.ask(label, describeProducersRequest, describeProducersResponse, 0, { topics }, shown);
  }
}

/** What moves on by itself is told by its sign. */
function quorum(answer: DescribeQuorumResponse): unknown {
  type Replica = DescribeQuorumResponse['topics'][number]['partitions'][number]['currentVoters'][number];
  const told = (value: number): unknown => (value > 0 ? '<some>' : value);
  const replica = (each: Replica): unknown => ({
    ...each,
    replicaDirectoryId: /^A{22}$/.test(each.replicaDirectoryId) ? 'none' : '<id>',
    logEndOffset: told(each.logEndOffset),
    lastFetchTimestamp: told(each.lastFetchTimestamp),
    lastCaughtUpTimestamp: told(each.lastCaughtUpTimestamp),
  });
  const topics = answer.topics.map(({ topicName, partitions }) => ({
    topicName,
    partitions: partitions.map((each) => ({
      ...each,
      leaderEpoch: told(each.leaderEpoch),
      highWatermark: told(each.highWatermark),
      currentVoters: each.currentVoters.map(replica),
      observers: each.observers.map(replica),
    })),
  }));
  return { ...answer, topics };
}

async function askAboutTheQuorum(book: AnswerBook): Promise<void> {
  const asked: [label: string, ...topics: { topicName: string; partitions: { partitionIndex: number }[] }[]][] = [
    ['the quorum', { topicName: METADATA_TOPIC, partitions: [{ partitionIndex: 0 }] }],
    ['nothing'],
    ['no partitions', { topicName: METADATA_TOPIC, partitions: [] }],
    ['another partition', { topicName: METADATA_TOPIC, partitions: [{ partitionIndex: 1 }] }],
    ['two partitions', { topicName: METADATA_TOPIC, partitions: [{ partitionIndex: 0 }, { partitionIndex: 1 }] }],
    ['a topic', { topicName: 'held', partitions: [{ partitionIndex: 0 }, { partitionIndex: 1 }] }],
    [
      'two topics',
      { topicName: METADATA_TOPIC, partitions: [{ partitionIndex: 0 }] },
      { topicName: 'held', partitions: [{ partitionIndex: 0 }] },
    ],
  ];
  for (const version of [0, 1, 2]) {
    for (const [label, ...topics] of asked) {
      await book.ask(label, describeQuorumRequest, describeQuorumResponse, version, { topics }, quorum);
    }
  }
}

async function askAboutReassignments(book: AnswerBook): Promise<void> {
  const asked: [label: string, topics: { name: string; partitionIndexes: number[] }[] | null][] = [
    ['all', null],
    ['no topics', []],
    [
      'some',
      [
        { name: 'held', partitionIndexes: [0, 7] },
        { name: 'missing', partitionIndexes: [0] },
        { name: '', partitionIndexes: [] },
      ],
    ],
  ];
  for (const [label, topics] of asked) {
    for (const timeoutMs of [5000, 0, -1]) {
      const name = `${label}, ${timeoutMs} ms`;
      await book.ask(name, listPartitionReassignmentsRequest, listPartitionReassignmentsResponse, 0, { timeoutMs, topics });
    }
  }
}

async function askAboutAcls(book: AnswerBook): Promise<void> {
  const any = {
    resourceTypeFilter: 1,
    resourceNameFilter: null,
    patternTypeFilter: 1,
    principalFilter: null,
    hostFilter: null,
    operation: 1,
    permissionType: 1,
  };
  const acl = {
    resourceType: 2,
    resourceName: 'held',
    resourcePatternType: 3,
    principal: 'User:a',
    host: '*',
    operation: 3,
    permissionType: 3,
  };
  for (const version of [1, 2, 3]) {
    const describe = (label: string, change: Partial<Record<keyof typeof any, never>> | object): Promise<void> =>
      book.ask(label, describeAclsRequest, describeAclsResponse, version, { ...any, ...change });
    await describe('any', {});
    await describe('one topic', { resourceTypeFilter: 2, resourceNameFilter: 'held', patternTypeFilter: 3 });
    await describe('an unknown type', { resourceTypeFilter: 99 });
    await describe('no type', { resourceTypeFilter: 0 });
    await describe('no pattern', { patternTypeFilter: 0 });
    await describe('no operation', { operation: 0 });
    await describe('no permission', { permissionType: 0 });
    await describe('an unknown pattern', { patternTypeFilter: 9 });
    await describe('an unknown operation', { operation: 99 });
    await describe('an unknown permission', { permissionType: 9 });
    await describe('a principal that is none', { principalFilter: 'nobody' });
    const create = (label: string, ...creations: (typeof acl)[]): Promise<void> =>
      book.ask(label, createAclsRequest, createAclsResponse, version, { creations });
    await create('nothing');
    await create('two', acl, { ...acl, principal: 'User:b' });
    await create('an unknown type', { ...acl, resourceType: 99 });
    await create('any type', { ...acl, resourceType: 1 });
    await create('an unknown operation and a good one', { ...acl, operation: 99 }, acl);
    await create('a principal that is none', { ...acl, principal: 'nobody' });
    await create('any pattern', { ...acl, resourcePatternType: 1 });
    await create('no type', acl, { ...acl, resourceType: 0 });
    await create('no permission', { ...acl, permissionType: 0 });
    const remove = (label: string, ...filters: (typeof any)[]): Promise<void> =>
      book.ask(label, deleteAclsRequest, deleteAclsResponse, version, { filters });
    await remove('nothing');
    await remove('two', any, { ...any, resourceTypeFilter: 2 });
    await remove('an unknown type', { ...any, resourceTypeFilter: 99 });
    await remove('no operation', any, { ...any, operation: 0 });
    await remove('an unknown operation and a good one', { ...any, operation: 99 }, any);
  }
}

async function askAboutQuotas(book: AnswerBook): Promise<void> {
  const EXACT = 0;
  const DEFAULT = 1;
  const ANY = 2;
  const user = { entityType: 'user', matchType: EXACT, match: 'a' as string | null };
  const asked: [label: string, ...components: (typeof user)[]][] = [
    ['everything'],
    ['a user', user],
    ['the default user', { ...user, matchType: DEFAULT, match: null }],
    ['any user', { ...user, matchType: ANY, match: null }],
    ['a user and a client', user, { ...user, entityType: 'client-id' }],
    ['an address', { ...user, entityType: 'ip', match: '127.0.0.1' }],
    ['a user and an address', user, { ...user, entityType: 'ip' }],
    [
      'any address and any client',
      { entityType: 'ip', matchType: ANY, match: null },
      { entityType: 'client-id', matchType: ANY, match: null },
    ],
    ['a user twice', user, { ...user, match: 'b' }],
    ['another type', { ...user, entityType: 'group' }],
    ['no type', { ...user, entityType: '' }],
    ['an unknown match', { ...user, matchType: 9 }],
    ['exactly nobody', { ...user, match: null }],
    ['the default by name', { ...user, matchType: DEFAULT }],
    ['any by name', { ...user, matchType: ANY }],
  ];
  for (const version of [0, 1]) {
    for (const strict of [false, true]) {
      for (const [label, ...components] of asked) {
        await book.ask(`${label}, strict ${strict}`, describeClientQuotasRequest, describeClientQuotasResponse, version, {
          components,
          strict,
        });
      }
    }
  }
}

async function askAboutCredentials(book: AnswerBook): Promise<void> {
  for (const names of [null, [], ['a'], ['a', 'b'], ['a', 'a', 'b'], ['']]) {
    const users = names?.map((name) => ({ name })) ?? null;
    const label = JSON.stringify(names);
    await book.ask(label, describeUserScramCredentialsRequest, describeUserScramCredentialsResponse, 0, { users }, (answer) => ({
      ...answer,
      results: answer.results.sort((a, b) => (a.user < b.user ? -1 : 1)),
    }));
  }
}

async function askAboutTransactions(book: AnswerBook): Promise<void> {
  for (const version of [0, 1, 2]) {
    const list = (label: string, asked: object): Promise<void> =>
      book.ask(label, listTransactionsRequest, listTransactionsResponse, version, asked);
    await list('all', {});
    await list('by state', {
      stateFilters: ['Ongoing', 'Empty', 'PrepareCommit', 'PrepareAbort', 'CompleteCommit', 'CompleteAbort', 'Dead', 'PrepareEpochFence'],
    });
    await list('by states that are none', { stateFilters: ['Ongoing', 'ongoing', '', 'Sleeping', 'Sleeping'] });
    await list('by producer', { producerIdFilters: [0, 5, -1] });
    if (version >= 1) for (const durationFilter of [0, 5, -1, -7]) await list(`longer than ${durationFilter} ms`, { durationFilter });
    if (version < 2) continue;
    for (const transactionalIdPattern of ['', 'a.*', '[', '(', 'a{2', '(?<n>a)\\k<n>', '*', '\\p{Lu}', '(?i)a', 'a++']) {
      await list(`like ${transactionalIdPattern}`, { transactionalIdPattern });
    }
  }
}
