// A group of the classic protocol: its members, the generation they are in, and the round that leads to the next.
// `committed` is what the log holds, and changes in replay alone. All else is the coordinator's knowledge of a round under way, which dies
// with it: a group that is loaded is Stable or Empty, as its record says.
// Invariants: in Stable and Empty the generation is the committed one, and Stable's members are the committed members; the leader, where
// there is one, is a member; `staticMemberIds` holds just the members with an instance id; in PreparingRebalance no SyncGroup waits, in
// Stable no question waits.
// Pure. Not here: which request leads to which state (classic-rounds.ts, classic-membership.ts).
import { ERROR } from '../protocol/errors.ts';
import { type ClassicMember, type ClassicProtocol, NO_TOKEN } from './classic-member.ts';
import type { Group } from './group.ts';
import type { GroupRecord } from './group-records.ts';
import type { GroupMetadataValue, OffsetCommitValue } from './record-tables.ts';
import { CONSUMER_PROTOCOL_TYPE, subscribedTopics } from './subscription.ts';

export type ClassicState = 'Empty' | 'PreparingRebalance' | 'CompletingRebalance' | 'Stable';

export class ClassicGroup implements Group {
  readonly type = 'classic';
  readonly groupId: string;
  /** Value of the group's record; null where it has none, as a group that only commits offsets. */
  committed: GroupMetadataValue | null = null;
  state: ClassicState = 'Empty';
  /** PreparingRebalance was entered from Empty: the first round waits for members to come, however many have joined. */
  isFirstRound = false;
  /** Wall-clock milliseconds when `state` was entered; -1: not known. */
  stateSinceMs = -1;
  protocolType: string | null = null;
  protocolName: string | null = null;
  generationId = 0;
  leaderId: string | null = null;
  readonly members = new Map<string, ClassicMember>();
  readonly staticMemberIds = new Map<string, string>();
  /** Ids that were given out and have not come back yet (KIP-394). */
  readonly pendingJoins = new Set<string>();
  /** Members of this generation that have not asked for their assignment. */
  readonly pendingSyncs = new Set<string>();
  /** How long the first round still waits after the wait under way, which takes `delayMs`. */
  firstRound: { readonly delayMs: number; readonly remainingMs: number } | null = null;
  /** Somebody joined during the wait under way: it is prolonged. */
  isMemberAdded = false;
  #awaitingJoinCount = 0;
  /** How many members know a protocol, by name. */
  readonly #supporters = new Map<string, number>();
  /** What the members of this generation subscribed; read when somebody asks. */
  #subscriptions: readonly Uint8Array[] | null = null;
  #topics: ReadonlySet<string> | null = null;

  constructor(groupId: string) {
    this.groupId = groupId;
  }

  get stateName(): ClassicState {
    return this.state;
  }

  get protocolTypeName(): string {
    return this.protocolType ?? '';
  }

  get awaitingJoinCount(): number {
    return this.#awaitingJoinCount;
  }

  isEmpty(): boolean {
    return this.state === 'Empty';
  }

  get usesConsumerProtocol(): boolean {
    return this.protocolType === CONSUMER_PROTOCOL_TYPE;
  }

  enter(state: ClassicState, nowMs: number): void {
    this.isFirstRound = state === 'PreparingRebalance' && this.state === 'Empty';
    this.state = state;
    this.stateSinceMs = nowMs;
  }

  isLeader(memberId: string): boolean {
    return this.leaderId === memberId;
  }

  // Members.

  /** The member knows a protocol that all others know (`supports`), and nobody has its id or instance id. */
  add(member: ClassicMember, protocolType: string): void {
    if (this.members.size === 0) this.protocolType = protocolType;
    this.leaderId ??= member.memberId;
    this.members.set(member.memberId, member);
    if (member.instanceId !== null) this.staticMemberIds.set(member.instanceId, member.memberId);
    this.#count(member, 1);
    if (member.isAwaitingJoin) this.#awaitingJoinCount++;
    this.pendingJoins.delete(member.memberId);
  }

  /** Takes a member or a pending id out. Questions of the member are answered before. */
  remove(memberId: string): void {
    const member = this.members.get(memberId);
    if (member !== undefined) {
      this.members.delete(memberId);
      this.#count(member, -1);
      if (member.isAwaitingJoin) this.#awaitingJoinCount--;
      if (member.instanceId !== null) this.staticMemberIds.delete(member.instanceId);
    }
    if (this.leaderId === memberId) this.leaderId = this.members.keys().next().value ?? null;
    this.pendingJoins.delete(memberId);
    this.pendingSyncs.delete(memberId);
  }

  /** `next` takes the place of `old`, which has the same instance id, in all that the group knows of it. */
  replaceStatic(old: ClassicMember, next: ClassicMember): void {
    const wasLeader = this.leaderId === old.memberId;
    const wasPendingSync = this.pendingSyncs.has(old.memberId);
    this.remove(old.memberId);
    this.add(next, this.protocolType ?? '');
    if (wasLeader) this.leaderId = next.memberId;
    if (wasPendingSync) this.pendingSyncs.add(next.memberId);
  }

  update(member: ClassicMember, protocols: readonly ClassicProtocol[], rebalanceTimeoutMs: number, sessionTimeoutMs: number): void {
    this.#count(member, -1);
    member.protocols = protocols;
    this.#count(member, 1);
    member.rebalanceTimeoutMs = rebalanceTimeoutMs;
    member.sessionTimeoutMs = sessionTimeoutMs;
  }

  awaitJoin(member: ClassicMember, token: number, apiVersion: number): void {
    if (!member.isAwaitingJoin) this.#awaitingJoinCount++;
    member.joinToken = token;
    member.joinVersion = apiVersion;
  }

  /** Gives the token of the JoinGroup that waited. */
  takeJoin(member: ClassicMember): number {
    const token = member.joinToken;
    if (token !== NO_TOKEN) this.#awaitingJoinCount--;
    member.joinToken = NO_TOKEN;
    return token;
  }

  hasAllJoined(): boolean {
    return this.members.size === this.#awaitingJoinCount && this.pendingJoins.size === 0;
  }

  /** The longest of the members': how long a round may take. */
  rebalanceTimeoutMs(): number {
    let longest = 0;
    for (const member of this.members.values()) longest = Math.max(longest, member.rebalanceTimeoutMs);
    return longest;
  }

  /** A leader that has not joined hands over to a member that has. False: nobody has joined. */
  electJoinedLeader(): boolean {
    const leader = this.leaderId === null ? undefined : this.members.get(this.leaderId);
    if (leader === undefined) return false;
    if (leader.isAwaitingJoin) return true;
    if (this.#awaitingJoinCount === 0) return false;
    for (const member of this.members.values()) {
      if (!member.isAwaitingJoin) continue;
      this.leaderId = member.memberId;
      return true;
    }
    return false;
  }

  /** An error code: whether a request of this member id and instance id comes from a member. */
  checkMember(memberId: string, instanceId: string | null): number {
    if (instanceId !== null) {
      const known = this.staticMemberIds.get(instanceId);
      if (known === undefined) return ERROR.UNKNOWN_MEMBER_ID;
      if (known !== memberId) return ERROR.FENCED_INSTANCE_ID;
    }
    return this.members.has(memberId) ? ERROR.NONE : ERROR.UNKNOWN_MEMBER_ID;
  }

  // Protocols.

  #count(member: ClassicMember, by: 1 | -1): void {
    for (const { name } of member.protocols) {
      const count = (this.#supporters.get(name) ?? 0) + by;
      if (count === 0) this.#supporters.delete(name);
      else this.#supporters.set(name, count);
    }
  }

  /** Whether a member with these protocols can be in the group: all others know one of them. */
  supports(protocolType: string, protocols: readonly ClassicProtocol[]): boolean {
    if (this.state === 'Empty') return protocolType !== '' && protocols.length > 0;
    if (this.protocolType !== protocolType) return false;
    return protocols.some(({ name }) => (this.#supporters.get(name) ?? 0) === this.members.size);
  }

  /** Each member votes for its favourite of the protocols that all know; most votes win, the first of equals. Null: they share none. */
  selectProtocol(): string | null {
    const votes = new Map<string, number>();
    for (const member of this.members.values()) {
      const favourite = member.protocols.find(({ name }) => this.#supporters.get(name) === this.members.size);
      if (favourite !== undefined) votes.set(favourite.name, (votes.get(favourite.name) ?? 0) + 1);
    }
    let chosen: string | null = null;
    let most = 0;
    for (const [name, count] of votes) {
      if (count <= most) continue;
      chosen = name;
      most = count;
    }
    return chosen;
  }

  /** Notes what the generation's members subscribe, which decides about expiry until the next generation. */
  noteSubscriptions(): void {
    this.#topics = null;
    this.#subscriptions = this.usesConsumerProtocol ? [...this.members.values()].map((member) => member.metadata(this.protocolName)) : null;
  }

  /** Null: not known, as the members do not use the consumers' embedded protocol or wrote it wrongly. */
  #subscribedTopics(): ReadonlySet<string> | null {
    if (this.#topics === null && this.#subscriptions !== null) {
      this.#topics = subscribedTopics(this.#subscriptions);
      this.#subscriptions = null;
    }
    return this.#topics;
  }

  // Group.

  checkOffsetCommit(memberId: string, instanceId: string | null, generationId: number): number {
    // From an administrator, or a consumer that is its own group: as long as nobody else is in it.
    if (generationId < 0 && this.state === 'Empty') return ERROR.NONE;
    if (generationId < 0 && memberId === '' && instanceId === null) return ERROR.UNKNOWN_MEMBER_ID;
    const error = this.checkMember(memberId, instanceId);
    if (error !== ERROR.NONE) return error;
    if (generationId !== this.generationId) return ERROR.ILLEGAL_GENERATION;
    return this.state === 'CompletingRebalance' ? ERROR.REBALANCE_IN_PROGRESS : ERROR.NONE;
  }

  checkOffsetFetch(): number {
    return ERROR.NONE;
  }

  checkOffsetDelete(): number {
    return this.state === 'Empty' || this.usesConsumerProtocol ? ERROR.NONE : ERROR.NON_EMPTY_GROUP;
  }

  checkDelete(): number {
    return this.state === 'Empty' ? ERROR.NONE : ERROR.NON_EMPTY_GROUP;
  }

  /** Consumers whose subscriptions cannot be read count as subscribed to everything. */
  isSubscribedTo(topicName: string): boolean {
    return this.#subscribedTopics()?.has(topicName) ?? this.usesConsumerProtocol;
  }

  expiryBaseMs(): ((commit: OffsetCommitValue) => number) | null {
    if (this.protocolType === null) return commitTimestamp;
    if (this.state === 'Empty') return this.stateSinceMs === -1 ? commitTimestamp : () => this.stateSinceMs;
    return this.state === 'Stable' && this.#subscribedTopics() !== null ? commitTimestamp : null;
  }

  tombstones(): GroupRecord[] {
    return [{ type: 'GroupMetadata', key: { group: this.groupId }, value: null }];
  }
}

function commitTimestamp(commit: OffsetCommitValue): number {
  return commit.commitTimestamp;
}
