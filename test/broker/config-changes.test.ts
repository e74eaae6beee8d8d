// What Naru answers to AlterConfigs, IncrementalAlterConfigs and ListConfigResources, and to DescribeConfigs after each change, is what
// Apache Kafka 4.3.1 answers, as recorded in test/golden/answers/config-changes. With NARU_TEST_BOOTSTRAP=host:port and REWRITE=1 the
// broker there is recorded anew.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { answersText } from '../support/answer-book.ts';
import { askBrokerConfigCases } from '../support/broker-config-cases.ts';
import { askGroupConfigCases } from '../support/group-config-cases.ts';
import { isForeign, Target, workerCounts } from '../support/target.ts';
import { askTopicConfigCases } from '../support/topic-config-cases.ts';

/** What the recorded broker was started with and tells of. */
const RECORDED_WITH = { 'node.id': '1', 'advertised.listeners': 'PLAINTEXT://127.0.0.1:0' };

const FOLDER = new URL('../golden/answers/config-changes/', import.meta.url);

/** Where Naru answers otherwise on purpose: which answers, why, and how ours differs from the recorded one. */
interface Departure {
  readonly answers: RegExp;
  readonly why: string;
  readonly ours: (theirs: string) => string;
}

const JAVA_WRAPPING =
  /Invalid value org\.apache\.kafka\.common\.config\.ConfigException: (.*?) for configuration Invalid dynamic configuration/;

const departures: readonly Departure[] = [
  {
    answers: /^IncrementalAlterConfigs v1: \d+\. (?:2|32) '[^']*' (4|-1) /,
    why: 'Apache Kafka fails over an operation that has no name, but for brokers',
    ours: (theirs) => theirs.replace('"errorCode":-1,"errorMessage":null', '"errorCode":42,"errorMessage":"Unknown operations type N"'),
  },
  {
    answers: /^IncrementalAlterConfigs v1: \d+\. 8 '1' 4 /,
    why: 'the same, of loggers',
    ours: (theirs) =>
      theirs.replace(
        '"errorCode":-1,"errorMessage":null',
        '"errorCode":42,"errorMessage":"Unknown operation type 4 is not allowed for the BROKER_LOGGER resource"',
      ),
  },
  {
    answers: /^AlterConfigs v2: \d+\. 2 'told' retention.ms=1; 2 'told' retention.ms=2$/,
    why: 'Apache Kafka does not answer',
    ours: () => {
      const refusal = { errorCode: 42, errorMessage: 'Each resource must appear at most once.', resourceType: 2, resourceName: 'told' };
      return JSON.stringify({ throttleTimeMs: 0, responses: [refusal, refusal] });
    },
  },
  {
    answers:
      /^\w+ v\d: \d+\. 4 '1?' SET (?:num\.\w+\.threads|background\.threads|log\.cleaner\.threads|(?:listener\S+)?max\.conn\S+|remote\S+)=(?:3|17|7|21|0|100)$/,
    why: 'names of Java classes say nothing to whoever sets an option',
    ours: (theirs) => theirs.replace(JAVA_WRAPPING, '$1').replace('/ by zero', 'log.cleaner.threads must be at least 1 while brokers run'),
  },
  {
    answers: /^\w+ v\d: \d+\. 4 '1?' SET max\.connections\.per\.ip\.overrides=127\.0\.0\.1(:x)?$/,
    why: 'Apache Kafka says where its parser stopped, and not in which option',
    ours: (theirs) =>
      theirs
        .replace(
          `Error parsing configuration property 'max.connections.per.ip.overrides': begin 0, end -1, length 9`,
          'max.connections.per.ip.overrides contains invalid addresses :  (allowed: host:count, with commas)',
        )
        .replace(
          'For input string: \\"x\\"',
          'max.connections.per.ip.overrides: \\"127.0.0.1:x\\" has no count (allowed: host:count, with commas)',
        ),
  },
];

/** What Naru answers where Apache Kafka answers `theirs`. */
function expected(name: string, theirs: unknown): unknown {
  const departure = departures.find(({ answers }) => answers.test(name));
  if (departure === undefined) return theirs;
  const operation = departure.answers.exec(name)?.[1] ?? '';
  return JSON.parse(departure.ours(JSON.stringify(theirs)).replace('type N', `type ${operation}`));
}

const books: readonly { file: string; ask: (port: number) => Promise<Map<string, unknown>> }[] = [
  { file: 'topics.json', ask: askTopicConfigCases },
  { file: 'brokers.json', ask: askBrokerConfigCases },
  { file: 'groups.json', ask: askGroupConfigCases },
];

describe.each(workerCounts(0, 1, 2))('at %i workers', (workers) => {
  it.each(books)('answers as $file says', async ({ file, ask }) => {
    const recorded = new URL(file, FOLDER);
    const target = await Target.open(workers, RECORDED_WITH);
    const answers = Object.fromEntries(await ask(target.port));
    await target.close();
    if (process.env.REWRITE === '1') {
      mkdirSync(FOLDER, { recursive: true });
      writeFileSync(recorded, answersText(answers));
    }
    const theirs: Record<string, unknown> = JSON.parse(readFileSync(recorded, 'utf8'));
    const wanted = Object.entries(theirs).map(([name, each]) => [name, isForeign ? each : expected(name, each)]);
    expect(answers).toEqual(Object.fromEntries(wanted));
  });
});
