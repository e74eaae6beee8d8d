// Real clients write with every codec into topics that want another one, and read all of it back: kafkajs and kcat write; kcat,
// @platformatic/kafka and, what it can decode by itself or by Node, kafkajs read.
// With NARU_TEST_BOOTSTRAP=host:port the same tests run against another broker (Apache Kafka), to check the tests themselves.
import zlib from 'node:zlib';
import { Consumer, stringDeserializers } from '@platformatic/kafka';
import kafkajs from 'kafkajs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { kcat, kcatMissing } from '../support/kcat.ts';
import { Target, workerCounts } from '../support/target.ts';

const { CompressionCodecs, CompressionTypes, Kafka, logLevel } = kafkajs;
CompressionCodecs[CompressionTypes.ZSTD] = () => ({
  compress: async (encoder: { buffer: Buffer }) => zlib.zstdCompressSync(encoder.buffer),
  decompress: async (bytes: Buffer) => zlib.zstdDecompressSync(bytes),
});

const TYPES = ['uncompressed', 'gzip', 'snappy', 'lz4', 'zstd'] as const;
const READ_BY_KAFKAJS: ReadonlySet<string> = new Set(['uncompressed', 'gzip', 'zstd']);
const KAFKAJS_WRITES = [CompressionTypes.None, CompressionTypes.GZIP, CompressionTypes.ZSTD];
const KCAT_WRITES = ['none', 'gzip', 'snappy', 'lz4', 'zstd'];
const RECORDS = 50;

for (const workers of workerCounts(0, 1, 2)) {
  describe(`at ${workers} workers`, () => {
    let target: Target;
    let address: string;
    beforeAll(async () => {
      target = await Target.open(workers);
      address = `127.0.0.1:${target.port}`;
    });
    afterAll(async () => target?.close());

    it.each(TYPES)('into %s', { timeout: 60_000 }, async (type) => {
      const topic = `client-${type}-${process.pid}-${workers}`;
      const kafka = new Kafka({ clientId: 'kafkajs', brokers: [address], logLevel: logLevel.NOTHING });
      const admin = kafka.admin();
      await admin.connect();
      const configEntries = [{ name: 'compression.type', value: type }];
      await admin.createTopics({ topics: [{ topic, numPartitions: 1, replicationFactor: 1, configEntries }], waitForLeaders: true });
      await admin.disconnect();
      const sent: string[] = [];
      const producer = kafka.producer();
      await producer.connect();
      for (const compression of KAFKAJS_WRITES) {
        const values = valuesOf(`kafkajs ${compression}`);
        await producer.send({ topic, compression, acks: -1, messages: values.map((value) => ({ value })) });
        sent.push(...values);
      }
      await producer.disconnect();
      if (kcatMissing === null) {
        for (const codec of KCAT_WRITES) {
          const values = valuesOf(`kcat ${codec}`);
          await kcat(['-P', '-b', address, '-t', topic, '-z', codec, '-X', 'acks=all', '-X', 'linger.ms=50'], `${values.join('\n')}\n`);
          sent.push(...values);
        }
        const read = await kcat(['-C', '-q', '-e', '-b', address, '-t', topic, '-o', 'beginning', '-X', 'check.crcs=true']);
        expect(read.toString().trimEnd().split('\n')).toEqual(sent);
      }
      expect(await readByPlatformatic(topic, sent.length)).toEqual(sent);
      if (READ_BY_KAFKAJS.has(type)) expect(await readByKafkajs(kafka, topic, sent.length)).toEqual(sent);
    });

    async function readByPlatformatic(topic: string, count: number): Promise<string[]> {
      const consumer = new Consumer({
        groupId: `p-${topic}`,
        clientId: 'platformatic',
        bootstrapBrokers: [address],
        deserializers: stringDeserializers,
      });
      const stream = await consumer.consume({ topics: [topic], mode: 'earliest', autocommit: false, maxWaitTime: 100 });
      const found: string[] = [];
      for await (const { value } of stream) {
        found.push(value);
        if (found.length === count) break;
      }
      await consumer.close(true);
      return found;
    }

    async function readByKafkajs(kafka: InstanceType<typeof Kafka>, topic: string, count: number): Promise<string[]> {
      const consumer = kafka.consumer({ groupId: `k-${topic}`, maxWaitTimeInMs: 100 });
      const found: string[] = [];
      await consumer.connect();
      await consumer.subscribe({ topic, fromBeginning: true });
      await new Promise<void>((done) => {
        void consumer.run({
          eachMessage: async ({ message }) => {
            found.push(String(message.value));
            if (found.length === count) done();
          },
        });
      });
      await consumer.disconnect();
      return found;
    }
  });
}

/** Values that say who they are, most of them compressible. */
function valuesOf(label: string): string[] {
  return Array.from({ length: RECORDS }, (_, i) => `${label}/${i}/${'.'.repeat((i * 37) % 300)}`);
}
