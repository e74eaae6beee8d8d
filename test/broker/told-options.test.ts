// What DescribeConfigs tells of each option of a broker (value, source, what stands behind it, whether it may be changed, its type) is what
// Apache Kafka 4.3.1 tells with the same file, as recorded in test/golden/answers. With NARU_TEST_BOOTSTRAP=host:port and REWRITE=1 the
// broker there is recorded anew (-t FILE): test/golden/answers/README.md.
import { readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { brokerOptionsByName } from '../../src/config/broker-options.ts';
import { answersText } from '../support/answer-book.ts';
import { askOptions, MANY_OPTIONS } from '../support/option-cases.ts';
import { isForeign, Target, workerCounts } from '../support/target.ts';

/** What both files have. */
const LEAST: Readonly<Record<string, string>> = {
  'process.roles': 'broker,controller',
  'node.id': '1',
  'controller.quorum.voters': '1@127.0.0.1:29192',
  'controller.listener.names': 'CONTROLLER',
  listeners: 'PLAINTEXT://127.0.0.1:0,CONTROLLER://127.0.0.1:0',
};
/** What `kafka start` writes besides. */
const MORE: Readonly<Record<string, string>> = {
  'advertised.listeners': 'PLAINTEXT://127.0.0.1:0',
  'listener.security.protocol.map': 'CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT',
  'offsets.topic.replication.factor': '1',
  'transaction.state.log.replication.factor': '1',
  'transaction.state.log.min.isr': '1',
  'share.coordinator.state.topic.replication.factor': '1',
  'share.coordinator.state.topic.min.isr': '1',
  'group.initial.rebalance.delay.ms': '0',
};

interface Entry {
  readonly name: string;
  readonly synonyms?: readonly { readonly source: number; readonly value: string | null }[];
}

/** Options that are told otherwise here, and why it has to be so. */
const INHERENT: Readonly<Record<string, string>> = {
  'share.coordinator.state.topic.prune.interval.ms':
    'Apache Kafka tells an option that it keeps to itself as it was written, and not as it was read',
};

/** By option, without the defaults that our rows depart from. */
function entriesOf(answer: unknown): Map<string, unknown> {
  const { results } = answer as { results: { configs: Entry[] }[] };
  const entries = (results[0]?.configs ?? []).map((entry): [string, unknown] => {
    const departs = brokerOptionsByName.get(entry.name)?.kafkaDefault !== undefined;
    const synonyms = entry.synonyms?.filter(({ source }) => !departs || source !== 5);
    return [entry.name, { ...entry, synonyms }];
  });
  return new Map(entries);
}

const books: readonly { file: string; with: Readonly<Record<string, string>> }[] = [
  { file: 'many-options.json', with: { ...LEAST, ...MORE, ...MANY_OPTIONS } },
];

describe.each(workerCounts(0))('at %i workers', (workers) => {
  it.each(books)('tells what $file says', async ({ file, with: given }) => {
    const recorded = new URL(`../golden/answers/${file}`, import.meta.url);
    const target = await Target.open(workers, given, true);
    const answers = Object.fromEntries(await askOptions(target.port));
    await target.close();
    if (process.env.REWRITE === '1') writeFileSync(recorded, answersText(answers));
    const theirs: Record<string, unknown> = JSON.parse(readFileSync(recorded, 'utf8'));
    expect(Object.keys(answers)).toEqual(Object.keys(theirs));
    for (const [label, theirAnswer] of Object.entries(theirs)) {
      const [ours, all] = [entriesOf(answers[label]), entriesOf(theirAnswer)];
      expect([...ours.keys()].sort(), label).toEqual([...all.keys()].sort());
      for (const [name, entry] of all) {
        if (isForeign || INHERENT[name] === undefined) expect(ours.get(name), `${label}: ${name}`).toEqual(entry);
        else expect(ours.get(name), `${label}: ${name} departs no longer: ${INHERENT[name]}`).not.toEqual(entry);
      }
    }
  });
});
