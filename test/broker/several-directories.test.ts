// A broker with three log directories: each holds some partitions with checkpoints and marks of its own, and one that fails takes no other with it.
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { describeLogDirsRequest, describeLogDirsResponse } from '../../src/protocol/apis/describe-log-dirs.ts';
import { ERROR } from '../../src/protocol/errors.ts';
import { labelled, labels, range } from '../support/batches.ts';
import { BrokerProcess, freePort } from '../support/broker-process.ts';
import { noSmallDisk, SmallDisk } from '../support/small-disk.ts';
import { WireClient } from '../support/wire-client.ts';

const NAMES = ['one', 'two', 'three'];
const PARTITIONS = 6;
const WITHIN_MS = 30_000;
const OFFLINE_LINES = /log directory failed and is offline/g;
const MARK = '.kafka_cleanshutdown';

let home = '';
let paths: string[] = [];
const cleanUps: (() => unknown)[] = [];

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'naru-directories-'));
  paths = NAMES.map((name) => join(home, name));
  cleanUps.push(() => rmSync(home, { recursive: true, force: true }));
});

afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

interface Started {
  readonly broker: BrokerProcess;
  readonly client: WireClient;
}

async function start(workers: number, overrides: Readonly<Record<string, string>> = {}): Promise<Started> {
  const broker = await BrokerProcess.start({ workers, directory: paths.join(','), overrides });
  cleanUps.push(() => broker.child.kill('SIGKILL'));
  const client = await WireClient.connect(broker.port);
  cleanUps.push(() => client.close());
  return { broker, client };
}

/** The one line that a refused start says. */
async function refusal(overrides: Readonly<Record<string, string>> = {}): Promise<string> {
  const broker = await BrokerProcess.launch({ workers: 0, directory: paths.join(','), overrides });
  expect(await broker.exit).toEqual({ code: 1, signal: null });
  expect(broker.failureLines).toHaveLength(1);
  return broker.failureLines[0] ?? '';
}

/** By partition, the number of the directory that it lies in, once its log is made. */
async function placesOf(topic: string, partitionCount = PARTITIONS): Promise<number[]> {
  const look = (): number[] =>
    Array.from({ length: partitionCount }, (_, partition) => {
      const places = paths.flatMap((path, index) => (existsSync(join(path, `${topic}-${partition}`)) ? [index] : []));
      expect(places, `of ${topic}-${partition}`).toHaveLength(1);
      return places[0] as number;
    });
  return vi.waitFor(look, WITHIN_MS);
}

async function write(client: WireClient, topic: string, partition: number, from: number, count: number): Promise<number> {
  return (await client.produce(topic, partition, labelled(topic, from, count))).errorCode;
}

async function leaders(client: WireClient, topic: string): Promise<number[]> {
  const [found] = (await client.metadata(topic)).topics;
  return (found?.partitions ?? []).map(({ leaderId }) => leaderId);
}

describe.each([0, 1, 2])('at %i workers', (workers) => {
  test('partitions are spread, found again after a crash and after a stop, and checked from checkpoints of their own directory', async () => {
    const first = await start(workers, { 'log.flush.offset.checkpoint.interval.ms': '1000' });
    await first.client.createTopic('t', PARTITIONS);
    expect(await placesOf('t')).toEqual([0, 1, 2, 0, 1, 2]);
    await first.client.createTopic('u', 2);
    expect(await placesOf('u', 2)).toEqual([0, 1]);
    for (let partition = 0; partition < PARTITIONS; partition++) expect(await write(first.client, 't', partition, 0, 3)).toBe(ERROR.NONE);
    await first.broker.stop('SIGKILL');

    const second = await start(workers);
    for (let partition = 0; partition < PARTITIONS; partition++) {
      expect(labels(await second.client.readAll('t', partition))).toEqual(range('t', 0, 3));
      expect(await write(second.client, 't', partition, 3, 2)).toBe(ERROR.NONE);
    }
    expect(await second.broker.stop()).toEqual({ code: 0, signal: null });
    for (const [index, path] of paths.entries()) {
      expect(existsSync(join(path, MARK))).toBe(true);
      const rows = readFileSync(join(path, 'recovery-point-offset-checkpoint'), 'utf8').trim().split('\n').slice(2).sort();
      const own = [`t ${index} 5`, `t ${index + 3} 5`, ...(index < 2 ? [`u ${index} 0`] : [])];
      expect(rows.filter((row) => !row.startsWith('__cluster_metadata'))).toEqual(own);
    }

    const third = await start(workers);
    expect(await leaders(third.client, 't')).toEqual(Array(PARTITIONS).fill(1));
    for (let partition = 0; partition < PARTITIONS; partition++) {
      expect(labels(await third.client.readAll('t', partition))).toEqual(range('t', 0, 5));
    }
    await third.client.createTopic('v', 1);
    expect(await placesOf('v', 1)).toEqual([2]);
    await third.client.deleteTopic('t');
    await third.client.createTopic('t', 2);
    expect(await write(third.client, 't', 0, 0, 1)).toBe(ERROR.NONE);
    expect(third.broker.output).not.toMatch(/WARN|ERROR/);
  });

  test('a full disk takes the partitions of its directory offline and no others, until a start finds room', async (context) => {
    context.skip(noSmallDisk !== null, noSmallDisk ?? '');
    const disk = new SmallDisk(128);
    cleanUps.push(() => disk.remove());
    paths[1] = disk.directory('two');
    const http = `http://127.0.0.1:${await freePort()}`;
    const { broker, client } = await start(workers, { 'naru.http.listener': http });
    await client.createTopic('t', PARTITIONS);
    for (let partition = 0; partition < PARTITIONS; partition++) expect(await write(client, 't', partition, 0, 3)).toBe(ERROR.NONE);
    const here = (await placesOf('t')).flatMap((place, partition) => (place === 1 ? [partition] : []));
    expect(here).toEqual([1, 4]);

    disk.fill();
    const large = labelled('t', 3, 10, { valueBytes: 1000 });
    expect((await client.produce('t', 1, large)).errorCode).toBe(ERROR.KAFKA_STORAGE_ERROR);
    for (let partition = 0; partition < PARTITIONS; partition++) {
      const expected = here.includes(partition) ? ERROR.KAFKA_STORAGE_ERROR : ERROR.NONE;
      expect(await write(client, 't', partition, 3, 2)).toBe(expected);
      expect((await client.fetchFrom('t', partition, 0)).errorCode).toBe(expected);
    }
    // As Apache Kafka's controller records it.
    const gone = { errorCode: ERROR.LEADER_NOT_AVAILABLE, leaderId: -1, isrNodes: [], offlineReplicas: [1] };
    const led = { errorCode: ERROR.NONE, leaderId: 1, isrNodes: [1], offlineReplicas: [] };
    const isTold = async (): Promise<void> => {
      const [topic] = (await client.metadata('t')).topics;
      expect(topic?.partitions).toMatchObject([led, gone, led, led, gone, led]);
    };
    await vi.waitFor(isTold, WITHIN_MS);
    await client.createTopic('u', 4);
    expect(await placesOf('u', 4)).toEqual([0, 2, 0, 2]);
    for (let partition = 0; partition < 4; partition++) expect(await write(client, 'u', partition, 0, 1)).toBe(ERROR.NONE);
    const { results } = await client.ask(describeLogDirsRequest, describeLogDirsResponse, 4, { topics: null });
    expect(results.map(({ logDir, errorCode }) => [logDir, errorCode])).toEqual([
      [paths[0], ERROR.NONE],
      [paths[1], ERROR.KAFKA_STORAGE_ERROR],
      [paths[2], ERROR.NONE],
    ]);
    expect(results[1]).toMatchObject({ topics: [], totalBytes: -1, usableBytes: -1 });
    expect(results[2]?.totalBytes).toBeGreaterThan(0);
    expect(results[2]?.topics.flatMap(({ name, partitions }) => partitions.map((each) => `${name}-${each.partitionIndex}`)).sort()).toEqual(
      ['t-2', 't-5', 'u-1', 'u-3'],
    );
    expect((await fetch(`${http}/readyz`)).status).toBe(200);
    expect(await (await fetch(`${http}/metrics`)).text()).toMatch(/^naru_log_directories_offline 1$/m);
    client.close();
    expect(await broker.stop()).toEqual({ code: 0, signal: null });
    expect(broker.output.match(OFFLINE_LINES)).toHaveLength(1);
    expect(paths.map((path) => existsSync(join(path, MARK)))).toEqual([true, false, true]);

    disk.resize(1024);
    const next = await start(workers);
    for (let partition = 0; partition < PARTITIONS; partition++) {
      const count = here.includes(partition) ? 3 : 5;
      expect(labels(await next.client.readAll('t', partition))).toEqual(range('t', 0, count));
      expect(await write(next.client, 't', partition, count, 1)).toBe(ERROR.NONE);
    }
    expect(await leaders(next.client, 't')).toEqual(Array(PARTITIONS).fill(1));
    await next.client.createTopic('v', 2);
    expect(await placesOf('v', 2)).toEqual([1, 1]);
    expect(next.broker.output).not.toMatch(/stray|ERROR/);
  });

  test('a directory that cannot be read is left out at the start, and what lies there comes back with it', async () => {
    const first = await start(workers);
    await first.client.createTopic('t', PARTITIONS);
    for (let partition = 0; partition < PARTITIONS; partition++) expect(await write(first.client, 't', partition, 0, 3)).toBe(ERROR.NONE);
    await first.broker.stop();
    const [, two = ''] = paths;
    renameSync(two, `${two}-away`);
    writeFileSync(two, 'no directory');

    const { broker, client } = await start(workers);
    expect(broker.output).toMatch(new RegExp(`ERROR .*a log directory cannot be read and is offline directory=${two} `));
    expect(await leaders(client, 't')).toEqual([1, -1, 1, 1, -1, 1]);
    for (let partition = 0; partition < PARTITIONS; partition++) {
      const expected = [1, 4].includes(partition) ? ERROR.KAFKA_STORAGE_ERROR : ERROR.NONE;
      expect(await write(client, 't', partition, 3, 1)).toBe(expected);
      expect((await client.fetchFrom('t', partition, 0)).errorCode).toBe(expected);
    }
    await client.createTopic('u', 2);
    expect(await leaders(client, 'u')).toEqual([1, 1]);
    const { results } = await client.ask(describeLogDirsRequest, describeLogDirsResponse, 4, { topics: null });
    expect(results.map(({ errorCode }) => errorCode)).toEqual([ERROR.NONE, ERROR.KAFKA_STORAGE_ERROR, ERROR.NONE]);
    await broker.stop();

    rmSync(two);
    renameSync(`${two}-away`, two);
    const third = await start(workers);
    for (let partition = 0; partition < PARTITIONS; partition++) {
      const count = [1, 4].includes(partition) ? 3 : 4;
      expect(labels(await third.client.readAll('t', partition))).toEqual(range('t', 0, count));
    }
    expect(await leaders(third.client, 't')).toEqual(Array(PARTITIONS).fill(1));
  });

  test('a directory that is removed under the broker is noticed by its next checkpoint', async () => {
    const { broker, client } = await start(workers, { 'log.flush.offset.checkpoint.interval.ms': '1000' });
    await client.createTopic('t', PARTITIONS);
    await placesOf('t');
    rmSync(paths[2] as string, { recursive: true });
    const isRefused = async (): Promise<void> => expect(await write(client, 't', 2, 0, 1)).toBe(ERROR.KAFKA_STORAGE_ERROR);
    await vi.waitFor(isRefused, WITHIN_MS);
    for (const partition of [0, 1, 3, 4]) expect(await write(client, 't', partition, 0, 1)).toBe(ERROR.NONE);
    client.close();
    expect(await broker.stop()).toEqual({ code: 0, signal: null });
    expect(existsSync(paths[2] as string)).toBe(false);
    expect(broker.output.match(/ERROR/g)).toHaveLength(1);
  });
});

describe('a start', () => {
  test('with an empty directory beside others is refused, and goes on where that is meant', async () => {
    const first = await start(0);
    await first.client.createTopic('t', 3);
    await first.broker.stop();
    paths.push(join(home, 'four'));
    expect(await refusal()).toBe(
      `naru: ${paths[3]} has no meta.properties, and ${paths[0]} has one: a disk may not be mounted. If the directory is new, start once with naru.format.new.directories=true`,
    );
    const second = await start(0, { 'naru.format.new.directories': 'true' });
    await second.client.createTopic('u', 1);
    expect(await placesOf('u', 1)).toEqual([3]);
    await second.broker.stop();
    await start(0);
  });

  test('finds a partition that was moved by hand, and makes one whose directory was given up', async () => {
    const first = await start(0);
    await first.client.createTopic('t', 3);
    for (let partition = 0; partition < 3; partition++) await write(first.client, 't', partition, 0, 2);
    await first.broker.stop();
    renameSync(join(paths[1] as string, 't-1'), join(paths[2] as string, 't-1'));
    const second = await start(0);
    expect(labels(await second.client.readAll('t', 1))).toEqual(range('t', 0, 2));
    await second.broker.stop();
    const givenUp = /directory.id=(\S+)/.exec(readFileSync(join(paths[2] as string, 'meta.properties'), 'utf8'))?.[1];
    paths = [paths[0] as string, paths[1] as string];
    const third = await start(0);
    expect(labels(await third.client.readAll('t', 0))).toEqual(range('t', 0, 2));
    expect(await placesOf('t', 3)).toEqual([0, 1, 0]);
    expect(third.broker.output).toMatch(new RegExp(`WARN .*partitions begin empty: .* directoryId="?${givenUp}"? partitions=2`));
    expect(await write(third.client, 't', 2, 0, 1)).toBe(ERROR.NONE);
  });

  test('with a partition in two directories, or a directory twice, is refused', async () => {
    const first = await start(0);
    await first.client.createTopic('t', 1);
    expect(await placesOf('t', 1)).toEqual([0]);
    await first.broker.stop();
    mkdirSync(join(paths[1] as string, 't-0'));
    const metadata = readFileSync(join(paths[0] as string, 't-0', 'partition.metadata'));
    writeFileSync(join(paths[1] as string, 't-0', 'partition.metadata'), metadata);
    expect(await refusal()).toMatch(new RegExp(`^naru: t-0 of topic id \\S+ lies in ${paths[0]} and in ${paths[1]}: `));
    paths.push(`${paths[0]}/`);
    expect(await refusal()).toContain(`${paths[0]} is named twice (allowed: each directory once)`);
  });

  test('takes the metadata log into a directory of its own', async () => {
    const directory = join(home, 'metadata');
    const overrides = { 'metadata.log.dir': directory };
    const first = await start(1, overrides);
    await first.client.createTopic('t', 3);
    expect(await placesOf('t', 3)).toEqual([0, 1, 2]);
    expect(existsSync(join(directory, '__cluster_metadata-0'))).toBe(true);
    expect(existsSync(join(paths[0] as string, '__cluster_metadata-0'))).toBe(false);
    await write(first.client, 't', 0, 0, 2);
    await first.broker.stop('SIGKILL');
    const second = await start(1, overrides);
    expect(labels(await second.client.readAll('t', 0))).toEqual(range('t', 0, 2));
    await second.broker.stop();
    for (let start = 0; start < 2; start++) {
      expect(await refusal()).toMatch(/the metadata log is empty or missing, and 3 partitions lie beside it.* metadata.log.dir/);
    }
    await start(1, overrides);
  });
});
