// What Naru answers of several log directories, one of which is lost, is what Apache Kafka 4.3.1 answers to the same calls, as recorded in
// test/golden/answers/directories.json. With NARU_TEST_BOOTSTRAP=127.0.0.1:port and REWRITE=1 the broker there is recorded anew: one of this
// machine, started with three directories named `one`, `two` and `three` and with log.flush.offset.checkpoint.interval.ms=1000.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { answersText } from '../support/answer-book.ts';
import { BrokerProcess } from '../support/broker-process.ts';
import { askDirectoryCases, DIRECTORY_NAMES } from '../support/directory-cases.ts';
import { isForeign, workerCounts } from '../support/target.ts';

const GOLDEN = join(import.meta.dirname, '../golden/answers/directories.json');

test.each(workerCounts(0, 1, 2))('at %i workers', async (workers) => {
  if (isForeign) {
    const port = Number(process.env.NARU_TEST_BOOTSTRAP?.split(':').at(-1));
    const answers = await askDirectoryCases(port);
    if (process.env.REWRITE === '1') writeFileSync(GOLDEN, answersText(Object.fromEntries(answers)));
    return;
  }
  const home = mkdtempSync(join(tmpdir(), 'naru-directories-'));
  const directory = DIRECTORY_NAMES.map((name) => join(home, name)).join(',');
  const overrides = { 'log.flush.offset.checkpoint.interval.ms': '1000' };
  const broker = await BrokerProcess.start({ workers, directory, overrides });
  try {
    const answers = await askDirectoryCases(broker.port);
    const recorded: Readonly<Record<string, unknown>> = JSON.parse(readFileSync(GOLDEN, 'utf8'));
    for (const [name, answer] of answers) expect.soft(answer, name).toEqual(recorded[name]);
    expect([...answers.keys()].sort()).toEqual(Object.keys(recorded).sort());
    expect(await broker.stop()).toEqual({ code: 0, signal: null });
  } finally {
    broker.child.kill('SIGKILL');
    rmSync(home, { recursive: true, force: true });
  }
});
