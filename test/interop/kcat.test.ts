// kcat (librdkafka of the system, older than the one in Python's wheel): what the test run does not ask of it already.
import { expect, test } from 'vitest';
import { kcat, kcatMissing } from '../support/kcat.ts';
import { describeSubjects } from './subject.ts';

const RECORD_COUNT = 200;
/** librdkafka switches its requests by what it believes of the broker: the oldest it knows how to speak to, and what is asked for. */
const OLD_PROTOCOL = ['-X', 'api.version.request=false', '-X', 'broker.version.fallback=0.11.0'];

const tool = async () =>
  kcatMissing === null ? ({ program: 'kcat', missing: null } as const) : ({ program: null, missing: kcatMissing } as const);

describeSubjects('kcat', { tool }, (subject) => {
  const line = (index: number): string => `key-${index}:value-${index}-${'z'.repeat(index)}`;
  const input = Array.from({ length: RECORD_COUNT }, (_, index) => `${line(index)}\n`).join('');
  const lines = Array.from({ length: RECORD_COUNT }, (_, index) => line(index));

  async function read(topic: string, ...args: readonly string[]): Promise<string[]> {
    const out = await kcat(['-C', '-q', '-e', '-b', subject.address, '-t', topic, '-f', '%k:%s\n', ...args]);
    return out.toString().split('\n').slice(0, -1);
  }

  test('reads what it wrote, by offsets from the start and from the end', async () => {
    const topic = subject.newTopic('kcat');
    await kcat(['-P', '-b', subject.address, '-t', topic, '-p', '0', '-K', ':', '-z', 'lz4', '-X', 'linger.ms=100'], input);
    expect(await read(topic, '-p', '0', '-o', 'beginning')).toEqual(lines);
    expect(await read(topic, '-p', '0', '-o', '150')).toEqual(lines.slice(150));
    expect(await read(topic, '-p', '0', '-o', '-7')).toEqual(lines.slice(-7));
    expect(await read(topic, '-p', '0', '-o', '20', '-c', '5')).toEqual(lines.slice(20, 25));
    expect(await read(topic, '-p', '0', '-o', 'end')).toEqual([]);
  });

  test('writes and reads without asking for versions, as clients of old did', async () => {
    const topic = subject.newTopic('kcat-old');
    // Makes the topic, so that the old requests are about records alone.
    await kcat(['-L', '-b', subject.address, '-t', topic]);
    await kcat(['-P', '-b', subject.address, '-t', topic, '-p', '0', '-K', ':', '-z', 'gzip', ...OLD_PROTOCOL], input);
    expect(await read(topic, '-p', '0', '-o', 'beginning', ...OLD_PROTOCOL)).toEqual(lines);
    expect(await read(topic, '-p', '0', '-o', 'beginning')).toEqual(lines);
  });

  test('asks for offsets by time', async () => {
    const topic = subject.newTopic('kcat-times');
    const startedMs = Date.now();
    await kcat(['-P', '-b', subject.address, '-t', topic, '-p', '0', '-K', ':'], input);
    const offsetAt = async (timestamp: number): Promise<string> =>
      (await kcat(['-Q', '-b', subject.address, '-t', `${topic}:0:${timestamp}`])).toString().trim();
    expect(await offsetAt(-2)).toBe(`${topic} [0] offset 0`);
    expect(await offsetAt(-1)).toBe(`${topic} [0] offset ${RECORD_COUNT}`);
    expect(await offsetAt(startedMs)).toBe(`${topic} [0] offset 0`);
  });

  test('is told of a topic and a partition that do not exist', async () => {
    const topic = subject.newTopic('kcat-none');
    await expect(read(topic, '-p', '0', '-o', 'beginning', '-X', 'allow.auto.create.topics=false')).rejects.toThrow(
      /Unknown topic or partition|Unknown partition/,
    );
    await kcat(['-P', '-b', subject.address, '-t', topic, '-p', '0'], 'one\n');
    await expect(kcat(['-P', '-b', subject.address, '-t', topic, '-p', '7'], 'one\n')).rejects.toThrow(/Unknown partition/);
  });

  test('sees the broker and its topics in the metadata', async () => {
    const topic = subject.newTopic('kcat-metadata');
    await kcat(['-P', '-b', subject.address, '-t', topic, '-p', '0'], 'one\n');
    const metadata: unknown = JSON.parse((await kcat(['-L', '-J', '-b', subject.address, '-t', topic])).toString());
    expect(metadata).toMatchObject({
      controllerid: 1,
      brokers: [{ id: 1, name: subject.address }],
      topics: [{ topic, partitions: [{ partition: 0, leader: 1, replicas: [{ id: 1 }], isrs: [{ id: 1 }] }] }],
    });
  });
});
