// What admin clients are told by a broker, line by line as Apache Kafka 4.3.1 told it, but for the differences that are listed with their
// reasons. Each program asks a fresh broker. Recorded from a fresh one whose data directory is on this machine, one client at a time:
//   NARU_TEST_BOOTSTRAP=127.0.0.1:19092 NARU_TEST_DIRECTORY=/tmp/peers-kafka/node-1/data REWRITE=1 npx vitest run --config vitest.interop.config.ts admin-clients -t java
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { ADMIN_DIFFERENCES } from './admin-differences.ts';
import {
  type Answers,
  answersFromText,
  expectRealDifferences,
  expectSameAnswers,
  readAnswers,
  withoutAccidents,
  writeAnswers,
} from './recorded-answers.ts';
import { runProgram } from './run-program.ts';
import { describeSubjects } from './subject.ts';
import { goClient, kafkaTools, pythonClients, type Tool } from './toolchains.ts';

interface Client {
  readonly tool: () => Promise<Tool>;
  readonly args: (address: string) => readonly string[];
}

const here = import.meta.dirname;
const isRecording = process.env.REWRITE === '1';
const TIMEOUT_MS = 120_000;
const ENVIRONMENT = { PEERS_HEAP: '-Xmx512M -XX:TieredStopAtLevel=1', PEERS_LOG_LEVEL: 'OFF', PYTHONDONTWRITEBYTECODE: '1' };

const CLIENTS: Readonly<Record<string, Client>> = {
  java: { tool: kafkaTools, args: (address) => ['run', join(here, 'java/AskAdmin.java'), address] },
  'franz-go': { tool: goClient, args: (address) => [address, 'ask', 'unused'] },
  confluent: { tool: pythonClients, args: (address) => [join(here, 'python/ask_confluent.py'), address] },
  aiokafka: { tool: pythonClients, args: (address) => [join(here, 'python/ask_aiokafka.py'), address] },
  kafkajs: {
    tool: async () => ({ program: process.execPath, missing: null }),
    args: (address) => [join(here, 'javascript/ask-kafkajs.ts'), address],
  },
};

for (const [name, { tool, args }] of Object.entries(CLIENTS)) {
  const record = join(here, `../golden/answers/clients/${name}.txt`);
  const differences = ADMIN_DIFFERENCES[name] ?? [];
  describeSubjects(`the admin client of ${name}`, { tool }, (subject, program) => {
    let found: Answers = new Map();

    beforeAll(async () => {
      if (program() === '') return;
      const directory = subject.isNaru ? subject.directory : (process.env.NARU_TEST_DIRECTORY ?? 'unknown');
      const result = await runProgram(program(), args(subject.address), { environment: ENVIRONMENT, timeoutMs: TIMEOUT_MS });
      expect(result.code, result.story).toBe(0);
      found = answersFromText(masked(result.out, subject.address, directory));
      if (isRecording) writeAnswers(record, found);
    }, TIMEOUT_MS + 30_000);

    test('is told what Apache Kafka tells it', () => {
      expectSameAnswers(found, readAnswers(record), subject.isNaru ? differences : []);
    });

    test('is told otherwise where it is listed, and only there', (context) => {
      context.skip(!subject.isNaru, 'the recorded answers are of this other broker');
      expectRealDifferences(found, readAnswers(record), differences);
    });
  });
}

/** Without what differs from run to run: ids of topics, clusters and producers, epochs, ends of the metadata log, the port by itself. */
function masked(text: string, address: string, directory: string): string {
  const port = address.split(':').at(-1) ?? '';
  return withoutAccidents(text, { directory })
    .replaceAll(new RegExp(`\\b${port}\\b`, 'g'), '<port>')
    .replaceAll(
      /(producerId=|topicId=|topic_id=|cluster_id['=: ]+|clusterId: |"(?:ProducerID|Cluster|ID|TopicID)":)(?!"A{22}==")"?[\w+/=-]+"?/g,
      '$1<id>',
    )
    .replaceAll(/("ReplicaDirectoryID":)\[[\d,]*\]/g, '$1<id>')
    .replaceAll(/("Port":)\d+/g, '$1<port>')
    .replaceAll(/("(?:LogEndOffset|HighWatermark|LastFetchTimestamp|LastCaughtUpTimestamp)":)-?\d+/g, '$1<number>');
}
