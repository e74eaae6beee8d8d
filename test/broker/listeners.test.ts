// A broker with several named listeners over real sockets: every client is told the endpoint of the listener that it came through.
import kafkajs from 'kafkajs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { describeClusterRequest, describeClusterResponse } from '../../src/protocol/apis/describe-cluster.ts';
import { findCoordinatorRequest, findCoordinatorResponse } from '../../src/protocol/apis/find-coordinator.ts';
import { ERROR } from '../../src/protocol/errors.ts';
import { BrokerProcess, freePort } from '../support/broker-process.ts';
import { skipSuite } from '../support/skip.ts';
import { foreignReason, isForeign, workerCounts } from '../support/target.ts';
import { WireClient } from '../support/wire-client.ts';

const { Kafka, logLevel } = kafkajs;
const MAP = 'INSIDE:PLAINTEXT,OUTSIDE:PLAINTEXT,HIDDEN:PLAINTEXT';

/** The ports of the ready line, by listener. */
function portsOf(broker: BrokerProcess): Map<string, number> {
  const line = /^naru .* ready: (\S+), cluster/m.exec(broker.output)?.[1] ?? '';
  return new Map(
    line.split(',').map((listener) => [listener.slice(0, listener.indexOf(':')), Number(listener.slice(listener.lastIndexOf(':') + 1))]),
  );
}

for (const workers of isForeign ? [0] : workerCounts(0, 1, 2)) {
  describe(`at ${workers} workers`, () => {
    skipSuite(isForeign ? foreignReason : null);
    let broker: BrokerProcess;
    let ports: Map<string, number>;

    beforeAll(async () => {
      if (isForeign) return;
      const [inside, outside] = [await freePort(), await freePort()];
      broker = await BrokerProcess.start({
        workers,
        port: inside,
        overrides: {
          listeners: `INSIDE://127.0.0.1:${inside},OUTSIDE://:${outside},HIDDEN://127.0.0.1:0`,
          'advertised.listeners': `OUTSIDE://localhost:${outside},INSIDE://127.0.0.1:${inside}`,
          'listener.security.protocol.map': MAP,
          'inter.broker.listener.name': 'INSIDE',
          'offsets.topic.num.partitions': '2',
          'group.initial.rebalance.delay.ms': '0',
        },
      });
      ports = portsOf(broker);
    });
    afterAll(async () => {
      const exit = await broker?.stop();
      await broker?.dispose();
      if (exit !== undefined) expect(exit).toEqual({ code: 0, signal: null });
    });

    it('the ready line tells all of them with their ports', () => {
      expect([...ports.keys()]).toEqual(['INSIDE', 'OUTSIDE', 'HIDDEN']);
      expect(ports.get('HIDDEN')).toBeGreaterThan(0);
    });

    it.each([
      ['INSIDE', '127.0.0.1'],
      ['OUTSIDE', 'localhost'],
    ])('%s leads on to itself: metadata, cluster, coordinator', async (name, host) => {
      const port = ports.get(name) as number;
      const client = await WireClient.connect(port);
      const where = { host, port };
      expect((await client.metadata()).brokers).toMatchObject([where]);
      const cluster = await client.ask(describeClusterRequest, describeClusterResponse, 2, { endpointType: 1 });
      expect(cluster.brokers).toMatchObject([where]);
      await expect
        .poll(async () => client.ask(findCoordinatorRequest, findCoordinatorResponse, 3, { key: 'group', keyType: 0 }))
        .toMatchObject({ errorCode: 0, ...where });
      client.close();
    });

    it('who comes by a listener that is not advertised is told that nobody leads there', async () => {
      const [client, inside] = [
        await WireClient.connect(ports.get('HIDDEN') as number),
        await WireClient.connect(ports.get('INSIDE') as number),
      ];
      await inside.createTopic('led', 1);
      const told = await client.metadata('led');
      expect(told.brokers).toEqual([]);
      expect(told.topics[0]?.partitions).toMatchObject([{ errorCode: ERROR.LISTENER_NOT_FOUND, leaderId: -1, offlineReplicas: [1] }]);
      const { errorCode } = await client.ask(findCoordinatorRequest, findCoordinatorResponse, 3, { key: 'group', keyType: 0 });
      expect(errorCode).toBe(ERROR.COORDINATOR_NOT_AVAILABLE);
      client.close();
      inside.close();
    });

    it('kafkajs produces through one and reads as a group through the other', { timeout: 60_000 }, async () => {
      const kafka = (name: string) => new Kafka({ clientId: name, brokers: [`127.0.0.1:${ports.get(name)}`], logLevel: logLevel.NOTHING });
      const topic = 'through-both';
      for (const [from, to] of [
        ['INSIDE', 'OUTSIDE'],
        ['OUTSIDE', 'INSIDE'],
      ] as const) {
        const producer = kafka(from).producer();
        await producer.connect();
        await producer.send({ topic, messages: [{ value: `by ${from}` }] });
        await producer.disconnect();
        const consumer = kafka(to).consumer({ groupId: `readers-${to}` });
        await consumer.connect();
        await consumer.subscribe({ topic, fromBeginning: true });
        const seen: string[] = [];
        await consumer.run({ eachMessage: async ({ message }) => void seen.push(String(message.value)) });
        await expect.poll(() => seen, { timeout: 30_000 }).toContain(`by ${from}`);
        await consumer.disconnect();
      }
    });
  });
}

describe('addresses', () => {
  skipSuite(isForeign ? foreignReason : null);

  it.each([
    ['an IPv6 wildcard', 'PLAINTEXT://[::]:0', ['127.0.0.1', '::1']],
    ['an empty host', 'PLAINTEXT://:0', ['127.0.0.1']],
    ['a name', 'PLAINTEXT://localhost:0', ['localhost']],
  ])('%s is listened on, and nothing that means everywhere is told to clients', async (_what, listeners, hosts) => {
    const broker = await BrokerProcess.start({ workers: 0, port: 0, overrides: { listeners } });
    try {
      const port = portsOf(broker).get('PLAINTEXT') as number;
      expect(port).toBeGreaterThan(0);
      for (const host of hosts) {
        const client = await WireClient.connect(port, host);
        const [told] = (await client.metadata()).brokers;
        expect(told?.port).toBe(port);
        expect(['', '0.0.0.0', '::']).not.toContain(told?.host);
        client.close();
      }
    } finally {
      await broker.stop();
      await broker.dispose();
    }
  });
});
