// A program that runs brokers and then has nothing to do: for left-behind.test.ts. It says what is left, and must end by itself.
// One broker stops, one cannot start, one fails while a client is connected. Its argument: at how many workers.
import { existsSync, readdirSync, readlinkSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import type { Worker } from 'node:worker_threads';
import { startBroker } from '../../src/embedded/start-broker.ts';
import { LeaderReplica } from '../../src/partition/leader-replica.ts';
import { labelled } from '../support/batches.ts';
import { WireClient } from '../support/wire-client.ts';

const [, , workers] = process.argv;
const config = { 'naru.workers': workers };
/** What ends a moment later, such as the end of a thread or of a socket, is given it. */
const LEFT_AFTER_MS = 20_000;

function listeners(): string[] {
  return process.eventNames().map((name) => `${String(name)} ${process.listenerCount(name)}`);
}

function openFiles(): string[] {
  if (process.platform !== 'linux') return [];
  return readdirSync('/proc/self/fd').flatMap((descriptor) => {
    const link = `/proc/self/fd/${descriptor}`;
    return existsSync(link) && readlinkSync(link).includes('naru-') ? [readlinkSync(link)] : [];
  });
}

const active = (): string[] => process.getActiveResourcesInfo().filter((kind) => kind !== 'PipeWrap' && kind !== 'Timeout');
const listenersBefore = listeners();
const activeBefore = active();

async function useAndStop(): Promise<void> {
  const broker = await startBroker({ config });
  const client = await WireClient.connect(broker.port);
  await client.createTopic('t', 1, { 'compression.type': 'gzip' });
  await client.produce('t', 0, labelled('t', 0, 3)); // Compressed anew: a pool thread runs.
  await broker.stop();
  client.close();
}

async function refused(): Promise<void> {
  const first = await startBroker({ config });
  const error = await startBroker({ config, port: first.port }).then(
    () => 'it started',
    ({ code }) => code,
  );
  if (error !== 'EADDRINUSE') throw new Error(`the port is taken, but: ${error}`);
  await first.stop();
}

async function failed(): Promise<void> {
  const threads: Worker[] = [];
  process.once('worker', (thread) => threads.push(thread));
  const broker = await startBroker({ config, logger: null });
  const client = await WireClient.connect(broker.port);
  await client.createTopic('t', 1);
  if (threads.length > 0) {
    await threads[0]?.terminate();
  } else {
    LeaderReplica.prototype.append = () => {
      throw new Error('sabotaged');
    };
    client.produce('t', 0, labelled('t', 0, 1)).catch(() => {});
  }
  await broker.failed.catch(() => {});
  await client.raw.closed;
  process.removeAllListeners('worker');
  await broker.stop();
}

await useAndStop();
await refused();
await failed(); // The last: what was put in its way stays there.
const deadline = performance.now() + LEFT_AFTER_MS;
while (active().length > activeBefore.length && performance.now() < deadline) await delay(10);
const added = listeners().filter((each) => !listenersBefore.includes(each));
console.log(
  `${added.length === 0 ? 'no' : added.join(', ')} listeners, ${openFiles().length === 0 ? 'no' : openFiles().join(', ')} files, ` +
    `${active().length <= activeBefore.length ? 'nothing' : active().join(', ')} active`,
);
