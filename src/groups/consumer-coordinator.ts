// All that a shard of the group coordinator needs of the consumer protocol: its records, its requests, its timers, and the classic
// protocol's requests to its groups.
// Pure.
import { type Answer, type Decision, nothing, type Question, type ShardEnvironment } from '../coordinator/shard.ts';
import type { ConsumerGroupDescribeRequest } from '../protocol/apis/consumer-group-describe.ts';
import type { ConsumerGroupHeartbeatRequest } from '../protocol/apis/consumer-group-heartbeat.ts';
import type { ClassicGroup } from './classic-group.ts';
import { ConsumerClassicMembers } from './consumer-classic-members.ts';
import { describeConsumerGroups } from './consumer-describe.ts';
import { ConsumerExit } from './consumer-exit.ts';
import { ConsumerGroup } from './consumer-group.ts';
import { ConsumerHeartbeat, type ConsumerParts } from './consumer-heartbeat.ts';
import { ConsumerRebalance } from './consumer-rebalance.ts';
import { isTooLarge } from './consumer-records.ts';
import { ConsumerRegex } from './consumer-regex.ts';
import { type ConsumerGroupRecord, replayConsumerRecord } from './consumer-replay.ts';
import { ConsumerTimers, parseConsumerTimer } from './consumer-timers.ts';
import type { GroupConfig } from './group-config.ts';
import type { GroupRecord } from './group-records.ts';
import type { GroupStore } from './group-store.ts';
import { answered, Outcome } from './outcome.ts';
import { ProtocolMigration } from './protocol-migration.ts';
import { MEMBER_STATE } from './reconciliation.ts';

export class ConsumerCoordinator {
  /** The classic protocol's requests to groups of the consumer protocol that have members. */
  readonly classicMembers: ConsumerClassicMembers;
  readonly #parts: ConsumerParts;
  readonly #heartbeat: ConsumerHeartbeat;

  /** `releaseClassic` answers what waits in a classic group that becomes one of the consumer protocol. */
  constructor(
    environment: ShardEnvironment,
    config: GroupConfig,
    groups: GroupStore<ConsumerGroup>,
    releaseClassic: (group: ClassicGroup) => readonly Answer[],
  ) {
    const timers = new ConsumerTimers(environment, config);
    const rebalance = new ConsumerRebalance(environment, config, timers);
    const regex = new ConsumerRegex(environment, config, rebalance);
    const migration = new ProtocolMigration(environment, config, timers);
    const exit = new ConsumerExit(groups, timers, rebalance, migration);
    this.#parts = { environment, config, groups, timers, rebalance, regex, migration, exit, releaseClassic };
    this.#heartbeat = new ConsumerHeartbeat(this.#parts);
    this.classicMembers = new ConsumerClassicMembers(this.#parts);
  }

  replay(record: ConsumerGroupRecord): void {
    replayConsumerRecord(this.#parts.groups, record);
  }

  /** All records are replayed: each member has the time of a session to be heard from. */
  onLoaded(): void {
    const { groups, timers } = this.#parts;
    for (const group of groups.values()) {
      if (!(group instanceof ConsumerGroup)) continue;
      const { groupId } = group;
      const sessionTimeoutMs = timers.sessionTimeoutMs(groupId);
      for (const { memberId, sessionKey, current, metadata } of group.members.values()) {
        timers.renewSession(sessionKey, sessionTimeoutMs);
        if (current.state !== MEMBER_STATE.Unrevoked) continue;
        timers.setRebalance(groupId, memberId, current.memberEpoch, metadata.rebalanceTimeoutMs);
      }
    }
  }

  heartbeat(question: Question, request: ConsumerGroupHeartbeatRequest): Decision<GroupRecord> {
    return this.#heartbeat.heartbeat(question, request);
  }

  describe(question: Question, request: ConsumerGroupDescribeRequest): Decision<GroupRecord> {
    const { groups, environment, config } = this.#parts;
    return answered(question.token, describeConsumerGroups(groups, environment.topics, config.consumer.assignors[0] ?? '', request));
  }

  onTimer(key: string): Decision<GroupRecord> {
    const { timer, groupId } = parseConsumerTimer(key);
    if (timer !== 'regex') return this.#parts.exit.onTimer(key);
    const outcome = new Outcome();
    this.#parts.regex.onTimer(groupId, this.#parts.groups.consumer(groupId), outcome.records);
    // More topics than a record can name: the regular expression stays without any.
    return isTooLarge(outcome.records, this.#parts.environment) ? nothing() : outcome;
  }
}
