// What is set while the broker runs has its effect with the next batch or question, on every worker, and is there after a restart, also
// after one that nobody announced.
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import kafkajs from 'kafkajs';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { consumerGroupHeartbeatRequest, consumerGroupHeartbeatResponse } from '../../src/protocol/apis/consumer-group-heartbeat.ts';
import { describeConfigsRequest, describeConfigsResponse } from '../../src/protocol/apis/describe-configs.ts';
import { findCoordinatorRequest, findCoordinatorResponse } from '../../src/protocol/apis/find-coordinator.ts';
import { incrementalAlterConfigsRequest, incrementalAlterConfigsResponse } from '../../src/protocol/apis/incremental-alter-configs.ts';
import { ERROR } from '../../src/protocol/errors.ts';
import { labelled } from '../support/batches.ts';
import { BrokerProcess } from '../support/broker-process.ts';
import { BROKER, BROKER_LOGGER, GROUP, TOPIC } from '../support/config-story.ts';
import { foreignReason, isForeign, workerCounts } from '../support/target.ts';
import { WireClient } from '../support/wire-client.ts';

const PARTITIONS = 4; // Each of a few workers owns some of them.
const SET = 0;
const DELETE = 1;

async function alter(client: WireClient, resourceType: number, resourceName: string, values: Readonly<Record<string, string | null>>) {
  const configs = Object.entries(values).map(([name, value]) => ({ name, value, configOperation: value === null ? DELETE : SET }));
  const request = { resources: [{ resourceType, resourceName, configs }] };
  const { responses } = await client.ask(incrementalAlterConfigsRequest, incrementalAlterConfigsResponse, 1, request);
  expect(responses.map(({ errorCode, errorMessage }) => [errorCode, errorMessage])).toEqual([[0, null]]);
}

/** The value and the number of its source. */
async function toldOf(client: WireClient, resourceType: number, resourceName: string, key: string): Promise<[string | null, number]> {
  const request = { resources: [{ resourceType, resourceName, configurationKeys: [key] }] };
  const { results } = await client.ask(describeConfigsRequest, describeConfigsResponse, 4, request);
  const found = results[0]?.configs[0];
  if (found === undefined) throw new Error(`${key} is not told of`);
  return [found.value, found.configSource];
}

describe.skipIf(isForeign).each(workerCounts(0, 1, 2))(`at %i workers (${isForeign ? foreignReason : 'live'})`, (workers) => {
  let broker: BrokerProcess;
  let client: WireClient;

  beforeAll(async () => {
    broker = await BrokerProcess.start({ workers });
    client = await WireClient.connect(broker.port);
  });
  afterAll(async () => {
    client.close();
    await broker.dispose();
  });

  /** What each partition answers to a batch of its own. */
  async function produceToEach(topic: string, batch: (partition: number) => Uint8Array): Promise<number[]> {
    const codes: number[] = [];
    for (let partition = 0; partition < PARTITIONS; partition++) {
      codes.push((await client.produce(topic, partition, batch(partition))).errorCode);
    }
    return codes;
  }
  const all = (errorCode: number): number[] => new Array<number>(PARTITIONS).fill(errorCode);
  const large = (partition: number): Uint8Array => labelled(`p${partition}`, 0, 1, { valueBytes: 5000 });

  it('takes no larger batches than the topic wants, then than the broker wants', async () => {
    await client.createTopic('large', PARTITIONS);
    expect(await produceToEach('large', large)).toEqual(all(ERROR.NONE));
    await alter(client, TOPIC, 'large', { 'max.message.bytes': '1000' });
    expect(await produceToEach('large', large)).toEqual(all(ERROR.MESSAGE_TOO_LARGE));
    await alter(client, TOPIC, 'large', { 'max.message.bytes': null });
    expect(await produceToEach('large', large)).toEqual(all(ERROR.NONE));
    await alter(client, BROKER, '', { 'message.max.bytes': '1000' });
    expect(await produceToEach('large', large)).toEqual(all(ERROR.MESSAGE_TOO_LARGE));
    await alter(client, BROKER, '1', { 'message.max.bytes': '6000' });
    expect(await produceToEach('large', large)).toEqual(all(ERROR.NONE));
    await alter(client, TOPIC, 'large', { 'max.message.bytes': '999' });
    expect(await produceToEach('large', large)).toEqual(all(ERROR.MESSAGE_TOO_LARGE));
    await alter(client, BROKER, '1', { 'message.max.bytes': null });
    await alter(client, BROKER, '', { 'message.max.bytes': null });
  });

  it('begins segments as the topic wants', async () => {
    await client.createTopic('segments', PARTITIONS);
    const segments = (partition: number): number =>
      readdirSync(join(broker.directory, `segments-${partition}`)).filter((name) => name.endsWith('.log')).length;
    const batch = (partition: number): Uint8Array => labelled(`p${partition}`, 0, 10, { valueBytes: 60_000 });
    for (let i = 0; i < 2; i++) await produceToEach('segments', batch);
    expect([0, 1, 2, 3].map(segments)).toEqual(all(1));
    await alter(client, TOPIC, 'segments', { 'segment.bytes': '1048576' });
    for (let i = 0; i < 2; i++) await produceToEach('segments', batch);
    expect([0, 1, 2, 3].map(segments)).toEqual(all(3));
  });

  it('stamps and refuses records as the topic wants', async () => {
    await client.createTopic('stamped', PARTITIONS);
    const batch = (partition: number): Uint8Array => labelled(`p${partition}`, 0, 1);
    await alter(client, TOPIC, 'stamped', { 'message.timestamp.type': 'LogAppendTime' });
    expect((await client.produce('stamped', 1, batch(1))).logAppendTimeMs).toBeGreaterThan(0);
    await alter(client, TOPIC, 'stamped', { 'message.timestamp.type': null, 'message.timestamp.before.max.ms': '1000' });
    expect(await produceToEach('stamped', batch)).toEqual(all(ERROR.INVALID_TIMESTAMP));
    await alter(client, TOPIC, 'stamped', { 'message.timestamp.before.max.ms': null, 'cleanup.policy': 'compact' });
    expect(await produceToEach('stamped', batch)).toEqual(all(ERROR.INVALID_RECORD));
    await alter(client, TOPIC, 'stamped', { 'cleanup.policy': null });
    expect(await produceToEach('stamped', batch)).toEqual(all(ERROR.NONE));
  });

  it('tells members the heartbeat interval of their group', async () => {
    await client.createTopic('consumed', 1);
    const intervals: number[] = [];
    const beat = async (groupId: string): Promise<void> => {
      for (;;) {
        const answer = await client.ask(consumerGroupHeartbeatRequest, consumerGroupHeartbeatResponse, 1, {
          groupId,
          memberId: 'AAAAAAAAAAAAAAAAAAAAAQ',
          memberEpoch: 0,
          rebalanceTimeoutMs: 60_000,
          subscribedTopicNames: ['consumed'],
          topicPartitions: [],
        });
        if (answer.errorCode === ERROR.COORDINATOR_LOAD_IN_PROGRESS || answer.errorCode === ERROR.NOT_COORDINATOR) continue;
        expect([answer.errorCode, answer.errorMessage]).toEqual([0, null]);
        intervals.push(answer.heartbeatIntervalMs);
        return;
      }
    };
    await client.ask(findCoordinatorRequest, findCoordinatorResponse, 4, { keyType: 0, coordinatorKeys: ['mine'] }); // Makes the topic.
    await beat('mine');
    await alter(client, GROUP, 'mine', { 'consumer.heartbeat.interval.ms': '7000' });
    await beat('mine');
    await beat('other');
    await alter(client, GROUP, 'mine', { 'consumer.heartbeat.interval.ms': null });
    await beat('mine');
    expect(intervals).toEqual([5000, 7000, 5000, 5000]);
  });

  it('lets in as many connections of an address as are wanted now', async () => {
    /** Whether a connection that is made now is served. */
    const isServed = async (): Promise<boolean> => {
      const other = await WireClient.connect(broker.port).catch(() => null);
      const answered =
        other === null
          ? false
          : await other.metadata().then(
              () => true,
              () => false,
            );
      other?.close();
      return answered;
    };
    // The main thread hears of it a moment after the answer.
    const until = async (wanted: boolean): Promise<void> => {
      while ((await isServed()) !== wanted) await delay(5);
    };
    expect(await isServed()).toBe(true);
    await alter(client, BROKER, '1', { 'max.connections.per.ip': '1' });
    await until(false);
    await alter(client, BROKER, '1', { 'max.connections.per.ip.overrides': '127.0.0.1:9' });
    await until(true);
    await alter(client, BROKER, '1', { 'max.connections.per.ip': null, 'max.connections.per.ip.overrides': null });
    await until(true);
  });

  it('is understood by kafkajs', async () => {
    const kafka = new kafkajs.Kafka({ clientId: 'configs', brokers: [broker.address], logLevel: kafkajs.logLevel.NOTHING });
    const admin = kafka.admin();
    await admin.connect();
    await client.createTopic('of-kafkajs', 1);
    const resource = { type: kafkajs.ConfigResourceTypes.TOPIC, name: 'of-kafkajs' };
    await admin.alterConfigs({
      validateOnly: false,
      resources: [{ ...resource, configEntries: [{ name: 'retention.ms', value: '7000' }] }],
    });
    const { resources } = await admin.describeConfigs({
      includeSynonyms: true,
      resources: [{ ...resource, configNames: ['retention.ms'] }],
    });
    expect(resources[0]?.configEntries).toMatchObject([{ configName: 'retention.ms', configValue: '7000', configSource: 1 }]);
    const bad = { ...resource, configEntries: [{ name: 'retention.ms', value: 'x' }] };
    await expect(admin.alterConfigs({ validateOnly: false, resources: [bad] })).rejects.toThrow('Configuration is invalid');
    await admin.disconnect();
  });

  it('tells the level of log lines that was set on every connection', async () => {
    await alter(client, BROKER_LOGGER, '1', { root: 'FATAL' });
    const others = await Promise.all([0, 1, 2].map(() => WireClient.connect(broker.port)));
    for (const other of others) expect(await toldOf(other, BROKER_LOGGER, '1', 'root')).toEqual(['FATAL', 6]);
    for (const other of others) other.close();
    await alter(client, BROKER_LOGGER, '1', { root: 'INFO' });
    expect(await toldOf(client, BROKER_LOGGER, '1', 'root')).toEqual(['INFO', 6]);
  });

  it('writes the log lines that the level of the moment lets through, on every worker', async () => {
    const noise = async (): Promise<string> => {
      const socket = connect(broker.port, '127.0.0.1');
      await once(socket, 'connect');
      const peer = `127.0.0.1:${socket.localPort}`;
      socket.on('error', () => {}).end('GET / HTTP/1.1\r\n\r\n');
      await once(socket.resume(), 'close');
      return peer;
    };
    const peers = { info: [await noise(), await noise()], error: [] as string[], again: [] as string[] };
    await alter(client, BROKER, '', { 'naru.log.level': 'error' });
    expect(await toldOf(client, BROKER, '1', 'naru.log.level')).toEqual(['error', 3]);
    expect(await toldOf(client, BROKER_LOGGER, '1', 'root')).toEqual(['ERROR', 6]);
    peers.error.push(await noise(), await noise());
    await alter(client, BROKER, '', { 'naru.log.level': null });
    expect(await toldOf(client, BROKER_LOGGER, '1', 'root')).toEqual(['INFO', 6]);
    peers.again.push(await noise(), await noise());
    for (const peer of [...peers.info, ...peers.again]) await vi.waitFor(() => expect(broker.output).toContain(peer));
    for (const peer of peers.error) expect(broker.output).not.toContain(peer);
  });

  it('has one level of log lines on all workers, however many are set at once, and in whichever way', async () => {
    const others = await Promise.all(Array.from({ length: 6 }, () => WireClient.connect(broker.port)));
    const levels = ['DEBUG', 'WARN', 'ERROR', 'INFO', 'FATAL', 'TRACE'];
    const words = ['debug', 'info', 'warn', 'error'];
    for (let round = 0; round < 20; round++) {
      await Promise.all(
        others.map((other, i) =>
          i % 2 === 0
            ? alter(other, BROKER_LOGGER, '1', { root: levels[(i + round) % levels.length] ?? 'INFO' })
            : alter(other, BROKER, i === 1 ? '1' : '', { 'naru.log.level': words[(i + round) % words.length] ?? 'info' }),
        ),
      );
      const told = await Promise.all(others.map((other) => toldOf(other, BROKER_LOGGER, '1', 'root')));
      expect(new Set(told.map(([level]) => level)).size).toBe(1);
    }
    for (const other of others) other.close();
    await alter(client, BROKER, '1', { 'naru.log.level': null });
    await alter(client, BROKER, '', { 'naru.log.level': null });
    await alter(client, BROKER_LOGGER, '1', { root: 'INFO' });
  });

  it('has the level that was set last, in either way, and of both in one request the logger’s', async () => {
    const told = async (): Promise<string | null> => (await toldOf(client, BROKER_LOGGER, '1', 'root'))[0];
    await alter(client, BROKER, '', { 'naru.log.level': 'warn' });
    await alter(client, BROKER_LOGGER, '1', { root: 'DEBUG' });
    expect(await told()).toBe('DEBUG');
    await alter(client, BROKER, '', { 'naru.log.level': 'error' });
    expect(await told()).toBe('ERROR');
    const logger = { resourceType: BROKER_LOGGER, resourceName: '1', configs: [{ name: 'root', value: 'TRACE', configOperation: SET }] };
    const own = { resourceType: BROKER, resourceName: '', configs: [{ name: 'naru.log.level', value: 'warn', configOperation: SET }] };
    for (const resources of [
      [logger, own],
      [own, logger],
    ]) {
      await client.ask(incrementalAlterConfigsRequest, incrementalAlterConfigsResponse, 1, { resources });
      expect(await told()).toBe('TRACE');
      expect(await toldOf(client, BROKER, '1', 'naru.log.level')).toEqual(['warn', 3]);
      await alter(client, BROKER, '', { 'naru.log.level': null });
      expect(await told()).toBe('INFO');
    }
  });

  it('names what is set and does nothing, once', async () => {
    const said = (line: string): number => broker.output.split(line).length - 1;
    const unserved = 'num.io.threads is known but has no effect yet (set for all brokers)';
    const ofListener = 'listener.name.plaintext.num.network.threads is known but has no effect yet (set for this broker)';
    const ofNone = 'listener.name.nowhere.max.connections has no effect: no listener has that name in lower case (plaintext) (set for';
    await alter(client, BROKER, '', { 'num.io.threads': '9' });
    await alter(client, BROKER, '1', {
      'listener.name.plaintext.num.network.threads': '4',
      'listener.name.nowhere.max.connections': '4',
      'listener.name.plaintext.max.connections': '4000',
      'log.retention.ms': '7000000',
    });
    for (const line of [unserved, ofListener, ofNone]) await vi.waitFor(() => expect(said(line)).toBe(1));
    expect(broker.output).not.toMatch(/WARN.*(plaintext\.max\.connections|log\.retention)/);
    await alter(client, BROKER, '', { 'num.io.threads': null });
    await alter(client, BROKER, '', { 'num.io.threads': '9' });
    await vi.waitFor(() => expect(said(unserved)).toBe(2)); // It had been taken away.
    await alter(client, BROKER, '', { 'num.io.threads': null });
    await alter(client, BROKER, '1', {
      'listener.name.plaintext.num.network.threads': null,
      'listener.name.nowhere.max.connections': null,
      'listener.name.plaintext.max.connections': null,
      'log.retention.ms': null,
    });
  });

  it('keeps naru.log.level over a restart, and the level of the logger not', async () => {
    const restart = async (): Promise<void> => {
      client.close();
      await broker.stop();
      const { directory } = broker;
      broker = await BrokerProcess.start({ workers, directory });
      client = await WireClient.connect(broker.port);
    };
    await alter(client, BROKER_LOGGER, '1', { root: 'ERROR' });
    await restart();
    expect(await toldOf(client, BROKER_LOGGER, '1', 'root')).toEqual(['INFO', 6]);
    await alter(client, BROKER, '1', { 'naru.log.level': 'warn' });
    await alter(client, BROKER_LOGGER, '1', { root: 'DEBUG' });
    await restart();
    const others = await Promise.all([0, 1, 2].map(() => WireClient.connect(broker.port)));
    for (const other of others) expect(await toldOf(other, BROKER_LOGGER, '1', 'root')).toEqual(['WARN', 6]);
    for (const other of others) other.close();
    await alter(client, BROKER, '1', { 'naru.log.level': null });
    expect(await toldOf(client, BROKER_LOGGER, '1', 'root')).toEqual(['INFO', 6]);
  });

  it.each(['SIGTERM', 'SIGKILL'] as const)('keeps what was set over %s', async (signal) => {
    const topic = `kept-${signal}`;
    await client.createTopic(topic, PARTITIONS);
    await alter(client, TOPIC, topic, { 'max.message.bytes': '1000', 'retention.ms': '5000' });
    await alter(client, TOPIC, topic, { 'retention.ms': null });
    await alter(client, BROKER, '', { 'log.segment.bytes': '3000000' });
    await alter(client, BROKER, '1', { 'log.retention.ms': '7000' });
    await alter(client, GROUP, 'kept', { 'consumer.session.timeout.ms': '50000' });
    client.close();
    await broker.stop(signal);
    const { directory } = broker;
    broker = await BrokerProcess.start({ workers, directory });
    client = await WireClient.connect(broker.port);
    expect(await toldOf(client, TOPIC, topic, 'max.message.bytes')).toEqual(['1000', 1]);
    expect(await toldOf(client, TOPIC, topic, 'retention.ms')).toEqual(['7000', 2]);
    expect(await toldOf(client, TOPIC, topic, 'segment.bytes')).toEqual(['3000000', 3]);
    expect(await toldOf(client, BROKER, '1', 'log.retention.ms')).toEqual(['7000', 2]);
    expect(await toldOf(client, GROUP, 'kept', 'consumer.session.timeout.ms')).toEqual(['50000', 8]);
    expect(await produceToEach(topic, large)).toEqual(all(ERROR.MESSAGE_TOO_LARGE));
  });
});
