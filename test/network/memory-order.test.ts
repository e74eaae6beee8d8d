// Who waits when a worker's memory runs short, and who goes on: producers first, then consumers, then the rest; and nobody for ever.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { SlabArena } from '../../src/actors/slab-arena.ts';
import { KIB, MIB } from '../../src/base/units.ts';
import type { ApiRow } from '../../src/network/api-row.ts';
import type { IncomingRequest } from '../../src/network/incoming-request.ts';
import { memoryReserves } from '../../src/network/memory-order.ts';
import { MemoryTransport } from '../../src/network/memory-transport.ts';
import { RawClient, requestFrame } from '../support/raw-client.ts';
import {
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
  startNetwork,
  until,
} from './support.ts';

function yes(request: IncomingRequest): boolean {
  const at = request.beginReply(3);
  request.replyBytes.write('yes', at);
  request.endReply();
  return true;
}

const rows: readonly ApiRow[] = [
  row(PRODUCE, yes, { keepsBody: true, order: 'produce' }),
  row(FETCH, yes, { order: 'fetch' }),
  row(METADATA, yes),
];

function worker(arenaBytes: number, served: readonly ApiRow[] = rows, clock?: HandClock, stallMs = 10_000) {
  const created = createNetwork(served, { arenaBytes, stallMs, ...(clock === undefined ? {} : { clock }) });
  const restBytes = created.arena.usedBytes;
  created.open();
  const connect = (): MemoryTransport => {
    const transport = new MemoryTransport({ defer: (task) => created.runtime.post(task), sendBufferBytes: MIB });
    created.network.adopt(transport);
    return transport;
  };
  const turn = (): void => {
    for (let i = 0; i < 8; i++) created.runtime.loop.runTurn();
  };
  return { ...created, restBytes, connect, turn };
}

const produce = (bytes: number): Buffer => requestFrame(PRODUCE, PRODUCE_V, 1, pattern(1, bytes));
const fetch = (bytes: number): Buffer => requestFrame(FETCH, FETCH_V, 2, pattern(2, bytes));
const metadata = (bytes: number): Buffer => requestFrame(METADATA, METADATA_V, 3, pattern(3, bytes));

/** Delivers `bytes` in pieces of a read, with turns between them. */
function deliver(transport: MemoryTransport, bytes: Uint8Array, turn: () => void): void {
  for (let at = 0; at < bytes.length && !transport.isClosed; at += 50_000) {
    transport.deliver(bytes.subarray(at, at + 50_000));
    turn();
  }
}

/** What can ever come through an arena of that size, header and all: the largest slab beside the landing buffer, if producers may have it. */
function largestFrame(arenaBytes: number): number {
  const arena = new SlabArena(arenaBytes);
  let bytes = 64 * KIB;
  while (arena.canReceive(2 * bytes, memoryReserves(arenaBytes).produce)) bytes *= 2;
  return bytes - 100;
}

/**
 * Lets `peers` take an arena of 2 MiB in turn, each when there is room for its frame of 300 KB and for nothing beside that: what three of them
 * hold in the end leaves less than one more needs.
 */
function crowd(peers: readonly MemoryTransport[], arena: SlabArena, turn: () => void): void {
  const held: number[] = [];
  for (let bytes = 512 * KIB; bytes >= 4 * KIB; bytes /= 2) {
    for (let slab = arena.claim(bytes); slab >= 0; slab = arena.claim(bytes)) held.push(slab);
  }
  for (const peer of peers) deliver(peer, metadata(300_000), turn);
  for (const slab of held) {
    arena.release(slab);
    turn();
  }
}

/** As the product hands a large request on: copied to a slab of its own, until the worker that is asked has heard it. */
function handOn(request: IncomingRequest, arena: SlabArena): boolean {
  const slab = arena.claim(request.length);
  if (slab < 0) {
    request.memoryRefused();
    return false;
  }
  arena.release(slab);
  return yes(request);
}

const isAnswered = (transport: MemoryTransport): boolean => transport.take().includes('yes');

describe('when memory runs short', () => {
  test('producers wait while consumers are read, consumers wait while the rest is read, and all finish', () => {
    const { connect, turn, arena, restBytes, network } = worker(16 * MIB);
    const openingOf = (frame: Buffer): Buffer => frame.subarray(0, 200 * KIB);
    // Each holds a slab of 256 KiB until the rest of its frame comes.
    const producers = Array.from({ length: 70 }, () => connect());
    for (const producer of producers) deliver(producer, openingOf(produce(250_000)), turn);
    expect(arena.capacityBytes - arena.usedBytes).toBeGreaterThanOrEqual(2 * MIB);
    const waiting = producers.filter((producer) => !producer.isReading);
    expect(waiting.length).toBeGreaterThan(0);

    const consumers = Array.from({ length: 10 }, () => connect());
    for (const consumer of consumers) deliver(consumer, openingOf(fetch(250_000)), turn);
    expect(consumers[0]?.isReading).toBe(true);
    expect(consumers.at(-1)?.isReading).toBe(false);
    expect(arena.capacityBytes - arena.usedBytes).toBeGreaterThanOrEqual(MIB);

    const admin = connect();
    deliver(admin, metadata(250_000), turn);
    expect(isAnswered(admin)).toBe(true);
    expect(waiting.some((producer) => producer.isReading)).toBe(false);

    // The rest of every frame: whoever has room makes room for those who wait.
    for (const consumer of consumers) deliver(consumer, fetch(250_000).subarray(200 * KIB), turn);
    for (const producer of producers) deliver(producer, produce(250_000).subarray(200 * KIB), turn);
    turn();
    expect([...consumers, ...producers].every(isAnswered)).toBe(true);
    expect(network.counters.connectionsClosed.memory).toBe(0);
    expect(arena.usedBytes).toBe(restBytes);
  });

  test('a reply that could be less, or later, leaves room for those that cannot', () => {
    const { connect, turn, arena } = worker(MIB, [row(FETCH, echo, { order: 'fetch' }), row(METADATA, yes)]);
    const held: number[] = [];
    while (arena.leaves(32 * KIB, MIB / 16)) held.push(arena.claim(32 * KIB));
    const consumer = connect();
    deliver(consumer, fetch(20_000), turn);
    expect(consumer.take()).toHaveLength(0);
    const admin = connect();
    deliver(admin, metadata(20_000), turn);
    expect(isAnswered(admin)).toBe(true);
    for (const slab of held) arena.release(slab);
    turn();
    expect(consumer.take().length).toBeGreaterThan(20_000);
  });

  test('beginnings that do not all fit are finished one after the other, beside fetches that wait for records', () => {
    const { connect, turn, arena, restBytes, network } = worker(4 * MIB, [
      row(PRODUCE, yes, { keepsBody: true, order: 'produce' }),
      row(FETCH, () => true, { order: 'fetch', waitsForOthers: true }), // Parked: nothing that gives memory back.
    ]);
    for (let i = 0; i < 3; i++) deliver(connect(), fetch(100), turn);
    const producers = Array.from({ length: 20 }, () => connect());
    const frame = produce(400_000);
    for (let at = 0; at < frame.length; at += 40_000) {
      for (const producer of producers) producer.deliver(frame.subarray(at, at + 40_000));
      turn();
    }
    for (let i = 0; i < 10; i++) turn();
    expect(producers.every(isAnswered)).toBe(true);
    expect([network.counters.memoryWaits > 0, network.counters.connectionsClosed.memory]).toEqual([true, 0]);
    expect(arena.usedBytes).toBe(restBytes);
  });

  test('frames of any sizes and kinds, in pieces of any size, all come through an arena of any size that they fit', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 2, max: 20 }).map((quarters) => (quarters * MIB) / 8),
        fc.array(
          fc.record({
            kind: fc.constantFrom(PRODUCE, FETCH, METADATA),
            part: fc.integer({ min: 1, max: 100 }),
            pieceBytes: fc.integer({ min: 5000, max: 65_000 }),
          }),
          { minLength: 2, maxLength: 12 },
        ),
        (arenaBytes, peers) => {
          const { connect, turn, arena, restBytes, network } = worker(arenaBytes);
          const mostBytes = largestFrame(arenaBytes);
          const senders = peers.map(({ kind, part, pieceBytes }) => {
            const version = { [PRODUCE]: PRODUCE_V, [FETCH]: FETCH_V, [METADATA]: METADATA_V }[kind];
            const frame = requestFrame(kind, version, 1, Buffer.alloc(Math.floor((mostBytes * part) / 100)));
            return { transport: connect(), frame, pieceBytes, sentBytes: 0 };
          });
          for (let idleCount = 0; idleCount < senders.length + 2; idleCount++) {
            for (const sender of senders) {
              const { transport, frame, pieceBytes, sentBytes } = sender;
              if (transport.unreadBytes > 0 || sentBytes >= frame.length) continue;
              transport.deliver(frame.subarray(sentBytes, sentBytes + pieceBytes));
              sender.sentBytes += pieceBytes;
              idleCount = 0;
            }
            turn();
          }
          expect(senders.map(({ transport }) => isAnswered(transport))).toEqual(senders.map(() => true));
          expect(network.counters.connectionsClosed.memory).toBe(0);
          turn();
          expect(arena.usedBytes).toBe(restBytes);
        },
      ),
      { numRuns: 100 },
    );
  });

  test.each([
    ['for their replies', echo, 300_008],
    ['to be handed on', handOn, 11],
  ])('requests that hold all memory and want as much again %s do not do so for ever', (_what, handle, answerBytes) => {
    const clock = new HandClock();
    let shared: SlabArena | null = null;
    const served = [row(METADATA, (request) => handle(request, shared as SlabArena))];
    const { connect, turn, network, lines, arena, restBytes } = worker(2 * MIB, served, clock);
    shared = arena;
    const peers = Array.from({ length: 4 }, () => connect());
    crowd(peers, arena, turn);
    expect([network.counters.memoryWaiting, network.counters.creditWaiting]).toEqual([1, 3]);
    for (; clock.nowMs < 9000; clock.nowMs += 500) turn();
    expect(peers.some((peer) => peer.isClosed)).toBe(false);
    for (; clock.nowMs < 15_000; clock.nowMs += 500) turn();
    expect(peers.map((peer) => peer.isClosed)).toEqual([true, false, false, false]);
    expect(peers.slice(1).map((peer) => peer.take().length)).toEqual([answerBytes, answerBytes, answerBytes]);
    expect([lines.length, network.counters.connectionsClosed.memory]).toEqual([1, 1]);
    expect(lines[0]).toContain('none of them has room for its reply or to be handed on');
    turn();
    expect(arena.usedBytes).toBe(restBytes);
  });

  test('who waits behind a request of its own and holds too little to help keeps none of the others from being closed', () => {
    const clock = new HandClock();
    const served = [row(FETCH, () => true, { order: 'fetch', waitsForOthers: true }), row(METADATA, echo)];
    const { connect, turn, network, arena, lines } = worker(2 * MIB, served, clock);
    const behindItself = connect();
    deliver(behindItself, Buffer.concat([fetch(100), metadata(2000)]), turn);
    const usedBytes = arena.usedBytes;
    const peers = Array.from({ length: 4 }, () => connect());
    crowd(peers, arena, turn);
    expect([network.counters.memoryWaiting, network.counters.creditWaiting]).toEqual([1, 3]);
    for (; clock.nowMs < 20_000; clock.nowMs += 500) turn();
    expect([behindItself, ...peers].map((peer) => peer.isClosed)).toEqual([false, true, false, false, false]);
    expect(peers.slice(1).map((peer) => peer.take().length)).toEqual([300_008, 300_008, 300_008]);
    expect(lines[0]).toContain('none of them has room for its reply');
    turn();
    expect(arena.usedBytes).toBe(usedBytes);
  });

  test('a slow sender is waited for as long as it goes on, one that sends a byte now and then is not', () => {
    const clock = new HandClock();
    const { connect, turn, network, lines } = worker(MIB, rows, clock);
    const [slow, waiting] = [connect(), connect()];
    const bytes = produce(400_000);
    deliver(slow, bytes.subarray(0, 280_000), turn);
    deliver(waiting, produce(400_000), turn);
    expect([slow.isReading, waiting.isReading]).toEqual([true, false]);
    const pass = (pieceBytes: number, from: number, to: number): void => {
      for (let at = from; at < to; at += pieceBytes) {
        slow.deliver(bytes.subarray(at, Math.min(to, at + pieceBytes)));
        clock.nowMs += 2000;
        turn();
      }
    };
    pass(6000, 280_000, 380_000);
    expect([slow.isClosed, waiting.isReading]).toEqual([false, false]);
    pass(1, 380_000, 380_020);
    expect([slow.isClosed, isAnswered(waiting)]).toEqual([true, true]);
    expect([network.counters.connectionsClosed.memory, lines]).toEqual([1, [expect.stringContaining('the rest does not come')]]);
  });

  test('who has begun goes on where there is memory for that, though one who came first wants more; meanwhile it stays in its slab', () => {
    const { connect, turn, arena } = worker(2 * MIB);
    const [begun, first] = [connect(), connect()];
    const bytes = metadata(200_000);
    deliver(begun, bytes.subarray(0, 100_000), turn);
    const claimAll = (sizeBytes: number): number[] => {
      const slabs: number[] = [];
      for (let slab = arena.claim(sizeBytes); slab >= 0; slab = arena.claim(sizeBytes)) slabs.push(slab);
      return slabs;
    };
    const [held, rest] = [claimAll(256 * KIB), claimAll(4 * KIB)];
    deliver(first, metadata(900_000), turn);
    deliver(begun, bytes.subarray(100_000), turn);
    expect([first.isReading, begun.isReading, arena.usedBytes]).toEqual([false, false, arena.capacityBytes]);
    arena.release(held.pop() as number);
    turn();
    expect([first.isReading, isAnswered(begun)]).toEqual([false, true]);
    for (const slab of [...held, ...rest]) arena.release(slab);
    turn();
    expect(isAnswered(first)).toBe(true);
  });

  test('a beginning that waits is not closed while another one, slow as it is, goes on', () => {
    const clock = new HandClock();
    const { connect, turn, network } = worker(MIB, rows, clock);
    const [waiting, slow] = [connect(), connect()];
    const [bytes, slowBytes] = [produce(250_000), produce(400_000)];
    deliver(waiting, bytes.subarray(0, 100_000), turn);
    deliver(slow, slowBytes.subarray(0, 280_000), turn);
    deliver(waiting, bytes.subarray(100_000), turn);
    expect([waiting.isReading, slow.isReading]).toEqual([false, true]);
    for (let at = 280_000; at < slowBytes.length; at += 6000) {
      slow.deliver(slowBytes.subarray(at, at + 6000));
      clock.nowMs += 2000;
      turn();
    }
    turn();
    expect([isAnswered(slow), isAnswered(waiting), network.counters.connectionsClosed.memory]).toEqual([true, true, 0]);
  });

  test('who waits for memory is tried again when some came back, not all the time', () => {
    const { connect, turn, arena, runtime } = worker(MIB);
    const held: number[] = [];
    for (let slab = arena.claim(4 * KIB); slab >= 0; slab = arena.claim(4 * KIB)) held.push(slab);
    const waiting = connect();
    deliver(waiting, produce(20_000), turn);
    expect(waiting.isReading).toBe(false);
    turn();
    expect(runtime.loop.isAsleep).toBe(true);
    for (const slab of held) arena.release(slab);
    turn();
    expect(isAnswered(waiting)).toBe(true);
  });

  test('a frame whose rest never comes gives way in the end, a producer before a consumer', async () => {
    const { connect, turn, network, lines } = worker(MIB, rows, undefined, 500);
    const consumer = connect();
    deliver(consumer, fetch(250_000).subarray(0, 100_000), turn);
    const stalled = Array.from({ length: 5 }, () => connect());
    for (const producer of stalled) deliver(producer, produce(120_000).subarray(0, 100_000), turn);
    expect(stalled.every((producer) => producer.isReading)).toBe(true);
    const waiting = connect();
    deliver(waiting, produce(100_000), turn);
    expect(waiting.isReading).toBe(false);
    await until(() => {
      turn();
      return network.counters.connectionsClosed.memory > 0;
    });
    turn();
    expect(isAnswered(waiting)).toBe(true);
    expect([stalled[0]?.isClosed, consumer.isClosed]).toEqual([true, false]);
    expect(lines[0]).toContain('the rest does not come');
  });

  test('stalled senders give way though small requests come and go beside them; who goes on, or waits, is not closed', () => {
    const clock = new HandClock();
    const { connect, turn, network, arena, restBytes } = worker(4 * MIB, rows, clock);
    const slow = connect();
    const slowFrame = produce(1_250_000);
    let sentBytes = 400_000;
    deliver(slow, slowFrame.subarray(0, sentBytes), turn);
    const stalled = Array.from({ length: 2 }, () => connect());
    for (const peer of stalled) deliver(peer, produce(1_250_000).subarray(0, 400_000), turn);
    const [small, waiting] = [connect(), connect()];
    deliver(waiting, produce(1_250_000), turn);
    expect([waiting.isReading, ...stalled.map((peer) => peer.isReading)]).toEqual([false, true, true]);
    for (; clock.nowMs < 14_000; clock.nowMs += 200) {
      small.deliver(produce(12_000));
      slow.deliver(slowFrame.subarray(sentBytes, sentBytes + 4000));
      sentBytes += 4000;
      turn();
      expect(isAnswered(small)).toBe(true);
      if (clock.nowMs < 9_900) expect(network.counters.connectionsClosed.memory).toBe(0);
    }
    expect([isAnswered(waiting), slow.isClosed, waiting.isClosed]).toEqual([true, false, false]);
    // What one of them held was enough.
    expect(stalled.filter((peer) => peer.isClosed)).toHaveLength(1);
    deliver(slow, slowFrame.subarray(sentBytes), turn);
    for (const peer of stalled) peer.reset();
    turn();
    expect([isAnswered(slow), arena.usedBytes]).toEqual([true, restBytes]);
  });

  test('as many stalled senders give way at once as it takes, and no more', () => {
    const clock = new HandClock();
    const { connect, turn, lines } = worker(8 * MIB, rows, clock);
    const stalled = Array.from({ length: 26 }, () => connect());
    for (const peer of stalled) deliver(peer, produce(250_000).subarray(0, 200_000), turn);
    expect(stalled.every((peer) => peer.isReading)).toBe(true);
    const waiting = [connect(), connect()];
    for (const peer of waiting) deliver(peer, produce(1_900_000), turn);
    for (; clock.nowMs < 12_000; clock.nowMs += 500) turn();
    expect(waiting.map(isAnswered)).toEqual([true, true]);
    const closedCount = stalled.filter((peer) => peer.isClosed).length;
    expect([closedCount >= 2, closedCount < stalled.length, lines.length <= closedCount]).toEqual([true, true, true]);
    for (; clock.nowMs < 60_000; clock.nowMs += 500) turn();
    expect(stalled.filter((peer) => peer.isClosed)).toHaveLength(closedCount); // Nobody waits for them any more.
  });

  test('a worker that was held up takes that for nobody’s silence', () => {
    const clock = new HandClock();
    const { connect, turn } = worker(MIB, rows, clock);
    const [sender, waiting] = [connect(), connect()];
    const bytes = produce(400_000);
    deliver(sender, bytes.subarray(0, 280_000), turn);
    deliver(waiting, produce(400_000), turn);
    expect(waiting.isReading).toBe(false);
    clock.nowMs += 60_000;
    turn();
    expect(sender.isClosed).toBe(false);
    deliver(sender, bytes.subarray(280_000), turn);
    turn();
    expect([isAnswered(sender), isAnswered(waiting)]).toEqual([true, true]);
  });

  test('whoever stalls among senders of any kind, all others come through, and none of them is closed', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.record({
            kind: fc.constantFrom(PRODUCE, FETCH, METADATA),
            part: fc.integer({ min: 5, max: 100 }),
            secondBytes: fc.constantFrom(0, 0, 4000, 40_000, 400_000),
          }),
          { minLength: 2, maxLength: 10 },
        ),
        (peers) => {
          const clock = new HandClock();
          const { connect, turn, network } = worker(2 * MIB, rows, clock);
          const mostBytes = largestFrame(2 * MIB);
          const senders = peers.map(({ kind, part, secondBytes }) => {
            const version = { [PRODUCE]: PRODUCE_V, [FETCH]: FETCH_V, [METADATA]: METADATA_V }[kind];
            const frame = requestFrame(kind, version, 1, Buffer.alloc(Math.floor((mostBytes * part) / 100)));
            const transport = connect();
            // All begin with half of it; then some stop, and some go on.
            transport.deliver(frame.subarray(0, frame.length >> 1));
            turn();
            return { transport, frame, secondBytes, sentBytes: frame.length >> 1, hasStopped: secondBytes === 0 };
          });
          const small = connect();
          const others = senders.filter(({ hasStopped }) => !hasStopped);
          const open = new Set(others);
          for (; open.size > 0 && clock.nowMs < 1_000_000; clock.nowMs += 1000) {
            if (small.unreadBytes === 0) small.deliver(produce(10_000));
            for (const sender of open) {
              const { transport, frame, secondBytes, sentBytes } = sender;
              if (transport.unreadBytes === 0) {
                transport.deliver(frame.subarray(sentBytes, sentBytes + secondBytes));
                sender.sentBytes += secondBytes;
              }
              if (isAnswered(transport)) open.delete(sender);
            }
            turn();
          }
          expect([open.size, others.some(({ transport }) => transport.isClosed), small.isClosed]).toEqual([0, false, false]);
          expect(network.counters.connectionsClosed.memory).toBeLessThanOrEqual(senders.length - others.length);
        },
      ),
      { numRuns: 100 },
    );
  });

  test('a frame that waits behind unanswered requests of its own gives way where that can be enough, unless these are answered in turn', () => {
    const clock = new HandClock();
    const parked: IncomingRequest[] = [];
    const served = [
      row(PRODUCE, yes, { keepsBody: true, order: 'produce' }),
      row(FETCH, () => true, { order: 'fetch', waitsForOthers: true }),
      row(METADATA, (request) => parked.push(request) > 0, { waitsForOthers: true }),
    ];
    const { connect, turn, arena, lines } = worker(8 * MIB, served, clock);
    const held = arena.claim(4 * MIB); // What the last one needs, whoever gives way.
    const goesOn = connect();
    deliver(goesOn, Buffer.concat([...Array.from({ length: 9 }, () => metadata(1000)), produce(50_000)]), turn);
    const holders = Array.from({ length: 4 }, () => connect());
    for (const holder of holders) {
      holder.deliver(fetch(100));
      deliver(holder, produce(500_000), turn);
    }
    const waiting = connect();
    deliver(waiting, produce(3_900_000), turn);
    for (; clock.nowMs < 9000; clock.nowMs += 500) turn();
    expect(holders.some((holder) => holder.isClosed)).toBe(false);
    for (; clock.nowMs < 35_000; clock.nowMs += 500) {
      if (clock.nowMs % 5000 === 0) yes(parked.at(-1) as IncomingRequest);
      turn();
    }
    // Free and held by them: less than 4 MiB. Needed: 4 MiB, and 1 MiB that producers leave to others.
    expect([...holders, goesOn, waiting].some((peer) => peer.isClosed)).toBe(false);
    const less = connect();
    deliver(less, produce(1_000_000), turn);
    for (; clock.nowMs < 50_000; clock.nowMs += 500) {
      if (clock.nowMs % 5000 === 0) yes(parked.at(-1) as IncomingRequest);
      turn();
    }
    expect(isAnswered(less)).toBe(true);
    const closedCount = lines.length;
    expect([closedCount > 0, closedCount < holders.length, waiting.isClosed]).toEqual([true, true, false]);
    arena.release(held);
    for (const endMs = clock.nowMs + 2000; clock.nowMs < endMs; clock.nowMs += 500) turn();
    expect([isAnswered(waiting), goesOn.isClosed]).toEqual([true, false]);
    for (const line of lines) expect(line).toContain('waits for the answer to the one before it');
  });

  test('who waits behind a request that we are slow with is not closed, who waits behind one that waits for others is', () => {
    const clock = new HandClock();
    const slow: IncomingRequest[] = [];
    const served = [
      row(PRODUCE, yes, { keepsBody: true, order: 'produce' }),
      row(FETCH, () => true, { order: 'fetch', waitsForOthers: true }),
      row(METADATA, (request) => slow.push(request) > 0),
    ];
    const { connect, turn, network } = worker(8 * MIB, served, clock);
    const [behindUs, behindOthers] = [connect(), connect()];
    behindUs.deliver(metadata(100));
    behindOthers.deliver(fetch(100));
    // The one that holds more would be the first to go.
    deliver(behindUs, produce(1_900_000), turn);
    deliver(behindOthers, produce(900_000), turn);
    const waiting = connect();
    deliver(waiting, produce(3_900_000), turn);
    for (; clock.nowMs < 30_000; clock.nowMs += 500) turn();
    expect([behindUs.isClosed, behindOthers.isClosed, isAnswered(waiting)]).toEqual([false, true, true]);
    expect(network.counters.connectionsClosed.memory).toBe(1);
    yes(slow[0] as IncomingRequest);
    turn();
    expect(isAnswered(behindUs)).toBe(true);
  });

  test('who wants more than there will be for long is passed by those behind it, and has its turns', () => {
    const clock = new HandClock();
    const { connect, turn, arena, network } = worker(8 * MIB, rows, clock);
    const held = arena.claim(4 * MIB);
    const fill: number[] = [];
    for (let slab = arena.claim(128 * KIB, MIB); slab >= 0; slab = arena.claim(128 * KIB, MIB)) fill.push(slab);
    const first = connect();
    deliver(first, produce(3_900_000), turn);
    const others = Array.from({ length: 5 }, () => connect());
    for (const other of others) deliver(other, produce(270_000), turn);
    expect([first, ...others].some((peer) => peer.isReading)).toBe(false);
    for (const slab of fill) arena.release(slab);
    turn();
    expect(others.some(isAnswered)).toBe(false);
    for (; clock.nowMs < 15_000; clock.nowMs += 500) turn();
    expect([others.map(isAnswered), first.isReading]).toEqual([others.map(() => true), false]);
    // Now and then nobody passes, so that what comes back adds up to what the first one needs.
    for (; clock.nowMs < 20_500; clock.nowMs += 500) turn();
    const beginnings = arena.claim(2 * MIB);
    const rest: number[] = [];
    for (let slab = arena.claim(128 * KIB, MIB); slab >= 0; slab = arena.claim(128 * KIB, MIB)) rest.push(slab);
    const late = connect();
    deliver(late, produce(270_000), turn);
    expect(late.isReading).toBe(false);
    for (const slab of [...rest, beginnings]) arena.release(slab);
    turn();
    expect(isAnswered(late)).toBe(false);
    arena.release(held);
    turn();
    expect([isAnswered(first), isAnswered(late), network.counters.connectionsClosed.memory]).toEqual([true, true, 0]);
  });

  test('a frame that there can never be room for is refused as soon as its length is known', () => {
    const { connect, turn, network, lines } = worker(16 * MIB);
    const [fits, tooLarge] = [connect(), connect()];
    fits.deliver(produce(8_000_000).subarray(0, 100));
    tooLarge.deliver(produce(9_000_000).subarray(0, 100));
    turn();
    expect([fits.isClosed, tooLarge.isClosed]).toEqual([false, true]);
    expect(network.counters.connectionsClosed.memory).toBe(1);
    expect(lines[0]).toContain('more than this worker’s share of naru.memory.max');
    deliver(fits, produce(8_000_000).subarray(100), turn);
    expect(isAnswered(fits)).toBe(true);
  });
});

test.each([300, 3000, 30_000])('a thousand peers that announce 100 MB and send %i B hold as much as that takes', (sentBytes) => {
  const { connect, turn, arena, restBytes, network } = worker(256 * MIB);
  const frame = Buffer.concat([Buffer.from([5, 0xf5, 0xe1, 0]), produce(sentBytes).subarray(4, sentBytes)]);
  const peers = Array.from({ length: 1000 }, () => connect());
  for (const peer of peers) deliver(peer, frame, turn);
  expect([network.counters.receivedBytes, peers.filter((peer) => peer.isClosed).length]).toEqual([1000 * sentBytes, 0]);
  // Room for twice what has come, in slabs of 4 KiB at least, and of powers of two.
  const heldBytes = arena.usedBytes - restBytes;
  expect(heldBytes).toBeGreaterThanOrEqual(1000 * sentBytes);
  expect(heldBytes).toBeLessThanOrEqual(1000 * Math.max(4 * KIB, 4 * sentBytes));
  for (const peer of peers) peer.reset();
  turn();
  expect(arena.usedBytes).toBe(restBytes);
});

test('peers that leave with a request behind one that is never answered do not keep their memory, and the log names them', async () => {
  const parked = row(FETCH, () => true, { order: 'fetch', waitsForOthers: true });
  const harness = await startNetwork([row(PRODUCE, yes, { keepsBody: true, order: 'produce' }), parked], {
    arenaBytes: 8 * MIB,
    stallMs: 300,
  });
  try {
    const { network, arena, lines } = harness;
    const restBytes = arena.usedBytes;
    const ports: (number | undefined)[] = [];
    const both = Buffer.concat([fetch(100), produce(900_000)]);
    for (let i = 0; i < 6; i++) {
      const holder = await RawClient.connect(harness.port);
      ports.push(holder.socket.localPort);
      holder.write(both);
      await until(() => network.counters.receivedBytes === both.length * (i + 1));
      if (i % 2 === 0) holder.socket.resetAndDestroy();
      else holder.close();
    }
    expect(arena.usedBytes - restBytes).toBe(6 * MIB);
    const waiting = await RawClient.connect(harness.port);
    waiting.write(produce(1_500_000));
    expect((await waiting.receive()).subarray(4).toString()).toBe('yes');
    expect(network.counters.connectionsClosed.memory).toBeGreaterThan(0);
    for (const line of lines) {
      expect(line).toContain('waits for the answer to the one before it');
      expect(ports.map((port) => `connection from 127.0.0.1:${port} closed`)).toContain(line.slice(0, line.indexOf(':', 30)));
    }
    waiting.close();
  } finally {
    await harness.stop();
  }
}, 60_000);

test('a thousand peers that announce 100 MB and send one byte hold nothing of the arena', async () => {
  const harness = await startNetwork(rows, { arenaBytes: 256 * MIB });
  try {
    const before = harness.arena.usedBytes;
    const peers: RawClient[] = [];
    for (let i = 0; i < 1000; i++) {
      const peer = await RawClient.connect(harness.port);
      peers.push(peer);
      peer.write(Buffer.from([5, 0xf5, 0xe1, 0, 0])); // 100,000,000, and the first byte of the API key.
    }
    await until(() => harness.network.counters.receivedBytes === 5 * peers.length);
    expect(harness.arena.usedBytes).toBe(before);
    // Nor was any claimed in between: behind the landing buffer, where the first slabs would lie, nothing was ever written.
    const behind = harness.network.landing.position + harness.network.landing.sizeBytes;
    expect(harness.arena.bytes.subarray(behind, behind + MIB).equals(Buffer.alloc(MIB))).toBe(true);
    for (const peer of peers) peer.close();
  } finally {
    await harness.stop();
  }
}, 60_000);
