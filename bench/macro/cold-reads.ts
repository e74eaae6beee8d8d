// What other connections of a worker wait for while one consumer reads old records: the times of small requests (ApiVersions, one at a time)
// beside a consumer whose records lie in the page cache, or do not. What the machine itself takes for it is measured in the same rounds: the same
// files read by `dd`, and the same consumer served by another broker, while the first one has nothing to do but the small requests.
//   node bench/macro/cold-reads.ts --kload FILE [--dist DIR,DIR] [--directory DIR] [--gigabytes 1] [--partitions 1] [--max-bytes 1048576] [--rounds 5]
// Needs Linux, GNU dd and a directory on a disk; `npm run build` first. kload: the load generator, built. Several --dist: builds, in turn.
import { type ChildProcess, execFile, execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { median } from './statistics.ts';
import { cpuSeconds, NaruSubject } from './subjects.ts';

const { values: options } = parseArgs({
  options: {
    kload: { type: 'string', default: 'kload' },
    dist: { type: 'string', default: 'dist' },
    directory: { type: 'string', default: tmpdir() },
    gigabytes: { type: 'string', default: '1' },
    partitions: { type: 'string', default: '1' },
    'max-bytes': { type: 'string', default: '1048576' },
    rounds: { type: 'string', default: '5' },
    override: { type: 'string', multiple: true, default: [] },
  },
});
const TOPIC = 't';
const BATCH_BYTES = 16_384;
const RECORD_BYTES = 1000;
/** In one run of the load generator: short ones, so that all of them lie beside the consumer. */
const PROBES = 1000;
const PORT = 29_600 + (process.pid % 100);
const bytes = Number(options.gigabytes) * 1e9;

interface Answer {
  readonly p50_us: number;
  readonly p99_us: number;
  readonly p999_us: number;
  readonly mb_s: number;
  readonly bytes: number;
}

const run = promisify(execFile);
async function kload(...args: (string | number)[]): Promise<Answer> {
  return JSON.parse((await run(options.kload, args.map(String))).stdout) as Answer;
}

const segmentsOf = ({ directory }: NaruSubject): string[] =>
  readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.startsWith(`${TOPIC}-`) && path.endsWith('.log'))
    .map((path) => join(directory, path));

/** GNU dd asks the kernel to drop a file's pages once they are on the disk. */
function evict(subject: NaruSubject): void {
  for (const path of segmentsOf(subject)) {
    execFileSync('dd', [`of=${path}`, 'oflag=nocache', 'conv=notrunc,fdatasync', 'count=0'], { stdio: 'ignore' });
  }
}

/** Small requests to `probed` until `busy` has ended, or `count` times. */
async function probe(probed: NaruSubject, busy: Promise<unknown> | null, count = Number.POSITIVE_INFINITY): Promise<Answer[]> {
  let isOver = false;
  void busy?.then(() => {
    isOver = true;
  });
  const answers: Answer[] = [];
  while (!isOver && answers.length < count) answers.push(await kload('meta', probed.port, 1, 1, PROBES));
  if (busy !== null && answers.length > 1) answers.pop(); // The consumer has ended within it.
  return answers;
}

const figures = new Map<string, { p50: number[]; p99: number[]; p999: number[]; rate: number[]; cpu: number[] }>();

function note(name: string, answers: readonly Answer[], rate: number, cpu: number): void {
  const row = figures.get(name) ?? { p50: [], p99: [], p999: [], rate: [], cpu: [] };
  figures.set(name, row);
  row.p50.push(median(answers.map((answer) => answer.p50_us)));
  row.p99.push(median(answers.map((answer) => answer.p99_us)));
  row.p999.push(median(answers.map((answer) => answer.p999_us)));
  row.rate.push(rate);
  row.cpu.push(cpu);
}

async function besideConsumer(name: string, probed: NaruSubject, serving: NaruSubject): Promise<void> {
  const cpuBefore = cpuSeconds(serving.pid());
  const consumer = kload('fetch', serving.port, TOPIC, options.partitions, 1, bytes, options['max-bytes']);
  const answers = await probe(probed, consumer);
  const { mb_s, bytes: read } = await consumer;
  // That of the probes lies in it where they ask the same broker.
  note(name, answers, mb_s, (cpuSeconds(serving.pid()) - cpuBefore) / (read / 1e9));
}

async function besideDisk(name: string, probed: NaruSubject, files: readonly string[]): Promise<void> {
  const startedMs = performance.now();
  const children = (async () => {
    for (const path of files) await ended(spawn('dd', [`if=${path}`, 'of=/dev/null', 'bs=256K'], { stdio: 'ignore' }));
    return performance.now() - startedMs;
  })();
  const answers = await probe(probed, children);
  note(name, answers, bytes / 1e3 / (await children), 0);
}

function ended(child: ChildProcess): Promise<void> {
  return new Promise((done) => child.once('exit', () => done()));
}

const directory = mkdtempSync(join(options.directory, 'naru-cold-'));
const overrides = ['naru.workers=1', `num.partitions=${options.partitions}`, ...options.override];
const builds = options.dist.split(',').map((dist, index) => {
  return { dist, subject: new NaruSubject(dist, PORT + index, join(directory, String(index)), overrides, dist) };
});
const other = new NaruSubject('other', PORT + builds.length, join(directory, 'other'), overrides, builds[0]?.dist);
const subjects = [other, ...builds.map(({ subject }) => subject)];
try {
  for (const subject of subjects) {
    await subject.start();
    await kload('probe', subject.port, TOPIC);
    const records = Math.floor(BATCH_BYTES / RECORD_BYTES);
    const batches = Math.ceil((1.05 * bytes) / (records * RECORD_BYTES));
    await kload('produce', subject.port, TOPIC, options.partitions, 6, 2, batches, records, RECORD_BYTES, 1);
    await kload('meta', subject.port, 1, 1, 20_000);
    await kload('fetch', subject.port, TOPIC, options.partitions, 1, bytes, options['max-bytes']);
  }
  for (let round = 0; round < Number(options.rounds); round++) {
    for (const { dist, subject } of builds) {
      note(`${dist} idle`, await probe(subject, null, 5), 0, 0);
      evict(other);
      await besideDisk(`${dist} disk read by dd`, subject, segmentsOf(other));
      await besideConsumer(`${dist} other broker, warm`, subject, other);
      evict(other);
      await besideConsumer(`${dist} other broker, cold`, subject, other);
      await besideConsumer(`${dist} same worker, warm`, subject, subject);
      evict(subject);
      await besideConsumer(`${dist} same worker, cold`, subject, subject);
    }
  }
  for (const [name, { p50, p99, p999, rate, cpu }] of figures) {
    const spread = `(${Math.min(...p99)}–${Math.max(...p99)})`;
    console.log(
      `${name}: p50 ${median(p50)} p99 ${median(p99)} ${spread} p99.9 ${median(p999)} µs, ${median(rate).toFixed(0)} MB/s, ${median(cpu).toFixed(3)} CPU-s/GB`,
    );
  }
} finally {
  for (const subject of subjects) await subject.stop('SIGKILL');
  rmSync(directory, { recursive: true, force: true });
}
