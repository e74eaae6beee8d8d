// The rows of the comparison: what is done to a broker and what one unit of it is. Source of the commands: the load generator's
// own head (peers/kload.c). A row returns the broker's CPU for one unit, or a time, and what the client saw.
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Admin, Kafka, logLevel } from 'kafkajs';
import { seededRandom } from '../../src/base/random.ts';
import { whileMemoryIsTouched } from './memory.ts';
import { cpuSeconds, residentMiB, type Subject } from './subjects.ts';

export interface Outcome {
  /** The compared figure, smaller is better. */
  readonly value: number;
  readonly unit: string;
  /** What the client saw, larger is better; 0 where it makes no sense. */
  readonly throughput: number;
  readonly detail: Record<string, unknown>;
}

export interface Tools {
  readonly kload: string;
  readonly peers: string;
}

export interface Row {
  readonly id: string;
  readonly title: string;
  run(subject: Subject, tools: Tools, scale: number): Promise<Outcome>;
}

let topicCount = 0;

/** Runs `work` on a fresh topic that is deleted afterwards, unless it is to be kept. */
export async function withTopic<T>(
  subject: Subject,
  partitionCount: number,
  work: (topic: string) => Promise<T>,
  { keep = false } = {},
): Promise<T> {
  const kafka = new Kafka({ brokers: [`127.0.0.1:${subject.port}`], logLevel: logLevel.NOTHING });
  const admin = kafka.admin();
  const topic = `bench-${process.pid}-${++topicCount}`;
  await admin.connect();
  try {
    await admin.createTopics({ topics: [{ topic, numPartitions: partitionCount, replicationFactor: 1 }], waitForLeaders: false });
    await untilLed(admin, topic);
    const result = await work(topic);
    if (!keep) await admin.deleteTopics({ topics: [topic] });
    return result;
  } finally {
    await admin.disconnect();
  }
}

/** A topic may be told of before all of its partitions answer. */
async function untilLed(admin: Admin, topic: string): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await admin.fetchTopicOffsets(topic);
      return;
    } catch (error) {
      if (attempt === 100) throw error;
      await sleep(100);
    }
  }
}

export function kload(tools: Tools, args: readonly (string | number)[]): Promise<Record<string, number>> {
  return new Promise((done, fail) => {
    const child = spawn('bash', ['-c', `ulimit -n 20000; exec "$0" "$@"`, tools.kload, ...args.map(String)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let text = '';
    child.stdout.on('data', (bytes) => {
      text += bytes;
    });
    child.on('close', (code) => (code === 0 ? done(JSON.parse(text)) : fail(new Error(`kload ${args.join(' ')}: code ${code} ${text}`))));
  });
}

/** As `tool`, for one that reads or writes gigabytes. */
function bulkTool(subject: Subject, tools: Tools, args: readonly string[]): Promise<string> {
  return whileMemoryIsTouched(join(subject.directory, '..'), () => tool(tools, args));
}

/** Runs one of Kafka's own tools to its end and returns what it printed. */
function tool(tools: Tools, args: readonly string[]): Promise<string> {
  return new Promise((done) => {
    const child = spawn(`${tools.peers}/kafka`, ['run', ...args], { stdio: ['ignore', 'pipe', 'ignore'] });
    let text = '';
    child.stdout.on('data', (bytes) => {
      text += bytes;
    });
    child.on('close', () => done(text));
  });
}

const PAYLOAD_LINES = 1000;

function server(subject: Subject): string[] {
  return ['--bootstrap-server', `127.0.0.1:${subject.port}`];
}

/** What consumer-perf says it has read, all `count` records at least, and the broker's CPU for a gigabyte of it. */
function consumed(subject: Subject, text: string, count: number, cpu: number): Outcome {
  const figures = (text.trim().split('\n').at(-1) ?? '').split(', ');
  const [megabytes, mbPerSecond, records] = [Number(figures[2]), Number(figures[3]), Number(figures[4])];
  // Of the time that `mbPerSecond` counts: until partitions were assigned, and what came a second after that.
  const [rebalanceMs, fetchMbPerSecond] = [Number(figures[6]), Number(figures[8])];
  if (!(records >= count)) throw new Error(`${subject.name}: the consumer did not get its ${count} records: ${text}`);
  return {
    value: (cpu / (megabytes * 2 ** 20)) * 1e9,
    unit: 'CPU-s/GB',
    throughput: mbPerSecond,
    detail: { records, rebalanceMs, fetchMbPerSecond },
  };
}

/** A file of different lines of `bytes` bytes each that compress about as JSON of an application does (4 to 1 with zstd). */
function payloadFile(bytes: number): string {
  const path = join(tmpdir(), `naru-payload-${bytes}.txt`);
  const random = seededRandom(1);
  const lines = Array.from({ length: PAYLOAD_LINES }, (_, line) => {
    let text = '';
    for (let field = 0; text.length < bytes; field++) {
      text += `{"order":${line},"field${field}":"${random.below(2 ** 32).toString(36)}","state":"delivered","amount":${random.below(10_000)}}`;
    }
    return text.slice(0, bytes);
  });
  writeFileSync(path, lines.join('\n'));
  return path;
}

/** Java's producer at full speed; the broker's CPU for a gigabyte of what the application gave. */
function javaProduceRow(id: string, recordBytes: number, recordCount: number, codec: string, title = ''): Row {
  return {
    id,
    title: `Java producer, ${recordBytes} B records, ${codec}${title}`,
    run: (subject, tools, scale) =>
      withTopic(subject, 6, async (topic) => {
        const count = Math.max(1000, Math.round(recordCount * scale));
        const payload =
          codec === 'none' || recordBytes < 1000 ? ['--record-size', String(recordBytes)] : ['--payload-file', payloadFile(recordBytes)];
        const properties = ['batch.size=131072', 'linger.ms=5', 'acks=1', `compression.type=${codec}`];
        const before = cpuSeconds(subject.pid());
        const text = await bulkTool(subject, tools, [
          ...['producer-perf', '--bootstrap-server', `127.0.0.1:${subject.port}`, '--topic', topic],
          ...['--num-records', String(count), '--throughput', '-1', ...payload, '--command-property', ...properties],
        ]);
        const cpu = cpuSeconds(subject.pid()) - before;
        const last = text.trim().split('\n').at(-1) ?? '';
        const mbPerSecond = Number(/\(([\d.]+) MB\/sec\)/.exec(last)?.[1]);
        return { value: (cpu / (count * recordBytes)) * 1e9, unit: 'CPU-s/GB', throughput: mbPerSecond, detail: { last } };
      }),
  };
}

const num = (record: Record<string, number>, key: string): number => record[key] ?? Number.NaN;

function produceRow(id: string, title: string, perGigabyte: boolean, args: readonly [number, number, number, number, number, number]): Row {
  const [partitions, connections, depth, requests, records, valueBytes] = args;
  return {
    id,
    title,
    run: (subject, tools, scale) =>
      withTopic(subject, 6, async (topic) => {
        const before = cpuSeconds(subject.pid());
        const count = Math.max(connections, Math.round(requests * scale));
        const seen = await kload(tools, ['produce', subject.port, topic, partitions, connections, depth, count, records, valueBytes, 1]);
        const cpu = cpuSeconds(subject.pid()) - before;
        return perGigabyte
          ? { value: (cpu / num(seen, 'bytes')) * 1e9, unit: 'CPU-s/GB', throughput: num(seen, 'mb_s'), detail: seen }
          : { value: (cpu / num(seen, 'requests')) * 1e6, unit: 'CPU-µs/request', throughput: num(seen, 'req_s'), detail: seen };
      }),
  };
}

export const rows: readonly Row[] = [
  produceRow('1', 'one 100 B record a request, 1 connection, depth 1', false, [1, 1, 1, 100_000, 1, 100]),
  produceRow('2', 'the same, depth 100', false, [1, 1, 100, 300_000, 1, 100]),
  produceRow('3', 'the same, 6 connections, depth 5', false, [6, 6, 5, 300_000, 1, 100]),
  produceRow('4', 'the same, 64 connections, depth 1', false, [6, 64, 1, 300_000, 1, 100]),
  {
    id: '5',
    title: 'ApiVersions, depth 1',
    async run(subject, tools, scale) {
      const before = cpuSeconds(subject.pid());
      const seen = await kload(tools, ['meta', subject.port, 1, 1, Math.round(100_000 * scale)]);
      const cpu = cpuSeconds(subject.pid()) - before;
      return { value: (cpu / num(seen, 'requests')) * 1e6, unit: 'CPU-µs/request', throughput: num(seen, 'req_s'), detail: seen };
    },
  },
  produceRow('6', '16 KB batches, 1 connection, depth 5', false, [1, 1, 5, 20_000, 16, 1000]),
  produceRow('7', '128 KB batches, 6 connections, depth 5', true, [6, 6, 5, 2500, 128, 1000]),
  produceRow('8', '1 MB batches, 6 connections, depth 2', true, [6, 6, 2, 300, 1000, 1000]),
  javaProduceRow('9-none', 100, 4_000_000, 'none'),
  javaProduceRow('9-lz4', 100, 4_000_000, 'lz4'),
  javaProduceRow('10-none', 1000, 1_000_000, 'none'),
  javaProduceRow('10-lz4', 1000, 1_000_000, 'lz4', ', compressible'),
  javaProduceRow('10-zstd', 1000, 1_000_000, 'zstd', ', compressible'),
  {
    id: '11',
    title: 'fetch of a backlog',
    run: (subject, tools, scale) =>
      withTopic(subject, 6, async (topic) => {
        await kload(tools, ['produce', subject.port, topic, 6, 6, 2, Math.max(6, Math.round(1600 * scale)), 1000, 1000, 1]);
        const before = cpuSeconds(subject.pid());
        const seen = await kload(tools, ['fetch', subject.port, topic, 6, 1, Math.round(1.5e9 * scale), 1_048_576]);
        const cpu = cpuSeconds(subject.pid()) - before;
        return { value: (cpu / num(seen, 'bytes')) * 1e9, unit: 'CPU-s/GB', throughput: num(seen, 'mb_s'), detail: seen };
      }),
  },
  {
    id: '12',
    title: 'fetch of a backlog, Java consumer in a group',
    run: (subject, tools, scale) =>
      withTopic(subject, 6, async (topic) => {
        const count = Math.max(1000, Math.round(1_000_000 * scale));
        await kload(tools, ['produce', subject.port, topic, 6, 6, 2, Math.ceil(count / 1000) + 6, 1000, 1000, 1]);
        const before = cpuSeconds(subject.pid());
        const text = await bulkTool(subject, tools, [
          'consumer-perf',
          ...server(subject),
          '--topic',
          topic,
          '--num-records',
          String(count),
        ]);
        return consumed(subject, text, count, cpuSeconds(subject.pid()) - before);
      }),
  },
  {
    id: '13',
    title: '60 MB/s in, one Java consumer at the tail',
    run: (subject, tools, scale) =>
      withTopic(subject, 6, async (topic) => {
        // As long as both tools start, nobody knows: ten seconds and more of load.
        const count = Math.max(10_000, Math.round(1_000_000 * scale));
        const records = ['--num-records', String(count)];
        const before = cpuSeconds(subject.pid());
        const consumer = tool(tools, ['consumer-perf', ...server(subject), '--topic', topic, ...records, '--timeout', '60000']);
        const load = ['--record-size', '1000', '--throughput', '60000', '--command-property', 'acks=1'];
        await bulkTool(subject, tools, ['producer-perf', ...server(subject), '--topic', topic, ...records, ...load]);
        const text = await consumer;
        return consumed(subject, text, count, cpuSeconds(subject.pid()) - before);
      }),
  },
  ...['1', 'all'].map(
    (acks): Row => ({
      id: `14-acks-${acks}`,
      title: `end-to-end latency, 100 B, acks=${acks}`,
      run: (subject, tools, scale) =>
        withTopic(subject, 1, async (topic) => {
          const args = ['e2e-latency', `127.0.0.1:${subject.port}`, topic, String(Math.round(10_000 * scale)), acks, '100'];
          const text = await tool(tools, args);
          const mean = Number(/Avg latency: ([\d.]+) ms/.exec(text)?.[1]);
          const percentiles = /99th = ([\d.]+), 99\.9th = ([\d.]+)/.exec(text);
          return {
            value: mean,
            unit: 'ms (mean)',
            throughput: 0,
            detail: { p99Ms: Number(percentiles?.[1]), p999Ms: Number(percentiles?.[2]) },
          };
        }),
    }),
  ),
  ...[0, 1000].map(
    (connections): Row => ({
      id: `15-${connections}`,
      title: `a minute idle with ${connections} connections`,
      async run(subject, tools, scale) {
        const seconds = Math.max(2, Math.round(60 * scale));
        const load = connections > 0 ? kload(tools, ['idle', subject.port, connections, seconds + 2]) : sleep(0);
        await sleep(2000);
        const before = cpuSeconds(subject.pid());
        await sleep(seconds * 1000);
        const cpu = cpuSeconds(subject.pid()) - before;
        await load;
        return { value: (cpu / seconds) * 60, unit: 'CPU-s/min', throughput: 0, detail: { seconds } };
      },
    }),
  ),
  {
    id: '16-now',
    title: 'resident memory, as it stands after the rows before',
    async run(subject) {
      return { value: residentMiB(subject.pid()), unit: 'MiB', throughput: 0, detail: {} };
    },
  },
  {
    id: '16-10000',
    title: 'resident memory with 10,000 idle connections',
    async run(subject, tools) {
      const load = kload(tools, ['idle', subject.port, 10_000, 8]);
      await sleep(6000);
      const value = residentMiB(subject.pid());
      await load;
      return { value, unit: 'MiB', throughput: 0, detail: {} };
    },
  },
  {
    id: '17',
    title: '1,000 connections at once until all are answered',
    async run(subject, tools) {
      const start = performance.now();
      await kload(tools, ['idle', subject.port, 1000, 0]);
      return { value: performance.now() - start, unit: 'ms', throughput: 0, detail: {} };
    },
  },
];

/** From exec to the first Metadata answer, in ms. The broker must be down. */
export async function bootMs(subject: Subject, tools: Tools): Promise<number> {
  const probe = kload(tools, ['probe', subject.port, 'boot-probe']);
  subject.launch();
  return num(await probe, 'metadata_ms');
}
