// The assignor `uniform`: members have the same number of partitions, to within one, and keep what they have as far as that allows.
// Where all subscribe to the same topics, one pass gives the best there is. Else see uniform-mixed.ts.
// Pure. Source: KIP-848, "uniform".
import { type Assignment, tidied } from '../assignment.ts';
import type { AssignedMember, AssignmentTask } from './assignor.ts';
import { assignMixed } from './uniform-mixed.ts';

export function assignUniform(task: AssignmentTask): Map<string, Assignment> {
  return task.isHomogeneous ? assignAlike(task) : assignMixed(task);
}

/** Partitions without an owner, as two lists of the same length. */
interface Free {
  readonly topicIds: string[];
  readonly partitions: number[];
}

function assignAlike(task: AssignmentTask): Map<string, Assignment> {
  const { members } = task;
  const topicIds = new Set(members[0]?.topicIds);
  const free: Free = { topicIds: [], partitions: [] };
  let total = 0;
  for (const topicId of topicIds) {
    const partitionCount = task.partitionCount(topicId);
    const owners = task.owners(topicId);
    total += partitionCount;
    // Mostly all are: then there is nothing to look for.
    if (owners !== undefined && owners.size >= partitionCount) continue;
    for (let partition = 0; partition < partitionCount; partition++) {
      if (owners?.has(partition) !== true) give(free, topicId, partition);
    }
  }
  const quota = Math.floor(total / members.length);
  let extraCount = total % members.length;
  const assignments = new Map<string, Assignment>();
  const unfilled: { readonly memberId: string; readonly room: number }[] = [];
  for (const [index, member] of members.entries()) {
    const mayHaveExtra = extraCount > 0;
    const { assignment, size } = keep(member, topicIds, quota + (mayHaveExtra ? 1 : 0), free);
    assignments.set(member.memberId, assignment);
    // One more than the quota goes to who has it already, and to the last ones for want of others.
    const takesExtra = mayHaveExtra && (size > quota || members.length - index <= extraCount);
    if (takesExtra) extraCount--;
    const room = quota + (takesExtra ? 1 : 0) - size;
    if (room > 0) unfilled.push({ memberId: member.memberId, room });
  }
  let next = 0;
  for (const { memberId, room } of unfilled) {
    const assignment = copied(assignments.get(memberId));
    for (const end = next + room; next < end; next++) {
      const topicId = free.topicIds[next] as string;
      const partitions = assignment.get(topicId);
      if (partitions === undefined) assignment.set(topicId, [free.partitions[next] as number]);
      else partitions.push(free.partitions[next] as number);
    }
    assignments.set(memberId, tidied(assignment));
  }
  return assignments;
}

function give(free: Free, topicId: string, partition: number): void {
  free.topicIds.push(topicId);
  free.partitions.push(partition);
}

/** What the member keeps, at most `countMax` partitions; those beyond that become free. */
function keep(
  { target }: AssignedMember,
  topicIds: ReadonlySet<string>,
  countMax: number,
  free: Free,
): { readonly assignment: Assignment; readonly size: number } {
  let size = 0;
  let isWhole = true;
  for (const [topicId, partitions] of target) {
    if (topicIds.has(topicId)) size += partitions.length;
    else isWhole = false;
  }
  if (isWhole && size <= countMax) return { assignment: target, size };
  const kept = new Map<string, number[]>();
  let room = countMax;
  for (const [topicId, partitions] of target) {
    if (!topicIds.has(topicId)) continue;
    const count = Math.min(room, partitions.length);
    room -= count;
    if (count > 0) kept.set(topicId, partitions.slice(0, count));
    for (let i = count; i < partitions.length; i++) give(free, topicId, partitions[i] as number);
  }
  return { assignment: kept, size: countMax - room };
}

function copied(assignment: Assignment | undefined): Map<string, number[]> {
  return new Map([...(assignment ?? [])].map(([topicId, partitions]) => [topicId, [...partitions]]));
}
