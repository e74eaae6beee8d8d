// What Naru answers about topics, offsets, configurations and the cluster is what Apache Kafka 4.3.1 answers to the same calls, as
// recorded in test/golden/answers. With NARU_TEST_BOOTSTRAP=host:port and REWRITE=1 the broker there is recorded anew.
import { readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { brokerOptionsByName } from '../../src/config/broker-options.ts';
import { CONFIG_SOURCE } from '../../src/config/describe.ts';
import { askAdminCases } from '../support/admin-cases.ts';
import { answersText, comparable } from '../support/answer-book.ts';
import { askClusterChangeCases } from '../support/cluster-change-cases.ts';
import { askConfigCases } from '../support/config-cases.ts';
import { askInternalChangeCases } from '../support/internal-change-cases.ts';
import { askInternalTopicCases } from '../support/internal-topic-cases.ts';
import { askLogAdminCases } from '../support/log-admin-cases.ts';
import { askNodeAdminCases } from '../support/node-admin-cases.ts';
import { askSetUpCases, SET_UP } from '../support/set-up-cases.ts';
import { isForeign, Target, workerCounts } from '../support/target.ts';
import { askTopicAdminCases } from '../support/topic-admin-cases.ts';

/** What the recorded broker was started with, besides its addresses and directory (test/golden/answers/README.md). */
const RECORDED_WITH: Readonly<Record<string, string>> = {
  'process.roles': 'broker,controller',
  'node.id': '1',
  'offsets.topic.replication.factor': '1',
  'transaction.state.log.replication.factor': '1',
  'transaction.state.log.min.isr': '1',
  'share.coordinator.state.topic.replication.factor': '1',
  'share.coordinator.state.topic.min.isr': '1',
  'group.initial.rebalance.delay.ms': '0',
  'controller.listener.names': 'CONTROLLER',
  'controller.quorum.voters': '1@127.0.0.1:29192',
  'listener.security.protocol.map': 'CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT',
  listeners: 'PLAINTEXT://127.0.0.1:0,CONTROLLER://127.0.0.1:0',
  'advertised.listeners': 'PLAINTEXT://127.0.0.1:0',
  'offsets.topic.num.partitions': '3',
  'offsets.topic.segment.bytes': '2097152',
  'transaction.state.log.num.partitions': '2',
  'share.coordinator.state.topic.num.partitions': '4',
};

/** Where Naru answers otherwise on purpose: which cases, why, and how its answer differs from the recorded one. */
interface Departure {
  readonly cases: RegExp;
  readonly why: string;
  readonly ours: (theirs: string) => string;
}

const departures: readonly Departure[] = [
  {
    cases: /^Metadata v1[23]: no name and no id$/,
    why: 'Apache Kafka fails over a null pointer and says UNKNOWN_SERVER_ERROR, which tells the client that the broker is broken',
    ours: (theirs) => theirs.replaceAll('"errorCode":-1', '"errorCode":42'),
  },
  {
    cases: /^DescribeTopicPartitions v0: .*"name":""/,
    why: 'Apache Kafka fails while it looks up what may be done to a topic without a name',
    ours: (theirs) =>
      theirs
        .replace('"errorCode":-1', '"errorCode":17')
        .replace('"topicAuthorizedOperations":-2147483648', '"topicAuthorizedOperations":3576'),
  },
  {
    cases: /^DescribeTopicPartitions v0: .*"partitionIndex":2147483647/,
    why: 'Apache Kafka adds the limit to the cursor in 32 bits and sends the client to a partition below zero',
    ours: (theirs) => theirs.replace(/"nextCursor":\{.*?\}/, '"nextCursor":null'),
  },
  {
    cases: /^CreateTopics v7: 2147483647 and /,
    why: 'Apache Kafka adds the counts in 32 bits and fails',
    ours: (theirs) =>
      theirs.replaceAll(
        '"errorCode":-1,"errorMessage":null',
        '"errorCode":44,"errorMessage":"Excessively large number of partitions per request."',
      ),
  },
  {
    cases: /^CreatePartitions v3: three, of which the second is too much$/,
    why: 'Apache Kafka fails when it has made as many of them as it may, and keeps those',
    ours: (theirs) =>
      theirs.replaceAll(
        '"errorCode":-1,"errorMessage":null',
        '"errorCode":44,"errorMessage":"Unable to perform excessively large batch operation."',
      ),
  },
  {
    cases: /^DescribeQuorum v2: the quorum$/,
    why: 'nobody listens for other controllers, so that no address is told; kafka-metadata-quorum leaves it out then',
    ours: (theirs) => theirs.replace(/"listeners":\[\{.*?\}\]/, '"listeners":[]'),
  },
  {
    cases: /^DescribeConfigs v[14]: the broker$/,
    why: 'a few options have another default here, or one at all, as their rows and the reference say',
    ours: (theirs) => JSON.stringify(JSON.parse(theirs, (_, value) => withOwnDefault(value))),
  },
  {
    cases: /^DescribeConfigs v[14]: the logger of everything$/,
    why: 'the recorded Kafka was told to say less',
    ours: (theirs) => theirs.replace('"value":"WARN"', '"value":"INFO"'),
  },
];

/** An option as DescribeConfigs tells it, with the default that our row names where that is not Kafka's. */
function withOwnDefault(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || !('synonyms' in value && 'name' in value)) return value;
  const row = brokerOptionsByName.get(String(value.name));
  if (row?.kafkaDefault === undefined || !Array.isArray(value.synonyms)) return value;
  const given = value.synonyms.filter((synonym) => synonym.source !== CONFIG_SOURCE.DEFAULT_CONFIG);
  return { ...value, synonyms: [...given, comparable({ name: row.name, value: row.defaultText, source: CONFIG_SOURCE.DEFAULT_CONFIG })] };
}

function expected(name: string, theirs: unknown): unknown {
  const departure = departures.find(({ cases }) => cases.test(name));
  if (departure === undefined || isForeign) return theirs;
  const ours: unknown = JSON.parse(departure.ours(JSON.stringify(theirs)));
  expect(ours, `${name} departs no longer: ${departure.why}`).not.toEqual(theirs);
  return ours;
}

const books: readonly { file: string; ask: typeof askAdminCases; besides?: Readonly<Record<string, string>> }[] = [
  { file: 'admin.json', ask: askAdminCases },
  { file: 'topic-admin.json', ask: askTopicAdminCases },
  { file: 'configs.json', ask: askConfigCases },
  { file: 'log-admin.json', ask: askLogAdminCases },
  { file: 'internal-topics.json', ask: askInternalTopicCases },
  { file: 'internal-changes.json', ask: askInternalChangeCases },
  { file: 'cluster-changes.json', ask: askClusterChangeCases },
  { file: 'node-admin.json', ask: askNodeAdminCases },
  { file: 'set-up.json', ask: askSetUpCases, besides: SET_UP },
];

describe.each(workerCounts(0, 2))('at %i workers', (workers) => {
  it.each(books)('answers as $file says', async ({ file, ask, besides }) => {
    const recorded = new URL(`../golden/answers/${file}`, import.meta.url);
    const target = await Target.open(workers, { ...RECORDED_WITH, ...besides }, true);
    const answers = Object.fromEntries(await ask(target.port));
    await target.close();
    if (process.env.REWRITE === '1') writeFileSync(recorded, answersText(answers));
    const theirs: Record<string, unknown> = JSON.parse(readFileSync(recorded, 'utf8'));
    expect(answers).toEqual(Object.fromEntries(Object.entries(theirs).map(([name, each]) => [name, expected(name, each)])));
  });
});
