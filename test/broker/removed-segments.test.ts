// A segment that was removed while others read goes when those have left who were told of it, though somebody reads the partition at every
// moment: slow readers hold the file that they are sent, each comes before the one before it goes.
import { readdirSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { send } from '../../src/native/send.ts';
import { sendFile } from '../../src/native/sendfile.ts';
import { deleteRecordsRequest, deleteRecordsResponse } from '../../src/protocol/apis/delete-records.ts';
import { fetchRequest } from '../../src/protocol/apis/fetch.ts';
import { encodeMessage } from '../../src/protocol/compile.ts';
import { labelled, labels, range } from '../support/batches.ts';
import { BrokerProcess } from '../support/broker-process.ts';
import { message } from '../support/messages.ts';
import { requestFrame } from '../support/raw-client.ts';
import { workerCounts } from '../support/target.ts';
import { WireClient } from '../support/wire-client.ts';

const MIB = 1 << 20;
const FETCH_VERSION = 12;
const TOPIC = 'shrinks';
/** The most that an answer has; two of them are more than the kernel keeps for somebody who does not read. */
const ANSWER_BYTES = 8 * MIB;
const SEGMENT_BYTES = 16 * MIB;
const BATCH_RECORDS = 30;
const VALUE_BYTES = 30_000;
const FIRST_FILE = '00000000000000000000.log';

const OVERRIDES = {
  'naru.sendfile.min.bytes': '1',
  'naru.sendfile.above.bytes': '0',
  'log.initial.task.delay.ms': '0',
  'log.retention.check.interval.ms': '50',
  'log.segment.delete.delay.ms': '0',
};

const segmentsIn = (broker: BrokerProcess): string[] =>
  readdirSync(join(broker.directory, `${TOPIC}-0`)).filter((name) => /\.log(\.deleted)?$/.test(name));

/** Writes until the partition has so many segments; gives its end. */
async function fill(client: WireClient, broker: BrokerProcess, segmentCount: number): Promise<number> {
  let end = 0;
  do {
    const batch = labelled(TOPIC, end, BATCH_RECORDS, { valueBytes: VALUE_BYTES });
    expect((await client.produce(TOPIC, 0, batch)).errorCode).toBe(0);
    end += BATCH_RECORDS;
  } while (segmentsIn(broker).length < segmentCount);
  return end;
}

/** Asks for much, twice, and takes nothing of the answers but the first bytes: what they are made of was decided. */
async function beginFetch(port: number, fetchOffset: number): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  socket.on('error', () => {});
  await new Promise((done) => socket.once('connect', done));
  const partitions = [{ partition: 0, fetchOffset, partitionMaxBytes: ANSWER_BYTES }];
  const asked = { minBytes: 1, maxWaitMs: 0, maxBytes: ANSWER_BYTES, topics: [{ topic: TOPIC, partitions }] };
  const body = encodeMessage(fetchRequest, FETCH_VERSION, message(fetchRequest, asked));
  for (let i = 0; i < 2; i++) socket.write(requestFrame(fetchRequest.apiKey, FETCH_VERSION, i, body, true));
  while (socket.readableLength === 0) {
    socket.read(0);
    await delay(1);
  }
  return socket;
}

describe.each(workerCounts(0, 1, 2))('at %i workers', (workers) => {
  it('a removed segment goes though readers of its partition overlap for ever', { timeout: 120_000 }, async (context) => {
    if (sendFile() === null || send() === null) return context.skip('needs sendfile: what is read into answers holds no file');
    const broker = await BrokerProcess.start({ workers, overrides: OVERRIDES });
    const readers: Socket[] = [];
    try {
      const client = await WireClient.connect(broker.port);
      await client.createTopic(TOPIC, 1, { 'segment.bytes': String(SEGMENT_BYTES), 'retention.ms': '-1' });
      const end = await fill(client, broker, 3);
      const second = segmentsIn(broker).sort()[1] as string;
      const start = Number.parseInt(second, 10);
      readers.push(await beginFetch(broker.port, 0), await beginFetch(broker.port, start));
      const topics = [{ name: TOPIC, partitions: [{ partitionIndex: 0, offset: start }] }];
      const deleted = await client.ask(deleteRecordsRequest, deleteRecordsResponse, 2, { topics, timeoutMs: 5000 });
      expect(deleted.topics[0]?.partitions).toMatchObject([{ errorCode: 0, lowWatermark: start }]);
      while (!segmentsIn(broker).includes(`${FIRST_FILE}.deleted`)) await delay(5);
      // Whoever was told of the file keeps it, and somebody else is there before he goes.
      for (let i = 0; i < 4; i++) readers.push(await beginFetch(broker.port, start));
      expect(segmentsIn(broker)).toContain(`${FIRST_FILE}.deleted`);
      for (let rounds = 0; rounds < 10 || segmentsIn(broker).includes(`${FIRST_FILE}.deleted`); rounds++) {
        readers.push(await beginFetch(broker.port, start));
        readers.shift()?.destroy();
        await delay(10);
      }
      expect(segmentsIn(broker)).not.toContain(FIRST_FILE);
      const records = await client.readAll(TOPIC, 0);
      expect(labels(records)).toEqual(range(TOPIC, start, end - start));
      for (const reader of readers.splice(0)) reader.destroy();
      client.close();
      expect((await broker.stop()).code).toBe(0);
    } finally {
      for (const reader of readers) reader.destroy();
      await broker.dispose();
    }
  });

  it('a reader that is stuck keeps a removed segment until it is closed for being idle', { timeout: 120_000 }, async (context) => {
    if (sendFile() === null || send() === null) return context.skip('needs sendfile: what is read into answers holds no file');
    const broker = await BrokerProcess.start({ workers, overrides: { ...OVERRIDES, 'connections.max.idle.ms': '2000' } });
    let stuck: Socket | null = null;
    try {
      const client = await WireClient.connect(broker.port);
      await client.createTopic(TOPIC, 1, { 'segment.bytes': String(SEGMENT_BYTES), 'retention.ms': '-1' });
      const end = await fill(client, broker, 2);
      const start = Number.parseInt(segmentsIn(broker).sort()[1] as string, 10);
      stuck = await beginFetch(broker.port, 0);
      const isClosed = new Promise<void>((done) => stuck?.once('close', done));
      const topics = [{ name: TOPIC, partitions: [{ partitionIndex: 0, offset: start }] }];
      await client.ask(deleteRecordsRequest, deleteRecordsResponse, 2, { topics, timeoutMs: 5000 });
      // Who asks now and then is not idle.
      while (segmentsIn(broker).some((name) => name.startsWith(FIRST_FILE))) {
        await client.metadata(TOPIC);
        await delay(20);
      }
      stuck.resume(); // Only who reads hears that a connection has ended.
      await isClosed;
      expect(labels(await client.readAll(TOPIC, 0))).toEqual(range(TOPIC, start, end - start));
      client.close();
      expect((await broker.stop()).code).toBe(0);
    } finally {
      stuck?.destroy();
      await broker.dispose();
    }
  });
});
