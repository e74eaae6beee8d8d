// franz-go, a client in Go: each scenario is a run of the program in go/.
import { expect, test } from 'vitest';
import { runProgram } from './run-program.ts';
import { describeSubjects } from './subject.ts';
import { goClient } from './toolchains.ts';

const SCENARIOS = {
  codecs: 'produces idempotently with every codec and reads the same back',
  acks: 'produces with every acks setting and reads the same back',
  offsets: 'finds offsets by time and by name, and reads from the middle of a batch',
  epochs: 'starts from an offset and its leader epoch',
  tail: 'hears at once of what is appended while it waits',
  admin: 'creates, lists, describes, deletes and creates again',
  classic: 'shares a topic in a group of the classic protocol, and goes on where it stopped',
  consumer: 'shares a topic in a group of the new protocol, and goes on where it stopped',
  console: 'is told what a console shows: cluster, topics, configurations, groups, log directories, security',
  transactions: 'is told at once that there are no transactions',
};

describeSubjects('franz-go', { tool: goClient }, (subject, program) => {
  for (const [scenario, title] of Object.entries(SCENARIOS)) {
    test(title, async (context) => {
      context.skip(scenario === 'transactions' && !subject.isNaru, 'the other broker has transactions');
      const result = await runProgram(program(), [subject.address, scenario, subject.newTopic('franz-go')]);
      expect(result.code, result.story).toBe(0);
    });
  }
});
