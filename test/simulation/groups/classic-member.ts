// A member of the classic protocol, which lets go of everything before it joins again. As leader it deals partitions out in turn.

import { readAssignment, writeAssignment, writeSubscription } from '../../../src/groups/consumer-protocol.ts';
import { heartbeatRequest, heartbeatResponse } from '../../../src/protocol/apis/heartbeat.ts';
import { type JoinGroupResponse, joinGroupRequest, joinGroupResponse } from '../../../src/protocol/apis/join-group.ts';
import { leaveGroupRequest, leaveGroupResponse } from '../../../src/protocol/apis/leave-group.ts';
import { syncGroupRequest, syncGroupResponse } from '../../../src/protocol/apis/sync-group.ts';
import { ERROR } from '../../../src/protocol/errors.ts';
import type { ClientConnection } from '../broker/client-connection.ts';
import { Violation } from '../broker/violation.ts';
import { HEARTBEAT_MS, Member, REBALANCE_MS, SESSION_MS, TOPIC } from './member.ts';

const JOIN_VERSIONS = [3, 5, 9];
const STATIC_SINCE = 5;
const PROTOCOL = { protocolType: 'consumer', protocolName: 'range' };
const SUBSCRIPTION = { topics: [TOPIC], userData: null, ownedPartitions: [], generationId: -1, rackId: null };
/** Of a commit. Stale: in a group of the new protocol. Not found: a power loss has taken the group. */
const REFUSALS: ReadonlySet<number> = new Set([
  ERROR.ILLEGAL_GENERATION,
  ERROR.UNKNOWN_MEMBER_ID,
  ERROR.REBALANCE_IN_PROGRESS,
  ERROR.STALE_MEMBER_EPOCH,
  ERROR.FENCED_INSTANCE_ID,
  ERROR.GROUP_ID_NOT_FOUND,
]);

export class ClassicMember extends Member {
  #memberId = '';
  #generationId = -1;
  /** It has what its SyncGroup gave it, and reports. */
  #isStable = false;
  readonly #draw = this.below(JOIN_VERSIONS.length);

  override get isSettled(): boolean {
    return this.#isStable && !this.isAsking;
  }

  protected override identity(): { memberId: string; generationIdOrMemberEpoch: number } {
    return { memberId: this.#memberId, generationIdOrMemberEpoch: this.#generationId };
  }

  protected override onRefused(code: number): void {
    if (!REFUSALS.has(code)) throw this.unexpected('OffsetCommit', code); // The heartbeat hears of it, too.
  }

  protected override onCut(): void {
    // What a JoinGroup or SyncGroup would have brought is lost: it begins again, as who it is.
    if (!this.#isStable) this.#generationId = -1;
  }

  protected override sayGoodbye(connection: ClientConnection): void {
    const { groupId } = this.ledger;
    const members = [{ memberId: this.#memberId, groupInstanceId: this.instanceId, reason: 'done' }];
    connection.ask(leaveGroupRequest, leaveGroupResponse, 5, { groupId, members }, () => connection.reset());
  }

  protected override report(): void {
    if (this.#isStable) this.#heartbeat();
    else this.#join();
  }

  #rejoin(): void {
    this.ledger.counts.rejoins++;
    this.letGoOfAll();
    this.#isStable = false;
    this.nextReportMs = this.nowMs + this.below(HEARTBEAT_MS);
  }

  /** Errors of all its requests; false where it is none of them. */
  #takeError(code: number): boolean {
    if (this.isLater(code)) this.nextReportMs = this.nowMs + 5 + this.below(20);
    else if (code === ERROR.UNKNOWN_MEMBER_ID || (code === ERROR.FENCED_INSTANCE_ID && !this.isCurrent)) {
      // Fenced after a power loss: the coordinator knows the member before it, of the same instance.
      this.#memberId = '';
      this.#rejoin();
    } else if (code === ERROR.ILLEGAL_GENERATION || code === ERROR.REBALANCE_IN_PROGRESS) this.#rejoin();
    else return false;
    return true;
  }

  #join(): void {
    const version = this.instanceId === null ? (JOIN_VERSIONS[this.#draw] ?? 9) : STATIC_SINCE + this.#draw * 2;
    const request = {
      groupId: this.ledger.groupId,
      sessionTimeoutMs: SESSION_MS,
      rebalanceTimeoutMs: REBALANCE_MS,
      memberId: this.#memberId,
      ...(version >= STATIC_SINCE ? { groupInstanceId: this.instanceId } : {}),
      protocolType: PROTOCOL.protocolType,
      protocols: [{ name: PROTOCOL.protocolName, metadata: writeSubscription(SUBSCRIPTION, 1) }],
    };
    this.ask(joinGroupRequest, joinGroupResponse, version, request, (answer) => {
      if (answer.errorCode === ERROR.MEMBER_ID_REQUIRED) {
        this.#memberId = answer.memberId;
      } else if (answer.errorCode === ERROR.NONE) {
        this.#memberId = answer.memberId;
        this.#generationId = answer.generationId;
        this.#sync(answer);
      } else if (!this.#takeError(answer.errorCode)) throw this.unexpected('JoinGroup', answer.errorCode);
    });
  }

  #sync({ leader, members, skipAssignment }: JoinGroupResponse): void {
    const generationId = this.#generationId;
    const isLeader = leader === this.#memberId && !skipAssignment;
    const assignments = isLeader
      ? deal(
          members.map(({ memberId }) => memberId),
          this.ledger.partitionCount,
        )
      : [];
    const request = {
      groupId: this.ledger.groupId,
      generationId,
      memberId: this.#memberId,
      groupInstanceId: this.instanceId,
      ...PROTOCOL,
      assignments,
    };
    this.ask(syncGroupRequest, syncGroupResponse, 5, request, (answer) => {
      if (answer.errorCode === ERROR.NONE) {
        // In a stable group neither of the two renews the session.
        this.isTold();
        this.#isStable = true;
        const assignment = readAssignment(answer.assignment);
        if (assignment === null) throw new Violation(`${this.ledger.groupId}: ${this.name} cannot read its assignment`);
        for (const { topic, partitions } of assignment.assignedPartitions) {
          if (topic === TOPIC) for (const partition of partitions) this.give(partition, generationId);
        }
        this.nextReportMs = this.nowMs + HEARTBEAT_MS;
      } else if (!this.#takeError(answer.errorCode)) throw this.unexpected('SyncGroup', answer.errorCode);
    });
  }

  #heartbeat(): void {
    const request = {
      groupId: this.ledger.groupId,
      generationId: this.#generationId,
      memberId: this.#memberId,
      groupInstanceId: this.instanceId,
    };
    this.nextReportMs = this.nowMs + HEARTBEAT_MS;
    this.ask(heartbeatRequest, heartbeatResponse, 4, request, ({ errorCode }, sentAtMs) => {
      if (errorCode === ERROR.NONE) this.heard(sentAtMs);
      else if (!this.#takeError(errorCode)) throw this.unexpected('Heartbeat', errorCode);
    });
  }
}

/** Partitions in turn, to members by their ids. */
function deal(memberIds: readonly string[], partitionCount: number): { memberId: string; assignment: Uint8Array }[] {
  const sorted = [...memberIds].sort();
  return sorted.map((memberId, index) => {
    const partitions = Array.from({ length: partitionCount }, (_, partition) => partition).filter((each) => each % sorted.length === index);
    return { memberId, assignment: writeAssignment([{ topic: TOPIC, partitions }], 1) };
  });
}
