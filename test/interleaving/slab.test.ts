// Every schedule of a worker that lends slabs of its arena to an owner and takes them back with the replies: whatever the owner reads or
// writes in a slab is ordered by the rings against what its worker writes there before and after, so a slab that is claimed again is never
// one that is still lent. Arena, requests and what connections hold of them are the product's own; they are their worker's alone and stand
// outside of the shared words.
import { describe, expect, it } from 'vitest';
import { Exchange } from '../../src/actors/exchange.ts';
import { exchangeLayout, RING_CAPACITY_MIN_BYTES } from '../../src/actors/ring-layout.ts';
import { SLAB_MIN_BYTES, SlabArena } from '../../src/actors/slab-arena.ts';
import { IncomingRequest, type RequestOwner } from '../../src/network/incoming-request.ts';
import { OpenRequests, type RequestPool } from '../../src/network/open-requests.ts';
import { type Explored, explore, ScheduleFailure, type ThreadContext } from './explorer.ts';

const KIND = 1;
const LENDER = 0;
const OWNER = 1;
const layout = exchangeLayout(2, RING_CAPACITY_MIN_BYTES);
const SLABS_AT = layout.sizeBytes / 4;
const BATCH = 1000;
const STAMP = 5000;

interface Faults {
  /** The lender releases a slab when it has sent it, not when it is answered. */
  readonly releasesEarly?: boolean;
  /** The owner answers, and writes into the slab afterwards (a refusal's text, a batch's offset). */
  readonly writesAfterReply?: boolean;
  /** A connection that is gone releases its requests' slabs at once. */
  readonly releasesAtClose?: boolean;
}

function makeExchange(context: ThreadContext, selfIndex: number): Exchange {
  return new Exchange({
    selfIndex,
    workerCount: 2,
    region: new SharedArrayBuffer(layout.sizeBytes),
    ringCapacityBytes: RING_CAPACITY_MIN_BYTES,
    ringDoorbell: (target) => context.ringBell(target),
    words: context.words,
  });
}

function runTurns(exchange: Exchange, context: ThreadContext, isDone: () => boolean): void {
  for (;;) {
    while (exchange.poll(2) > 0) exchange.ringDoorbells();
    if (isDone()) return;
    if (!exchange.trySleep()) continue;
    context.waitForBell();
    exchange.awake();
  }
}

/** `count` requests, each with a batch in a slab that has room for no more than `slabCount` of them; the slab's number is the request's low bits. The first one's connection may close as soon as it is sent. */
function exploreSlabs(count: number, slabCount: number, firstCloses: boolean, faults: Faults = {}): Explored {
  return explore({
    wordCount: SLABS_AT + slabCount,
    threads: [
      (context) => {
        const exchange = makeExchange(context, LENDER);
        const arena = new SlabArena(slabCount * SLAB_MIN_BYTES);
        const { words } = context;
        return () => {
          const underWay = new Map<number, IncomingRequest>();
          const answered: number[] = [];
          let sent = 0;
          const pool: RequestPool = {
            takeRequest: () => new IncomingRequest(LENDER, arena.bytes),
            freeRequest: (request) => request.free(),
          };
          // Each request has a connection of its own.
          const connections = Array.from({ length: count }, () => new OpenRequests(arena, pool, 1));
          const ownerOf = (open: OpenRequests): RequestOwner =>
            ({
              requestEnded(request: IncomingRequest) {
                if (open.areDropped) return open.discard(request);
                open.answer(request);
                for (let ready = open.takeReady(); ready !== null; ready = open.takeReady()) pool.freeRequest(ready);
              },
            }) as RequestOwner;
          const send = (): void => {
            while (sent < count) {
              const slab = arena.claim(SLAB_MIN_BYTES);
              if (slab < 0) return;
              const open = connections[sent] as OpenRequests;
              const request = open.take(ownerOf(open));
              open.start('produce', request);
              request.bodySlab = slab;
              words.storePlain(SLABS_AT + slab / SLAB_MIN_BYTES, BATCH + sent);
              const requestId = sent * slabCount + slab / SLAB_MIN_BYTES;
              if (exchange.tryRequest(OWNER, KIND, requestId, 0, 0) === -1) {
                open.hold(request);
                return;
              }
              exchange.commitRequest(OWNER);
              underWay.set(requestId, request);
              if (faults.releasesEarly || (faults.releasesAtClose && sent === 0)) open.releaseBody(request);
              if (firstCloses && sent === 0) open.drop();
              sent++;
            }
          };
          exchange.onReply(KIND, (_from, requestId) => {
            answered.push(words.loadPlain(SLABS_AT + (requestId % slabCount)));
            underWay.get(requestId)?.noReply();
            send();
          });
          exchange.onCredits(send);
          send();
          exchange.ringDoorbells();
          runTurns(exchange, context, () => {
            exchange.ringDoorbells();
            return answered.length === count;
          });
          context.report([answered, arena.usedBytes]);
        };
      },
      (context) => {
        const exchange = makeExchange(context, OWNER);
        const { words } = context;
        return () => {
          const seen: number[] = [];
          let late = (): void => {};
          exchange.onRequest(KIND, (from, requestId) => {
            const word = SLABS_AT + (requestId % slabCount);
            seen.push(words.loadPlain(word));
            const stamp = (): void => words.storePlain(word, STAMP + seen.length - 1);
            if (!faults.writesAfterReply) stamp();
            exchange.beginReply(from, KIND, requestId, 0);
            exchange.commitReply(from);
            if (faults.writesAfterReply) late = stamp;
          });
          runTurns(exchange, context, () => {
            late(); // By now the reply is published.
            late = () => {};
            return seen.length === count;
          });
          context.report(seen);
        };
      },
    ],
    check: (reports) => {
      const numbers = Array.from({ length: count }, (_, i) => i);
      expect(reports).toEqual([[[numbers.map((i) => STAMP + i), 0]], [numbers.map((i) => BATCH + i)]]);
    },
  });
}

describe('all schedules of slabs that are lent and handed back', () => {
  it('a slab is whoever holds its descriptor’s until the reply, and all come back', () => {
    expect(exploreSlabs(2, 2, false).ends).toBeGreaterThan(0);
  });

  it('more requests than slabs, so that each is claimed again', () => {
    expect(exploreSlabs(2, 1, false).ends).toBeGreaterThan(0);
  });

  it('a connection that closes takes no slab back that is still lent', () => {
    expect(exploreSlabs(2, 1, true).ends).toBeGreaterThan(0);
  });

  it('a slab that is released when it was sent is noticed', () => {
    expect(() => exploreSlabs(2, 1, false, { releasesEarly: true })).toThrow(ScheduleFailure);
  });

  it('a slab that is released when its connection goes, before its reply, is noticed', () => {
    expect(() => exploreSlabs(2, 1, true, { releasesAtClose: true })).toThrow(ScheduleFailure);
  });

  it('an owner that writes into a slab which it has answered is noticed', () => {
    expect(() => exploreSlabs(2, 1, false, { writesAfterReply: true })).toThrow(ScheduleFailure);
  });
});
