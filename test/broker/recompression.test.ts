// Batches that a topic wants in another codec: in order, once each, answered whatever happens meanwhile.
// With NARU_TEST_BOOTSTRAP=host:port the same batches go to another broker; what needs a process of our own is skipped there.
import { describe, expect, it } from 'vitest';
import { COMPRESSION } from '../../src/protocol/records/batch.ts';
import { labelled, labels, range } from '../support/batches.ts';
import { foreignReason, isForeign, Target, workerCounts } from '../support/target.ts';
import { WireClient } from '../support/wire-client.ts';

const CODECS = Object.values(COMPRESSION);
const BATCHES = 40;
const RECORDS = 25;
/** Slow enough that many batches are with the pool at a time. */
const SLOW = { 'compression.type': 'zstd', 'compression.zstd.level': '19' };

/** Of five codecs in turn, one of them the topic's own. */
const batchOf = (index: number, more = {}): Uint8Array =>
  labelled('r', index * RECORDS, RECORDS, { compression: CODECS[index % CODECS.length] ?? 0, valueBytes: 2000, ...more });

async function withBroker(workers: number, work: (target: Target, client: WireClient, topic: string) => Promise<void>): Promise<void> {
  const target = await Target.open(workers, { 'naru.memory.max': `${(workers || 1) * 16 * 1024 * 1024}`, 'message.max.bytes': '1000000' });
  const client = await WireClient.connect(target.port);
  try {
    const topic = `recompressed-${process.pid}-${workers}-${Math.random()}`;
    await client.createTopic(topic, 2, SLOW);
    await work(target, client, topic);
  } finally {
    client.close();
    await target.close();
  }
}

describe.each(workerCounts(0, 1, 2))('at %i workers', (workers) => {
  it('keeps the order of a partition', async () => {
    await withBroker(workers, async (_target, client, topic) => {
      const sent: number[] = [];
      for (let i = 0; i < BATCHES; i++) {
        sent.push(
          client.sendProduce(
            topic,
            new Map([
              [0, batchOf(i)],
              [1, batchOf(i)],
            ]),
          ),
        );
      }
      for (const [i, id] of sent.entries()) {
        const produced = await client.receiveProduced(id);
        expect(produced.map(({ errorCode, baseOffset }) => [errorCode, baseOffset])).toEqual([
          [0, i * RECORDS],
          [0, i * RECORDS],
        ]);
      }
      for (const partition of [0, 1]) expect(labels(await client.readAll(topic, partition))).toEqual(range('r', 0, BATCHES * RECORDS));
    });
  });

  it('stores what is sent twice once, also while the first is with the pool', async () => {
    await withBroker(workers, async (_target, client, topic) => {
      const producer = await client.producerId();
      const order = [0, 0, 1, 1, 2, 0, 3, 2];
      const ids = order.map((i) => client.sendProduce(topic, new Map([[0, batchOf(i, { ...producer, baseSequence: i * RECORDS })]])));
      for (const [n, id] of ids.entries()) {
        const [produced] = await client.receiveProduced(id);
        expect([produced?.errorCode, produced?.baseOffset]).toEqual([0, (order[n] as number) * RECORDS]);
      }
      expect(labels(await client.readAll(topic))).toEqual(range('r', 0, 4 * RECORDS));
    });
  });

  it.skipIf(isForeign)(`answers all that it has taken when it is stopped ${isForeign ? foreignReason : ''}`, async () => {
    await withBroker(workers, async (target, client, topic) => {
      const ids = Array.from({ length: 5 }, (_, i) => client.sendProduce(topic, new Map([[0, batchOf(i * CODECS.length)]])));
      await client.receiveProduced(ids[0] as number); // The others are here by now, and with the pool.
      const stopped = target.broker.stop();
      for (const [n, id] of ids.slice(1).entries()) {
        const [produced] = await client.receiveProduced(id);
        expect([produced?.errorCode, produced?.baseOffset]).toEqual([0, (n + 1) * RECORDS]);
      }
      expect(await stopped).toEqual({ code: 0, signal: null });
    });
  });

  it.skipIf(isForeign)('outlives a deletion of the topic and a closed connection with batches under way', async () => {
    await withBroker(workers, async (_target, client, topic) => {
      const other = await WireClient.connect(_target.port);
      const lost = await WireClient.connect(_target.port);
      for (let i = 0; i < 20; i++) lost.sendProduce(topic, new Map([[1, batchOf(i)]]));
      const ids = Array.from({ length: 20 }, (_, i) => client.sendProduce(topic, new Map([[0, batchOf(i)]])));
      await client.receiveProduced(ids[0] as number);
      lost.close();
      await other.deleteTopic(topic);
      const codes = new Set<number>();
      for (const id of ids.slice(1)) for (const { errorCode } of await client.receiveProduced(id)) codes.add(errorCode);
      expect([...codes].filter((code) => code !== 0 && code !== 3)).toEqual([]);
      await other.createTopic(`${topic}-2`, 1, SLOW);
      expect(await other.produce(`${topic}-2`, 0, batchOf(0))).toMatchObject({ errorCode: 0, baseOffset: 0 });
      other.close();
    });
  });
});
