// What Naru answers where there is no coordinator (yet) is what Apache Kafka 4.3.1 answers, as recorded in
// test/golden/answers/coordinators.json.
// With NARU_TEST_BOOTSTRAP=host:port and REWRITE=1 the broker there, a fresh one, is recorded anew.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findCoordinatorRequest, findCoordinatorResponse } from '../../src/protocol/apis/find-coordinator.ts';
import { ERROR } from '../../src/protocol/errors.ts';
import { AnswerBook, answersText } from '../support/answer-book.ts';
import { askOddKeys, askWithoutTopic, KEY_TYPE } from '../support/coordinator-cases.ts';
import { isForeign, Target, workerCounts } from '../support/target.ts';
import { WireClient } from '../support/wire-client.ts';

const file = join(import.meta.dirname, '../golden/answers/coordinators.json');

/** Groups in the order of their names: Apache Kafka answers in the order of its partitions. */
function inOrder(answer: unknown): unknown {
  if (typeof answer !== 'object' || answer === null) return answer;
  const sorted = (value: unknown): unknown =>
    Array.isArray(value) ? value.toSorted((a, b) => String(a?.groupId).localeCompare(String(b?.groupId))) : value;
  return Object.fromEntries(Object.entries(answer).map(([name, value]) => [name, sorted(value)]));
}

describe.each(workerCounts(0, 2))('at %i workers', (workers) => {
  let target: Target;
  const answers = new Map<string, unknown>();
  const recorded: Readonly<Record<string, unknown>> = process.env.REWRITE === '1' ? {} : JSON.parse(readFileSync(file, 'utf8'));

  beforeAll(async () => {
    target = await Target.open(workers);
    const client = await WireClient.connect(target.port);
    await client.createTopic('asked', 2);
    client.close();
    const book = await AnswerBook.open(target.port);
    await askWithoutTopic(book, 'asked');
    await askOddKeys(book);
    for (const [name, answer] of book.close()) answers.set(name, answer);
    if (process.env.REWRITE === '1') writeFileSync(file, answersText(Object.fromEntries(answers)));
  });
  afterAll(async () => {
    await target.close();
  });

  it.each(Object.keys(recorded))('%s', (name) => {
    expect(inOrder(answers.get(name))).toEqual(inOrder(recorded[name]));
  });

  it('asks what was recorded', () => {
    if (process.env.REWRITE !== '1') expect([...answers.keys()]).toEqual(Object.keys(recorded));
  });

  // Here alone: Apache Kafka has these coordinators.
  it('keys of transactions and of share groups get errors that end their clients’ search', async (context) => {
    context.skip(isForeign, 'the broker of NARU_TEST_BOOTSTRAP has these coordinators');
    const client = await WireClient.connect(target.port);
    for (let v = 1; v <= 6; v++) {
      const ask = async (key: string, keyType: number): Promise<number | undefined> => {
        const keys = v >= 4 ? { coordinatorKeys: [key] } : { key };
        const answer = await client.ask(findCoordinatorRequest, findCoordinatorResponse, v, { ...keys, keyType });
        return v >= 4 ? answer.coordinators[0]?.errorCode : answer.errorCode;
      };
      expect(await ask('tx', KEY_TYPE.transaction)).toBe(ERROR.TRANSACTIONAL_ID_AUTHORIZATION_FAILED);
      expect(await ask('g:HbwrFzDRSlKLpRs_d8iVNw:0', KEY_TYPE.share)).toBe(ERROR.INVALID_REQUEST);
    }
    client.close();
  });
});
