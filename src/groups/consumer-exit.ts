// Members that are out of a consumer group: they left, were not heard from, or did not do in time what they were told.
// Pure.
import type { Decision } from '../coordinator/shard.ts';
import { nothing } from '../coordinator/shard.ts';
import type { ConsumerGroup } from './consumer-group.ts';
import type { ConsumerMember } from './consumer-member.ts';
import type { ConsumerRebalance } from './consumer-rebalance.ts';
import type { ConsumerTimers } from './consumer-timers.ts';
import { parseConsumerTimer } from './consumer-timers.ts';
import type { GroupRecord } from './group-records.ts';
import type { GroupStore } from './group-store.ts';
import { Outcome } from './outcome.ts';
import type { ProtocolMigration } from './protocol-migration.ts';

export class ConsumerExit {
  readonly #groups: GroupStore<ConsumerGroup>;
  readonly #timers: ConsumerTimers;
  readonly #rebalance: ConsumerRebalance;
  readonly #migration: ProtocolMigration;

  constructor(groups: GroupStore<ConsumerGroup>, timers: ConsumerTimers, rebalance: ConsumerRebalance, migration: ProtocolMigration) {
    this.#groups = groups;
    this.#timers = timers;
    this.#rebalance = rebalance;
    this.#migration = migration;
  }

  /**
   * Takes the members out. Where only classic members remain, the group becomes a classic one. False: that is more than can be written at
   * once, and nothing is done.
   */
  remove(group: ConsumerGroup, members: readonly ConsumerMember[], records: GroupRecord[]): boolean {
    if (members.length === 0) return true;
    if (this.#migration.isDowngrade(group, members) && this.#migration.downgrade(group, members, null, true, records)) return true;
    return this.#rebalance.removeMembers(group, members, records);
  }

  /** A timer of a member fired. What it was set for may be long past. */
  onTimer(key: string): Decision<GroupRecord> {
    const { timer, groupId, memberId } = parseConsumerTimer(key);
    const epochToLeave = timer === 'rebalance' ? this.#timers.takeRebalance(key) : undefined;
    if (timer === 'join') this.#timers.joinFired(key);
    const group = this.#groups.consumer(groupId);
    const member = group?.members.get(memberId);
    if (group === undefined || member === undefined) return nothing();
    if (timer === 'rebalance' && member.memberEpoch !== epochToLeave) return nothing();
    const outcome = new Outcome();
    this.remove(group, [member], outcome.records);
    return outcome;
  }
}
