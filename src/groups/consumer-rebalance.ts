// The steps of a consumer group's rebalance, which heartbeats, classic members and timers have in common: the group's epoch, the target
// assignment, each member's way to it, and members that are out.
// Pure. Source: KIP-848, "Rebalance process"; KIP-1101 for the hash of topics.
import type { ShardEnvironment } from '../coordinator/shard.ts';
import { ERROR } from '../protocol/errors.ts';
import { type Assignment, isSameAssignment, type TopicPartitions } from './assignment.ts';
import type { AssignedMember, Assignor } from './assignors/assignor.ts';
import { assignRange } from './assignors/range.ts';
import { assignUniform } from './assignors/uniform.ts';
import type { ConsumerGroup } from './consumer-group.ts';
import { type ConsumerMember, isSameCurrent } from './consumer-member.ts';
import {
  currentRecord,
  epochRecord,
  isTooLarge,
  memberRecord,
  memberTombstones,
  partitionMetadataTombstone,
  regexTombstone,
  targetEpochRecord,
  targetRecord,
} from './consumer-records.ts';
import type { ConsumerSubscriptions } from './consumer-subscriptions.ts';
import type { ConsumerTimers } from './consumer-timers.ts';
import type { GroupConfig } from './group-config.ts';
import type { GroupRecord } from './group-records.ts';
import { MEMBER_STATE, reconcile } from './reconciliation.ts';
import { Refusal } from './refusal.ts';
import { TopicHashes } from './topic-hashes.ts';

const assignorByName: ReadonlyMap<string, Assignor> = new Map([
  ['uniform', assignUniform],
  ['range', assignRange],
]);

/** A member's change: what it was, as the group counts it, and what it becomes. */
export interface MemberChange {
  /** The member itself or the static one that it replaces; null: it is new. */
  readonly from: ConsumerMember | null;
  readonly to: ConsumerMember;
}

/** What the group's epoch is with the change, and what is subscribed then. */
export interface GroupChange {
  readonly groupEpoch: number;
  readonly subscriptions: ConsumerSubscriptions;
  readonly memberCount: number;
}

export interface Target {
  readonly epoch: number;
  readonly assignment: Assignment;
}

export class ConsumerRebalance {
  readonly #environment: ShardEnvironment;
  readonly #config: GroupConfig;
  readonly #timers: ConsumerTimers;
  readonly #hashes: TopicHashes;

  constructor(environment: ShardEnvironment, config: GroupConfig, timers: ConsumerTimers) {
    this.#environment = environment;
    this.#config = config;
    this.#timers = timers;
    this.#hashes = new TopicHashes(environment.topics);
  }

  hashOf(subscriptions: ConsumerSubscriptions): bigint {
    return this.#hashes.hashOf(subscriptions.topicNames());
  }

  /**
   * The group's next epoch, where the member's change calls for one (`isBumped`) or the subscribed topics have changed since they were last
   * looked at.
   */
  changeGroup(group: ConsumerGroup, change: MemberChange, isBumped: boolean, records: GroupRecord[]): GroupChange {
    const { topics } = this.#environment;
    const { groupId, groupEpoch, subscriptions } = group;
    if (!isBumped && group.checkedVersion === topics.version) return { groupEpoch, subscriptions, memberCount: group.members.size };
    group.checkedVersion = topics.version;
    const changed = subscriptions.copy();
    changed.change(change.from?.metadata ?? null, change.to.metadata);
    for (const regex of changed.unusedRegexes()) changed.resolve(regex, null);
    const metadataHash = this.hashOf(changed);
    const nextEpoch = isBumped || metadataHash !== group.metadataHash ? groupEpoch + 1 : groupEpoch;
    if (nextEpoch !== groupEpoch) records.push(epochRecord(groupId, nextEpoch, metadataHash));
    if (group.hasPartitionMetadata) records.push(partitionMetadataTombstone(groupId));
    const memberCount = group.members.size + (change.from === null ? 1 : 0);
    return { groupEpoch: nextEpoch, subscriptions: changed, memberCount };
  }

  /** The target that the member goes for. A new one is computed where the group's epoch is ahead of it and the last is old enough. */
  targetFor(group: ConsumerGroup, change: MemberChange, { groupEpoch, ...next }: GroupChange, records: GroupRecord[]): Target {
    const previousId = change.from?.memberId;
    if (group.assignmentEpoch >= groupEpoch || !this.#mayAssign(group)) {
      return { epoch: group.assignmentEpoch, assignment: group.targetOf(previousId) };
    }
    const { groupId } = group;
    const preferred = group.preferredAssignor(change.from, change.to) ?? this.#config.consumer.assignors[0] ?? '';
    const assign = assignorByName.get(preferred) ?? assignUniform;
    const members = [...group.members.values()].map((member) => (member.memberId === previousId ? change.to : member));
    if (previousId === undefined) members.push(change.to);
    const isHomogeneous = next.subscriptions.isAlike(next.memberCount);
    const topicIds = isHomogeneous ? this.#topicIdsOf(group, change.to) : null;
    const assigned = members.map(
      (member): AssignedMember => ({
        memberId: member.memberId,
        instanceId: member.instanceId,
        topicIds: topicIds ?? this.#topicIdsOf(group, member),
        target: group.targetOf(member === change.to ? previousId : member.memberId),
      }),
    );
    const targets = assign({
      members: assigned,
      isHomogeneous,
      partitionCount: (topicId) => this.#environment.topics.byId(topicId)?.partitionCount ?? 0,
      owners: (topicId) => group.owners(topicId),
    });
    for (const [memberId, target] of targets) {
      const old = group.targets.get(memberId);
      if (old === undefined || !isSameAssignment(old, target)) records.push(targetRecord(groupId, memberId, target));
    }
    records.push(targetEpochRecord(groupId, groupEpoch, this.#environment.wallMs()));
    return { epoch: groupEpoch, assignment: targets.get(change.to.memberId) ?? new Map() };
  }

  /** Topics that it subscribes to and that there are. */
  #topicIdsOf(group: ConsumerGroup, { metadata }: ConsumerMember): readonly string[] {
    const ids: string[] = [];
    for (const name of group.subscriptions.topicNamesOf(metadata)) {
      const topic = this.#environment.topics.byName(name);
      if (topic !== null) ids.push(topic.topicId);
    }
    return ids;
  }

  #mayAssign(group: ConsumerGroup): boolean {
    const intervalMs = this.#timers.assignmentIntervalMs(group.groupId);
    if (group.assignmentTimestampMs === 0 || intervalMs === 0) return true;
    return this.#environment.wallMs() >= group.assignmentTimestampMs + intervalMs;
  }

  /** The member, one step further on its way to the target. */
  reconcile(
    group: ConsumerGroup,
    member: ConsumerMember,
    target: Target,
    owned: readonly TopicPartitions[] | null,
    hasSubscriptionChanged: boolean,
    records: GroupRecord[],
  ): ConsumerMember | Refusal {
    if (!hasSubscriptionChanged && member.isReconciledTo(target.epoch)) return member;
    const { topics } = this.#environment;
    const names = new Set(group.subscriptions.topicNamesOf(member.metadata));
    const next = reconcile({
      current: member.current,
      targetEpoch: target.epoch,
      target: target.assignment,
      hasSubscriptionChanged,
      owned,
      isSubscribed: (topicId) => {
        const topic = topics.byId(topicId);
        return topic !== null && names.has(topic.name);
      },
      isFree: (topicId, partition) => group.isFree(topicId, partition),
    });
    if (next === null) {
      const message = 'The consumer group member is in a unknown state. The member must abandon all its partitions and rejoin.';
      return new Refusal(ERROR.FENCED_MEMBER_EPOCH, message);
    }
    if (isSameCurrent(next, member.current)) return member;
    records.push(currentRecord(group.groupId, member.memberId, next));
    // Members of the classic protocol have a timer to join and one to sync instead.
    if (!member.usesClassicProtocol) {
      if (next.state !== MEMBER_STATE.Unrevoked) this.#timers.cancelRebalance(group.groupId, member.memberId);
      else this.#timers.setRebalance(group.groupId, member.memberId, next.memberEpoch, member.metadata.rebalanceTimeoutMs);
    }
    return member.withCurrent(next);
  }

  /** After a decision that came to nothing: a member that has something to give up has its timer, as of the epoch that it is in. */
  keepTimer({ groupId, memberId, current, metadata, usesClassicProtocol }: ConsumerMember): void {
    if (usesClassicProtocol || current.state !== MEMBER_STATE.Unrevoked) return;
    this.#timers.keepRebalance(groupId, memberId, current.memberEpoch, metadata.rebalanceTimeoutMs);
  }

  /**
   * A static member comes back under a new id, and takes over what the old one was and is to have. The timers of the old one go on: the
   * request may yet be refused, and of a member that is gone they find nothing.
   */
  replaceStatic(group: ConsumerGroup, old: ConsumerMember, member: ConsumerMember, records: GroupRecord[]): void {
    const { groupId } = group;
    records.push(...memberTombstones(groupId, old.memberId));
    records.push(memberRecord(member), targetRecord(groupId, member.memberId, group.targetOf(old.memberId)));
    records.push(currentRecord(groupId, member.memberId, member.current));
  }

  /** The members are out, and what they had is for the others. False: in more records than can be written at once; nothing is done. */
  removeMembers(group: ConsumerGroup, members: readonly ConsumerMember[], records: GroupRecord[]): boolean {
    const { groupId } = group;
    const subscriptions = group.subscriptions.copy();
    const made: GroupRecord[] = [];
    for (const { memberId, metadata } of members) {
      made.push(...memberTombstones(groupId, memberId));
      subscriptions.change(metadata, null);
    }
    for (const regex of subscriptions.unusedRegexes()) {
      made.push(regexTombstone(groupId, regex));
      subscriptions.resolve(regex, null);
    }
    made.push(epochRecord(groupId, group.groupEpoch + 1, this.hashOf(subscriptions)));
    if (isTooLarge(made, this.#environment)) return false;
    for (const { memberId } of members) this.#timers.cancelAll(groupId, memberId);
    for (const record of made) records.push(record);
    return true;
  }
}
