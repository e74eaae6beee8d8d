// Real clients over real sockets against a broker process at 0, 1 and 2 workers: kafkajs and @platformatic/kafka create topics and
// produce with every codec and acks setting they know; platformatic's low-level fetch and kcat read back byte for byte.
// With NARU_TEST_BOOTSTRAP=host:port the same tests run against another broker (Apache Kafka), to check the tests themselves.
import { randomBytes } from 'node:crypto';
import { createRequire } from 'node:module';
import zlib from 'node:zlib';
import { Connection, fetchV17, metadataV12, Producer, type RecordsBatch, stringSerializers } from '@platformatic/kafka';
import kafkajs from 'kafkajs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BrokerProcess } from '../support/broker-process.ts';
import { kcat, kcatMissing } from '../support/kcat.ts';
import { workerCounts } from '../support/target.ts';

const { CompressionCodecs, CompressionTypes, Kafka, logLevel } = kafkajs;
const require = createRequire(import.meta.url);
const snappy = require('snappy') as { compressSync(bytes: Buffer): Buffer; uncompressSync(bytes: Buffer): Buffer };
const lz4 = require('lz4-napi') as { compressFrameSync(bytes: Buffer): Buffer; decompressFrameSync(bytes: Buffer): Buffer };

// kafkajs brings gzip alone; the others are plugged in as its documentation says.
const plug = (compress: (bytes: Buffer) => Buffer, decompress: (bytes: Buffer) => Buffer) => () => ({
  compress: async (encoder: { buffer: Buffer }) => compress(encoder.buffer),
  decompress: async (bytes: Buffer) => decompress(bytes),
});
CompressionCodecs[CompressionTypes.Snappy] = plug(
  (bytes) => snappy.compressSync(bytes),
  (bytes) => snappy.uncompressSync(bytes),
);
CompressionCodecs[CompressionTypes.LZ4] = plug(
  (bytes) => lz4.compressFrameSync(bytes),
  (bytes) => lz4.decompressFrameSync(bytes),
);
CompressionCodecs[CompressionTypes.ZSTD] = plug(
  (bytes) => zlib.zstdCompressSync(bytes),
  (bytes) => zlib.zstdDecompressSync(bytes),
);

const CODECS = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const;
const KAFKAJS_CODEC = {
  none: CompressionTypes.None,
  gzip: CompressionTypes.GZIP,
  snappy: CompressionTypes.Snappy,
  lz4: CompressionTypes.LZ4,
  zstd: CompressionTypes.ZSTD,
};
const ACKS = [0, 1, -1] as const;

/** Values that say who they are, some of them binary, of very different lengths. */
function values(label: string, count: number): Buffer[] {
  return Array.from({ length: count }, (_, index) => Buffer.concat([Buffer.from(`${label}/${index}/`), randomBytes((index * 37) % 900)]));
}

/** All values of partition 0 as kcat sees them: length-prefixed, so that binary values survive. */
async function kcatValues(address: string, topic: string, offset = 'beginning'): Promise<Buffer[]> {
  const bytes = await kcat(['-C', '-q', '-e', '-b', address, '-t', topic, '-p', '0', '-o', offset, '-f', '%R%s']);
  const found: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const length = bytes.readInt32BE(at);
    found.push(bytes.subarray(at + 4, at + 4 + length));
    at += 4 + length;
  }
  return found;
}

const bootstrap = process.env.NARU_TEST_BOOTSTRAP;
for (const workers of workerCounts(0, 1, 2)) {
  describe(`at ${workers} workers`, () => {
    let broker: BrokerProcess | null = null;
    let address = bootstrap ?? '';
    let topicCount = 0;
    const newTopic = (label: string): string => `${label}-${process.pid}-${workers}-${++topicCount}`;

    beforeAll(async () => {
      if (bootstrap !== undefined) return;
      broker = await BrokerProcess.start({ workers });
      address = broker.address;
    });
    afterAll(async () => {
      const exit = await broker?.stop();
      await broker?.dispose();
      if (exit !== undefined) expect(exit).toEqual({ code: 0, signal: null });
    });

    it('finds by its time what kafkajs sent beside a record of an old one', async () => {
      const topic = newTopic('times');
      const kafka = new Kafka({ clientId: 'kafkajs', brokers: [address], logLevel: logLevel.NOTHING });
      const [admin, producer] = [kafka.admin(), kafka.producer()];
      await Promise.all([admin.connect(), producer.connect()]);
      try {
        await admin.createTopics({ topics: [{ topic, numPartitions: 1, replicationFactor: 1 }], waitForLeaders: true });
        const beganMs = Date.now();
        // Of such a batch it tells the old time as the largest.
        await producer.send({ topic, messages: [{ value: 'old', timestamp: '1000' }, { value: 'new' }] });
        const [found] = await admin.fetchTopicOffsetsByTimestamp(topic, beganMs);
        const [behind] = await admin.fetchTopicOffsetsByTimestamp(topic, Date.now() + 60_000);
        expect([found?.offset, behind?.offset]).toEqual(['1', '2']);
      } finally {
        await Promise.all([admin.disconnect(), producer.disconnect()]);
      }
    });

    const withKafkajs = async <T>(work: (kafka: InstanceType<typeof Kafka>) => Promise<T>): Promise<T> =>
      work(new Kafka({ clientId: 'kafkajs', brokers: [address], logLevel: logLevel.NOTHING }));

    async function createTopic(topic: string, partitions: number): Promise<void> {
      await withKafkajs(async (kafka) => {
        const admin = kafka.admin();
        await admin.connect();
        await admin.createTopics({ topics: [{ topic, numPartitions: partitions, replicationFactor: 1 }], waitForLeaders: true });
        await admin.disconnect();
      });
    }

    /** Reads partition 0 to its high watermark through platformatic's Fetch v17. */
    async function fetchValues(topic: string, from = 0n): Promise<Buffer[]> {
      const [host, port] = address.split(':');
      const connection = new Connection('fetcher');
      await connection.connect(host as string, Number(port));
      try {
        const metadata = await metadataV12.api.async(connection, [topic], false, false);
        const topicId = metadata.topics[0]?.topicId as string;
        const found: Buffer[] = [];
        for (let offset = from; ; ) {
          const response = await fetchV17.api.async(
            connection,
            500,
            1,
            10 << 20,
            0,
            0,
            -1,
            [
              {
                topicId,
                partitions: [
                  { partition: 0, currentLeaderEpoch: -1, fetchOffset: offset, lastFetchedEpoch: -1, partitionMaxBytes: 1 << 20 },
                ],
              },
            ],
            [],
            '',
          );
          const partition = response.responses[0]?.partitions[0];
          expect(partition?.errorCode).toBe(0);
          for (const batch of (partition?.records ?? []) as RecordsBatch[]) {
            for (const record of batch.records) {
              const recordOffset = batch.firstOffset + BigInt(record.offsetDelta);
              if (recordOffset < offset) continue;
              found.push(record.value as Buffer);
              offset = recordOffset + 1n;
            }
          }
          if (partition === undefined || offset >= partition.highWatermark) return found;
        }
      } finally {
        await connection.close();
      }
    }

    it('kafkajs produces with every codec and acks setting, and nothing is lost or changed', async () => {
      const topic = newTopic('kafkajs');
      await createTopic(topic, 1);
      const expected: Buffer[] = [];
      await withKafkajs(async (kafka) => {
        for (const idempotent of [false, true]) {
          const producer = kafka.producer({ idempotent });
          await producer.connect();
          for (const codec of CODECS) {
            for (const acks of idempotent ? ([-1] as const) : ACKS) {
              const batch = values(`${codec}/${acks}/${idempotent}`, 20);
              await producer.send({
                topic,
                acks,
                compression: KAFKAJS_CODEC[codec],
                messages: batch.map((value) => ({ value, partition: 0 })),
              });
              expected.push(...batch);
            }
          }
          await producer.disconnect();
        }
      });
      expect(await fetchValues(topic)).toEqual(expected);
      if (kcatMissing === null) expect(await kcatValues(address, topic)).toEqual(expected);
    });

    it('@platformatic/kafka produces with every codec and acks setting, and nothing is lost or changed', async () => {
      const topic = newTopic('platformatic');
      await createTopic(topic, 1);
      const expected: string[] = [];
      for (const idempotent of [false, true]) {
        const producer = new Producer({
          clientId: 'platformatic',
          bootstrapBrokers: [address],
          serializers: stringSerializers,
          idempotent,
        });
        for (const compression of CODECS) {
          for (const acks of idempotent ? ([-1] as const) : ACKS) {
            const batch = Array.from(
              { length: 20 },
              (_, index) => `${compression}/${acks}/${idempotent}/${index}/${'x'.repeat(index * 31)}`,
            );
            await producer.send({ acks, compression, messages: batch.map((value) => ({ topic, value, partition: 0 })) });
            expected.push(...batch);
          }
        }
        await producer.close();
      }
      expect((await fetchValues(topic)).map(String)).toEqual(expected);
      if (kcatMissing === null) expect((await kcatValues(address, topic)).map(String)).toEqual(expected);
    });

    it('keys, headers and timestamps come back as they were sent', async () => {
      const topic = newTopic('parts');
      await createTopic(topic, 3);
      await withKafkajs(async (kafka) => {
        const producer = kafka.producer();
        await producer.connect();
        const message = { key: 'k', value: 'v', headers: { h1: 'a', h2: Buffer.from([7, 255]) }, timestamp: '1700000000123', partition: 2 };
        const [sent] = await producer.send({ topic, acks: -1, messages: [message, { ...message, value: null }] });
        expect(sent).toMatchObject({ partition: 2, errorCode: 0, baseOffset: '0' });
        await producer.disconnect();
      });
      if (kcatMissing !== null) return;
      const text = await kcat(['-C', '-q', '-e', '-b', address, '-t', topic, '-p', '2', '-o', 'beginning', '-f', '%k|%S|%T|%h|%o\\n']);
      expect(text.toString('latin1').split('\n').slice(0, 2)).toEqual([
        'k|1|1700000000123|h1=a,h2=\x07\xff|0',
        'k|-1|1700000000123|h1=a,h2=\x07\xff|1',
      ]);
    });

    it('an admin sees topics, offsets and configurations, and deletes', async () => {
      const topic = newTopic('admin');
      await withKafkajs(async (kafka) => {
        const admin = kafka.admin();
        await admin.connect();
        const configEntries = [{ name: 'segment.bytes', value: '1048576' }];
        expect(await admin.createTopics({ topics: [{ topic, numPartitions: 4, replicationFactor: 1, configEntries }] })).toBe(true);
        expect(await admin.createTopics({ topics: [{ topic, numPartitions: 4, replicationFactor: 1 }] })).toBe(false);
        const described = await admin.fetchTopicMetadata({ topics: [topic] });
        expect(described.topics[0]?.partitions.map((partition) => partition.partitionId).sort()).toEqual([0, 1, 2, 3]);
        const configs = await admin.describeConfigs({
          includeSynonyms: false,
          resources: [{ type: 2, name: topic, configNames: ['segment.bytes'] }],
        });
        expect(configs.resources[0]?.configEntries[0]).toMatchObject({
          configName: 'segment.bytes',
          configValue: '1048576',
          isDefault: false,
        });
        const producer = kafka.producer();
        await producer.connect();
        await producer.send({
          topic,
          messages: [
            { value: 'one', partition: 1, timestamp: '1000' },
            { value: 'two', partition: 1, timestamp: '2000' },
          ],
        });
        await producer.disconnect();
        const ends = await admin.fetchTopicOffsets(topic);
        expect(ends.find((end) => end.partition === 1)).toMatchObject({ offset: '2', high: '2', low: '0' });
        const later = await admin.fetchTopicOffsetsByTimestamp(topic, 1500);
        expect(later.find((end) => end.partition === 1)?.offset).toBe('1');
        await admin.deleteTopicRecords({ topic, partitions: [{ partition: 1, offset: '1' }] });
        expect((await admin.fetchTopicOffsets(topic)).find((end) => end.partition === 1)).toMatchObject({ high: '2', low: '1' });
        await admin.createPartitions({ topicPartitions: [{ topic, count: 6 }] });
        await producer.connect();
        await producer.send({ topic, messages: [{ value: 'three', partition: 5 }] });
        await producer.disconnect();
        expect((await admin.fetchTopicOffsets(topic)).find((end) => end.partition === 5)).toMatchObject({ high: '1', low: '0' });
        await admin.deleteTopics({ topics: [topic] });
        expect(await admin.listTopics()).not.toContain(topic);
        await admin.disconnect();
      });
    });

    it('kcat reads from the start, from the middle of a batch and from a timestamp', async (context) => {
      context.skip(kcatMissing !== null, kcatMissing ?? '');
      const topic = newTopic('kcat');
      await createTopic(topic, 1);
      await withKafkajs(async (kafka) => {
        const producer = kafka.producer();
        await producer.connect();
        for (let batch = 0; batch < 5; batch++) {
          const messages = Array.from({ length: 10 }, (_, index) => ({
            value: `${batch}:${index}`,
            partition: 0,
            timestamp: String(1_700_000_000_000 + batch * 1000),
          }));
          await producer.send({ topic, messages });
        }
        await producer.disconnect();
      });
      const all = Array.from({ length: 50 }, (_, index) => `${Math.floor(index / 10)}:${index % 10}`);
      expect((await kcatValues(address, topic)).map(String)).toEqual(all);
      expect((await kcatValues(address, topic, '27')).map(String)).toEqual(all.slice(27));
      expect((await kcatValues(address, topic, 's@1700000002500')).map(String)).toEqual(all.slice(30));
      expect((await kcatValues(address, topic, '-3')).map(String)).toEqual(all.slice(47));
    });

    it('kcat produces with every codec, into a topic that is made for it', async (context) => {
      context.skip(kcatMissing !== null, kcatMissing ?? '');
      for (const codec of CODECS) {
        const topic = newTopic(`kcat-${codec}`);
        const lines = Array.from({ length: 500 }, (_, index) => `${codec} ${index} ${'y'.repeat(index)}`);
        await kcat(
          ['-P', '-b', address, '-t', topic, '-z', codec, '-X', 'acks=all', '-X', 'enable.idempotence=true'],
          `${lines.join('\n')}\n`,
        );
        expect((await kcatValues(address, topic)).map(String)).toEqual(lines);
      }
    });
  });
}
