// Replies that nobody reads, in memory that others wait for: whose connection is closed, and whose is not. Time passes by hand.
import { expect, test } from 'vitest';
import type { SlabArena } from '../../src/actors/slab-arena.ts';
import { KIB, MIB } from '../../src/base/units.ts';
import type { IncomingRequest } from '../../src/network/incoming-request.ts';
import { MemoryTransport } from '../../src/network/memory-transport.ts';
import { requestFrame } from '../support/raw-client.ts';
import { createNetwork, FETCH, FETCH_V, HandClock, METADATA, METADATA_V, row } from './support.ts';

const STALL_MS = 10_000;
const SEND_BUFFER_BYTES = 1000;

/** The body says how many KiB it wants. */
function give(request: IncomingRequest): boolean {
  const at = request.tryBeginReply(request.bytes.readInt32BE(request.position) * KIB);
  if (at < 0) return false;
  request.endReply();
  return true;
}

function worker() {
  const clock = new HandClock();
  let shared: SlabArena | null = null;
  /** Copies the request to a slab, as what hands it on to another worker. */
  const handOn = (request: IncomingRequest): boolean => {
    const arena = shared as SlabArena;
    const slab = arena.claim(request.length);
    if (slab < 0) {
      request.memoryRefused();
      return false;
    }
    arena.release(slab);
    request.beginReply(0);
    request.endReply();
    return true;
  };
  const rows = [row(FETCH, give, { order: 'fetch' }), row(METADATA, handOn)];
  const created = createNetwork(rows, { arenaBytes: 4 * MIB, clock, stallMs: STALL_MS });
  shared = created.arena;
  created.open();
  const turn = (): void => {
    for (let i = 0; i < 8; i++) created.runtime.loop.runTurn();
  };
  const sender = (frame: Uint8Array): MemoryTransport => {
    const transport = new MemoryTransport({ defer: (task) => created.runtime.post(task), sendBufferBytes: SEND_BUFFER_BYTES });
    created.network.adopt(transport);
    transport.deliver(frame);
    turn();
    return transport;
  };
  const reader = (kib: number): MemoryTransport => {
    const body = Buffer.alloc(4);
    body.writeInt32BE(kib);
    return sender(requestFrame(FETCH, FETCH_V, 1, body));
  };
  const pass = (ms: number, meanwhile: () => void = () => {}): void => {
    for (let passed = 0; passed < ms; passed += 500) {
      clock.nowMs += 500;
      meanwhile();
      turn();
    }
  };
  return { ...created, sender, reader, pass, turn };
}

test('while others wait for memory, the reader with the most unread bytes that takes nothing is closed, and they go on', () => {
  const { network, reader, pass, lines } = worker();
  const less = reader(200);
  const most = reader(1000);
  const little = reader(10);
  pass(60_000);
  expect(network.connectionCount).toBe(3); // Nobody waits: they may be as slow as they like.
  const honest = reader(1000);
  expect(honest.take()).toHaveLength(0);
  pass(STALL_MS - 1000);
  expect(network.connectionCount).toBe(4);
  pass(2000);
  expect([most.isClosed, less.isClosed, little.isClosed]).toEqual([true, false, false]);
  expect(honest.take().length).toBeGreaterThan(1000 * KIB);
  expect(network.counters.connectionsClosed.memory).toBe(1);
  expect(lines).toHaveLength(1);
  expect(lines[0]).toContain('has not read for 10000 ms');
  // It has what it waited for: the others are left alone again.
  pass(60_000);
  expect([less.isClosed, little.isClosed]).toEqual([false, false]);
});

test('a reader that takes a little all the time is not closed, however long the others wait', () => {
  const { network, reader, pass } = worker();
  const slow = [reader(1000), reader(1000)];
  const honest = reader(1000);
  pass(60_000, () => {
    for (const each of slow) each.take(100);
  });
  expect(network.connectionCount).toBe(3);
  expect(honest.take()).toHaveLength(0);
  for (const each of slow) each.take();
  pass(500);
  expect(honest.take().length).toBeGreaterThan(1000 * KIB);
});

test('a request that finds no memory to be handed on is waited for as one that finds none for its reply', () => {
  const { arena, network, sender, reader, pass } = worker();
  const silent = [reader(1000), reader(1001)];
  const rest = arena.claim(MIB);
  const asking = sender(requestFrame(METADATA, METADATA_V, 1, Buffer.alloc(300_000))); // Its frame takes the last slab of that size.
  expect([rest >= 0, network.counters.memoryWaits, network.counters.creditWaiting]).toEqual([true, 0, 1]);
  pass(STALL_MS - 1000);
  expect(network.connectionCount).toBe(3);
  pass(2000);
  expect([...silent, asking].map((each) => each.isClosed)).toEqual([false, true, false]);
  expect(asking.take()).toHaveLength(8);
});

test('one connection is closed at a time, as long as others wait', () => {
  const { network, reader, pass } = worker();
  const silent = [reader(400), reader(401), reader(402), reader(403)];
  const honest = [reader(900), reader(900)];
  pass(STALL_MS + 500);
  expect(silent.map((each) => each.isClosed)).toEqual([false, false, false, true]);
  pass(20_000, () => {
    for (const each of honest) each.take();
  });
  expect(silent.filter((each) => each.isClosed).length).toBeLessThan(4);
  expect(network.counters.connectionsClosed.memory).toBe(silent.filter((each) => each.isClosed).length);
});

test('a reader has all of the time again from when it took something, and when others wait anew', () => {
  const { network, reader, pass } = worker();
  const slow = [reader(1000), reader(1000)];
  const honest = reader(1000);
  pass(STALL_MS - 2000);
  for (const each of slow) each.take(100);
  pass(STALL_MS - 1000);
  expect(network.connectionCount).toBe(3);
  pass(2000);
  expect(slow.map((each) => each.isClosed)).toContain(true);
  pass(2 * STALL_MS); // Nobody waits: the first one who did has a reply, and leaves it as the other does.
  expect(honest.isClosed).toBe(false);
  const next = reader(1000);
  expect(next.take()).toHaveLength(0);
  pass(STALL_MS - 1000);
  expect(network.counters.connectionsClosed.memory).toBe(1);
  pass(2000);
  expect(network.counters.connectionsClosed.memory).toBe(2);
  expect(next.take().length).toBeGreaterThan(1000 * KIB);
});
