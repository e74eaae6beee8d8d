// Records of changes that change nothing yet: whoever decides fills in what they are about.
// Pure.
import type { MetadataRecord } from './metadata-records.ts';

/** In PARTITION_CHANGE: the recovery state stays what it is. */
const NO_RECOVERY_CHANGE = -1;

export type PartitionChangeRecord = Extract<MetadataRecord, { type: 'PartitionChangeRecord' }>;

/** A change of nothing: every field says that its part stays as it is. */
export function partitionChange(topicId: string, partitionId: number): PartitionChangeRecord {
  return {
    type: 'PartitionChangeRecord',
    partitionId,
    topicId,
    isr: null,
    leader: -2,
    replicas: null,
    removingReplicas: null,
    addingReplicas: null,
    leaderRecoveryState: NO_RECOVERY_CHANGE,
    directories: null,
    eligibleLeaderReplicas: null,
    lastKnownElr: null,
  };
}

/** A change of a registration: what is not named stays as it is. */
export function registrationChange(
  brokerId: number,
  brokerEpoch: number,
  change: { fenced?: number; logDirs?: string[]; cordonedLogDirs?: string[] },
): MetadataRecord {
  return {
    type: 'BrokerRegistrationChangeRecord',
    brokerId,
    brokerEpoch,
    fenced: 0,
    inControlledShutdown: 0,
    logDirs: [],
    cordonedLogDirs: null,
    ...change,
  };
}
