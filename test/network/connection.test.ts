// One connection, driven byte by byte in memory: framing at every cut, order, waiting for credits and memory, ends. Time stands still:
// however long a case takes here, the other side is never too slow for the broker.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { KIB, MIB } from '../../src/base/units.ts';
import type { ApiRow } from '../../src/network/api-row.ts';
import type { IncomingRequest } from '../../src/network/incoming-request.ts';
import { MemoryTransport } from '../../src/network/memory-transport.ts';
import type { NetworkOptions } from '../../src/network/network-actor.ts';
import { API_LATENCY, API_STRIDE } from '../../src/network/request-meter.ts';
import { LATENCY_BOUNDS_MS } from '../../src/telemetry/histogram.ts';
import { ownSlots } from '../../src/telemetry/worker-slots.ts';
import { requestFrame } from '../support/raw-client.ts';
import {
  API_VERSIONS,
  createNetwork,
  echo,
  FETCH,
  FETCH_V,
  HandClock,
  METADATA,
  METADATA_V,
  PRODUCE,
  PRODUCE_V,
  pattern,
  row,
} from './support.ts';

const VERSION_OF: Record<number, number> = { [PRODUCE]: PRODUCE_V, [FETCH]: FETCH_V, [METADATA]: METADATA_V };

/** Requests that wait until the test answers them. */
class Parked {
  readonly requests: IncomingRequest[] = [];
  readonly bodies: Buffer[] = [];
  readonly handle = (request: IncomingRequest): boolean => {
    this.requests.push(request);
    this.bodies.push(Buffer.from(request.bytes.subarray(request.position, request.position + request.length)));
    return true;
  };
  /** Answers the request that was taken as number `index` with its body, read where it lies now. */
  answer(index: number): void {
    const request = this.requests[index];
    if (request === undefined) throw new Error(`request ${index} was not taken`);
    if (!echo(request)) throw new Error('no memory');
  }
}

interface WireOptions extends Partial<NetworkOptions> {
  readonly arenaBytes?: number;
  readonly sendBufferBytes?: number;
  readonly sendsSmall?: boolean;
}

function wire(rows: readonly ApiRow[], options: WireOptions = {}) {
  const clock = new HandClock();
  const network = createNetwork(rows, { arenaBytes: 8 * MIB, clock, ...options });
  const transport = new MemoryTransport({
    defer: (task) => network.runtime.post(task),
    sendBufferBytes: options.sendBufferBytes ?? 64 * MIB,
    sendsSmall: options.sendsSmall ?? true,
  });
  const restBytes = network.arena.usedBytes;
  const connection = network.network.adopt(transport);
  /** Turns of the loop until it wants no more. */
  const turn = (): void => {
    for (let i = 0; i < 8; i++) network.runtime.loop.runTurn();
  };
  network.open();
  return { ...network, transport, connection, restBytes, turn, clock };
}

function frame(apiKey: number, correlationId: number, body: Uint8Array): Buffer {
  return requestFrame(apiKey, VERSION_OF[apiKey] ?? 0, correlationId, body);
}

/** (correlation id, body) of each whole reply. */
function replies(bytes: Buffer): [number, Buffer][] {
  const list: [number, Buffer][] = [];
  for (let at = 0; at < bytes.length; ) {
    const end = at + 4 + bytes.readInt32BE(at);
    expect(end).toBeLessThanOrEqual(bytes.length);
    list.push([bytes.readInt32BE(at + 4), bytes.subarray(at + 8, end)]);
    at = end;
  }
  return list;
}

function expectReplies(bytes: Buffer, expected: readonly (readonly [number, Buffer])[]): void {
  const got = replies(bytes);
  expect(got.map(([id]) => id)).toEqual(expected.map(([id]) => id));
  got.forEach(([id, body], index) => {
    expect(body.equals(expected[index]?.[1] ?? Buffer.alloc(0)), `body of reply ${id}`).toBe(true);
  });
}

describe('framing', () => {
  const bodies = [pattern(1, 3), pattern(2, 40), pattern(3, 0)];

  for (const keepsBody of [false, true]) {
    test(`three frames, cut at every two places, bodies ${keepsBody ? 'kept' : 'not kept'}`, () => {
      const stream = Buffer.concat(bodies.map((body, index) => frame(METADATA, index, body)));
      const { transport, turn, arena, restBytes, failures, network } = wire([row(METADATA, echo, { keepsBody })]);
      for (let first = 0; first <= stream.length; first++) {
        for (let second = first; second <= stream.length; second += 3) {
          transport.deliver(stream.subarray(0, first));
          if (second % 2 === 0) turn();
          transport.deliver(stream.subarray(first, second));
          transport.deliver(stream.subarray(second));
          turn();
          expectReplies(
            transport.take(),
            bodies.map((body, index) => [index, body]),
          );
        }
      }
      expect(arena.usedBytes).toBe(restBytes);
      expect(network.counters.connectionsOpen).toBe(1);
      expect(failures).toEqual([]);
    });
  }

  test('single bytes, with frames of up to 300 kB', () => {
    const sizes = [10, 300, 5000, 70_000, 300_000, 0];
    const { transport, turn, arena, restBytes } = wire([row(METADATA, echo), row(PRODUCE, echo, { keepsBody: true, order: 'produce' })]);
    const list = sizes.flatMap((size, index) => [
      { apiKey: METADATA, id: index * 2, body: pattern(index, size) },
      { apiKey: PRODUCE, id: index * 2 + 1, body: pattern(index + 100, size) },
    ]);
    transport.deliver(Buffer.concat(list.map(({ apiKey, id, body }) => frame(apiKey, id, body))), 1);
    turn();
    expectReplies(
      transport.take(),
      list.map(({ id, body }) => [id, body]),
    );
    expect(arena.usedBytes).toBe(restBytes);
  });

  test('any frames, any reads, any landing buffer, any answering order', () => {
    const sizes = fc.oneof(fc.nat(40), fc.nat(400), fc.nat(9000), fc.nat(200_000));
    const request = fc.record({ apiKey: fc.constantFrom(PRODUCE, FETCH, METADATA), size: sizes });
    fc.assert(
      fc.property(
        fc.array(request, { minLength: 1, maxLength: 25 }),
        fc.array(fc.oneof(fc.integer({ min: 1, max: 300 }), fc.integer({ min: 300, max: 100_000 })), { minLength: 1, maxLength: 20 }),
        fc.constantFrom(16, 300, 4000, undefined),
        fc.integer({ min: 1, max: 6 }),
        fc.integer({ min: 1, max: 70_000 }),
        fc.boolean(),
        fc.infiniteStream(fc.nat()),
        (list, cuts, landingBytes, inflightMax, sendBufferBytes, sendsSmall, choices) => {
          const parked = new Parked();
          const { transport, turn, arena, restBytes, failures, lines } = wire(
            [
              row(PRODUCE, parked.handle, { keepsBody: true, order: 'produce' }),
              row(FETCH, parked.handle, { keepsBody: true, order: 'fetch' }),
              row(METADATA, echo),
            ],
            { inflightMax, sendBufferBytes, sendsSmall, outputBytesMax: 50_000, ...(landingBytes === undefined ? {} : { landingBytes }) },
          );
          const sent = list.map(({ apiKey, size }, id) => ({ apiKey, id, body: pattern(id, size) }));
          const stream = Buffer.concat(sent.map(({ apiKey, id, body }) => frame(apiKey, id, body)));
          let delivered = 0;
          let cut = 0;
          const got: Buffer[] = [];
          const open = new Set<number>();
          let seen = 0;
          const answerOne = (): void => {
            for (; seen < parked.requests.length; seen++) open.add(seen);
            const index = [...open][(choices.next().value as number) % Math.max(1, open.size)];
            if (index === undefined) return;
            open.delete(index);
            parked.answer(index);
          };
          for (let idle = 0; idle < 8; ) {
            const before = delivered + got.length + parked.requests.length - open.size;
            if (delivered < stream.length) {
              const end = Math.min(stream.length, delivered + (cuts[cut++ % cuts.length] ?? 1));
              transport.deliver(stream.subarray(delivered, end));
              delivered = end;
            }
            if ((choices.next().value as number) % 3 !== 0) turn();
            if ((choices.next().value as number) % 2 === 0) answerOne();
            const taken = transport.take((choices.next().value as number) % 90_000);
            if (taken.length > 0) got.push(taken);
            idle = before === delivered + got.length + parked.requests.length - open.size && delivered === stream.length ? idle + 1 : 0;
            if (idle > 0) {
              turn();
              answerOne();
              turn();
            }
          }
          expectReplies(
            Buffer.concat(got),
            sent.map(({ id, body }) => [id, body]),
          );
          expect(arena.usedBytes).toBe(restBytes);
          expect(failures).toEqual([]);
          expect(lines).toEqual([]);
        },
      ),
      { numRuns: 150 },
    );
  });
});

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

  test('a reply may shrink, begin anew after it was given up, and be written in a later turn', () => {
    let parked: IncomingRequest | null = null;
    const { transport, turn, arena, restBytes } = wire([
      row(METADATA, (request) => {
        if (request.correlationId === 1) {
          parked = request;
          return true;
        }
        request.beginReply(2000);
        request.abortReply();
        const at = request.tryBeginReply(100_000);
        request.replyBytes.fill(7, at, at + 10);
        request.shrinkReply(10);
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
    // The first few wait for a worker that gives none back, the last one for another.
    const others = Array.from({ length: 4 }, () => new MemoryTransport({ defer: (task) => runtime.post(task), sendBufferBytes: MIB }));
    for (const other of others) network.adopt(other);
    transport.deliver(frame(METADATA, 1, Buffer.of(0)));
    turn();
    others.forEach((other, n) => {
      other.deliver(frame(METADATA, n, Buffer.of(n === 3 ? 1 : 0)));
      turn();
    });
    isBack = true;
    network.retry();
    turn();
    expectReplies(others[3]?.take() ?? Buffer.alloc(0), [[3, Buffer.of(1)]]);
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

  test('cut frames that hold all memory do not hold it for ever: one gives way, the others finish', () => {
    const { turn, network, runtime, arena, restBytes, lines } = wire([row(METADATA, echo)], { arenaBytes: 2 * MIB });
    const size = 300_000;
    const peers = Array.from({ length: 6 }, () => new MemoryTransport({ defer: (task) => runtime.post(task), sendBufferBytes: 64 * MIB }));
    for (const peer of peers) network.adopt(peer);
    const bytes = frame(METADATA, 5, pattern(5, size));
    for (let at = 0; at < bytes.length; at += 10_000) {
      for (const peer of peers) if (!peer.isClosed) peer.deliver(bytes.subarray(at, at + 10_000));
      turn();
    }
    for (let i = 0; i < 10; i++) turn();
    const answered = peers.filter((peer) => !peer.isClosed);
    expect(answered.length).toBeGreaterThan(0);
    expect(answered.length).toBeLessThan(6);
    for (const peer of answered) expectReplies(peer.take(), [[5, pattern(5, size)]]);
    turn();
    expect(network.counters.connectionsClosed.memory).toBe(6 - answered.length);
    expect(lines[0]).toContain('none of them has room for its rest');
    expect(arena.usedBytes).toBe(restBytes);
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

describe('ends', () => {
  test('after the end of the other side what it asked is answered, then the connection ends', () => {
    const parked = new Parked();
    const { transport, turn, network, arena, restBytes } = wire([
      row(PRODUCE, parked.handle, { keepsBody: true, order: 'produce' }),
      row(METADATA, echo),
    ]);
    transport.deliver(Buffer.concat([frame(PRODUCE, 1, pattern(1, 10)), frame(METADATA, 2, pattern(2, 10)), Buffer.from([0, 0])]));
    transport.deliverEnd();
    turn();
    expect(transport.hasEnded).toBe(false);
    parked.answer(0);
    turn();
    expect(transport.hasEnded).toBe(true);
    expectReplies(transport.take(), [
      [1, pattern(1, 10)],
      [2, pattern(2, 10)],
    ]);
    turn();
    expect(transport.isClosed).toBe(true);
    expect(network.connectionCount).toBe(0);
    expect(network.counters.connectionsClosed.peer).toBe(1);
    expect(arena.usedBytes).toBe(restBytes);
  });

  test('a reset with requests in progress: bodies stay until the handlers end them, replies go nowhere', () => {
    const parked = new Parked();
    const closed: unknown[] = [];
    const { transport, turn, network, arena, restBytes, connection } = wire(
      [row(PRODUCE, parked.handle, { keepsBody: true, order: 'produce' })],
      {
        onConnectionClosed: (one) => closed.push(one),
      },
    );
    for (let id = 0; id < 4; id++) transport.deliver(frame(PRODUCE, id, pattern(id, 3000)));
    turn();
    parked.answer(2); // Held behind two others.
    parked.requests[3]?.beginReply(100);
    transport.reset();
    turn();
    expect(closed).toEqual([connection]);
    expect(connection?.isClosed).toBe(true);
    expect(arena.usedBytes).toBeGreaterThan(restBytes);
    parked.requests[3]?.endReply();
    parked.answer(0);
    parked.requests[1]?.noReply();
    turn();
    expect(arena.usedBytes).toBe(restBytes);
    expect(network.counters.connectionsClosed.reset).toBe(1);
    expect(network.counters.connectionsOpen).toBe(0);
  });

  test('a handler that closes its connection: earlier replies leave, a line says why', () => {
    const parked = new Parked();
    const { transport, turn, lines, network, arena, restBytes } = wire([
      row(PRODUCE, parked.handle, { keepsBody: true, order: 'produce' }),
    ]);
    for (let id = 0; id < 3; id++) transport.deliver(frame(PRODUCE, id, pattern(id, 30)));
    parked.answer(0);
    parked.answer(2);
    parked.requests[1]?.close('acks=0 and an error');
    expectReplies(transport.take(), [[0, pattern(0, 30)]]);
    turn();
    expect(transport.isClosed).toBe(true);
    expect(lines).toEqual(['connection from memory:0 closed: acks=0 and an error']);
    expect(network.counters.connectionsClosed.handler).toBe(1);
    expect(arena.usedBytes).toBe(restBytes);
  });

  test('a request ended twice, and other errors of a handler, end the instance', () => {
    for (const handle of [
      () => {
        throw new TypeError('ours');
      },
      (request: IncomingRequest) => echo(request) && echo(request),
      (request: IncomingRequest) => {
        request.noReply();
        return false;
      },
    ]) {
      const { transport, failures } = wire([row(METADATA, handle)]);
      transport.deliver(frame(METADATA, 1, pattern(1, 10)));
      expect(failures).toHaveLength(1);
    }
  });

  test('closing all says the end to every connection, and is done once all others have said theirs', () => {
    const { transport, turn, network, runtime } = wire([row(METADATA, echo)]);
    let doneCount = 0;
    network.closeAll(() => {
      doneCount++;
    });
    turn();
    expect([doneCount, transport.hasEnded, transport.isClosed]).toEqual([0, true, false]);
    transport.deliverEnd();
    turn();
    expect([doneCount, transport.isClosed]).toEqual([1, true]);
    const late = new MemoryTransport({ defer: (task) => runtime.post(task), sendBufferBytes: 10 });
    network.adopt(late);
    turn();
    expect([doneCount, late.isClosed]).toEqual([1, true]);
  });

  test('a stop breaks off those who have not ended after a while', () => {
    const { transport, turn, network, clock } = wire([row(METADATA, echo)]);
    let isDone = false;
    network.closeAll(() => {
      isDone = true;
    });
    clock.nowMs += 450;
    turn();
    expect([isDone, transport.hasEnded, transport.isClosed]).toEqual([false, true, false]);
    clock.nowMs += 100;
    turn();
    expect([isDone, transport.isClosed, network.counters.connectionsClosed.shutdown]).toEqual([true, true, 1]);
  });

  test('a stop sends what is complete, answers the produce requests it has taken, and throws away what still comes', () => {
    const parked = new Parked();
    const { transport, turn, network, arena, restBytes } = wire(
      [row(PRODUCE, parked.handle, { order: 'produce', keepsBody: true }), row(METADATA, parked.handle)],
      { sendBufferBytes: 50 },
    );
    const bodies = [0, 1, 2].map((i) => pattern(i, 100));
    bodies.forEach((body, i) => {
      transport.deliver(frame(PRODUCE, i, body));
    });
    // Cut in the middle: the next read goes behind its first part.
    transport.deliver(frame(PRODUCE, 3, pattern(3, 40 * KIB)).subarray(0, 30 * KIB));
    parked.answer(0);
    turn();
    let isDone = false;
    network.closeAll(() => {
      isDone = true;
    });
    turn();
    expect(transport.hasEnded).toBe(false);
    // All memory that is free belongs to others now, and what comes is read into none of it.
    const others: number[] = [];
    for (let slab = arena.claim(16 * KIB); slab >= 0; slab = arena.claim(16 * KIB)) others.push(slab);
    for (const slab of others) arena.bytes.fill(0x55, slab, slab + 16 * KIB);
    for (let i = 0; i < 20; i++) transport.deliver(pattern(100 + i, 20 * KIB));
    expect(transport.unreadBytes).toBe(0);
    const touched = others.filter((slab) => !arena.bytes.subarray(slab, slab + 16 * KIB).every((byte) => byte === 0x55));
    expect(touched).toEqual([]);
    for (const slab of others) arena.release(slab);
    parked.answer(2);
    parked.answer(1);
    turn();
    const read: Buffer[] = [];
    for (let part = transport.take(); part.length > 0; part = transport.take()) {
      read.push(part);
      turn();
    }
    expectReplies(
      Buffer.concat(read),
      bodies.map((body, i) => [i, body]),
    );
    expect([parked.requests.length, transport.hasEnded, isDone]).toEqual([3, true, false]);
    transport.deliverEnd();
    turn();
    expect([isDone, transport.isClosed, arena.usedBytes]).toEqual([true, true, restBytes]);
  });

  test('a stop does not wait for other requests; what they answer later goes nowhere', () => {
    const parked = new Parked();
    const { transport, turn, network, arena, restBytes, failures } = wire([row(METADATA, parked.handle), row(FETCH, parked.handle)]);
    transport.deliver(frame(METADATA, 0, pattern(0, 100)));
    // Waits for the first one, with so much behind it that reading has paused.
    for (let i = 1; i < 5; i++) transport.deliver(frame(METADATA, i, pattern(i, 30 * KIB)));
    expect(transport.isReading).toBe(false);
    network.closeAll(() => {});
    turn();
    expect([transport.hasEnded, transport.isReading, transport.unreadBytes]).toEqual([true, true, 0]);
    parked.answer(0);
    turn();
    expect([transport.take().length, parked.requests.length, failures.length]).toEqual([0, 1, 0]);
    transport.deliverEnd();
    turn();
    expect([transport.isClosed, arena.usedBytes]).toEqual([true, restBytes]);
  });

  test('a stop with a held request, one that fails, and a reset meanwhile', () => {
    for (const how of ['reset', 'handler', 'end'] as const) {
      const parked = new Parked();
      let isTaking = true;
      const { transport, turn, network, arena, restBytes, failures, lines } = wire([
        row(PRODUCE, (request) => isTaking && parked.handle(request), { order: 'produce', keepsBody: true }),
      ]);
      transport.deliver(frame(PRODUCE, 0, pattern(0, 1000)));
      isTaking = false;
      transport.deliver(frame(PRODUCE, 1, pattern(1, 1000)));
      let isDone = false;
      network.closeAll(() => {
        isDone = true;
      });
      turn();
      if (how === 'reset') transport.reset();
      else if (how === 'handler') parked.requests[0]?.close('no');
      else parked.answer(0);
      turn();
      if (how === 'reset') parked.answer(0);
      transport.take();
      if (how === 'end') transport.deliverEnd();
      turn();
      expect([isDone, transport.isClosed, arena.usedBytes, failures, lines], how).toEqual([true, true, restBytes, [], []]);
      expect(network.counters.connectionsClosed.shutdown, how).toBe(1);
      expect(network.counters.connectionsOpen, how).toBe(0);
    }
  });

  test('a stop at any moment: whole replies in order, all that were answered and those of produce requests, then the end', () => {
    fc.assert(
      fc.property(
        fc.constantFrom([PRODUCE], [FETCH], [FETCH, FETCH, FETCH, PRODUCE, PRODUCE]),
        fc.array(fc.oneof(fc.nat(400), fc.nat(9000), fc.nat(90_000)), { minLength: 1, maxLength: 25 }),
        fc.array(fc.integer({ min: 1, max: 60_000 }), { minLength: 1, maxLength: 20 }),
        fc.nat(40),
        fc.integer({ min: 1, max: 20_000 }),
        fc.boolean(),
        fc.infiniteStream(fc.nat()),
        (keys, sizes, cuts, stopAt, sendBufferBytes, sendsSmall, choices) => {
          const list = sizes.map((size, i) => ({ apiKey: keys[i % keys.length] ?? FETCH, size }));
          const choose = (): number => choices.next().value as number;
          const parked = new Parked();
          const { transport, turn, network, arena, restBytes, failures, lines } = wire(
            [
              row(PRODUCE, parked.handle, { keepsBody: true, order: 'produce' }),
              row(FETCH, parked.handle, { keepsBody: true, order: 'fetch' }),
            ],
            { inflightMax: 6, sendBufferBytes, sendsSmall, outputBytesMax: 50_000 },
          );
          const stream = Buffer.concat(list.map(({ apiKey, size }, id) => frame(apiKey, id, pattern(id, size))));
          let delivered = 0;
          const deliver = (step: number): void => {
            const end = Math.min(stream.length, delivered + (cuts[step % cuts.length] ?? 1));
            if (end > delivered) transport.deliver(stream.subarray(delivered, end));
            delivered = end;
          };
          const open: number[] = [];
          let seen = 0;
          const answerOne = (): void => {
            while (seen < parked.requests.length) open.push(seen++);
            const [index] = open.splice(choose() % Math.max(1, open.length), 1);
            if (index !== undefined) parked.answer(index);
          };
          const got: Buffer[] = [];
          for (let step = 0; step < stopAt; step++) {
            deliver(step);
            if (choose() % 3 !== 0) turn();
            if (choose() % 2 === 0) answerOne();
            if (choose() % 2 === 0) got.push(transport.take(choose() % 30_000));
          }
          const takenCount = parked.requests.length;
          while (seen < takenCount) open.push(seen++);
          // The oldest that is not answered: replies in front of it had to leave, and behind it those of produce requests have to.
          const firstOpen = Math.min(takenCount, ...open);
          const expectedCount = list[firstOpen]?.apiKey === FETCH ? firstOpen : takenCount;
          network.closeAll(() => {});
          for (let step = stopAt; delivered < stream.length || open.length > 0 || step < stopAt + 4; step++) {
            deliver(step);
            answerOne();
            turn();
            got.push(transport.take(choose() % 30_000));
          }
          for (let part = transport.take(); part.length > 0; part = transport.take()) {
            got.push(part);
            turn();
          }
          expect(parked.requests).toHaveLength(takenCount);
          expectReplies(
            Buffer.concat(got),
            list.slice(0, expectedCount).map(({ size }, id) => [id, pattern(id, size)]),
          );
          expect([transport.hasEnded, transport.unreadBytes, transport.isClosed]).toEqual([true, 0, false]);
          transport.deliverEnd();
          turn();
          expect([transport.isClosed, arena.usedBytes, failures, lines]).toEqual([true, restBytes, [], []]);
        },
      ),
      { numRuns: 150 },
    );
  });
});
