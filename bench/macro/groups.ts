// Groups of Naru beside those of Apache Kafka on this machine, alternately: how long a rebalance takes, what a commit costs, and how soon
// a million commits are loaded after kill -9. Method: bench/README.md.
//   node bench/macro/groups.ts [--pairs 5] [--parts rebalance,commit,load] [--members 3,30,300] [--directory DIR] [--out FILE] [--scale 1]
// Needs Linux, Java 17, Maven; `npm run build` first. Both brokers get the same delays: no initial delay, no pause between assignments, a
// heartbeat each 100 ms, which is how members hear of a rebalance.
import { appendFileSync, mkdirSync, rmSync } from 'node:fs';
import { cpus, loadavg, release, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { commitCost, createTopic, type Figure, fillOffsets, loadTime } from './group-offsets.ts';
import { rebalance } from './group-rebalance.ts';
import { measuredBuild } from './measured-build.ts';
import { warmMemory } from './memory.ts';
import { median, spread } from './statistics.ts';
import { KafkaSubject, NaruSubject, type Subject } from './subjects.ts';

const { values: options } = parseArgs({
  options: {
    pairs: { type: 'string', default: '5' },
    parts: { type: 'string', default: 'rebalance,commit,load' },
    members: { type: 'string', default: '3,30,300' },
    directory: { type: 'string', default: join(tmpdir(), 'naru-bench-groups') },
    scale: { type: 'string', default: '1' },
    workers: { type: 'string', default: '1' },
    out: { type: 'string', default: '' },
  },
});
const pairs = Number(options.pairs);
const scale = Number(options.scale);
const parts = new Set(options.parts.split(','));
const peers = process.env.NARU_PEERS ?? new URL('../../../shared/peers', import.meta.url).pathname;
const shared = [
  'group.initial.rebalance.delay.ms=0',
  'group.consumer.assignment.interval.ms=0',
  'group.consumer.min.heartbeat.interval.ms=100',
  'group.consumer.heartbeat.interval.ms=100',
  'socket.listen.backlog.size=8192',
];
const machine = { cpu: cpus()[0]?.model, cores: cpus().length, kernel: release(), node: process.version, ...measuredBuild() };
const kafka: Subject = new KafkaSubject(peers, 29192, join(options.directory, 'kafka'), shared);
const naru: Subject = new NaruSubject('naru', 29492, join(options.directory, 'naru'), [...shared, `naru.workers=${options.workers}`]);
const subjects = [kafka, naru];

/** More than any run here writes. */
const TOUCHED_BYTES = 5e8;

/** Both in turn, `pairs` times; each figure that the work gives is a row. */
async function compare(work: (subject: Subject) => Promise<readonly Figure[]>): Promise<void> {
  const seen = new Map<Subject, (readonly Figure[])[]>(subjects.map((subject) => [subject, []]));
  for (let pair = 0; pair < pairs; pair++) {
    for (const subject of subjects) {
      warmMemory(options.directory, TOUCHED_BYTES * scale);
      seen.get(subject)?.push(await work(subject));
    }
  }
  const [theirs = [], ours = []] = subjects.map((subject) => seen.get(subject));
  for (const [index, { row, unit }] of (ours[0] ?? []).entries()) {
    const values = (runs: readonly (readonly Figure[])[]): number[] => runs.map((figures) => figures[index]?.value ?? Number.NaN);
    report(row, unit, values(ours), values(theirs));
  }
}

function report(row: string, unit: string, ours: readonly number[], theirs: readonly number[]): void {
  const ratios = ours.map((value, pair) => value / (theirs[pair] as number));
  const sameAgainstSame = theirs.slice(1).map((value, pair) => value / (theirs[pair] as number));
  const again = sameAgainstSame.length > 0 ? spread(sameAgainstSame) : [1, 1];
  const line = { row, unit, naru: median(ours), kafka: median(theirs), ratio: median(ratios), ratioSpread: spread(ratios) };
  const text = `naru ${line.naru.toPrecision(3)} (${spread(ours)
    .map((each) => each.toPrecision(3))
    .join('–')}) kafka ${line.kafka.toPrecision(3)} (${spread(theirs)
    .map((each) => each.toPrecision(3))
    .join('–')}) ${unit}`;
  const shown = (pair: readonly number[]): string => pair.map((each) => each.toFixed(2)).join('–');
  console.log(`${row.padEnd(46)} ${text}  ratio ${line.ratio.toFixed(2)} (${shown(line.ratioSpread)}; A/A ${shown(again)})`);
  if (options.out === '') return;
  const whole = {
    ...line,
    kafkaAgainstItself: again,
    naruAll: ours,
    kafkaAll: theirs,
    load: loadavg(),
    workers: options.workers,
    scale,
    ...machine,
  };
  appendFileSync(options.out, `${JSON.stringify(whole)}\n`);
}

mkdirSync(options.directory, { recursive: true });
for (const subject of subjects) rmSync(subject.directory, { recursive: true, force: true });
for (const subject of subjects) await subject.start();
try {
  const topicIds = new Map<Subject, string>();
  for (const subject of subjects) topicIds.set(subject, await createTopic(subject, 'bench', 300));
  if (parts.has('commit')) {
    // A JVM at first needs 2-3 times as much per request.
    for (const subject of subjects) for (const partitions of [1, 50, 1, 50]) await commitCost(subject, partitions, scale);
    for (const partitions of [1, 50]) await compare(async (subject) => [await commitCost(subject, partitions, scale)]);
  }
  if (parts.has('rebalance')) {
    for (const members of options.members.split(',').map(Number)) {
      for (const protocol of ['classic', 'consumer'] as const) {
        const work = (subject: Subject): Promise<readonly Figure[]> => rebalance(subject, protocol, members, topicIds.get(subject) ?? '');
        for (const subject of subjects) await work(subject);
        await compare(work);
      }
    }
  }
  if (parts.has('load')) {
    // Only the one that is timed runs, each on what it wrote itself.
    for (const subject of subjects) await fillOffsets(subject, scale);
    for (const subject of subjects) await subject.stop('SIGKILL');
    await compare((subject) => loadTime(subject, scale));
  }
} finally {
  for (const subject of subjects) await subject.stop();
}
