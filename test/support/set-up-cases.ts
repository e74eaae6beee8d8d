// Questions to a broker that was set up otherwise: nothing is made by asking for it or deleted, and topics have defaults of its own.
// Takes a broker without topics, and leaves `told` behind, since nothing can be deleted.
import { ZERO_UUID } from '../../src/base/uuid.ts';
import { createTopicsRequest, createTopicsResponse } from '../../src/protocol/apis/create-topics.ts';
import { deleteTopicsRequest, deleteTopicsResponse } from '../../src/protocol/apis/delete-topics.ts';
import { describeConfigsRequest, describeConfigsResponse } from '../../src/protocol/apis/describe-configs.ts';
import { describeTopicPartitionsRequest, describeTopicPartitionsResponse } from '../../src/protocol/apis/describe-topic-partitions.ts';
import { metadataRequest, metadataResponse } from '../../src/protocol/apis/metadata.ts';
import { AnswerBook } from './answer-book.ts';

/** What the broker is started with. */
export const SET_UP: Readonly<Record<string, string>> = {
  'auto.create.topics.enable': 'false',
  'delete.topic.enable': 'false',
  'num.partitions': '3',
  'max.request.partition.size.limit': '2',
  'log.retention.hours': '5',
  'log.roll.ms': '70000',
  'log.roll.hours': '9',
  'log.cleanup.policy': 'compact,delete',
  'compression.type': 'gzip',
  'log.flush.scheduler.interval.ms': '1234',
  'log.segment.bytes': '2000000',
  'log.message.timestamp.type': 'LogAppendTime',
  'log.cleaner.min.cleanable.ratio': '0.25',
  'group.consumer.heartbeat.interval.ms': '6000',
};

const UNKNOWN_ID = 'xxxxxxxxxxxxxxxxxxxxxQ';

export async function askSetUpCases(port: number): Promise<Map<string, unknown>> {
  const book = await AnswerBook.open(port);
  for (const version of [0, 1, 4, 9, 12]) {
    for (const name of ['missing', 'b@d', '__consumer_offsets', '__cluster_metadata']) {
      await book.ask(name, metadataRequest, metadataResponse, version, { topics: [{ name }], allowAutoTopicCreation: true });
    }
  }
  for (const version of [2, 5, 7]) {
    const topics = [{ name: 'defaults', numPartitions: -1, replicationFactor: -1, configs: [{ name: 'segment.ms', value: '5' }] }];
    await book.ask('the defaults', createTopicsRequest, createTopicsResponse, version, { topics, validateOnly: true });
  }
  await book.client.createTopic('told', 3, { 'retention.ms': '77' });
  for (const version of [1, 4]) {
    for (const [resourceType, resourceName] of [
      [2, 'told'],
      [4, '1'],
      [32, 'told'],
    ] as const) {
      // Of the broker no more than was set; all of it is asked elsewhere.
      const configurationKeys = resourceType === 4 ? [...Object.keys(SET_UP), 'log.retention.ms', 'log.flush.interval.ms'] : null;
      const resources = [{ resourceType, resourceName, configurationKeys }];
      const asked = { resources, includeSynonyms: true };
      await book.ask(`type ${resourceType}`, describeConfigsRequest, describeConfigsResponse, version, asked);
    }
  }
  for (const responsePartitionLimit of [1, 2, 3]) {
    const asked = { topics: [{ name: 'told' }], responsePartitionLimit };
    await book.ask(`${responsePartitionLimit} partitions`, describeTopicPartitionsRequest, describeTopicPartitionsResponse, 0, asked);
  }
  for (const version of [1, 2, 3, 4, 5]) {
    for (const timeoutMs of [5000, -1]) {
      const topicNames = ['told', 'missing', 'told', 'b@d'];
      await book.ask(`with ${timeoutMs} ms`, deleteTopicsRequest, deleteTopicsResponse, version, { topicNames, timeoutMs });
    }
  }
  const topics = [
    { name: 'told' },
    { name: 'told' },
    { name: null, topicId: UNKNOWN_ID },
    { name: null, topicId: ZERO_UUID },
    { name: 'x', topicId: UNKNOWN_ID },
  ];
  await book.ask('of all kinds', deleteTopicsRequest, deleteTopicsResponse, 6, { topics, timeoutMs: 5000 });
  return book.close();
}
