// What a request leaves on the broker's heaps, at several numbers of workers: bytes allocated, collections of V8 by kind and their time, and
// how far the heaps have grown once everything dead is collected. Nothing that outlives a turn is to be made for a request: then a young
// collection finds next to nothing alive and takes a fraction of a millisecond, old ones need not come, and the heaps do not grow.
// Collections are read from V8's own trace of all threads (--trace-gc), bytes are asked of the threads before and after (heap-probe.ts).
//   node bench/macro/garbage.ts --kload FILE [--workers 0,1,2,4] [--requests 1000000] [--directory DIR] [--out FILE]
// Needs Linux; `npm run build` first. kload: the load generator, built.
import { execFileSync, spawn } from 'node:child_process';
import { appendFileSync, mkdtempSync, rmSync } from 'node:fs';
import { cpus, release, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { createTopic, fetchNewest, flood, follow, produceFrame } from './garbage-loads.ts';
import type { HeapState } from './heap-probe.ts';
import { measuredBuild } from './measured-build.ts';
import { cpuSeconds } from './subjects.ts';

const { values: options } = parseArgs({
  options: {
    kload: { type: 'string', default: 'kload' },
    workers: { type: 'string', default: '0,1,2,4' },
    requests: { type: 'string', default: '1000000' },
    directory: { type: 'string', default: '' },
    out: { type: 'string', default: '' },
  },
});
const PARTITIONS = 6;
const CONNECTIONS = 6;
const DEPTH = 5;
const DEEP = 100;
const TOPIC = 'garbage';
const WIDE_TOPIC = 'garbage-wide';
const WIDE_PARTITIONS = 16;
const PORT = 29_400 + (process.pid % 100);

interface Collection {
  readonly isYoung: boolean;
  readonly pauseMs: number;
}

const GC_LINE =
  /\[\d+:0x[0-9a-f]+[^\]]*\]\s+\d+ ms: .*?(Scavenge|Minor|Mark-Compact)[^>]*-> [\d.]+ \([\d.]+\) MB,(?: pooled: [\d.]+ MB,)? ([\d.]+) \//;

function collectionOf(line: string): Collection | null {
  const [, kind, pause] = GC_LINE.exec(line) ?? [];
  return kind === undefined ? null : { isYoung: kind !== 'Mark-Compact', pauseMs: Number(pause) };
}

const kload = (...args: (string | number)[]): string => execFileSync(options.kload, args.map(String), { encoding: 'utf8' });
const produce = (count: number, connections: number, depth: number): string =>
  kload('produce', PORT, TOPIC, PARTITIONS, connections, depth, count, 1, 100, 1);
const inAllPartitions = (run: (partition: number) => Promise<void>): Promise<unknown> =>
  Promise.all(Array.from({ length: PARTITIONS }, (_, partition) => run(partition)));
const perPartition = (count: number): number => Math.ceil(count / PARTITIONS);

/** What is sent, and the share of the requests asked for that it is measured by: some take their clients long. */
const loads: readonly { readonly load: string; readonly share: number; readonly run: (count: number) => Promise<unknown> | string }[] = [
  { load: 'ApiVersions', share: 1, run: (count) => kload('meta', PORT, CONNECTIONS, DEPTH, count) },
  { load: 'produce, one connection, one at a time', share: 0.1, run: (count) => produce(count, 1, 1) },
  { load: `produce, ${CONNECTIONS} connections, depth ${DEPTH}`, share: 1, run: (count) => produce(count, CONNECTIONS, DEPTH) },
  { load: `produce, ${CONNECTIONS} connections, depth ${DEEP}`, share: 1, run: (count) => produce(count, CONNECTIONS, DEEP) },
  {
    load: `produce to ${WIDE_PARTITIONS} partitions at once, depth ${DEPTH}`,
    share: 0.2,
    run: (count) => flood(PORT, produceFrame(WIDE_TOPIC, [...Array(WIDE_PARTITIONS).keys()]), count, DEPTH),
  },
  {
    load: `fetch of the newest batch, ${PARTITIONS} connections, depth ${DEPTH}`,
    share: 0.5,
    run: (count) => inAllPartitions((partition) => fetchNewest(PORT, TOPIC, partition, perPartition(count), DEPTH)),
  },
  {
    load: `a produce and the waiting fetch that it answers, ${PARTITIONS} consumers with sessions`,
    share: 0.1,
    run: (count) => inAllPartitions((partition) => follow(PORT, TOPIC, partition, perPartition(count))),
  },
];

for (const workers of options.workers.split(',').map(Number)) {
  const directory = mkdtempSync(join(options.directory === '' ? tmpdir() : options.directory, 'naru-garbage-'));
  const overrides = [`naru.workers=${workers}`, `num.partitions=${PARTITIONS}`].flatMap((pair) => ['--override', pair]);
  const probe = join(import.meta.dirname, 'heap-probe.ts');
  const args = ['--trace-gc', '--import', probe, 'dist/cli.js', 'start', '--port', String(PORT), '--data-dir', directory, ...overrides];
  const broker = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  broker.stdout.on('data', (text) => {
    output += text;
  });
  /** How the heaps of all threads stand, together. */
  const heaps = async (): Promise<Omit<HeapState, 'thread'>> => {
    output = '';
    broker.kill('SIGUSR2');
    for (;;) {
      await sleep(50);
      const states = [...output.matchAll(/^heap (\{.*\})$/gm)].map(([, json]) => JSON.parse(json ?? '') as HeapState);
      if (states.length <= workers) continue; // The main thread's is one more.
      const sum = (of: (state: HeapState) => number): number => states.reduce((total, state) => total + of(state), 0);
      return {
        allocatedBytes: sum((state) => state.allocatedBytes),
        usedBytes: sum((state) => state.usedBytes),
        externalBytes: sum((state) => state.externalBytes),
      };
    }
  };
  try {
    while (!/ready/.test(output)) await sleep(20);
    kload('probe', PORT, TOPIC); // Makes the topic; one batch in partition 0 …
    produce(PARTITIONS, CONNECTIONS, 1); // … and one in each.
    await createTopic(PORT, WIDE_TOPIC, WIDE_PARTITIONS);
    for (const { load, share, run } of loads) {
      const requests = Math.ceil(Number(options.requests) * share);
      await run(Math.ceil(requests / 5)); // Until what is compiled is compiled, and the pools are full.
      await sleep(300);
      const before = await heaps();
      await sleep(100);
      output = '';
      const cpuBefore = cpuSeconds(broker.pid ?? -1);
      await run(requests);
      const cpuS = cpuSeconds(broker.pid ?? -1) - cpuBefore;
      await sleep(300);
      const collections = output.split('\n').flatMap((line) => collectionOf(line) ?? []);
      const after = await heaps();
      const perMillion = 1e6 / requests;
      const young = collections.filter(({ isYoung }) => isYoung);
      const old = collections.filter(({ isYoung }) => !isYoung);
      const pauseMs = (list: readonly Collection[]): number => list.reduce((sum, each) => sum + each.pauseMs, 0);
      const result = {
        ...{ what: 'garbage', load, workers, requests },
        bytesPerRequest: Math.round((after.allocatedBytes - before.allocatedBytes) / requests),
        youngCollectionsPerMillion: Math.round(young.length * perMillion),
        youngPauseMsPerMillion: Number((pauseMs(young) * perMillion).toFixed(1)),
        longestYoungPauseMs: Math.max(0, ...young.map((each) => each.pauseMs)),
        oldCollectionsPerMillion: Number((old.length * perMillion).toFixed(1)),
        oldPauseMsPerMillion: Number((pauseMs(old) * perMillion).toFixed(1)),
        /** Of what is alive after a collection of everything, on the heaps and held by them. */
        grownBytesPerRequest: Number(((after.usedBytes - before.usedBytes) / requests).toFixed(2)),
        grownExternalBytesPerRequest: Number(((after.externalBytes - before.externalBytes) / requests).toFixed(2)),
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
