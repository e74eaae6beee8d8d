// The checkpoints of a broker that runs: written again and again, not only when topics come and go or at the stop.
import { expect, test } from 'vitest';
import { resolveBrokerConfig } from '../../src/config/broker-config.ts';
import { createTopicsRequest, createTopicsResponse } from '../../src/protocol/apis/create-topics.ts';
import { produceRequest, produceResponse } from '../../src/protocol/apis/produce.ts';
import { ERROR } from '../../src/protocol/errors.ts';
import { Simulation } from '../../src/scheduler/sim-runtime.ts';
import { labelled } from '../support/batches.ts';
import { BrokerMachine } from './broker/machine.ts';

const MIB = 1024 * 1024;
const INTERVAL_MS = 1000;
const ANY_TIME = ['log.message.timestamp.after.max.ms', '9223372036854775807'] as const;

test('high watermarks reach their file at every interval', async () => {
  const limits = { workerCount: 2, ringCapacityBytes: 256 * 1024, arenaBytes: 16 * MIB };
  const interval = ['log.flush.offset.checkpoint.interval.ms', `${INTERVAL_MS}`] as const;
  const { config } = resolveBrokerConfig({ overrides: [['log.dirs', 'data'], ANY_TIME, interval], coreCount: 1 });
  const manners = { readBytesMax: MIB, takeBytesMax: MIB, sendBufferBytes: MIB };
  const machine = new BrokerMachine(new Simulation({ seed: 3, limits }), config, manners);
  expect(await machine.boot()).toBe('lives');
  const connection = machine.connect();
  const create = { topics: [{ name: 't', numPartitions: 1, replicationFactor: 1 }], timeoutMs: 10_000 };
  await machine.ask(connection, createTopicsRequest, createTopicsResponse, 7, create);
  for (let round = 1; round <= 4; round++) {
    const topicData = [{ name: 't', partitionData: [{ index: 0, records: labelled('x', 0, 5) }] }];
    const { answer } = await machine.ask(connection, produceRequest, produceResponse, 9, { acks: -1, timeoutMs: 1000, topicData });
    expect(answer.responses[0]?.partitionResponses[0]?.errorCode).toBe(ERROR.NONE);
    await machine.runFor(2 * INTERVAL_MS);
    expect(machine.simulation.disk.readText('data/replication-offset-checkpoint'), `round ${round}`).toContain(`t 0 ${round * 5}\n`);
  }
  machine.kill();
});
