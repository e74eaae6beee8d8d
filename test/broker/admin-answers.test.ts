// What Naru answers about topics, offsets, configurations and the cluster is what Apache Kafka 4.3.1 answers to the same calls, as
// recorded in test/golden/answers/admin.json. With NARU_TEST_BOOTSTRAP=host:port and REWRITE=1 the broker there is recorded anew.
import { readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { askAdminCases } from '../support/admin-cases.ts';
import { Target, workerCounts } from '../support/target.ts';

const recorded = new URL('../golden/answers/admin.json', import.meta.url);

describe.each(workerCounts(0, 2))('at %i workers', (workers) => {
  it('answers as Apache Kafka', async () => {
    const target = await Target.open(workers);
    const answers = Object.fromEntries(await askAdminCases(target.port));
    await target.close();
    if (process.env.REWRITE === '1') writeFileSync(recorded, `${JSON.stringify(answers, null, 1)}\n`);
    expect(answers).toEqual(JSON.parse(readFileSync(recorded, 'utf8')));
  });
});
