// Idempotent producers: what comes twice is answered as the first time and stored once; what does not follow is refused.
// With NARU_TEST_BOOTSTRAP=host:port the same batches go to another broker; what needs a restart is skipped there.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ERROR } from '../../src/protocol/errors.ts';
import { labelled, labels, range } from '../support/batches.ts';
import { BrokerProcess } from '../support/broker-process.ts';
import { foreignReason, isForeign, Target, workerCounts } from '../support/target.ts';
import { WireClient } from '../support/wire-client.ts';

const LAST_SEQUENCE = 2 ** 31 - 1;

interface Producer {
  readonly producerId: number;
  readonly producerEpoch: number;
}

/** Records of a batch are labelled by their sequences. */
const batchOf = (producer: Producer, baseSequence: number, count: number, label = 'i'): Uint8Array =>
  labelled(label, baseSequence, count, { ...producer, baseSequence });

for (const workers of workerCounts(0, 1, 2)) {
  describe(`at ${workers} workers`, () => {
    let target: Target;
    let client: WireClient;
    let topicCount = 0;
    const newTopic = async (label: string): Promise<string> => {
      const topic = `idempotent-${label}-${process.pid}-${workers}-${++topicCount}`;
      await client.createTopic(topic, 2);
      return topic;
    };

    beforeAll(async () => {
      target = await Target.open(workers);
      client = await WireClient.connect(target.port);
    });
    afterAll(async () => {
      client?.close();
      await target?.close();
    });

    it('answers any of the last five batches with its first offset, and stores it once', async () => {
      const topic = await newTopic('duplicate');
      const producer = await client.producerId();
      for (let i = 0; i < 7; i++) {
        expect(await client.produce(topic, 0, batchOf(producer, i * 10, 10))).toMatchObject({ errorCode: 0, baseOffset: i * 10 });
      }
      for (const i of [6, 5, 4, 3, 2, 6]) {
        expect(await client.produce(topic, 0, batchOf(producer, i * 10, 10)), `batch ${i}`).toMatchObject({
          errorCode: 0,
          baseOffset: i * 10,
        });
      }
      expect(await client.produce(topic, 0, batchOf(producer, 0, 10))).toMatchObject({
        errorCode: ERROR.OUT_OF_ORDER_SEQUENCE_NUMBER,
        baseOffset: -1,
      });
      expect(await client.produce(topic, 0, batchOf(producer, 70, 1))).toMatchObject({ errorCode: 0, baseOffset: 70 });
      expect(labels(await client.readAll(topic))).toEqual(range('i', 0, 71));
    });

    it('answers a duplicate that is sent before the first is answered', async () => {
      const topic = await newTopic('pipelined');
      const producer = await client.producerId();
      const ids = [0, 0, 1, 1, 2, 0].map((i) => client.sendProduce(topic, new Map([[0, batchOf(producer, i * 3, 3)]])));
      const offsets: number[] = [];
      for (const id of ids) {
        const [produced] = await client.receiveProduced(id);
        expect(produced?.errorCode).toBe(0);
        offsets.push(produced?.baseOffset ?? -1);
      }
      expect(offsets).toEqual([0, 0, 3, 3, 6, 0]);
      expect(labels(await client.readAll(topic))).toEqual(range('i', 0, 9));
    });

    it('refuses a gap, a step back and a batch that overlaps', async () => {
      const topic = await newTopic('order');
      const producer = await client.producerId();
      await client.produce(topic, 0, batchOf(producer, 0, 5));
      for (const [first, count] of [
        [6, 1],
        [100, 5],
        [4, 1],
        [0, 4],
        [3, 5],
      ] as const) {
        expect(await client.produce(topic, 0, batchOf(producer, first, count)), `${first}+${count}`).toMatchObject({
          errorCode: ERROR.OUT_OF_ORDER_SEQUENCE_NUMBER,
          baseOffset: -1,
        });
      }
      expect(await client.produce(topic, 0, batchOf(producer, 5, 1))).toMatchObject({ errorCode: 0, baseOffset: 5 });
      expect(labels(await client.readAll(topic))).toEqual(range('i', 0, 6));
    });

    it('refuses what is out of order behind a refused batch of the same connection', async () => {
      const topic = await newTopic('cascade');
      const producer = await client.producerId();
      await client.produce(topic, 0, batchOf(producer, 0, 1));
      const ids = [2, 3, 1, 2].map((sequence) => client.sendProduce(topic, new Map([[0, batchOf(producer, sequence, 1)]])));
      const codes: number[] = [];
      for (const id of ids) codes.push((await client.receiveProduced(id))[0]?.errorCode ?? -1);
      expect(codes).toEqual([45, 45, 0, 0]);
      expect(labels(await client.readAll(topic))).toEqual(range('i', 0, 3));
    });

    it('keeps sequences by partition and by producer', async () => {
      const topic = await newTopic('apart');
      const [first, second] = [await client.producerId(), await client.producerId()];
      expect(first.producerId).not.toBe(second.producerId);
      for (let i = 0; i < 3; i++) {
        for (const [partition, producer, label] of [
          [0, first, 'a'],
          [1, first, 'b'],
          [0, second, 'c'],
        ] as const) {
          expect(await client.produce(topic, partition, batchOf(producer, i, 1, label))).toMatchObject({ errorCode: 0 });
        }
      }
      expect(labels(await client.readAll(topic, 0)).sort()).toEqual([...range('a', 0, 3), ...range('c', 0, 3)]);
      expect(labels(await client.readAll(topic, 1))).toEqual(range('b', 0, 3));
    });

    it('fences an older epoch, and lets a newer one start at 0 only', async () => {
      const topic = await newTopic('fence');
      const { producerId } = await client.producerId();
      const at = (producerEpoch: number, sequence: number) =>
        client.produce(topic, 0, batchOf({ producerId, producerEpoch }, sequence, 1, `e${producerEpoch}`));
      expect(await at(3, 0)).toMatchObject({ errorCode: 0 });
      expect(await at(4, 5)).toMatchObject({ errorCode: ERROR.OUT_OF_ORDER_SEQUENCE_NUMBER });
      expect(await at(4, 0)).toMatchObject({ errorCode: 0 });
      expect(await at(3, 1)).toMatchObject({ errorCode: ERROR.INVALID_PRODUCER_EPOCH, baseOffset: -1 });
      expect(await at(4, 1)).toMatchObject({ errorCode: 0 });
      expect(labels(await client.readAll(topic))).toEqual(['e3/0', 'e4/0', 'e4/1']);
    });

    it('goes from the last sequence to 0, also within a batch', async () => {
      const topic = await newTopic('wrap');
      const producer = await client.producerId();
      expect(await client.produce(topic, 0, batchOf(producer, LAST_SEQUENCE - 2, 2))).toMatchObject({ errorCode: 0, baseOffset: 0 });
      expect(await client.produce(topic, 0, batchOf(producer, LAST_SEQUENCE, 3))).toMatchObject({ errorCode: 0, baseOffset: 2 });
      expect(await client.produce(topic, 0, batchOf(producer, LAST_SEQUENCE, 3))).toMatchObject({ errorCode: 0, baseOffset: 2 });
      expect(await client.produce(topic, 0, batchOf(producer, 2, 1))).toMatchObject({ errorCode: 0, baseOffset: 5 });
      expect(await client.produce(topic, 0, batchOf(producer, 4, 1))).toMatchObject({ errorCode: ERROR.OUT_OF_ORDER_SEQUENCE_NUMBER });
      expect(await client.readAll(topic)).toHaveLength(6);
    });

    for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
      it(`knows its producers after ${signal}`, async (context) => {
        context.skip(isForeign, foreignReason);
        let broker = await BrokerProcess.start({ workers, overrides: { 'log.segment.bytes': String(1 << 20) } });
        const { directory } = broker;
        try {
          let own = await WireClient.connect(broker.port);
          const topic = 'restart';
          await own.createTopic(topic, 3);
          const producer = await own.producerId();
          for (let partition = 0; partition < 3; partition++) {
            for (let i = 0; i < 6; i++) {
              expect(await own.produce(topic, partition, batchOf(producer, i * 2, 2, `p${partition}`))).toMatchObject({ errorCode: 0 });
            }
          }
          const others = new Set([producer.producerId]);
          for (let round = 0; round < 3; round++) {
            own.close();
            await broker.stop(signal);
            broker = await BrokerProcess.start({ workers, directory });
            own = await WireClient.connect(broker.port);
            for (let partition = 0; partition < 3; partition++) {
              const produce = (sequence: number, count = 2, epoch = producer.producerEpoch) =>
                own.produce(topic, partition, batchOf({ ...producer, producerEpoch: epoch }, sequence, count, `p${partition}`));
              const next = 12 + round * 2;
              expect(await produce(next - 2)).toMatchObject({ errorCode: 0, baseOffset: next - 2 });
              expect(await produce(next + 1)).toMatchObject({ errorCode: ERROR.OUT_OF_ORDER_SEQUENCE_NUMBER });
              expect(await produce(next)).toMatchObject({ errorCode: 0, baseOffset: next });
              expect(await produce(next)).toMatchObject({ errorCode: 0, baseOffset: next });
            }
            const { producerId } = await own.producerId();
            expect(others.has(producerId)).toBe(false);
            others.add(producerId);
          }
          for (let partition = 0; partition < 3; partition++) {
            expect(labels(await own.readAll(topic, partition))).toEqual(range(`p${partition}`, 0, 18));
          }
          own.close();
        } finally {
          await broker.dispose();
        }
      });
    }
  });
}
