// connections.max.idle.ms: which connections are closed, and when. Time passes by hand.
import { expect, test } from 'vitest';
import type { FileRange } from '../../src/network/file-range.ts';
import type { IncomingRequest } from '../../src/network/incoming-request.ts';
import { MemoryTransport } from '../../src/network/memory-transport.ts';
import { requestFrame } from '../support/raw-client.ts';
import { createNetwork, echo, FETCH, FETCH_V, HandClock, METADATA, METADATA_V, row } from './support.ts';

const IDLE_MS = 600_000;

function worker(idleMs = IDLE_MS, onFetch?: (request: IncomingRequest) => boolean) {
  const clock = new HandClock();
  const parked: IncomingRequest[] = [];
  const park = (request: IncomingRequest): boolean => parked.push(request) > 0;
  const created = createNetwork([row(METADATA, echo), row(FETCH, onFetch ?? park, { order: 'fetch' })], { clock, idleMs });
  created.open();
  const connect = (listener = 0): MemoryTransport => {
    const transport = new MemoryTransport({ defer: (task) => created.runtime.post(task), sendBufferBytes: 100 });
    created.network.adopt(transport, { listener, ticket: 0 });
    return transport;
  };
  const pass = (ms: number): void => {
    for (let passed = 0; passed < ms; passed += 10_000) {
      clock.nowMs += 10_000;
      for (let i = 0; i < 4; i++) created.runtime.loop.runTurn();
    }
  };
  return { ...created, connect, pass, parked };
}

const ask = (bytes: number): Buffer => requestFrame(METADATA, METADATA_V, 1, Buffer.alloc(bytes));

test('a connection on which nothing comes or goes is closed, without a log line', () => {
  const { connect, pass, network, lines } = worker();
  const [silent, asking] = [connect(), connect()];
  for (let i = 0; i < 4; i++) {
    pass(IDLE_MS / 4);
    asking.deliver(ask(10));
  }
  pass(IDLE_MS / 10);
  expect([silent.isClosed, asking.isClosed]).toEqual([true, false]);
  pass(IDLE_MS / 2);
  expect(asking.isClosed).toBe(false);
  pass(IDLE_MS);
  expect(asking.isClosed).toBe(true);
  expect([network.counters.connectionsClosed.idle, lines]).toEqual([2, []]);
});

test('never before its time', () => {
  const { connect, pass } = worker();
  const silent = connect();
  pass(IDLE_MS - 10_000);
  expect(silent.isClosed).toBe(false);
});

test('a reply that is read bit by bit is activity; a request that is worked on is none', () => {
  const { connect, pass, parked } = worker();
  const [reading, parking] = [connect(), connect()];
  reading.deliver(ask(10_000));
  parking.deliver(requestFrame(FETCH, FETCH_V, 1, Buffer.alloc(4)));
  for (let i = 0; i < 40; i++) {
    pass(IDLE_MS / 10);
    reading.take(100);
  }
  expect([reading.isClosed, parking.isClosed]).toEqual([false, true]);
  expect(parked).toHaveLength(1);
  parked[0]?.noReply(); // Its handler ends it all the same.
});

test('a negative time is for ever, and another one counts from when it is set', () => {
  const { connect, pass, network } = worker(-1);
  const silent = connect();
  pass(10 * IDLE_MS);
  expect(silent.isClosed).toBe(false);
  network.setIdleMs(2 * IDLE_MS);
  pass(IDLE_MS);
  expect(silent.isClosed).toBe(true); // It has been idle for longer.
});

test('a negative time is for ever but for a reader that takes nothing of a file, who is told in a line', () => {
  const left: string[] = [];
  const range = (name: string): FileRange => ({
    descriptor: -1,
    position: 0,
    length: 1_000_000,
    isCached: () => true,
    readNow: (_target, _to, _at, length) => length,
    readLater: () => {},
    leave: () => void left.push(name),
  });
  const { connect, pass, network, lines } = worker(-1, (request) => {
    const at = request.tryBeginReply(4);
    const name = request.bytes.toString('latin1', request.position, request.position + request.length);
    request.addFile(at + 4, range(name));
    request.endReply();
    return true;
  });
  const [stuck, slow, silent] = [connect(), connect(), connect()];
  stuck.deliver(requestFrame(FETCH, FETCH_V, 1, Buffer.from('stuck')));
  slow.deliver(requestFrame(FETCH, FETCH_V, 1, Buffer.from('slow')));
  pass(IDLE_MS - 50_000);
  slow.take(100);
  expect([stuck.isClosed, left]).toEqual([false, []]);
  pass(100_000);
  expect([stuck.isClosed, slow.isClosed, silent.isClosed, left]).toEqual([true, false, false, ['stuck']]);
  expect(lines).toEqual([expect.stringMatching(/closed: it has taken nothing for 600000 ms of the log file that its reply comes from$/)]);
  expect(network.counters.connectionsClosed.idle).toBe(1);
  pass(IDLE_MS);
  expect([slow.isClosed, silent.isClosed]).toEqual([true, false]);
});

test('who has been idle longest makes room, but not on the listener that goes first', () => {
  const { connect, pass, network } = worker();
  const [between, old, active] = [connect(1), connect(0), connect(0)];
  pass(20_000);
  active.deliver(ask(10));
  pass(20_000);
  network.closeIdlest(1);
  pass(10_000);
  expect([between.isClosed, old.isClosed, active.isClosed]).toEqual([false, true, false]);
  network.closeIdlest(1);
  network.closeIdlest(1);
  pass(10_000);
  expect([between.isClosed, active.isClosed]).toEqual([false, true]);
});
