// Connections that the main thread accepts and two workers serve; and what happens when descriptors run out.
import { spawn } from 'node:child_process';
import { closeSync } from 'node:fs';
import type { Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import { describe, expect, onTestFinished, test } from 'vitest';
import { canHandOver, descriptorOf, HandOver } from '../../src/network/hand-over.ts';
import { Listener } from '../../src/network/listener.ts';
import { startWorkers } from '../../src/scheduler/supervisor.ts';
import { RawClient } from '../support/raw-client.ts';
import { skipSuite } from '../support/skip.ts';
import { METADATA, METADATA_V, pattern, until } from './support.ts';

test('200 connections on two workers keep their bytes, are shared evenly, and end', async (context) => {
  context.skip(!canHandOver(), 'connections cannot be handed over without native calls');
  let handOver: HandOver | null = null;
  const failures: Error[] = [];
  const workers = await startWorkers({
    count: 2,
    entry: new URL('./echo-worker.ts', import.meta.url),
    data: null,
    sharedBytes: 64,
    listener: {
      onMessage: (worker, message) => handOver?.closed(worker, (message as { closed: number[] }).closed.length),
      onFailed: (error) => failures.push(error),
    },
  });
  const giving = new HandOver(2, { give: (worker, descriptor, acceptance) => workers.handOver(worker, descriptor, acceptance) });
  handOver = giving;
  const listener = await Listener.listen({
    host: '127.0.0.1',
    port: 0,
    backlog: 511,
    onConnection: (socket) => giving.accept(socket, { listener: 0, ticket: 0 }),
  });
  const clients = await Promise.all(Array.from({ length: 200 }, () => RawClient.connect(listener.port)));
  await Promise.all(
    clients.map(async (client, index) => {
      for (const size of [10, 100_000, 3000]) {
        const body = pattern(index * 3 + size, size);
        expect((await client.ask(METADATA, METADATA_V, body)).equals(body)).toBe(true);
      }
    }),
  );
  expect([giving.openCount(0), giving.openCount(1)]).toEqual([100, 100]);
  for (const client of clients.slice(0, 150)) client.close();
  await until(() => giving.openCount(0) + giving.openCount(1) === 50);
  const later = await Promise.all(Array.from({ length: 50 }, () => RawClient.connect(listener.port)));
  await Promise.all(later.map((client) => client.ask(METADATA, METADATA_V, pattern(1, 5))));
  expect([giving.openCount(0), giving.openCount(1)]).toEqual([50, 50]);
  await listener.close();
  await workers.stop();
  await Promise.all([...clients, ...later].map((client) => client.closed));
  expect(failures).toEqual([]);
});

test('a connection beyond the last descriptor is closed, and so is one that the system has none for; one that broke off is not refused', async (context) => {
  context.skip(!canHandOver(), 'connections cannot be handed over without native calls');
  const reasons: string[] = [];
  const given: number[] = [];
  let descriptorsEnd = 0;
  const giving = new HandOver(1, {
    give: (_worker, descriptor) => given.push(descriptor),
    descriptorsEnd: () => descriptorsEnd,
    onRefused: (reason) => reasons.push(reason),
  });
  const accepted: boolean[] = [];
  /** What is done to a socket before it is given away. */
  let prepare: (socket: Socket) => void = () => {};
  const listener = await Listener.listen({
    host: '127.0.0.1',
    port: 0,
    backlog: 511,
    onConnection: (socket) => {
      prepare(socket);
      accepted.push(giving.accept(socket, { listener: 0, ticket: 0 }));
    },
  });
  const closedBy = async (): Promise<void> => (await RawClient.connect(listener.port)).closed;
  await closedBy();
  expect(reasons).toEqual(['0 file descriptors are in use']);
  descriptorsEnd = Number.POSITIVE_INFINITY;
  prepare = (socket) => closeSync(descriptorOf(socket)); // Its number is nobody's now, as if the system had refused.
  await closedBy();
  expect(reasons.slice(1)).toEqual(['dup: EBADF']);
  expect(giving.refusedCount).toBe(2);
  prepare = (socket) => socket.destroy();
  await closedBy();
  expect([accepted, giving.refusedCount, reasons.length, given]).toEqual([[false, false, false], 2, 2, []]);
  await listener.close();
});

describe('without descriptors new connections are refused, the others go on', () => {
  skipSuite(process.platform === 'win32' ? 'there is no limit of descriptors on Windows' : null);
  test.each([
    ['counted where some are kept in reserve', 48],
    ['by libuv where none is left', 1000],
  ])('%s', async (_name, descriptorsMax) => {
    const script = fileURLToPath(new URL('./few-descriptors.ts', import.meta.url));
    const server = spawn('/bin/sh', ['-c', 'ulimit -n 64 && exec "$0" "$1" "$2"', process.execPath, script, String(descriptorsMax)], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    onTestFinished(() => void server.kill());
    const hear = () => new Promise<unknown>((done) => server.once('message', done));
    const port = (await hear()) as number;
    const counted = async () => {
      server.send('?');
      return (await hear()) as { refused: number; open: number; failures: string[] };
    };
    const body = pattern(1, 100);
    const ask = async (client: RawClient) => (await client.ask(METADATA, METADATA_V, body)).equals(body);
    const first = await RawClient.connect(port);
    expect(await ask(first)).toBe(true);
    const others = await Promise.all(Array.from({ length: 100 }, () => RawClient.connect(port)));
    const outcomes = await Promise.all(
      others.map((client) =>
        ask(client).then(
          () => 'served',
          () => 'closed',
        ),
      ),
    );
    expect(outcomes.filter((outcome) => outcome === 'served').length).toBeGreaterThan(10);
    expect(outcomes.filter((outcome) => outcome === 'closed').length).toBeGreaterThan(10);
    expect(await ask(first)).toBe(true);
    if (descriptorsMax < 64) expect((await counted()).refused).toBe(outcomes.filter((outcome) => outcome === 'closed').length);
    for (const client of others) client.close();
    while ((await counted()).open > 1);
    expect(await ask(await RawClient.connect(port))).toBe(true);
    expect((await counted()).failures).toEqual([]);
  });
});
