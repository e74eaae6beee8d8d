import { expect, test } from 'vitest';
import { seededRandom } from '../../src/base/random.ts';
import { randomUuid } from '../../src/base/uuid.ts';
import { workerOf } from '../../src/scheduler/placement.ts';

const random = seededRandom(1);

test('the partitions of a topic spread evenly: counts differ by one at most', () => {
  for (const workerCount of [1, 2, 3, 8, 32]) {
    for (const partitionCount of [1, 6, 64, 100]) {
      const topicId = randomUuid(random);
      const counts = new Array<number>(workerCount).fill(0);
      for (let partition = 0; partition < partitionCount; partition++) {
        const worker = workerOf(workerCount, topicId, partition);
        counts[worker] = (counts[worker] ?? Number.NaN) + 1;
      }
      expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
    }
  }
});

test('topics of one partition spread over all workers', () => {
  const counts = new Array<number>(8).fill(0);
  for (let i = 0; i < 8000; i++) {
    const worker = workerOf(8, randomUuid(random), 0);
    counts[worker] = (counts[worker] ?? Number.NaN) + 1;
  }
  for (const count of counts) expect(Math.abs(count - 1000)).toBeLessThan(150); // 5 standard deviations.
});

test('the assignment is a function of its inputs alone: a known topic lies where it lay before', () => {
  expect([0, 1, 2, 3].map((partition) => workerOf(4, 'UJnkO0KOTvuzmR2hYAHNlQ', partition))).toEqual([2, 3, 0, 1]);
});
