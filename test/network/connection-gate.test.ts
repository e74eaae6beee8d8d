// Who is let in, who waits and who is refused, by what is open already.
import { expect, test } from 'vitest';
import { ConnectionGate, type ConnectionLimits, plainAddress } from '../../src/network/connection-gate.ts';

const MANY = 2 ** 31 - 1;

function gate(limits: Partial<ConnectionLimits>, firstListener = -1, lineMax = 10) {
  const told: string[] = [];
  const tickets = new Map<string, number>();
  const made = new ConnectionGate<string>({
    limits: { total: MANY, perListener: [MANY, MANY], perAddress: MANY, perAddressOverrides: new Map(), ...limits },
    firstListener,
    lineMax,
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
  made.setLimits({ total: 3, perListener: [MANY, MANY], perAddress: MANY, perAddressOverrides: new Map() });
  expect(told()).toEqual(['b at 0', 'c at 0']);
  made.setLimits({ total: 1, perListener: [MANY, MANY], perAddress: MANY, perAddressOverrides: new Map() });
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
