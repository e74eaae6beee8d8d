import { expect, test } from 'vitest';
import type { TopicsView, TopicView } from '../../src/coordinator/shard.ts';
import { TopicHashes, topicHash } from '../../src/groups/topic-hashes.ts';

const orders: TopicView = { name: 'orders-é', topicId: '4vnBxU0wT1mDZqhbB1Z2pQ', partitionCount: 3, racks: null };

function viewOf(topics: Map<string, TopicView>): TopicsView {
  return { byName: (name) => topics.get(name) ?? null, byId: () => null, names: () => topics.keys(), version: 1 };
}

test('a topic has the hash that Apache Kafka 4.3.1 computes of it', () => {
  const racks = [0, 1, 2].map(() => ['rack-b', 'a']);
  expect(topicHash({ ...orders, racks })).toBe(-9172204575540130644n);
});

test('the hash of topics is there as soon as one of them is, and changes with what belongs to it', () => {
  const topics = new Map<string, TopicView>();
  const hashes = new TopicHashes(viewOf(topics));
  expect(hashes.hashOf(['orders-é', 'other'])).toBe(0n);
  topics.set('orders-é', orders);
  const one = hashes.hashOf(['orders-é', 'other']);
  expect(hashes.hashOf(['other', 'orders-é'])).toBe(one);
  const seen = new Set([0n, one]);
  const changes: Partial<TopicView>[] = [
    { partitionCount: 4 },
    { topicId: '4vnBxU0wT1mDZqhbB1Z2pA' },
    { racks: [['a'], ['b'], ['c']] },
    { racks: [['a'], ['b'], ['d']] },
  ];
  for (const change of changes) {
    topics.set('orders-é', { ...orders, ...change });
    seen.add(hashes.hashOf(['orders-é']));
  }
  topics.set('orders-é', orders);
  topics.set('other', { ...orders, name: 'other' });
  seen.add(hashes.hashOf(['orders-é', 'other']));
  expect(seen.size).toBe(changes.length + 3);
  topics.delete('other');
  expect(hashes.hashOf(['orders-é', 'other'])).toBe(one);
});

test('the order of names counts for nothing', () => {
  const topics = new Map(['a', 'b', 'c'].map((name) => [name, { ...orders, name }]));
  const hashes = new TopicHashes(viewOf(topics));
  expect(hashes.hashOf(['c', 'a', 'b'])).toBe(hashes.hashOf(['a', 'b', 'c']));
});
