// Questions that would change the cluster: where partitions are, who leads, which features there are, who belongs to it. One node alone has
// little to change. Takes a broker without topics, and leaves `fixed` behind and the features as they were.
import {
  type AlterPartitionReassignmentsRequest,
  alterPartitionReassignmentsRequest,
  alterPartitionReassignmentsResponse,
} from '../../src/protocol/apis/alter-partition-reassignments.ts';
import { apiVersionsRequest, apiVersionsResponse } from '../../src/protocol/apis/api-versions.ts';
import { consumerGroupDescribeRequest, consumerGroupDescribeResponse } from '../../src/protocol/apis/consumer-group-describe.ts';
import { consumerGroupHeartbeatRequest, consumerGroupHeartbeatResponse } from '../../src/protocol/apis/consumer-group-heartbeat.ts';
import {
  type ElectLeadersRequest,
  type ElectLeadersResponse,
  electLeadersRequest,
  electLeadersResponse,
} from '../../src/protocol/apis/elect-leaders.ts';
import {
  listPartitionReassignmentsRequest,
  listPartitionReassignmentsResponse,
} from '../../src/protocol/apis/list-partition-reassignments.ts';
import { unregisterBrokerRequest, unregisterBrokerResponse } from '../../src/protocol/apis/unregister-broker.ts';
import { type UpdateFeaturesRequest, updateFeaturesRequest, updateFeaturesResponse } from '../../src/protocol/apis/update-features.ts';
import { AnswerBook } from './answer-book.ts';
import type { Sparse } from './messages.ts';

const TIMEOUT_MS = 5000;

export async function askClusterChangeCases(port: number): Promise<Map<string, unknown>> {
  const book = await AnswerBook.open(port);
  await book.client.createTopic('fixed', 2);
  await askAboutElections(book);
  await askToReassign(book);
  await askToUnregister(book);
  await askAboutFeatures(book);
  return book.close();
}

async function askAboutElections(book: AnswerBook): Promise<void> {
  const asked: [label: string, topicPartitions: ElectLeadersRequest['topicPartitions']][] = [
    ['all', null],
    ['nothing', []],
    ['no partitions', [{ topic: 'fixed', partitions: [] }]],
    [
      'some',
      [
        { topic: 'fixed', partitions: [0, 1, 7, -1] },
        { topic: 'missing', partitions: [0] },
      ],
    ],
    [
      'twice',
      [
        { topic: 'fixed', partitions: [0, 0] },
        { topic: 'fixed', partitions: [0] },
      ],
    ],
    [
      'bad names',
      [
        { topic: 'b@d', partitions: [0] },
        { topic: '', partitions: [0] },
      ],
    ],
  ];
  /** Topics and partitions come in the order of a hash table from Apache Kafka. */
  const shown = (answer: ElectLeadersResponse): unknown => ({
    ...answer,
    replicaElectionResults: answer.replicaElectionResults
      .map(({ topic, partitionResult }) => ({ topic, partitionResult: partitionResult.sort((a, b) => a.partitionId - b.partitionId) }))
      .sort((a, b) => (a.topic < b.topic ? -1 : 1)),
  });
  for (const version of [0, 1, 2]) {
    for (const electionType of version === 0 ? [0] : [0, 1, 2, -1]) {
      const elect = (label: string, partial: Sparse<ElectLeadersRequest>): Promise<void> =>
        book.ask(`${label}, type ${electionType}`, electLeadersRequest, electLeadersResponse, version, { electionType, ...partial }, shown);
      for (const [label, topicPartitions] of asked) await elect(label, { topicPartitions, timeoutMs: TIMEOUT_MS });
      for (const timeoutMs of [0, -1]) {
        for (const [label, topicPartitions] of asked.slice(0, 4)) await elect(`${label}, ${timeoutMs} ms`, { topicPartitions, timeoutMs });
      }
    }
  }
}

async function askToReassign(book: AnswerBook): Promise<void> {
  type Topic = AlterPartitionReassignmentsRequest['topics'][number];
  const fixed = (...partitions: [partitionIndex: number, replicas: number[] | null][]): Topic => ({
    name: 'fixed',
    partitions: partitions.map(([partitionIndex, replicas]) => ({ partitionIndex, replicas })),
  });
  const asked: [label: string, ...topics: Topic[]][] = [
    ['nothing'],
    ['no partitions', fixed()],
    ['to where it is', fixed([0, [1]])],
    ['back', fixed([0, null])],
    ['to nobody', fixed([0, []])],
    ['to a stranger', fixed([0, [2]])],
    ['to a stranger too', fixed([0, [1, 2]])],
    ['to the same twice', fixed([0, [1, 1]])],
    ['to a broker below zero', fixed([0, [-1]])],
    ['unknown partitions', fixed([7, [1]], [-1, null])],
    [
      'unknown topics',
      { name: 'missing', partitions: [{ partitionIndex: 0, replicas: [1] }] },
      { name: '', partitions: [{ partitionIndex: 0, replicas: null }] },
    ],
    ['several', fixed([0, [1]], [1, null], [0, [9]]), fixed([1, [1]])],
  ];
  for (const version of [0, 1]) {
    for (const allowReplicationFactorChange of version === 0 ? [true] : [true, false]) {
      const alter = (label: string, timeoutMs: number, topics: Topic[]): Promise<void> => {
        const name = `${label}, ${timeoutMs} ms, other counts ${allowReplicationFactorChange}`;
        const partial = { timeoutMs, allowReplicationFactorChange, topics };
        return book.ask(name, alterPartitionReassignmentsRequest, alterPartitionReassignmentsResponse, version, partial);
      };
      for (const [label, ...topics] of asked) await alter(label, TIMEOUT_MS, topics);
      for (const [label, ...topics] of asked.slice(0, 3)) for (const timeoutMs of [0, -1]) await alter(label, timeoutMs, topics);
    }
  }
  await book.ask('after all', listPartitionReassignmentsRequest, listPartitionReassignmentsResponse, 0, { topics: null });
}

async function askToUnregister(book: AnswerBook): Promise<void> {
  for (const brokerId of [99, -1, 2147483647]) {
    await book.ask(`broker ${brokerId}`, unregisterBrokerRequest, unregisterBrokerResponse, 0, { brokerId });
  }
}

async function askAboutFeatures(book: AnswerBook): Promise<void> {
  const UPGRADE = 1;
  const SAFE = 2;
  const UNSAFE = 3;
  const update = (label: string, version: number, partial: Sparse<UpdateFeaturesRequest>): Promise<void> =>
    book.ask(label, updateFeaturesRequest, updateFeaturesResponse, version, { timeoutMs: TIMEOUT_MS, ...partial });
  /** Levels and the change of level, as ApiVersions tells them. */
  const levels = (label: string): Promise<void> =>
    book.ask(label, apiVersionsRequest, apiVersionsResponse, 4, { clientSoftwareName: 'a', clientSoftwareVersion: '1' }, (answer) =>
      answer.finalizedFeatures.map(({ name, minVersionLevel, maxVersionLevel }) => `${name} ${minVersionLevel}-${maxVersionLevel}`).sort(),
    );
  const changes: [feature: string, maxVersionLevel: number][] = [
    ['metadata.version', 31],
    ['metadata.version', 30],
    ['metadata.version', 29],
    ['metadata.version', 20],
    ['metadata.version', 7],
    ['metadata.version', 6],
    ['metadata.version', 0],
    ['metadata.version', -1],
    ['kraft.version', 0],
    ['kraft.version', 1],
    ['kraft.version', 2],
    ['group.version', 0],
    ['group.version', 1],
    ['group.version', 2],
    ['transaction.version', 0],
    ['transaction.version', 1],
    ['transaction.version', 2],
    ['transaction.version', 3],
    ['share.version', 0],
    ['share.version', 2],
    ['streams.version', 0],
    ['streams.version', 2],
    ['eligible.leader.replicas.version', 0],
    ['eligible.leader.replicas.version', 2],
    ['no.such.version', 0],
    ['no.such.version', 1],
    ['', 1],
  ];
  for (const version of [1, 2]) {
    await update('nothing', version, {});
    await update('nothing, to look', version, { validateOnly: true });
    for (const upgradeType of [0, UPGRADE, SAFE, UNSAFE, 4]) {
      for (const [feature, maxVersionLevel] of changes) {
        const featureUpdates = [{ feature, maxVersionLevel, upgradeType }];
        await update(`'${feature}' to ${maxVersionLevel}, type ${upgradeType}, to look`, version, { featureUpdates, validateOnly: true });
      }
    }
    await update('two, to look', version, {
      featureUpdates: [
        { feature: 'group.version', maxVersionLevel: 0, upgradeType: SAFE },
        { feature: 'transaction.version', maxVersionLevel: 1, upgradeType: SAFE },
      ],
      validateOnly: true,
    });
    await update('a good and a bad one', version, {
      featureUpdates: [
        { feature: 'group.version', maxVersionLevel: 0, upgradeType: SAFE },
        { feature: 'transaction.version', maxVersionLevel: 9, upgradeType: UPGRADE },
      ],
    });
    await update('the same twice', version, {
      featureUpdates: [
        { feature: 'group.version', maxVersionLevel: 0, upgradeType: SAFE },
        { feature: 'group.version', maxVersionLevel: 1, upgradeType: UPGRADE },
      ],
    });
    for (const timeoutMs of [0, -1])
      await update(`with ${timeoutMs} ms`, version, { featureUpdates: [{ feature: 'group.version', maxVersionLevel: 1 }], timeoutMs });
    await levels(`before a change at v${version}`);
    await update('down', version, { featureUpdates: [{ feature: 'group.version', maxVersionLevel: 0, upgradeType: SAFE }] });
    await levels(`after a change at v${version}`);
    await askWithoutGroupVersion(book, version);
    await update('up', version, { featureUpdates: [{ feature: 'group.version', maxVersionLevel: 1, upgradeType: UPGRADE }] });
  }
  for (const [feature, maxVersionLevel] of changes) {
    if (maxVersionLevel !== 0 || feature === 'group.version') continue;
    await update(`'${feature}' to ${maxVersionLevel}, no downgrade`, 0, {
      featureUpdates: [{ feature, maxVersionLevel, allowDowngrade: false }],
    });
  }
  await update('down', 0, { featureUpdates: [{ feature: 'group.version', maxVersionLevel: 0, allowDowngrade: true }] });
  await levels('after a change at v0');
  await update('up, but a downgrade', 0, { featureUpdates: [{ feature: 'group.version', maxVersionLevel: 1, allowDowngrade: true }] });
  await update('up', 0, { featureUpdates: [{ feature: 'group.version', maxVersionLevel: 1 }] });
  for (const [feature, low, high] of [
    ['transaction.version', 1, 2],
    ['share.version', 0, 1],
    ['streams.version', 0, 1],
    ['eligible.leader.replicas.version', 0, 1],
  ] as const) {
    await update(`${feature} down`, 2, { featureUpdates: [{ feature, maxVersionLevel: low, upgradeType: UNSAFE }] });
    await levels(`without ${feature}`);
    await update(`${feature} up`, 2, { featureUpdates: [{ feature, maxVersionLevel: high, upgradeType: UPGRADE }] });
  }
  await levels('in the end');
}

/** What the new protocol of consumer groups is answered while the cluster does not have it. */
async function askWithoutGroupVersion(book: AnswerBook, version: number): Promise<void> {
  const heartbeat = {
    groupId: 'g',
    memberId: 'm',
    memberEpoch: 0,
    rebalanceTimeoutMs: 5000,
    subscribedTopicNames: ['fixed'],
    topicPartitions: [],
  };
  for (const each of [0, 1]) {
    await book.ask(`without it, ${version}`, consumerGroupHeartbeatRequest, consumerGroupHeartbeatResponse, each, heartbeat);
    await book.ask(`without it, ${version}`, consumerGroupDescribeRequest, consumerGroupDescribeResponse, each, { groupIds: ['g', 'h'] });
  }
}
