// Logs that the start finds and does not open at once, since the last life of the broker has taken their leaders with their directory: the
// checkpoints go on saying of them what they said, and forget them with their topic.
import { afterEach, expect, test } from 'vitest';
import { resolveBrokerConfig } from '../../src/config/broker-config.ts';
import { createTopicsRequest, createTopicsResponse } from '../../src/protocol/apis/create-topics.ts';
import { deleteRecordsRequest, deleteRecordsResponse } from '../../src/protocol/apis/delete-records.ts';
import { deleteTopicsRequest, deleteTopicsResponse } from '../../src/protocol/apis/delete-topics.ts';
import { listOffsetsRequest, listOffsetsResponse } from '../../src/protocol/apis/list-offsets.ts';
import { produceRequest, produceResponse } from '../../src/protocol/apis/produce.ts';
import { ERROR } from '../../src/protocol/errors.ts';
import { Simulation } from '../../src/scheduler/sim-runtime.ts';
import { labelled } from '../support/batches.ts';
import type { ClientConnection } from './broker/client-connection.ts';
import { BrokerMachine } from './broker/machine.ts';

const MIB = 1024 * 1024;
const PARTITIONS = 4;
/** Of topic `t`, one in the directory that fails. */
const PARTITION = 1;
const LOG_START = 3;
const EARLIEST = -2;
const STARTS = 'two/log-start-offset-checkpoint';
const RECOVERY_POINTS = 'two/recovery-point-offset-checkpoint';

let machine: BrokerMachine | null = null;

afterEach(() => machine?.kill());

async function boot(broker: BrokerMachine): Promise<ClientConnection> {
  expect(await broker.boot()).toBe('lives');
  return broker.connect();
}

async function produce(broker: BrokerMachine, connection: ClientConnection, index: number): Promise<number | undefined> {
  const topicData = [{ name: 't', partitionData: [{ index, records: labelled('x', 0, 5) }] }];
  const { answer } = await broker.ask(connection, produceRequest, produceResponse, 9, { acks: -1, timeoutMs: 1000, topicData });
  return answer.responses[0]?.partitionResponses[0]?.errorCode;
}

/** Topic `t` with records deleted in the middle of a segment, and then the directory of that partition fails: it has no leader any more. */
async function loseDirectory(workerCount: number): Promise<{ broker: BrokerMachine; connection: ClientConnection }> {
  const limits = { workerCount, ringCapacityBytes: 256 * 1024, arenaBytes: 16 * MIB };
  const overrides = [
    ['log.dirs', 'one,two'],
    ['log.message.timestamp.after.max.ms', '9223372036854775807'],
  ] as const;
  const { config } = resolveBrokerConfig({ overrides, coreCount: 1 });
  const manners = { readBytesMax: MIB, takeBytesMax: MIB, sendBufferBytes: MIB };
  const broker = new BrokerMachine(new Simulation({ seed: 5, limits }), config, manners);
  machine = broker;
  const connection = await boot(broker);
  const created = { topics: [{ name: 't', numPartitions: PARTITIONS, replicationFactor: 1 }], timeoutMs: 10_000 };
  await broker.ask(connection, createTopicsRequest, createTopicsResponse, 7, created);
  for (let index = 0; index < PARTITIONS; index++) expect(await produce(broker, connection, index)).toBe(ERROR.NONE);
  const deleted = { topics: [{ name: 't', partitions: [{ partitionIndex: PARTITION, offset: LOG_START }] }], timeoutMs: 1000 };
  await broker.ask(connection, deleteRecordsRequest, deleteRecordsResponse, 2, deleted);
  expect(broker.simulation.disk.readText(STARTS)).toContain(`t ${PARTITION} ${LOG_START}\n`);

  broker.hasFaults = true;
  broker.simulation.disk.setFaults({ refuse: (what, where) => (what === 'write' && where.startsWith('two/') ? 'EIO' : null) });
  expect(await produce(broker, connection, PARTITION)).toBe(ERROR.KAFKA_STORAGE_ERROR);
  await broker.runFor(1000); // The metadata log says that the directory failed.
  expect(broker.isUp).toBe(true);
  return { broker, connection };
}

/** The process dies, the disk is well again. */
function killAndHeal(broker: BrokerMachine): void {
  broker.kill();
  broker.hasFaults = false;
  broker.simulation.disk.setFaults({});
}

test.each([1, 2, 3])('a log that is opened behind the first checkpoint keeps its start, %i workers', async (workerCount) => {
  const { broker } = await loseDirectory(workerCount);
  killAndHeal(broker);
  await boot(broker);
  const { disk } = broker.simulation;
  expect(disk.readText(STARTS)).toBe(`0\n1\nt ${PARTITION} ${LOG_START}\n`);
  expect(disk.readText(RECOVERY_POINTS)).toMatch(/^0\n2\n(t [13] 0\n){2}$/);
  broker.kill();
  const connection = await boot(broker);
  const topics = [{ name: 't', partitions: [{ partitionIndex: PARTITION, timestamp: EARLIEST }] }];
  const { answer } = await broker.ask(connection, listOffsetsRequest, listOffsetsResponse, 7, { topics });
  expect(answer.topics[0]?.partitions[0]).toMatchObject({ errorCode: ERROR.NONE, offset: LOG_START });
  expect(await produce(broker, connection, PARTITION)).toBe(ERROR.NONE);
  expect(await broker.stop()).toBe(true);
});

test('a log that is never opened is forgotten with its topic', async () => {
  const { broker, connection } = await loseDirectory(2);
  const asked = { topics: [{ name: 't' }], timeoutMs: 1000 };
  const { answer } = await broker.ask(connection, deleteTopicsRequest, deleteTopicsResponse, 6, asked);
  expect(answer.responses[0]?.errorCode).toBe(ERROR.NONE);
  const { disk } = broker.simulation;
  expect(disk.readText(STARTS)).toContain(`t ${PARTITION} ${LOG_START}\n`); // Nothing is written there any more.
  killAndHeal(broker);
  await boot(broker);
  expect(disk.readText(STARTS)).toBe('0\n0\n');
  expect(disk.readText(RECOVERY_POINTS)).toBe('0\n0\n');
});
