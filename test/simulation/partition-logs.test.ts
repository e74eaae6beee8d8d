// What becomes of partitions' directories and files around a start and a stop, with several workers under the simulator: who puts leftovers
// aside, when a creation is answered, when a file is closed.
import { afterEach, expect, test } from 'vitest';
import { resolveBrokerConfig } from '../../src/config/broker-config.ts';
import { formatPartitionMetadata } from '../../src/log/partition-metadata.ts';
import { virtualFile } from '../../src/log/virtual-descriptors.ts';
import { PartitionWords, SLOT_COUNT_MAX } from '../../src/partition/partition-words.ts';
import { createTopicsRequest, createTopicsResponse } from '../../src/protocol/apis/create-topics.ts';
import { deleteTopicsRequest, deleteTopicsResponse } from '../../src/protocol/apis/delete-topics.ts';
import { fetchRequest, fetchResponse } from '../../src/protocol/apis/fetch.ts';
import { produceRequest, produceResponse } from '../../src/protocol/apis/produce.ts';
import { ERROR } from '../../src/protocol/errors.ts';
import { readAllRecords } from '../../src/protocol/records/records.ts';
import type { RecordsRange } from '../../src/protocol/schema.ts';
import { Simulation } from '../../src/scheduler/sim-runtime.ts';
import { labelled, labels } from '../support/batches.ts';
import type { ClientConnection } from './broker/client-connection.ts';
import { BrokerMachine } from './broker/machine.ts';

const TOPIC = 'topic';
const PARTITIONS = 16;
const MIB = 1024 * 1024;
/** The simulated clock does not show the test's time. */
const ANY_TIME = ['log.message.timestamp.after.max.ms', '9223372036854775807'] as const;
/** More files than one of these tests opens. */
const DESCRIPTORS_MAX = 50_000;

const machines: BrokerMachine[] = [];

afterEach(() => {
  for (const machine of machines.splice(0)) machine.kill();
});

function machineOf(seed: number, workerCount: number, more: readonly (readonly [string, string])[] = []): BrokerMachine {
  const limits = { workerCount, ringCapacityBytes: 256 * 1024, arenaBytes: 16 * MIB };
  const { config } = resolveBrokerConfig({ overrides: [['log.dirs', 'data'], ANY_TIME, ...more], coreCount: 1 });
  const manners = { readBytesMax: MIB, takeBytesMax: MIB, sendBufferBytes: MIB };
  const machine = new BrokerMachine(new Simulation({ seed, limits }), config, manners);
  machines.push(machine);
  return machine;
}

async function createTopic(machine: BrokerMachine, connection: ClientConnection): Promise<string> {
  const topics = [{ name: TOPIC, numPartitions: PARTITIONS, replicationFactor: 1 }];
  const { answer } = await machine.ask(connection, createTopicsRequest, createTopicsResponse, 7, { topics, timeoutMs: 10_000 });
  expect(answer.topics[0]?.errorCode).toBe(ERROR.NONE);
  return answer.topics[0]?.topicId ?? '';
}

async function produce(machine: BrokerMachine, connection: ClientConnection): Promise<void> {
  const partitionData = Array.from({ length: PARTITIONS }, (_, index) => ({ index, records: labelled(`p${index}`, 0, 2) }));
  const body = { acks: -1, timeoutMs: 1000, topicData: [{ name: TOPIC, partitionData }] };
  const { answer } = await machine.ask(connection, produceRequest, produceResponse, 9, body);
  for (const { errorCode } of answer.responses[0]?.partitionResponses ?? []) expect(errorCode).toBe(ERROR.NONE);
}

/** What is read of each partition, as labels. */
async function fetchAll(machine: BrokerMachine, connection: ClientConnection): Promise<string[][]> {
  const partitions = Array.from({ length: PARTITIONS }, (_, partition) => ({ partition, fetchOffset: 0, partitionMaxBytes: MIB }));
  const body = { maxBytes: MIB, sessionEpoch: -1, topics: [{ topic: TOPIC, partitions }] };
  const { answer, bytes } = await machine.ask(connection, fetchRequest, fetchResponse, 12, body);
  const found: string[][] = [];
  for (const { partitionIndex, errorCode, records } of answer.responses[0]?.partitions ?? []) {
    expect(errorCode).toBe(ERROR.NONE);
    const range = records as RecordsRange;
    found[partitionIndex] = labels(readAllRecords(bytes.subarray(range.position, range.position + range.length)));
  }
  return found;
}

/** How many of the topic's partitions have a log. */
function madeLogs(machine: BrokerMachine): number {
  const names = machine.simulation.disk.list('data');
  return names.filter((name) => /^topic-\d+$/.test(name)).length;
}

/** Until all have theirs. */
async function logsMade(machine: BrokerMachine): Promise<void> {
  await machine.until(() => madeLogs(machine) === PARTITIONS, 60_000, 'the logs');
}

/** Descriptors of the topic's log files. */
function openLogs(): number[] {
  const found: number[] = [];
  for (let descriptor = -2; descriptor > -DESCRIPTORS_MAX; descriptor--) {
    const path = virtualFile(descriptor)?.path ?? '';
    if (path.startsWith(`data/${TOPIC}-`) && path.endsWith('.log')) found.push(descriptor);
  }
  return found;
}

const written = Array.from({ length: PARTITIONS }, (_, index) => [`p${index}/0`, `p${index}/1`]);

test('directories that nobody can name are put aside at the start, and what is written afterwards is kept', async () => {
  for (let seed = 1; seed <= 5; seed++) {
    const machine = machineOf(seed, 3);
    expect(await machine.boot()).toBe('lives');
    await createTopic(machine, machine.connect());
    await logsMade(machine);
    machine.kill();
    const { disk } = machine.simulation;
    for (let partition = 0; partition < PARTITIONS; partition++) disk.remove(`data/${TOPIC}-${partition}/partition.metadata`);
    // And one that no partition has a claim to.
    disk.makeDirectory('data/forgotten-0');
    expect(await machine.boot()).toBe('lives');
    await produce(machine, machine.connect());
    machine.kill();
    const names = disk.list('data');
    expect(names.filter((name) => name.endsWith('-stray')).length, `seed ${seed}: ${names}`).toBe(PARTITIONS + 1);
    expect(await machine.boot()).toBe('lives');
    expect(await fetchAll(machine, machine.connect()), `seed ${seed}`).toEqual(written);
    machine.kill();
  }
});

test('a log that does not say whose it is any more is served on, and no topic made later takes it for its own', async () => {
  for (let seed = 1; seed <= 6; seed++) {
    const machine = machineOf(seed, 1 + (seed % 3));
    expect(await machine.boot()).toBe('lives');
    const topicId = await createTopic(machine, machine.connect());
    await produce(machine, machine.connect());
    if (seed < 4) expect(await machine.stop()).toBe(true);
    else machine.kill();
    const { disk } = machine.simulation;
    const metadataOf = (partition: number): string => `data/${TOPIC}-${partition}/partition.metadata`;
    for (let partition = 0; partition < PARTITIONS; partition++) {
      if (partition % 2 === 0) disk.remove(metadataOf(partition));
      else disk.replaceText(metadataOf(partition), partition % 3 === 0 ? '' : `${formatPartitionMetadata(topicId).slice(0, -3)}\n\n\nmore`);
    }
    expect(await machine.boot()).toBe('lives');
    expect(await fetchAll(machine, machine.connect()), `seed ${seed}`).toEqual(written);
    for (let partition = 0; partition < PARTITIONS; partition++)
      expect(disk.readText(metadataOf(partition))).toBe(formatPartitionMetadata(topicId));
    expect(disk.list('data').filter((name) => name.endsWith('-stray'))).toEqual([]);
    const deletion = { topics: [{ name: TOPIC }], timeoutMs: 1000 };
    await machine.ask(machine.connect(), deleteTopicsRequest, deleteTopicsResponse, 6, deletion);
    await createTopic(machine, machine.connect());
    await produce(machine, machine.connect());
    expect(await fetchAll(machine, machine.connect()), `seed ${seed}`).toEqual(written);
    machine.kill();
  }
});

test('a creation is answered before the logs are there; records that come at once are kept, and so is their order', async () => {
  let early = 0;
  for (let seed = 1; seed <= 20; seed++) {
    const machine = machineOf(seed, 1 + (seed % 3));
    expect(await machine.boot()).toBe('lives');
    const connection = machine.connect();
    await createTopic(machine, connection);
    if (madeLogs(machine) < PARTITIONS) early++;
    // All at once, so that some wait for logs that others have asked for before.
    const answers: number[] = [];
    for (let round = 0; round < 3; round++) {
      const partitionData = Array.from({ length: PARTITIONS }, (_, index) => ({ index, records: labelled(`p${index}`, round, 1) }));
      const body = { acks: -1, timeoutMs: 1000, topicData: [{ name: TOPIC, partitionData: partitionData.slice(round) }] };
      connection.ask(produceRequest, produceResponse, 9, body, ({ responses }) => {
        for (const { errorCode } of responses[0]?.partitionResponses ?? []) answers.push(errorCode);
      });
    }
    const sent = 3 * PARTITIONS - 3;
    await machine.until(() => answers.length === sent, 60_000, 'answers to Produce');
    expect(answers, `seed ${seed}`).toEqual(new Array(sent).fill(ERROR.NONE));
    const expected = written.map((_, index) => ['/0', '/1', '/2'].slice(0, index + 1).map((tail) => `p${index}${tail}`));
    expect(await fetchAll(machine, connection), `seed ${seed}`).toEqual(expected);
    expect(madeLogs(machine)).toBe(PARTITIONS);
    machine.kill();
  }
  expect(early).toBeGreaterThan(10);
});

test('after a loss of power in the midst of it a start makes the logs that are missing', async () => {
  let missing = 0;
  for (let seed = 1; seed <= 20; seed++) {
    const machine = machineOf(seed, 1 + (seed % 3));
    expect(await machine.boot()).toBe('lives');
    const topicId = await createTopic(machine, machine.connect());
    machine.losePower();
    const { disk } = machine.simulation;
    const wholeText = formatPartitionMetadata(topicId);
    const isThere = (partition: number): boolean => disk.readText(`data/${TOPIC}-${partition}/partition.metadata`) === wholeText;
    const partitions = Array.from({ length: PARTITIONS }, (_, partition) => partition);
    if (!partitions.every(isThere)) missing++;
    expect(await machine.boot()).toBe('lives');
    expect(partitions.every(isThere), `seed ${seed}`).toBe(true);
    await produce(machine, machine.connect());
    expect(await fetchAll(machine, machine.connect()), `seed ${seed}`).toEqual(written);
    machine.kill();
  }
  expect(missing).toBeGreaterThan(10);
});

test('what is acknowledged behind a sync of its log is kept, however short a time the log is there', async () => {
  for (let seed = 1; seed <= 20; seed++) {
    const machine = machineOf(seed, 1 + (seed % 3), [['log.flush.interval.messages', '1']]);
    expect(await machine.boot()).toBe('lives');
    await createTopic(machine, machine.connect());
    await produce(machine, machine.connect());
    machine.losePower();
    expect(await machine.boot()).toBe('lives');
    expect(await fetchAll(machine, machine.connect()), `seed ${seed}`).toEqual(written);
    machine.kill();
  }
});

test('a topic that is deleted while its logs are made leaves nothing behind, and another of its name is served', async () => {
  for (let seed = 1; seed <= 20; seed++) {
    const machine = machineOf(seed, 1 + (seed % 3));
    expect(await machine.boot()).toBe('lives');
    const connection = machine.connect();
    await createTopic(machine, connection);
    const refused: number[] = [];
    const waiting = machine.connect();
    const partitionData = [{ index: PARTITIONS - 1, records: labelled('old', 0, 1) }];
    const body = { acks: -1, timeoutMs: 1000, topicData: [{ name: TOPIC, partitionData }] };
    waiting.ask(produceRequest, produceResponse, 9, body, ({ responses }) => {
      refused.push(responses[0]?.partitionResponses[0]?.errorCode ?? -1);
    });
    const deletion = { topics: [{ name: TOPIC }], timeoutMs: 1000 };
    const { answer } = await machine.ask(connection, deleteTopicsRequest, deleteTopicsResponse, 6, deletion);
    expect(answer.responses[0]?.errorCode).toBe(ERROR.NONE);
    await machine.until(() => refused.length > 0, 60_000, 'an answer to Produce');
    expect([ERROR.NONE, ERROR.UNKNOWN_TOPIC_OR_PARTITION]).toContain(refused[0]);
    await createTopic(machine, connection);
    await produce(machine, connection);
    expect(await fetchAll(machine, connection), `seed ${seed}`).toEqual(written);
    expect(await machine.stop()).toBe(true);
    const names = machine.simulation.disk.list('data').filter((name) => name.startsWith(`${TOPIC}-`) && !name.endsWith('-delete'));
    expect(names, `seed ${seed}`).toHaveLength(PARTITIONS);
  }
});

test('a name that is asked for while its topic is being deleted belongs to the new topic alone', async () => {
  let madeCount = 0;
  for (let seed = 101; seed <= 160; seed++) {
    const machine = machineOf(seed, 2 + (seed % 2), [['log.segment.delete.delay.ms', '10']]);
    expect(await machine.boot()).toBe('lives');
    const connection = machine.connect();
    await createTopic(machine, connection);
    await produce(machine, connection);
    const written = await fetchAll(machine, connection);

    const answers: number[] = [];
    connection.ask(deleteTopicsRequest, deleteTopicsResponse, 6, { topics: [{ name: TOPIC }], timeoutMs: 1000 }, () => {});
    const topics = [{ name: TOPIC, numPartitions: PARTITIONS, replicationFactor: 1 }];
    // One comes right behind the deletion, on whatever worker.
    const others = Array.from({ length: 6 }, () => machine.connect());
    for (const each of [...others, ...others, ...others]) {
      const heard = (answer: { topics: readonly { errorCode: number }[] }): void => {
        answers.push(answer.topics[0]?.errorCode ?? -1);
      };
      each.ask(createTopicsRequest, createTopicsResponse, 7, { topics, timeoutMs: 10_000 }, heard);
    }
    await machine.until(() => answers.length === 18, 60_000, 'all answers');
    if (!answers.includes(ERROR.NONE)) continue; // All came before the deletion.
    madeCount++;
    await produce(machine, others[0] as ClientConnection);
    await machine.runFor(1000);
    machine.kill();
    expect(await machine.boot()).toBe('lives');
    expect(await fetchAll(machine, machine.connect()), `seed ${seed}`).toEqual(written);
    expect(
      machine.simulation.disk.list('data').filter((name) => name.endsWith('-stray')),
      `seed ${seed}`,
    ).toEqual([]);
    machine.kill();
  }
  expect(madeCount).toBeGreaterThan(30);
});

test('a stop closes no file under a reader of another worker, and lets none begin to read', async () => {
  const machine = machineOf(7, 2);
  expect(await machine.boot()).toBe('lives');
  const connection = machine.connect();
  await createTopic(machine, connection);
  await produce(machine, connection);
  const runtime = machine.simulation.process?.runtime(1);
  if (runtime === undefined) throw new Error('no process');
  const words = new PartitionWords({
    region: runtime.shared,
    slotCount: SLOT_COUNT_MAX,
    workerCount: 2,
    selfIndex: 1,
    signal: () => {},
  });
  const versions = Array.from({ length: PARTITIONS }, (_, slot) => words.stateVersion(slot));
  versions.forEach((version, slot) => {
    expect(words.enterRead(slot, version)).toBe(true);
  });
  const openBefore = openLogs();
  expect(openBefore).toHaveLength(PARTITIONS);
  connection.reset(); // Nobody is waited for but the readers.
  const { time } = machine.simulation;
  const seen: { logs: number[]; isLetIn: boolean[] }[] = [];
  // Long after the stop has begun: cold reads take their time.
  time.at(time.nowMs + 300, () => {
    const isLetIn = versions.map((version, slot) => words.enterRead(slot, version));
    seen.push({ logs: openLogs(), isLetIn });
    versions.forEach((version, slot) => {
      words.leaveRead(slot, version);
    });
  });
  expect(await machine.stop()).toBe(true);
  expect(seen).toEqual([{ logs: openBefore, isLetIn: versions.map(() => false) }]);
  expect(openLogs()).toEqual([]);
});
