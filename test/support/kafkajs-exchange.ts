// A producer and a member of a group, as a program with kafkajs has them.
import kafkajs from 'kafkajs';

/** Writes `count` values into a topic that is made for them, and gives what a new group reads there. */
export async function exchange(bootstrapServers: string, topic: string, count = 20): Promise<{ sent: string[]; read: string[] }> {
  const kafka = new kafkajs.Kafka({ brokers: [bootstrapServers], logLevel: kafkajs.logLevel.NOTHING });
  const producer = kafka.producer();
  await producer.connect();
  const sent = Array.from({ length: count }, (_, index) => `${topic} ${index}`);
  await producer.send({ topic, messages: sent.map((value) => ({ key: 'same', value })) });
  await producer.disconnect();
  const consumer = kafka.consumer({ groupId: `readers of ${topic}` });
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  const read: string[] = [];
  await new Promise<void>((done) => {
    void consumer.run({
      eachMessage: async ({ message }) => {
        read.push(String(message.value));
        if (read.length === sent.length) done();
      },
    });
  });
  await consumer.disconnect();
  return { sent, read };
}
