// How a member comes from the partitions it has to those it is to have: first it gives up what it loses, then it gets what is free.
// Invariants: a partition is in at most one of `assigned` and `pendingRevocation`; a member gets a partition only when no other member
// has it in either; a member moves on to the target's epoch only when it has given up all that it is to lose.
//   Stable → new target → Unrevoked, while the member still owns what it loses; the target's epoch waits
//   Unrevoked → owns it no longer → Unreleased, while others still have some of what it is to get, or Stable
//   Unreleased → each time it is heard of, what has become free → Stable
// Pure. Source: KIP-848, "Member assignment state machine"; KIP-1251 for the epochs of partitions.
import { type Assignment, NO_PARTITIONS, type PartitionEpochs, type TopicPartitions } from './assignment.ts';

/** As the records have it. */
export const MEMBER_STATE = {
  Stable: 0,
  /** Has not yet given up all partitions that it is to lose. */
  Unrevoked: 1,
  /** Waits for partitions that others have not given up. */
  Unreleased: 2,
} as const;

/** What a member has, as its record says. */
export interface CurrentAssignment {
  readonly memberEpoch: number;
  readonly previousMemberEpoch: number;
  /** One of MEMBER_STATE, or what a newer broker wrote. */
  readonly state: number;
  readonly assigned: PartitionEpochs;
  readonly pendingRevocation: PartitionEpochs;
}

export interface ReconciliationInput {
  readonly current: CurrentAssignment;
  readonly targetEpoch: number;
  readonly target: Assignment;
  /** Its subscription has changed with this very request: what it no longer subscribes to goes, whatever the target's age. */
  readonly hasSubscriptionChanged: boolean;
  isSubscribed(topicId: string): boolean;
  /** No member has the partition. */
  isFree(topicId: string, partition: number): boolean;
  /** What the member says it owns; null: it does not say. */
  readonly owned: readonly TopicPartitions[] | null;
}

/** The next state, or the same object where nothing changes; null: the member must be fenced, since its state is not known here. */
export function reconcile(input: ReconciliationInput): CurrentAssignment | null {
  const { current, targetEpoch, owned, hasSubscriptionChanged } = input;
  switch (current.state) {
    case MEMBER_STATE.Stable:
      if (current.memberEpoch !== targetEpoch) return computeNext(input, current.memberEpoch);
      return hasSubscriptionChanged ? withoutUnsubscribed(input) : current;
    case MEMBER_STATE.Unrevoked:
      if (!ownsAnyOf(owned, current.pendingRevocation)) return computeNext(input, current.memberEpoch);
      return hasSubscriptionChanged ? withoutUnsubscribed(input) : current;
    case MEMBER_STATE.Unreleased:
      return computeNext(input, current.memberEpoch);
    default:
      return owned !== null && owned.length === 0 ? computeNext(input, targetEpoch) : null;
  }
}

/** A member that does not say what it owns may own anything. */
function ownsAnyOf(owned: readonly TopicPartitions[] | null, partitions: PartitionEpochs): boolean {
  if (owned === null) return true;
  return owned.some(({ topicId, partitions: ownedPartitions }) => {
    const known = partitions.get(topicId);
    return known !== undefined && ownedPartitions.some((partition) => known.has(partition));
  });
}

/** Takes topics that are no longer subscribed out of what is assigned; the target stays for later. */
function withoutUnsubscribed({ current, isSubscribed, owned }: ReconciliationInput): CurrentAssignment {
  const assigned = new Map(current.assigned);
  const pendingRevocation = new Map(current.pendingRevocation);
  for (const [topicId, epochs] of current.assigned) {
    if (isSubscribed(topicId)) continue;
    assigned.delete(topicId);
    pendingRevocation.set(topicId, new Map([...(pendingRevocation.get(topicId) ?? []), ...epochs]));
  }
  if (assigned.size === current.assigned.size) return current;
  const { memberEpoch } = current;
  const shrunk = { ...current, previousMemberEpoch: memberEpoch, assigned };
  if (!ownsAnyOf(owned, pendingRevocation)) return shrunk;
  return { ...shrunk, state: MEMBER_STATE.Unrevoked, pendingRevocation };
}

function computeNext(input: ReconciliationInput, memberEpoch: number): CurrentAssignment {
  const { current, target, targetEpoch, isSubscribed, isFree, owned } = input;
  const kept = new Map<string, ReadonlyMap<number, number>>();
  const lost = new Map<string, ReadonlyMap<number, number>>();
  const gained = new Map<string, number[]>();
  let hasUnreleased = false;
  for (const [topicId, epochs] of current.assigned) {
    const wanted = isSubscribed(topicId) ? new Set(target.get(topicId)) : new Set<number>();
    const keptEpochs = new Map<number, number>();
    const lostEpochs = new Map<number, number>();
    for (const [partition, epoch] of epochs) (wanted.has(partition) ? keptEpochs : lostEpochs).set(partition, epoch);
    if (keptEpochs.size > 0) kept.set(topicId, keptEpochs);
    if (lostEpochs.size > 0) lost.set(topicId, lostEpochs);
  }
  for (const [topicId, partitions] of target) {
    if (!isSubscribed(topicId)) continue;
    const assigned = current.assigned.get(topicId);
    // What the member itself was to give up, and has, is free for it again.
    const own = current.pendingRevocation.get(topicId);
    const pending = partitions.filter((partition) => assigned?.has(partition) !== true);
    const free = pending.filter((partition) => isFree(topicId, partition) || own?.has(partition) === true);
    if (free.length < pending.length) hasUnreleased = true;
    if (free.length > 0) gained.set(topicId, free);
  }
  if (lost.size > 0 && ownsAnyOf(owned, lost)) {
    return {
      memberEpoch,
      previousMemberEpoch: current.memberEpoch,
      state: MEMBER_STATE.Unrevoked,
      assigned: kept,
      pendingRevocation: lost,
    };
  }
  for (const [topicId, partitions] of gained) {
    const epochs = new Map(kept.get(topicId));
    for (const partition of partitions) epochs.set(partition, targetEpoch);
    kept.set(topicId, epochs);
  }
  return {
    memberEpoch: targetEpoch,
    previousMemberEpoch: current.memberEpoch,
    state: hasUnreleased ? MEMBER_STATE.Unreleased : MEMBER_STATE.Stable,
    assigned: kept,
    pendingRevocation: NO_PARTITIONS,
  };
}
