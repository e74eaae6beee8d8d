// A broker that cannot go on, inside of a process that can: `failed` rejects, and nothing of the broker is left.
import { existsSync, readdirSync, readlinkSync } from 'node:fs';
import type { Worker } from 'node:worker_threads';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { ConnectionDesk } from '../../src/broker/connection-desk.ts';
import { type EmbeddedBroker, startBroker } from '../../src/embedded/start-broker.ts';
import { FrameCutter } from '../../src/network/frame-cutter.ts';
import { NetworkActor } from '../../src/network/network-actor.ts';
import { LeaderReplica } from '../../src/partition/leader-replica.ts';
import { labelled, labels, range } from '../support/batches.ts';
import { within } from '../support/broker-process.ts';
import { WireClient } from '../support/wire-client.ts';

const FAILED_WITHIN_MS = 10_000;

afterEach(() => void vi.restoreAllMocks());

/** Files of a directory that this process has open. */
function openFiles(directory: string): string[] {
  if (process.platform !== 'linux') return [];
  return readdirSync('/proc/self/fd').flatMap((descriptor) => {
    try {
      const target = readlinkSync(`/proc/self/fd/${descriptor}`);
      return target.startsWith(directory) ? [target] : [];
    } catch {
      return []; // The one that the folder was read by.
    }
  });
}

/** A broker with a record, a client of it, and the errors that it logged. */
async function served(workers: number): Promise<{ broker: EmbeddedBroker; client: WireClient; errors: unknown[] }> {
  const errors: unknown[] = [];
  const hear = (): void => {};
  const error = ({ error: what }: Readonly<Record<string, unknown>>): void => void errors.push(what);
  const broker = await startBroker({ config: { 'naru.workers': workers }, logger: { debug: hear, info: hear, warn: hear, error } });
  const client = await WireClient.connect(broker.port);
  // Answered behind all syncs: a thread that dies in one leaves open what it has opened for that.
  await client.createTopic('t', 1, { 'flush.messages': '1' });
  await client.produce('t', 0, labelled('t', 0, 3));
  return { broker, client, errors };
}

async function expectAllGone({ broker, client, errors }: Awaited<ReturnType<typeof served>>, reason: RegExp): Promise<void> {
  await expect(within(FAILED_WITHIN_MS, broker.failed)).rejects.toThrow(reason);
  await within(FAILED_WITHIN_MS, client.raw.closed);
  await expect(WireClient.connect(broker.port)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  expect(errors).toEqual([expect.stringMatching(reason)]);
  await vi.waitFor(() => expect(openFiles(broker.directory)).toEqual([]), FAILED_WITHIN_MS);
  expect(existsSync(broker.directory)).toBe(true); // To be looked at.
  await broker.stop();
  expect(existsSync(broker.directory)).toBe(false);
}

describe('an error of its own', () => {
  const sabotage = (): never => {
    throw new Error('sabotaged');
  };

  test.each([
    {
      where: 'in a turn',
      arm: () => vi.spyOn(LeaderReplica.prototype, 'append').mockImplementationOnce(sabotage),
      meet: (client: WireClient) => client.produce('t', 0, labelled('t', 3, 1)),
    },
    {
      where: 'in a callback of a socket',
      arm: () => vi.spyOn(FrameCutter.prototype, 'find').mockImplementationOnce(sabotage),
      meet: (client: WireClient) => client.metadata('t'),
    },
    {
      where: 'where connections are accepted',
      arm: () => vi.spyOn(ConnectionDesk.prototype, 'arrive').mockImplementationOnce(sabotage),
      meet: async (_client: WireClient, { port }: EmbeddedBroker) => (await WireClient.connect(port)).raw.closed,
    },
    {
      where: 'where a worker takes a connection, with others behind it,',
      arm: () => vi.spyOn(NetworkActor.prototype, 'adopt').mockImplementationOnce(sabotage),
      meet: async (_client: WireClient, { port }: EmbeddedBroker) => {
        const asOne = async (): Promise<void> => (await WireClient.connect(port)).raw.closed;
        await Promise.allSettled(Array.from({ length: 5 }, asOne));
      },
    },
  ])('$where ends that broker, and no other one', async ({ arm, meet }) => {
    const bystander = await served(0);
    const victim = await served(0);
    arm();
    const met = meet(victim.client, victim.broker).then(
      () => {},
      () => {}, // Its connection is broken off.
    );
    await expectAllGone(victim, /sabotaged/);
    await within(FAILED_WITHIN_MS, met);
    expect(labels(await bystander.client.readAll('t', 0))).toEqual(range('t', 0, 3));
    bystander.client.close();
    await bystander.broker.stop();
  });
});

test('a thread that dies takes its broker along', async () => {
  const threads: Worker[] = [];
  const note = (thread: Worker): void => void threads.push(thread);
  process.on('worker', note);
  try {
    const victim = await served(2);
    await threads[1]?.terminate();
    await expectAllGone(victim, /worker 1 failed/);
  } finally {
    process.off('worker', note);
  }
});
