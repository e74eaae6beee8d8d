// Which naru.memory.max a start accepts for how many workers and how large batches; and that what is accepted is enough.
import { expect, test } from 'vitest';
import { SlabArena } from '../../src/actors/slab-arena.ts';
import { ARENA_BYTES_MAX, arenaBytesOf } from '../../src/broker/memory-budget.ts';
import { type BrokerConfig, resolveBrokerConfig } from '../../src/config/broker-config.ts';
import { memoryReserves } from '../../src/network/memory-order.ts';

const MIB = 1 << 20;
const GIB = 1 << 30;

function configOf(workers: number, memoryBytes: number, messageBytes?: number): BrokerConfig {
  const overrides: [string, string][] = [
    ['naru.workers', String(workers)],
    ['naru.memory.max', String(memoryBytes)],
  ];
  if (messageBytes !== undefined) overrides.push(['message.max.bytes', String(messageBytes)]);
  return resolveBrokerConfig({ overrides, coreCount: 1 }).config;
}

function refusal(...given: Parameters<typeof configOf>): string {
  try {
    return `accepted: ${arenaBytesOf(configOf(...given))}`;
  } catch (error) {
    return String(error);
  }
}

test('each worker gets its part', () => {
  expect(arenaBytesOf(configOf(0, 16 * MIB))).toBe(16 * MIB);
  expect(arenaBytesOf(configOf(4, 64 * MIB))).toBe(16 * MIB);
});

test('more than 2 GiB for each worker is refused', () => {
  expect(arenaBytesOf(configOf(2, 4 * GIB))).toBe(ARENA_BYTES_MAX);
  expect(refusal(2, 4 * GIB + 1)).toContain('more than a worker can use (allowed: at most 4294967296, 2 GiB for each)');
  expect(refusal(0, 3 * GIB)).toContain('naru.memory.max=3221225472: 3221225472 bytes for each of one worker');
});

test('too little for the largest batch is refused, with what is enough', () => {
  const message = refusal(8, 16 * MIB);
  expect(message).toContain(
    'naru.memory.max=16777216: 2097152 bytes for each of 8 workers are too little for a batch of message.max.bytes=1048588',
  );
  const enough = Number(/at least (\d+)/.exec(message)?.[1]);
  expect(arenaBytesOf(configOf(8, enough))).toBe(enough / 8);
  expect(refusal(8, enough - 8 * 4096)).toContain('too little');
  expect(refusal(0, 16 * MIB, 12_000_000)).toContain('at least 33554432, or a smaller message.max.bytes');
  expect(refusal(0, 16 * MIB, 7_000_000)).toContain('accepted');
});

test('what is accepted has room for such a frame, as the network layer reckons', () => {
  for (const messageBytes of [100_000, 1_048_588, 3_000_000, 7_000_000, 12_000_000]) {
    const least = Number(/at least (\d+)/.exec(refusal(32, 16 * MIB, messageBytes))?.[1]) / 32;
    if (Number.isNaN(least)) continue; // 16 MiB are enough.
    const arena = new SlabArena(least);
    expect(arena.canReceive(messageBytes + 1024, memoryReserves(least).produce), `${messageBytes}`).toBe(true);
    const smaller = new SlabArena(least - 4096);
    expect(smaller.canReceive(messageBytes + 1024, memoryReserves(least - 4096).produce), `${messageBytes}`).toBe(false);
  }
});
