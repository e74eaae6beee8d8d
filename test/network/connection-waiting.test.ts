// One connection, driven byte by byte in memory: waiting for credits, for memory, and for a reader.
import { describe, expect, test } from 'vitest';
import { KIB, MIB } from '../../src/base/units.ts';
import type { IncomingRequest } from '../../src/network/incoming-request.ts';
import { MemoryTransport } from '../../src/network/memory-transport.ts';
import { echo, METADATA, PRODUCE, pattern, row } from './support.ts';
import { expectReplies, frame, wire } from './wire.ts';

describe('waiting', () => {
  test('a request that was not taken comes again, the same object, when asked for; others behind it wait', () => {
    let isOpen = false;
    const seen: IncomingRequest[] = [];
    const { transport, turn, network } = wire([
      row(
        PRODUCE,
        (request) => {
          seen.push(request);
          if (!isOpen) request.beginReply(10); // Given back by the false.
          return isOpen && echo(request);
        },
        { keepsBody: true, order: 'produce' },
      ),
    ]);
    const list = Array.from({ length: 30 }, (_, id): [number, Buffer] => [id, pattern(id, 3000)]);
    for (const [id, body] of list) transport.deliver(frame(PRODUCE, id, body));
    turn();
    expect(transport.isReading).toBe(false); // One landing buffer's worth may wait, no more.
    expect(transport.unreadBytes).toBeGreaterThan(0);
    network.retry();
    turn();
    expect(new Set(seen).size).toBe(1);
    isOpen = true;
    network.retry();
    turn();
    expectReplies(transport.take(), list);
    expect(transport.isReading).toBe(true);
  });

  test('those whose credits are missing hold up nobody behind them whose credits came', () => {
    const handle = (request: IncomingRequest): boolean => request.bytes[request.position] === 1 && isBack && echo(request);
    let isBack = false;
    const { transport, turn, network, runtime } = wire([row(METADATA, handle)]);
    // The first ones wait for a worker that gives none back, the last one for another.
    const last = 300;
    const others = Array.from(
      { length: last + 1 },
      () => new MemoryTransport({ defer: (task) => runtime.post(task), sendBufferBytes: MIB }),
    );
    for (const other of others) network.adopt(other);
    transport.deliver(frame(METADATA, 1, Buffer.of(0)));
    turn();
    others.forEach((other, n) => {
      other.deliver(frame(METADATA, n, Buffer.of(n === last ? 1 : 0)));
      turn();
    });
    isBack = true;
    network.retry();
    turn();
    expectReplies(others[last]?.take() ?? Buffer.alloc(0), [[last, Buffer.of(1)]]);
    // All have had their turn: nothing goes on until something comes back again.
    turn();
    expect(runtime.loop.isAsleep).toBe(true);
  });

  test('a reader that does not read stops its own requests; its memory is bounded', () => {
    const { transport, turn, arena, restBytes, network } = wire([row(METADATA, echo)], {
      sendBufferBytes: 10_000,
      outputBytesMax: 200_000,
    });
    const list = Array.from({ length: 600 }, (_, id): [number, Buffer] => [id, pattern(id, 5000)]);
    for (const [id, body] of list) {
      transport.deliver(frame(METADATA, id, body));
      turn();
      expect(arena.usedBytes - restBytes).toBeLessThan(1.2 * MIB);
    }
    expect(transport.isReading).toBe(false);
    expect(network.counters.requests).toBeLessThan(60);
    const got: Buffer[] = [];
    for (let idle = 0; idle < 3; ) {
      const taken = transport.take(30_000);
      got.push(taken);
      idle = taken.length === 0 ? idle + 1 : 0;
      turn();
    }
    expectReplies(Buffer.concat(got), list);
    expect(arena.usedBytes).toBe(restBytes);
  });

  test('without memory a connection stops reading and goes on when some is released, first come first', () => {
    const order: number[] = [];
    const { transport, turn, arena, network, runtime } = wire(
      [
        row(
          PRODUCE,
          (request) => {
            order.push(request.correlationId);
            return echo(request);
          },
          { keepsBody: true, order: 'produce' },
        ),
        row(METADATA, () => true), // Never answered: something is in progress that could bring memory back.
      ],
      { arenaBytes: MIB },
    );
    const second = new MemoryTransport({ defer: (task) => runtime.post(task), sendBufferBytes: MIB });
    const busy = new MemoryTransport({ defer: (task) => runtime.post(task), sendBufferBytes: MIB });
    network.adopt(second);
    network.adopt(busy);
    busy.deliver(frame(METADATA, 9, pattern(9, 10)));
    const taken: number[] = [];
    for (let slab = arena.claim(4 * KIB); slab >= 0; slab = arena.claim(4 * KIB)) taken.push(slab);
    transport.deliver(frame(PRODUCE, 1, pattern(1, 20_000)));
    turn();
    second.deliver(frame(PRODUCE, 2, pattern(2, 100)));
    turn();
    second.deliver(frame(PRODUCE, 3, pattern(3, 60_000)));
    expect([transport.isReading, second.isReading, order.length]).toEqual([false, false, 0]);
    expect(second.unreadBytes).toBeGreaterThan(60_000);
    for (const slab of taken) arena.release(slab);
    turn();
    expect(order).toEqual([1, 2, 3]);
    expectReplies(transport.take(), [[1, pattern(1, 20_000)]]);
    expectReplies(second.take(), [
      [2, pattern(2, 100)],
      [3, pattern(3, 60_000)],
    ]);
    expect(network.counters.memoryWaits).toBeGreaterThan(0);
  });

  test('small replies need no memory of the arena', () => {
    const { transport, turn, arena } = wire([
      row(METADATA, (request) => {
        const at = request.beginReply(3);
        request.replyBytes.write('yes', at);
        request.endReply();
        return true;
      }),
    ]);
    while (arena.claim(4 * KIB) >= 0);
    transport.deliver(Buffer.concat([frame(METADATA, 1, pattern(1, 20)), frame(METADATA, 2, pattern(2, 20))]));
    turn();
    expectReplies(transport.take(), [
      [1, Buffer.from('yes')],
      [2, Buffer.from('yes')],
    ]);
  });
});
