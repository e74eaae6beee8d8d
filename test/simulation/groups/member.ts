// What members of both protocols do: they connect, hang, die and come back, lose their connection, say things twice, read what was
// committed for the partitions they got, and commit. How they join and report is their protocol's (classic-member.ts, consumer-member.ts).
import { offsetCommitRequest, offsetCommitResponse } from '../../../src/protocol/apis/offset-commit.ts';
import { offsetFetchRequest, offsetFetchResponse } from '../../../src/protocol/apis/offset-fetch.ts';
import { ERROR, errorName } from '../../../src/protocol/errors.ts';
import type { MessageOf, Table } from '../../../src/protocol/schema.ts';
import type { Sparse } from '../../support/messages.ts';
import type { ClientConnection } from '../broker/client-connection.ts';
import type { BrokerMachine } from '../broker/machine.ts';
import { Violation } from '../broker/violation.ts';
import type { GroupLedger, Holder } from './ledger.ts';

export const TOPIC = 'work';
export const SESSION_MS = 300;
export const REBALANCE_MS = 400;
export const HEARTBEAT_MS = 40;
const TICK_MS = 20;
const COMMIT_VERSION = 9;
const FETCH_VERSION = 8;
/** A JoinGroup waits for a round, and that for members that are gone. */
const WAIT_MS = 10 * REBALANCE_MS;

/** Errors that say: ask again later. */
const LATER: ReadonlySet<number> = new Set([ERROR.COORDINATOR_LOAD_IN_PROGRESS, ERROR.COORDINATOR_NOT_AVAILABLE, ERROR.NOT_COORDINATOR]);

export abstract class Member implements Holder {
  readonly name: string;
  readonly instanceId: string | null;
  readonly held = new Map<number, number>();
  /** Whether it does anything odd, or anything at all. */
  isWild = true;
  isGone = false;
  protected readonly machine: BrokerMachine;
  protected readonly ledger: GroupLedger;
  /** When the last report was sent that was answered with NONE. */
  protected lastHeardMs = Number.NEGATIVE_INFINITY;
  protected nextReportMs = 0;
  /** A request about membership is under way. */
  protected isAsking = false;
  protected topicId = '';
  #connection: ClientConnection | null = null;
  #hungUntilMs = 0;
  #heardInPower = -1;
  #powerCount = 0;
  #isReading = false;
  #isCommitting = false;
  /** What was read or committed last, of partitions that it has. */
  readonly #positions = new Map<number, number>();

  constructor(machine: BrokerMachine, ledger: GroupLedger, name: string, instanceId: string | null) {
    this.machine = machine;
    this.ledger = ledger;
    this.name = name;
    this.instanceId = instanceId;
    ledger.holders.add(this);
  }

  get safeUntilMs(): number {
    return this.lastHeardMs + Math.min(SESSION_MS, REBALANCE_MS);
  }

  get isCurrent(): boolean {
    return this.#heardInPower === this.#powerCount;
  }

  get isHung(): boolean {
    return this.#hungUntilMs > this.machine.simulation.time.nowMs;
  }

  /** Whether it is a member with nothing left to be told. */
  abstract get isSettled(): boolean;
  /** Sends what is due: a JoinGroup, a heartbeat. */
  protected abstract report(): void;
  /** Says goodbye. */
  protected abstract sayGoodbye(connection: ClientConnection): void;
  /** The connection is gone, with what was under way on it. */
  protected abstract onCut(): void;
  /** Who it is, for a commit. */
  protected abstract identity(): { memberId: string; generationIdOrMemberEpoch: number };
  /** A commit was refused for who it is. */
  protected abstract onRefused(code: number): void;

  start(topicId: string): void {
    this.topicId = topicId;
    this.#connection = null;
    this.isAsking = false;
    this.#isReading = false;
    this.#isCommitting = false;
    this.onCut();
    this.#tickLater(this.machine.bootCount);
  }

  losePower(): void {
    this.#powerCount++;
  }

  closeConnection(): void {
    this.#connection?.reset();
  }

  /** Dies without a word. */
  die(): void {
    this.isGone = true;
    this.#connection?.reset();
    this.ledger.holders.delete(this);
    this.ledger.counts.deaths++;
  }

  leave(): void {
    if (this.isAsking || this.#isCommitting || this.isHung) return;
    this.letGoOfAll();
    this.isGone = true;
    this.ledger.holders.delete(this);
    this.ledger.counts.leaves++;
    this.sayGoodbye(this.connection());
  }

  protected get nowMs(): number {
    return this.machine.simulation.time.nowMs;
  }

  protected below(bound: number): number {
    return this.machine.simulation.random.below(bound);
  }

  /** A report was answered, which has renewed the session when it came. */
  protected heard(sentAtMs: number): void {
    this.lastHeardMs = Math.max(this.lastHeardMs, sentAtMs);
    this.isTold();
  }

  /** It is a member, since the last power loss, too. */
  protected isTold(): void {
    this.#heardInPower = this.#powerCount;
  }

  protected give(partition: number, epoch: number): void {
    if (this.held.has(partition)) return;
    this.held.set(partition, epoch);
    this.ledger.checkGiven(this, partition, epoch, this.nowMs);
  }

  protected letGo(partition: number): void {
    this.held.delete(partition);
    this.#positions.delete(partition);
  }

  protected letGoOfAll(): void {
    this.held.clear();
    this.#positions.clear();
  }

  protected note(what: string): void {
    this.machine.simulation.note(`${this.ledger.groupId} ${this.name} ${what}`);
  }

  protected isLater(code: number): boolean {
    return LATER.has(code);
  }

  protected unexpected(what: string, code: number): Violation {
    return new Violation(`${this.ledger.groupId}, ${this.name}: ${what} is answered ${errorName(code)}`);
  }

  protected connection(): ClientConnection {
    if (this.#connection !== null) return this.#connection;
    const connection = this.machine.connect();
    this.#connection = connection;
    connection.onClosed = () => {
      if (this.#connection !== connection) return;
      this.#connection = null;
      this.isAsking = false;
      this.#isReading = false;
      this.#isCommitting = false;
      this.onCut();
    };
    return connection;
  }

  /** Asks about membership; sometimes twice, as where a message comes double. Of two answers the last counts, or both. */
  protected ask<Q extends Table, S extends Table>(
    request: Q,
    response: S,
    version: number,
    partial: Sparse<MessageOf<Q>>,
    onAnswer: (answer: MessageOf<S>, sentAtMs: number) => void,
    bothCount = false,
  ): void {
    const sentAtMs = this.nowMs;
    const isDouble = this.isWild && this.below(20) === 0;
    this.isAsking = true;
    for (let left = isDouble ? 1 : 0; left >= 0; left--) {
      if (left > 0) this.ledger.counts.doubled++;
      const hear = (answer: MessageOf<S>): void => {
        if (left > 0 && !bothCount) return;
        this.isAsking = left > 0;
        this.note(`${request.name}: ${JSON.stringify(answer)}`);
        // Of a member that hangs, answers lie in its socket; that it is slow to take them is the connection's part.
        if (!this.isGone) onAnswer(answer, sentAtMs);
      };
      this.connection().ask(request, response, version, partial, hear, WAIT_MS);
    }
  }

  #tickLater(boot: number): void {
    const { simulation } = this.machine;
    simulation.time.at(simulation.time.nowMs + simulation.draw(TICK_MS), () => {
      if (!this.machine.isUp || this.machine.bootCount !== boot || this.isGone) return;
      if (!this.machine.isStopping && !this.isHung) this.#tick();
      this.#tickLater(boot);
    });
  }

  #tick(): void {
    if (this.isWild) {
      const choice = this.below(200);
      if (choice === 0) {
        this.ledger.counts.hangs++;
        this.#hungUntilMs = this.nowMs + this.below(3 * SESSION_MS);
        return;
      }
      if (choice === 1) {
        this.ledger.counts.cuts++;
        this.closeConnection();
        return;
      }
    }
    if (!this.isAsking && this.nowMs >= this.nextReportMs) this.report();
    if (this.held.size === 0 || this.#isReading || this.#isCommitting) return;
    const unread = [...this.held.keys()].filter((partition) => !this.#positions.has(partition));
    if (unread.length > 0) this.#read(unread);
    else if (this.below(3) === 0) this.#commit();
  }

  #read(partitions: readonly number[]): void {
    const floors = partitions.map((partition) => this.ledger.floor(partition));
    const epochs = partitions.map((partition) => this.held.get(partition));
    this.#isReading = true;
    const topics = [{ name: TOPIC, partitionIndexes: partitions }];
    const { groupId } = this.ledger;
    this.connection().ask(offsetFetchRequest, offsetFetchResponse, FETCH_VERSION, { groups: [{ groupId, topics }] }, ({ groups }) => {
      this.#isReading = false;
      const [group] = groups;
      if (group === undefined || this.isLater(group.errorCode)) return;
      if (group.errorCode !== ERROR.NONE) throw this.unexpected('OffsetFetch', group.errorCode);
      for (const { partitionIndex, committedOffset, metadata } of group.topics[0]?.partitions ?? []) {
        const index = partitions.indexOf(partitionIndex);
        this.note(`reads ${partitionIndex} at ${committedOffset}`);
        this.ledger.checkRead(partitionIndex, committedOffset, metadata, floors[index] ?? -1);
        // What it has lost and got again meanwhile, it reads again.
        if (this.held.get(partitionIndex) === epochs[index] && epochs[index] !== undefined)
          this.#positions.set(partitionIndex, committedOffset);
      }
    });
  }

  #commit(): void {
    const chosen = [...this.held.keys()].filter(() => this.below(2) === 0);
    if (chosen.length === 0) return;
    const commits = chosen.map((partitionIndex) => {
      // Beyond what anybody has asked for: a commit whose answer was lost may have been taken.
      const committedOffset = this.ledger.ask(partitionIndex, 1 + this.below(3));
      const committedMetadata = this.ledger.metadataOf(partitionIndex, committedOffset);
      return { partitionIndex, committedOffset, committedMetadata, successor: this.ledger.successor(this, partitionIndex, this.nowMs) };
    });
    const { groupId } = this.ledger;
    const partitions = commits.map(({ successor, ...commit }) => commit);
    const topics = [{ name: TOPIC, partitions }];
    const request = { groupId, ...this.identity(), groupInstanceId: this.instanceId, topics };
    this.#isCommitting = true;
    this.note(`commits ${partitions.map(({ partitionIndex, committedOffset }) => `${partitionIndex} at ${committedOffset}`).join(', ')}`);
    this.connection().ask(offsetCommitRequest, offsetCommitResponse, COMMIT_VERSION, request, (answer) => {
      this.#isCommitting = false;
      let refusal: number = ERROR.NONE;
      for (const { partitionIndex, errorCode } of answer.topics[0]?.partitions ?? []) {
        const commit = commits.find((each) => each.partitionIndex === partitionIndex);
        if (errorCode !== ERROR.NONE || commit === undefined) {
          refusal = errorCode;
          continue;
        }
        this.ledger.counts.commits++;
        if (commit.successor?.isCurrent === true) {
          throw new Violation(`${groupId}: ${this.name} commits for partition ${partitionIndex}, which ${commit.successor.name} has`);
        }
        this.note(`has committed ${partitionIndex} at ${commit.committedOffset}`);
        this.ledger.learn(partitionIndex, commit.committedOffset);
        if (this.held.has(partitionIndex)) this.#positions.set(partitionIndex, commit.committedOffset);
      }
      if (refusal === ERROR.NONE || this.isLater(refusal)) return;
      this.ledger.counts.refusedCommits++;
      this.onRefused(refusal);
    });
  }
}
