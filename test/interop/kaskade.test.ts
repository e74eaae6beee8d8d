// Kaskade, a console for Kafka in a terminal: its screens, as its users see them, over a broker. Each scenario is a run of a program.
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runProgram } from './run-program.ts';
import { describeSubjects } from './subject.ts';
import { kaskade } from './toolchains.ts';

const PROGRAM = join(import.meta.dirname, 'python/with_kaskade.py');
const SCENARIOS = {
  admin: 'shows topics with their records, groups and lag; creates, changes and deletes a topic',
  messages: 'shows the records of a topic',
};

describeSubjects('Kaskade', { tool: kaskade }, (subject, program) => {
  test.each(Object.entries(SCENARIOS))('%s: %s', async (scenario) => {
    const environment = { PYTHONDONTWRITEBYTECODE: '1' };
    const result = await runProgram(program(), [PROGRAM, subject.address, scenario, subject.newTopic('kaskade')], { environment });
    expect(result.code, result.story).toBe(0);
  });
});
