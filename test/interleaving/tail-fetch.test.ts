// Every schedule of a fetch at the tail, from its request to its answer, and of what an owner does meanwhile: appends, a roll, a log start that
// moves, the removal of a segment, the end of the partition. The consumer gets each record once and in order, never from a closed file or
// from bytes that are not written, sleeps over nothing, and is not woken before it can have enough.
import { expect, it } from 'vitest';
import { SegmentRemoval } from '../../src/broker/segment-removal.ts';
import { PartitionHost } from '../../src/partition/partition-host.ts';
import { type Explored, explore, type Thread, type ThreadContext } from './explorer.ts';
import { BATCH_BYTES, consumer, type OwnerStage, owner, prepared, SLOT, type Told, WORD_COUNT } from './fetch-stage.ts';

/** Looks of an owner that waits for readers; in life it goes on looking. */
const LOOKS = 3;

/** The part of a runtime that those who wait for readers use. */
interface Later {
  readonly runtime: { after(delayMs: number, task: () => void): void; touch(): void; exchange: { onRequest(): void } };
  /** Runs what was put off, up to LOOKS times. */
  look(): void;
}

function later(): Later {
  const tasks: (() => void)[] = [];
  return {
    runtime: { after: (_, task) => void tasks.push(task), touch() {}, exchange: { onRequest() {} } },
    look() {
      for (let looks = 0; looks < LOOKS; looks++) tasks.shift()?.();
    },
  };
}

function owning(act: (stage: OwnerStage, context: ThreadContext) => void): Thread {
  return (context) => {
    const stage = owner(context);
    return () => act(stage, context);
  };
}

/** All ways in which it may end, as texts. `last`: the last batch that is there from the start. */
function exploreFetch(
  last: number,
  act: (stage: OwnerStage, context: ThreadContext) => void,
  reader: Thread,
): Explored & { ways: string[] } {
  const ways = new Set<string>();
  const explored = explore({
    wordCount: WORD_COUNT,
    prepare: prepared(last),
    threads: [owning(act), reader],
    check: ([own, told]) => void ways.add([...(told as Told[]).map(tell), ...(own as string[])].join(', ')),
  });
  return { ...explored, ways: [...ways].sort() };
}

function tell(told: Told): string {
  if (typeof told === 'string') return told;
  return 'wakes' in told ? `woken ${told.wakes} times` : `reads ${told.read.join('+')}`;
}

it('an append is read where the lease says, asleep or awake, without the owner', () => {
  const { ends, ways } = exploreFetch(0, (stage) => stage.append(1), consumer(2));
  expect(ends).toBeGreaterThan(50);
  expect(ways).toEqual(['reads 1, woken 0 times', 'reads 1, woken 1 times']);
});

it('a fetch that waits for more than is there gets all of it at once', () => {
  const { ends, ways } = exploreFetch(1, (stage) => stage.append(2), consumer(3, 2 * BATCH_BYTES));
  expect(ends).toBeGreaterThan(50);
  expect(ways).toEqual(['reads 1+2, woken 0 times', 'reads 1+2, woken 1 times']);
});

it('what is read teaches where the next fetch begins', () => {
  const { ends, ways } = exploreFetch(1, (stage) => stage.append(2), consumer(3));
  expect(ends).toBeGreaterThan(50);
  expect(ways).toEqual(['reads 1+2, woken 0 times', 'reads 1, reads 2, woken 0 times', 'reads 1, reads 2, woken 1 times']);
});

it('an append that is not enough wakes nobody, a log start that passes the consumer does', () => {
  const { ends, ways } = exploreFetch(
    0,
    (stage) => {
      stage.append(1);
      stage.startAt(2, 1, 0);
    },
    consumer(2, 2 * BATCH_BYTES),
  );
  expect(ends).toBeGreaterThan(50);
  expect(ways).toEqual(['asks the owner, woken 0 times', 'asks the owner, woken 1 times']);
});

it('a leader epoch that the consumer does not know ends its wait', () => {
  const { ends, ways } = exploreFetch(0, (stage) => stage.raiseEpoch(1, 0), consumer(2, 1, 0));
  expect(ends).toBeGreaterThan(5);
  expect(withoutWakes(ways)).toEqual(['asks the owner']);
});

it('also where the owner has planned the fetch, by the epoch before', () => {
  const { ends, ways } = exploreFetch(0, (stage) => stage.raiseEpoch(1, 0), consumer(2, 1, 0, true));
  expect(ends).toBeGreaterThan(5);
  expect(withoutWakes(ways)).toEqual(['asks the owner']);
});

it('a roll ends the lease and the wait', () => {
  const { ends, ways } = exploreFetch(1, (stage) => stage.append(2, 1), consumer(3, 2 * BATCH_BYTES));
  expect(ends).toBeGreaterThan(50);
  expect(withoutWakes(ways)).toEqual(['asks the owner', 'reads 1, asks the owner']); // What is left in the old file is given as it is.
});

it('no file is closed under a fetch when its partition goes', () => {
  const end = (stage: OwnerStage, context: ThreadContext): void => {
    const { runtime, look } = later();
    const host = new PartitionHost(
      runtime as never,
      stage.counters,
      () => 0,
      () => {},
    );
    host.add({ slot: SLOT, logDirectory: 'here' } as never);
    host.remove(SLOT, () => {
      stage.close(0);
      context.report('closed');
    });
    stage.ring();
    look();
  };
  const { ends, ways } = exploreFetch(1, end, consumer(3));
  expect(ends).toBeGreaterThan(15);
  expect(withoutWakes(ways)).toEqual(['asks the owner', 'reads 1, asks the owner'].flatMap((way) => [way, `${way}, closed`]));
});

it('no file is closed under a fetch when its segment is removed', () => {
  const remove = (stage: OwnerStage, context: ThreadContext): void => {
    stage.append(2, 1);
    const { runtime, look } = later();
    const removeLater = (): void => {
      stage.close(0);
      context.report('closed');
    };
    const removal = new SegmentRemoval({
      runtime: runtime as never,
      words: stage.counters,
      guard: (_, task) => {
        task();
        return true;
      },
      onFailure: () => expect.unreachable(),
    });
    removal.add({ slot: SLOT, log: { head: { removeLater } } } as never, [{} as never]);
    look();
  };
  const { ends, ways } = exploreFetch(1, remove, consumer(2));
  expect(ends).toBeGreaterThan(50);
  expect(withoutWakes(ways)).toEqual(['asks the owner', 'reads 1'].flatMap((way) => [way, `${way}, closed`]));
});

function withoutWakes(ways: readonly string[]): string[] {
  return [...new Set(ways.map((way) => way.replace(/, woken \d times/, '')))].sort();
}
