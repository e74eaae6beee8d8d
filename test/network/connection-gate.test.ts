// Who is let in, who waits and who is refused, by what is open already.
import { expect, test } from 'vitest';
import { ConnectionGate, type ConnectionLimits, plainAddress } from '../../src/network/connection-gate.ts';

const MANY = 2 ** 31 - 1;
const UNLIMITED: ConnectionLimits = {
  total: MANY,
  perListener: [MANY, MANY],
  totalRate: MANY,
  perListenerRate: [MANY, MANY],
  perAddress: MANY,
  perAddressOverrides: new Map(),
};

function gate(limits: Partial<ConnectionLimits>, firstListener = -1, lineMax = 10) {
  const told: string[] = [];
  const timers: { readonly atMs: number; readonly task: () => void }[] = [];
  let nowMs = 0;
  const tickets = new Map<string, number>();
  const made = new ConnectionGate<string>({
    limits: { ...UNLIMITED, ...limits },
    firstListener,
    lineMax,
    rateWindows: { count: 2, sizeMs: 1000 },
    nowMs: () => nowMs,
    after: (delayMs, task) => timers.push({ atMs: nowMs + delayMs, task }),
    admit: (arrival, listener, ticket) => {
      told.push(`${arrival} at ${listener}`);
      tickets.set(arrival, ticket);
      return !arrival.startsWith('broken');
    },
    refuse: (arrival, reason) => told.push(`not ${arrival}: ${reason}`),
    makeRoom: () => told.push('make room'),
  });
  return {
    gate: made,
    told: () => told.splice(0),
    arrive: (arrival: string, listener = 0, address = arrival) => made.arrive(arrival, listener, address),
    leave: (arrival: string) => made.left(tickets.get(arrival) as number),
    pass: (ms: number) => {
      const endMs = nowMs + ms;
      for (;;) {
        timers.sort((a, b) => a.atMs - b.atMs);
        const next = timers[0];
        if (next === undefined || next.atMs > endMs) break;
        timers.shift();
        nowMs = next.atMs;
        next.task();
      }
      nowMs = endMs;
    },
  };
}

test('beyond max.connections they wait, in their order, until others leave', () => {
  const { gate: made, told, arrive, leave } = gate({ total: 2 });
  for (const name of ['a', 'b', 'c', 'd']) arrive(name);
  expect(told()).toEqual(['a at 0', 'b at 0']);
  expect([made.count, made.waitingCount, made.waitedCount]).toEqual([2, 2, 2]);
  leave('b');
  leave('b'); // Told twice: it counts once.
  expect(told()).toEqual(['c at 0']);
  leave('a');
  leave('c');
  expect(told()).toEqual(['d at 0']);
  expect([made.count, made.waitingCount]).toEqual([1, 0]);
});

test('a full listener holds up its own connections alone', () => {
  const { told, arrive, leave } = gate({ perListener: [1, MANY] });
  arrive('a', 0);
  arrive('b', 0);
  arrive('c', 1);
  expect(told()).toEqual(['a at 0', 'c at 1']);
  leave('c');
  expect(told()).toEqual([]);
  leave('a');
  expect(told()).toEqual(['b at 0']);
});

test('the listener between brokers goes first, and another connection goes for it', () => {
  const { told, arrive, leave } = gate({ total: 1, perListener: [MANY, 2] }, 1);
  arrive('a', 0);
  arrive('b', 0);
  arrive('broker 1', 1);
  arrive('broker 2', 1);
  arrive('broker 3', 1); // Its own limit holds for it, too.
  expect(told()).toEqual(['a at 0', 'broker 1 at 1', 'make room', 'broker 2 at 1', 'make room']);
  leave('a');
  expect(told()).toEqual([]);
  leave('broker 1');
  expect(told()).toEqual(['broker 3 at 1', 'make room']);
});

test('beyond the limit of an address they are refused at once, but its override counts', () => {
  const { gate: made, told, arrive, leave } = gate({ perAddress: 1, perAddressOverrides: new Map([['10.0.0.2', 2]]) });
  arrive('a', 0, '10.0.0.1');
  arrive('b', 0, '10.0.0.1');
  for (const name of ['c', 'd', 'e']) arrive(name, 0, '10.0.0.2');
  const reason = (address: string, max: number): string => `${address} has as many connections as it may have (${max})`;
  expect(told()).toEqual(['a at 0', `not b: ${reason('10.0.0.1', 1)}`, 'c at 0', 'd at 0', `not e: ${reason('10.0.0.2', 2)}`]);
  expect(made.refusedCount).toBe(2);
  leave('a');
  arrive('f', 0, '10.0.0.1');
  expect(told()).toEqual(['f at 0']);
});

test('as many wait as may, one more is refused; a stop gives them back', () => {
  const { gate: made, told, arrive } = gate({ total: 0 }, -1, 2);
  for (const name of ['a', 'b', 'c']) arrive(name);
  expect(told()).toEqual(['not c: the limit of connections is reached, and as many as may wait do']);
  expect(made.takeWaiting()).toEqual(['a', 'b']);
  expect(made.waitingCount).toBe(0);
});

test('limits that change count for those who wait and those who come; nobody is closed', () => {
  const { gate: made, told, arrive } = gate({ total: 1 });
  for (const name of ['a', 'b', 'c', 'd']) arrive(name);
  told();
  made.setLimits({ ...UNLIMITED, total: 3 });
  expect(told()).toEqual(['b at 0', 'c at 0']);
  made.setLimits({ ...UNLIMITED, total: 1 });
  expect([told(), made.count]).toEqual([[], 3]);
});

test('who could not be let in after all takes no place', () => {
  const { gate: made, told, arrive } = gate({ total: 1 });
  arrive('broken');
  arrive('a');
  expect([told(), made.count]).toEqual([['broken at 0', 'a at 0'], 1]);
});

test('an IPv4 address is itself, whichever family the socket is of', () => {
  expect(['::ffff:10.0.0.1', '10.0.0.1', '::1', '::ffff:a00:1'].map(plainAddress)).toEqual(['10.0.0.1', '10.0.0.1', '::1', '::ffff:a00:1']);
});

test('who comes too soon waits, in the order of the line, until the rate is what it may be', () => {
  const { gate: made, told, arrive, pass } = gate({ totalRate: 2 });
  for (const name of ['a', 'b', 'c', 'd']) arrive(name);
  expect(told()).toEqual(['a at 0', 'b at 0']); // One window has just begun, and one counts whole: two in a second.
  expect([made.count, made.waitingCount, made.waitedCount]).toEqual([2, 2, 2]);
  pass(499);
  expect(told()).toEqual([]);
  pass(1);
  expect(told()).toEqual(['c at 0']); // 3 in 1.5 s. The next is asked now: 4 in 1.5 s, half a second too many.
  pass(500);
  expect(told()).toEqual(['d at 0']);
});

test('a listener that is held up by its rate holds up no other, nor the one between brokers the broker’s', () => {
  const { told, arrive, pass } = gate({ perListenerRate: [1, MANY] });
  for (const name of ['a', 'b']) arrive(name, 0);
  arrive('c', 1);
  expect(told()).toEqual(['a at 0', 'c at 1']);
  pass(1000);
  expect(told()).toEqual(['b at 0']);
  const between = gate({ totalRate: 1 }, 1);
  for (const name of ['a', 'b', 'c']) between.arrive(name, 1);
  between.arrive('d', 0);
  between.arrive('e', 0);
  expect(between.told()).toEqual(['a at 1', 'b at 1', 'c at 1', 'd at 0']);
});

test('who was held up by a rate waits for a place besides', () => {
  const { told, arrive, pass, leave } = gate({ totalRate: 1, total: 1 });
  for (const name of ['a', 'b']) arrive(name);
  pass(5000);
  expect(told()).toEqual(['a at 0']);
  leave('a');
  expect(told()).toEqual(['b at 0']);
});

test('another rate holds for those who have not come to the head of the line; who is held up stays so', () => {
  const { gate: made, told, arrive, pass } = gate({ totalRate: 1 });
  for (const name of ['a', 'b', 'c']) arrive(name);
  made.setLimits({ ...UNLIMITED, totalRate: MANY });
  expect(told()).toEqual(['a at 0']);
  pass(1000);
  expect(told()).toEqual(['b at 0', 'c at 0']);
  made.setLimits({ ...UNLIMITED, perListenerRate: [1, MANY] });
  for (const name of ['d', 'e']) arrive(name);
  expect(told()).toEqual([]);
  arrive('f', 1);
  expect(told()).toEqual(['f at 1']);
});

test('nobody is let in who was given away while a rate held him up', () => {
  const { gate: made, told, arrive, pass } = gate({ totalRate: 1 });
  for (const name of ['a', 'b']) arrive(name);
  expect(made.takeWaiting()).toEqual(['b']);
  pass(5000);
  expect(told()).toEqual(['a at 0']);
});
