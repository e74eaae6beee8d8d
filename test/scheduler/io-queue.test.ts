import { expect, test } from 'vitest';
import { IoQueue } from '../../src/scheduler/io-queue.ts';

/** Ends jobs when the test says so. */
function harness(concurrency: number) {
  const posted: (() => void)[] = [];
  const started: number[] = [];
  const enders = new Map<number, { resolve: (value: string) => void; reject: (error: unknown) => void }>();
  const heard: string[] = [];
  const queue = new IoQueue(concurrency, (task) => posted.push(task));
  return {
    queue,
    started,
    heard,
    enders,
    submit(id: number): void {
      queue.submit(
        () => {
          started.push(id);
          return new Promise<string>((resolve, reject) => enders.set(id, { resolve, reject }));
        },
        (error, value) => heard.push(`${id}: ${error === null ? value : error.message}`),
      );
    },
    async turn(): Promise<void> {
      await new Promise((resolve) => setImmediate(resolve));
      for (const task of posted.splice(0)) task();
    },
  };
}

test('no more jobs than its concurrency run at a time; the others follow in order', async () => {
  const { queue, started, heard, enders, submit, turn } = harness(2);
  for (let id = 1; id <= 5; id++) submit(id);
  expect(started).toEqual([1, 2]);
  expect(queue.inflightCount).toBe(5);
  enders.get(2)?.resolve('two');
  await turn();
  expect(started).toEqual([1, 2, 3]);
  expect(heard).toEqual(['2: two']);
  for (const id of [1, 3]) enders.get(id)?.resolve('done');
  await turn();
  for (const id of [4, 5]) enders.get(id)?.resolve('done');
  await turn();
  expect(heard).toEqual(['2: two', '1: done', '3: done', '4: done', '5: done']);
  expect(queue.inflightCount).toBe(0);
});

test('a job that rejects, throws, or rejects with no Error is heard as an Error, and frees its place', async () => {
  const { queue, heard, enders, submit, turn } = harness(1);
  submit(1);
  queue.submit(
    () => {
      throw new Error('thrown');
    },
    (error) => heard.push(`2: ${error?.message}`),
  );
  submit(3);
  enders.get(1)?.reject('a string');
  await turn();
  await turn();
  enders.get(3)?.resolve('three');
  await turn();
  expect(heard).toEqual(['1: a string', '2: thrown', '3: three']);
});

test('an end is not heard before it is posted', async () => {
  const { heard, enders, submit, turn } = harness(1);
  submit(1);
  enders.get(1)?.resolve('one');
  await new Promise((resolve) => setImmediate(resolve));
  expect(heard).toEqual([]);
  await turn();
  expect(heard).toEqual(['1: one']);
});
