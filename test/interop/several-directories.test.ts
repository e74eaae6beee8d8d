// A node with three log directories goes from Naru to Apache Kafka and back, whoever made it and however it was left, also after one of them
// was lost for a while: each partition is found where it lies, with all its records, and new ones go where there are fewest.
import { mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { describeLogDirsRequest, describeLogDirsResponse } from '../../src/protocol/apis/describe-log-dirs.ts';
import { ERROR } from '../../src/protocol/errors.ts';
import { labelled, labels, range } from '../support/batches.ts';
import { BrokerProcess } from '../support/broker-process.ts';
import { WireClient } from '../support/wire-client.ts';
import { KafkaNode, type Voters } from './kafka-node.ts';
import { kafkaTools, type Tool } from './toolchains.ts';

const workerCounts = (process.env.NARU_INTEROP_WORKERS ?? '1').split(',').map(Number);
const NAMES = ['one', 'two', 'three'];
const PARTITIONS = 7;
const RECORDS = 20;
const UNTIL_READY_MS = 60_000;
const CHECKPOINT = 'log.flush.offset.checkpoint.interval.ms';
const WAYS: readonly (readonly ['SIGTERM' | 'SIGKILL', Voters])[] = [
  ['SIGTERM', 'standalone'],
  ['SIGKILL', 'static'],
];

describe.each(workerCounts)('three log directories move, %i workers', (workers) => {
  let tool: Tool = { program: '', missing: null };
  let home = '';
  const cleanUps: (() => unknown)[] = [];
  beforeAll(async () => {
    tool = await kafkaTools();
  }, 600_000);
  beforeEach((context) => {
    context.skip(process.env.NARU_TEST_BOOTSTRAP !== undefined, 'needs data directories');
    context.skip(tool.missing !== null, tool.missing ?? '');
    home = mkdtempSync(join(tmpdir(), 'naru-directories-'));
    cleanUps.push(() => rmSync(home, { recursive: true, force: true }));
  });
  afterEach(async () => {
    for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
  });

  function within(root: string): string {
    return NAMES.map((name) => join(root, name)).join(',');
  }

  async function naru(root: string): Promise<BrokerProcess> {
    const overrides = { [CHECKPOINT]: '1000' };
    const broker = await BrokerProcess.start({ workers, directory: within(root), overrides });
    cleanUps.push(() => broker.child.kill('SIGKILL'));
    return broker;
  }

  async function kafka(name: string, voters: Voters, copyOf?: string): Promise<KafkaNode> {
    const nodeHome = join(home, name);
    const overrides = { 'log.dirs': within(join(nodeHome, 'node-1/data')), [CHECKPOINT]: '1000' };
    const node = await KafkaNode.start({ program: tool.program ?? '', home: nodeHome, voters, overrides }, copyOf);
    cleanUps.push(() => node.dispose());
    return node;
  }

  async function clientOf({ port }: { readonly port: number }): Promise<WireClient> {
    const client = await WireClient.connect(port);
    cleanUps.push(() => client.close());
    return client;
  }

  test.each(WAYS)('from Naru, ended by %s, to Apache Kafka with %s voters, and back', async (signal, voters) => {
    const root = join(home, 'naru');
    mkdirSync(root);
    const first = await naru(root);
    const client = await clientOf(first);
    await begin(client);
    const places = await placesOf(client);
    if (signal === 'SIGTERM') await losesOne(client, root);
    await first.stop(signal);

    const node = await kafka('kafka', voters, root);
    const theirs = await clientOf(node);
    await arrive(theirs, places, 1);
    await goOn(theirs, 1);
    const moved = await placesOf(theirs);
    await node.stop(signal);
    expect(node.output()).not.toMatch(/stray|corrupt/i);

    const second = await naru(node.dataDirectory);
    const again = await clientOf(second);
    await arrive(again, moved, 2);
    await goOn(again, 2);
    expect(second.output).not.toMatch(/WARN .*stray|ERROR/);
  });

  test.each(WAYS)('from Apache Kafka, ended by %s, with %s voters, to Naru, and back', async (signal, voters) => {
    const node = await kafka('kafka', voters);
    const client = await clientOf(node);
    await begin(client);
    const places = await placesOf(client);
    if (signal === 'SIGTERM') await losesOne(client, node.dataDirectory);
    await node.stop(signal);

    const second = await naru(node.dataDirectory);
    const ours = await clientOf(second);
    await arrive(ours, places, 1);
    await goOn(ours, 1);
    const moved = await placesOf(ours);
    await second.stop(signal);
    expect(second.output).not.toMatch(/stray|ERROR/);

    await node.restart();
    const again = await clientOf(node);
    await arrive(again, moved, 2);
    await goOn(again, 2);
    expect(node.output()).not.toMatch(/stray|corrupt/i);
  });
});

/** Moves directory `two` away under the broker, and back when it has noticed. Until then its partitions are written to no more. */
async function losesOne(client: WireClient, root: string): Promise<void> {
  const path = join(root, 'two');
  renameSync(path, `${path}-away`);
  const deadline = performance.now() + UNTIL_READY_MS;
  for (;;) {
    const [topic] = (await client.metadata('moved')).topics;
    const leaderless = topic?.partitions.filter(({ leaderId }) => leaderId === -1).length ?? 0;
    if (leaderless > 0) break;
    if (performance.now() > deadline) throw new Error('nobody has noticed that a directory is gone');
    await delay(100);
  }
  renameSync(`${path}-away`, path);
}

/** Which directory each partition lies in, by the broker's own words. */
async function placesOf(client: WireClient): Promise<Record<string, string>> {
  const { results } = await client.ask(describeLogDirsRequest, describeLogDirsResponse, 4, { topics: null });
  expect(results.map(({ logDir, errorCode }) => [basename(logDir), errorCode]).sort()).toEqual(
    NAMES.map((name) => [name, ERROR.NONE]).sort(),
  );
  const places: Record<string, string> = {};
  for (const { logDir, topics } of results) {
    for (const { name, partitions } of topics)
      for (const { partitionIndex } of partitions) places[`${name}-${partitionIndex}`] = basename(logDir);
  }
  return places;
}

async function write(client: WireClient, topic: string, partition: number, from: number): Promise<void> {
  const deadline = performance.now() + UNTIL_READY_MS;
  for (;;) {
    const { errorCode } = await client.produce(topic, partition, labelled(`${topic}-${partition}`, from, RECORDS));
    if (errorCode === ERROR.NONE) return;
    // Apache Kafka answers before its leaders are there, and after a kill waits for the session of the broker that is gone.
    if (performance.now() > deadline) throw new Error(`Produce into ${topic}-${partition}: ${errorCode}`);
    await delay(100);
  }
}

async function begin(client: WireClient): Promise<void> {
  await client.createTopic('moved', PARTITIONS);
  for (let partition = 0; partition < PARTITIONS; partition++) await write(client, 'moved', partition, 0);
  const counts = NAMES.map(() => 0);
  for (const place of Object.values(await placesOf(client))) counts[NAMES.indexOf(place)] = (counts[NAMES.indexOf(place)] ?? 0) + 1;
  expect(counts.sort()).toEqual([2, 2, 3]);
}

/** Everything is where it was, with what `rounds` owners have written. */
async function arrive(client: WireClient, places: Readonly<Record<string, string>>, rounds: number): Promise<void> {
  for (let partition = 0; partition < PARTITIONS; partition++) {
    await write(client, 'moved', partition, rounds * RECORDS);
    const read = labels(await client.readAll('moved', partition));
    expect(read).toEqual(range(`moved-${partition}`, 0, (rounds + 1) * RECORDS));
  }
  expect(await placesOf(client)).toEqual(places);
}

/** A topic that this owner makes goes where there is least. */
async function goOn(client: WireClient, round: number): Promise<void> {
  await client.createTopic(`made-${round}`, 2);
  for (let partition = 0; partition < 2; partition++) await write(client, `made-${round}`, partition, 0);
  const counts = new Map(NAMES.map((name) => [name, 0]));
  for (const place of Object.values(await placesOf(client))) counts.set(place, (counts.get(place) ?? 0) + 1);
  expect(Math.max(...counts.values()) - Math.min(...counts.values())).toBeLessThanOrEqual(1);
}
