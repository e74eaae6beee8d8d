// Groups that go from one protocol to the other while members are in them.
//   up    the first member of the consumer protocol joins a classic group: its members stay, with what they have, as classic members
//   down  the last member of the consumer protocol leaves: the classic members that remain are a classic group again
// Pure. Source: KIP-848, "Online migration".
import type { ShardEnvironment, TopicsView } from '../coordinator/shard.ts';
import { ERROR } from '../protocol/errors.ts';
import { type Assignment, assignmentOf, atEpoch, NO_PARTITIONS } from './assignment.ts';
import { ClassicGroup } from './classic-group.ts';
import { ClassicMember } from './classic-member.ts';
import { groupRecord } from './classic-records.ts';
import { classicTimerKey } from './classic-timers.ts';
import { ConsumerGroup } from './consumer-group.ts';
import { ConsumerMember, distinctNames, NEW_METADATA } from './consumer-member.ts';
import { embeddedVersion, readAssignment, readSubscription, writeAssignment } from './consumer-protocol.ts';
import {
  currentRecord,
  epochRecord,
  groupTombstones,
  isTooLarge,
  memberRecord,
  targetEpochRecord,
  targetRecord,
} from './consumer-records.ts';
import { applyRecord, type ConsumerGroupRecord } from './consumer-replay.ts';
import type { ConsumerTimers } from './consumer-timers.ts';
import type { GroupConfig } from './group-config.ts';
import type { GroupRecord } from './group-records.ts';
import { MEMBER_STATE } from './reconciliation.ts';
import { Refusal } from './refusal.ts';
import { CONSUMER_PROTOCOL_TYPE } from './subscription.ts';
import { TopicHashes } from './topic-hashes.ts';

/** A classic member that joins in place of a static member of the consumer protocol. */
export interface Replacement {
  readonly old: ConsumerMember;
  readonly member: ConsumerMember;
}

export class ProtocolMigration {
  readonly #environment: ShardEnvironment;
  readonly #config: GroupConfig;
  readonly #timers: ConsumerTimers;

  constructor(environment: ShardEnvironment, config: GroupConfig, timers: ConsumerTimers) {
    this.#environment = environment;
    this.#config = config;
    this.#timers = timers;
  }

  // Up.

  /**
   * The classic group as one of the consumer protocol, with the records that make it so: each member has, and is to have, what it was
   * assigned. The caller answers what waits in the classic group.
   */
  upgrade(classic: ClassicGroup, records: GroupRecord[]): ConsumerGroup | Refusal {
    const { groupId, generationId } = classic;
    const refusal = this.#checkUpgrade(classic);
    if (refusal !== null) return refusal;
    const members: ConsumerMember[] = [];
    const targets = new Map<string, Assignment>();
    for (const member of classic.members.values()) {
      const target = this.#assignmentOf(member);
      const upgraded = target === null ? null : consumerMemberOf(classic, member, target);
      if (target === 'userData') {
        const message =
          'an unsupported custom assignor is in use. Please refer to the documentation or switch to a default assignor before ' +
          're-attempting the upgrade';
        return cannotUpgrade(groupId, message);
      }
      if (target === null || upgraded === null) return cannotUpgrade(groupId, 'the embedded consumer protocol is malformed');
      members.push(upgraded);
      targets.set(member.memberId, target);
    }
    const topicNames = new Set(members.flatMap(({ metadata }) => metadata.subscribedTopicNames));
    const metadataHash = new TopicHashes(this.#environment.topics).hashOf(topicNames);
    const made: GroupRecord[] = [
      ...members.map((member) => memberRecord(member)),
      epochRecord(groupId, generationId, metadataHash),
      ...members.map(({ memberId }) => targetRecord(groupId, memberId, targets.get(memberId) ?? new Map())),
      targetEpochRecord(groupId, generationId, 0),
      ...members.map(({ memberId, current }) => currentRecord(groupId, memberId, current)),
    ];
    const group = new ConsumerGroup(groupId);
    for (const record of made) applyRecord(group, record as ConsumerGroupRecord);
    for (const record of [...classic.tombstones(), ...made]) records.push(record);
    return group;
  }

  /** The members' sessions go on under the consumer protocol's timers. */
  startSessions(group: ConsumerGroup): void {
    for (const { sessionKey, metadata } of group.members.values()) {
      const timeoutMs = metadata.classicMemberMetadata?.sessionTimeoutMs;
      if (timeoutMs !== undefined) this.#timers.renewSession(sessionKey, timeoutMs);
    }
  }

  #checkUpgrade(classic: ClassicGroup): Refusal | null {
    const { migrationPolicy, sizeMax } = this.#config.consumer;
    const { groupId } = classic;
    if (migrationPolicy !== 'bidirectional' && migrationPolicy !== 'upgrade') {
      return cannotUpgrade(groupId, 'online upgrade is disabled');
    }
    if (!classic.usesConsumerProtocol) return cannotUpgrade(groupId, 'the group does not use the consumer embedded protocol');
    return classic.members.size > sizeMax ? cannotUpgrade(groupId, 'the group size exceeds the consumer group maximum size') : null;
  }

  /** Null: not readable; 'userData': with more to it than partitions. A member that has just joined has none yet. */
  #assignmentOf({ assignment }: ClassicMember): Assignment | 'userData' | null {
    if (assignment.length === 0) return new Map();
    const read = readAssignment(assignment);
    if (read === null) return null;
    if (read.userData !== null && read.userData.length > 0) return 'userData';
    return assignmentOf(byTopicId(read.assignedPartitions, this.#environment.topics));
  }

  // Down.

  /** Whether the group would be a classic one without `leaving`. */
  isDowngrade(group: ConsumerGroup, leaving: readonly ConsumerMember[]): boolean {
    const remaining = group.members.size - leaving.length;
    const classicRemaining = group.classicMemberCount - leaving.filter(({ usesClassicProtocol }) => usesClassicProtocol).length;
    return classicRemaining === remaining && remaining > 0 && this.#mayDowngrade(remaining);
  }

  /** Whether the group would be a classic one with a classic member in the place of `old`. */
  isReplacingDowngrade(group: ConsumerGroup, old: ConsumerMember): boolean {
    const { size } = group.members;
    return !old.usesClassicProtocol && group.classicMemberCount === size - 1 && this.#mayDowngrade(size);
  }

  #mayDowngrade(memberCount: number): boolean {
    const { migrationPolicy } = this.#config.consumer;
    return (migrationPolicy === 'bidirectional' || migrationPolicy === 'downgrade') && memberCount <= this.#config.classicSizeMax;
  }

  /**
   * Records that make the group a classic one, of all members but those that leave; each is assigned what it was to have. False: they would
   * be too large, or a member's subscription cannot be read; nothing is recorded then. With `isRebalanced` the members are to join again.
   */
  downgrade(
    group: ConsumerGroup,
    leaving: readonly ConsumerMember[],
    replacement: Replacement | null,
    isRebalanced: boolean,
    records: GroupRecord[],
  ): boolean {
    const { groupId } = group;
    const gone = new Set([...leaving, replacement?.old]);
    const staying = [...group.members.values()].filter((member) => !gone.has(member));
    if (replacement !== null) staying.push(replacement.member);
    const classic = this.#classicGroupOf(group, staying, replacement);
    const record = classic === null ? null : groupRecord(classic, ({ assignment }) => assignment);
    if (record === null) return false;
    const memberIds = [...group.members.keys()].map((memberId) =>
      memberId === replacement?.old.memberId ? replacement.member.memberId : memberId,
    );
    const made = [...groupTombstones(groupId, memberIds, [...group.subscriptions.resolved.keys()]), record];
    // Written in part, it would be half of either group.
    if (isTooLarge([...records, ...made], this.#environment)) return false;
    for (const each of made) records.push(each);
    for (const memberId of group.members.keys()) this.#timers.cancelAll(groupId, memberId);
    // The classic group starts the sessions of its members when the record is replayed.
    if (isRebalanced) this.#environment.timers.set(classicTimerKey('rebalance', groupId), 0);
    return true;
  }

  #classicGroupOf(group: ConsumerGroup, members: readonly ConsumerMember[], replacement: Replacement | null): ClassicGroup | null {
    const { groupId } = group;
    const classic = new ClassicGroup(groupId);
    for (const { memberId, instanceId, metadata } of members) {
      const { clientId, clientHost, rebalanceTimeoutMs, classicMemberMetadata } = metadata;
      if (classicMemberMetadata === null) return null;
      const { sessionTimeoutMs, supportedProtocols } = classicMemberMetadata;
      const identity = { memberId, instanceId, clientId, clientHost };
      const given = { rebalanceTimeoutMs, sessionTimeoutMs, protocols: supportedProtocols };
      classic.add(new ClassicMember(identity, given, classicTimerKey('session', groupId, memberId)), CONSUMER_PROTOCOL_TYPE);
    }
    classic.generationId = group.groupEpoch;
    classic.protocolName = classic.selectProtocol();
    classic.enter('Stable', this.#environment.wallMs());
    for (const member of classic.members.values()) {
      const version = embeddedVersion(member.metadata(classic.protocolName));
      if (version === null) return null;
      const targetId = member.memberId === replacement?.member.memberId ? replacement.old.memberId : member.memberId;
      member.assignment = writeAssignment(byTopicName(group.targetOf(targetId), this.#environment.topics), version);
    }
    return classic;
  }
}

function cannotUpgrade(groupId: string, reason: string): Refusal {
  return new Refusal(ERROR.GROUP_ID_NOT_FOUND, `Cannot upgrade classic group ${groupId} to consumer group because ${reason}.`);
}

/** Null: its subscription is not readable. In the first round of a group no protocol is selected yet. */
function consumerMemberOf(classic: ClassicGroup, member: ClassicMember, target: Assignment | 'userData'): ConsumerMember | null {
  const subscription = readSubscription(member.metadata(classic.protocolName ?? classic.selectProtocol()));
  if (subscription === null || target === 'userData') return null;
  const { groupId, generationId } = classic;
  const metadata = {
    ...NEW_METADATA,
    instanceId: member.instanceId,
    rackId: subscription.rackId === '' ? null : subscription.rackId,
    clientId: member.clientId,
    clientHost: member.clientHost,
    subscribedTopicNames: distinctNames(subscription.topics),
    rebalanceTimeoutMs: member.rebalanceTimeoutMs,
    classicMemberMetadata: {
      sessionTimeoutMs: member.sessionTimeoutMs,
      supportedProtocols: member.protocols.map(({ name, metadata }) => ({ name, metadata })),
    },
  };
  const current = {
    memberEpoch: generationId,
    previousMemberEpoch: generationId,
    state: MEMBER_STATE.Stable,
    assigned: atEpoch(target, generationId),
    pendingRevocation: NO_PARTITIONS,
  };
  return new ConsumerMember(groupId, member.memberId, metadata, current);
}

interface NamedPartitions {
  readonly topic: string;
  readonly partitions: readonly number[];
}

/** Without topics that there are not. */
export function byTopicId(topics: readonly NamedPartitions[], view: TopicsView): { topicId: string; partitions: readonly number[] }[] {
  return topics.flatMap(({ topic, partitions }) => {
    const known = view.byName(topic);
    return known === null ? [] : [{ topicId: known.topicId, partitions }];
  });
}

export function byTopicName(
  assignment: ReadonlyMap<string, Iterable<number>>,
  view: TopicsView,
): { topic: string; partitions: number[] }[] {
  return [...assignment].flatMap(([topicId, partitions]) => {
    const known = view.byId(topicId);
    return known === null ? [] : [{ topic: known.name, partitions: [...partitions] }];
  });
}
