// The assignor `range`: of each topic every subscriber gets a range of partitions, in the order of the members' ids. So topics with the
// same number of partitions and the same subscribers are split alike. It is not sticky.
// Pure. Source: KIP-848, "range".
import { type Assignment, isSameAssignment } from '../assignment.ts';
import type { AssignedMember, AssignmentTask } from './assignor.ts';

interface Split {
  /** Partitions of each member, before the first `extraCount` get one more. */
  readonly quota: number;
  extraCount: number;
  next: number;
}

export function assignRange(task: AssignmentTask): Map<string, Assignment> {
  const subscriberCounts = new Map<string, number>();
  for (const { topicIds } of task.members) {
    for (const topicId of topicIds) subscriberCounts.set(topicId, (subscriberCounts.get(topicId) ?? 0) + 1);
  }
  const splits = new Map<string, Split>();
  for (const [topicId, subscriberCount] of subscriberCounts) {
    const partitionCount = task.partitionCount(topicId);
    splits.set(topicId, { quota: Math.floor(partitionCount / subscriberCount), extraCount: partitionCount % subscriberCount, next: 0 });
  }
  const assignments = new Map<string, Assignment>();
  for (const member of [...task.members].sort(byIdentity)) {
    const assignment = new Map<string, number[]>();
    for (const topicId of member.topicIds) {
      const partitions = takeRange(splits.get(topicId) as Split);
      if (partitions.length > 0) assignment.set(topicId, partitions);
    }
    assignments.set(member.memberId, isSameAssignment(assignment, member.target) ? member.target : assignment);
  }
  return assignments;
}

function takeRange(split: Split): number[] {
  const count = split.quota + (split.extraCount > 0 ? 1 : 0);
  split.extraCount--;
  const start = split.next;
  split.next += count;
  return Array.from({ length: count }, (_, i) => start + i);
}

/** Static members first, by instance id, so that one that comes back under a new member id keeps its range. */
function byIdentity(a: AssignedMember, b: AssignedMember): number {
  if (a.instanceId !== null && b.instanceId !== null) return a.instanceId < b.instanceId ? -1 : 1;
  if (a.instanceId !== null) return -1;
  if (b.instanceId !== null) return 1;
  return a.memberId < b.memberId ? -1 : 1;
}
