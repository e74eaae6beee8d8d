// One connection, driven byte by byte in memory: which requests overlap, and how their replies leave.
import { describe, expect, test } from 'vitest';
import { KIB, MIB } from '../../src/base/units.ts';
import type { IncomingRequest } from '../../src/network/incoming-request.ts';
import { MemoryTransport } from '../../src/network/memory-transport.ts';
import { API_LATENCY, API_STRIDE } from '../../src/network/request-meter.ts';
import { LATENCY_BOUNDS_MS } from '../../src/telemetry/histogram.ts';
import { ownSlots } from '../../src/telemetry/worker-slots.ts';
import { requestFrame } from '../support/raw-client.ts';
import { API_VERSIONS, echo, FETCH, METADATA, PRODUCE, pattern, row } from './support.ts';
import { expectReplies, frame, Parked, wire } from './wire.ts';

describe('order', () => {
  const rows = (produced: Parked, fetched: Parked, asked: Parked) => [
    row(PRODUCE, produced.handle, { keepsBody: true, order: 'produce' }),
    row(FETCH, fetched.handle, { keepsBody: true, order: 'fetch' }),
    row(METADATA, asked.handle, { keepsBody: true }),
  ];

  test('same classes overlap up to the limit, a barrier waits for all before it, replies leave in order', () => {
    const [produced, fetched, asked] = [new Parked(), new Parked(), new Parked()];
    const { transport, turn } = wire(rows(produced, fetched, asked), { inflightMax: 3 });
    const body = (id: number) => pattern(id, 50);
    const send = (apiKey: number, id: number) => transport.deliver(frame(apiKey, id, body(id)));
    for (let id = 0; id < 4; id++) send(PRODUCE, id);
    send(METADATA, 4);
    send(FETCH, 5);
    send(FETCH, 6);
    turn();
    expect([produced.requests.length, asked.requests.length, fetched.requests.length]).toEqual([3, 0, 0]);
    produced.answer(2);
    produced.answer(1);
    turn();
    expect(transport.take()).toHaveLength(0); // Held behind the first.
    produced.answer(0);
    turn();
    expectReplies(
      transport.take(),
      [0, 1, 2].map((id) => [id, body(id)]),
    );
    expect([produced.requests.length, asked.requests.length]).toEqual([4, 0]);
    produced.answer(3);
    turn();
    expect([asked.requests.length, fetched.requests.length]).toEqual([1, 0]);
    asked.answer(0);
    turn();
    expect(fetched.requests.length).toBe(2);
    fetched.answer(1);
    fetched.answer(0);
    turn();
    expectReplies(
      transport.take(),
      [3, 4, 5, 6].map((id) => [id, body(id)]),
    );
  });

  test('a request without a reply takes no place in the output', () => {
    const produced = new Parked();
    const { transport, turn, arena, restBytes } = wire([
      row(PRODUCE, produced.handle, { keepsBody: true, order: 'produce' }),
      row(METADATA, echo),
    ]);
    transport.deliver(
      Buffer.concat([frame(PRODUCE, 1, pattern(1, 30)), frame(PRODUCE, 2, pattern(2, 30)), frame(METADATA, 3, pattern(3, 5))]),
    );
    turn();
    produced.requests[1]?.noReply();
    produced.requests[0]?.noReply();
    turn();
    expectReplies(transport.take(), [[3, pattern(3, 5)]]);
    expect(arena.usedBytes).toBe(restBytes);
  });

  test('a hundred pipelined requests cost one read and one write', () => {
    const { transport, turn, network } = wire([row(METADATA, echo)]);
    const list = Array.from({ length: 100 }, (_, id): [number, Buffer] => [id, pattern(id, 20)]);
    transport.deliver(Buffer.concat(list.map(([id, body]) => frame(METADATA, id, body))));
    turn();
    expectReplies(transport.take(), list);
    expect([network.counters.readCount, network.counters.writeCount, network.counters.requests]).toEqual([1, 1, 100]);
  });

  test('so do produces, in whatever order a turn answers them', () => {
    const produced = new Parked();
    const { transport, turn, network } = wire([row(PRODUCE, produced.handle, { keepsBody: true, order: 'produce' })]);
    const list = Array.from({ length: 100 }, (_, id): [number, Buffer] => [id, pattern(id, 20)]);
    transport.deliver(Buffer.concat(list.map(([id, body]) => frame(PRODUCE, id, body))));
    expect(produced.requests).toHaveLength(100);
    for (let id = 99; id >= 0; id--) produced.answer(id);
    expect(transport.take()).toHaveLength(0);
    turn();
    expectReplies(transport.take(), list);
    expect([network.counters.readCount, network.counters.writeCount, network.counters.replies]).toEqual([1, 1, 100]);
  });

  test('a small answer leaves within the read that asked for it, counted; where something waits, all of it leaves in a turn', () => {
    const parked = new Parked();
    const slots = ownSlots();
    const { transport, turn, network, arena, restBytes } = wire(
      [row(METADATA, echo), row(FETCH, parked.handle, { keepsBody: true, order: 'fetch' })],
      {
        slots,
      },
    );
    const observed = (apiKey: number): number => {
      const at = apiKey * API_STRIDE + API_LATENCY + 1;
      return slots.requests.subarray(at, at + LATENCY_BOUNDS_MS.length + 1).reduce((sum, count) => sum + count, 0);
    };
    transport.deliver(Buffer.concat([frame(METADATA, 1, pattern(1, 20)), frame(METADATA, 2, pattern(2, 400))]));
    expectReplies(transport.take(), [
      [1, pattern(1, 20)],
      [2, pattern(2, 400)],
    ]);
    expect([network.counters.replies, network.counters.writeCount, observed(METADATA)]).toEqual([2, 1, 2]);
    expect(arena.usedBytes).toBe(restBytes);
    // A fetch behind it is not answered yet.
    transport.deliver(Buffer.concat([frame(METADATA, 3, pattern(3, 20)), frame(FETCH, 4, pattern(4, 20))]));
    expect(transport.take()).toHaveLength(0);
    turn();
    expectReplies(transport.take(), [[3, pattern(3, 20)]]);
    parked.answer(0);
    expect(transport.take()).toHaveLength(0);
    turn();
    expectReplies(transport.take(), [[4, pattern(4, 20)]]);
    // More than a system call of ours takes.
    transport.deliver(frame(METADATA, 5, pattern(5, 5000)));
    expect(transport.take()).toHaveLength(0);
    turn();
    expectReplies(transport.take(), [[5, pattern(5, 5000)]]);
    expect([network.counters.writeCount, observed(METADATA), observed(FETCH)]).toEqual([4, 4, 1]);
  });

  test('how long an answer took that waits for the end of the turn is not measured by one that leaves before', () => {
    const parked = new Parked();
    const slots = ownSlots();
    const { transport, turn, network, runtime, clock } = wire([row(METADATA, echo), row(FETCH, parked.handle, { order: 'fetch' })], {
      slots,
    });
    const sumMs = (apiKey: number): number => slots.requests[apiKey * API_STRIDE + API_LATENCY] as number;
    const other = new MemoryTransport({ defer: (task) => runtime.post(task), sendBufferBytes: 64 * MIB, sendsSmall: true });
    network.adopt(other);
    transport.deliver(Buffer.concat([frame(METADATA, 1, pattern(1, 20)), frame(FETCH, 2, pattern(2, 20))]));
    other.deliver(frame(METADATA, 3, pattern(3, 20)));
    expect([transport.take().length, other.take().length > 0]).toEqual([0, true]);
    clock.nowMs += 40;
    turn();
    expectReplies(transport.take(), [[1, pattern(1, 20)]]);
    expect(sumMs(METADATA)).toBeGreaterThanOrEqual(40);
  });

  test('a large reply leaves in shares, and what others are answered leaves between them', () => {
    const { transport, runtime, network, turn, arena, restBytes } = wire([row(METADATA, echo)]);
    const other = new MemoryTransport({ defer: (task) => runtime.post(task), sendBufferBytes: 64 * MIB });
    network.adopt(other);
    const body = pattern(1, MIB + 500 * KIB);
    transport.deliver(frame(METADATA, 1, body));
    runtime.loop.runTurn();
    const first = transport.take();
    expect(first.length).toBeGreaterThan(0);
    expect(first.length).toBeLessThan(body.length / 2);
    other.deliver(frame(METADATA, 2, pattern(2, 10)));
    runtime.loop.runTurn();
    expectReplies(other.take(), [[2, pattern(2, 10)]]);
    const second = transport.take();
    expect(first.length + second.length).toBeLessThan(body.length);
    turn();
    expectReplies(Buffer.concat([first, second, transport.take()]), [[1, body]]);
    other.reset();
    turn();
    expect(arena.usedBytes).toBeLessThanOrEqual(restBytes);
  });

  test('a share that a reader takes slowly keeps the memory that it lies in, also when the rest is given up', () => {
    const { transport, runtime, connection, turn, arena, restBytes } = wire([row(METADATA, echo)], { sendBufferBytes: 100 * KIB });
    transport.deliver(frame(METADATA, 1, pattern(1, MIB)));
    runtime.loop.runTurn();
    const first = transport.take(50 * KIB);
    expect(first.length).toBe(50 * KIB);
    expect(arena.usedBytes).toBeGreaterThan(restBytes);
    transport.reset();
    turn();
    expect(connection?.isClosed).toBe(true);
    expect(arena.usedBytes).toBe(restBytes);
  });

  test('a reply may begin anew after it was given up, and be written in a later turn', () => {
    let parked: IncomingRequest | null = null;
    const { transport, turn, arena, restBytes } = wire([
      row(METADATA, (request) => {
        if (request.correlationId === 1) {
          parked = request;
          return true;
        }
        request.beginReply(2000);
        request.abortReply();
        const at = request.tryBeginReply(10);
        request.replyBytes.fill(7, at, at + 10);
        request.endReply();
        return true;
      }),
    ]);
    transport.deliver(Buffer.concat([frame(METADATA, 0, pattern(0, 9)), frame(METADATA, 1, pattern(1, 9))]));
    turn();
    expectReplies(transport.take(), [[0, Buffer.alloc(10, 7)]]);
    const later = parked as IncomingRequest | null;
    if (later === null) throw new Error('not taken');
    later.beginReply(0);
    turn();
    later.endReply();
    turn();
    expectReplies(transport.take(), [[1, Buffer.alloc(0)]]);
    expect(arena.usedBytes).toBe(restBytes);
  });

  test('flexible versions get a tag section in the reply header, ApiVersions never', () => {
    const { transport, turn } = wire([row(METADATA, echo), row(API_VERSIONS, echo, { acceptsAnyVersion: true })]);
    transport.deliver(requestFrame(METADATA, 9, 1, Buffer.from('m'), true));
    transport.deliver(requestFrame(API_VERSIONS, 3, 2, Buffer.from('a'), true));
    transport.deliver(requestFrame(API_VERSIONS, 99, 3, Buffer.from('u'), true));
    turn();
    const bytes = transport.take();
    expect(bytes.toString('hex')).toBe(`00000006000000010${'0'}6d0000000500000002610000000500000003${'75'}`);
  });
});
