// Every schedule of two workers with a whole exchange each, rings of the smallest size: all requests go out, though credits
// and the request ring run out in between, each is answered once, and nobody sleeps over work.
import { describe, expect, it } from 'vitest';
import { Exchange } from '../../src/actors/exchange.ts';
import { exchangeLayout, REQUEST_RING, RING_CAPACITY_MIN_BYTES, RING_HEAD_WORD } from '../../src/actors/ring-layout.ts';
import type { Words } from '../../src/actors/shared-words.ts';
import { type Explored, explore, type ThreadContext } from './explorer.ts';

const KIND = 1;
const REQUESTER = 0;
const OWNER = 1;
const layout = exchangeLayout(2, RING_CAPACITY_MIN_BYTES);

type Wrap = (words: Words) => Words;
const same: Wrap = (words) => words;

function makeExchange(context: ThreadContext, selfIndex: number, wrap: Wrap): Exchange {
  return new Exchange({
    selfIndex,
    workerCount: 2,
    region: new SharedArrayBuffer(layout.sizeBytes), // Payloads are not written here: the id says it all.
    ringCapacityBytes: RING_CAPACITY_MIN_BYTES,
    ringDoorbell: (target) => context.ringBell(target),
    words: wrap(context.words),
  });
}

/** Runs turns until `isDone`: poll, ring, sleep. */
function runTurns(exchange: Exchange, context: ThreadContext, isDone: () => boolean): void {
  for (;;) {
    while (exchange.poll(2) > 0) exchange.ringDoorbells();
    if (isDone()) return;
    if (!exchange.trySleep()) continue;
    context.waitForBell();
    exchange.awake();
  }
}

interface Shape {
  readonly requestCount: number;
  readonly requestWords?: number;
  readonly replyWords?: number;
  /** The requester also tries again from within its reply handler. */
  readonly isEager?: boolean;
  readonly wrapOwner?: Wrap;
}

function exploreExchange(shape: Shape): Explored {
  const { requestCount, requestWords = 0, replyWords = 0, isEager = false, wrapOwner = same } = shape;
  return explore({
    wordCount: layout.sizeBytes / 4,
    threads: [
      (context) => {
        const exchange = makeExchange(context, REQUESTER, same);
        return () => {
          let sent = 0;
          let answered = 0;
          const send = (): void => {
            while (sent < requestCount && exchange.tryRequest(OWNER, KIND, sent, requestWords, replyWords) !== -1) {
              exchange.commitRequest(OWNER);
              sent++;
            }
          };
          exchange.onReply(KIND, (_from, requestId) => {
            if (requestId !== answered) throw new Error(`reply to ${requestId}, expected ${answered}`);
            answered++;
            if (isEager) send();
          });
          exchange.onCredits(send);
          send();
          exchange.ringDoorbells();
          runTurns(exchange, context, () => {
            exchange.ringDoorbells();
            return answered === requestCount;
          });
          context.report(answered);
        };
      },
      (context) => {
        const exchange = makeExchange(context, OWNER, wrapOwner);
        return () => {
          let served = 0;
          exchange.onRequest(KIND, (from, requestId) => {
            exchange.beginReply(from, KIND, requestId, replyWords);
            exchange.commitReply(from);
            served++;
          });
          runTurns(exchange, context, () => served === requestCount);
          context.report(served);
        };
      },
    ],
    check: (reports) => expect(reports).toEqual([[requestCount], [requestCount]]),
  });
}

/** The owner frees the room of a request only after it has published the reply. */
const replyBeforeFreeing: Wrap = (words) => {
  const headWord = layout.ringWord(REQUESTER, OWNER, REQUEST_RING) + RING_HEAD_WORD;
  let late: number | undefined;
  return {
    ...words,
    store: (index, value) => {
      if (index === headWord) {
        late = value;
        return;
      }
      words.store(index, value);
      if (late === undefined) return;
      words.store(headWord, late);
      late = undefined;
    },
  };
};

/** The owner says "asleep" only when it blocks, after its second look. */
const sayAsleepLate: Wrap = (words) => {
  let said: number | undefined;
  return {
    ...words,
    store: (index, value) => {
      if (index === layout.sleepingWord(OWNER) && value !== 0) said = value;
      else words.store(index, value);
    },
    load: (index) => {
      const value = words.load(index);
      const isLastLook = index === layout.ringWord(REQUESTER, OWNER, REQUEST_RING);
      if (isLastLook && said !== undefined) {
        words.store(layout.sleepingWord(OWNER), said);
        said = undefined;
      }
      return value;
    },
  };
};

describe('all schedules of an exchange', () => {
  it('small requests, small replies', () => {
    expect(exploreExchange({ requestCount: 2 }).ends).toBeGreaterThan(10);
  });

  it('one credit at a time', () => {
    expect(exploreExchange({ requestCount: 2, replyWords: 12 }).ends).toBeGreaterThan(10);
  });

  it('a requester that tries again while it reads a reply', () => {
    expect(exploreExchange({ requestCount: 2, replyWords: 12, isEager: true }).ends).toBeGreaterThan(10);
  });

  it('a request ring that is full before the credits are', () => {
    expect(exploreExchange({ requestCount: 3, requestWords: 12 }).ends).toBeGreaterThan(10);
  });

  it('a reply that is published before the room of its request is free is noticed', () => {
    expect(() => exploreExchange({ requestCount: 3, requestWords: 12, wrapOwner: replyBeforeFreeing })).toThrow(/lost wake-up/);
  });

  it('a worker that says "asleep" after its second look is noticed', () => {
    expect(() => exploreExchange({ requestCount: 2, wrapOwner: sayAsleepLate })).toThrow(/lost wake-up/);
  });
});
