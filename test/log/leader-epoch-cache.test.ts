// Leader epochs: the answers of OffsetForLeaderEpoch, truncation from both ends, Kafka's file.
import { beforeEach, expect, test } from 'vitest';
import { LeaderEpochCache } from '../../src/log/leader-epoch-cache.ts';
import { MemoryStorage } from '../../src/log/memory-storage.ts';

let storage: MemoryStorage;
let cache: LeaderEpochCache;
beforeEach(() => {
  storage = new MemoryStorage();
  storage.makeDirectory('d');
  cache = new LeaderEpochCache(storage, 'd');
  cache.load();
});

function fill(...entries: Array<[number, number]>): void {
  for (const [epoch, start] of entries) cache.assign(epoch, start);
}

function end(epoch: number): [number, number] {
  const answer = { leaderEpoch: 99, endOffset: 99 };
  cache.endOffsetFor(epoch, 100, answer);
  return [answer.leaderEpoch, answer.endOffset];
}

test('an epoch ends where the next one begins, the latest at the end of the log', () => {
  fill([2, 10], [4, 30], [7, 60]);
  expect(end(7)).toEqual([7, 100]);
  expect(end(4)).toEqual([4, 60]);
  expect(end(5)).toEqual([4, 60]);
  expect(end(2)).toEqual([2, 30]);
  expect(end(1)).toEqual([1, 10]);
  expect(end(8)).toEqual([-1, -1]);
  expect(end(-1)).toEqual([-1, -1]);
});

test('without entries nothing is known', () => {
  expect(end(0)).toEqual([-1, -1]);
  expect(cache.latestEpoch).toBe(-1);
});

test('an entry takes the place of those that contradict it', () => {
  fill([1, 0], [2, 10], [3, 10]);
  expect(cache.entries()).toEqual([
    [1, 0],
    [3, 10],
  ]);
  fill([3, 20]);
  expect(cache.entries()[1]).toEqual([3, 10]);
  fill([2, 5]);
  expect(cache.entries()).toEqual([
    [1, 0],
    [2, 5],
  ]);
});

test('truncation cuts at both ends', () => {
  fill([1, 0], [2, 10], [3, 20], [4, 30]);
  cache.truncateFromEnd(30);
  cache.truncateFromStart(15);
  expect(cache.entries()).toEqual([
    [2, 15],
    [3, 20],
  ]);
  expect(cache.epochForOffset(14)).toBe(-1);
  expect(cache.epochForOffset(19)).toBe(2);
  expect(cache.epochForOffset(20)).toBe(3);
});

test("the file is Kafka's and is read back; a damaged one counts as empty", () => {
  fill([1, 0], [2, 10]);
  cache.save();
  expect(storage.readText('d/leader-epoch-checkpoint')).toBe('0\n2\n1 0\n2 10\n');
  const again = new LeaderEpochCache(storage, 'd');
  expect(again.load()).toBe(true);
  expect(again.entries()).toEqual(cache.entries());
  storage.replaceText('d/leader-epoch-checkpoint', '0\n3\n1 0\n2 10\n');
  expect(again.load()).toBe(false);
  expect(again.entries()).toEqual([]);
});
