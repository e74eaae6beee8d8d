// A group of the consumer protocol (KIP-848): members, what each has and what each is to have.
//   Empty       no members
//   Assigning   the group's epoch is ahead of the assignment's: a target is to be computed
//   Reconciling a target is there, and not all members have come to it
//   Stable      all have
// Invariants: all of it follows from the records, and changes in their replay alone, `checkedVersion` aside; `holders` names the member that
// has a partition, assigned or not yet given up; `owners` names the member that is to have it.
// Pure. Not here: which request leads to which records (consumer-heartbeat.ts, consumer-rebalance.ts).
import { ERROR } from '../protocol/errors.ts';
import { type Assignment, NO_ASSIGNMENT, type PartitionEpochs } from './assignment.ts';
import type { ConsumerMember } from './consumer-member.ts';
import { groupTombstones } from './consumer-records.ts';
import { ConsumerSubscriptions } from './consumer-subscriptions.ts';
import type { Group, PartitionCheck } from './group.ts';
import type { GroupRecord } from './group-records.ts';
import type { OffsetCommitValue } from './record-tables.ts';
import { CONSUMER_PROTOCOL_TYPE } from './subscription.ts';

export type ConsumerGroupState = 'Empty' | 'Assigning' | 'Reconciling' | 'Stable';

/** A group that has no record of its epoch is at this one, and so is its assignment. */
const FIRST_EPOCH = 1;
/** No version of the topics. */
export const NOT_CHECKED = -1;
/** Since this version OffsetCommit knows the epochs of members. */
const EPOCH_COMMIT_VERSION = 9;

export class ConsumerGroup implements Group {
  readonly type = 'consumer';
  readonly groupId: string;
  groupEpoch = FIRST_EPOCH;
  /** Of the subscribed topics, as they were at `groupEpoch`. */
  metadataHash = 0n;
  assignmentEpoch = FIRST_EPOCH;
  /** 0: not known. */
  assignmentTimestampMs = 0;
  readonly members = new Map<string, ConsumerMember>();
  readonly staticMemberIds = new Map<string, string>();
  readonly subscriptions = new ConsumerSubscriptions();
  readonly targets = new Map<string, Assignment>();
  /** Written by brokers before 4.1; its tombstone follows at the next chance. */
  hasPartitionMetadata = false;
  /** Version of the topics that `metadataHash` was last compared with. Not of the records. */
  checkedVersion = NOT_CHECKED;
  readonly #owners = new Map<string, Map<number, string>>();
  readonly #holders = new Map<string, Map<number, string>>();
  readonly #assignors = new Map<string, number>();
  #classicMemberCount = 0;
  readonly #classicProtocols = new Map<string, number>();

  constructor(groupId: string) {
    this.groupId = groupId;
  }

  get stateName(): ConsumerGroupState {
    if (this.members.size === 0) return 'Empty';
    if (this.groupEpoch > this.assignmentEpoch) return 'Assigning';
    for (const member of this.members.values()) if (!member.isReconciledTo(this.assignmentEpoch)) return 'Reconciling';
    return 'Stable';
  }

  get protocolTypeName(): string {
    return CONSUMER_PROTOCOL_TYPE;
  }

  isEmpty(): boolean {
    return this.members.size === 0;
  }

  // Members.

  staticMember(instanceId: string | null): ConsumerMember | undefined {
    return instanceId === null ? undefined : this.members.get(this.staticMemberIds.get(instanceId) ?? '');
  }

  get classicMemberCount(): number {
    return this.#classicMemberCount;
  }

  putMember(member: ConsumerMember): void {
    const old = this.members.get(member.memberId);
    this.members.set(member.memberId, member);
    this.subscriptions.change(old?.metadata ?? null, member.metadata);
    this.#countFeatures(old, member);
    if (old === undefined || old.current !== member.current) {
      this.#release(old);
      this.#hold(member.memberId, member.current.assigned);
      this.#hold(member.memberId, member.current.pendingRevocation);
    }
    if (member.instanceId !== null) this.staticMemberIds.set(member.instanceId, member.memberId);
  }

  removeMember(memberId: string): void {
    const old = this.members.get(memberId);
    if (old === undefined) return;
    this.members.delete(memberId);
    this.subscriptions.change(old.metadata, null);
    this.#countFeatures(old, undefined);
    this.#release(old);
    // The instance may have another member by now.
    if (old.instanceId !== null && this.staticMemberIds.get(old.instanceId) === memberId) this.staticMemberIds.delete(old.instanceId);
  }

  #countFeatures(old: ConsumerMember | undefined, member: ConsumerMember | undefined): void {
    if (old?.metadata === member?.metadata) return;
    for (const [each, by] of [[old, -1] as const, [member, 1] as const]) {
      if (each === undefined) continue;
      const { serverAssignor, classicMemberMetadata } = each.metadata;
      if (serverAssignor !== null) count(this.#assignors, serverAssignor, by);
      if (classicMemberMetadata === null) continue;
      this.#classicMemberCount += by;
      for (const { name } of classicMemberMetadata.supportedProtocols) count(this.#classicProtocols, name, by);
    }
  }

  /** Whether a classic member with these protocols can be in the group: all other classic members know one of them. */
  supportsClassic(protocolType: string, names: readonly string[]): boolean {
    if (protocolType !== CONSUMER_PROTOCOL_TYPE) return false;
    if (this.isEmpty()) return names.length > 0;
    return names.some((name) => (this.#classicProtocols.get(name) ?? 0) === this.#classicMemberCount);
  }

  /** What most members ask for, once `from` has become `to`; null: none asks for one. Of equals the first that was asked for. */
  preferredAssignor(from: ConsumerMember | null, to: ConsumerMember | null): string | null {
    const counts = new Map(this.#assignors);
    const [old, next] = [from?.metadata.serverAssignor ?? null, to?.metadata.serverAssignor ?? null];
    if (old !== null) count(counts, old, -1);
    if (next !== null) count(counts, next, 1);
    let preferred: string | null = null;
    for (const [name, asked] of counts) if (preferred === null || asked > (counts.get(preferred) ?? 0)) preferred = name;
    return preferred;
  }

  // Partitions.

  isFree(topicId: string, partition: number): boolean {
    return this.#holders.get(topicId)?.has(partition) !== true;
  }

  #hold(memberId: string, partitions: PartitionEpochs): void {
    for (const [topicId, epochs] of partitions) {
      const holders = this.#holders.get(topicId) ?? new Map<number, string>();
      this.#holders.set(topicId, holders);
      for (const partition of epochs.keys()) holders.set(partition, memberId);
    }
  }

  #release(member: ConsumerMember | undefined): void {
    if (member === undefined) return;
    for (const partitions of [member.current.assigned, member.current.pendingRevocation]) {
      for (const [topicId, epochs] of partitions) releaseFrom(this.#holders, topicId, epochs.keys(), member.memberId);
    }
  }

  owners(topicId: string): ReadonlyMap<number, string> | undefined {
    return this.#owners.get(topicId);
  }

  targetOf(memberId: string | undefined): Assignment {
    return (memberId === undefined ? undefined : this.targets.get(memberId)) ?? NO_ASSIGNMENT;
  }

  /** Null: none. Touches what differs from the target before, since a change mostly moves few of many partitions. */
  putTarget(memberId: string, target: Assignment | null): void {
    const old = this.targetOf(memberId);
    const next = target ?? NO_ASSIGNMENT;
    for (const [topicId, partitions] of old) {
      releaseFrom(this.#owners, topicId, without(partitions, next.get(topicId)), memberId);
    }
    for (const [topicId, partitions] of next) {
      const gained = without(partitions, old.get(topicId));
      if (gained.length === 0) continue;
      const owners = this.#owners.get(topicId) ?? new Map<number, string>();
      this.#owners.set(topicId, owners);
      for (const partition of gained) owners.set(partition, memberId);
    }
    if (target === null) this.targets.delete(memberId);
    else this.targets.set(memberId, target);
  }

  // Group.

  checkOffsetCommit(memberId: string, _instanceId: string | null, memberEpoch: number, apiVersion: number): number | PartitionCheck {
    // From an administrator, or a consumer that is its own group: as long as nobody is in it.
    if (memberEpoch < 0 && this.isEmpty()) return ERROR.NONE;
    const member = this.members.get(memberId);
    if (member === undefined) return ERROR.UNKNOWN_MEMBER_ID;
    if (!member.usesClassicProtocol && apiVersion < EPOCH_COMMIT_VERSION) return ERROR.UNSUPPORTED_VERSION;
    if (memberEpoch === member.memberEpoch) return ERROR.NONE;
    const stale = staleError(member);
    if (memberEpoch > member.memberEpoch) return stale;
    // An older epoch will do for what the member has had since then.
    const { assigned, pendingRevocation } = member.current;
    return (_topicName, topicId, partition) => {
      const epoch = assigned.get(topicId)?.get(partition) ?? pendingRevocation.get(topicId)?.get(partition);
      return epoch === undefined || memberEpoch < epoch ? stale : ERROR.NONE;
    };
  }

  checkOffsetFetch(memberId: string | null, memberEpoch: number): number {
    if (memberId === null && memberEpoch < 0) return ERROR.NONE;
    const member = this.members.get(memberId ?? '');
    if (member === undefined) return ERROR.UNKNOWN_MEMBER_ID;
    return memberEpoch === member.memberEpoch ? ERROR.NONE : staleError(member);
  }

  checkOffsetDelete(): number {
    return ERROR.NONE;
  }

  checkDelete(): number {
    return this.isEmpty() ? ERROR.NONE : ERROR.NON_EMPTY_GROUP;
  }

  isSubscribedTo(topicName: string): boolean {
    return this.subscriptions.has(topicName);
  }

  expiryBaseMs(): (commit: OffsetCommitValue) => number {
    return ({ commitTimestamp }) => commitTimestamp;
  }

  tombstones(): GroupRecord[] {
    return groupTombstones(this.groupId, [...this.members.keys()], [...this.subscriptions.resolved.keys()]);
  }
}

function staleError(member: ConsumerMember): number {
  return member.usesClassicProtocol ? ERROR.ILLEGAL_GENERATION : ERROR.STALE_MEMBER_EPOCH;
}

function count(counts: Map<string, number>, name: string, by: number): void {
  const next = (counts.get(name) ?? 0) + by;
  if (next <= 0) counts.delete(name);
  else counts.set(name, next);
}

/** What of `partitions` is not in `others`; both ascend. */
function without(partitions: readonly number[], others: readonly number[] | undefined): readonly number[] {
  if (others === undefined) return partitions;
  const rest: number[] = [];
  let at = 0;
  for (const partition of partitions) {
    while (at < others.length && (others[at] as number) < partition) at++;
    if (others[at] !== partition) rest.push(partition);
  }
  return rest;
}

/** Only what is the member's: another may have got it in the meantime. */
function releaseFrom(members: Map<string, Map<number, string>>, topicId: string, partitions: Iterable<number>, memberId: string): void {
  const ofTopic = members.get(topicId);
  if (ofTopic === undefined) return;
  for (const partition of partitions) if (ofTopic.get(partition) === memberId) ofTopic.delete(partition);
  if (ofTopic.size === 0) members.delete(topicId);
}
