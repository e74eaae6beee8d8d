// When the background work on logs is done: syncs by time, and the removal of what was deleted, as the settings of the moment say.
import { afterEach, expect, test } from 'vitest';
import { resolveBrokerConfig } from '../../src/config/broker-config.ts';
import { createTopicsRequest, createTopicsResponse } from '../../src/protocol/apis/create-topics.ts';
import { deleteTopicsRequest, deleteTopicsResponse } from '../../src/protocol/apis/delete-topics.ts';
import { incrementalAlterConfigsRequest, incrementalAlterConfigsResponse } from '../../src/protocol/apis/incremental-alter-configs.ts';
import { produceRequest, produceResponse } from '../../src/protocol/apis/produce.ts';
import { ERROR } from '../../src/protocol/errors.ts';
import { Simulation } from '../../src/scheduler/sim-runtime.ts';
import { labelled } from '../support/batches.ts';
import { BROKER } from '../support/config-story.ts';
import type { ClientConnection } from './broker/client-connection.ts';
import { BrokerMachine } from './broker/machine.ts';

const MIB = 1024 * 1024;
/** The simulated clock does not show the test's time. */
const ANY_TIME = ['log.message.timestamp.after.max.ms', '9223372036854775807'] as const;
/** What an answer and a turn of the pool take at most. */
const SLACK_MS = 500;

let machine: BrokerMachine;

afterEach(() => machine.kill());

async function start(seed: number, overrides: Readonly<Record<string, string>>): Promise<ClientConnection> {
  const limits = { workerCount: 2, ringCapacityBytes: 256 * 1024, arenaBytes: 16 * MIB };
  const { config } = resolveBrokerConfig({ overrides: [['log.dirs', 'data'], ANY_TIME, ...Object.entries(overrides)], coreCount: 1 });
  machine = new BrokerMachine(new Simulation({ seed, limits }), config, { readBytesMax: MIB, takeBytesMax: MIB, sendBufferBytes: MIB });
  expect(await machine.boot()).toBe('lives');
  return machine.connect();
}

async function createTopic(connection: ClientConnection, name: string, configs: Readonly<Record<string, string>> = {}): Promise<void> {
  const entries = Object.entries(configs).map(([key, value]) => ({ name: key, value }));
  const topics = [{ name, numPartitions: 1, replicationFactor: 1, configs: entries }];
  const { answer } = await machine.ask(connection, createTopicsRequest, createTopicsResponse, 7, { topics, timeoutMs: 10_000 });
  expect(answer.topics.map(({ errorCode }) => errorCode)).toEqual([ERROR.NONE]);
}

async function produce(connection: ClientConnection, name: string): Promise<void> {
  const topicData = [{ name, partitionData: [{ index: 0, records: labelled('x', 0, 2) }] }];
  const { answer } = await machine.ask(connection, produceRequest, produceResponse, 9, { acks: -1, timeoutMs: 1000, topicData });
  expect(answer.responses[0]?.partitionResponses[0]?.errorCode).toBe(ERROR.NONE);
}

/** When log files of each topic are synced from here on. */
function syncTimes(): Map<string, number[]> {
  const { disk, time } = machine.simulation;
  const times = new Map<string, number[]>();
  disk.setFaults({
    refuse: (operation, path) => {
      const topic = /^data\/(\w+)-0\/\d+\.log$/.exec(path)?.[1];
      if (operation === 'sync' && topic !== undefined) times.set(topic, [...(times.get(topic) ?? []), time.nowMs]);
      return null;
    },
  });
  return times;
}

test('a topic is synced flush.ms after its last sync by time, from log.initial.task.delay.ms on, and only where there is something to sync', async () => {
  const initialMs = 20_000;
  const flushMs = 5000;
  const lookMs = 100;
  const connection = await start(1, {
    'log.initial.task.delay.ms': `${initialMs}`,
    'log.flush.scheduler.interval.ms': `${lookMs}`,
    'log.flush.interval.ms': '9223372036854775807',
  });
  const bootedMs = machine.simulation.time.nowMs;
  await createTopic(connection, 'timed', { 'flush.ms': `${flushMs}` });
  await createTopic(connection, 'never');
  const times = syncTimes();
  await produce(connection, 'timed');
  await produce(connection, 'never');
  await machine.runFor(initialMs + 3 * flushMs);
  // First seen at the first look. Later looks find nothing unsynced.
  const first = times.get('timed')?.[0] ?? 0;
  expect(first - bootedMs).toBeGreaterThan(initialMs + flushMs - SLACK_MS);
  expect(first - bootedMs).toBeLessThan(initialMs + flushMs + lookMs + SLACK_MS);
  await produce(connection, 'timed');
  await machine.runFor(lookMs + SLACK_MS); // It is long since the last one.
  await produce(connection, 'timed');
  await machine.runFor(3 * flushMs);
  const [, second = 0, third = 0, ...more] = times.get('timed') ?? [];
  expect(third - second).toBeGreaterThanOrEqual(flushMs - SLACK_MS);
  expect(third - second).toBeLessThan(flushMs + lookMs + SLACK_MS);
  expect(more).toEqual([]);
  expect(times.get('never')).toBeUndefined();
});

test.each([
  ['given at the start', null, 5000],
  ['set for all brokers', '', 20_000],
  ['set for this broker', '1', 20_000],
])('the files of a deleted topic go after log.segment.delete.delay.ms, %s', async (_, resourceName, delayMs) => {
  const connection = await start(2, { 'log.segment.delete.delay.ms': '5000' });
  const { disk } = machine.simulation;
  const directories = (): string[] => disk.list('data').filter((name) => name.startsWith('gone'));
  if (resourceName !== null) {
    const configs = [{ name: 'log.segment.delete.delay.ms', value: `${delayMs}`, configOperation: 0 }];
    const resources = [{ resourceType: BROKER, resourceName, configs }];
    const { answer } = await machine.ask(connection, incrementalAlterConfigsRequest, incrementalAlterConfigsResponse, 1, { resources });
    expect(answer.responses.map(({ errorCode }) => errorCode)).toEqual([ERROR.NONE]);
  }
  // The topic's own delay is for its segments.
  await createTopic(connection, 'gone', { 'file.delete.delay.ms': '100' });
  await produce(connection, 'gone');
  await machine.ask(connection, deleteTopicsRequest, deleteTopicsResponse, 6, { topics: [{ name: 'gone' }], timeoutMs: 10_000 });
  await machine.runFor(delayMs - SLACK_MS);
  expect(directories()).toEqual([expect.stringMatching(/-delete$/)]);
  await machine.runFor(2 * SLACK_MS);
  expect(directories()).toEqual([]);
});
