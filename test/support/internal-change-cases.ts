// What may be changed of the topics that coordinators keep their state in, and of the metadata's: more partitions, fewer records, other
// settings, an election, and their end. Takes a broker without topics, and leaves none behind.
import { setTimeout as delay } from 'node:timers/promises';
import { alterConfigsRequest, alterConfigsResponse } from '../../src/protocol/apis/alter-configs.ts';
import { createPartitionsRequest, createPartitionsResponse } from '../../src/protocol/apis/create-partitions.ts';
import { deleteRecordsRequest, deleteRecordsResponse } from '../../src/protocol/apis/delete-records.ts';
import { deleteTopicsRequest, deleteTopicsResponse } from '../../src/protocol/apis/delete-topics.ts';
import { describeConfigsRequest, describeConfigsResponse } from '../../src/protocol/apis/describe-configs.ts';
import { electLeadersRequest, electLeadersResponse } from '../../src/protocol/apis/elect-leaders.ts';
import { incrementalAlterConfigsRequest, incrementalAlterConfigsResponse } from '../../src/protocol/apis/incremental-alter-configs.ts';
import { metadataRequest, metadataResponse } from '../../src/protocol/apis/metadata.ts';
import { AnswerBook } from './answer-book.ts';
import { isForeign } from './target.ts';

type Growth = { name: string; count: number; assignments?: { brokerIds: number[] }[] | null };

const COORDINATED = ['__consumer_offsets', '__transaction_state', '__share_group_state'];
const METADATA_TOPIC = '__cluster_metadata';
const TIMEOUT_MS = 20_000;
const TRIES = 600;
const PAUSE_MS = 20;
/** Apache Kafka's broker reads a change some time after its controller has said that it is made. */
const FOREIGN_PAUSE_MS = 150;

/** The questions, each with a label of its own. */
class Asker {
  readonly book: AnswerBook;

  constructor(book: AnswerBook) {
    this.book = book;
  }

  grow(label: string, topics: readonly Growth[], more: { validateOnly?: boolean; timeoutMs?: number } = {}): Promise<void> {
    const asked = { topics: topics.map((topic) => ({ assignments: null, ...topic })), timeoutMs: TIMEOUT_MS, validateOnly: false, ...more };
    return this.book.ask(label, createPartitionsRequest, createPartitionsResponse, 3, asked, (answer) => ({
      ...answer,
      results: [...answer.results].sort((a, b) => (a.name < b.name ? -1 : 1)),
    }));
  }

  remove(label: string, names: readonly string[], timeoutMs = TIMEOUT_MS): Promise<void> {
    const topics = names.map((name) => ({ name }));
    return this.book.ask(label, deleteTopicsRequest, deleteTopicsResponse, 6, { topics, timeoutMs });
  }

  trim(label: string, name: string, offsets: readonly (readonly [partition: number, offset: number])[], timeoutMs = 5000): Promise<void> {
    const partitions = offsets.map(([partitionIndex, offset]) => ({ partitionIndex, offset }));
    return this.book.ask(
      label,
      deleteRecordsRequest,
      deleteRecordsResponse,
      2,
      { topics: [{ name, partitions }], timeoutMs },
      (answer) => ({
        ...answer,
        topics: answer.topics.map((topic) => ({
          ...topic,
          partitions: topic.partitions.sort((a, b) => a.partitionIndex - b.partitionIndex),
        })),
      }),
    );
  }

  async alter(label: string, name: string, value: string | null, validateOnly = false): Promise<void> {
    const configs = [{ name: 'retention.ms', value, configOperation: value === null ? 1 : 0 }];
    const asked = { resources: [{ resourceType: 2, resourceName: name, configs }], validateOnly };
    await this.book.ask(label, incrementalAlterConfigsRequest, incrementalAlterConfigsResponse, 1, asked);
    await this.look(label, name);
  }

  async replace(label: string, name: string, configs: readonly { name: string; value: string }[], validateOnly = false): Promise<void> {
    const asked = { resources: [{ resourceType: 2, resourceName: name, configs }], validateOnly };
    await this.book.ask(label, alterConfigsRequest, alterConfigsResponse, 2, asked);
    await this.look(label, name);
  }

  async look(label: string, name: string): Promise<void> {
    if (isForeign) await delay(FOREIGN_PAUSE_MS);
    const configurationKeys = ['retention.ms', 'cleanup.policy', 'segment.bytes', 'compression.type'];
    await this.book.ask(label, describeConfigsRequest, describeConfigsResponse, 4, {
      resources: [{ resourceType: 2, resourceName: name, configurationKeys }],
      includeSynonyms: true,
    });
  }

  /** Asks until the topic has so many partitions that are led; none is that it is gone. */
  async untilPartitions(name: string, count: number): Promise<void> {
    for (let attempt = 0; attempt < TRIES; attempt++) {
      const allowAutoTopicCreation = count > 0;
      const asked = { topics: [{ name }], allowAutoTopicCreation };
      const [topic] = (await this.book.client.ask(metadataRequest, metadataResponse, 12, asked)).topics;
      const led = topic?.partitions.filter(({ errorCode }) => errorCode === 0).length ?? 0;
      if (count > 0 ? led >= count && topic?.partitions.length === led : topic?.errorCode !== 0) return;
      await delay(PAUSE_MS);
    }
    throw new Error(`${name} never had ${count} partitions`);
  }
}

export async function askInternalChangeCases(port: number): Promise<Map<string, unknown>> {
  const book = await AnswerBook.open(port);
  const asker = new Asker(book);
  for (const name of [...COORDINATED, METADATA_TOPIC]) await askAboutInternal(asker, name);
  return book.close();
}

/** A topic of the cluster's own: grown, trimmed, set, deleted. */
async function askAboutInternal(asker: Asker, name: string): Promise<void> {
  const isMade = name !== METADATA_TOPIC;
  if (isMade) await asker.untilPartitions(name, 1);
  await asker.grow(`${name}, only to look`, [{ name, count: 60 }], { validateOnly: true });
  await asker.grow(`${name}, fewer`, [{ name, count: 1 }]);
  await asker.grow(`${name}, by hand`, [{ name, count: 60, assignments: [{ brokerIds: [1] }] }]);
  await asker.grow(`${name}, more`, [{ name, count: 6 }]);
  if (isMade) await asker.untilPartitions(name, 6);
  for (const offset of [0, -1, 5, -2]) {
    await asker.trim(`${name} to ${offset}`, name, [
      [0, offset],
      [5, offset],
      [99, offset],
    ]);
  }
  await asker.alter(`${name} is set, only to look`, name, '5', true);
  await asker.alter(`${name} is set`, name, '5000');
  await asker.alter(`${name} is set back`, name, null);
  await asker.replace(`${name} is set to one thing alone, only to look`, name, [{ name: 'retention.ms', value: '7' }], true);
  await asker.replace(`${name} is set to one thing alone`, name, [{ name: 'retention.ms', value: '7000000' }]);
  await asker.book.ask(`${name}, an election`, electLeadersRequest, electLeadersResponse, 2, {
    electionType: 0,
    topicPartitions: [{ topic: name, partitions: [0] }],
    timeoutMs: TIMEOUT_MS,
  });
  await asker.remove(`${name} and nothing`, [name, '']);
  if (isMade) await asker.untilPartitions(name, 0);
}
