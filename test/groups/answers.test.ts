// A shard alone answers the dialogues of test/golden/answers/groups as Apache Kafka 4.3.1 did, and writes the same records.
import { expect, test } from 'vitest';
import { groupRecordCodec } from '../../src/groups/group-records.ts';
import { comparedGroups, dialogueNames, hold, readDialogue, ShardSide } from '../support/group-answers.ts';
import type { LoggedRecord } from '../support/group-driver.ts';
import { readRecordBook, toldByGroup } from '../support/group-record-book.ts';
import { encodeRecord } from '../support/record-bytes.ts';

test.each(dialogueNames())('%s', async (name) => {
  const { text } = readDialogue(name);
  expect(await hold(text, new ShardSide())).toBe(text);
});

test('the records that this leaves', async () => {
  const records: LoggedRecord[] = [];
  for (const name of dialogueNames()) {
    const side = new ShardSide();
    await hold(readDialogue(name).text, side);
    records.push(...side.driver.log);
  }
  const groupIds = comparedGroups();
  expect(toldByGroup(records, groupIds)).toEqual(toldByGroup(readRecordBook(), groupIds));
});

test('the records of Apache Kafka are written again as they were, byte for byte', () => {
  for (const { key, value } of readRecordBook()) {
    const record = groupRecordCodec.decode(key, value);
    if (record === null) throw new Error(`no record ${Buffer.from(key).toString('hex')}`);
    const again = encodeRecord(groupRecordCodec, record);
    expect([again.key, again.value].map(hex)).toEqual([key, value].map(hex));
  }
});

function hex(bytes: Uint8Array | null): string | null {
  return bytes === null ? null : Buffer.from(bytes).toString('hex');
}
