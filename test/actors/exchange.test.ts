// Workers that ask each other at random, all in one thread, over rings of the smallest and of a usual size: everything is
// answered once with the right content, whatever is full; and the promises of the exchange one by one.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Exchange, type MessageHandler } from '../../src/actors/exchange.ts';
import { createExchangeRegion, exchangeLayout, exchangeRegionBytes, RING_CAPACITY_MIN_BYTES } from '../../src/actors/ring-layout.ts';
import { SharedBits, sharedBitsBytes } from '../../src/actors/shared-bits.ts';
import { SharedWords } from '../../src/actors/shared-words.ts';
import { type Random, seededRandom } from '../../src/base/random.ts';

const ASK = 3;
const ANSWER = 5;
const KIB = 1024;

function makeExchanges(workerCount: number, ringCapacityBytes: number, initialCounter = 0): { exchanges: Exchange[]; bells: number[] } {
  const region = createExchangeRegion(workerCount, ringCapacityBytes, initialCounter);
  const bells: number[] = [];
  const ringDoorbell = (target: number): void => void bells.push(target);
  const exchanges = Array.from(
    { length: workerCount },
    (_, selfIndex) => new Exchange({ selfIndex, workerCount, region, ringCapacityBytes, ringDoorbell }),
  );
  return { exchanges, bells };
}

interface Waiting {
  readonly from: number;
  readonly requestId: number;
  readonly value: number;
  readonly replyWords: number;
  polls: number;
}

/** A worker that asks and answers; `lateness`: how many polls it may keep a request before it answers. */
class Party {
  answered = 0;
  sent = 0;
  refused = 0;
  creditCalls = 0;
  readonly #exchange: Exchange;
  readonly #random: Random;
  readonly #count: number;
  readonly #waiting: Waiting[] = [];
  readonly #expected = new Map<string, { value: number; replyWords: number }>();
  readonly #lateness: number;

  constructor(exchange: Exchange, count: number, random: Random, lateness: number) {
    this.#exchange = exchange;
    this.#random = random;
    this.#count = count;
    this.#lateness = lateness;
    exchange.onRequest(ASK, (from, requestId, words, floats, index, payloadWords) => {
      const value = floats[index >> 1] as number;
      for (let i = 3; i < payloadWords; i++) if (words[index + i] !== requestId + i) throw new Error(`word ${i} of request ${requestId}`);
      const polls = random.below(lateness + 1);
      this.#waiting.push({ from, requestId, value, replyWords: words[index + 2] as number, polls });
      if (polls === 0) this.#answerDue(); // From within the handler.
    });
    exchange.onReply(ANSWER, (from, requestId, words, _floats, index, payloadWords) => {
      const expected = this.#expected.get(`${from}/${requestId}`);
      expect(expected?.replyWords).toBe(payloadWords);
      const value = expected?.value ?? 0;
      for (let i = 0; i < payloadWords; i++) if (words[index + i] !== ((value + i) | 0)) throw new Error(`word ${i} of reply ${requestId}`);
      this.#expected.delete(`${from}/${requestId}`);
      this.answered++;
    });
    exchange.onCredits(() => this.creditCalls++);
  }

  get isDone(): boolean {
    return this.answered === this.#count;
  }

  ask(): void {
    const max = this.#exchange.maxPayloadWords;
    for (let tries = 0; tries < 20 && this.sent < this.#count; tries++) {
      const target = this.#random.below(this.#exchange.workerCount);
      const payloadWords = 3 + this.#random.below(max - 2);
      const replyWords = this.#random.below(max + 1);
      const requestId = this.sent - 100;
      const index = this.#exchange.tryRequest(target, ASK, requestId, payloadWords, replyWords);
      if (index === -1) {
        this.refused++;
        continue;
      }
      if (this.#random.below(5) === 0) {
        this.#exchange.abortRequest(target);
        continue;
      }
      const value = 2 ** 40 + this.#random.below(1000);
      this.#exchange.requestFloats(target)[index >> 1] = value;
      const words = this.#exchange.requestWords(target);
      words[index + 2] = replyWords;
      for (let i = 3; i < payloadWords; i++) words[index + i] = requestId + i;
      this.#exchange.commitRequest(target);
      this.#expected.set(`${target}/${requestId}`, { value, replyWords });
      this.sent++;
    }
  }

  turn(): void {
    this.#exchange.poll(1 + this.#random.below(8));
    this.#answerDue();
    for (const one of this.#waiting) one.polls--;
  }

  #answerDue(): void {
    for (let i = this.#waiting.length - 1; i >= 0; i--) {
      const { from, requestId, value, replyWords, polls } = this.#waiting[i] as Waiting;
      if (polls > 0 && this.#lateness > 0) continue;
      this.#waiting.splice(i, 1);
      const index = this.#exchange.beginReply(from, ANSWER, requestId, replyWords);
      const words = this.#exchange.replyWords(from);
      for (let k = 0; k < replyWords; k++) words[index + k] = (value + k) | 0;
      this.#exchange.commitReply(from);
    }
  }
}

describe.each([1, 2, 3])('an exchange of %i workers', (workerCount) => {
  it('answers everything once, at every size, order and filling', () => {
    const capacity = fc.constantFrom(RING_CAPACITY_MIN_BYTES, 256, 4 * KIB);
    const start = fc.constantFrom(0, 2 ** 31 - 200, -200);
    fc.assert(
      fc.property(capacity, start, fc.nat(), fc.constantFrom(0, 3), (ringCapacityBytes, initial, seed, lateness) => {
        const random = seededRandom(seed);
        const { exchanges } = makeExchanges(workerCount, ringCapacityBytes, initial);
        const parties = exchanges.map((exchange) => new Party(exchange, 60, random, lateness));
        let turns = 0;
        while (parties.some((party) => !party.isDone)) {
          if (turns++ > 10_000) throw new Error('nothing moves any more');
          const party = parties[random.below(workerCount)] as Party;
          if (random.below(2) === 0) party.ask();
          else party.turn();
        }
        for (const exchange of exchanges) {
          expect(exchange.hasInbound()).toBe(false);
          for (let target = 0; target < workerCount; target++) expect(exchange.outstandingCount(target)).toBe(0);
        }
        for (const party of parties) expect(party.creditCalls).toBeGreaterThan(0);
        if (ringCapacityBytes === RING_CAPACITY_MIN_BYTES)
          expect(parties.reduce((sum, party) => sum + party.refused, 0)).toBeGreaterThan(0);
      }),
      { numRuns: 60 },
    );
  });
});

describe('an exchange', () => {
  const reply: (exchange: Exchange) => MessageHandler = (exchange) => (from, requestId) => {
    exchange.beginReply(from, ANSWER, requestId, 0);
    exchange.commitReply(from);
  };

  it('answers a request to itself within two polls, so that one turn can hold both', () => {
    const [exchange] = makeExchanges(1, 4 * KIB).exchanges as [Exchange];
    const heard: number[] = [];
    exchange.onRequest(ASK, reply(exchange));
    exchange.onReply(ANSWER, (_from, requestId) => heard.push(requestId));
    exchange.tryRequest(0, ASK, 42, 0, 0);
    exchange.commitRequest(0);
    expect(exchange.hasInbound()).toBe(true);
    expect(exchange.trySleep()).toBe(false);
    expect(exchange.poll(10)).toBe(1);
    expect(exchange.poll(10)).toBe(1);
    expect(heard).toEqual([42]);
    expect(exchange.trySleep()).toBe(true);
  });

  it('rings once for a sleeper, at the end of the turn, and never for who is awake', () => {
    const { exchanges, bells } = makeExchanges(2, 4 * KIB);
    const [a, b] = exchanges as [Exchange, Exchange];
    b.onRequest(ASK, reply(b));
    a.onReply(ANSWER, () => undefined);
    const ask = (requestId: number): void => {
      a.tryRequest(1, ASK, requestId, 0, 0);
      a.commitRequest(1);
    };
    ask(1);
    a.ringDoorbells();
    expect(bells).toEqual([]);
    expect(b.trySleep()).toBe(false);
    b.poll(10);
    expect(b.trySleep()).toBe(true);
    ask(2);
    ask(3);
    expect(bells).toEqual([]);
    a.ringDoorbells();
    ask(4);
    a.ringDoorbells();
    expect(bells).toEqual([1]);
    expect(a.poll(10)).toBe(1);
    expect(a.trySleep()).toBe(true);
    b.awake();
    b.poll(10);
    b.ringDoorbells();
    expect(bells).toEqual([1, 0]);
  });

  it('keeps awake, drains and rings for what is outside the rings', () => {
    const { exchanges, bells } = makeExchanges(2, 4 * KIB);
    const [a, b] = exchanges as [Exchange, Exchange];
    const words = new SharedWords(new SharedArrayBuffer(sharedBitsBytes(100)));
    const bitsOfB = new SharedBits(words, 0, 100);
    const drained: number[] = [];
    b.addWakeSource(
      () => bitsOfB.any(),
      () => void bitsOfB.drain((bit) => drained.push(bit)),
    );
    expect(b.trySleep()).toBe(true);
    new SharedBits(words, 0, 100).set(77);
    a.signal(1);
    a.ringDoorbells();
    expect(bells).toEqual([1]);
    expect(b.hasInbound()).toBe(true);
    expect(b.trySleep()).toBe(false);
    expect(b.poll(10)).toBe(0);
    expect(drained).toEqual([77]);
    expect(b.trySleep()).toBe(true);
  });

  it('hears no more than the limit of each kind, and starts with another worker each time', () => {
    const { exchanges } = makeExchanges(3, 4 * KIB);
    const [a, b, c] = exchanges as [Exchange, Exchange, Exchange];
    const order: number[] = [];
    a.onRequest(ASK, (from, requestId) => {
      order.push(from);
      reply(a)(from, requestId, new Int32Array(0), new Float64Array(0), 0, 0);
    });
    for (const worker of [b, c]) {
      for (let requestId = 0; requestId < 20; requestId++) {
        worker.tryRequest(0, ASK, requestId, 0, 0);
        worker.commitRequest(0);
      }
    }
    for (let i = 0; i < 3; i++) expect(a.poll(4)).toBe(4);
    expect(new Set(order)).toEqual(new Set([1, 2]));
  });

  it('gives a credit back when a request is aborted, and the id with it', () => {
    const [exchange] = makeExchanges(1, RING_CAPACITY_MIN_BYTES).exchanges as [Exchange];
    for (let i = 0; i < 100; i++) {
      expect(exchange.tryRequest(0, ASK, 1, 12, 12)).not.toBe(-1);
      exchange.abortRequest(0);
    }
    expect(exchange.outstandingCount(0)).toBe(0);
  });

  it('asserts that ids are unique, kinds are heard, replies were asked for, and polls are not nested', () => {
    const [exchange] = makeExchanges(1, 4 * KIB).exchanges as [Exchange];
    const ask = (kind: number): void => {
      exchange.tryRequest(0, kind, 1, 0, 0);
      exchange.commitRequest(0);
    };
    ask(ASK);
    expect(() => ask(ASK)).toThrow(/outstanding already/);
    expect(() => exchange.poll(1)).toThrow(/no handler for requests of kind 3/);
    exchange.onRequest(4, () => void exchange.poll(1));
    expect(() => exchange.onRequest(4, () => undefined)).toThrow(/already/);
    exchange.beginReply(0, ANSWER, 1, 0);
    exchange.commitReply(0);
    expect(() => exchange.poll(1)).toThrow(/no handler for replies of kind 5/);
    ask(4);
    expect(() => exchange.poll(1)).toThrow(/not called from a handler/);
    exchange.onReply(ANSWER, () => undefined);
    exchange.beginReply(0, ANSWER, 999, 0);
    exchange.commitReply(0);
    expect(() => exchange.poll(1)).toThrow(/999 is not outstanding/);
  });
});

describe('the layout of an exchange region', () => {
  it('gives every word a place of its own, writers on lines of their own', () => {
    const layout = exchangeLayout(3, 256);
    const firstWords = [0, 1, 2].map((worker) => layout.sleepingWord(worker));
    for (let from = 0; from < 3; from++) {
      for (let to = 0; to < 3; to++) firstWords.push(layout.ringWord(from, to, 0), layout.ringWord(from, to, 1));
    }
    expect(new Set(firstWords).size).toBe(3 + 18);
    for (const word of firstWords) expect((word * 4) % 128).toBe(0);
    const last = Math.max(...firstWords);
    expect(layout.sizeBytes).toBe((last + 64) * 4 + 256);
    expect(exchangeRegionBytes(3, 256)).toBe(layout.sizeBytes);
    expect(() => exchangeLayout(33, 256)).toThrow(/33 workers/);
  });
});
