import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Assignment, NO_PARTITIONS, type PartitionEpochs, type TopicPartitions } from '../../src/groups/assignment.ts';
import { type CurrentAssignment, MEMBER_STATE, type ReconciliationInput, reconcile } from '../../src/groups/reconciliation.ts';

const TOPIC = 't';

function epochs(partitions: readonly number[], epoch: number): PartitionEpochs {
  return partitions.length === 0 ? NO_PARTITIONS : new Map([[TOPIC, new Map(partitions.map((each) => [each, epoch]))]]);
}

function target(partitions: readonly number[]): Assignment {
  return new Map(partitions.length === 0 ? [] : [[TOPIC, partitions]]);
}

function owned(partitions: readonly number[]): TopicPartitions[] {
  return partitions.length === 0 ? [] : [{ topicId: TOPIC, partitions }];
}

function current(partitions: readonly number[], change: Partial<CurrentAssignment> = {}): CurrentAssignment {
  return {
    memberEpoch: 5,
    previousMemberEpoch: 4,
    state: MEMBER_STATE.Stable,
    assigned: epochs(partitions, 5),
    pendingRevocation: NO_PARTITIONS,
    ...change,
  };
}

function step(change: Partial<ReconciliationInput>): CurrentAssignment | null {
  return reconcile({
    current: current([1, 2]),
    targetEpoch: 6,
    target: target([1, 2]),
    hasSubscriptionChanged: false,
    isSubscribed: () => true,
    isFree: () => true,
    owned: null,
    ...change,
  });
}

test('at the target nothing happens', () => {
  const at = current([1, 2]);
  expect(step({ current: at, targetEpoch: 5 })).toBe(at);
});

test('the same partitions at a newer epoch: the epochs of the partitions stay', () => {
  expect(step({})).toEqual({ ...current([1, 2]), memberEpoch: 6, previousMemberEpoch: 5 });
});

test('it gives up first, at its epoch, and gets nothing meanwhile', () => {
  const next = step({ target: target([2, 3]) });
  expect(next).toEqual({
    ...current([2]),
    previousMemberEpoch: 5,
    state: MEMBER_STATE.Unrevoked,
    pendingRevocation: epochs([1], 5),
  });
  if (next === null) throw new Error('fenced');
  expect(step({ current: next, target: target([2, 3]), owned: owned([1, 2]) })).toBe(next);
  const after = step({ current: next, target: target([2, 3]), owned: owned([2]) });
  expect(after).toMatchObject({ memberEpoch: 6, state: MEMBER_STATE.Stable, pendingRevocation: NO_PARTITIONS });
  expect(after?.assigned.get(TOPIC)).toEqual(
    new Map([
      [2, 5],
      [3, 6],
    ]),
  );
});

test('what it does not own it need not give up', () => {
  expect(step({ target: target([2]), owned: owned([2]) })).toMatchObject({ memberEpoch: 6, state: MEMBER_STATE.Stable });
});

test('what others still have comes later, the rest at once', () => {
  const waiting = step({ target: target([1, 2, 3, 4]), isFree: (_topic, partition) => partition !== 4 });
  expect(waiting).toMatchObject({ memberEpoch: 6, state: MEMBER_STATE.Unreleased });
  expect([...(waiting?.assigned.get(TOPIC)?.keys() ?? [])]).toEqual([1, 2, 3]);
  if (waiting === null) throw new Error('fenced');
  const done = step({ current: waiting, target: target([1, 2, 3, 4]) });
  expect(done).toMatchObject({ memberEpoch: 6, state: MEMBER_STATE.Stable });
  expect(done?.assigned.get(TOPIC)?.size).toBe(4);
});

test('what it has given up on the way to an older target, and nobody has taken, it gets back', () => {
  const giving = current([2], { state: MEMBER_STATE.Unrevoked, pendingRevocation: epochs([1], 5) });
  const next = step({ current: giving, target: target([1, 2]), owned: owned([2]), isFree: () => false });
  expect(next).toMatchObject({ memberEpoch: 6, state: MEMBER_STATE.Stable });
  expect(next?.assigned.get(TOPIC)?.get(1)).toBe(6);
});

test('a topic that it no longer subscribes to goes though the target still has it', () => {
  const input = { targetEpoch: 5, hasSubscriptionChanged: true, isSubscribed: () => false };
  expect(step(input)).toMatchObject({ memberEpoch: 5, state: MEMBER_STATE.Unrevoked, pendingRevocation: epochs([1, 2], 5) });
  expect(step({ ...input, owned: [] })).toMatchObject({ memberEpoch: 5, state: MEMBER_STATE.Stable, assigned: NO_PARTITIONS });
  const giving = current([2], { state: MEMBER_STATE.Unrevoked, pendingRevocation: epochs([1], 5) });
  expect(step({ ...input, current: giving, owned: owned([1, 2]) })?.pendingRevocation).toEqual(epochs([1, 2], 5));
});

test('a member in a state of a newer broker is fenced, unless it has nothing', () => {
  const unknown = current([1, 2], { state: 99 });
  expect(step({ current: unknown })).toBeNull();
  expect(step({ current: unknown, owned: owned([1]) })).toBeNull();
  expect(step({ current: unknown, owned: [] })).toMatchObject({ memberEpoch: 6, state: MEMBER_STATE.Stable });
});

test('from wherever it starts, a member that does what it is told comes to the target', () => {
  const partitions = fc.uniqueArray(fc.nat(9));
  const targets = fc.array(partitions, { minLength: 1, maxLength: 5 });
  fc.assert(
    fc.property(partitions, targets, fc.array(fc.nat(9)), (start, wanted, taken) => {
      let at: CurrentAssignment | null = current(start);
      let has = [...start];
      for (const [index, each] of wanted.entries()) {
        const others = new Set(taken.slice(0, index));
        const input = {
          targetEpoch: 6 + index,
          target: target([...each].sort((a, b) => a - b)),
          isFree: (_topic: string, partition: number): boolean => !others.has(partition) && !has.includes(partition),
        };
        // The last target is waited for until it is reached; those before it are overtaken.
        const rounds = index === wanted.length - 1 ? 4 : 1;
        for (let round = 0; round < rounds; round++) {
          if (round === 2) others.clear();
          at = at && step({ ...input, current: at, owned: owned(has) });
          has = [...(at?.assigned.get(TOPIC)?.keys() ?? [])];
        }
      }
      const last = wanted.at(-1) ?? [];
      expect(at).toMatchObject({ state: MEMBER_STATE.Stable, memberEpoch: 5 + wanted.length });
      expect([...has].sort()).toEqual([...last].sort());
    }),
  );
});
