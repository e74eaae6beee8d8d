// Logs of a real broker stay in bounds: retention takes segments and their files away while clients read, what DeleteRecords has taken stays
// away after kill -9, and topics that are deleted under their clients leave no byte in another one.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { createPartitionsRequest, createPartitionsResponse } from '../../src/protocol/apis/create-partitions.ts';
import { deleteRecordsRequest, deleteRecordsResponse } from '../../src/protocol/apis/delete-records.ts';
import { produceRequest, produceResponse } from '../../src/protocol/apis/produce.ts';
import { ERROR } from '../../src/protocol/errors.ts';
import { BatchBuilder } from '../../src/protocol/records/batch-builder.ts';
import { BrokerProcess } from '../support/broker-process.ts';
import { workerCounts } from '../support/target.ts';
import { WireClient } from '../support/wire-client.ts';

const SOON = {
  'log.initial.task.delay.ms': '0',
  'log.retention.check.interval.ms': '50',
  'log.segment.delete.delay.ms': '100',
};
const PATIENCE_MS = 30_000;
const LATEST = -1;
const EARLIEST = -2;

function labelled(...values: string[]): Uint8Array {
  const builder = new BatchBuilder({});
  for (const value of values) builder.append({ value: Buffer.from(value), timestampMs: Date.now() });
  return builder.build();
}

function text(value: Uint8Array | null | undefined): string {
  return Buffer.from(value ?? []).toString();
}

async function until(what: string, isSo: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS;
  while (!(await isSo())) {
    if (performance.now() > deadline) throw new Error(`not within ${PATIENCE_MS} ms: ${what}`);
    await delay(20);
  }
}

function filesOf(broker: BrokerProcess, partition: string): string[] {
  return readdirSync(join(broker.directory, partition));
}

async function deleteRecords(client: WireClient, name: string, offset: number): Promise<[errorCode: number, lowWatermark: number]> {
  const topics = [{ name, partitions: [{ partitionIndex: 0, offset }] }];
  const { topics: answers } = await client.ask(deleteRecordsRequest, deleteRecordsResponse, 2, { topics, timeoutMs: 5000 });
  const found = answers[0]?.partitions[0];
  return [found?.errorCode ?? -1, found?.lowWatermark ?? -1];
}

describe.each(workerCounts(0, 1, 2))('at %i workers', (workers) => {
  it('retention takes the oldest segments, and their files after a while; readers go on', async () => {
    const broker = await BrokerProcess.start({ workers, overrides: SOON });
    try {
      const client = await WireClient.connect(broker.port);
      await client.createTopic('sized', 1, { 'internal.segment.bytes': '2000', 'retention.bytes': '6000', 'retention.ms': '-1' });
      const reader = await WireClient.connect(broker.port);
      const sent = Array.from({ length: 300 }, (_, i) => `sized/${i}/${'.'.repeat(80)}`);
      let position = 0;
      for (const [i, value] of sent.entries()) {
        expect((await client.produce('sized', 0, labelled(value))).errorCode).toBe(ERROR.NONE);
        if (i % 3 > 0) continue;
        const { errorCode, records } = await reader.fetchFrom('sized', 0, position);
        if (errorCode === ERROR.OFFSET_OUT_OF_RANGE) position = await reader.offsetAt('sized', 0, EARLIEST);
        else expect(errorCode).toBe(ERROR.NONE);
        for (const { offset, value: read } of records) expect(text(read)).toBe(sent[offset]);
        position = (records.at(-1)?.offset ?? position - 1) + 1;
      }
      const isBounded = () => filesOf(broker, 'sized-0').filter((name) => /\.(log|index|timeindex)/.test(name)).length <= 3 * 5;
      await until('old segments are gone', isBounded);
      await until('nothing waits for its removal', () => filesOf(broker, 'sized-0').every((name) => !name.endsWith('.deleted')));
      const start = await client.offsetAt('sized', 0, EARLIEST);
      expect(start).toBeGreaterThan(200);
      expect((await client.fetchFrom('sized', 0, start - 1)).errorCode).toBe(ERROR.OFFSET_OUT_OF_RANGE);
      const kept = await client.readAll('sized');
      expect(kept.map(({ value }) => text(value))).toEqual(sent.slice(start));
      await client.createTopic('aged', 1, { 'retention.ms': '200' });
      await client.produce('aged', 0, labelled('old', 'older'));
      await until('all of it is too old', async () => (await client.offsetAt('aged', 0, EARLIEST)) === 2);
      expect((await client.produce('aged', 0, labelled('new'))).baseOffset).toBe(2);
      client.close();
      reader.close();
      expect((await broker.stop()).code).toBe(0);
    } finally {
      await broker.dispose();
    }
  });

  it('a fetch that waits below the log start hears of it; what was deleted stays so after kill -9', async () => {
    let broker = await BrokerProcess.start({ workers });
    try {
      const client = await WireClient.connect(broker.port);
      const waiter = await WireClient.connect(broker.port);
      await client.createTopic('cut');
      // Who follows the tail leaves its worker knowing where each of these offsets lies in the file.
      for (const [offset, value] of ['a', 'b', 'c', 'd', 'e'].entries()) {
        await client.produce('cut', 0, labelled(value));
        expect((await waiter.fetchFrom('cut', 0, offset)).records.map((record) => text(record.value))).toEqual([value]);
      }
      // Waits for more bytes than there will be: only the log start can end it.
      const topics = [{ topic: 'cut', partitions: [{ partition: 0, fetchOffset: 1, partitionMaxBytes: 1 << 20 }] }];
      const parked = waiter.fetch({ maxWaitMs: PATIENCE_MS, minBytes: 1 << 20, topics });
      await delay(100);
      expect(await deleteRecords(client, 'cut', 3)).toEqual([ERROR.NONE, 3]);
      expect((await parked).partitions[0]?.errorCode).toBe(ERROR.OFFSET_OUT_OF_RANGE);
      for (const offset of [0, 1, 2]) {
        expect(await waiter.fetchFrom('cut', 0, offset)).toMatchObject({ errorCode: ERROR.OFFSET_OUT_OF_RANGE, records: [] });
      }
      expect((await waiter.fetchFrom('cut', 0, 3)).records.map(({ value }) => text(value))).toEqual(['d', 'e']);
      const { directory } = broker;
      await broker.stop('SIGKILL');
      broker = await BrokerProcess.start({ workers, directory });
      const again = await WireClient.connect(broker.port);
      expect([await again.offsetAt('cut', 0, EARLIEST), await again.offsetAt('cut', 0, LATEST)]).toEqual([3, 5]);
      expect((await again.readAll('cut')).map(({ value }) => text(value))).toEqual(['d', 'e']);
      expect(await deleteRecords(again, 'cut', -1)).toEqual([ERROR.NONE, 5]);
      expect((await again.produce('cut', 0, labelled('f'))).baseOffset).toBe(5);
      again.close();
      expect((await broker.stop()).code).toBe(0);
    } finally {
      await broker.dispose();
    }
  });

  it('with flush.messages=1 what is acknowledged can be read, by many producers at a time', async () => {
    const broker = await BrokerProcess.start({ workers, overrides: { 'log.flush.interval.messages': '1' } });
    try {
      const client = await WireClient.connect(broker.port);
      await client.createTopic('synced', 2);
      const produceSome = async (name: string): Promise<void> => {
        const producer = await WireClient.connect(broker.port);
        for (let i = 0; i < 20; i++) expect((await producer.produce('synced', i % 2, labelled(`${name}/${i}`))).errorCode).toBe(ERROR.NONE);
        producer.close();
      };
      await Promise.all(['p', 'q', 'r', 's'].map(produceSome));
      const read = [...(await client.readAll('synced', 0)), ...(await client.readAll('synced', 1))].map(({ value }) => text(value));
      expect(new Set(read).size).toBe(80);
      expect(read).toHaveLength(80);
      client.close();
      expect((await broker.stop()).code).toBe(0);
    } finally {
      await broker.dispose();
    }
  });

  it('topics that are deleted, made again and grown under their clients give no wrong byte, and their files go', async () => {
    const broker = await BrokerProcess.start({ workers, overrides: SOON });
    const gone = new Set<number>([ERROR.UNKNOWN_TOPIC_ID, ERROR.UNKNOWN_TOPIC_OR_PARTITION]);
    let topicId = '';
    let isOver = false;
    const counts = { written: 0, read: 0, refused: 0 };
    const write = async (): Promise<void> => {
      const client = await WireClient.connect(broker.port);
      while (!isOver) {
        const id = topicId;
        const topicData = [{ topicId: id, partitionData: [{ index: 0, records: labelled(`${id}/${'x'.repeat(2000)}`) }] }];
        const { responses } = await client.ask(produceRequest, produceResponse, 13, { acks: -1, timeoutMs: 1000, topicData });
        const code = responses[0]?.partitionResponses[0]?.errorCode ?? -1;
        if (code === ERROR.NONE) counts.written++;
        else if (gone.has(code)) counts.refused++;
        else throw new Error(`Produce: ${code}`);
      }
      client.close();
    };
    const read = async (maxWaitMs: number): Promise<void> => {
      const client = await WireClient.connect(broker.port);
      for (let position = 0, id = topicId; !isOver; ) {
        const topics = [{ topicId: id, partitions: [{ partition: 0, fetchOffset: position, partitionMaxBytes: 50_000 }] }];
        const [found] = (await client.fetch({ maxWaitMs, topics }, 13)).partitions;
        if (found === undefined) throw new Error('an empty answer');
        for (const { value } of found.records)
          if (!text(value).startsWith(`${id}/`)) throw new Error(`in ${id}: ${text(value).slice(0, 40)}`);
        counts.read += found.records.length;
        if (found.errorCode !== ERROR.NONE) {
          if (!gone.has(found.errorCode)) throw new Error(`Fetch: ${found.errorCode}`);
          await delay(5);
          [position, id] = [0, topicId];
        } else position = (found.records.at(-1)?.offset ?? position - 1) + 1;
      }
      client.close();
    };
    try {
      const admin = await WireClient.connect(broker.port);
      topicId = await admin.createTopic('again', 1, { 'internal.segment.bytes': '20000' });
      const clients = Promise.all([write(), write(), read(0), read(500), read(500)]);
      clients.catch(() => {});
      for (let life = 0; life < 6; life++) {
        await delay(150);
        const more = { topics: [{ name: 'again', count: 3, assignments: null }], timeoutMs: 5000, validateOnly: false };
        const { results } = await admin.ask(createPartitionsRequest, createPartitionsResponse, 3, more);
        expect(results[0]?.errorCode).toBe(ERROR.NONE);
        // At once, through a connection of any worker.
        expect((await admin.produce('again', 2, labelled('third'))).errorCode).toBe(ERROR.NONE);
        await delay(50);
        await admin.deleteTopic('again');
        topicId = await admin.createTopic('again', 1, { 'internal.segment.bytes': '20000' });
      }
      isOver = true;
      await clients;
      expect(Math.min(counts.written, counts.read, counts.refused), JSON.stringify(counts)).toBeGreaterThan(0);
      const directories = () => readdirSync(broker.directory).filter((name) => name.startsWith('again'));
      await until('only the last one has files', () => directories().join() === 'again-0');
      admin.close();
      expect((await broker.stop()).code).toBe(0);
    } finally {
      isOver = true;
      await broker.dispose();
    }
  });
});
