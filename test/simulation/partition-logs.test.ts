// What becomes of partitions' directories and files around a start and a stop, with several workers under the simulator: who puts leftovers
// aside, when a creation is answered, when a file is closed.
import { afterEach, expect, test } from 'vitest';
import { resolveBrokerConfig } from '../../src/config/broker-config.ts';
import { readPartitionMetadata } from '../../src/log/partition-metadata.ts';
import { virtualFile } from '../../src/log/virtual-descriptors.ts';
import { PartitionWords, SLOT_COUNT_MAX } from '../../src/partition/partition-words.ts';
import { createTopicsRequest, createTopicsResponse } from '../../src/protocol/apis/create-topics.ts';
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

function machineOf(seed: number, workerCount: number): BrokerMachine {
  const limits = { workerCount, ringCapacityBytes: 256 * 1024, arenaBytes: 16 * MIB };
  const { config } = resolveBrokerConfig({ overrides: [['log.dirs', 'data'], ANY_TIME], coreCount: 1 });
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

test('a topic whose creation was answered is on the medium, and so is what is acknowledged behind a sync of its log', async () => {
  for (let seed = 1; seed <= 20; seed++) {
    const machine = machineOf(seed, 1 + (seed % 3));
    expect(await machine.boot()).toBe('lives');
    const topicId = await createTopic(machine, machine.connect());
    machine.losePower();
    const { disk } = machine.simulation;
    for (let partition = 0; partition < PARTITIONS; partition++) {
      expect(readPartitionMetadata(disk, `data/${TOPIC}-${partition}`), `seed ${seed}, partition ${partition}`).toBe(topicId);
    }
  }
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
