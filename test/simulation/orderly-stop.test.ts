// The two phases of a stop, with several workers under the simulator: logs are closed when the connections of every worker have ended, so a
// record that was taken is written and acknowledged, whichever worker is through first.
import { afterEach, expect, test } from 'vitest';
import { resolveBrokerConfig } from '../../src/config/broker-config.ts';
import { createTopicsRequest, createTopicsResponse } from '../../src/protocol/apis/create-topics.ts';
import { produceRequest, produceResponse } from '../../src/protocol/apis/produce.ts';
import { ERROR } from '../../src/protocol/errors.ts';
import { Simulation } from '../../src/scheduler/sim-runtime.ts';
import { labelled } from '../support/batches.ts';
import { BrokerMachine } from './broker/machine.ts';

const PARTITIONS = 12;
const REQUESTS = 40;
const SEEDS = 40;
const MIB = 1024 * 1024;

let machine: BrokerMachine | null = null;
afterEach(() => machine?.kill());

/** Stops a broker of three workers in the middle of one client's produce requests: the codes of all answers. */
async function stopAmidProduce(seed: number): Promise<number[]> {
  const limits = { workerCount: 3, ringCapacityBytes: 256 * 1024, arenaBytes: 16 * MIB };
  const overrides = [
    ['log.dirs', 'data'],
    ['log.message.timestamp.after.max.ms', '9223372036854775807'], // The simulated clock does not show the test's time.
  ] as const;
  const { config } = resolveBrokerConfig({ overrides, coreCount: 1 });
  const broker = new BrokerMachine(new Simulation({ seed, limits }), config, {
    readBytesMax: MIB,
    takeBytesMax: MIB,
    sendBufferBytes: MIB,
  });
  machine = broker;
  expect(await broker.boot()).toBe('lives');
  const client = broker.connect(); // The other workers have no connection, and are through at once.
  let isMade = false;
  const topics = [{ name: 'topic', numPartitions: PARTITIONS, replicationFactor: 1 }];
  client.ask(createTopicsRequest, createTopicsResponse, 7, { topics, timeoutMs: 10_000 }, ({ topics: [topic] }) => {
    expect(topic?.errorCode).toBe(ERROR.NONE);
    isMade = true;
  });
  await broker.until(() => isMade, 60_000, 'the topic');
  const codes: number[] = [];
  for (let i = 0; i < REQUESTS; i++) {
    const partitionData = Array.from({ length: PARTITIONS }, (_, index) => ({ index, records: labelled(`p${index}`, i, 1) }));
    client.ask(
      produceRequest,
      produceResponse,
      9,
      { acks: -1, timeoutMs: 1000, topicData: [{ name: 'topic', partitionData }] },
      (answer) => {
        codes.push(...(answer.responses[0]?.partitionResponses ?? []).map(({ errorCode }) => errorCode));
      },
    );
  }
  await broker.runFor(0.05 * (seed % 20));
  expect(await broker.stop()).toBe(true);
  return codes;
}

test('a client hears of no refusal because other workers have ended their connections already', async () => {
  let answers = 0;
  let cutShort = 0;
  for (let seed = 1; seed <= SEEDS; seed++) {
    const codes = await stopAmidProduce(seed);
    expect(
      codes.filter((code) => code !== ERROR.NONE),
      `seed ${seed}`,
    ).toEqual([]);
    answers += codes.length;
    if (codes.length > 0 && codes.length < REQUESTS * PARTITIONS) cutShort++;
  }
  // Stops did come amid the requests: without that the test says nothing.
  expect(answers).toBeGreaterThan(0);
  expect(cutShort).toBeGreaterThan(0);
});
