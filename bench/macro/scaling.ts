// What threads and partitions cost and bring: Naru alone, at several numbers of workers (`naru.workers`), under the same loads, each load
// from several client processes on topics of their own. Rounds go through all numbers of workers in turn, so that what the machine does
// meanwhile meets all of them. Says throughput and the broker's CPU for one request; method: bench/README.md.
//   node bench/macro/scaling.ts [--workers 0,1,2,4] [--rounds 3] [--scale 1] [--loads a,b] [--directory DIR] [--out FILE] [--kload FILE]
// Needs Linux and a C compiler (or a load generator that was built before); `npm run build` first.
import { execFileSync } from 'node:child_process';
import { appendFileSync, mkdirSync, rmSync } from 'node:fs';
import { cpus, release, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { measuredBuild } from './measured-build.ts';
import { kload, type Tools, withTopic } from './rows.ts';
import { median } from './statistics.ts';
import { cpuSeconds, NaruSubject } from './subjects.ts';

const { values: options } = parseArgs({
  options: {
    workers: { type: 'string', default: '0,1,2,4' },
    rounds: { type: 'string', default: '3' },
    scale: { type: 'string', default: '1' },
    loads: { type: 'string', default: '' },
    directory: { type: 'string', default: join(tmpdir(), 'naru-scaling') },
    out: { type: 'string', default: '' },
    kload: { type: 'string', default: '' },
  },
});

interface Load {
  readonly id: string;
  readonly processCount: number;
  /** Of each process's own topic. */
  readonly partitionCount: number;
  readonly connectionCount: number;
  readonly depth: number;
  /** Of each process. */
  readonly requestCount: number;
  readonly recordCount: number;
  readonly valueBytes: number;
}

function load(
  id: string,
  processCount: number,
  partitionCount: number,
  connectionCount: number,
  shape: readonly [number, number, number, number],
): Load {
  const [depth, requestCount, recordCount, valueBytes] = shape;
  return { id, processCount, partitionCount, connectionCount, depth, requestCount, recordCount, valueBytes };
}

const SMALL = [5, 150_000, 1, 100] as const;
const SMALL_AT_ONCE = [1, 150_000, 1, 100] as const;
const MIDDLE = [5, 10_000, 16, 1000] as const;
const BULK = [5, 2_000, 128, 1000] as const;

const loads: readonly Load[] = [
  load('small-1', 4, 1, 6, SMALL),
  load('small-6', 4, 6, 6, SMALL),
  load('small-64', 4, 64, 64, SMALL_AT_ONCE),
  load('16k-1', 4, 1, 6, MIDDLE),
  load('16k-6', 4, 6, 6, MIDDLE),
  load('128k-1', 4, 1, 6, BULK),
  load('128k-6', 4, 6, 6, BULK),
  load('128k-64', 4, 64, 64, [1, 2_000, 128, 1000]),
];

const workerCounts = options.workers.split(',').map(Number);
const wanted = options.loads === '' ? null : new Set(options.loads.split(','));
const scale = Number(options.scale);
const peers = process.env.NARU_PEERS ?? new URL('../../../shared/peers', import.meta.url).pathname;

interface Seen {
  readonly requestsPerSecond: number;
  readonly cpuMicros: number;
}

/** All of a load's processes at once. */
async function run(subject: NaruSubject, tools: Tools, load: Load): Promise<Seen> {
  const { processCount, partitionCount, connectionCount, depth, recordCount, valueBytes } = load;
  const requests = Math.max(connectionCount, Math.round(load.requestCount * scale));
  const topics: string[] = [];
  const measure = async (): Promise<Seen> => {
    const before = cpuSeconds(subject.pid());
    const shape = [partitionCount, connectionCount, depth, requests, recordCount, valueBytes, 1];
    const seen = await Promise.all(topics.map((topic) => kload(tools, ['produce', subject.port, topic, ...shape])));
    const cpu = cpuSeconds(subject.pid()) - before;
    const total = seen.reduce((sum, one) => sum + (one.requests ?? 0), 0);
    return { requestsPerSecond: seen.reduce((sum, one) => sum + (one.req_s ?? 0), 0), cpuMicros: (cpu / total) * 1e6 };
  };
  const nested = (left: number): Promise<Seen> =>
    left === 0
      ? measure()
      : withTopic(subject, partitionCount, (topic) => {
          topics.push(topic);
          return nested(left - 1);
        });
  return nested(processCount);
}

mkdirSync(options.directory, { recursive: true });
let generator = options.kload;
if (generator === '') {
  generator = join(options.directory, 'kload');
  execFileSync('cc', ['-O2', '-msse4.2', '-o', generator, join(peers, 'kload.c')]);
}
const tools: Tools = { kload: generator, peers };
const chosen = loads.filter(({ id }) => wanted === null || wanted.has(id));
const seen = new Map<string, Seen[]>();
for (let round = 0; round < Number(options.rounds); round++) {
  for (const workers of workerCounts) {
    const directory = join(options.directory, `naru-${workers}`);
    rmSync(directory, { recursive: true, force: true });
    const overrides = [`naru.workers=${workers}`, 'log.segment.delete.delay.ms=1000', 'socket.listen.backlog.size=8192'];
    const subject = new NaruSubject(`naru-${workers}`, 29500 + workers, directory, overrides);
    await subject.start();
    try {
      await run(subject, tools, { ...(loads[1] as Load), requestCount: 30_000 });
      for (const one of chosen) {
        const key = `${one.id} ${workers}`;
        const sofar = seen.get(key) ?? [];
        sofar.push(await run(subject, tools, one));
        seen.set(key, sofar);
      }
    } finally {
      await subject.stop();
    }
    rmSync(directory, { recursive: true, force: true });
  }
}

const machine = { cpu: cpus()[0]?.model, cores: cpus().length, kernel: release(), node: process.version, ...measuredBuild() };
for (const one of chosen) {
  for (const workers of workerCounts) {
    const outcomes = seen.get(`${one.id} ${workers}`) as Seen[];
    const throughput = outcomes.map(({ requestsPerSecond }) => requestsPerSecond);
    const cpu = outcomes.map(({ cpuMicros }) => cpuMicros);
    const line = {
      load: one.id,
      workers,
      requestsPerSecond: Math.round(median(throughput)),
      requestsPerSecondSpread: [Math.round(Math.min(...throughput)), Math.round(Math.max(...throughput))],
      cpuMicrosPerRequest: Number(median(cpu).toPrecision(3)),
      cpuMicrosSpread: [Math.min(...cpu), Math.max(...cpu)].map((value) => Number(value.toPrecision(3))),
    };
    if (options.out !== '') appendFileSync(options.out, `${JSON.stringify({ ...line, scale, ...machine })}\n`);
    console.log(
      `${one.id.padEnd(9)} workers ${workers}: ${String(line.requestsPerSecond).padStart(7)} requests/s (${line.requestsPerSecondSpread.join('–')}), ` +
        `${line.cpuMicrosPerRequest} CPU-µs each (${line.cpuMicrosSpread.join('–')})`,
    );
  }
}
