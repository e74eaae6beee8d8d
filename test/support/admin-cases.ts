// Questions about topics, offsets, configurations and the cluster, each at every version of its API, in one order.

import { ZERO_UUID } from '../../src/base/uuid.ts';
import { createTopicsRequest, createTopicsResponse } from '../../src/protocol/apis/create-topics.ts';
import { deleteTopicsRequest, deleteTopicsResponse } from '../../src/protocol/apis/delete-topics.ts';
import { describeClusterRequest, describeClusterResponse } from '../../src/protocol/apis/describe-cluster.ts';
import { describeConfigsRequest, describeConfigsResponse } from '../../src/protocol/apis/describe-configs.ts';
import { describeTopicPartitionsRequest, describeTopicPartitionsResponse } from '../../src/protocol/apis/describe-topic-partitions.ts';
import { initProducerIdRequest, initProducerIdResponse } from '../../src/protocol/apis/init-producer-id.ts';
import { listOffsetsRequest, listOffsetsResponse } from '../../src/protocol/apis/list-offsets.ts';
import { metadataRequest, metadataResponse } from '../../src/protocol/apis/metadata.ts';
import { offsetForLeaderEpochRequest, offsetForLeaderEpochResponse } from '../../src/protocol/apis/offset-for-leader-epoch.ts';
import { BatchBuilder } from '../../src/protocol/records/batch-builder.ts';
import { AnswerBook } from './answer-book.ts';

const UNKNOWN_ID = 'xxxxxxxxxxxxxxxxxxxxxQ';

/** Asks everything of a broker that has no topic yet; gives the answers by case. */
export async function askAdminCases(port: number): Promise<Map<string, unknown>> {
  const book = await AnswerBook.open(port);
  const { client } = book;
  const ask = book.ask.bind(book);

  await client.createTopic('one', 2);
  await client.createTopic('compacted', 1, { 'cleanup.policy': 'compact' });
  for (const timestampMs of [1000, 3000, 2000]) {
    const value = Buffer.from('x');
    await client.produce(
      'one',
      0,
      new BatchBuilder({})
        .append({ value, timestampMs })
        .append({ value, timestampMs: timestampMs + 1 })
        .build(),
    );
  }

  const offsets = (name: string, ...partitions: { partitionIndex: number; currentLeaderEpoch: number; timestamp: number }[]) => [
    { name, partitions },
  ];
  for (let version = 1; version <= 11; version++) {
    for (const timestamp of [-1, -2, -3, -4, -5, -6, -7, 0, 1001, 2500, 3001, 9999]) {
      for (const isolationLevel of version >= 2 ? [0, 1] : [0]) {
        const topics = offsets('one', { partitionIndex: 0, currentLeaderEpoch: -1, timestamp });
        await ask(`at ${timestamp}, isolation ${isolationLevel}`, listOffsetsRequest, listOffsetsResponse, version, {
          replicaId: -1,
          isolationLevel,
          topics,
        });
      }
    }
  }
  const places: [string, number, number][] = [
    ['one', 1, -1],
    ['one', 7, -1],
    ['missing', 0, -1],
    ['one', 0, 0],
    ['one', 0, 9],
    ['compacted', 0, -1],
  ];
  for (const [name, partitionIndex, currentLeaderEpoch] of places) {
    const topics = offsets(name, { partitionIndex, currentLeaderEpoch, timestamp: -3 });
    await ask(`${name}-${partitionIndex}, epoch ${currentLeaderEpoch}`, listOffsetsRequest, listOffsetsResponse, 7, {
      replicaId: -1,
      topics,
    });
  }
  const twice = { partitionIndex: 0, currentLeaderEpoch: -1, timestamp: -1 };
  await ask('a partition twice', listOffsetsRequest, listOffsetsResponse, 7, { replicaId: -1, topics: offsets('one', twice, twice) });

  for (let version = 0; version <= 13; version++) {
    const includes = { includeClusterAuthorizedOperations: version >= 8 && version <= 10, includeTopicAuthorizedOperations: version >= 8 };
    for (const name of ['one', 'bad name!', '', '.', 'a'.repeat(250)]) {
      const topics = [{ name, topicId: ZERO_UUID }];
      await ask(`topic '${name.slice(0, 12)}'`, metadataRequest, metadataResponse, version, {
        topics,
        allowAutoTopicCreation: true,
        ...includes,
      });
    }
    if (version < 4) continue;
    const topics = [{ name: 'missing', topicId: ZERO_UUID }];
    await ask('missing, not to be made', metadataRequest, metadataResponse, version, { topics, allowAutoTopicCreation: false });
  }
  for (const version of [10, 12, 13]) {
    const unknown = [{ name: null, topicId: UNKNOWN_ID }];
    await ask('an unknown id', metadataRequest, metadataResponse, version, { topics: unknown, allowAutoTopicCreation: true });
    await ask('no topics', metadataRequest, metadataResponse, version, { topics: [], allowAutoTopicCreation: true });
  }

  const epochs: [string, number, number, number][] = [
    ['one', 0, -1, 0],
    ['one', 0, -1, 5],
    ['one', 0, 0, 0],
    ['one', 0, 7, 0],
    ['one', 9, -1, 0],
    ['missing', 0, -1, 0],
    ['compacted', 0, -1, 0],
    ['one', 0, -1, -1],
  ];
  for (const version of [2, 3, 4]) {
    for (const [topic, partition, currentLeaderEpoch, leaderEpoch] of epochs) {
      const topics = [{ topic, partitions: [{ partition, currentLeaderEpoch, leaderEpoch }] }];
      const label = `${topic}-${partition}, current ${currentLeaderEpoch}, asked ${leaderEpoch}`;
      await ask(label, offsetForLeaderEpochRequest, offsetForLeaderEpochResponse, version, { replicaId: -2, topics });
    }
  }

  // Apache answers COORDINATOR_LOAD_IN_PROGRESS until its first block of ids is there.
  for (let attempt = 0; attempt < 100 && (await book.client.producerId()).producerId < 0; attempt++)
    await new Promise((done) => setTimeout(done, 20));
  for (let version = 0; version <= 5; version++) {
    const plain = { transactionalId: null, transactionTimeoutMs: 1000 };
    await ask('idempotent', initProducerIdRequest, initProducerIdResponse, version, plain);
    await ask('an empty transactional id', initProducerIdRequest, initProducerIdResponse, version, { ...plain, transactionalId: '' });
    if (version < 3) continue;
    await ask('an epoch to go on with', initProducerIdRequest, initProducerIdResponse, version, {
      ...plain,
      producerId: 5,
      producerEpoch: 3,
    });
    await ask('an id without epoch', initProducerIdRequest, initProducerIdResponse, version, {
      ...plain,
      producerId: 5,
      producerEpoch: -1,
    });
  }

  for (let version = 0; version <= 2; version++) {
    for (const endpointType of version >= 1 ? [1, 2, 3] : [1]) {
      for (const includeClusterAuthorizedOperations of [true, false]) {
        const asked = { includeClusterAuthorizedOperations, endpointType, includeFencedBrokers: version >= 2 };
        const label = `endpoint type ${endpointType}, operations ${includeClusterAuthorizedOperations}`;
        await ask(label, describeClusterRequest, describeClusterResponse, version, asked);
      }
    }
  }

  const pages = [
    { topics: [], responsePartitionLimit: 2000, cursor: null },
    { topics: [], responsePartitionLimit: 1, cursor: null },
    { topics: [{ name: 'one' }], responsePartitionLimit: 1, cursor: { topicName: 'one', partitionIndex: 1 } },
    { topics: [{ name: 'one' }, { name: 'missing' }, { name: 'bad!' }], responsePartitionLimit: 2, cursor: null },
    { topics: [{ name: 'one' }], responsePartitionLimit: 2, cursor: { topicName: 'zzz', partitionIndex: 0 } },
    { topics: [{ name: 'one' }], responsePartitionLimit: 2, cursor: { topicName: 'one', partitionIndex: -1 } },
    { topics: [{ name: 'one' }], responsePartitionLimit: 0, cursor: { topicName: 'one', partitionIndex: 50 } },
  ];
  for (const page of pages) await ask(JSON.stringify(page), describeTopicPartitionsRequest, describeTopicPartitionsResponse, 0, page);

  const resources = [
    { resourceType: 2, resourceName: 'missing', configurationKeys: null },
    { resourceType: 2, resourceName: 'bad!', configurationKeys: null },
    { resourceType: 2, resourceName: 'one', configurationKeys: ['cleanup.policy', 'no.such.key'] },
    { resourceType: 4, resourceName: '', configurationKeys: null },
    { resourceType: 4, resourceName: '1', configurationKeys: ['num.partitions', 'log.segment.bytes'] },
    { resourceType: 4, resourceName: 'x', configurationKeys: null },
    { resourceType: 4, resourceName: '99', configurationKeys: null },
    { resourceType: 99, resourceName: '1', configurationKeys: null },
  ];
  for (let version = 1; version <= 4; version++) {
    for (const resource of resources) {
      await ask(JSON.stringify(resource), describeConfigsRequest, describeConfigsResponse, version, {
        resources: [resource],
        includeSynonyms: true,
      });
    }
  }

  const creation = {
    topics: [
      { name: 'one', numPartitions: 1, replicationFactor: 1 },
      { name: 'bad!', numPartitions: 1, replicationFactor: 1 },
    ],
    timeoutMs: 1000,
  };
  for (let version = 2; version <= 7; version++)
    await ask('there already, and badly named', createTopicsRequest, createTopicsResponse, version, creation);
  for (let version = 1; version <= 5; version++) {
    await ask('missing', deleteTopicsRequest, deleteTopicsResponse, version, { topicNames: ['missing', ''], timeoutMs: 1000 });
  }
  const unnamed = [
    { name: 'missing', topicId: ZERO_UUID },
    { name: null, topicId: UNKNOWN_ID },
    { name: null, topicId: ZERO_UUID },
  ];
  await ask('missing', deleteTopicsRequest, deleteTopicsResponse, 6, { topics: unnamed, timeoutMs: 1000 });
  for (const name of ['one', 'compacted']) await book.client.deleteTopic(name);
  return book.close();
}
