// One connection, driven byte by byte in memory: frames at every cut.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { echo, FETCH, METADATA, PRODUCE, pattern, row } from './support.ts';
import { expectReplies, frame, Parked, wire } from './wire.ts';

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

  test('behind a large frame only the beginning of the next is read into the landing buffer, behind a small one all that comes', () => {
    const { transport, turn, network } = wire([row(METADATA, echo)]);
    const { window, head } = network.landing;
    const [large, small] = [pattern(1, 200_000), pattern(2, 500)];
    const pass = (...bodies: Buffer[]): void => {
      transport.deliver(Buffer.concat(bodies.map((body, id) => frame(METADATA, id, body))));
      turn();
      expectReplies(
        transport.take(),
        bodies.map((body, id) => [id, body]),
      );
    };
    pass(large);
    window.fill(0xee);
    pass(large);
    expect(window.findIndex((byte, at) => at >= head.length && byte !== 0xee)).toBe(-1);
    pass(small);
    const { readCount } = network.counters;
    pass(...new Array<Buffer>(40).fill(small));
    expect(network.counters.readCount - readCount).toBe(1);
  });

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
