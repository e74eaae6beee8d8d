// What Apache Kafka's own tools print of a broker, line by line as they print it of Apache Kafka 4.3.1, but for the differences that are
// listed with their reasons. Recorded from a fresh one whose data directory is on this machine:
//   NARU_TEST_BOOTSTRAP=127.0.0.1:19092 NARU_TEST_DIRECTORY=/tmp/peers-kafka/node-1/data REWRITE=1 npm run test:interop -- tool-answers
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { runProgram } from './run-program.ts';
import { describeSubjects } from './subject.ts';
import { callLine, FILES, type Places, TOOL_CALLS } from './tool-calls.ts';
import { TOOL_DIFFERENCES } from './tool-differences.ts';
import { kafkaTools } from './toolchains.ts';

const RECORD = join(import.meta.dirname, '../golden/answers/tools.txt');
const RUNNER = join(import.meta.dirname, 'java/RunTools.java');
const ALL_CALLS_TIMEOUT_MS = 180_000;
/** Prints partitions in the order in which the answers came. */
const UNORDERED = /^delete-records /;
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

/** Lines that a call printed, by its place in the list: `3 topics …`. */
type Answers = ReadonlyMap<string, readonly string[]>;

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
    if (isRecording) writeFileSync(RECORD, textOf(found));
  }, ALL_CALLS_TIMEOUT_MS + 30_000);

  test('are those of Apache Kafka', () => {
    const recorded = recordedAnswers();
    expect([...found.keys()]).toEqual([...recorded.keys()]);
    const unlike = [...found].filter(
      ([call, lines]) => subject.isNaru && compared(call, lines) !== compared(call, recorded.get(call) ?? []),
    );
    const texts = (answers: Answers): string =>
      textOf(new Map(unlike.map(([call]) => [call, linesToCompare(call, answers.get(call) ?? [])])));
    expect(texts(found)).toBe(texts(recorded));
  });

  test('differ where it is listed, and only there', (context) => {
    context.skip(!subject.isNaru, 'the recorded answers are of this other broker');
    const recorded = recordedAnswers();
    const idle = TOOL_DIFFERENCES.filter(({ call, line }) => {
      const lines = (answers: Answers): string[] =>
        [...answers].flatMap(([name, all]) => (call.test(name) ? all.filter((each) => line.test(each)) : []));
      return lines(found).join('\n') === lines(recorded).join('\n');
    });
    expect(idle, 'differences that there are none').toEqual([]);
  });
});

function recordedAnswers(): Answers {
  return answersFromText(readFileSync(RECORD, 'utf8'));
}

function linesToCompare(call: string, lines: readonly string[]): string[] {
  const differences = TOOL_DIFFERENCES.filter((difference) => difference.call.test(call));
  return lines.filter((line) => !differences.some((difference) => difference.line.test(line)));
}

function compared(call: string, lines: readonly string[]): string {
  return linesToCompare(call, lines).join('\n');
}

/** The printed text by call. */
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

function textOf(answers: Answers): string {
  return [...answers].map(([call, lines]) => `$ ${call}\n${lines.map((line) => `  ${line}\n`).join('')}`).join('');
}

function answersFromText(text: string): Answers {
  const blocks = text.split(/^\$ /m).slice(1);
  return new Map(
    blocks.map((block) => {
      const [call = '', ...lines] = block.trimEnd().split('\n');
      return [call, lines.map((line) => line.slice(2))];
    }),
  );
}

/** Without what differs from run to run: ids, times, ports, places, the width of columns; without what RunTools.java adds, and stacks. */
function masked(text: string, places: Places): string {
  return (
    text
      .replaceAll(/^(\s+at .*|.*\bended with -?\d+|RunTools\$Ended.*)\n/gm, '')
      .replaceAll(places.directory, '<directory>')
      .replaceAll(places.files, '<files>')
      .replaceAll(/\b(127\.0\.0\.1|localhost):\d+/g, '$1:<port>')
      .replaceAll(/((?:TopicId|ClusterId|Cluster ID|directoryId)\W+)[\w-]{22}/g, '$1<id>')
      .replaceAll(/\b1[789]\d{11}\b/g, '<time>')
      .replaceAll(/\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d[.,]\d{1,9}Z?/g, '<time>')
      .replaceAll(/\b(producerId: |crc: |size: )\d+/g, '$1<number>')
      .replaceAll(/\b\d+ ms ago/g, '<time> ago')
      .replaceAll(/[ \t]+/g, ' ')
      .replaceAll(/ +$/gm, '')
      // How many records the metadata log holds, and columns: directory and end of a replica, port of a node, id of a producer.
      .replaceAll(/(HighWatermark: |FinalizedVersionLevel: \S+ Epoch: )\d+/g, '$1<number>')
      .replaceAll(/^1 [\w-]{22} \d+ (?=\d+ <time>)/gm, '1 <id> <number> ')
      .replaceAll(/^(1 127\.0\.0\.1) \d+ /gm, '$1 <port> ')
      .replaceAll(/^\d+ (?=0 -1 \d+ <time> None$)/gm, '<number> ')
  );
}
