// A directory with 100,000 records goes twice there and back between Naru and Apache Kafka, whoever made it: each owner shows every record
// as it was sent, all else as the owner before showed it, and lets the same producers write on.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { BrokerProcess, freePort } from '../support/broker-process.ts';
import { kcatMissing } from '../support/kcat.ts';
import { WireClient } from '../support/wire-client.ts';
import { COMPLAINT, filesBelow, splitDumps, withoutFirstOffsets } from './dumps.ts';
import { JavaClients } from './exchange-clients.ts';
import { TOPICS } from './exchange-records.ts';
import { Exchange } from './exchange-story.ts';
import { KafkaNode } from './kafka-node.ts';
import { runProgram } from './run-program.ts';
import { kafkaTools, TOOL_ENVIRONMENT, type Tool } from './toolchains.ts';

type Ending = 'SIGTERM' | 'SIGKILL';
type Turn = readonly [owner: 'Naru' | 'Apache Kafka', endedBy: Ending];

const workerCounts = (process.env.NARU_INTEROP_WORKERS ?? '1').split(',').map(Number);
const JOURNEYS: readonly (readonly Turn[])[] = [
  [
    ['Naru', 'SIGKILL'],
    ['Apache Kafka', 'SIGTERM'],
    ['Naru', 'SIGTERM'],
    ['Apache Kafka', 'SIGKILL'],
    ['Naru', 'SIGTERM'],
  ],
  [
    ['Apache Kafka', 'SIGKILL'],
    ['Naru', 'SIGTERM'],
    ['Apache Kafka', 'SIGTERM'],
    ['Naru', 'SIGKILL'],
    ['Apache Kafka', 'SIGTERM'],
  ],
];
/** Records for each partition of plain, compacted, both. 10,000 × 4 + 12,000 × 3 + 12,000 × 2 = 100,000 for the first owner; each later one adds 5,000. */
const FIRST = [10_000, 12_000, 12_000];
const LATER = [500, 600, 600];
const RECORD_COUNT = 100_000;
const TOOL_TIMEOUT_MS = 120_000;
/** On a machine that has nothing else to do it takes a few minutes. */
const JOURNEY_TIMEOUT_MS = 1_200_000;
/** Compaction as soon as there is something to compact, with little memory. */
const KAFKA_OVERRIDES = {
  'log.cleaner.backoff.ms': '500',
  'log.cleaner.dedupe.buffer.size': '16777216',
  'group.initial.rebalance.delay.ms': '0',
};
const NARU_OVERRIDES = { 'offsets.topic.num.partitions': '4', 'group.initial.rebalance.delay.ms': '0' };
/** What Apache Kafka does not say of a directory that it understands: warnings of those parts that read it, and these words of any. */
const TROUBLE_OF_KAFKA = /\b(WARN|ERROR|FATAL)\b.*\((kafka\.log|org\.apache\.kafka\.(storage|image|metadata))\.|corrupt|stray|quarantine/i;
const TROUBLE_OF_NARU = /\b(ERROR|FATAL)\b|corrupt|stray|quarantine|exception/i;

describe.each(workerCounts)('a data directory goes twice there and back, %i workers', (workers) => {
  let tool: Tool = { program: '', missing: null };
  let home = '';
  const clean: (() => Promise<void> | void)[] = [];
  beforeAll(async () => {
    tool = await kafkaTools();
  }, 600_000);
  beforeEach((context) => {
    context.skip(process.env.NARU_TEST_BOOTSTRAP !== undefined, 'needs data directories');
    context.skip(tool.missing !== null, tool.missing ?? '');
    context.skip(kcatMissing !== null, kcatMissing ?? '');
    home = mkdtempSync(join(tmpdir(), 'naru-exchange-'));
  });
  afterEach(async () => {
    for (const each of clean.splice(0).reverse()) await each();
    rmSync(home, { recursive: true, force: true });
  });

  const named = JOURNEYS.map((journey) => [journey.map(([owner]) => owner).join(', '), journey] as const);
  test.each(named)('%s', { timeout: JOURNEY_TIMEOUT_MS }, async (_title, journey) => {
    const port = await freePort();
    const address = `127.0.0.1:${port}`;
    const java = new JavaClients(tool.program ?? '', address);
    clean.push(() => java.stop());
    const exchange = new Exchange(java, address);
    const owners = new Owners(tool.program ?? '', home, port, workers, clean);
    for (const [index, [name, endedBy]] of journey.entries()) {
      const isKafka = name === 'Apache Kafka';
      const previous = journey[index - 1]?.[1] ?? null;
      await (isKafka ? owners.startKafka() : owners.startNaru());
      const client = await WireClient.connect(port);
      clean.push(() => client.close());
      const owner = { index, isKafka, client };
      if (index === 0) {
        await exchange.begin(client);
        await exchange.write(owner, FIRST);
        expect(exchange.sentCount).toBeGreaterThanOrEqual(RECORD_COUNT);
      } else {
        await exchange.arrive(owner);
        await exchange.write(owner, LATER);
      }
      await exchange.leave(owner);
      client.close();
      await (isKafka ? owners.endKafka(endedBy, previous) : owners.endNaru(endedBy));
      if (!isKafka && endedBy === 'SIGTERM') await checkDumps(tool.program ?? '', owners.directory);
    }
  });
});

/** Those who have the directory, one after the other, behind one address. */
class Owners {
  readonly #program: string;
  readonly #home: string;
  readonly #port: number;
  readonly #workers: number;
  readonly #clean: (() => Promise<void> | void)[];
  #kafka: KafkaNode | null = null;
  #naru: BrokerProcess | null = null;
  #loggedBytes = 0;
  directory: string;

  constructor(program: string, home: string, port: number, workers: number, clean: (() => Promise<void> | void)[]) {
    this.#program = program;
    this.#home = home;
    this.#port = port;
    this.#workers = workers;
    this.#clean = clean;
    this.directory = join(home, 'made-by-naru');
  }

  /** On a copy the first time, then on the directory itself. */
  async startKafka(): Promise<void> {
    if (this.#kafka !== null) {
      this.#loggedBytes = this.#kafka.output().length;
      await this.#kafka.restart();
      return;
    }
    const options = { program: this.#program, home: join(this.#home, 'kafka'), port: this.#port, overrides: KAFKA_OVERRIDES };
    const copyOf = this.#naru === null ? undefined : this.directory;
    this.#kafka = await KafkaNode.start({ ...options, voters: 'standalone', logLevel: 'INFO' }, copyOf);
    this.#clean.push(() => this.#kafka?.dispose());
    this.directory = this.#kafka.dataDirectory;
  }

  async startNaru(): Promise<void> {
    const { directory } = this;
    this.#naru = await BrokerProcess.start({ workers: this.#workers, port: this.#port, directory, overrides: NARU_OVERRIDES });
    this.#clean.push(() => this.#naru?.dispose());
  }

  /** `previous`: how the owner before was ended. */
  async endKafka(signal: Ending, previous: Ending | null): Promise<void> {
    await this.#kafka?.stop(signal);
    const log = (this.#kafka?.output() ?? '').slice(this.#loggedBytes);
    expect(log.split('\n').filter((line) => TROUBLE_OF_KAFKA.test(line))).toEqual([]);
    if (previous === 'SIGTERM') expect(log).toContain('since clean shutdown file was found');
    if (previous === 'SIGKILL') expect(log).toContain('no clean shutdown file was found');
  }

  async endNaru(signal: Ending): Promise<void> {
    const naru = this.#naru;
    const exit = await naru?.stop(signal);
    expect(exit, naru?.output).toEqual(signal === 'SIGTERM' ? { code: 0, signal: null } : { code: null, signal });
    expect(naru?.output.split('\n').filter((line) => TROUBLE_OF_NARU.test(line))).toEqual([]);
  }
}

/** Apache Kafka's dump-log has nothing to say against any file. */
async function checkDumps(program: string, directory: string): Promise<void> {
  const files = filesBelow(directory);
  const data = files.filter((path) => /\.(log|index|timeindex|txnindex|snapshot)$/.test(path) && !path.includes('/__cluster_metadata-0/'));
  const options = { environment: TOOL_ENVIRONMENT, timeoutMs: TOOL_TIMEOUT_MS };
  const dumped = await runProgram(program, ['run', 'dump-log', '--deep-iteration', '--files', data.join(',')], options);
  expect(dumped.code, dumped.story.slice(-3000)).toBe(0);
  expect(withoutCompaction(withoutFirstOffsets(dumped.err))).toBe('');
  const dumps = splitDumps(dumped.out);
  expect(dumps).toHaveLength(data.length);
  for (const { path, text } of dumps) expect(text.match(new RegExp(`.*(${COMPLAINT.source}).*`, 'i'))?.[0], path).toBeUndefined();
  for (const { name, partitionCount } of TOPICS)
    for (let partition = 0; partition < partitionCount; partition++)
      expect(dumps.filter(({ path }) => path.includes(`/${name}-${partition}/`) && path.endsWith('.log')).length).toBeGreaterThan(1);
  const metadata = files.filter((path) => path.includes('/__cluster_metadata-0/') && /\d\.(log|checkpoint)$/.test(path));
  const decoded = await runProgram(program, ['run', 'dump-log', '--cluster-metadata-decoder', '--files', metadata.join(',')], options);
  expect(decoded.code, decoded.story.slice(-3000)).toBe(0);
  for (const { name } of TOPICS) expect(decoded.out).toContain(`"name":"${name}"`);
  expect(decoded.out.match(new RegExp(`.*(${COMPLAINT.source}).*`, 'i'))?.[0]).toBeUndefined();
  const indexes = files.filter((path) => /index$/.test(path) && !path.endsWith('.txnindex'));
  const sanity = await runProgram(program, ['run', 'dump-log', '--index-sanity-check', '--files', indexes.join(',')], options);
  // Of an index without an entry the tool says that it is empty.
  expect(sanity.out.match(/passed sanity check|\.index is empty/g), sanity.story.slice(-3000)).toHaveLength(indexes.length);
}

/**
 * Without what the tool says of each log that Apache Kafka has compacted, whoever has it: gaps between offsets, and no timestamp in a batch whose
 * records are all gone, which is kept for the sequence of its producer.
 */
function withoutCompaction(err: string): string {
  return err
    .replace(
      /^Non-consecutive offsets in .*\/(?:exchange\.compacted|exchange\.both|__\w+)-\d+\/\d+\.log\n(?: {2}-?\d+ is followed by \d+\n)+/gm,
      '',
    )
    .replace(
      /^Found timestamp mismatch in :.*\/(?:exchange\.compacted|exchange\.both)-\d+\/\d+\.timeindex\n(?: {2}Index timestamp: \d+, log timestamp: -1\n)+/gm,
      '',
    );
}
