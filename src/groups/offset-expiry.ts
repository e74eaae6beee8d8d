// Which offsets go without anybody asking: those whose retention has passed, those of topics that are deleted; and with its last offset, an
// empty group.
// Pure. Source: KIP-211 (retention counts from when the group became empty), KIP-496 (topics that a group no longer subscribes).
import { ZERO_UUID } from '../base/uuid.ts';
import type { Decision, ShardEnvironment } from '../coordinator/shard.ts';
import { nothing } from '../coordinator/shard.ts';
import type { Group } from './group.ts';
import type { GroupConfig } from './group-config.ts';
import type { GroupRecord } from './group-records.ts';
import type { GroupStore } from './group-store.ts';
import type { OffsetStore, TopicOffsets } from './offset-store.ts';
import type { OffsetCommitValue } from './record-tables.ts';

export const EXPIRY_TIMER = 'offsets/expiry';

/** A check that finds more than this many records to write goes on a little later, so that requests are not kept waiting. */
const RECORDS_MAX = 10_000;
const CONTINUE_MS = 50;
const NONE_GIVEN = -1;

export class OffsetExpiry {
  readonly #environment: ShardEnvironment;
  readonly #config: GroupConfig;
  readonly #groups: GroupStore;
  readonly #offsets: OffsetStore;

  constructor(environment: ShardEnvironment, config: GroupConfig, groups: GroupStore, offsets: OffsetStore) {
    this.#environment = environment;
    this.#config = config;
    this.#groups = groups;
    this.#offsets = offsets;
  }

  start(): void {
    this.#environment.timers.set(EXPIRY_TIMER, this.#config.offsetsRetentionCheckIntervalMs);
  }

  onTimer(): Decision<GroupRecord> {
    const records: GroupRecord[] = [];
    let isDone = true;
    for (const group of this.#groups.values()) {
      if (records.length >= RECORDS_MAX) {
        isDone = false;
        break;
      }
      const hasOffsetsLeft = this.#expire(group, records);
      if (hasOffsetsLeft || !group.isEmpty()) continue;
      for (const record of group.tombstones()) records.push(record);
    }
    this.#environment.timers.set(EXPIRY_TIMER, isDone ? this.#config.offsetsRetentionCheckIntervalMs : CONTINUE_MS);
    return records.length === 0 ? nothing() : { records, answers: [], isDivisible: true };
  }

  /** Adds tombstones of the offsets that have expired; whether others are left. */
  #expire(group: Group, records: GroupRecord[]): boolean {
    const offsets = this.#offsets.ofGroup(group.groupId);
    if (offsets === undefined) return false;
    const baseMs = group.expiryBaseMs();
    if (baseMs === null) return true;
    const nowMs = this.#environment.wallMs();
    let isOneLeft = false;
    for (const [topicName, partitions] of offsets) {
      const isSubscribed = group.isSubscribedTo(topicName);
      for (const [partition, commit] of partitions) {
        if (!isSubscribed && this.#isExpired(commit, baseMs, nowMs)) {
          records.push(offsetTombstone(group.groupId, topicName, partition));
        } else {
          isOneLeft = true;
          if (isSubscribed) break;
        }
      }
    }
    return isOneLeft;
  }

  #isExpired(commit: OffsetCommitValue, baseMs: (commit: OffsetCommitValue) => number, nowMs: number): boolean {
    if (commit.expireTimestamp !== NONE_GIVEN) return nowMs >= commit.expireTimestamp;
    return nowMs - baseMs(commit) >= this.#config.offsetsRetentionMs;
  }

  onTopicsDeleted(deleted: readonly { readonly name: string; readonly topicId: string }[]): Decision<GroupRecord> {
    if (deleted.length === 0) return nothing();
    const records: GroupRecord[] = [];
    for (const [groupId, offsets] of this.#offsets.groups()) {
      for (const { name, topicId } of deleted) {
        for (const [partition, commit] of offsets.get(name) ?? []) {
          // A topic may have come back under its name, with commits of its own by now.
          const isOfIt = commit.topicId === ZERO_UUID || commit.topicId === topicId;
          if (isOfIt) records.push(offsetTombstone(groupId, name, partition));
        }
      }
    }
    return { records, answers: [], isDivisible: true };
  }
}

export function offsetTombstone(group: string, topic: string, partition: number): GroupRecord {
  return { type: 'OffsetCommit', key: { group, topic, partition }, value: null };
}

/** Adds the tombstones of all offsets of the group. */
export function addOffsetTombstones(groupId: string, offsets: TopicOffsets | undefined, records: GroupRecord[]): void {
  for (const [topicName, partitions] of offsets ?? []) {
    for (const partition of partitions.keys()) records.push(offsetTombstone(groupId, topicName, partition));
  }
}
