// A broker with real threads under everything at once: producers, readers of each kind, connections that vanish, rolls, a topic that is
// deleted and made again, one whose oldest records go by retention and DeleteRecords. Whatever contradicts what was learned before (a wrong byte, a lost acknowledged record, an offset that runs
// backwards, a duplicate of an idempotent producer) ends the run with an error that names the seed. The seed gives what each client does;
// how threads and sockets interleave it does not give.
import { setTimeout as delay } from 'node:timers/promises';
import { deleteRecordsRequest, deleteRecordsResponse } from '../../../src/protocol/apis/delete-records.ts';
import { ERROR } from '../../../src/protocol/errors.ts';
import { BrokerProcess } from '../broker-process.ts';
import { WireClient } from '../wire-client.ts';
import { Sequel } from './ledger.ts';
import { runProducer } from './producers.ts';
import { follow, readBacklog, readSlowly, vanish } from './readers.ts';
import { World } from './world.ts';

const TOPICS = ['stays', 'goes', 'shrinks'];
const PARTITIONS = 3;
const MIB = 1 << 20;
/** As the offset of DeleteRecords: all that is there. */
const HIGH_WATERMARK = -1;
/** Every request is answered long before, however slow the machine. */
const UNANSWERED_MS = 60_000;

export interface TortureOptions {
  readonly workers: number;
  readonly seed: number;
  readonly durationMs: number;
  /** Command-line overrides on top of the usual ones. */
  readonly overrides?: Readonly<Record<string, string>>;
  readonly environment?: Readonly<Record<string, string>>;
  readonly directory?: string;
  readonly report?: (line: string) => void;
}

export interface TortureOutcome {
  readonly counts: Readonly<Record<string, number>>;
  /** Acknowledged records of the topics that live at the end, each read again before and after a restart. */
  readonly acknowledged: number;
}

export async function torture(options: TortureOptions): Promise<TortureOutcome> {
  const { workers, seed, durationMs, report = () => {} } = options;
  const overrides = {
    // Files are closed and deleted while others read them.
    'log.segment.delete.delay.ms': '500',
    'log.initial.task.delay.ms': '0',
    'log.retention.check.interval.ms': '200',
    // Every other run with as little memory as may be.
    ...(seed % 2 === 0 ? {} : { 'naru.memory.max': String(16 * MIB * Math.max(1, workers)) }),
    ...options.overrides,
  };
  const { environment = {}, directory } = options;
  const start = { workers, overrides, environment, ...(directory === undefined ? {} : { directory }) };
  let broker = await BrokerProcess.start(start);
  try {
    const world = new World(broker.port, seed, PARTITIONS);
    const admin = await WireClient.connect(broker.port);
    await world.create(admin, 'stays');
    await world.create(admin, 'goes');
    await world.create(admin, 'shrinks', true);
    const running: Promise<void>[] = [];
    const unfinished = new Set<string>();
    const run = (name: string, client: () => Promise<void>): void => {
      const unique = `${name} (${running.length})`;
      unfinished.add(unique);
      running.push(world.run(unique, client).then(() => void unfinished.delete(unique)));
    };
    for (let partition = 0; partition < PARTITIONS; partition++) {
      for (const topic of TOPICS) {
        run(`idempotent producer of ${topic}`, () => runProducer(world, topic, partition, true));
        run(`producer of ${topic}`, () => runProducer(world, topic, partition, false));
      }
    }
    for (const topic of TOPICS) {
      run(`follower of ${topic}`, () => follow(world, topic));
      run(`reader of ${topic}`, () => readBacklog(world, topic));
      run(`slow reader of ${topic}`, () => readSlowly(world, topic));
      run('vanishing', () => vanish(world, topic));
    }
    for (const topic of ['stays', 'shrinks', 'shrinks']) run(`slow reader of ${topic}`, () => readSlowly(world, topic));
    run('deletion of records', () => deleteRecords(world, 'shrinks'));
    run('deletion', () => deleteAndMake(world));

    const end = performance.now() + durationMs;
    let told = performance.now();
    while (performance.now() < end && !world.isOver) {
      await delay(50);
      if (broker.child.exitCode !== null) throw failed(options, new Error(`the broker ended:\n${broker.output}`));
      if (performance.now() - told < 30_000) continue;
      told = performance.now();
      report(JSON.stringify(world.counts));
    }
    world.isOver = true;
    const isDone = await Promise.race([Promise.all(running).then(() => true), delay(UNANSWERED_MS, false, { ref: false })]);
    if (world.failure === null && !isDone) throw failed(options, new Error(`no answer to ${[...unfinished].join(', ')}`), broker.output);
    if (world.failure !== null) throw failed(options, world.failure, broker.output);
    admin.close();

    const acknowledged = world.topics.reduce((sum, life) => sum + life.acknowledgedCount, 0);
    await readAgain(world, broker.port).catch((error) => Promise.reject(failed(options, error, broker.output)));
    const exit = await broker.stop();
    if (exit.code !== 0) throw failed(options, new Error(`the broker ended with ${exit.code ?? exit.signal}`), broker.output);
    broker = await BrokerProcess.start({ ...start, directory: broker.directory });
    await readAgain(world, broker.port).catch((error) => Promise.reject(failed(options, error, broker.output)));
    return { counts: world.counts, acknowledged };
  } finally {
    await broker.dispose();
  }
}

function failed({ seed, workers }: TortureOptions, cause: unknown, output = ''): Error {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new Error(`seed ${seed}, ${workers} workers: ${reason}\n${output.split('\n').slice(-8).join('\n')}`, { cause });
}

async function deleteAndMake(world: World): Promise<void> {
  const random = world.random();
  const client = await world.connect();
  if (client === null) return;
  try {
    while (!world.isOver) {
      await delay(200 + random.below(2000));
      world.topic('goes').isEnding = true;
      await client.deleteTopic('goes');
      await world.create(client, 'goes');
      world.counts.deletions++;
    }
  } finally {
    client.close();
  }
}

/** Takes the oldest records of a partition away, now some of them, now all. */
async function deleteRecords(world: World, name: string): Promise<void> {
  const random = world.random();
  const client = await world.connect();
  if (client === null) return;
  try {
    while (!world.isOver) {
      await delay(random.below(1500));
      const life = world.topic(name);
      const partitionIndex = random.below(life.partitionCount);
      const start = life.knownStart(partitionIndex);
      const end = life.acknowledgedEnd(partitionIndex);
      const isAll = random.below(10) === 0;
      const offset = isAll ? HIGH_WATERMARK : start + random.below(Math.max(0, end - start) + 1);
      const topics = [{ name, partitions: [{ partitionIndex, offset }] }];
      const { topics: answers } = await client.ask(deleteRecordsRequest, deleteRecordsResponse, 2, { topics, timeoutMs: 10_000 });
      const answer = answers[0]?.partitions[0];
      const where = `DeleteRecords of ${name}-${partitionIndex} up to ${offset}`;
      // Retention may have been there first, and an offset that is gone already is no mistake.
      if (answer?.errorCode !== 0) throw new Error(`${where}: error ${answer?.errorCode}`);
      life.startsAt(partitionIndex, answer.lowWatermark, isAll ? end : Math.max(start, offset));
      world.counts.trims++;
    }
  } finally {
    client.close();
  }
}

/** Everything that is there, from the first offset to the last: all that was acknowledged, where it was, in order. */
async function readAgain(world: World, port: number): Promise<void> {
  const client = await WireClient.connect(port);
  for (const life of world.topics) {
    for (let partition = 0; partition < life.partitionCount; partition++) {
      const start = await client.offsetAt(life.name, partition, -2);
      life.startsAt(partition, start, life.knownStart(partition));
      if (start > 0) {
        const { errorCode } = await client.fetchFrom(life.name, partition, start - 1);
        if (errorCode !== ERROR.OFFSET_OUT_OF_RANGE) throw new Error(`${life.name}-${partition}: ${errorCode} below its start ${start}`);
      }
      const sequel = new Sequel(start === 0);
      const end = await client.offsetAt(life.name, partition, -1);
      if (end < life.knownEnd(partition)) {
        throw new Error(`${life.name}-${partition} ends at ${end}, and ${life.knownEnd(partition)} was acknowledged or read`);
      }
      for (let offset = start; offset < end; ) {
        const { errorCode, records } = await client.fetchFrom(life.name, partition, offset, 4 * MIB);
        const next = errorCode === 0 ? life.read(partition, offset, records, sequel) : offset;
        if (next === offset) throw new Error(`${life.name}-${partition} at ${offset} of ${end}: error ${errorCode}, nothing read`);
        offset = next;
      }
    }
  }
  client.close();
}
