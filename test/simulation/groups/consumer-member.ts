// A member of the new protocol: it reports what it has, is told what it should have, and lets go of the rest with a later report.
import {
  type ConsumerGroupHeartbeatResponse,
  consumerGroupHeartbeatRequest,
  consumerGroupHeartbeatResponse,
} from '../../../src/protocol/apis/consumer-group-heartbeat.ts';
import { ERROR } from '../../../src/protocol/errors.ts';
import type { ClientConnection } from '../broker/client-connection.ts';
import { Violation } from '../broker/violation.ts';
import { HEARTBEAT_MS, Member, REBALANCE_MS, TOPIC } from './member.ts';

const LEAVES = -1;
const LEAVES_FOR_A_WHILE = -2;
const RETRY_MS = 20;
/** Of a commit; the last where a power loss has taken the group. */
const REFUSALS: ReadonlySet<number> = new Set([
  ERROR.STALE_MEMBER_EPOCH,
  ERROR.UNKNOWN_MEMBER_ID,
  ERROR.ILLEGAL_GENERATION,
  ERROR.FENCED_INSTANCE_ID,
  ERROR.GROUP_ID_NOT_FOUND,
]);

export class ConsumerMember extends Member {
  #memberEpoch = 0;
  /** What it should have, as it was told last; null: what it has. */
  #target: ReadonlySet<number> | null = null;
  /** When the report was sent that was answered with something to let go of. */
  #revokingSinceMs = Number.POSITIVE_INFINITY;
  /** The next report says everything, as the first one does and the one after a lost connection. */
  #tellsAll = true;
  readonly #memberId: string;
  readonly #usesRegex = this.below(3) === 0;

  constructor(...args: ConstructorParameters<typeof Member>) {
    super(...args);
    this.#memberId = `${this.name}-id`;
  }

  override get isSettled(): boolean {
    return this.#memberEpoch > 0 && !this.isAsking && this.#target === null;
  }

  override get safeUntilMs(): number {
    return Math.min(super.safeUntilMs, this.#revokingSinceMs + REBALANCE_MS);
  }

  protected override identity(): { memberId: string; generationIdOrMemberEpoch: number } {
    return { memberId: this.#memberId, generationIdOrMemberEpoch: this.#memberEpoch };
  }

  protected override onRefused(code: number): void {
    if (!REFUSALS.has(code)) throw this.unexpected('OffsetCommit', code);
    this.nextReportMs = this.nowMs;
  }

  protected override onCut(): void {
    this.#tellsAll = true;
  }

  protected override sayGoodbye(connection: ClientConnection): void {
    const isBack = this.instanceId !== null && this.below(2) === 0;
    const request = {
      groupId: this.ledger.groupId,
      memberId: this.#memberId,
      memberEpoch: isBack ? LEAVES_FOR_A_WHILE : LEAVES,
      instanceId: this.instanceId,
    };
    connection.ask(consumerGroupHeartbeatRequest, consumerGroupHeartbeatResponse, 1, request, () => connection.reset());
  }

  protected override report(): void {
    const target = this.#target;
    const hasLetGo = target !== null;
    if (target !== null) for (const partition of [...this.held.keys()]) if (!target.has(partition)) this.letGo(partition);
    this.#target = null;
    const tellsAll = this.#tellsAll || this.#memberEpoch === 0;
    const owned = { topicPartitions: this.held.size === 0 ? [] : [{ topicId: this.topicId, partitions: [...this.held.keys()] }] };
    const all = {
      instanceId: this.instanceId,
      rebalanceTimeoutMs: REBALANCE_MS,
      ...(this.#usesRegex ? { subscribedTopicRegex: 'w.rk' } : { subscribedTopicNames: [TOPIC] }),
      ...owned,
    };
    const request = {
      groupId: this.ledger.groupId,
      memberId: this.#memberId,
      memberEpoch: this.#memberEpoch,
      ...(tellsAll ? all : hasLetGo ? owned : {}),
    };
    this.#tellsAll = false;
    this.nextReportMs = this.nowMs + HEARTBEAT_MS;
    const hear = (answer: ConsumerGroupHeartbeatResponse, sentAtMs: number): void => {
      const { errorCode, memberEpoch, assignment } = answer;
      if (errorCode === ERROR.NONE) {
        this.heard(sentAtMs);
        this.#memberEpoch = memberEpoch;
        if (assignment !== null) this.#take(assignment.topicPartitions, sentAtMs);
        else if (hasLetGo || tellsAll) this.#revokingSinceMs = Number.POSITIVE_INFINITY;
      } else this.#takeError(errorCode, answer.errorMessage);
    };
    // Each answer may bring an assignment, which is told once.
    this.ask(consumerGroupHeartbeatRequest, consumerGroupHeartbeatResponse, 1, request, hear, true);
  }

  #take(topicPartitions: readonly { readonly topicId: string; readonly partitions: readonly number[] }[], sentAtMs: number): void {
    const target = new Set<number>();
    for (const { topicId, partitions } of topicPartitions) {
      if (topicId !== this.topicId) throw new Violation(`${this.ledger.groupId}: ${this.name} is given topic ${topicId}`);
      for (const partition of partitions) target.add(partition);
    }
    for (const partition of target) this.give(partition, this.#memberEpoch);
    const isRevoking = [...this.held.keys()].some((partition) => !target.has(partition));
    this.#revokingSinceMs = isRevoking ? Math.min(this.#revokingSinceMs, sentAtMs) : Number.POSITIVE_INFINITY;
    this.#target = target;
    this.nextReportMs = this.nowMs + this.below(RETRY_MS);
  }

  #takeError(code: number, message: string | null): void {
    this.#tellsAll = true;
    this.nextReportMs = this.nowMs + 5 + this.below(RETRY_MS);
    if (this.isLater(code) || code === ERROR.UNRELEASED_INSTANCE_ID) return;
    // Not found: given up while it hung, when only members of the classic protocol were left, it is asking after a group of theirs.
    const isOut = code === ERROR.UNKNOWN_MEMBER_ID || code === ERROR.FENCED_MEMBER_EPOCH || code === ERROR.GROUP_ID_NOT_FOUND;
    // After a power loss the coordinator knows the member before it, of the same instance.
    if (!isOut && (code !== ERROR.FENCED_INSTANCE_ID || this.isCurrent)) {
      throw new Violation(`${this.unexpected('ConsumerGroupHeartbeat', code).message} ${message}`);
    }
    this.ledger.counts.rejoins++;
    this.#memberEpoch = 0;
    this.#target = null;
    this.#revokingSinceMs = Number.POSITIVE_INFINITY;
    this.letGoOfAll();
  }
}
