// What Naru answers about topics, offsets, configurations and the cluster is what Apache Kafka 4.3.1 answers to the same calls, as
// recorded in test/golden/answers. With NARU_TEST_BOOTSTRAP=host:port and REWRITE=1 the broker there is recorded anew.
import { readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { askAdminCases } from '../support/admin-cases.ts';
import { answersText } from '../support/answer-book.ts';
import { askInternalTopicCases } from '../support/internal-topic-cases.ts';
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
];

function expected(name: string, theirs: unknown): unknown {
  const departure = departures.find(({ cases }) => cases.test(name));
  if (departure === undefined || isForeign) return theirs;
  const ours: unknown = JSON.parse(departure.ours(JSON.stringify(theirs)));
  expect(ours, `${name} departs no longer: ${departure.why}`).not.toEqual(theirs);
  return ours;
}

const books = [
  { file: 'admin.json', ask: askAdminCases },
  { file: 'topic-admin.json', ask: askTopicAdminCases },
  { file: 'internal-topics.json', ask: askInternalTopicCases },
];

describe.each(workerCounts(0, 2))('at %i workers', (workers) => {
  it.each(books)('answers as $file says', async ({ file, ask }) => {
    const recorded = new URL(`../golden/answers/${file}`, import.meta.url);
    const target = await Target.open(workers, RECORDED_WITH);
    const answers = Object.fromEntries(await ask(target.port));
    await target.close();
    if (process.env.REWRITE === '1') writeFileSync(recorded, answersText(answers));
    const theirs: Record<string, unknown> = JSON.parse(readFileSync(recorded, 'utf8'));
    expect(answers).toEqual(Object.fromEntries(Object.entries(theirs).map(([name, each]) => [name, expected(name, each)])));
  });
});
