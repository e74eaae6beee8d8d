// The server-side assignors as properties, each over groups that have a history: members come, go and change what they subscribe to, and
// topics grow, with an assignment after each step.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Assignment } from '../../src/groups/assignment.ts';
import type { AssignedMember, AssignmentTask, Assignor } from '../../src/groups/assignors/assignor.ts';
import { assignRange } from '../../src/groups/assignors/range.ts';
import { assignUniform } from '../../src/groups/assignors/uniform.ts';

type Step =
  | { readonly kind: 'join'; readonly topics: readonly number[]; readonly isStatic: boolean }
  | { readonly kind: 'leave'; readonly which: number }
  | { readonly kind: 'subscribe'; readonly which: number; readonly topics: readonly number[] }
  | { readonly kind: 'grow'; readonly topic: number; readonly by: number };

const TOPIC_COUNT = 5;
const topics = fc.uniqueArray(fc.nat(TOPIC_COUNT - 1), { minLength: 1, maxLength: TOPIC_COUNT });
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('join' as const), topics, isStatic: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('leave' as const), which: fc.nat() }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('subscribe' as const), which: fc.nat(), topics }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('grow' as const), topic: fc.nat(TOPIC_COUNT - 1), by: fc.integer({ min: 1, max: 4 }) }),
  },
);
const partitionCounts = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: TOPIC_COUNT, maxLength: TOPIC_COUNT });

interface Run {
  readonly task: AssignmentTask;
  readonly before: ReadonlyMap<string, Assignment>;
  readonly after: ReadonlyMap<string, Assignment>;
}

/** A group whose history is run step by step; `isAlike`: all members subscribe to what the first did. */
function history(assign: Assignor, counts: readonly number[], steps: readonly Step[], isAlike: boolean): Run[] {
  const partitions = [...counts];
  const members = new Map<string, { topics: readonly number[]; readonly instanceId: string | null }>();
  let targets = new Map<string, Assignment>();
  let joined = 0;
  const runs: Run[] = [];
  for (const each of steps) {
    const at = 'which' in each ? [...members.keys()][each.which % Math.max(1, members.size)] : undefined;
    if (each.kind === 'join') {
      const memberId = `m${String((joined * 7919) % 1000).padStart(3, '0')}-${joined++}`;
      members.set(memberId, { topics: each.topics, instanceId: each.isStatic ? `i${joined % 3}-${joined}` : null });
    } else if (each.kind === 'leave') {
      members.delete(at ?? '');
    } else if (each.kind === 'subscribe') {
      const member = members.get(at ?? '');
      if (member !== undefined) member.topics = each.topics;
    } else {
      partitions[each.topic] = (partitions[each.topic] ?? 0) + each.by;
    }
    if (members.size === 0) continue;
    if (isAlike) {
      const [first] = members.values();
      for (const member of members.values()) member.topics = first?.topics ?? [];
    }
    const before = new Map([...targets].filter(([memberId]) => members.has(memberId)));
    const task = taskOf(members, before, [...partitions], isAlike);
    targets = assign(task);
    runs.push({ task, before, after: targets });
  }
  return runs;
}

function taskOf(
  members: ReadonlyMap<string, { readonly topics: readonly number[]; readonly instanceId: string | null }>,
  targets: ReadonlyMap<string, Assignment>,
  partitions: readonly number[],
  isHomogeneous: boolean,
): AssignmentTask {
  const owners = new Map<string, Map<number, string>>();
  for (const [memberId, target] of targets) {
    for (const [topicId, ids] of target) {
      const ofTopic = owners.get(topicId) ?? new Map<number, string>();
      owners.set(topicId, ofTopic);
      for (const partition of ids) ofTopic.set(partition, memberId);
    }
  }
  return {
    members: [...members].map(
      ([memberId, { topics: subscribed, instanceId }]): AssignedMember => ({
        memberId,
        instanceId,
        topicIds: subscribed.map((topic) => `t${topic}`),
        target: targets.get(memberId) ?? new Map(),
      }),
    ),
    isHomogeneous,
    partitionCount: (topicId) => partitions[Number(topicId.slice(1))] ?? 0,
    owners: (topicId) => owners.get(topicId),
  };
}

function size(assignment: Assignment | undefined): number {
  return [...(assignment ?? [])].reduce((sum, [, ids]) => sum + ids.length, 0);
}

/** Every partition of a topic that somebody subscribes to has one owner, who subscribes to it; lists ascend. */
function checkValidAndComplete({ task, after }: Run): void {
  const owned = new Map<string, string>();
  expect([...after.keys()].sort()).toEqual(task.members.map(({ memberId }) => memberId).sort());
  for (const { memberId, topicIds } of task.members) {
    for (const [topicId, ids] of after.get(memberId) ?? []) {
      expect(topicIds).toContain(topicId);
      expect(ids.length).toBeGreaterThan(0);
      expect([...ids].sort((a, b) => a - b)).toEqual(ids);
      for (const partition of ids) {
        expect(owned.has(`${topicId}/${partition}`)).toBe(false);
        owned.set(`${topicId}/${partition}`, memberId);
      }
    }
  }
  const subscribed = new Set(task.members.flatMap(({ topicIds }) => topicIds));
  const count = [...subscribed].reduce((sum, topicId) => sum + task.partitionCount(topicId), 0);
  expect(owned.size).toBe(count);
}

function again(assign: Assignor, { task, after }: Run): Map<string, Assignment> {
  const members = new Map(
    task.members.map(({ memberId, topicIds, instanceId }) => [memberId, { topics: topicIds.map((id) => Number(id.slice(1))), instanceId }]),
  );
  const partitions = Array.from({ length: TOPIC_COUNT }, (_, topic) => task.partitionCount(`t${topic}`));
  return assign(taskOf(members, after, partitions, task.isHomogeneous));
}

const runs = (assign: Assignor, isAlike: boolean, check: (run: Run) => void): void => {
  fc.assert(
    fc.property(partitionCounts, fc.array(step, { minLength: 1, maxLength: 25 }), (counts, steps) => {
      for (const run of history(assign, counts, steps, isAlike)) check(run);
    }),
    { numRuns: 150 },
  );
};

describe.each([
  ['uniform, alike', assignUniform, true],
  ['uniform, mixed', assignUniform, false],
  ['range, alike', assignRange, true],
  ['range, mixed', assignRange, false],
])('%s', (_name, assign, isAlike) => {
  test('each partition has one owner that subscribes to it', () => {
    runs(assign, isAlike, checkValidAndComplete);
  });

  test('where nothing has changed nothing changes, and what did not change is the same object', () => {
    runs(assign, isAlike, (run) => {
      const next = again(assign, run);
      expect(next).toEqual(run.after);
      if (isAlike || assign === assignRange) for (const [memberId, target] of next) expect(target).toBe(run.after.get(memberId));
    });
  });
});

describe('uniform', () => {
  test('members that subscribe alike have the same number of partitions, to within one', () => {
    runs(assignUniform, true, ({ after }) => {
      const sizes = [...after.values()].map(size);
      expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
    });
  });

  test('members that subscribe alike keep all they may: nobody both loses and gains, and no more moves than must', () => {
    runs(assignUniform, true, ({ task, before, after }) => {
      const count = [...new Set(task.members.flatMap(({ topicIds }) => topicIds))].reduce((sum, id) => sum + task.partitionCount(id), 0);
      const quota = Math.floor(count / task.members.length);
      const extra = count % task.members.length;
      // What each could keep: the largest ones one more than the quota, as long as there are any.
      const had = task.members.map(({ memberId, topicIds }) =>
        [...(before.get(memberId) ?? [])].reduce((sum, [topicId, ids]) => sum + (topicIds.includes(topicId) ? ids.length : 0), 0),
      );
      const overQuota = had.filter((each) => each > quota).length;
      const keepable = had.reduce((sum, each) => sum + Math.min(each, quota), 0) + Math.min(overQuota, extra);
      let kept = 0;
      for (const { memberId } of task.members) {
        for (const [topicId, ids] of after.get(memberId) ?? []) {
          const old = new Set(before.get(memberId)?.get(topicId));
          kept += ids.filter((partition) => old.has(partition)).length;
        }
      }
      expect(kept).toBe(keepable);
    });
  });

  test('members that subscribe differently: no move of one partition makes two of its subscribers more alike', () => {
    runs(assignUniform, false, ({ task, after }) => {
      for (const { memberId } of task.members) {
        for (const topicId of after.get(memberId)?.keys() ?? []) {
          for (const other of task.members) {
            if (!other.topicIds.includes(topicId)) continue;
            expect(size(after.get(memberId)) - size(after.get(other.memberId))).toBeLessThanOrEqual(1);
          }
        }
      }
    });
  });

  test('members that subscribe differently keep what they have where a topic comes to them alone', () => {
    const before = new Map<string, Assignment>([
      ['a', new Map([['t0', [0, 1]]])],
      ['b', new Map([['t0', [2, 3]]])],
    ]);
    const members = new Map([
      ['a', { topics: [0], instanceId: null }],
      ['b', { topics: [0, 1], instanceId: null }],
    ]);
    // b would have five of six: it gives up what a may have, and no more.
    const after = assignUniform(taskOf(members, before, [4, 3], false));
    expect(size(after.get('a'))).toBe(3);
    expect(after.get('a')?.get('t0')).toEqual(expect.arrayContaining([0, 1]));
    expect(after.get('b')?.get('t1')).toEqual([0, 1, 2]);
  });
});

describe('range', () => {
  test('topics with as many partitions and the same subscribers are split alike, in the order of instance ids and member ids', () => {
    const members = new Map([
      ['b', { topics: [0, 1], instanceId: null }],
      ['a', { topics: [1, 0], instanceId: null }],
      ['z', { topics: [0, 1], instanceId: 'y' }],
      ['y', { topics: [0, 1], instanceId: 'z' }],
    ]);
    const after = assignRange(taskOf(members, new Map(), [6, 6], true));
    for (const topicId of ['t0', 't1']) {
      expect(after.get('z')?.get(topicId)).toEqual([0, 1]);
      expect(after.get('y')?.get(topicId)).toEqual([2, 3]);
      expect(after.get('a')?.get(topicId)).toEqual([4]);
      expect(after.get('b')?.get(topicId)).toEqual([5]);
    }
  });
});

test('a thousand members with hundreds of partitions each are assigned without a step for each pair of members', () => {
  const members = new Map(
    Array.from({ length: 1000 }, (_, i) => [
      `m${String(i).padStart(4, '0')}`,
      { topics: Array.from({ length: 20 }, (__, t) => t), instanceId: null },
    ]),
  );
  const partitions = Array.from({ length: 20 }, () => 5000);
  // 100 partitions each. Counted, not timed: how often the assignor asks who owns a topic and how many partitions it has.
  let asked = 0;
  const base = taskOf(members, new Map(), partitions, true);
  const task: AssignmentTask = {
    ...base,
    owners: (topicId) => {
      asked++;
      return base.owners(topicId);
    },
    partitionCount: (topicId) => {
      asked++;
      return base.partitionCount(topicId);
    },
  };
  for (const assign of [assignUniform, assignRange]) {
    asked = 0;
    const after = assign(task);
    expect([...after.values()].map(size).every((count) => count === 100)).toBe(true);
    expect(asked).toBeLessThanOrEqual(40);
  }
});
