// One connection, driven byte by byte in memory: the other side's end, errors, a stop of the broker.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { KIB } from '../../src/base/units.ts';
import type { IncomingRequest } from '../../src/network/incoming-request.ts';
import { MemoryTransport } from '../../src/network/memory-transport.ts';
import { echo, FETCH, METADATA, PRODUCE, pattern, row } from './support.ts';
import { expectReplies, frame, Parked, wire } from './wire.ts';

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
