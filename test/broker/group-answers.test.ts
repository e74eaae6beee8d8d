// Over sockets, the coordinator of groups answers the dialogues of test/golden/answers/groups as Apache Kafka 4.3.1 did, and writes
// the same records.
// With NARU_TEST_BOOTSTRAP=host:port and REWRITE=1 the answers of the broker there are recorded (test/golden/answers/README.md).
import { writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { comparedGroups, dialogueNames, hold, readDialogue, WireSide } from '../support/group-answers.ts';
import { readGroupRecords, readRecordBook, toldByGroup, writeRecordBook } from '../support/group-record-book.ts';
import { Target, workerCounts } from '../support/target.ts';

describe.each(workerCounts(0, 1, 2))('at %i workers', (workers) => {
  let target: Target;

  beforeAll(async () => {
    target = await Target.open(workers, {
      'group.initial.rebalance.delay.ms': '0',
      'group.min.session.timeout.ms': '1000',
      'group.consumer.assignment.interval.ms': '0',
    });
  });
  afterAll(async () => {
    await target?.close();
  });

  it.each(dialogueNames())('%s', async (name) => {
    const { file, text } = readDialogue(name);
    const side = await WireSide.open(target.port);
    const held = await hold(text, side);
    side.close();
    if (process.env.REWRITE === '1') writeFileSync(file, held);
    else expect(held).toBe(text);
  });

  it('the records that this leaves', async () => {
    const records = await readGroupRecords(target.port);
    if (process.env.REWRITE === '1') writeRecordBook(records);
    const groupIds = comparedGroups();
    expect(toldByGroup(records, groupIds)).toEqual(toldByGroup(readRecordBook(), groupIds));
  });
});
