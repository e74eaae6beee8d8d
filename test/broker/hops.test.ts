// What goes from worker to worker, counted by the broker itself while clients use it over sockets: fetches at the tail ask nobody, a request over
// many partitions is one message for each of their owners, and a fetch that waits for much is not looked at before it is there.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { labelled, labels } from '../support/batches.ts';
import { kcatMissing } from '../support/kcat.ts';
import { total } from '../support/metrics-text.ts';
import { Operated } from '../support/operated.ts';
import { isForeign } from '../support/target.ts';
import { WireClient } from '../support/wire-client.ts';

const MIB = 1 << 20;
/** Longer than a test may take: who is not woken fails. */
const LONG_MS = 600_000;

/** What was counted, in all. */
interface Count {
  /** Messages about fetches and about produces: to the worker of the connection, and to others. */
  readonly fetch: readonly [own: number, other: number];
  readonly produce: readonly [own: number, other: number];
  readonly leased: number;
  readonly parks: number;
  readonly wakes: number;
}

describe.skipIf(isForeign).each([0, 1, 2, 4])('at %i workers', (workers) => {
  const workerCount = Math.max(1, workers);
  let operated: Operated;
  /** One on each worker, since a new connection goes to the worker with the fewest; then the one that produces. */
  let consumers: WireClient[];
  let producer: WireClient;

  beforeAll(async () => {
    operated = await Operated.start({ workers });
    consumers = [];
    for (let i = 0; i < workerCount; i++) consumers.push(await WireClient.connect(operated.broker.port));
    producer = await WireClient.connect(operated.broker.port);
  });
  afterAll(async () => {
    for (const client of [...(consumers ?? []), producer]) client?.close();
    await operated?.broker.dispose();
  });

  async function counted(): Promise<Count> {
    const page = await operated.scrape();
    const messages = (about: string): [number, number] => [
      total(page, 'naru_partition_requests_total', { about, to: 'own' }),
      total(page, 'naru_partition_requests_total', { about, to: 'other' }),
    ];
    return {
      fetch: messages('fetch'),
      produce: messages('produce'),
      leased: total(page, 'naru_fetch_plans_total', { by: 'lease' }),
      parks: total(page, 'naru_fetch_parks_total'),
      wakes: total(page, 'naru_fetch_wakes_total'),
    };
  }

  async function grownBy(act: () => Promise<void>): Promise<Count> {
    const before = await counted();
    await act();
    const after = await counted();
    const pair = (which: 'fetch' | 'produce'): [number, number] => [after[which][0] - before[which][0], after[which][1] - before[which][1]];
    return {
      fetch: pair('fetch'),
      produce: pair('produce'),
      leased: after.leased - before.leased,
      parks: after.parks - before.parks,
      wakes: after.wakes - before.wakes,
    };
  }

  it('a consumer that follows the tail is answered by its own worker, whoever owns the partition', async () => {
    const topic = 'tail';
    const partitions = [0, 1, 2, 3];
    await producer.createTopic(topic, partitions.length);
    const next = partitions.map(() => 0);
    const follow = async (roundCount: number): Promise<void> => {
      for (let round = 0; round < roundCount; round++) {
        const asked = partitions.map((partition) => ({ partition, fetchOffset: next[partition] as number, partitionMaxBytes: MIB }));
        const ids = consumers.map((consumer) => consumer.sendFetch({ maxWaitMs: LONG_MS, topics: [{ topic, partitions: asked }] }));
        const partition = round % partitions.length;
        const offset = next[partition] as number;
        await producer.produce(topic, partition, labelled(`${partition}`, offset, 1));
        for (const [i, id] of ids.entries()) {
          const fetched = await consumers[i]?.receiveFetched(id);
          expect(labels(fetched?.partitions.flatMap(({ records }) => records) ?? [])).toEqual([`${partition}/${offset}`]);
        }
        next[partition] = offset + 1;
      }
    };
    // The first reads teach where the tail is; they have to ask.
    const learning = await grownBy(() => follow(partitions.length));
    expect(learning.fetch[0]).toBeGreaterThan(0);
    expect(learning.fetch[1] > 0).toBe(workers > 1);
    const following = await grownBy(() => follow(10 * partitions.length));
    expect(following.fetch).toEqual([0, 0]);
    expect(following.leased).toBeGreaterThanOrEqual(10 * partitions.length * partitions.length * consumers.length);
  });

  it.skipIf(kcatMissing !== null)('so does librdkafka', async () => {
    const topic = 'tail-of-kcat';
    await producer.createTopic(topic, 2);
    const address = `127.0.0.1:${operated.broker.port}`;
    const child = spawn('kcat', ['-C', '-q', '-u', '-b', address, '-t', topic, '-o', 'beginning', '-f', '%s\\n'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    try {
      const follow = async (first: number, end: number): Promise<void> => {
        for (let i = first; i < end; i++) {
          await producer.produce(topic, i % 2, labelled('k', i, 1));
          expect((await lines.next()).value).toBe(`k/${i}`);
        }
      };
      const learning = await grownBy(() => follow(0, 6));
      expect(learning.fetch[0] + learning.fetch[1]).toBeGreaterThan(0);
      const following = await grownBy(() => follow(6, 46));
      expect(following.fetch).toEqual([0, 0]);
      expect(following.leased).toBeGreaterThanOrEqual(40);
    } finally {
      child.kill();
      await once(child, 'exit');
    }
  });

  it('a request over many partitions is one message for each worker that owns some', async () => {
    const topic = 'wide';
    const partitions = Array.from({ length: 64 }, (_, i) => i);
    await producer.createTopic(topic, partitions.length);
    const each = [1, workerCount - 1];
    const producing = await grownBy(async () => {
      const batches = new Map(partitions.map((partition) => [partition, labelled(`${partition}`, 0, 1)]));
      const produced = await producer.receiveProduced(producer.sendProduce(topic, batches));
      expect(produced.map(({ errorCode, baseOffset }) => [errorCode, baseOffset])).toEqual(partitions.map(() => [0, 0]));
    });
    expect(producing.produce).toEqual(each);
    expect(producing.fetch).toEqual([0, 0]);
    for (const consumer of consumers) {
      const fetching = await grownBy(async () => {
        const asked = partitions.map((partition) => ({ partition, fetchOffset: 0, partitionMaxBytes: MIB }));
        const fetched = await consumer.fetch({ maxWaitMs: LONG_MS, maxBytes: 8 * MIB, topics: [{ topic, partitions: asked }] });
        expect(labels(fetched.partitions.flatMap(({ records }) => records))).toEqual(partitions.map((partition) => `${partition}/0`));
      });
      expect(fetching.fetch).toEqual(each);
    }
  });

  it('a fetch that waits for much is looked at once, when it is there', async () => {
    const topic = 'patient';
    await producer.createTopic(topic);
    const minBytes = 100_000;
    const before = await counted();
    const asked = [{ topic, partitions: [{ partition: 0, fetchOffset: 0, partitionMaxBytes: MIB }] }];
    const ids = consumers.map((consumer) => consumer.sendFetch({ maxWaitMs: LONG_MS, minBytes, topics: asked }));
    await operated.untilScraped((page) => total(page, 'naru_fetch_parks_total') === before.parks + consumers.length);
    let records = 0;
    const growing = await grownBy(async () => {
      for (let bytes = 0; bytes + 500 < minBytes; bytes += 500) {
        const batch = labelled('p', records++, 1, { valueBytes: 300 });
        expect(batch.length).toBeLessThan(500);
        await producer.produce(topic, 0, batch);
      }
    });
    expect(records).toBeGreaterThan(150);
    expect([growing.parks, growing.wakes]).toEqual([0, 0]);
    const enough = await grownBy(async () => {
      await producer.produce(topic, 0, labelled('p', records++, 1, { valueBytes: minBytes }));
      for (const [i, id] of ids.entries()) {
        const fetched = await consumers[i]?.receiveFetched(id);
        expect(fetched?.partitions[0]?.records).toHaveLength(records);
      }
    });
    expect([enough.parks, enough.wakes]).toEqual([0, consumers.length]);
  });

  it('of several partitions that it waits for together, one that grows alone wakes it by its share', async () => {
    const topic = 'shared';
    const partitions = [0, 1, 2, 3];
    await producer.createTopic(topic, partitions.length);
    const before = await counted();
    const asked = partitions.map((partition) => ({ partition, fetchOffset: 0, partitionMaxBytes: MIB }));
    const consumer = await WireClient.connect(operated.broker.port);
    const id = consumer.sendFetch({ maxWaitMs: LONG_MS, minBytes: 64_000, topics: [{ topic, partitions: asked }] });
    await operated.untilScraped((page) => total(page, 'naru_fetch_parks_total') === before.parks + 1);
    let isAnswered = false;
    const answer = consumer.receiveFetched(id).finally(() => {
      isAnswered = true;
    });
    let produced = 0;
    while (!isAnswered && produced < 1000) await producer.produce(topic, 2, labelled('s', produced++, 1, { valueBytes: 300 }));
    expect((await answer).partitions.flatMap(({ records }) => records).length).toBeGreaterThan(100);
    // A quarter of what is missing each time: 64,000 bytes are down to the size of a batch after 18 looks, then it is one for each of a few.
    expect((await counted()).wakes - before.wakes).toBeLessThan(30);
    consumer.close();
  });
});
