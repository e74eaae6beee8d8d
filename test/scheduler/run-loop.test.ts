import { beforeEach, describe, expect, test } from 'vitest';
import type { TurnEndActor } from '../../src/actors/actor.ts';
import { Exchange } from '../../src/actors/exchange.ts';
import { createExchangeRegion } from '../../src/actors/ring-layout.ts';
import { AssertionError } from '../../src/base/assert.ts';
import { LoopMeter } from '../../src/scheduler/loop-meter.ts';
import { RunLoop } from '../../src/scheduler/run-loop.ts';

const RING_BYTES = 4096;
const ASK = 1;

/** A loop that turns when the test says so, on a clock that stands still. */
class Bench {
  nowMs = 1000;
  armedMs = Number.POSITIVE_INFINITY;
  scheduled = 0;
  readonly failures: Error[] = [];
  readonly trace: string[] = [];
  readonly exchange: Exchange;
  readonly loop: RunLoop;
  readonly bells: number[] = [];

  constructor(selfIndex = 0, workerCount = 1, region = createExchangeRegion(workerCount, RING_BYTES)) {
    this.exchange = new Exchange({
      selfIndex,
      workerCount,
      region,
      ringCapacityBytes: RING_BYTES,
      ringDoorbell: (target) => this.bells.push(target),
    });
    this.loop = new RunLoop({
      meter: new LoopMeter(new Float64Array(48)),
      exchange: this.exchange,
      clock: { wallMs: () => this.nowMs, monotonicMs: () => this.nowMs },
      driver: {
        scheduleTurn: () => void this.scheduled++,
        armTimer: (deadlineMs) => {
          this.armedMs = deadlineMs;
        },
      },
      onFailure: (error) => this.failures.push(error),
    });
  }

  log = (what: string) => (): void => void this.trace.push(what);

  actor(name: string, then?: () => void): TurnEndActor {
    return {
      onTurnEnd: () => {
        this.trace.push(name);
        then?.();
      },
    };
  }

  /** Turns as long as a turn is asked for; returns how many. */
  settle(): number {
    let turns = 0;
    while (this.scheduled > 0) {
      expect(this.scheduled).toBe(1); // Asked for once between two turns.
      this.scheduled = 0;
      this.loop.runTurn();
      turns++;
    }
    return turns;
  }

  /** Sends itself (or `target`) a request that is answered at once; both are traced. */
  echo(): void {
    this.exchange.onRequest(ASK, (from, requestId) => {
      this.trace.push(`request ${requestId}`);
      this.exchange.beginReply(from, ASK, requestId, 0);
      this.exchange.commitReply(from);
    });
    this.exchange.onReply(ASK, (_from, requestId) => void this.trace.push(`reply ${requestId}`));
  }

  ask(target: number, requestId: number): void {
    expect(this.exchange.tryRequest(target, ASK, requestId, 0, 0)).not.toBe(-1);
    this.exchange.commitRequest(target);
  }
}

describe('a turn', () => {
  let bench: Bench;
  beforeEach(() => {
    bench = new Bench();
    bench.echo();
    bench.loop.open();
    bench.settle();
  });

  test('runs timers, posted tasks, requests and replies, ends of actors, last actors, in this order', () => {
    const { loop, trace } = bench;
    loop.touchLast(bench.actor('flush'));
    loop.touch(bench.actor('end'));
    bench.ask(0, 7);
    loop.post(bench.log('task'));
    loop.after(0, bench.log('timer'));
    expect(bench.settle()).toBe(1);
    expect(trace).toEqual(['timer', 'task', 'request 7', 'end', 'reply 7', 'flush']);
  });

  test('hears a reply to itself that an end of turn has written, before the last actors flush, once', () => {
    const flush = bench.actor('flush');
    const partition = bench.actor('write', () => bench.ask(0, 9));
    bench.loop.post(() => {
      bench.loop.touch(partition);
      bench.loop.touchLast(flush);
      bench.loop.touchLast(flush);
    });
    expect(bench.settle()).toBe(1);
    expect(bench.trace).toEqual(['write', 'request 9', 'reply 9', 'flush']);
  });

  test('is never entered from within: what is posted, touched or woken inside comes after', () => {
    bench.loop.post(() => {
      bench.trace.push('begin');
      bench.loop.post(bench.log('posted'));
      bench.loop.wake();
      bench.loop.touch(bench.actor('touched'));
      bench.trace.push('end');
    });
    bench.settle();
    expect(bench.trace).toEqual(['begin', 'end', 'posted', 'touched']);
  });

  test('touching an actor twice is touching it once', () => {
    const actor = bench.actor('end');
    bench.loop.touch(actor);
    bench.loop.touch(actor);
    bench.settle();
    expect(bench.trace).toEqual(['end']);
  });

  test('is bounded where time stands still: an actor that always touches itself leaves room for the others', () => {
    const restless: TurnEndActor = { onTurnEnd: () => bench.loop.touch(restless) };
    bench.loop.touch(restless);
    bench.scheduled = 0;
    bench.loop.runTurn();
    expect(bench.scheduled).toBe(1); // The turn has ended, and another one is asked for.
  });

  test('is bounded by time: past its budget it starts no further round', () => {
    let rounds = 0;
    const slow: TurnEndActor = {
      onTurnEnd: () => {
        rounds++;
        bench.nowMs += 2;
        bench.loop.touch(slow);
      },
    };
    bench.loop.touch(slow);
    bench.scheduled = 0;
    bench.loop.runTurn();
    expect(rounds).toBe(1);
  });

  test('arms the driver for the nearest timer, and for none when it is cancelled', () => {
    const far = bench.loop.after(500, bench.log('far'));
    const near = bench.loop.after(50, bench.log('near'));
    bench.settle();
    expect(bench.armedMs).toBeLessThanOrEqual(1050);
    near.cancel();
    for (let i = 0; i < 10 && bench.nowMs < 1500; i++) {
      bench.loop.wake();
      bench.settle();
      expect(bench.armedMs).toBeLessThanOrEqual(1500);
      expect(bench.trace).toEqual([]);
      bench.nowMs = bench.armedMs;
    }
    bench.loop.wake();
    bench.settle();
    expect(bench.trace).toEqual(['far']);
    expect(bench.armedMs).toBe(Number.POSITIVE_INFINITY);
    far.cancel();
  });

  test('before open() tasks and timers run but the rings are not heard', () => {
    const closed = new Bench();
    closed.ask(0, 1); // No handler is there yet: hearing it would be an assertion.
    closed.loop.post(closed.log('task'));
    closed.settle();
    expect(closed.trace).toEqual(['task']);
    expect(closed.failures).toEqual([]);
    closed.echo();
    closed.loop.open();
    closed.settle();
    expect(closed.trace).toEqual(['task', 'request 1', 'reply 1']);
  });
});

describe('sleep', () => {
  test('a worker that has nothing to do sleeps, and is rung for once by whoever gives it something', () => {
    const region = createExchangeRegion(2, RING_BYTES);
    const [asker, owner] = [new Bench(0, 2, region), new Bench(1, 2, region)];
    for (const bench of [asker, owner]) {
      bench.echo();
      bench.loop.open();
      bench.settle();
      expect(bench.loop.isAsleep).toBe(true);
    }
    asker.loop.post(() => {
      asker.ask(1, 1);
      asker.ask(1, 2);
    });
    asker.settle();
    expect(asker.bells).toEqual([1]);
    owner.loop.wake(); // The bell arrives.
    owner.settle();
    expect(owner.trace).toEqual(['request 1', 'request 2']);
    expect(owner.bells).toEqual([0]);
    asker.loop.wake();
    asker.settle();
    expect(asker.trace).toEqual(['reply 1', 'reply 2']);
  });

  test('a worker that is awake is not rung for, and does not fall asleep over what it was given', () => {
    const region = createExchangeRegion(2, RING_BYTES);
    const [asker, owner] = [new Bench(0, 2, region), new Bench(1, 2, region)];
    for (const bench of [asker, owner]) bench.echo();
    asker.loop.open();
    owner.loop.open();
    owner.loop.post(() => asker.ask(1, 1)); // While the owner's turn is under way.
    asker.settle();
    owner.settle();
    expect(asker.bells).toEqual([]);
    expect(owner.trace).toEqual(['request 1']);
  });
});

describe('failure', () => {
  test.each<[string, (bench: Bench) => void]>([
    ['a task', (bench) => bench.loop.post(() => explode())],
    ['a timer', (bench) => void bench.loop.after(0, explode)],
    ['an end of turn', (bench) => bench.loop.touch({ onTurnEnd: explode })],
    ['a last actor', (bench) => bench.loop.touchLast({ onTurnEnd: explode })],
    ['a handler', (bench) => bench.ask(0, 666)],
  ])('what %s throws reaches onFailure once and is the last thing that runs', (_name, arrange) => {
    const bench = new Bench();
    bench.exchange.onRequest(ASK, explode);
    bench.loop.open();
    bench.settle();
    arrange(bench);
    bench.loop.wake();
    bench.settle();
    expect(bench.failures).toEqual([new AssertionError('exploded')]);
    bench.loop.post(bench.log('after'));
    bench.loop.touch(bench.actor('after'));
    bench.loop.wake();
    bench.settle();
    bench.loop.fail(new Error('second'));
    expect(bench.trace).toEqual([]);
    expect(bench.failures).toHaveLength(1);
    expect(bench.armedMs).toBe(Number.POSITIVE_INFINITY);
  });

  test('what is thrown need not be an Error', () => {
    const bench = new Bench();
    bench.loop.fail('a string');
    expect(bench.failures[0]?.message).toContain('a string');
  });

  test('stop in a task drops the rest', () => {
    const bench = new Bench();
    bench.loop.open();
    bench.loop.post(() => bench.loop.stop());
    bench.loop.touchLast(bench.actor('flush'));
    bench.settle();
    expect(bench.trace).toEqual([]);
    expect(bench.failures).toEqual([]);
  });
});

function explode(): never {
  throw new AssertionError('exploded');
}
