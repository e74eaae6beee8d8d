// One of three log directories fails under a broker that serves, in each operation of a disk in turn: whoever meets the failure, its
// partitions are refused from then on, the others are served, and a start on a healthy disk finds all that was acknowledged.
import { afterEach, expect, test } from 'vitest';
import { resolveBrokerConfig } from '../../src/config/broker-config.ts';
import { createTopicsRequest, createTopicsResponse } from '../../src/protocol/apis/create-topics.ts';
import { deleteTopicsRequest, deleteTopicsResponse } from '../../src/protocol/apis/delete-topics.ts';
import { listOffsetsRequest, listOffsetsResponse } from '../../src/protocol/apis/list-offsets.ts';
import { metadataRequest, metadataResponse } from '../../src/protocol/apis/metadata.ts';
import { produceRequest, produceResponse } from '../../src/protocol/apis/produce.ts';
import { ERROR } from '../../src/protocol/errors.ts';
import type { StorageOperation } from '../../src/scheduler/sim-faults.ts';
import { Simulation } from '../../src/scheduler/sim-runtime.ts';
import { labelled } from '../support/batches.ts';
import type { ClientConnection } from './broker/client-connection.ts';
import { BrokerMachine } from './broker/machine.ts';

const MIB = 1024 * 1024;
const DIRECTORIES = ['one', 'two', 'three'];
const PARTITIONS = 6;
/** Of topic `t`, the partitions in `two`. */
const LOST = [1, 4];
const LATEST = -1;
const CHECKPOINT_MS = 1000;
const OVERRIDES: readonly (readonly [string, string])[] = [
  ['log.dirs', DIRECTORIES.join(',')],
  ['log.message.timestamp.after.max.ms', '9223372036854775807'],
  ['log.flush.offset.checkpoint.interval.ms', `${CHECKPOINT_MS}`],
];

const machines: BrokerMachine[] = [];

afterEach(() => {
  for (const machine of machines.splice(0)) machine.kill();
});

function machineOf(workerCount: number, seed: number): BrokerMachine {
  const limits = { workerCount, ringCapacityBytes: 256 * 1024, arenaBytes: 16 * MIB };
  const { config } = resolveBrokerConfig({ overrides: OVERRIDES, coreCount: 1 });
  const manners = { readBytesMax: MIB, takeBytesMax: MIB, sendBufferBytes: MIB };
  const machine = new BrokerMachine(new Simulation({ seed, limits }), config, manners);
  machines.push(machine);
  return machine;
}

async function create(
  machine: BrokerMachine,
  connection: ClientConnection,
  name: string,
  numPartitions: number,
): Promise<number | undefined> {
  const asked = { topics: [{ name, numPartitions, replicationFactor: 1 }], timeoutMs: 10_000 };
  const { answer } = await machine.ask(connection, createTopicsRequest, createTopicsResponse, 7, asked);
  return answer.topics[0]?.errorCode;
}

async function produce(machine: BrokerMachine, connection: ClientConnection, name: string, index: number): Promise<number | undefined> {
  const topicData = [{ name, partitionData: [{ index, records: labelled('x', 0, 5) }] }];
  const { answer } = await machine.ask(connection, produceRequest, produceResponse, 9, { acks: -1, timeoutMs: 1000, topicData });
  return answer.responses[0]?.partitionResponses[0]?.errorCode;
}

/** By partition: the end of its log, or the error. */
async function ends(machine: BrokerMachine, connection: ClientConnection): Promise<string[]> {
  const partitions = Array.from({ length: PARTITIONS }, (_, partitionIndex) => ({ partitionIndex, timestamp: LATEST }));
  const { answer } = await machine.ask(connection, listOffsetsRequest, listOffsetsResponse, 7, { topics: [{ name: 't', partitions }] });
  const found = [...(answer.topics[0]?.partitions ?? [])].sort((a, b) => a.partitionIndex - b.partitionIndex);
  return found.map(({ errorCode, offset }) => (errorCode === ERROR.NONE ? `${offset}` : `error ${errorCode}`));
}

async function leaders(machine: BrokerMachine, connection: ClientConnection): Promise<number[]> {
  const { answer } = await machine.ask(connection, metadataRequest, metadataResponse, 12, { topics: [{ name: 't' }] });
  return (answer.topics[0]?.partitions ?? []).map(({ leaderId }) => leaderId);
}

const FAILURES: readonly (readonly [StorageOperation, RegExp])[] = [
  ['write', /^two\/t-4\/.*\.log$/],
  ['sync', /^two\/.*checkpoint/],
  ['rename', /^two\/.*checkpoint/],
  ['syncDirectory', /^two/],
  ['makeDirectory', /^two\//],
];

test.each(FAILURES.flatMap(([operation, path]) => [1, 2, 3].map((workers) => [operation, path.source, workers] as const)))(
  '%s of %s fails, %i workers',
  async (operation, path, workers) => {
    const machine = machineOf(workers, 7);
    expect(await machine.boot()).toBe('lives');
    const connection = machine.connect();
    expect(await create(machine, connection, 't', PARTITIONS)).toBe(ERROR.NONE);
    for (let partition = 0; partition < PARTITIONS; partition++)
      expect(await produce(machine, connection, 't', partition)).toBe(ERROR.NONE);

    const pattern = new RegExp(path);
    machine.hasFaults = true;
    machine.simulation.disk.setFaults({ refuse: (what, where) => (what === operation && pattern.test(where) ? 'EIO' : null) });
    // What each of the operations needs: a record, a new partition in that directory, a checkpoint.
    const isTaken = (await produce(machine, connection, 't', 4)) === ERROR.NONE; // Before the failure was seen.
    expect(await create(machine, connection, 'u', 3)).toBe(ERROR.NONE);
    await machine.runFor(3 * CHECKPOINT_MS);
    expect(machine.isUp).toBe(true);
    const told = await ends(machine, connection);
    expect(told).toEqual(['5', 'error 56', '5', '5', 'error 56', '5']);
    expect(await leaders(machine, connection)).toEqual([1, -1, 1, 1, -1, 1]);
    for (let partition = 0; partition < PARTITIONS; partition++) {
      const expected = LOST.includes(partition) ? ERROR.KAFKA_STORAGE_ERROR : ERROR.NONE;
      expect(await produce(machine, connection, 't', partition), `partition ${partition}`).toBe(expected);
    }
    expect(await create(machine, connection, 'v', 4)).toBe(ERROR.NONE);
    for (let partition = 0; partition < 4; partition++) expect(await produce(machine, connection, 'v', partition)).toBe(ERROR.NONE);
    await machine.stop();
    const { disk } = machine.simulation;
    expect(DIRECTORIES.map((name) => disk.exists(`${name}/.kafka_cleanshutdown`))).toEqual([true, false, true]);

    machine.hasFaults = false;
    disk.setFaults({});
    expect(await machine.boot()).toBe('lives');
    const again = machine.connect();
    const kept = isTaken ? '10' : '5';
    expect(await ends(machine, again)).toEqual(['10', '5', '10', '10', kept, '10']);
    expect(await leaders(machine, again)).toEqual([1, 1, 1, 1, 1, 1]);
    for (let partition = 0; partition < 3; partition++) expect(await produce(machine, again, 'u', partition)).toBe(ERROR.NONE);
    expect(await machine.stop()).toBe(true);
  },
);

test.each([1, 2, 3])(
  'a directory that has failed takes no other along when a topic comes whose name it knows, %i workers',
  async (workers) => {
    const machine = machineOf(workers, 11);
    expect(await machine.boot()).toBe('lives');
    const first = machine.connect();
    expect(await create(machine, first, 't', PARTITIONS)).toBe(ERROR.NONE);
    for (let partition = 0; partition < PARTITIONS; partition++) expect(await produce(machine, first, 't', partition)).toBe(ERROR.NONE);
    await machine.stop();
    expect(await machine.boot()).toBe('lives');

    const connection = machine.connect();
    const { disk } = machine.simulation;
    machine.hasFaults = true;
    const changes: string[] = [];
    const refuse = (what: StorageOperation, where: string): string | null => {
      if (!where.startsWith('two/') || (what !== 'rename' && what !== 'makeDirectory')) return null;
      changes.push(where);
      return 'EPERM';
    };
    disk.setFaults({ refuse });
    expect(await create(machine, connection, 'u', 3)).toBe(ERROR.NONE); // One of them would be in `two`.
    await machine.runFor(CHECKPOINT_MS);
    const { answer } = await machine.ask(connection, deleteTopicsRequest, deleteTopicsResponse, 6, {
      topics: [{ name: 't' }],
      timeoutMs: 1000,
    });
    expect(answer.responses[0]?.errorCode).toBe(ERROR.NONE);
    const before = changes.length;
    expect(await create(machine, connection, 't', PARTITIONS)).toBe(ERROR.NONE);
    for (let partition = 0; partition < PARTITIONS; partition++)
      expect(await produce(machine, connection, 't', partition), `partition ${partition}`).toBe(ERROR.NONE);
    expect(changes.slice(before)).toEqual([]);
    await machine.stop();
    expect(DIRECTORIES.map((name) => disk.exists(`${name}/.kafka_cleanshutdown`))).toEqual([true, false, true]);

    machine.hasFaults = false;
    disk.setFaults({});
    expect(await machine.boot()).toBe('lives');
    expect(await ends(machine, machine.connect())).toEqual(new Array(PARTITIONS).fill('5'));
    expect(disk.list('two').filter((name) => /^t-\d+\..*-stray$/.test(name))).toHaveLength(LOST.length);
  },
);
