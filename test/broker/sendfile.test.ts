// Records that leave from their files are the same as those that are read into answers: over real sockets, with native calls on and off, at
// several numbers of workers. Every record says where it belongs, so that one wrong byte is noticed.
import { spawnSync } from 'node:child_process';
import { readdirSync, truncateSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { send } from '../../src/native/send.ts';
import { sendFile } from '../../src/native/sendfile.ts';
import { fetchRequest, fetchResponse } from '../../src/protocol/apis/fetch.ts';
import { encodeMessage } from '../../src/protocol/compile.ts';
import { readAllRecords } from '../../src/protocol/records/records.ts';
import type { RecordsRange } from '../../src/protocol/schema.ts';
import { labelled, labels, range } from '../support/batches.ts';
import { message } from '../support/messages.ts';
import { requestFrame } from '../support/raw-client.ts';
import { skipSuite } from '../support/skip.ts';
import { foreignReason, isForeign, Target, workerCounts } from '../support/target.ts';
import { decodeAnswer, type PartitionFetched, WireClient } from '../support/wire-client.ts';

const MIB = 1 << 20;
const FETCH_VERSION = 12;
const PARTITIONS = 3;
const BATCHES = 30;
const RECORDS = 10;
const VALUE_BYTES = 9000;
/** The batches that a read of a whole partition gives. */
const ALL_BYTES = 4 * MIB;

/** Whatever its length, each range leaves from its file where that is possible. */
const ALWAYS = { 'naru.sendfile.min.bytes': '1', 'naru.sendfile.above.bytes': '0' };

for (const native of ['on', 'off']) {
  for (const workers of workerCounts(0, 1, 2)) {
    describe(`at ${workers} workers, naru.native=${native}`, () => {
      skipSuite(isForeign ? foreignReason : null);
      let target: Target;
      let producer: WireClient;
      let consumer: WireClient;
      let topicCount = 0;
      const sendsFiles = native === 'on' && sendFile() !== null && send() !== null;

      beforeAll(async () => {
        target = await Target.open(workers, { ...ALWAYS, 'naru.native': native, 'log.segment.delete.delay.ms': '0' });
        producer = await WireClient.connect(target.port);
        consumer = await WireClient.connect(target.port);
      });
      afterAll(async () => {
        producer?.close();
        consumer?.close();
        await target?.close();
      });

      const label = (topic: string, partition: number): string => `${topic}:${partition}`;

      /** A topic whose every record says topic, partition and offset. */
      async function filled(configs: { readonly [key: string]: string } = {}): Promise<string> {
        const topic = `leaves-${native}-${workers}-${++topicCount}`;
        await producer.createTopic(topic, PARTITIONS, configs);
        for (let batch = 0; batch < BATCHES; batch++) {
          const batches = new Map<number, Uint8Array>();
          for (let partition = 0; partition < PARTITIONS; partition++)
            batches.set(partition, labelled(label(topic, partition), batch * RECORDS, RECORDS, { valueBytes: VALUE_BYTES }));
          for (const produced of await producer.receiveProduced(producer.sendProduce(topic, batches))) expect(produced.errorCode).toBe(0);
        }
        return topic;
      }

      const askAll = (topic: string, partitionMaxBytes: number, fetchOffset = 0) => ({
        maxWaitMs: 0,
        maxBytes: 50 * MIB,
        topics: [
          { topic, partitions: Array.from({ length: PARTITIONS }, (_, partition) => ({ partition, fetchOffset, partitionMaxBytes })) },
        ],
      });

      /** Every record of the answer is the one that belongs there, and there are some. */
      function check(topic: string, partitions: readonly Pick<PartitionFetched, 'partitionIndex' | 'errorCode' | 'records'>[]): void {
        expect(partitions.length).toBeGreaterThan(0);
        for (const { partitionIndex, errorCode, records } of partitions) {
          expect(errorCode).toBe(0);
          const first = records[0]?.offset ?? 0;
          expect(labels(records)).toEqual(range(label(topic, partitionIndex), first, records.length));
        }
      }

      /** All files of a topic's partitions. */
      function segments(topic: string): string[] {
        const { directory } = target.broker;
        return readdirSync(directory)
          .filter((name) => name.startsWith(`${topic}-`))
          .flatMap((name) => readdirSync(join(directory, name)).map((file) => join(directory, name, file)))
          .filter((path) => path.endsWith('.log'));
      }

      const isGone = (topic: string): boolean => !readdirSync(target.broker.directory).some((name) => name.startsWith(`${topic}-`));

      async function untilGone(topic: string): Promise<void> {
        while (!isGone(topic)) await delay(10);
      }

      /** Sends a fetch of everything and reads nothing of the answer yet. */
      async function slowFetch(topic: string): Promise<Socket> {
        const socket = connect({ port: target.port, host: '127.0.0.1', noDelay: true });
        await new Promise((done) => socket.once('connect', done));
        socket.on('error', () => {});
        const body = encodeMessage(fetchRequest, FETCH_VERSION, message(fetchRequest, { minBytes: 1, ...askAll(topic, ALL_BYTES) }));
        for (let i = 0; i < 2; i++) socket.write(requestFrame(fetchRequest.apiKey, FETCH_VERSION, i, body, true));
        return socket;
      }

      /** The first bytes of an answer are here: what it promises was decided. */
      async function untilBegun(socket: Socket): Promise<void> {
        while (socket.readableLength === 0) {
          socket.read(0);
          await delay(1);
        }
      }

      /** Reads a frame in steps: `stepBytes(have)` at a time. Null: the connection was closed first. */
      async function readFrame(socket: Socket, stepBytes: (have: number) => number): Promise<Buffer | null> {
        const got: Buffer[] = [];
        let have = 0;
        let wanted = 4;
        while (have < wanted) {
          const bytes: Buffer | null = socket.read(Math.min(stepBytes(have), wanted - have)) ?? null;
          if (bytes === null) {
            if (socket.destroyed || socket.readableEnded) return null;
            await delay(1);
            continue;
          }
          got.push(bytes);
          have += bytes.length;
          if (have === 4) wanted = 4 + Buffer.concat(got).readInt32BE(0);
        }
        return Buffer.concat(got).subarray(4);
      }

      function checkFrame(topic: string, frame: Buffer): void {
        const { message: answer, bytes } = decodeAnswer(fetchResponse, FETCH_VERSION, frame);
        check(
          topic,
          answer.responses.flatMap(({ partitions }) =>
            partitions.map(({ partitionIndex, errorCode, records }) => {
              const { position, length } = records as RecordsRange;
              return { partitionIndex, errorCode, records: readAllRecords(bytes.subarray(position, position + length)) };
            }),
          ),
        );
      }

      it('gives the records of several partitions, whole and cut by limits', async () => {
        const topic = await filled();
        for (const limit of [1, 1000, 100_000, 300_000, MIB, ALL_BYTES]) {
          for (const offset of [0, 7, 155, BATCHES * RECORDS - 1]) {
            const { partitions } = await consumer.fetch(askAll(topic, limit, offset));
            check(topic, partitions);
            expect(partitions[0]?.batches.length).toBeGreaterThan(0);
          }
        }
        const whole = await consumer.fetch(askAll(topic, ALL_BYTES));
        expect(whole.partitions.map(({ records }) => records.length)).toEqual([300, 300, 300].slice(0, PARTITIONS));
        // The same bytes as in the files.
        for (let partition = 0; partition < PARTITIONS; partition++) {
          const records = await consumer.readAll(topic, partition);
          expect(labels(records)).toEqual(range(label(topic, partition), 0, BATCHES * RECORDS));
        }
      });

      it('follows the tail, with small answers and large ones', async () => {
        const topic = await filled();
        for (let offset = BATCHES * RECORDS, round = 0; round < 12; round++) {
          const count = round % 3 === 0 ? 200 : 1;
          const batch = labelled(label(topic, 1), offset, count, { valueBytes: round % 3 === 0 ? 4000 : 10 });
          expect((await producer.produce(topic, 1, batch)).errorCode).toBe(0);
          const fetched = await consumer.fetchFrom(topic, 1, offset, ALL_BYTES, 5000);
          expect(labels(fetched.records)).toEqual(range(label(topic, 1), offset, count));
          offset += count;
        }
      });

      it('reads over rolled segments', async () => {
        const topic = await filled({ 'segment.bytes': String(MIB) });
        expect(segments(topic).length).toBeGreaterThanOrEqual(2 * PARTITIONS);
        for (let partition = 0; partition < PARTITIONS; partition++) {
          const records = await consumer.readAll(topic, partition);
          expect(labels(records)).toEqual(range(label(topic, partition), 0, BATCHES * RECORDS));
        }
      });

      it('serves a reader that takes a byte at a time, while the log rolls and grows', async () => {
        const topic = await filled({ 'segment.bytes': String(3 * MIB) });
        const socket = await slowFetch(topic);
        const first = readFrame(socket, (have) => (have < 500 ? 1 : 70_000));
        for (let batch = BATCHES; batch < 2 * BATCHES; batch++)
          await producer.produce(topic, 0, labelled(label(topic, 0), batch * RECORDS, RECORDS, { valueBytes: VALUE_BYTES }));
        for (const frame of [await first, await readFrame(socket, (have) => (have < 500 ? 1 : 1_000_000))]) {
          if (frame === null) throw new Error('the connection was closed');
          checkFrame(topic, frame);
        }
        socket.destroy();
        const records = await consumer.readAll(topic, 0);
        expect(labels(records)).toEqual(range(label(topic, 0), 0, 2 * BATCHES * RECORDS));
      });

      it('gives an answer that is leaving to its end when the topic is deleted, and the files go afterwards', async () => {
        const topic = await filled();
        const socket = await slowFetch(topic);
        await untilBegun(socket);
        await producer.deleteTopic(topic);
        // New files get the numbers of closed ones: an answer from a wrong file would be noticed.
        const others = [await filled(), await filled()];
        // What is sent from its file keeps it; what was read into an answer does not.
        if (sendsFiles) expect(isGone(topic)).toBe(false);
        const started = await readFrame(socket, () => 1000);
        const second = await readFrame(socket, () => 50_000);
        if (started === null) throw new Error('the connection was closed');
        checkFrame(topic, started);
        // The second request was decided before the deletion or after it: its records are right, or there are none.
        if (second !== null) {
          const { message: answer } = decodeAnswer(fetchResponse, FETCH_VERSION, second);
          if (answer.responses[0]?.partitions[0]?.errorCode === 0) checkFrame(topic, second);
        }
        socket.destroy();
        for (const other of others) check(other, (await consumer.fetch(askAll(other, ALL_BYTES))).partitions);
        await untilGone(topic);
      });

      it('survives readers that vanish in the middle', async () => {
        const topic = await filled();
        for (let round = 0; round < 10; round++) {
          const socket = await slowFetch(topic);
          await new Promise<void>((done) => {
            let have = 0;
            socket.on('data', (bytes) => {
              have += bytes.length;
              if (have > round * 200_000) done();
            });
          });
          if (round % 2 === 0) socket.destroy();
          else socket.resetAndDestroy();
        }
        check(topic, (await consumer.fetch(askAll(topic, ALL_BYTES))).partitions);
        // Nothing holds the files any more.
        await producer.deleteTopic(topic);
        await untilGone(topic);
      });

      it('gives what is not in the page cache', async (context) => {
        const topic = await filled();
        for (const path of segments(topic)) {
          const evicted = spawnSync('dd', [`of=${path}`, 'oflag=nocache', 'conv=notrunc,fdatasync', 'count=0']);
          if (evicted.status !== 0) return context.skip('this dd cannot evict');
        }
        check(topic, (await consumer.fetch(askAll(topic, ALL_BYTES))).partitions);
      });

      it('closes the connection, and no other, whose file was cut short behind our back', async () => {
        const topic = await filled();
        const path = segments(topic).find((each) => each.includes(`${topic}-1/`));
        if (path === undefined) throw new Error('no file');
        truncateSync(path, 1_000_000);
        const victim = await WireClient.connect(target.port);
        await expect(victim.fetch(askAll(topic, ALL_BYTES))).rejects.toThrow('closed');
        while (!target.broker.output.includes('shorter than its index says')) await delay(5); // The line comes by another way.
        const fetched = await consumer.fetchFrom(topic, 2, 0, ALL_BYTES);
        check(topic, [fetched]);
        await producer.deleteTopic(topic);
      });
    });
  }
}

describe('a stop while answers leave', () => {
  skipSuite(isForeign ? foreignReason : null);
  it('is clean, and sends nothing from a wrong file', async () => {
    const target = await Target.open(2, ALWAYS);
    const client = await WireClient.connect(target.port);
    await client.createTopic('stop', 4);
    for (let batch = 0; batch < 40; batch++) {
      const batches = new Map([0, 1, 2, 3].map((p) => [p, labelled(`stop:${p}`, batch * 10, 10, { valueBytes: VALUE_BYTES })] as const));
      await client.receiveProduced(client.sendProduce('stop', batches));
    }
    const sockets: Socket[] = [];
    const received: Buffer[][] = [];
    const body = encodeMessage(
      fetchRequest,
      FETCH_VERSION,
      message(fetchRequest, {
        minBytes: 1,
        maxBytes: 50 * MIB,
        topics: [{ topic: 'stop', partitions: [0, 1, 2, 3].map((partition) => ({ partition, partitionMaxBytes: ALL_BYTES })) }],
      }),
    );
    for (let i = 0; i < 6; i++) {
      const socket = connect({ port: target.port, host: '127.0.0.1' });
      socket.on('error', () => {});
      await new Promise((done) => socket.once('connect', done));
      socket.write(requestFrame(fetchRequest.apiKey, FETCH_VERSION, 7, body, true));
      sockets.push(socket);
    }
    await delay(50);
    const stopped = target.close(); // Fails where the exit code is not 0.
    const ends = sockets.map((socket, i) => {
      const pieces: Buffer[] = [];
      received[i] = pieces;
      socket.on('data', (bytes: Buffer) => pieces.push(bytes));
      return new Promise((done) => socket.once('close', done));
    });
    await stopped;
    await Promise.all(ends);
    for (const pieces of received) {
      const bytes = Buffer.concat(pieces);
      if (bytes.length < 4) continue;
      // Whole or cut off, what came is what was promised.
      const frame = bytes.subarray(4);
      if (frame.length !== bytes.readInt32BE(0)) continue;
      const { message: answer, bytes: rest } = decodeAnswer(fetchResponse, FETCH_VERSION, frame);
      for (const { partitionIndex, records } of answer.responses.flatMap(({ partitions }) => partitions)) {
        const { position, length } = records as RecordsRange;
        const found = readAllRecords(rest.subarray(position, position + length));
        expect(labels(found)).toEqual(range(`stop:${partitionIndex}`, 0, found.length));
      }
    }
    client.close();
  });
});
