// Clients in Python: confluent-kafka (librdkafka), aiokafka and kafka-python. Each scenario is a run of a program in python/.
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runProgram } from './run-program.ts';
import { describeSubjects } from './subject.ts';
import { pythonClients } from './toolchains.ts';

const CODECS = 'produces with every codec and acks setting and reads the same back';
const OFFSETS = 'finds offsets by time, and reads from the middle of a batch';
const CLASSIC = 'shares a topic in a group of the classic protocol, and goes on where it stopped';
const SCENARIOS = {
  confluent: {
    codecs: CODECS,
    large: 'produces records near the limit, and is told of one above it',
    offsets: OFFSETS,
    ties: 'finds the offsets that Apache Kafka finds where timestamps are equal or run backwards',
    tail: 'hears at once of what is appended while it waits',
    admin: 'creates, describes, lists and deletes',
    classic: CLASSIC,
    consumer: 'shares a topic in a group of the new protocol, and goes on where it stopped',
    transactions: 'is told at once that there are no transactions',
  },
  aiokafka: { codecs: CODECS, offsets: OFFSETS, classic: CLASSIC },
  kafka_python: { codecs: CODECS, offsets: OFFSETS, classic: CLASSIC },
};

describeSubjects('Python', { tool: pythonClients }, (subject, program) => {
  for (const [client, scenarios] of Object.entries(SCENARIOS)) {
    for (const [scenario, title] of Object.entries(scenarios)) {
      test(`${client} ${title}`, async (context) => {
        context.skip(scenario === 'transactions' && !subject.isNaru, 'the other broker has transactions');
        const file = join(import.meta.dirname, `python/with_${client}.py`);
        const environment = { PYTHONDONTWRITEBYTECODE: '1' };
        const result = await runProgram(program(), [file, subject.address, scenario, subject.newTopic(client)], { environment });
        expect(result.code, result.story).toBe(0);
      });
    }
  }
});
