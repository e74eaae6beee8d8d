// The timers of consumer groups by themselves: what is noted of them ends with them. A story cannot show it, since whoever is told to join
// again has joined before, which takes the note away; but without it ids of static members that came back would stay noted for good.
import { expect, test } from 'vitest';
import type { ShardEnvironment } from '../../src/coordinator/shard.ts';
import { ConsumerTimers, consumerTimerKey } from '../../src/groups/consumer-timers.ts';
import { groupConfig } from '../support/group-driver.ts';

test('a timer to join goes on where it runs, and is set again once it has fired', () => {
  const set: [key: string, delayMs: number][] = [];
  const timers = { set: (key: string, delayMs: number): void => void set.push([key, delayMs]), cancel: (): void => {} };
  const consumerTimers = new ConsumerTimers({ timers } as unknown as ShardEnvironment, groupConfig);
  const key = consumerTimerKey('join', 'g', 'm');
  consumerTimers.setJoin('g', 'm', 1000);
  consumerTimers.setJoin('g', 'm', 2000);
  expect(set).toEqual([[key, 1000]]);
  consumerTimers.joinFired(key);
  consumerTimers.setJoin('g', 'm', 3000);
  expect(set).toEqual([
    [key, 1000],
    [key, 3000],
  ]);
});
