// The way of questions and answers between workers, in the caller's thread, in threads and over rings of the smallest size: each is
// answered once and with its own answer, whatever its size, however long it takes, and whatever else is asked meanwhile.
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { RING_CAPACITY_MIN_BYTES } from '../../src/actors/ring-layout.ts';
import { KIB } from '../../src/base/units.ts';
import { INLINE_BYTES_MAX, TAKE_BYTES_MAX } from '../../src/coordinator/coordinator-messages.ts';
import { coordinatorPartition } from '../../src/coordinator/partitioner.ts';
import { API } from '../../src/protocol/api-keys.ts';
import { ERROR } from '../../src/protocol/errors.ts';
import { toyTopic } from './toy-app.ts';
import { type BenchOptions, bodyOf, ToyBench, until } from './toy-bench.ts';

const benches: ToyBench[] = [];

async function start(options: BenchOptions = {}): Promise<ToyBench> {
  const bench = await ToyBench.start(options);
  benches.push(bench);
  return bench;
}

afterEach(async () => {
  for (const bench of benches.splice(0)) await bench.stop();
});

function textOf(answer: { readonly [field: string]: unknown }): string {
  return Buffer.from(answer.assignment as Uint8Array).toString();
}

/** A text of this length that no other question has. */
function text(length: number, seed: number): string {
  return `${seed}:`.padEnd(length, String.fromCharCode(97 + (seed % 26))).slice(0, length);
}

describe('a group belongs to the partition that Kafka gives it', () => {
  it.each([
    ['', 0],
    ['a', 47],
    ['console-consumer-12345', 6],
    ['gruppe-ü-😀', 16],
    // String.hashCode() is -2147483648, of which Java's abs is negative.
    ['polygenelubricants', 0],
  ])('%s', (groupId, partition) => {
    expect(coordinatorPartition(groupId, 50)).toBe(partition);
  });
});

describe.each([0, 1, 2])('with %i threads', (threads) => {
  const last = Math.max(0, threads - 1);

  it('answers of every size come whole, from each worker to each', async () => {
    const bench = await start({ threads });
    const sizes = [
      0,
      1,
      100,
      INLINE_BYTES_MAX - 40,
      INLINE_BYTES_MAX,
      5000,
      TAKE_BYTES_MAX - 8,
      TAKE_BYTES_MAX,
      TAKE_BYTES_MAX + 1,
      200 * KIB,
    ];
    const asked = sizes.flatMap((size, i) =>
      [0, last].flatMap((worker) => [0, 1].map((partition) => ({ size, worker, partition, seed: 4 * i + 2 * worker + partition }))),
    );
    const answers = await Promise.all(
      asked.map(({ size, worker, partition, seed }) => bench.keep(partition, `k${seed}`, text(size, seed), worker)),
    );
    for (const [i, { size, seed }] of asked.entries()) expect(textOf(answers[i] ?? { assignment: [] })).toBe(text(size, seed));
  });

  it('many that wait are answered by one event, and a thousand others pass them', async () => {
    const bench = await start({ threads });
    const waiting = Array.from({ length: 3000 }, (_, i) => bench.wait(1, 'g', 0, i % 2 === 0 ? 0 : last));
    const others = await Promise.all(Array.from({ length: 1000 }, (_, i) => bench.keep(1, `k${i}`, text(i, i), last)));
    expect(others.map(textOf)).toEqual(Array.from({ length: 1000 }, (_, i) => text(i, i)));
    await bench.has(1, 'k0', 0); // Behind all that worker 0 has asked.
    await bench.leave(1, 'g', last);
    for (const answer of await Promise.all(waiting)) expect(answer).toMatchObject({ memberId: 'g' });
    expect(bench.failures).toEqual([]);
  });

  it('a body that lies is told to its sender alone', async () => {
    const bench = await start({ threads });
    const good = bodyOf(API.SyncGroup, { groupId: 'k', assignments: [{ assignment: Buffer.from('v') }] });
    const questions = [good, good.subarray(0, 7), Buffer.alloc(0), good, Buffer.alloc(3000, 0x7f)];
    const answers = await Promise.all(
      bench.ask(
        0,
        questions.map((body) => ({ partition: 1, apiKey: API.SyncGroup, body })),
      ),
    );
    expect(answers.map(({ body }) => body === null)).toEqual([false, true, true, false, true]);
  });

  it('a partition that nobody owns has no coordinator', async () => {
    const bench = await start({ threads });
    expect(await bench.keep(9, 'k', 'v')).toMatchObject({ errorCode: ERROR.NOT_COORDINATOR });
  });

  it('one whose sender knows more of the cluster waits until its owner knows it, too', async () => {
    const bench = await start({ threads });
    const body = bodyOf(API.SyncGroup, { groupId: 'k', assignments: [{ assignment: Buffer.from(text(4000, 1)) }] });
    const small = bodyOf(API.Heartbeat, { groupId: 'k' });
    const early = bench.ask(0, [
      { partition: last, apiKey: API.SyncGroup, body, metadataOffset: 7 },
      { partition: last, apiKey: API.Heartbeat, body: small, metadataOffset: 7 },
    ]);
    await bench.keep(last, 'other', 'v');
    expect(bench.order).toEqual([3]);
    bench.apply(last, 7);
    const [kept, read] = await Promise.all(early);
    expect(textOf(kept?.body as never)).toBe(text(4000, 1));
    expect(read?.body).toMatchObject({ errorCode: ERROR.NONE });
  });
});

describe('without room', () => {
  it('over the smallest rings every answer comes, in pieces of a few bytes', async () => {
    const bench = await start({ ringCapacityBytes: RING_CAPACITY_MIN_BYTES });
    const waiting = Array.from({ length: 20 }, () => bench.wait(0, 'g'));
    const answers = await Promise.all(Array.from({ length: 50 }, (_, i) => bench.keep(i % 4, `k${i}`, text(i * 10, i))));
    expect(answers.map(textOf)).toEqual(Array.from({ length: 50 }, (_, i) => text(i * 10, i)));
    await bench.leave(0, 'g');
    expect(await Promise.all(waiting)).toHaveLength(20);
    const { client, coordinators, runtime } = bench.local;
    expect([client.waitingCount, client.laterCount, coordinators.openCount, coordinators.readyCount]).toEqual([0, 0, 0, 0]);
    expect(runtime.exchange.outstandingCount(0)).toBe(0);
  });

  it('questions that are larger than the arena has left are asked when it has', async () => {
    const bench = await start(); // Its arena has a mebibyte.
    const answers = await Promise.all(Array.from({ length: 12 }, (_, i) => bench.keep(i % 4, `k${i}`, text(200 * KIB, i))));
    expect(answers.map(textOf)).toEqual(Array.from({ length: 12 }, (_, i) => text(200 * KIB, i)));
    expect(bench.local.runtime.arena.usedBytes).toBe(0);
  });

  it('more questions than an owner holds open are refused, and asked again they are heard', async () => {
    const bench = await start({ questionsOpenMax: 10 });
    const waiting = Array.from({ length: 10 }, () => bench.wait(0, 'g'));
    expect(await bench.wait(1, 'g')).toMatchObject({ errorCode: ERROR.COORDINATOR_NOT_AVAILABLE });
    expect(await bench.leave(0, 'g')).toMatchObject({ errorCode: ERROR.COORDINATOR_NOT_AVAILABLE });
    bench.local.runtime.post(() => bench.local.change({ topicsDeleted: [toyTopic(1)] }));
    expect((await Promise.all(waiting)).map(({ errorCode }) => errorCode)).toEqual(new Array(10).fill(ERROR.NOT_COORDINATOR));
    expect(await bench.keep(1, 'k', 'v')).toMatchObject({ errorCode: ERROR.NONE });
  });

  it('any mixture of questions is answered, each with its own', async () => {
    const question = fc.record({
      partition: fc.integer({ min: 0, max: 3 }),
      size: fc.oneof(fc.integer({ min: 0, max: 100 }), fc.integer({ min: 0, max: 40_000 })),
      kind: fc.constantFrom('keep', 'wait', 'has'),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(question, { maxLength: 60 }),
        fc.constantFrom(RING_CAPACITY_MIN_BYTES, 1024, 256 * KIB),
        async (questions, ringCapacityBytes) => {
          const bench = await ToyBench.start({ ringCapacityBytes });
          const waiting: Promise<unknown>[] = [];
          const answers = questions.map(({ partition, size, kind }, i) => {
            if (kind === 'wait') waiting.push(bench.wait(partition, 'g'));
            return kind === 'keep'
              ? bench.keep(partition, `k${i}`, text(size, i)).then(textOf)
              : bench.has(partition, 'none').then(({ errorCode }) => errorCode);
          });
          expect(await Promise.all(answers)).toEqual(
            questions.map(({ size, kind }, i) => (kind === 'keep' ? text(size, i) : ERROR.UNKNOWN_MEMBER_ID)),
          );
          for (let partition = 0; partition < 4; partition++) await bench.leave(partition, 'g');
          await Promise.all(waiting);
          const { client, coordinators, runtime } = bench.local;
          await until(() => coordinators.readyCount === 0);
          expect([client.waitingCount, client.laterCount, coordinators.openCount, runtime.arena.usedBytes]).toEqual([0, 0, 0, 0]);
          await bench.stop();
        },
      ),
      { numRuns: 40 },
    );
  });
});
