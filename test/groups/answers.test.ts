// A shard alone answers the dialogues of test/golden/answers/groups as Apache Kafka 4.3.1 did.
import { expect, test } from 'vitest';
import { dialogueNames, hold, readDialogue, ShardSide } from '../support/group-answers.ts';

test.each(dialogueNames())('%s', async (name) => {
  const { text } = readDialogue(name);
  expect(await hold(text, new ShardSide())).toBe(text);
});
