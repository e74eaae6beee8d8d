// Writes down what another broker (Apache Kafka) answers to bad input, for test/broker/bad-input.test.ts to compare with:
// node test/support/record-answers.ts HOST:PORT
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { badInputCases } from './bad-input.ts';

const GOLDEN = join(import.meta.dirname, '../golden/answers');

async function record(bootstrap: string): Promise<void> {
  process.env.NARU_TEST_BOOTSTRAP = bootstrap;
  const port = Number(bootstrap.split(':').at(-1));
  const answers: Record<string, unknown> = {};
  for (const [index, { name, run }] of badInputCases.entries()) answers[name] = await run(port, `recorded-${process.pid}-${index}`);
  mkdirSync(GOLDEN, { recursive: true });
  writeFileSync(join(GOLDEN, 'bad-input.json'), `${JSON.stringify(answers, null, 1)}\n`);
}

const [bootstrap] = process.argv.slice(2);
if (bootstrap === undefined) throw new Error('usage: record-answers.ts HOST:PORT');
await record(bootstrap);
