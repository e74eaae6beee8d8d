// A member of a consumer group as its records have it. Members are not changed but replaced.
// Pure.
import { isSamePartitions, NO_PARTITIONS } from './assignment.ts';
import { consumerTimerKey } from './consumer-timers.ts';
import { type CurrentAssignment, MEMBER_STATE } from './reconciliation.ts';
import type { ConsumerGroupMemberMetadataValue } from './record-tables.ts';

/** What the member says of itself. Topic names are sorted, each once; a regular expression that is empty is none. */
export type MemberMetadata = Readonly<ConsumerGroupMemberMetadataValue>;

/** Epoch of a member whose tombstone is under way, and of a request to leave. */
export const LEAVE_EPOCH = -1;
/** Epoch of a static member that has gone and may come back, and of its request. */
export const STATIC_LEAVE_EPOCH = -2;
/** Epoch of a request to join. */
export const JOIN_EPOCH = 0;

export const NEW_METADATA: MemberMetadata = {
  instanceId: null,
  rackId: null,
  clientId: '',
  clientHost: '',
  subscribedTopicNames: [],
  subscribedTopicRegex: '',
  rebalanceTimeoutMs: -1,
  serverAssignor: null,
  classicMemberMetadata: null,
};

const NEW_CURRENT: CurrentAssignment = {
  memberEpoch: JOIN_EPOCH,
  previousMemberEpoch: -1,
  state: MEMBER_STATE.Stable,
  assigned: NO_PARTITIONS,
  pendingRevocation: NO_PARTITIONS,
};

export class ConsumerMember {
  readonly groupId: string;
  readonly memberId: string;
  readonly metadata: MemberMetadata;
  readonly current: CurrentAssignment;
  /** Key of the session timer: made once, since each heartbeat needs it. */
  readonly sessionKey: string;

  constructor(groupId: string, memberId: string, metadata = NEW_METADATA, current = NEW_CURRENT, sessionKey?: string) {
    this.groupId = groupId;
    this.memberId = memberId;
    this.metadata = metadata;
    this.current = current;
    this.sessionKey = sessionKey ?? consumerTimerKey('session', groupId, memberId);
  }

  withMetadata(metadata: MemberMetadata): ConsumerMember {
    return new ConsumerMember(this.groupId, this.memberId, metadata, this.current, this.sessionKey);
  }

  withCurrent(current: CurrentAssignment): ConsumerMember {
    return new ConsumerMember(this.groupId, this.memberId, this.metadata, current, this.sessionKey);
  }

  /** The same member under another id, at the epoch of one that joins. */
  renamed(memberId: string): ConsumerMember {
    return new ConsumerMember(this.groupId, memberId, this.metadata, { ...this.current, memberEpoch: 0, previousMemberEpoch: 0 });
  }

  get memberEpoch(): number {
    return this.current.memberEpoch;
  }

  get instanceId(): string | null {
    return this.metadata.instanceId;
  }

  /** Null: none. */
  get regex(): string | null {
    return regexOf(this.metadata);
  }

  get usesClassicProtocol(): boolean {
    return this.metadata.classicMemberMetadata !== null;
  }

  isReconciledTo(epoch: number): boolean {
    return this.current.state === MEMBER_STATE.Stable && this.current.memberEpoch === epoch;
  }
}

export function regexOf({ subscribedTopicRegex }: MemberMetadata): string | null {
  return subscribedTopicRegex === '' ? null : subscribedTopicRegex;
}

/** Sorted, each once; the same array where it is so already. */
export function distinctNames(names: readonly string[]): string[] {
  for (let i = 1; i < names.length; i++) if ((names[i - 1] as string) >= (names[i] as string)) return [...new Set(names)].sort();
  return names as string[];
}

export function isSameNames(a: readonly string[], b: readonly string[]): boolean {
  return a === b || (a.length === b.length && a.every((name, index) => name === b[index]));
}

export function isSameMetadata(a: MemberMetadata, b: MemberMetadata): boolean {
  if (a === b) return true;
  return (
    a.instanceId === b.instanceId &&
    a.rackId === b.rackId &&
    a.clientId === b.clientId &&
    a.clientHost === b.clientHost &&
    a.subscribedTopicRegex === b.subscribedTopicRegex &&
    a.rebalanceTimeoutMs === b.rebalanceTimeoutMs &&
    a.serverAssignor === b.serverAssignor &&
    isSameNames(a.subscribedTopicNames, b.subscribedTopicNames) &&
    isSameClassic(a.classicMemberMetadata, b.classicMemberMetadata)
  );
}

type ClassicMetadata = MemberMetadata['classicMemberMetadata'];

function isSameClassic(a: ClassicMetadata, b: ClassicMetadata): boolean {
  if (a === null || b === null) return a === b;
  if (a.sessionTimeoutMs !== b.sessionTimeoutMs || a.supportedProtocols.length !== b.supportedProtocols.length) return false;
  return a.supportedProtocols.every(({ name, metadata }, index) => {
    const other = b.supportedProtocols[index];
    return other !== undefined && other.name === name && Buffer.compare(other.metadata, metadata) === 0;
  });
}

export function isSameCurrent(a: CurrentAssignment, b: CurrentAssignment): boolean {
  if (a === b) return true;
  return (
    a.memberEpoch === b.memberEpoch &&
    a.previousMemberEpoch === b.previousMemberEpoch &&
    a.state === b.state &&
    isSamePartitions(a.assigned, b.assigned) &&
    isSamePartitions(a.pendingRevocation, b.pendingRevocation)
  );
}
