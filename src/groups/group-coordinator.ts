// The coordinator of the groups in one partition of __consumer_offsets: hands each event to who decides on it.
// Pure. Source: KIP-848 for which records and requests belong to which protocol.

import { unreachable } from '../base/assert.ts';
import { ZERO_UUID } from '../base/uuid.ts';
import type { CoordinatorShard, Decision, Question, ShardEnvironment } from '../coordinator/shard.ts';
import { nothing } from '../coordinator/shard.ts';
import { API } from '../protocol/api-keys.ts';
import type { ConsumerGroupDescribeRequest } from '../protocol/apis/consumer-group-describe.ts';
import type { ConsumerGroupHeartbeatRequest } from '../protocol/apis/consumer-group-heartbeat.ts';
import type { DeleteGroupsRequest } from '../protocol/apis/delete-groups.ts';
import type { DescribeGroupsRequest } from '../protocol/apis/describe-groups.ts';
import type { HeartbeatRequest } from '../protocol/apis/heartbeat.ts';
import type { JoinGroupRequest } from '../protocol/apis/join-group.ts';
import type { LeaveGroupRequest } from '../protocol/apis/leave-group.ts';
import type { ListGroupsRequest } from '../protocol/apis/list-groups.ts';
import type { OffsetCommitRequest } from '../protocol/apis/offset-commit.ts';
import type { OffsetDeleteRequest } from '../protocol/apis/offset-delete.ts';
import type { OffsetFetchRequest } from '../protocol/apis/offset-fetch.ts';
import type { SyncGroupRequest } from '../protocol/apis/sync-group.ts';
import { ERROR } from '../protocol/errors.ts';
import { ClassicGroup } from './classic-group.ts';
import { ClassicMembership } from './classic-membership.ts';
import { isClassicTimer } from './classic-timers.ts';
import { ConsumerCoordinator } from './consumer-coordinator.ts';
import type { ConsumerGroup } from './consumer-group.ts';
import { isConsumerTimer } from './consumer-timers.ts';
import { GroupAdmin } from './group-admin.ts';
import type { GroupConfig } from './group-config.ts';
import type { GroupRecord } from './group-records.ts';
import { GroupStore } from './group-store.ts';
import { OffsetCommit } from './offset-commit.ts';
import { EXPIRY_TIMER, OffsetExpiry } from './offset-expiry.ts';
import { OffsetFetch } from './offset-fetch.ts';
import { OffsetStore } from './offset-store.ts';
import { answered, Outcome } from './outcome.ts';
import type { OffsetCommitValue } from './record-tables.ts';

export class GroupCoordinator implements CoordinatorShard<GroupRecord> {
  readonly groups = new GroupStore<ConsumerGroup>();
  readonly offsets = new OffsetStore();
  readonly #classic: ClassicMembership;
  readonly #consumer: ConsumerCoordinator;
  readonly #commit: OffsetCommit;
  readonly #fetch: OffsetFetch;
  readonly #expiry: OffsetExpiry;
  readonly #admin: GroupAdmin;

  constructor(environment: ShardEnvironment, config: GroupConfig) {
    this.#classic = new ClassicMembership(environment, config, this.groups);
    this.#consumer = new ConsumerCoordinator(environment, config, this.groups, (group) =>
      this.#classic.release(group, ERROR.REBALANCE_IN_PROGRESS),
    );
    this.#commit = new OffsetCommit(environment, config, this.groups, (group, memberId) => this.#classic.noteCommit(group, memberId));
    this.#fetch = new OffsetFetch(environment, this.groups, this.offsets);
    this.#expiry = new OffsetExpiry(environment, config, this.groups, this.offsets);
    this.#admin = new GroupAdmin(environment, this.groups, this.offsets);
  }

  replay(record: GroupRecord): void {
    switch (record.type) {
      case 'LegacyOffsetCommit': {
        const { key, value } = record;
        const current = value === null ? null : { ...value, leaderEpoch: -1, expireTimestamp: -1, topicId: ZERO_UUID };
        this.#replayOffset(key.group, key.topic, key.partition, current);
        break;
      }
      case 'OffsetCommit':
        this.#replayOffset(record.key.group, record.key.topic, record.key.partition, record.value);
        break;
      case 'GroupMetadata':
        this.#classic.replay(record.key.group, record.value);
        break;
      default:
        this.#consumer.replay(record);
    }
  }

  /** A group that nobody joined comes to be with its first offset. */
  #replayOffset(groupId: string, topicName: string, partition: number, value: OffsetCommitValue | null): void {
    if (value === null) {
      this.offsets.remove(groupId, topicName, partition);
      return;
    }
    if (this.groups.get(groupId) === undefined) this.groups.put(new ClassicGroup(groupId));
    this.offsets.put(groupId, topicName, partition, value);
  }

  onLoaded(): Decision<GroupRecord> {
    const outcome = new Outcome();
    this.#classic.onLoaded(outcome);
    this.#consumer.onLoaded();
    this.#expiry.start();
    return outcome;
  }

  ask(question: Question): Decision<GroupRecord> {
    const { token, apiKey, body } = question;
    switch (apiKey) {
      case API.OffsetCommit:
        return this.#commit.commit(question, body as OffsetCommitRequest);
      case API.OffsetFetch:
        return answered(token, this.#fetch.fetch(question, body as OffsetFetchRequest));
      case API.Heartbeat:
        return this.#hear(question, body as HeartbeatRequest);
      case API.JoinGroup:
        return this.#join(question, body as JoinGroupRequest);
      case API.SyncGroup:
        return this.#sync(question, body as SyncGroupRequest);
      case API.LeaveGroup:
        return this.#leave(question, body as LeaveGroupRequest);
      case API.ConsumerGroupHeartbeat:
        return this.#consumer.heartbeat(question, body as ConsumerGroupHeartbeatRequest);
      case API.ConsumerGroupDescribe:
        return this.#consumer.describe(question, body as ConsumerGroupDescribeRequest);
      case API.DescribeGroups:
        return answered(token, this.#admin.describe(question, body as DescribeGroupsRequest));
      case API.ListGroups:
        return answered(token, this.#admin.list(body as ListGroupsRequest));
      case API.DeleteGroups:
        return this.#admin.delete(question, body as DeleteGroupsRequest);
      case API.OffsetDelete:
        return this.#admin.deleteOffsets(question, body as OffsetDeleteRequest);
      default:
        unreachable(`API ${apiKey} is none of the group coordinator's`);
    }
  }

  // The classic protocol's requests go to where the group is. An empty group of the consumer protocol makes way for a classic one.

  #join(question: Question, request: JoinGroupRequest): Decision<GroupRecord> {
    const group = this.groups.consumer(request.groupId);
    if (group === undefined) return this.#classic.join(question, request, []);
    if (group.isEmpty()) return this.#classic.join(question, request, group.tombstones());
    return this.#consumer.classicMembers.join(group, question, request);
  }

  #sync(question: Question, request: SyncGroupRequest): Decision<GroupRecord> {
    const group = this.groups.consumer(request.groupId);
    if (group === undefined) return this.#classic.sync(question, request);
    return this.#consumer.classicMembers.sync(group, question, request);
  }

  #hear(question: Question, request: HeartbeatRequest): Decision<GroupRecord> {
    const group = this.groups.consumer(request.groupId);
    if (group === undefined) return this.#classic.heartbeat(question, request);
    return this.#consumer.classicMembers.heartbeat(group, question, request);
  }

  #leave(question: Question, request: LeaveGroupRequest): Decision<GroupRecord> {
    const group = this.groups.consumer(request.groupId);
    if (group === undefined) return this.#classic.leave(question, request);
    return this.#consumer.classicMembers.leave(group, question, request);
  }

  onTimer(key: string): Decision<GroupRecord> {
    if (isConsumerTimer(key)) return this.#consumer.onTimer(key);
    if (isClassicTimer(key)) return this.#classic.onTimer(key);
    return key === EXPIRY_TIMER ? this.#expiry.onTimer() : nothing();
  }

  onTopicsChanged(deletedTopics: readonly { readonly name: string; readonly topicId: string }[]): Decision<GroupRecord> {
    return this.#expiry.onTopicsDeleted(deletedTopics);
  }

  *census(): Iterable<{ readonly protocol: string; readonly state: string }> {
    for (const { type, stateName } of this.groups.values()) yield { protocol: type, state: stateName };
  }

  waiting(): Iterable<number> {
    return this.#classic.waiting;
  }
}
