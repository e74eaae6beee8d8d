// Limits of connections over real sockets: they hold for all workers together.
import { describe, expect, it } from 'vitest';
import { incrementalAlterConfigsRequest, incrementalAlterConfigsResponse } from '../../src/protocol/apis/incremental-alter-configs.ts';
import { BrokerProcess, within } from '../support/broker-process.ts';
import { skipSuite } from '../support/skip.ts';
import { foreignReason, isForeign, workerCounts } from '../support/target.ts';
import { WireClient } from '../support/wire-client.ts';

const CLOSED_WITHIN_MS = 20_000;

async function withBroker(
  workers: number,
  overrides: Record<string, string>,
  run: (broker: BrokerProcess) => Promise<void>,
): Promise<void> {
  const broker = await BrokerProcess.start({ workers, overrides });
  try {
    await run(broker);
    expect((await broker.stop()).code).toBe(0);
  } finally {
    await broker.dispose();
  }
}

const connect = (broker: BrokerProcess, count: number, port = broker.port): Promise<WireClient[]> =>
  Promise.all(Array.from({ length: count }, () => WireClient.connect(port)));

/** A broker with a listener between brokers and another one, whose port this is. */
const TWO_LISTENERS = {
  listeners: 'PLAINTEXT://127.0.0.1:0,EXTERNAL://127.0.0.1:0',
  'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,EXTERNAL:PLAINTEXT',
  'inter.broker.listener.name': 'PLAINTEXT',
};
const externalPort = (broker: BrokerProcess): number => Number(/EXTERNAL:\/\/127\.0\.0\.1:(\d+)/.exec(broker.output)?.[1]);

/** Sets an option of the broker, or takes it away. */
async function alter(client: WireClient, name: string, value: string | null): Promise<void> {
  const resources = [{ resourceType: 4, resourceName: '1', configs: [{ name, value, configOperation: value === null ? 1 : 0 }] }];
  const { responses } = await client.ask(incrementalAlterConfigsRequest, incrementalAlterConfigsResponse, 1, { resources });
  expect(responses.map(({ errorCode, errorMessage }) => [errorCode, errorMessage])).toEqual([[0, null]]);
}

/** Whether a connection that is made now is served; it waits where `served` had many answers before its own. */
async function fateOfNext(port: number, served: readonly WireClient[], roundsMax = 20): Promise<string> {
  const next = await WireClient.connect(port);
  const answer = next.metadata().then(
    () => 'served',
    () => 'closed',
  );
  const rounds = (async () => {
    for (let round = 0; round < roundsMax; round++) await Promise.all(served.map((client) => client.metadata()));
    return 'waiting';
  })();
  const fate = await Promise.race([answer, rounds]);
  await rounds;
  next.close();
  return fate;
}

describe.each(workerCounts(0, 2))('at %i workers', (workers) => {
  skipSuite(isForeign ? foreignReason : null);

  it('one more than max.connections waits until another one is closed', () =>
    withBroker(workers, { 'max.connections': '4' }, async (broker) => {
      const served = await connect(broker, 4);
      await Promise.all(served.map((client) => client.metadata()));
      const [late] = await connect(broker, 1);
      let isAnswered = false;
      const answer = late?.metadata().then(() => {
        isAnswered = true;
      });
      for (let round = 0; round < 20; round++) await Promise.all(served.map((client) => client.metadata()));
      expect(isAnswered).toBe(false);
      served[1]?.close();
      await answer;
      expect(isAnswered).toBe(true);
      for (const client of [...served, late]) client?.close();
    }));

  it('one more than max.connections.per.ip is closed at once, until another one of its address is closed', () =>
    withBroker(
      workers,
      { 'max.connections.per.ip': '0', 'max.connections.per.ip.overrides': 'localhost:3,127.0.0.1:3' },
      async (broker) => {
        const served = await connect(broker, 3);
        await Promise.all(served.map((client) => client.metadata()));
        const [refused] = await connect(broker, 1);
        await within(CLOSED_WITHIN_MS, refused?.raw.closed ?? Promise.reject(new Error('no client')));
        await expect.poll(() => broker.output).toContain('127.0.0.1 has as many connections as it may have (3)');
        await Promise.all(served.map((client) => client.metadata()));
        served[0]?.close();
        await expect
          .poll(
            async () => {
              const [next] = await connect(broker, 1);
              const isServed = await next?.metadata().then(
                () => true,
                () => false,
              );
              next?.close();
              return isServed;
            },
            { timeout: CLOSED_WITHIN_MS },
          )
          .toBe(true);
        for (const client of served) client.close();
      },
    ));

  it('the listener between brokers is let in beyond max.connections, and the one that was idle longest goes for it', () =>
    withBroker(
      workers,
      {
        ...TWO_LISTENERS,
        'max.connections': '2',
      },
      async (broker) => {
        const clients = await connect(broker, 2, externalPort(broker));
        for (const client of clients) await client.metadata();
        const between = await WireClient.connect(broker.port);
        await between.metadata();
        await within(CLOSED_WITHIN_MS, Promise.race(clients.map((client) => client.raw.closed)));
        for (const client of [...clients, between]) client.close();
      },
    ));

  it('who comes sooner than a listener’s rate allows is not served yet, on that listener alone', () =>
    withBroker(
      workers,
      {
        ...TWO_LISTENERS,
        // Nobody for an hour, and then one an hour.
        'listener.name.external.max.connection.creation.rate': '0',
        'quota.window.size.seconds': '3600',
      },
      async (broker) => {
        const external = await WireClient.connect(externalPort(broker));
        let isAnswered = false;
        external.metadata().then(
          () => {
            isAnswered = true;
          },
          () => {},
        );
        const between = await connect(broker, 3);
        for (let round = 0; round < 20; round++) await Promise.all(between.map((client) => client.metadata()));
        expect(isAnswered).toBe(false);
        for (const client of [external, ...between]) client.close();
      },
    ));

  it.each(['max.connection.creation.rate', 'listener.name.plaintext.max.connection.creation.rate'])(
    '%s, set while the broker runs, counts those who came before',
    (name) =>
      withBroker(workers, { 'quota.window.size.seconds': '3600', 'quota.window.num': '1' }, async (broker) => {
        const served = await connect(broker, 60);
        for (const client of served) await client.metadata();
        await alter(served[0] as WireClient, name, '1');
        // The main thread hears of it a moment after the answer; then it takes until 60 connections are one a second.
        await expect.poll(() => fateOfNext(broker.port, served), { timeout: CLOSED_WITHIN_MS }).toBe('waiting');
        for (const client of served) client.close();
      }),
  );

  it.each([
    ['max.connections', '30'],
    ['listener.name.external.max.connections', '10'],
  ])('%s=%s, set while the broker runs, lets the next one of the other listener wait until it is taken away', (name, value) =>
    withBroker(workers, TWO_LISTENERS, async (broker) => {
      const external = externalPort(broker);
      const between = await connect(broker, 5);
      const served = await connect(broker, 30, external);
      for (const client of [...between, ...served]) await client.metadata();
      expect(await fateOfNext(external, between)).toBe('served');
      await alter(between[0] as WireClient, name, value);
      await expect.poll(() => fateOfNext(external, between), { timeout: CLOSED_WITHIN_MS }).toBe('waiting');
      expect(await fateOfNext(external, between, 300)).toBe('waiting');
      const [waiting] = await connect(broker, 1, external);
      const answer = waiting?.metadata();
      if (name !== 'max.connections') expect(await fateOfNext(broker.port, between)).toBe('served');
      await alter(between[0] as WireClient, name, null);
      await within(CLOSED_WITHIN_MS, answer ?? Promise.reject(new Error('no client')));
      for (const client of [...between, ...served, waiting]) client?.close();
    }),
  );

  it('an idle connection is closed after connections.max.idle.ms', () =>
    withBroker(workers, { 'connections.max.idle.ms': '300', 'connection.failed.authentication.delay.ms': '100' }, async (broker) => {
      const [client] = await connect(broker, 1);
      await client?.metadata();
      await within(CLOSED_WITHIN_MS, client?.raw.closed ?? Promise.reject(new Error('no client')));
    }));
});
