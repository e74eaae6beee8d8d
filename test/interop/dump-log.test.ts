// Apache Kafka's dump-log reads a data directory that a broker of ours left behind: after an idempotent load with every codec, small
// segments, a death by SIGKILL, and a clean stop. What it prints is looked at, since it complains in words and exits with 0.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { kcat, kcatMissing } from '../support/kcat.ts';
import { COMPLAINT, type Dump, filesBelow, splitDumps, withoutFirstOffsets } from './dumps.ts';
import { runProgram } from './run-program.ts';
import { describeSubjects } from './subject.ts';
import { kafkaTools, TOOL_ENVIRONMENT } from './toolchains.ts';

const CODECS = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const;
/** Each topic gets this many before the kill and as many after it; 2.2 MB of bytes that do not compress, over segments of 1 MiB. */
const RECORDS_PER_LOAD = 2000;
const RECORD_BYTES = 1100;
const TOOL_TIMEOUT_MS = 120_000;

const OVERRIDES = {
  'log.segment.bytes': '1048576',
  'log.index.interval.bytes': '1024',
  // So small that snapshots of the metadata log are made, too.
  'metadata.log.max.record.bytes.between.snapshots': '2000',
};

describeSubjects('dump-log', { tool: kafkaTools, overrides: OVERRIDES, isNaruOnly: true }, (subject, program) => {
  const dumps: Dump[] = [];
  const metadata: Dump[] = [];
  const topics = new Map<string, number>();

  beforeAll(async () => {
    if (program() === '') return;
    const tool = async (name: string, args: readonly string[]): Promise<string> => {
      const options = { environment: TOOL_ENVIRONMENT, timeoutMs: TOOL_TIMEOUT_MS };
      const result = await runProgram(program(), ['run', name, ...args], options);
      expect({ code: result.code, err: withoutFirstOffsets(result.err) }, result.story.slice(0, 5000)).toEqual({ code: 0, err: '' });
      return result.out;
    };
    const toBroker = (): string[] => ['--bootstrap-server', subject.address];
    for (const codec of CODECS) topics.set(subject.newTopic(codec), 0);
    const appendTime = subject.newTopic('append-time');
    topics.set(appendTime, 0);
    // Stored in another codec than they are sent in: to the one behind `to-`, from the one in front, if any.
    for (const label of ['to-gzip', 'to-snappy', 'to-lz4', 'to-zstd', 'zstd-to-uncompressed']) topics.set(subject.newTopic(label), 0);
    for (const topic of topics.keys()) {
      const wanted = /to-([a-z0-9]+)/.exec(topic)?.[1];
      const configs = wanted === undefined ? [] : ['--config', `compression.type=${wanted}`];
      if (topic === appendTime) configs.push('--config', 'message.timestamp.type=LogAppendTime');
      await tool('topics', [...toBroker(), '--create', '--topic', topic, '--partitions', '2', ...configs]);
    }
    const load = async (): Promise<void> => {
      for (const [topic, count] of topics) {
        const codec = CODECS.find((each) => topic.startsWith(each)) ?? 'none';
        const settings = ['--command-property', `compression.type=${codec}`, 'acks=all', 'linger.ms=5'];
        const size = ['--num-records', String(RECORDS_PER_LOAD), '--record-size', String(RECORD_BYTES), '--throughput', '-1'];
        await tool('producer-perf', [...toBroker(), '--topic', topic, ...size, ...settings]);
        topics.set(topic, count + RECORDS_PER_LOAD);
        if (kcatMissing !== null) continue;
        // Keys, headers and other batch sizes, from another client.
        const lines = Array.from({ length: 100 }, (_, index) => `key ${index}:value ${index}\n`).join('');
        await kcat(['-P', '-b', subject.address, '-t', topic, '-z', codec, '-K', ':', '-H', 'from=kcat', '-X', 'acks=1'], lines);
        topics.set(topic, count + RECORDS_PER_LOAD + 100);
      }
    };
    await load();
    const gone = subject.newTopic('gone');
    await tool('topics', [...toBroker(), '--create', '--topic', gone, '--partitions', '1']);
    await tool('topics', [...toBroker(), '--delete', '--topic', gone]);
    await subject.restart('SIGKILL');
    await load();
    await subject.stop();

    const files = filesBelow(subject.directory);
    const isMetadata = (path: string): boolean => path.includes('/__cluster_metadata-0/') || path.endsWith('/bootstrap.checkpoint');
    const indexes = files.filter((path) => /index$/.test(path));
    const data = files.filter((path) => /\.(log|index|timeindex|snapshot)$/.test(path) && !isMetadata(path));
    dumps.push(...splitDumps(await tool('dump-log', ['--deep-iteration', '--files', data.join(',')])));
    const ofMetadata = files.filter(
      (path) => /\.(log|checkpoint)$/.test(path) && isMetadata(path) && !path.endsWith('leader-epoch-checkpoint'),
    );
    metadata.push(...splitDumps(await tool('dump-log', ['--cluster-metadata-decoder', '--files', ofMetadata.join(',')])));
    const sanity = await tool('dump-log', ['--index-sanity-check', '--files', indexes.join(',')]);
    expect(sanity.match(/passed sanity check/g)).toHaveLength(indexes.length);
  }, 400_000);

  const textOf = (suffix: string): string[] => dumps.filter(({ path }) => path.endsWith(suffix)).map(({ text }) => text);

  test('has nothing to complain about', () => {
    expect(dumps.length).toBeGreaterThan(topics.size * 2 * 4);
    for (const { path, text } of dumps) expect(text, path).not.toMatch(COMPLAINT);
    for (const text of textOf('.log')) expect(text).toMatch(/isvalid: true|^Log starting offset: \d+\s*$/m);
  });

  test('sees every record, at consecutive offsets over all segments', () => {
    for (const [topic, count] of topics) {
      let found = 0;
      for (const partition of [0, 1]) {
        const segments = dumps.filter(({ path }) => path.includes(`/${topic}-${partition}/`) && path.endsWith('.log'));
        const offsets = segments.flatMap(({ text }) => [...text.matchAll(/^\| offset: (\d+) /gm)].map((match) => Number(match[1])));
        expect(offsets, `${topic}-${partition}`).toEqual(offsets.map((_, index) => index));
        found += offsets.length;
        for (const { path, text } of segments) {
          const base = Number(/(\d{20})\.log$/.exec(path)?.[1]);
          expect(Number(/^Log starting offset: (\d+)/m.exec(text)?.[1]), path).toBe(base);
        }
      }
      expect(found, topic).toBe(count);
      const segmentCount = dumps.filter(({ path }) => path.includes(`/${topic}-`) && path.endsWith('.log')).length;
      expect(segmentCount, `${topic}: segments of 2 partitions`).toBeGreaterThan(2);
    }
  });

  test('sees codecs, sequences, epochs and append times as they were', () => {
    for (const topic of topics.keys()) {
      const text = dumps.filter(({ path }) => path.includes(`/${topic}-`) && path.endsWith('.log')).map((dump) => dump.text);
      const batches = text.join('').match(/^baseOffset: .*$/gm) ?? [];
      const wanted = /to-([a-z0-9]+)/.exec(topic)?.[1]?.replace('uncompressed', 'none');
      const codec = wanted ?? CODECS.find((each) => topic.startsWith(each)) ?? 'none';
      // Where the topic wants none, only those of the Java producer: librdkafka sends what its codec makes no smaller as it is.
      for (const batch of batches)
        if (wanted !== undefined || / producerId: \d/.test(batch)) expect(batch).toContain(`compresscodec: ${codec} `);
      const isAppendTime = topic.startsWith('append-time');
      for (const batch of batches) expect(batch).toContain(isAppendTime ? ' LogAppendTime: ' : ' CreateTime: ');
      expect(new Set(batches.map((batch) => /partitionLeaderEpoch: (\d+)/.exec(batch)?.[1])), topic).toEqual(new Set(['0', '1']));
      expect(batches.some((batch) => /producerId: \d+ /.test(batch) && /baseSequence: 0 /.test(batch))).toBe(true);
    }
  });

  test('finds index entries and the state of producers', () => {
    for (const suffix of ['.index', '.timeindex']) {
      const entries = textOf(suffix).map((text) => (text.match(/^(offset|timestamp): \d+ /gm) ?? []).length);
      expect(entries.filter((count) => count > 10).length, `files with many entries, ${suffix}`).toBeGreaterThanOrEqual(topics.size);
    }
    const snapshots = textOf('.snapshot').map((text) => (text.match(/^producerId: \d+ producerEpoch: 0 /gm) ?? []).length);
    expect(snapshots.length).toBeGreaterThanOrEqual(topics.size * 2);
    for (const count of snapshots) expect(count).toBeGreaterThanOrEqual(1);
    // Two producers a topic, each with a load of its own; a partition that one of them never chose knows the other.
    expect(Math.max(...snapshots)).toBeGreaterThanOrEqual(2);
  });

  test('reads the metadata log and its snapshots', () => {
    for (const { path, text } of metadata) {
      expect(text, path).not.toMatch(COMPLAINT);
      expect(text, path).toContain('isvalid: true');
    }
    expect(metadata.filter(({ path }) => /\d{20}-\d{10}\.checkpoint$/.test(path)).length).toBeGreaterThanOrEqual(1);
    const log = metadata.filter(({ path }) => path.endsWith('.log')).map(({ text }) => text);
    const offsets = [...log.join('').matchAll(/^\| offset: (\d+) /gm)].map((match) => Number(match[1]));
    expect(offsets).toEqual(offsets.map((_, index) => (offsets[0] ?? 0) + index));
    for (const topic of topics.keys()) expect(log.join('')).toContain(`"name":"${topic}"`);
    const types = [...log.join('').matchAll(/"type":"(\w+)"/g)].map((match) => match[1]);
    expect(types.filter((type) => type === 'REMOVE_TOPIC_RECORD')).toHaveLength(1);
    // Leader epochs rise at the second start: two partitions a topic.
    expect(types.filter((type) => type === 'PARTITION_CHANGE_RECORD')).toHaveLength(topics.size * 2);
  });

  test('finds the small files of a clean stop beside them', () => {
    expect(JSON.parse(readFileSync(join(subject.directory, '.kafka_cleanshutdown'), 'utf8'))).toEqual({
      version: 0,
      brokerEpoch: expect.any(Number),
    });
    for (const name of ['recovery-point-offset-checkpoint', 'log-start-offset-checkpoint', 'replication-offset-checkpoint'])
      expect(readFileSync(join(subject.directory, name), 'utf8').split('\n')[0], name).toBe('0');
    const recovery = readFileSync(join(subject.directory, 'recovery-point-offset-checkpoint'), 'utf8').trim().split('\n').slice(2);
    for (const topic of topics.keys()) expect(recovery.filter((line) => line.startsWith(`${topic} `))).toHaveLength(2);
  });
});
