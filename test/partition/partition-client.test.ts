// The asking side over a real exchange with rings of minimum size: calls are cut into pieces that fit, pieces wait for credits in
// the order of their calls, and every entry gets its own answer.
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Exchange } from '../../src/actors/exchange.ts';
import { createExchangeRegion, RING_CAPACITY_MIN_BYTES } from '../../src/actors/ring-layout.ts';
import { type PartitionCall, PartitionClient } from '../../src/partition/partition-client.ts';
import {
  ARENA,
  ENTRY_COUNT,
  FETCH_PLAN,
  fetchEntry,
  fetchReply,
  HEADER_WORDS,
  LIST_OFFSETS,
  METADATA_OFFSET,
  PRODUCE,
  produceEntry,
  REPLY_ENTRY_WORDS,
  REQUEST_ENTRY_WORDS,
} from '../../src/partition/partition-messages.ts';

/** The smallest in which an entry of every kind fits: a piece is one fetch or two produced batches. */
const RING_BYTES = 2 * RING_CAPACITY_MIN_BYTES;
const METADATA = 77;

interface Heard {
  readonly from: number;
  readonly kind: number;
  readonly requestId: number;
  readonly arena: number;
  readonly metadataOffset: number;
  readonly slots: readonly number[];
}

/** Workers in one thread: the first asks, the others keep what they hear until they are told to answer. */
class Bench {
  readonly client: PartitionClient;
  readonly exchanges: Exchange[];
  readonly heard: Heard[][] = [];
  wakes = 0;

  constructor(workerCount: number, ringBytes = RING_BYTES) {
    const region = createExchangeRegion(workerCount, ringBytes);
    this.exchanges = Array.from(
      { length: workerCount },
      (_, selfIndex) => new Exchange({ selfIndex, workerCount, region, ringCapacityBytes: ringBytes, ringDoorbell: () => {} }),
    );
    this.client = new PartitionClient(
      this.exchanges[0] as Exchange,
      () => METADATA,
      () => this.wakes++,
    );
    for (const [worker, exchange] of this.exchanges.entries()) {
      this.heard[worker] = [];
      for (const kind of [PRODUCE, FETCH_PLAN, LIST_OFFSETS]) {
        exchange.onRequest(kind, (from, requestId, words, _floats, index) => {
          const slots = Array.from(
            { length: words[index + ENTRY_COUNT] as number },
            (__, entry) => words[index + HEADER_WORDS + entry * (REQUEST_ENTRY_WORDS[kind] as number)] as number,
          );
          const arena = words[index + ARENA] as number;
          const metadataOffset = words[index + METADATA_OFFSET] as number;
          this.heard[worker]?.push({ from, kind, requestId, slots, arena, metadataOffset });
        });
      }
    }
  }

  poll(): void {
    for (const exchange of this.exchanges) exchange.poll(100);
  }

  /** Worker `worker` answers what it has heard as its `index`-th: error = its own number * 1000 + slot, so that each entry is told apart. */
  answer(worker: number, index = 0): void {
    const [asked] = this.heard[worker]?.splice(index, 1) ?? [];
    if (asked === undefined) throw new Error(`worker ${worker} has heard nothing`);
    const exchange = this.exchanges[worker] as Exchange;
    const stride = REPLY_ENTRY_WORDS[asked.kind] as number;
    const at = exchange.beginReply(asked.from, asked.kind, asked.requestId, HEADER_WORDS + asked.slots.length * stride);
    const words = exchange.replyWords(asked.from);
    words[at + ENTRY_COUNT] = asked.slots.length;
    for (const [entry, slot] of asked.slots.entries()) words[at + HEADER_WORDS + entry * stride] = worker * 1000 + slot;
    exchange.commitReply(asked.from);
  }

  /** A call that asks `owners` in order, entry `i` for slot `base + i`; tells when it is done. */
  send(kind: number, owners: readonly number[], base = 0): { readonly call: PartitionCall; results(): number[] | null } {
    let isDone = false;
    const call = this.client.begin(kind, owners.length, () => {
      isDone = true;
    });
    for (const [i, owner] of owners.entries()) call.requestWords[call.add(owner)] = base + i;
    this.client.send(call);
    if (isDone) throw new Error('done within send');
    return { call, results: () => (isDone ? owners.map((_, i) => call.replyWords[call.reply(i)] as number) : null) };
  }
}

describe('a call', () => {
  it('is one record for each owner where it fits', () => {
    const bench = new Bench(3, 4096);
    const { results } = bench.send(PRODUCE, [1, 2, 1, 0, 2, 1]);
    bench.poll();
    expect(bench.heard.map((pieces) => pieces.map(({ slots }) => slots))).toEqual([[[3]], [[0, 2, 5]], [[1, 4]]]);
    expect(bench.heard[1]?.[0]).toMatchObject({ from: 0, arena: 0, metadataOffset: METADATA });
    expect(bench.wakes).toBe(1);
    bench.answer(2);
    bench.answer(0);
    bench.poll();
    expect(results()).toBeNull();
    bench.answer(1);
    bench.poll();
    expect(results()).toEqual([1000, 2001, 1002, 3, 2004, 1005]);
  });

  it('is cut into pieces that fit the ring, which may be answered in any order', () => {
    const bench = new Bench(2);
    const { results } = bench.send(
      PRODUCE,
      Array.from({ length: 7 }, () => 1),
    );
    for (let round = 0; round < 10 && results() === null; round++) {
      bench.poll();
      for (const { slots } of bench.heard[1] ?? []) expect(slots.length).toBeLessThanOrEqual(3);
      while ((bench.heard[1]?.length ?? 0) > 0) bench.answer(1, (bench.heard[1]?.length ?? 1) - 1); // The last first.
    }
    expect(results()).toEqual([1000, 1001, 1002, 1003, 1004, 1005, 1006]);
    expect(bench.client.waitingCount).toBe(0);
  });

  it('carries all words of an entry', () => {
    const bench = new Bench(2);
    const seen: number[] = [];
    const exchange = bench.exchanges[1] as Exchange;
    const call = bench.client.begin(FETCH_PLAN, 1, () => {});
    const at = call.add(0);
    call.requestWords.set([5, 6, 7, 8], at);
    call.requestFloats[(at + fetchEntry.fetchOffset) >> 1] = 2 ** 52 + 1;
    call.requestWords[at + fetchEntry.isolation] = 1;
    const own = new Bench(1);
    const ownCall = own.client.begin(FETCH_PLAN, 1, (done) =>
      seen.push(done.replyFloats[(done.reply(0) + fetchReply.highWatermark) >> 1] as number),
    );
    expect(exchange.selfIndex).toBe(1);
    ownCall.requestWords[ownCall.add(0)] = 3;
    own.client.send(ownCall);
    own.poll();
    const [asked] = own.heard[0]?.splice(0) ?? [];
    const reply = (own.exchanges[0] as Exchange).beginReply(0, FETCH_PLAN, asked?.requestId ?? -1, HEADER_WORDS + 16);
    (own.exchanges[0] as Exchange).replyFloats(0)[(reply + HEADER_WORDS + fetchReply.highWatermark) >> 1] = 2 ** 53 - 1;
    (own.exchanges[0] as Exchange).commitReply(0);
    own.poll();
    expect(seen).toEqual([2 ** 53 - 1]);
  });

  it('leaves entries alone that are answered already', () => {
    const bench = new Bench(2);
    let done = 0;
    const call = bench.client.begin(FETCH_PLAN, 3, () => done++);
    call.requestWords[call.add(1)] = 10;
    const answered = call.addAnswered();
    call.replyWords[answered + fetchReply.length] = 123;
    call.requestWords[call.add(1)] = 12;
    bench.client.send(call);
    for (let round = 0; round < 5; round++) {
      bench.poll();
      while ((bench.heard[1]?.length ?? 0) > 0) bench.answer(1);
    }
    expect(done).toBe(1);
    expect([0, 1, 2].map((entry) => call.replyWords[call.reply(entry)])).toEqual([1010, 0, 1012]);
    expect(call.replyWords[call.reply(1) + fetchReply.length]).toBe(123);
  });

  it('is given again after its end, without what was in it', () => {
    const bench = new Bench(1);
    const first = bench.client.begin(PRODUCE, 4, () => {});
    first.requestWords[first.add(0) + produceEntry.length] = 9;
    bench.client.end(first);
    const second = bench.client.begin(PRODUCE, 2, () => {});
    expect(second).toBe(first);
    expect(second.count).toBe(0);
    bench.client.end(second);
    expect(bench.client.begin(PRODUCE, second.capacity + 1, () => {}).capacity).toBeGreaterThan(second.capacity);
  });
});

/** A call of more entries than are kept for the next one, from its beginning to its end. */
function largeCall(bench: Bench): WeakRef<PartitionCall> {
  const call = bench.client.begin(LIST_OFFSETS, 2000, (done) => bench.client.end(done));
  call.requestWords[call.add(0)] = 5;
  bench.client.send(call);
  bench.poll();
  bench.answer(0);
  bench.poll();
  return new WeakRef(call);
}

it('a large call is kept by nothing after its end', async () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const bench = new Bench(1);
  const call = largeCall(bench);
  await new Promise((done) => setImmediate(done)); // Until here a WeakRef keeps what it was made of.
  collect();
  expect(call.deref()).toBeUndefined();
  expect(bench.send(PRODUCE, [0]).results()).toBeNull(); // The client is still there.
});

describe('without credits', () => {
  it('pieces wait and leave in the order of their calls, those of other owners at once', () => {
    const bench = new Bench(3);
    const calls = [0, 1, 2, 3].map((n) => bench.send(FETCH_PLAN, [1, 1], 10 * n));
    const other = bench.send(FETCH_PLAN, [2], 90);
    expect(bench.client.waitingCount).toBeGreaterThan(4);
    const order: number[] = [];
    bench.poll();
    expect(bench.heard[2]?.map(({ slots }) => slots)).toEqual([[90]]);
    bench.answer(2);
    for (let round = 0; round < 40 && order.length < 8; round++) {
      bench.poll();
      for (const { slots } of bench.heard[1] ?? []) order.push(...slots);
      while ((bench.heard[1]?.length ?? 0) > 0) bench.answer(1);
    }
    bench.poll();
    expect(order).toEqual([0, 1, 10, 11, 20, 21, 30, 31]);
    expect(calls.map(({ results }) => results())).toEqual([0, 10, 20, 30].map((base) => [1000 + base, 1001 + base]));
    expect(other.results()).toEqual([2090]);
    expect(bench.client.waitingCount).toBe(0);
  });

  it('a later call does not overtake one that waits, though it would fit', () => {
    const bench = new Bench(2);
    // Takes the whole ring: two pieces, of which the second waits; then one that is smaller.
    bench.send(FETCH_PLAN, [1, 1, 1], 0);
    bench.send(LIST_OFFSETS, [1], 50);
    const order: number[] = [];
    for (let round = 0; round < 20; round++) {
      bench.poll();
      for (const { slots } of bench.heard[1] ?? []) order.push(...slots);
      while ((bench.heard[1]?.length ?? 0) > 0) bench.answer(1);
    }
    expect(order).toEqual([0, 1, 2, 50]);
  });

  it('any calls to any owners, answered in any order: each entry gets its answer, each owner hears them in order', () => {
    const kinds = fc.constantFrom(PRODUCE, FETCH_PLAN, LIST_OFFSETS);
    const calls = fc.array(fc.tuple(kinds, fc.array(fc.nat(2), { minLength: 1, maxLength: 9 })), { minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(
        calls,
        fc.array(fc.nat(1000), { minLength: 20, maxLength: 20 }),
        fc.constantFrom(RING_BYTES, 512, 4096),
        (plan, draws, ringBytes) => {
          const bench = new Bench(3, ringBytes);
          let base = 0;
          const order: number[][] = [[], [], []];
          const expected: number[][] = [[], [], []];
          const sent = plan.map(([kind, owners]) => {
            const call = bench.send(kind, owners, base);
            for (const [i, owner] of owners.entries()) expected[owner]?.push(base + i);
            base += owners.length;
            return { call, owners, base: base - owners.length };
          });
          let draw = 0;
          for (let round = 0; round < 1000 && sent.some(({ call }) => call.results() === null); round++) {
            const known = bench.heard.map((pieces) => pieces.length);
            bench.poll();
            for (const [worker, pieces] of bench.heard.entries())
              for (const { slots } of pieces.slice(known[worker])) order[worker]?.push(...slots);
            for (const [worker, pieces] of bench.heard.entries()) {
              if (pieces.length > 0) bench.answer(worker, (draws[draw++ % draws.length] ?? 0) % pieces.length);
            }
          }
          expect(order).toEqual(expected);
          for (const { call, owners, base: first } of sent)
            expect(call.results()).toEqual(owners.map((owner, i) => owner * 1000 + first + i));
        },
      ),
    );
  });
});
