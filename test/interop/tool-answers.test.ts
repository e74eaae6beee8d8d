// What Apache Kafka's own tools print of a broker, line by line as they print it of Apache Kafka 4.3.1, but for the differences that are
// listed with their reasons. Recorded from a fresh one whose data directory is on this machine:
//   NARU_TEST_BOOTSTRAP=127.0.0.1:19092 NARU_TEST_DIRECTORY=/tmp/peers-kafka/node-1/data REWRITE=1 npm run test:interop -- tool-answers
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { type Answers, expectRealDifferences, expectSameAnswers, readAnswers, withoutAccidents, writeAnswers } from './recorded-answers.ts';
import { runProgram } from './run-program.ts';
import { describeSubjects } from './subject.ts';
import { FILES, TOOL_CALLS } from './tool-call-list.ts';
import { callLine, type Places } from './tool-calls.ts';
import { TOOL_DIFFERENCES } from './tool-differences.ts';
import { kafkaTools } from './toolchains.ts';

const RECORD = join(import.meta.dirname, '../golden/answers/tools.txt');
const RUNNER = join(import.meta.dirname, 'java/RunTools.java');
const ALL_CALLS_TIMEOUT_MS = 180_000;
/** Print partitions in the order in which the answers came, or in that of a broker's own table. */
const UNORDERED = /^(delete-records |reassign .*--verify)/;
/** What Kafka's script sets in a cluster of one. */
const OVERRIDES = {
  'offsets.topic.replication.factor': '1',
  'transaction.state.log.replication.factor': '1',
  'transaction.state.log.min.isr': '1',
  'share.coordinator.state.topic.replication.factor': '1',
  'share.coordinator.state.topic.min.isr': '1',
  'group.initial.rebalance.delay.ms': '0',
};
const isRecording = process.env.REWRITE === '1';

describeSubjects("answers of Kafka's tools", { tool: kafkaTools, overrides: OVERRIDES }, (subject, program) => {
  let found: Answers = new Map();

  beforeAll(async () => {
    if (program() === '') return;
    const files = mkdtempSync(join(tmpdir(), 'naru-tools-'));
    for (const [name, text] of Object.entries(FILES)) writeFileSync(join(files, name), text);
    const directory = subject.isNaru ? subject.directory : (process.env.NARU_TEST_DIRECTORY ?? 'unknown');
    const places = { address: subject.address, directory, files };
    const input = TOOL_CALLS.map((call) => `${callLine(call, places)}\n`).join('');
    // Its warnings bear times and differ in number; what a tool means to say, it prints.
    const environment = { PEERS_HEAP: '-Xmx512M -XX:TieredStopAtLevel=1', PEERS_LOG_LEVEL: 'OFF' };
    const result = await runProgram(program(), ['run', RUNNER], { input, environment, timeoutMs: ALL_CALLS_TIMEOUT_MS });
    rmSync(files, { recursive: true });
    expect(result.code, result.story).toBe(0);
    found = answersOf(masked(result.out, places));
    expect(found.size, result.story).toBe(TOOL_CALLS.length);
    if (isRecording) writeAnswers(RECORD, found);
  }, ALL_CALLS_TIMEOUT_MS + 30_000);

  test('are those of Apache Kafka', () => {
    expectSameAnswers(found, readAnswers(RECORD), subject.isNaru ? TOOL_DIFFERENCES : []);
  });

  test('differ where it is listed, and only there', (context) => {
    context.skip(!subject.isNaru, 'the recorded answers are of this other broker');
    expectRealDifferences(found, readAnswers(RECORD), TOOL_DIFFERENCES);
  });
});

/** The printed text by call: `3 topics …`. */
function answersOf(text: string): Answers {
  const answers = new Map<string, readonly string[]>();
  let lines: string[] = [];
  for (const line of text.split('\n')) {
    if (line.trim() !== '') lines.push(line.trim());
    if (!/^exit -?\d+$/.test(line)) continue;
    const command = TOOL_CALLS[answers.size]?.command ?? '';
    answers.set(`${answers.size} ${command}`, UNORDERED.test(command) ? lines.sort() : lines);
    lines = [];
  }
  return answers;
}

/** Without what differs from run to run, what RunTools.java adds, and stacks. */
function masked(text: string, { directory, files }: Places): string {
  return (
    withoutAccidents(text.replaceAll(/^(\s+at .*|.*\bended with -?\d+|RunTools\$Ended.*)\n/gm, ''), { directory, files })
      // The loggers besides the root are those of its classes.
      .replaceAll(/^ *(?!root=)\S+=ERROR sensitive=false synonyms=\{\}\n/gm, '')
      .replaceAll(/\b(producerId: |crc: |size: )\d+/g, '$1<number>')
      .replaceAll(/\b\d+ ms ago/g, '<time> ago')
      // How many records the metadata log holds, how long things took.
      .replaceAll(/(HighWatermark: |FinalizedVersionLevel: \S+ Epoch: )\d+/g, '$1<number>')
      .replaceAll(/(?<=^(Avg latency|Percentiles).*)\b\d+(\.\d+)?\b(?=,| ms|$)/gm, '<number>')
      .replaceAll(/^0 \d+\.\d+(E-\d)?$/gm, '0 <number>')
      // Columns: directory and end of a replica, port of a node, id of a producer.
      .replaceAll(/^1 [\w-]{22} \d+ (?=\d+ <time>)/gm, '1 <id> <number> ')
      .replaceAll(/^(1 127\.0\.0\.1) \d+ /gm, '$1 <port> ')
      .replaceAll(/^\d+ (?=0 -1 \d+ <time> None$)/gm, '<number> ')
  );
}
