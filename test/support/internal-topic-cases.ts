// Questions about the topics that coordinators keep their state in: how they come to be, what they are like, and what an ordinary
// client may do with them. Takes a broker without topics, and leaves none behind.
import { setTimeout as delay } from 'node:timers/promises';
import { createTopicsRequest, createTopicsResponse } from '../../src/protocol/apis/create-topics.ts';
import { deleteTopicsRequest, deleteTopicsResponse } from '../../src/protocol/apis/delete-topics.ts';
import { describeConfigsRequest, describeConfigsResponse } from '../../src/protocol/apis/describe-configs.ts';
import { describeTopicPartitionsRequest, describeTopicPartitionsResponse } from '../../src/protocol/apis/describe-topic-partitions.ts';
import { metadataRequest, metadataResponse } from '../../src/protocol/apis/metadata.ts';
import { produceRequest, produceResponse } from '../../src/protocol/apis/produce.ts';
import { BatchBuilder } from '../../src/protocol/records/batch-builder.ts';
import { AnswerBook } from './answer-book.ts';
import { produceOf, type WireClient } from './wire-client.ts';

const COORDINATED = ['__consumer_offsets', '__transaction_state', '__share_group_state'];
const METADATA_TOPIC = '__cluster_metadata';
const TRIES = 250;
const PAUSE_MS = 20;
const VALUE = Buffer.from('x');

/** Asks for the topic as a client that wants it to be made does, until its partitions are led: Apache answers before it is there. */
async function makeByMetadata(client: WireClient, name: string): Promise<void> {
  for (let attempt = 0; attempt < TRIES; attempt++) {
    const { topics } = await client.ask(metadataRequest, metadataResponse, 12, { topics: [{ name }], allowAutoTopicCreation: true });
    const partitions = topics[0]?.partitions ?? [];
    if (partitions.length > 0 && partitions.every(({ errorCode }) => errorCode === 0)) return;
    await delay(PAUSE_MS);
  }
  throw new Error(`${name} is not made by Metadata`);
}

async function untilGone(client: WireClient, name: string): Promise<void> {
  for (let attempt = 0; attempt < TRIES; attempt++) {
    if ((await client.metadata(name)).topics[0]?.errorCode !== 0) return;
    await delay(PAUSE_MS);
  }
  throw new Error(`${name} does not go away`);
}

export async function askInternalTopicCases(port: number): Promise<Map<string, unknown>> {
  const book = await AnswerBook.open(port);
  const ask = book.ask.bind(book);

  for (const version of [1, 4, 8, 9, 10, 12, 13]) {
    for (const name of [...COORDINATED, METADATA_TOPIC]) {
      const topics = [{ name }];
      // Before version 4 a client cannot say that it wants no topic made.
      if (version < 4 && name !== METADATA_TOPIC) continue;
      const allowAutoTopicCreation = name === METADATA_TOPIC;
      const label = allowAutoTopicCreation ? `${name}, which may be made` : `${name}, not to be made`;
      await ask(label, metadataRequest, metadataResponse, version, { topics, allowAutoTopicCreation });
    }
  }
  for (const name of [...COORDINATED, METADATA_TOPIC]) {
    await ask(`missing ${name}`, describeTopicPartitionsRequest, describeTopicPartitionsResponse, 0, {
      topics: [{ name }],
      responsePartitionLimit: 10,
    });
    await ask(`missing ${name}`, describeConfigsRequest, describeConfigsResponse, 4, {
      resources: [{ resourceType: 2, resourceName: name, configurationKeys: null }],
    });
    await ask(`missing ${name}`, deleteTopicsRequest, deleteTopicsResponse, 6, { topics: [{ name }], timeoutMs: 5000 });
    const topics = [{ name, numPartitions: 1, replicationFactor: 1 }];
    for (const version of [2, 4, 5, 7]) {
      const only = { topics, timeoutMs: 5000, validateOnly: true };
      await ask(`${name}, validated only`, createTopicsRequest, createTopicsResponse, version, only);
    }
  }

  for (const name of COORDINATED) {
    await makeByMetadata(book.client, name);
    const asked = { topics: [{ name }], allowAutoTopicCreation: false };
    for (const version of [0, 1, 4, 8, 12]) await ask(`${name} as it was made`, metadataRequest, metadataResponse, version, asked);
    await ask(`${name} as it was made`, describeTopicPartitionsRequest, describeTopicPartitionsResponse, 0, {
      topics: [{ name }],
      responsePartitionLimit: 10,
    });
    for (const version of [1, 4]) {
      await ask(`${name} as it was made`, describeConfigsRequest, describeConfigsResponse, version, {
        resources: [{ resourceType: 2, resourceName: name, configurationKeys: null }],
        includeSynonyms: true,
      });
    }
    const topics = [{ name, numPartitions: 1, replicationFactor: 1 }];
    await ask(`${name} once more`, createTopicsRequest, createTopicsResponse, 7, { topics, timeoutMs: 5000 });
    const batch = new BatchBuilder({}).append({ key: VALUE, value: VALUE, timestampMs: 1000 }).build();
    const keyless = new BatchBuilder({}).append({ value: VALUE, timestampMs: 1000 }).build();
    for (const version of [3, 8, 12]) {
      for (const acks of [1, -1]) {
        const record = produceOf(name, new Map([[0, batch]]), acks);
        await ask(`a record for ${name} with acks=${acks}`, produceRequest, produceResponse, version, record);
      }
    }
    const two = new Map([
      [0, keyless],
      [99, batch],
    ]);
    await ask(`records for ${name}, one without a key`, produceRequest, produceResponse, 12, produceOf(name, two));
    book.client.raw.clientId = '__admin_client';
    await ask(`a record for ${name} of Kafka's own client`, produceRequest, produceResponse, 12, produceOf(name, new Map([[0, batch]])));
    book.client.raw.clientId = 'raw';
    await ask(`there is ${name}`, deleteTopicsRequest, deleteTopicsResponse, 6, { topics: [{ name }], timeoutMs: 5000 });
    await untilGone(book.client, name);
    await ask(`${name} by hand`, createTopicsRequest, createTopicsResponse, 7, { topics, timeoutMs: 5000 });
    await ask(`there is ${name}`, deleteTopicsRequest, deleteTopicsResponse, 4, { topicNames: [name], timeoutMs: 5000 });
    await untilGone(book.client, name);
  }
  return book.close();
}
