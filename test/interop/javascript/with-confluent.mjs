// @confluentinc/kafka-javascript, which is librdkafka behind the calls of kafkajs: `node with-confluent.mjs HOST:PORT SCENARIO PREFIX`, with
// the folder that has the package in NARU_INTEROP_PACKAGES. Exit code 0, or 1 with what was wrong on stderr.
import { createRequire } from 'node:module';
import { join } from 'node:path';

const require = createRequire(join(process.env.NARU_INTEROP_PACKAGES ?? '.', 'package.json'));
const { KafkaJS } = require('@confluentinc/kafka-javascript');

const PARTITIONS = 4;
const RECORDS = 50;
/** A scenario that takes longer has failed: a broker that leaves a client waiting is wrong, too. */
const TIMEOUT_MS = 50_000;

const moment = () => new Promise((done) => setTimeout(done, 20));

function same(found, expected, what) {
  const [one, other] = [JSON.stringify(found), JSON.stringify(expected)];
  if (one !== other) throw new Error(`${what}: ${one} instead of ${other}`);
}

/** Members join until all have partitions; what is produced then is read once, and committed when they leave. Twice. */
async function share(kafka, topic, settings) {
  const admin = kafka.admin();
  await admin.connect();
  await admin.createTopics({ topics: [{ topic, numPartitions: PARTITIONS, replicationFactor: 1 }] });
  const producer = kafka.producer();
  await producer.connect();
  const seen = new Set();
  for (let round = 1; round <= 2; round++) {
    const members = [await joinGroup(kafka, topic, settings, seen), await joinGroup(kafka, topic, settings, seen)];
    const shares = () => members.map(({ consumer }) => consumer.assignment().map(({ partition }) => partition));
    const isShared = () => shares().every((share) => share.length > 0) && shares().flat().sort().join() === [0, 1, 2, 3].join();
    while (!isShared()) await moment();
    for (let partition = 0; partition < PARTITIONS; partition++) {
      const messages = Array.from({ length: RECORDS }, (_, index) => ({ partition, value: `${round}/${partition}/${index}` }));
      await producer.send({ topic, messages });
    }
    while (seen.size < round * PARTITIONS * RECORDS) await moment();
    for (const { consumer, next, problems } of members) {
      same(problems, [], 'what went wrong while reading');
      await consumer.commitOffsets([...next].map(([partition, offset]) => ({ topic, partition, offset: String(offset) })));
      await consumer.disconnect();
    }
  }
  const [committed] = await admin.fetchOffsets({ groupId: topic, topics: [topic] });
  const offsets = committed.partitions.map(({ partition, offset }) => `${partition}:${offset}`).sort();
  same(offsets, ['0:100', '1:100', '2:100', '3:100'], 'committed offsets');
  const { groups } = await admin.listGroups();
  same(groups.filter(({ groupId }) => groupId === topic).length, 1, 'the group is listed');
  await admin.deleteGroups([topic]);
  same(
    (await admin.listGroups()).groups.filter(({ groupId }) => groupId === topic),
    [],
    'the deleted group is listed',
  );
  await producer.disconnect();
  await admin.disconnect();
}

async function joinGroup(kafka, topic, settings, seen) {
  const consumer = kafka.consumer({ kafkaJS: { groupId: topic, fromBeginning: true, autoCommit: false }, ...settings });
  const next = new Map();
  const problems = [];
  await consumer.connect();
  await consumer.subscribe({ topics: [topic] });
  await consumer.run({
    eachMessage: async ({ partition, message }) => {
      const name = `${partition}/${message.offset}`;
      if (seen.has(name)) problems.push(`${name} came twice`);
      seen.add(name);
      next.set(partition, Number(message.offset) + 1);
    },
  });
  return { consumer, next, problems };
}

const SCENARIOS = {
  classic: (kafka, topic) => share(kafka, topic, { 'partition.assignment.strategy': 'cooperative-sticky' }),
  consumer: (kafka, topic) => share(kafka, topic, { 'group.protocol': 'consumer' }),
};

const [broker, scenario, prefix] = process.argv.slice(2);
const timer = setTimeout(() => {
  console.error(`not within ${TIMEOUT_MS} ms`);
  process.exit(1);
}, TIMEOUT_MS);
try {
  const kafka = new KafkaJS.Kafka({ kafkaJS: { brokers: [broker], logLevel: KafkaJS.logLevel.NOTHING } });
  await SCENARIOS[scenario](kafka, `${prefix}-${scenario}`);
} catch (error) {
  console.error(error);
  process.exitCode = 1;
}
clearTimeout(timer);
