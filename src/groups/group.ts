// What offsets, expiry and the administrator's requests ask of a group, whatever its protocol.
// Pure (types only).
import type { GroupRecord } from './group-records.ts';
import type { OffsetCommitValue } from './record-tables.ts';

/**
 * Whether a commit to one partition is allowed: an error code. For commits that are checked partition by partition, as those of a member
 * with an older epoch are (KIP-1251).
 */
export type PartitionCheck = (topicName: string, topicId: string, partition: number) => number;

export interface Group {
  readonly groupId: string;
  readonly type: 'classic' | 'consumer';
  /** As ListGroups tells it: "Stable", "Empty", … */
  readonly stateName: string;
  /** As ListGroups tells it; empty for a group that only commits offsets. */
  readonly protocolTypeName: string;
  /** Without members. */
  isEmpty(): boolean;
  /** An error code for the whole commit (0: none), or the check that each partition must pass. */
  checkOffsetCommit(memberId: string, instanceId: string | null, generationOrEpoch: number, apiVersion: number): number | PartitionCheck;
  /** An error code. Member id null and epoch -1: from no member. */
  checkOffsetFetch(memberId: string | null, memberEpoch: number): number;
  checkOffsetDelete(): number;
  checkDelete(): number;
  isSubscribedTo(topicName: string): boolean;
  /** From when the retention of an offset counts, in wall-clock milliseconds; null: the group's offsets do not expire now. */
  expiryBaseMs(): ((commit: OffsetCommitValue) => number) | null;
  /** The records that remove the group, its offsets aside. */
  tombstones(): GroupRecord[];
}
