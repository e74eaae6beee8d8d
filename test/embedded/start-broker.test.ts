// The broker inside of this very process: what a program gets from it, and what is left when it is gone. Its failures: failed.test.ts.
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { type BrokerLogger, type EmbeddedBroker, startBroker } from '../../src/embedded/start-broker.ts';
import { labelled, labels, range } from '../support/batches.ts';
import { freePort } from '../support/broker-process.ts';
import { exchange } from '../support/kafkajs-exchange.ts';
import { WireClient } from '../support/wire-client.ts';

const brokers: EmbeddedBroker[] = [];
const usualTmpdir = process.env.TMPDIR;
/** Where temporary directories go: whatever a test leaves is seen. */
let scratch = '';

beforeEach(() => {
  scratch = mkdtempSync(join(tmpdir(), 'naru-embedded-'));
  process.env.TMPDIR = scratch;
});

afterEach(async () => {
  await Promise.allSettled(brokers.splice(0).map((broker) => broker.stop()));
  if (usualTmpdir === undefined) delete process.env.TMPDIR;
  else process.env.TMPDIR = usualTmpdir;
  rmSync(scratch, { recursive: true, force: true });
});

async function start(...options: Parameters<typeof startBroker>): Promise<EmbeddedBroker> {
  const broker = await startBroker(...options);
  brokers.push(broker);
  return broker;
}

/** Rejects where the port is taken. */
async function listenOnce(port: number): Promise<void> {
  await new Promise<void>((done, fail) => {
    const server = createServer().once('error', fail);
    server.listen(port, '127.0.0.1', () => server.close(() => done()));
  });
}

describe.each([0, 2])('at %i workers', (workers) => {
  test('it serves a producer and a group; a stop frees the port and takes the temporary directory along', async () => {
    const broker = await start({ config: { 'naru.workers': workers } });
    expect(broker.bootstrapServers).toBe(`127.0.0.1:${broker.port}`);
    expect(broker.directory.startsWith(scratch)).toBe(true);
    const { sent, read } = await exchange(broker.bootstrapServers, 'greetings');
    expect(read).toEqual(sent);
    await broker.stop();
    expect(readdirSync(scratch)).toEqual([]);
    await listenOnce(broker.port);
  });

  test('two stand side by side, and one goes on when the other stops', async () => {
    const settings = { config: { 'naru.workers': workers, 'num.partitions': 1 } };
    const [one, other] = await Promise.all([start(settings), start(settings)]);
    const clients = await Promise.all([one, other].map(({ port }) => WireClient.connect(port)));
    for (const [index, client] of clients.entries()) {
      await client.createTopic('same', 1);
      await client.produce('same', 0, labelled(`broker ${index}`, 0, 3));
    }
    expect(labels(await (clients[0] as WireClient).readAll('same', 0))).toEqual(range('broker 0', 0, 3));
    clients[0]?.close();
    await one.stop();
    expect(labels(await (clients[1] as WireClient).readAll('same', 0))).toEqual(range('broker 1', 0, 3));
    clients[1]?.close();
    await other.stop();
  });
});

test('a directory that was given is made, kept, and served again', async () => {
  const directory = join(scratch, 'kept');
  const first = await start({ directory });
  expect(first.directory).toBe(directory);
  const writer = await WireClient.connect(first.port);
  await writer.createTopic('lasting', 1);
  await writer.produce('lasting', 0, labelled('kept', 0, 5));
  await expect(startBroker({ directory })).rejects.toMatchObject({ code: 'ERR_DIRECTORY_LOCKED' });
  writer.close();
  await first.stop();
  expect(existsSync(join(directory, '.kafka_cleanshutdown'))).toBe(true);

  const second = await start({ config: { 'log.dirs': directory } });
  const reader = await WireClient.connect(second.port);
  expect(labels(await reader.readAll('lasting', 0))).toEqual(range('kept', 0, 5));
  reader.close();
  await second.stop();
  expect(readdirSync(scratch)).toEqual(['kept']);
});

test('it goes on, and stops, in a test that holds time still', async () => {
  const broker = await start();
  vi.useFakeTimers();
  try {
    const client = await WireClient.connect(broker.port);
    await client.createTopic('still', 1);
    await client.produce('still', 0, labelled('still', 0, 3));
    // A long poll that finds nothing: the broker's own timer ends it.
    expect((await client.fetchFrom('still', 0, 3, 1, 50)).records).toEqual([]);
    expect(labels(await client.readAll('still', 0))).toEqual(range('still', 0, 3));
    client.close();
    await broker.stop();
  } finally {
    vi.useRealTimers();
  }
});

describe('what it is told', () => {
  test('options have their effect, numbers and booleans too; those that are undefined are left out', async () => {
    const port = await freePort();
    const config = { 'num.partitions': 3, 'naru.validate.records': true, 'naru.http.listener': 'http://127.0.0.1:0', 'node.id': undefined };
    const broker = await start({ port, config });
    expect(broker.port).toBe(port);
    const client = await WireClient.connect(port);
    await client.createTopic('of-the-default', -1);
    const { topics } = await client.metadata('of-the-default');
    expect(topics[0]?.partitions).toHaveLength(3);
    client.close();
    expect((await fetch(`${broker.httpListener}/readyz`)).status).toBe(200);
  });

  test('listeners may be named', async () => {
    const broker = await start({ config: { listeners: 'PLAINTEXT://0.0.0.0:0' } });
    expect(broker.bootstrapServers).toBe(`localhost:${broker.port}`);
    (await WireClient.connect(broker.port)).close();
  });

  test('variables of the process are none of its options', async () => {
    const usual = process.env.NARU_NATIVE;
    process.env.NARU_NATIVE = 'perhaps'; // Refused where it is read as an option.
    try {
      await start();
    } finally {
      if (usual === undefined) delete process.env.NARU_NATIVE;
      else process.env.NARU_NATIVE = usual;
    }
  });

  test.each([
    [{ config: { 'num.partitions': 0 } }, { name: 'ConfigError', key: 'num.partitions' }],
    [{ config: { 'naru.workers': 1.5 } }, { name: 'ConfigError', key: 'naru.workers' }],
    [{ config: { 'sasl.enabled.mechanisms': 'PLAIN' } }, { name: 'ConfigError', key: 'sasl.enabled.mechanisms' }],
    [{ config: { 'num.partitions': ['1'] } }, { name: 'ConfigError', key: 'num.partitions', message: /an array was given/ }],
    [{ port: 65_536 }, { name: 'ConfigError', key: 'listeners' }],
    [
      { directory: '/a', config: { 'log.dirs': '/b' } },
      { name: 'ConfigError', key: 'log.dirs' },
    ],
    [{ ports: 9092 }, { name: 'TypeError', message: /no option ports \(allowed: config, directory, port, logger\)/ }],
  ])('%j is refused by name, and nothing is left of it', async (options, expected) => {
    const { message, ...facts } = { message: /./, ...expected };
    const refused = startBroker(options as Parameters<typeof startBroker>[0]);
    await expect(refused).rejects.toThrow(message);
    await expect(refused).rejects.toMatchObject(facts);
    expect(readdirSync(scratch)).toEqual([]);
  });

  test('a port that is taken is refused with Node’s own error, and nothing is left of it', async () => {
    const first = await start();
    await expect(startBroker({ port: first.port })).rejects.toMatchObject({ code: 'EADDRINUSE', port: first.port });
    expect(readdirSync(scratch)).toHaveLength(1);
  });
});

describe('its log lines', () => {
  test('go to a pino logger, fields and component beside the sentence', async () => {
    const lines: Record<string, unknown>[] = [];
    const logger = pino({ base: null, timestamp: false }, { write: (line: string) => void lines.push(JSON.parse(line)) });
    await start({ logger, config: { 'num.partition': 3 } });
    expect(lines).toContainEqual({ level: 40, component: 'config', msg: 'unknown option num.partition (startBroker)' });
  });

  test('are those of the level that is asked for, or none', async () => {
    const heard: string[] = [];
    const hear = (_fields: object, message: string): void => void heard.push(message);
    const logger: BrokerLogger = { debug: hear, info: hear, warn: hear, error: hear };
    await start({ logger, config: { 'naru.log.level': 'error', 'num.partition': 3 } });
    expect(heard).toEqual([]);
    const written = process.stderr.write;
    process.stderr.write = (text) => heard.push(String(text)) > 0;
    try {
      await start({ logger: null, config: { 'num.partition': 3 } });
      expect(heard).toEqual([]);
      await start({ config: { 'num.partition': 3 } });
      expect(heard.join('')).toContain('WARN  [config] unknown option num.partition (startBroker)');
    } finally {
      process.stderr.write = written;
    }
  });
});

test('it stops at the end of a block that uses it, and once', async () => {
  let port = 0;
  {
    await using broker = await startBroker();
    ({ port } = broker);
    (await WireClient.connect(port)).close();
    expect(broker.stop()).toBe(broker.stop());
  }
  await listenOnce(port);
  expect(readdirSync(scratch)).toEqual([]);
});
