// What Naru answers to Fetch, Produce, ListOffsets, OffsetForLeaderEpoch and InitProducerId that no client means to send is what Apache
// Kafka 4.3.1 answers to the same, as recorded in test/golden/answers/data-path, or a documented other answer, named here.
// With NARU_TEST_BOOTSTRAP=host:port and REWRITE=1 the broker there is recorded anew.
import { readFileSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ERROR } from '../../src/protocol/errors.ts';
import { askAfterTail, askAsReplica, askOddFetches, askOddSessions, askWaiting } from '../support/data-path/fetch-cases.ts';
import { askOddEpochs, askOddOffsets, askOddProducerIds } from '../support/data-path/offset-cases.ts';
import { askOddProduces, askRefusals, askTransactionalIds } from '../support/data-path/produce-cases.ts';
import { Questions } from '../support/data-path/questions.ts';
import { askCodecs, askLimits } from '../support/data-path/setting-cases.ts';
import { isForeign, Target, workerCounts } from '../support/target.ts';

const books: Readonly<Record<string, (questions: Questions) => Promise<void>>> = {
  'fetch-waiting': askWaiting,
  'fetch-odd': askOddFetches,
  'fetch-sessions': askOddSessions,
  'fetch-replicas': askAsReplica,
  'fetch-tail': askAfterTail,
  'list-offsets': askOddOffsets,
  'leader-epochs': askOddEpochs,
  'producer-ids': askOddProducerIds,
  'produce-odd': askOddProduces,
  'produce-refusals': askRefusals,
  'produce-transactional': askTransactionalIds,
  'topic-codecs': askCodecs,
  'topic-limits': askLimits,
};

/** Lists whose order says nothing, by book. */
const SETS: Readonly<Record<string, readonly string[]>> = {
  'list-offsets': ['topics', 'partitions'],
  'produce-odd': ['produced', 'partitionResponses'],
  'produce-refusals': ['produced', 'partitionResponses'],
  'produce-transactional': ['produced', 'partitionResponses'],
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
    const questions = await Questions.open(target.port, `${book}-${process.pid}-${workers}`, SETS[book] ?? []);
    await ask(questions);
    questions.close();
    const answers = Object.fromEntries(questions.answers);
    if (process.env.REWRITE === '1') writeFileSync(recorded, oneLineEach(answers));
    const expected = JSON.parse(readFileSync(recorded, 'utf8'));
    expect(answers).toEqual(isForeign ? expected : departed(book, expected));
  });
});

/** Refusals that Apache Kafka leaves to the code alone, and that Naru says in words as well (docs/decisions/0010-refusal-text.md). */
const EXPLAINED: ReadonlySet<number> = new Set([
  ERROR.CORRUPT_MESSAGE,
  ERROR.MESSAGE_TOO_LARGE,
  ERROR.RECORD_LIST_TOO_LARGE,
  ERROR.OUT_OF_ORDER_SEQUENCE_NUMBER,
  ERROR.INVALID_PRODUCER_EPOCH,
  ERROR.INVALID_RECORD,
]);
const TEXTS_SINCE = 8;

type Answers = Record<string, unknown>;

/** What Naru means to answer otherwise. */
function departed(book: string, expected: Answers): Answers {
  if (book === 'producer-ids') {
    // No coordinator is to be found by trying again.
    const refused = ERROR.TRANSACTIONAL_ID_AUTHORIZATION_FAILED;
    return Object.fromEntries(
      Object.entries(expected).map(([name, answer]) => {
        const { errorCode } = answer as { errorCode: number };
        return [name, errorCode === ERROR.NOT_COORDINATOR ? { ...(answer as object), errorCode: refused } : answer];
      }),
    );
  }
  if (!book.startsWith('produce') && !book.startsWith('topic')) return expected;
  return Object.fromEntries(
    Object.entries(expected).map(([name, answer]) => {
      if (/ that is none$/.test(name)) return [name, explained(calledCorrupt(answer))];
      const version = Number(/ v(\d+):/.exec(name)?.[1]);
      return [name, departedProduce(name, book.startsWith('produce') && version < TEXTS_SINCE ? answer : explained(answer))];
    }),
  );
}

function departedProduce(name: string, answer: unknown): unknown {
  const { produced, written } = answer as { produced: { partitionResponses: object[] }[]; written: Answers };
  // Apache refuses the partition and writes the batch that was not empty: its producer would send it again.
  if (/twice, the (first|second) time empty$/.test(name)) {
    return { produced, written: Object.fromEntries(Object.keys(written).map((log) => [log, []])) };
  }
  // There is no transaction coordinator to ask: the whole request is refused for good, as without an id, and not to be tried again.
  if (/transactional id some-id, a transactional batch/.test(name)) {
    const errorCode = ERROR.TRANSACTIONAL_ID_AUTHORIZATION_FAILED;
    return {
      produced: produced.map((topic) => ({
        ...topic,
        partitionResponses: topic.partitionResponses.map((partition) => ({
          ...partition,
          errorCode,
          baseOffset: -1,
          logStartOffset: -1,
          errorMessage: null,
        })),
      })),
      written: Object.fromEntries(Object.keys(written).map((log) => [log, []])),
    };
  }
  return answer;
}

/** Apache answers UNKNOWN_SERVER_ERROR to most of what does not decompress. */
function calledCorrupt(answer: unknown): unknown {
  const { produced, stored } = answer as { produced: { responses: { partitionResponses: object[] }[] }; stored: unknown };
  const responses = produced.responses.map((topic) => ({
    ...topic,
    partitionResponses: topic.partitionResponses.map((partition) => ({
      ...partition,
      errorCode: ERROR.CORRUPT_MESSAGE,
      logStartOffset: -1,
      errorMessage: null,
    })),
  }));
  return { produced: { ...produced, responses }, stored };
}

function explained(answer: unknown): unknown {
  if (Array.isArray(answer)) return answer.map(explained);
  if (typeof answer !== 'object' || answer === null) return answer;
  const { errorCode, errorMessage } = answer as { errorCode?: number; errorMessage?: string | null };
  if (errorCode !== undefined && EXPLAINED.has(errorCode) && errorMessage === null) return { ...answer, errorMessage: '<text>' };
  return Object.fromEntries(Object.entries(answer).map(([name, inner]) => [name, explained(inner)]));
}

function oneLineEach(answers: Readonly<Record<string, unknown>>): string {
  const lines = Object.entries(answers).map(([name, answer]) => ` ${JSON.stringify(name)}: ${JSON.stringify(answer)}`);
  return `{\n${lines.join(',\n')}\n}\n`;
}
