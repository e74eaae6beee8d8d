// A mover copies a folder, groups included: an Apache Kafka started on a copy of our data directory shows the same groups and offsets,
// and ours on a copy of Apache Kafka's. Both are asked by Apache Kafka's own `groups --describe`.
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { labelled } from '../support/batches.ts';
import { BrokerProcess, freePort } from '../support/broker-process.ts';
import { WireClient } from '../support/wire-client.ts';
import { runProgram, succeed } from './run-program.ts';
import { kafkaTools, TOOL_ENVIRONMENT, type Tool } from './toolchains.ts';

const environment = TOOL_ENVIRONMENT;
const TOPIC = 'moved';
const PARTITIONS = 3;
const PROTOCOLS = ['classic', 'consumer'] as const;
const workerCounts = (process.env.NARU_INTEROP_WORKERS ?? '1').split(',').map(Number);

describe.each(workerCounts)('groups move with their directory, %i workers', (workers) => {
  let tool: Tool = { program: '', missing: null };
  let home = '';
  let ours: BrokerProcess | null = null;
  beforeAll(async () => {
    tool = await kafkaTools();
  }, 600_000);
  beforeEach((context) => {
    context.skip(process.env.NARU_TEST_BOOTSTRAP !== undefined, 'needs data directories');
    context.skip(tool.missing !== null, tool.missing ?? '');
    home = mkdtempSync(join(tmpdir(), 'naru-moved-'));
  });
  afterEach(async () => {
    await ours?.dispose();
    if (tool.program !== null) await runProgram(tool.program, ['stop', '-d', join(home, 'kafka'), '--kill'], { environment });
    rmSync(home, { recursive: true, force: true });
  });

  const run = (...args: readonly string[]): Promise<string> => succeed(tool.program ?? '', args, { environment, timeoutMs: 120_000 });

  /** A group of each protocol that has read a part of the topic, and one that an administrator has made. */
  async function fill(port: number): Promise<void> {
    const server = ['--bootstrap-server', `127.0.0.1:${port}`];
    await run('run', 'topics', ...server, '--create', '--topic', TOPIC, '--partitions', String(PARTITIONS));
    const client = await WireClient.connect(port);
    for (let partition = 0; partition < PARTITIONS; partition++) {
      expect(await client.produce(TOPIC, partition, labelled('moved', 0, 100))).toMatchObject({ errorCode: 0 });
    }
    client.close();
    for (const [index, protocol] of PROTOCOLS.entries()) {
      const how = ['--from-beginning', '--timeout-ms', '20000', '--command-property', `group.protocol=${protocol}`];
      const count = ['--max-messages', String(120 + index * 60)];
      await run('run', 'console-consumer', ...server, '--topic', TOPIC, '--group', `of-${protocol}`, ...count, ...how);
    }
    await run('run', 'groups', ...server, '--group', 'made', '--reset-offsets', '--to-offset', '33', '--topic', TOPIC, '--execute');
  }

  /** What the tool shows of all groups: offsets in a fixed order, and the groups with type and state. */
  async function shown(port: number): Promise<string[]> {
    const server = ['--bootstrap-server', `127.0.0.1:${port}`];
    const offsets = await run('run', 'groups', ...server, '--describe', '--all-groups');
    const groups = await run('run', 'groups', ...server, '--list', '--state', '--type');
    return `${offsets}${groups}`
      .split('\n')
      .map((line) => line.trim().replace(/\s+/g, ' '))
      .filter((line) => line !== '')
      .sort();
  }

  function checkShown(lines: readonly string[]): void {
    expect(lines.filter((line) => line.startsWith(`made ${TOPIC} `))).toHaveLength(PARTITIONS);
    for (const protocol of PROTOCOLS) expect(lines.filter((line) => line.startsWith(`of-${protocol} ${TOPIC} `))).toHaveLength(PARTITIONS);
  }

  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    test(`from Naru, ended by ${signal}, to Apache Kafka`, async () => {
      ours = await BrokerProcess.start({ workers });
      await fill(ours.port);
      const before = await shown(ours.port);
      checkShown(before);
      await ours.stop(signal);
      const { directory } = ours;
      const [port, controllerPort] = [await freePort(), await freePort()];
      const node = join(home, 'kafka/node-1');
      mkdirSync(node, { recursive: true });
      cpSync(directory, join(node, 'data'), { recursive: true });
      const properties = [
        'process.roles=broker,controller',
        'node.id=1',
        `controller.quorum.voters=1@127.0.0.1:${controllerPort}`,
        `listeners=PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}`,
        'controller.listener.names=CONTROLLER',
        'listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT',
        `log.dirs=${join(node, 'data')}`,
      ];
      writeFileSync(join(node, 'server.properties'), `${properties.join('\n')}\n`);
      await run('restart', '-d', join(home, 'kafka'));
      expect(await shown(port)).toEqual(before);
    });
  }

  test('from Apache Kafka to Naru', async () => {
    const port = await freePort();
    const kafka = join(home, 'kafka');
    await run('start', '-d', kafka, '-p', String(port));
    await fill(port);
    const before = await shown(port);
    checkShown(before);
    await run('stop', '-d', kafka);
    ours = await BrokerProcess.start({ workers, directory: join(kafka, 'node-1/data') });
    expect(await shown(ours.port)).toEqual(before);
    expect(await ours.stop()).toEqual({ code: 0, signal: null });
  });
});
