// Naru beside Apache Kafka on this machine: the rows of bench/macro/rows.ts, alternately (Kafka, Naru, Kafka, Naru, …), the
// median of the pairwise ratios, and Kafka against itself in the same run to show the noise. Method: bench/README.md.
//   node bench/macro/compare.ts [--pairs 5] [--scale 1] [--rows 1,2,…] [--directory DIR] [--out FILE] [--override key=value]…
// Rows 19 and 20 (10 GB) run only where --rows names them, best on a disk. Needs Linux, Java 17, Maven, a C compiler; `npm run build` first. DIR should be a tmpfs of huge pages (or a disk, said so in the output).
import { execFileSync } from 'node:child_process';
import { appendFileSync, mkdirSync, rmSync } from 'node:fs';
import { cpus, release, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { measuredBuild } from './measured-build.ts';
import { warmMemory } from './memory.ts';
import { measureRestarts, type Restarts } from './restarts.ts';
import { bootMs, type Outcome, rows, type Tools } from './rows.ts';
import { median, spread } from './statistics.ts';
import { KafkaSubject, NaruSubject, residentMiB, type Subject } from './subjects.ts';

const { values: options } = parseArgs({
  options: {
    pairs: { type: 'string', default: '5' },
    scale: { type: 'string', default: '1' },
    rows: { type: 'string', default: '' },
    directory: { type: 'string', default: join(tmpdir(), 'naru-bench') },
    out: { type: 'string', default: '' },
    override: { type: 'string', multiple: true, default: [] },
  },
});
const pairs = Number(options.pairs);
const scale = Number(options.scale);
const wanted = options.rows === '' ? null : new Set(options.rows.split(','));
const peers = process.env.NARU_PEERS ?? new URL('../../../shared/peers', import.meta.url).pathname;
// The script that starts Kafka sets the delay of a group's first rebalance to 0: its default is three seconds of waiting, CPU of nobody.
const shared = ['log.segment.delete.delay.ms=1000', 'socket.listen.backlog.size=8192', 'group.initial.rebalance.delay.ms=0'];

mkdirSync(options.directory, { recursive: true });
const kload = join(options.directory, 'kload');
execFileSync('cc', ['-O2', '-msse4.2', '-o', kload, join(peers, 'kload.c')]);
const tools: Tools = { kload, peers };
const kafka: Subject = new KafkaSubject(peers, 29092, join(options.directory, 'kafka'), shared);
const naru: Subject = new NaruSubject('naru', 29392, join(options.directory, 'naru'), [...shared, ...options.override]);
const machine = { cpu: cpus()[0]?.model, cores: cpus().length, kernel: release(), node: process.version, ...measuredBuild() };

function record(line: Record<string, unknown>): void {
  if (options.out !== '') appendFileSync(options.out, `${JSON.stringify({ ...line, overrides: options.override, scale, ...machine })}\n`);
}

function report(row: string, title: string, unit: string, ours: readonly number[], theirs: readonly number[], more = {}): void {
  const ratios = ours.map((value, pair) => value / (theirs[pair] as number));
  const sameAgainstSame = theirs.slice(1).map((value, pair) => value / (theirs[pair] as number));
  const line = {
    row,
    title,
    unit,
    naru: median(ours),
    kafka: median(theirs),
    ratio: median(ratios),
    ratioSpread: spread(ratios),
    kafkaAgainstItself: sameAgainstSame.length > 0 ? spread(sameAgainstSame) : [1, 1],
    ...more,
  };
  record(line);
  const [low, high] = line.kafkaAgainstItself;
  console.log(
    `${row.padEnd(11)} ${title.padEnd(52)} naru ${line.naru.toPrecision(3)} kafka ${line.kafka.toPrecision(3)} ${unit}  ratio ${line.ratio.toFixed(2)}` +
      ` (${line.ratioSpread.map((ratio) => ratio.toFixed(2)).join('–')}; A/A ${low?.toFixed(2)}–${high?.toFixed(2)})`,
  );
}

const subjects = [kafka, naru];
for (const subject of subjects) rmSync(subject.directory, { recursive: true, force: true });
for (const subject of subjects) await subject.start();
try {
  const fresh = subjects.map((subject) => residentMiB(subject.pid()));
  report('16-fresh', 'resident memory, fresh', 'MiB', [fresh[1] as number], [fresh[0] as number]);
  const warmUp = rows.filter((row) => row.id === '8' || row.id === '3');
  for (const subject of subjects) for (const row of warmUp) await row.run(subject, tools, scale);
  // The first consumer of a group has the offsets topic made.
  const ofGroups = rows.filter((row) => row.id === '12' && (wanted === null || wanted.has('12') || wanted.has('13')));
  for (const subject of subjects) for (const row of ofGroups) await row.run(subject, tools, scale / 10);
  for (const row of rows) {
    if (wanted !== null && !wanted.has(row.id)) continue;
    const seen = new Map<Subject, Outcome[]>(subjects.map((subject) => [subject, []]));
    const floors: number[] = [];
    for (let pair = 0; pair < pairs; pair++) {
      for (const subject of subjects) {
        floors.push(warmMemory(options.directory, 2e9 * scale));
        seen.get(subject)?.push(await row.run(subject, tools, scale));
      }
    }
    const theirs = seen.get(kafka) as Outcome[];
    const ours = seen.get(naru) as Outcome[];
    const value = (outcomes: Outcome[]): number[] => outcomes.map((outcome) => outcome.value);
    const throughput = (outcomes: Outcome[]): number => median(outcomes.map((outcome) => outcome.throughput));
    report(row.id, row.title, ours[0]?.unit ?? '', value(ours), value(theirs), {
      naruThroughput: throughput(ours),
      memoryCpuPerGB: median(floors),
      kafkaThroughput: throughput(theirs),
      naruDetail: ours.map((outcome) => outcome.detail),
      kafkaDetail: theirs.map((outcome) => outcome.detail),
    });
  }
  if (wanted === null || wanted.has('18')) {
    const boots = new Map<Subject, number[]>(subjects.map((subject) => [subject, []]));
    for (let pair = 0; pair < pairs; pair++) {
      for (const subject of subjects) {
        await subject.stop();
        // An empty directory. Kafka's stays: formatting it is a JVM run of its own and no part of a boot.
        if (subject === naru) rmSync(subject.directory, { recursive: true, force: true });
        boots.get(subject)?.push(await bootMs(subject, tools));
      }
    }
    report('18', 'boot, from exec to the first Metadata answer', 'ms', boots.get(naru) as number[], boots.get(kafka) as number[]);
  }
  if (wanted?.has('19') || wanted?.has('20')) {
    for (const subject of subjects) await subject.stop();
    const seen = new Map<Subject, Restarts>();
    for (const subject of subjects) seen.set(subject, await measureRestarts(subject, tools, scale, pairs));
    const [theirs, ours] = subjects.map((subject) => seen.get(subject)) as [Restarts, Restarts];
    report('19-kill', 'boot with 10 GB in 200 partitions, after kill -9', 'ms', ours.afterKillMs, theirs.afterKillMs);
    report('19-clean', 'boot with 10 GB in 200 partitions, after a clean stop', 'ms', ours.afterStopMs, theirs.afterStopMs);
    report('20', 'SIGTERM to exit', 'ms', ours.stopMs, theirs.stopMs);
  }
} finally {
  for (const subject of subjects) await subject.stop();
}
