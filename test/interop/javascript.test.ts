// @confluentinc/kafka-javascript: each scenario is a run of the program in javascript/. Those that are JavaScript alone are asked in the test run.
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runProgram } from './run-program.ts';
import { describeSubjects } from './subject.ts';
import { confluentJavascript, MACHINES_PATH } from './toolchains.ts';

const SCENARIOS = {
  classic: 'shares a topic in a group of the classic protocol, and goes on where it stopped',
  consumer: 'shares a topic in a group of the new protocol, and goes on where it stopped',
};
const FILE = join(import.meta.dirname, 'javascript/with-confluent.mjs');

describeSubjects('@confluentinc/kafka-javascript', { tool: confluentJavascript }, (subject, packages) => {
  for (const [scenario, title] of Object.entries(SCENARIOS)) {
    test(title, async () => {
      const environment = { PATH: MACHINES_PATH, NARU_INTEROP_PACKAGES: packages() };
      const result = await runProgram('node', [FILE, subject.address, scenario, subject.newTopic('confluent')], { environment });
      expect(result.code, result.story).toBe(0);
    });
  }
});
