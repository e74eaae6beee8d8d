// What a million requests leave on the broker's heaps: collections by kind, their time, and how far the heaps have grown, for ApiVersions, produce
// and a fetch of the newest batch, at several numbers of workers. Read from V8's own trace of all threads (--trace-gc), so the broker runs
// as it always does. Nothing that outlives a turn is to be made for a request: then a young collection finds next to nothing alive
// and takes a fraction of a millisecond, and old ones need not come.
//   node bench/macro/garbage.ts --kload FILE [--workers 0,1] [--requests 1000000] [--directory DIR] [--out FILE]
// Needs Linux; `npm run build` first. kload: the load generator, built.
import { execFileSync, spawn } from 'node:child_process';
import { appendFileSync, mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { cpus, release, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Kafka, logLevel } from 'kafkajs';
import { fetchRequest } from '../../src/protocol/apis/fetch.ts';
import { encodeMessage } from '../../src/protocol/compile.ts';
import { measuredBuild } from './measured-build.ts';
import { cpuSeconds } from './subjects.ts';

const { values: options } = parseArgs({
  options: {
    kload: { type: 'string', default: 'kload' },
    workers: { type: 'string', default: '0,1' },
    requests: { type: 'string', default: '1000000' },
    directory: { type: 'string', default: '' },
    out: { type: 'string', default: '' },
  },
});
const requests = Number(options.requests);
const PARTITIONS = 6;
const CONNECTIONS = 6;
const DEPTH = 5;
const FETCH_VERSION = 12;
const TOPIC = 'garbage';
const PORT = 29_400 + (process.pid % 100);

interface Collection {
  readonly isolate: string;
  readonly isYoung: boolean;
  readonly afterMiB: number;
  readonly pauseMs: number;
}

const GC_LINE =
  /\[\d+:(0x[0-9a-f]+)[^\]]*\]\s+\d+ ms: (Scavenge|Minor|Mark-Compact)[^>]*-> ([\d.]+) \([\d.]+\) MB,(?: pooled: [\d.]+ MB,)? ([\d.]+) \//;

function collectionOf(line: string): Collection | null {
  const [, isolate, kind, after, pause] = GC_LINE.exec(line) ?? [];
  if (isolate === undefined) return null;
  return { isolate, isYoung: kind !== 'Mark-Compact', afterMiB: Number(after), pauseMs: Number(pause) };
}

const kload = (...args: (string | number)[]): string => execFileSync(options.kload, args.map(String), { encoding: 'utf8' });

/** `count` fetches, without a session, of the newest batch: what a consumer at the tail is answered with. Without JavaScript's decoding. */
async function fetchTail(port: number, count: number, partition: number, lastOffset: number): Promise<void> {
  const body = encodeMessage(fetchRequest, FETCH_VERSION, {
    ...{ clusterId: null, replicaId: -1, replicaState: { replicaId: -1, replicaEpoch: -1 }, maxWaitMs: 500, minBytes: 1 },
    ...{ maxBytes: 1 << 20, isolationLevel: 0, sessionId: 0, sessionEpoch: -1, forgottenTopicsData: [], rackId: '' },
    topics: [
      {
        topic: TOPIC,
        topicId: '00000000-0000-0000-0000-000000000000',
        partitions: [
          {
            ...{ partition, currentLeaderEpoch: -1, fetchOffset: lastOffset, lastFetchedEpoch: -1, logStartOffset: -1 },
            ...{ partitionMaxBytes: 1 << 20, replicaDirectoryId: '00000000-0000-0000-0000-000000000000' },
          },
        ],
      },
    ],
  } as unknown as Parameters<typeof encodeMessage<typeof fetchRequest>>[2]);
  const head = Buffer.alloc(15);
  head.writeInt32BE(head.length - 4 + body.length);
  head.writeInt16BE(1, 4);
  head.writeInt16BE(FETCH_VERSION, 6);
  head.writeInt16BE(-1, 12); // No client id; then no tags.
  const frame = Buffer.concat([head, body]);
  await new Promise<void>((done, fail) => {
    let sent = 0;
    let answered = 0;
    let left = 0; // Of the answer that is being read.
    let cut: Buffer = Buffer.alloc(0);
    const socket = connect(port, '127.0.0.1', () => {
      for (; sent < DEPTH; sent++) socket.write(frame);
    });
    socket.on('error', fail);
    socket.on('data', (piece: Buffer) => {
      let bytes: Buffer = cut.length === 0 ? piece : Buffer.concat([cut, piece]);
      cut = Buffer.alloc(0);
      const before = answered;
      for (;;) {
        const skipped = Math.min(left, bytes.length);
        bytes = bytes.subarray(skipped);
        left -= skipped;
        if (left > 0 || bytes.length < 4) break;
        left = 4 + bytes.readInt32BE(0);
        answered++;
      }
      if (left === 0) cut = bytes;
      const due = Math.min(count - sent, answered - before);
      sent += due;
      if (due > 0) socket.write(Buffer.concat(Array.from({ length: due }, () => frame)));
      if (answered < count || left > bytes.length) return;
      socket.destroy();
      done();
    });
  });
}

/** By partition. */
async function logEnds(): Promise<number[]> {
  const admin = new Kafka({ brokers: [`127.0.0.1:${PORT}`], logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  const offsets = await admin.fetchTopicOffsets(TOPIC);
  await admin.disconnect();
  return offsets.sort((a, b) => a.partition - b.partition).map(({ high }) => Number(high));
}

const loads: Readonly<Record<string, (count: number) => Promise<unknown> | string>> = {
  ApiVersions: (count) => kload('meta', PORT, CONNECTIONS, DEPTH, count),
  produce: (count) => kload('produce', PORT, TOPIC, PARTITIONS, CONNECTIONS, DEPTH, count, 1, 100, 1),
  'fetch at the tail': async (count) => {
    const ends = await logEnds();
    await Promise.all(ends.map((end, partition) => fetchTail(PORT, Math.ceil(count / PARTITIONS), partition, end - 1)));
  },
};

for (const workers of options.workers.split(',').map(Number)) {
  const directory = mkdtempSync(join(options.directory === '' ? tmpdir() : options.directory, 'naru-garbage-'));
  const overrides = [`naru.workers=${workers}`, `num.partitions=${PARTITIONS}`].flatMap((pair) => ['--override', pair]);
  const args = ['--trace-gc', 'dist/cli.js', 'start', '--port', String(PORT), '--data-dir', directory, ...overrides];
  const broker = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  let trace = '';
  broker.stdout.on('data', (text) => {
    trace += text;
  });
  try {
    while (!/ready/.test(trace)) await sleep(20);
    kload('probe', PORT, TOPIC); // Makes the topic; one batch in partition 0 …
    kload('produce', PORT, TOPIC, PARTITIONS, CONNECTIONS, 1, PARTITIONS, 1, 100, 1); // … and one in each.
    for (const [name, run] of Object.entries(loads)) {
      await run(Math.ceil(requests / 5)); // Until what is compiled is compiled, and the pools are full.
      await sleep(300);
      trace = '';
      const cpuBefore = cpuSeconds(broker.pid ?? -1);
      await run(requests);
      const cpuS = cpuSeconds(broker.pid ?? -1) - cpuBefore;
      await sleep(300);
      const collections = trace.split('\n').flatMap((line) => collectionOf(line) ?? []);
      const perMillion = 1e6 / requests;
      const sumOf = (list: readonly Collection[]): number => list.reduce((sum, { pauseMs }) => sum + pauseMs, 0);
      const young = collections.filter(({ isYoung }) => isYoung);
      const old = collections.filter(({ isYoung }) => !isYoung);
      let growthMiB = 0;
      for (const isolate of new Set(collections.map((each) => each.isolate))) {
        const own = collections.filter((each) => each.isolate === isolate);
        growthMiB += (own.at(-1)?.afterMiB ?? 0) - (own[0]?.afterMiB ?? 0);
      }
      const result = {
        ...{ what: 'garbage', load: name, workers, requests },
        youngCollectionsPerMillion: Math.round(young.length * perMillion),
        youngPauseMsPerMillion: Number((sumOf(young) * perMillion).toFixed(1)),
        longestYoungPauseMs: Math.max(0, ...young.map(({ pauseMs }) => pauseMs)),
        oldCollectionsPerMillion: Number((old.length * perMillion).toFixed(1)),
        oldPauseMsPerMillion: Number((sumOf(old) * perMillion).toFixed(1)),
        /** From the first collection to the last. */
        heapGrowthMiBPerMillion: Number((growthMiB * perMillion).toFixed(2)),
        cpuMicrosecondsPerRequest: Number(((cpuS / requests) * 1e6).toFixed(2)),
        ...{ cpu: cpus()[0]?.model, cores: cpus().length, kernel: release(), node: process.version },
        ...measuredBuild(),
      };
      console.log(JSON.stringify(result));
      if (options.out !== '') appendFileSync(options.out, `${JSON.stringify(result)}\n`);
    }
  } finally {
    broker.kill('SIGKILL');
    rmSync(directory, { recursive: true, force: true });
  }
}
