// What Naru answers to Fetch, Produce, ListOffsets, OffsetForLeaderEpoch and InitProducerId that no client means to send is what Apache
// Kafka 4.3.1 answers to the same, as recorded in test/golden/answers/data-path, or a documented other answer, named here.
// With NARU_TEST_BOOTSTRAP=host:port and REWRITE=1 the broker there is recorded anew.
import { readFileSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { askAfterTail, askAsReplica, askOddFetches, askOddSessions, askWaiting } from '../support/data-path/fetch-cases.ts';
import { Questions } from '../support/data-path/questions.ts';
import { Target, workerCounts } from '../support/target.ts';

const books: Readonly<Record<string, (questions: Questions) => Promise<void>>> = {
  'fetch-waiting': askWaiting,
  'fetch-odd': askOddFetches,
  'fetch-sessions': askOddSessions,
  'fetch-replicas': askAsReplica,
  'fetch-tail': askAfterTail,
};

describe.each(workerCounts(0, 2))('at %i workers', (workers) => {
  let target: Target;

  beforeAll(async () => {
    target = await Target.open(workers);
  });
  afterAll(async () => {
    await target?.close();
  });

  it.each(Object.entries(books))('%s', { timeout: 240_000 }, async (book, ask) => {
    const recorded = new URL(`../golden/answers/data-path/${book}.json`, import.meta.url);
    const questions = await Questions.open(target.port, `${book}-${process.pid}-${workers}`);
    await ask(questions);
    questions.close();
    const answers = Object.fromEntries(questions.answers);
    if (process.env.REWRITE === '1') writeFileSync(recorded, oneLineEach(answers));
    expect(answers).toEqual(JSON.parse(readFileSync(recorded, 'utf8')));
  });
});

function oneLineEach(answers: Readonly<Record<string, unknown>>): string {
  const lines = Object.entries(answers).map(([name, answer]) => ` ${JSON.stringify(name)}: ${JSON.stringify(answer)}`);
  return `{\n${lines.join(',\n')}\n}\n`;
}
