// A mover copies a folder, in either direction and back: an Apache Kafka that is started on a data directory of ours shows all that ours
// showed and writes on, and ours on one of Apache Kafka's, however its last broker ended.
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { ERROR } from '../../src/protocol/errors.ts';
import { BrokerProcess } from '../support/broker-process.ts';
import { WireClient } from '../support/wire-client.ts';
import {
  aclsOf,
  commitOffsets,
  committedOf,
  deleteRecords,
  fill,
  fillTransactions,
  fillUnserved,
  goOn,
  leaveGap,
  type Producer,
  repeatLast,
  shown,
  TOPIC,
  untilCompacted,
} from './directory-story.ts';
import { KafkaNode, type Voters } from './kafka-node.ts';
import { kafkaTools, type Tool } from './toolchains.ts';

const workerCounts = (process.env.NARU_INTEROP_WORKERS ?? '1').split(',').map(Number);
const SIGNALS = ['SIGTERM', 'SIGKILL'] as const;
const WAYS = SIGNALS.flatMap((signal) =>
  (['static', 'standalone'] as const).map((voters): [NodeJS.Signals & (typeof SIGNALS)[number], Voters] => [signal, voters]),
);
/** Snapshots of the metadata every few records; an authorizer that lets the nameless do all. */
const KAFKA_OVERRIDES = {
  'metadata.log.max.record.bytes.between.snapshots': '4000',
  'log.cleaner.backoff.ms': '500',
  'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
  'super.users': 'User:ANONYMOUS',
};

describe.each(workerCounts)('data directories move, %i workers', (workers) => {
  let tool: Tool = { program: '', missing: null };
  let home = '';
  const kafkas: KafkaNode[] = [];
  const ours: BrokerProcess[] = [];
  const clients: WireClient[] = [];
  beforeAll(async () => {
    tool = await kafkaTools();
  }, 600_000);
  beforeEach((context) => {
    context.skip(process.env.NARU_TEST_BOOTSTRAP !== undefined, 'needs data directories');
    context.skip(tool.missing !== null, tool.missing ?? '');
    home = mkdtempSync(join(tmpdir(), 'naru-directories-'));
  });
  afterEach(async () => {
    for (const client of clients.splice(0)) client.close();
    // Apache Kafka first: it may be writing to the directory that was ours before.
    for (const node of kafkas.splice(0)) await node.dispose();
    for (const broker of ours.splice(0)) await broker.dispose();
    rmSync(home, { recursive: true, force: true });
  });

  async function kafka(name: string, voters: Voters, copyOf?: string): Promise<KafkaNode> {
    const node = await KafkaNode.start({ program: tool.program ?? '', home: join(home, name), voters, overrides: KAFKA_OVERRIDES }, copyOf);
    kafkas.push(node);
    return node;
  }

  async function naru(directory?: string): Promise<BrokerProcess> {
    const overrides = { 'metadata.log.max.record.bytes.between.snapshots': '4000', 'offsets.topic.num.partitions': '4' };
    const broker = await BrokerProcess.start({ workers, overrides, ...(directory === undefined ? {} : { directory }) });
    ours.push(broker);
    return broker;
  }

  async function clientOf({ port }: { readonly port: number }): Promise<WireClient> {
    const client = await WireClient.connect(port);
    clients.push(client);
    return client;
  }

  /** The next owner of the directory knows the producer, and takes more of everything. */
  async function writeOn(client: WireClient, producer: Producer, label: string, lastLabel: string): Promise<void> {
    expect(await repeatLast(client, producer, lastLabel)).toBe(producer.nextSequence - 60);
    expect(await leaveGap(client, producer)).toBe(ERROR.OUT_OF_ORDER_SEQUENCE_NUMBER);
    await goOn(client, producer, label);
    await commitOffsets(client, 50 + producer.nextSequence);
    await deleteRecords(client, TOPIC, 2, producer.nextSequence / 4);
    await client.createTopic(`moved.${label}`);
  }

  test.each(WAYS)('from Naru, ended by %s, to Apache Kafka with %s voters, and back', async (signal, voters) => {
    const first = await naru();
    const client = await clientOf(first);
    const producer = await fill(client);
    const before = await shown(client);
    await first.stop(signal);

    const node = await kafka('kafka', voters, first.directory);
    const theirs = await clientOf(node);
    expect(await shown(theirs)).toEqual(before);
    await writeOn(theirs, producer, 'theirs', 'plain');
    const moved = await shown(theirs);
    await node.untilStartIsWritten(TOPIC, 2, producer.nextSequence / 4);
    await node.stop(signal);

    const second = await naru(node.dataDirectory);
    const again = await clientOf(second);
    expect(await shown(again)).toEqual(moved);
    await writeOn(again, producer, 'ours', 'theirs');
    expect(await second.stop()).toEqual({ code: 0, signal: null });
  });

  test.each(WAYS)('from Apache Kafka, ended by %s, with %s voters, to Naru, and back', async (signal, voters) => {
    const node = await kafka('kafka', voters);
    const theirs = await clientOf(node);
    const producer = await fill(theirs);
    await fillUnserved(theirs);
    await fillTransactions(theirs, false);
    await untilCompacted(theirs);
    const before = await shown(theirs);
    const acls = await aclsOf(theirs);
    const committed = await committedOf(theirs);
    expect(acls).toHaveLength(2);
    await node.untilStartIsWritten(TOPIC, 1, 77);
    await node.stop(signal);
    const names = readdirSync(node.dataDirectory);
    expect(names.filter((name) => name.endsWith('-delete'))).not.toEqual([]);
    const snapshots = readdirSync(join(node.dataDirectory, '__cluster_metadata-0')).filter((name) =>
      /^\d{20}-\d{10}\.checkpoint$/.test(name),
    );
    expect(snapshots.filter((name) => Number(name.slice(0, 20)) > 0)).not.toEqual([]);
    mkdirSync(join(node.dataDirectory, 'ghost-0.0123456789abcdef0123456789abcdef-stray'));
    writeFileSync(join(node.dataDirectory, 'ghost-0.0123456789abcdef0123456789abcdef-stray', 'kept'), 'by a person');

    const broker = await naru(node.dataDirectory);
    const client = await clientOf(broker);
    expect(await shown(client)).toEqual(before);
    expect(await committedOf(client)).toEqual(committed);
    expect(readdirSync(broker.directory).filter((name) => name.endsWith('-stray'))).toHaveLength(1);
    await writeOn(client, producer, 'ours', 'plain');
    const moved = await shown(client);
    await broker.stop(signal);

    await node.restart();
    const again = await clientOf(node);
    expect(await shown(again)).toEqual(moved);
    expect(await aclsOf(again)).toEqual(acls);
    expect(await committedOf(again)).toEqual(committed);
    await writeOn(again, producer, 'theirs', 'ours');
  });
});
