// Many partitions at once, by a client: the answer comes before their logs are there, what is asked at once is answered right, and a
// deletion, a stop or a kill in the midst leaves nothing half.
import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { createPartitionsRequest, createPartitionsResponse } from '../../src/protocol/apis/create-partitions.ts';
import { describeLogDirsRequest, describeLogDirsResponse } from '../../src/protocol/apis/describe-log-dirs.ts';
import { ERROR } from '../../src/protocol/errors.ts';
import { labelled, labels, range } from '../support/batches.ts';
import { BrokerProcess } from '../support/broker-process.ts';
import { WireClient } from '../support/wire-client.ts';

const MANY = 2000;
const LAST = MANY - 1;
/** Enough that an end comes in the midst of making them. */
const SOME = 400;

function madeIn(directory: string, topic: string): number {
  return readdirSync(directory).filter((name) => name.startsWith(`${topic}-`) && /-\d+$/.test(name)).length;
}

async function untilMade(directory: string, topic: string, count: number): Promise<void> {
  while (madeIn(directory, topic) < count) await new Promise((done) => setTimeout(done, 20));
}

describe.each([0, 1, 2])('at %i workers', (workers) => {
  it('answers before the logs are there, serves each partition at once, and makes all of them', { timeout: 120_000 }, async () => {
    const broker = await BrokerProcess.start({ workers });
    const client = await WireClient.connect(broker.port);
    const other = await WireClient.connect(broker.port);
    await client.createTopic('many', MANY);
    let isEarly = madeIn(broker.directory, 'many') < MANY;
    expect((await other.metadata('many')).topics[0]?.partitions).toHaveLength(MANY);

    expect(await other.produce('many', LAST, labelled('last', 0, 2))).toMatchObject({ errorCode: ERROR.NONE, baseOffset: 0 });
    expect(labels(await client.readAll('many', LAST))).toEqual(range('last', 0, 2));
    expect(await client.offsetAt('many', LAST - 1, -1)).toBe(0);
    expect(await client.fetchFrom('many', LAST - 1, 0)).toMatchObject({ errorCode: ERROR.NONE, highWatermark: 0, logStartOffset: 0 });
    expect(await client.fetchFrom('many', LAST - 1, 1)).toMatchObject({ errorCode: ERROR.OFFSET_OUT_OF_RANGE });
    const { results } = await client.ask(describeLogDirsRequest, describeLogDirsResponse, 4, { topics: null });
    expect(results[0]?.topics.find(({ name }) => name === 'many')?.partitions).toHaveLength(MANY);

    // A fetch that waits at a partition without a log hears of its first record.
    const waiting = other.sendFetch({
      maxWaitMs: 60_000,
      topics: [{ topic: 'many', partitions: [{ partition: LAST - 2, partitionMaxBytes: 1 << 20 }] }],
    });
    await client.produce('many', LAST - 2, labelled('woken', 0, 1));
    const { partitions } = await other.receiveFetched(waiting);
    expect(labels(partitions[0]?.records ?? [])).toEqual(range('woken', 0, 1));

    const grown = { topics: [{ name: 'many', count: MANY + 500, assignments: null }], timeoutMs: 10_000 };
    const { results: grownResults } = await client.ask(createPartitionsRequest, createPartitionsResponse, 3, grown);
    expect(grownResults[0]).toMatchObject({ errorCode: ERROR.NONE });
    expect(await client.produce('many', MANY + 499, labelled('grown', 0, 1))).toMatchObject({ errorCode: ERROR.NONE });
    await untilMade(broker.directory, 'many', MANY + 500);
    // Where this process was held up for as long as the logs take, it has seen nothing: it looks again.
    for (let attempt = 0; attempt < 5 && !isEarly; attempt++) {
      await client.createTopic(`again${attempt}`, SOME);
      isEarly = madeIn(broker.directory, `again${attempt}`) < SOME;
    }
    expect(isEarly, 'an answer before the logs').toBe(true);
    client.close();
    other.close();
    expect((await broker.stop()).code).toBe(0);
    await broker.dispose();
  });

  it('deletes a topic whose logs are being made, and takes its name again', { timeout: 120_000 }, async () => {
    const broker = await BrokerProcess.start({ workers });
    const client = await WireClient.connect(broker.port);
    await client.createTopic('many', SOME);
    await client.deleteTopic('many');
    expect(madeIn(broker.directory, 'many')).toBe(0);
    await client.createTopic('many', 3);
    expect(await client.produce('many', 2, labelled('anew', 0, 1))).toMatchObject({ errorCode: ERROR.NONE, baseOffset: 0 });
    await untilMade(broker.directory, 'many', 3);
    client.close();
    expect((await broker.stop()).code).toBe(0);
    expect(madeIn(broker.directory, 'many')).toBe(3);
    await broker.dispose();
  });

  it.for(['stop', 'kill'] as const)('makes the rest at the start after a %s in the midst of it', { timeout: 120_000 }, async (end) => {
    const broker = await BrokerProcess.start({ workers });
    const client = await WireClient.connect(broker.port);
    await client.createTopic('many', SOME);
    await client.produce('many', SOME - 1, labelled('last', 0, 1));
    client.close();
    if (end === 'stop') expect((await broker.stop()).code).toBe(0);
    else broker.child.kill('SIGKILL');
    await broker.exit;
    const again = await BrokerProcess.start({ workers, directory: broker.directory });
    expect(madeIn(broker.directory, 'many')).toBe(SOME);
    const reader = await WireClient.connect(again.port);
    expect(labels(await reader.readAll('many', SOME - 1))).toEqual(range('last', 0, 1));
    expect(await reader.produce('many', 0, labelled('first', 0, 1))).toMatchObject({ errorCode: ERROR.NONE, baseOffset: 0 });
    reader.close();
    expect((await again.stop()).code).toBe(0);
    await again.dispose();
  });
});
