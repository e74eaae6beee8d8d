// One Fetch from its request to its answer: planned by the leases of this worker or by the owners, parked while there are too few
// bytes, answered by FetchAnswer. A parked one costs nothing until an owner publishes at one of its slots.
// Invariant: it is ended exactly once, also when its connection closes meanwhile.
// Runs on: the worker of the connection.
import { KIB } from '../base/units.ts';
import type { ConnectionInfo } from '../network/connection-info.ts';
import type { IncomingRequest } from '../network/incoming-request.ts';
import type { PartitionCall } from '../partition/partition-client.ts';
import { FETCH_PLAN, fetchEntry, fetchReply } from '../partition/partition-messages.ts';
import type { FetchRequest } from '../protocol/apis/fetch.ts';
import { ERROR } from '../protocol/errors.ts';
import { workerOf } from '../scheduler/placement.ts';
import type { TimerHandle } from '../scheduler/runtime.ts';
import type { AbortedTransactions } from './aborted-transactions.ts';
import { listenerOf } from './broker-answers.ts';
import type { BrokerContext } from './broker-context.ts';
import { BEGUN, FetchAnswer, type FetchEntry, NO_MEMORY, NO_RECORDS } from './fetch-answer.ts';
import { isFromFollower, replicaError } from './fetch-errors.ts';
import { RESPONSE_BYTES_MAX } from './fetch-limits.ts';
import type { FetchPartition, FetchPlan, FetchSessions } from './fetch-sessions.ts';
import type { TailLeases } from './tail-leases.ts';
import { findPartition, findTopic, missingTopicError } from './topic-partitions.ts';
import type { WaitingFetch, WaitingFetches } from './waiting-fetches.ts';

/** An answer that finds no memory is made smaller by halves; below this it is the first batch alone. */
const ANSWER_BYTES_MIN = 4 * KIB;
/** How soon an answer is tried again that found no memory: the first time, and, since the pause doubles, at the latest. */
const MEMORY_RETRY_MS = 2;
const MEMORY_RETRY_MS_MAX = 64;
const UNKNOWN = -1;
/** A segment is never longer. */
const POSITION_MAX = 2 ** 31 - 1;

/** What the fetches of one worker share. */
export interface FetchState {
  readonly sessions: FetchSessions;
  readonly waiting: WaitingFetches;
  readonly leases: TailLeases;
  readonly aborted: AbortedTransactions;
}

/** The parked fetches of a connection, kept in its place for handlers. */
function parkedOf(connection: ConnectionInfo): Set<PendingFetch> {
  if (connection.state instanceof Set) return connection.state;
  const parked = new Set<PendingFetch>();
  connection.state = parked;
  return parked;
}

/** Ends the parked fetches of a connection that has closed. */
export function abandonFetches(connection: ConnectionInfo): void {
  for (const fetch of [...parkedOf(connection)]) fetch.abandon();
}

/** Where an entry stands among the others: those of one rank stay in their order. */
function rankOf({ isMissing, error }: FetchEntry, isFollower: boolean): number {
  if (!isMissing) return 0;
  return isFollower || error === ERROR.UNKNOWN_TOPIC_ID ? 1 : 2;
}

export class PendingFetch implements WaitingFetch {
  slots: number[] = [];
  wantedPositions: number[] = [];
  readonly #context: BrokerContext;
  readonly #sessions: FetchSessions;
  readonly #waiting: WaitingFetches;
  readonly #leases: TailLeases;
  readonly #aborted: AbortedTransactions;
  readonly #request: IncomingRequest;
  readonly #body: FetchRequest;
  readonly #plan: FetchPlan;
  readonly #deadlineMs: number;
  #entries: FetchEntry[] = [];
  #call: PartitionCall | null = null;
  #timer: TimerHandle | null = null;
  #isParked = false;
  /** Of the first look at the metadata; −1 before. What is missing from then on does not end the wait, what goes away meanwhile does. */
  #missingCount = -1;
  #hasLost = false;
  /** It has begun to wait where leases knew that its offsets were the ends of their files: what leases find there later was written meanwhile. */
  #hasSeenEnd = false;
  #memoryRetryMs = MEMORY_RETRY_MS;
  /** Memory is short: only the owners can say how large the first batch is. */
  #isShort = false;
  /** And stayed so: the answer leaves without records. */
  #hasNoRoom = false;

  constructor(
    context: BrokerContext,
    { sessions, waiting, leases, aborted }: FetchState,
    request: IncomingRequest,
    body: FetchRequest,
    plan: FetchPlan,
  ) {
    this.#context = context;
    this.#sessions = sessions;
    this.#waiting = waiting;
    this.#leases = leases;
    this.#aborted = aborted;
    this.#request = request;
    this.#body = body;
    this.#plan = plan;
    this.#deadlineMs = context.runtime.clock.monotonicMs() + body.maxWaitMs;
  }

  /** Plans what the leases of this worker allow, asks the owners for the rest. */
  start(): void {
    const { image } = this.#context.metadata;
    const { partitions, runtime } = this.#context;
    const isFollower = isFromFollower(this.#body);
    let missingCount = 0;
    let call: PartitionCall | null = null;
    let hasQuestions = false;
    const entries = this.#plan.partitions.map((asked): FetchEntry => {
      const topic = findTopic(image, asked.topic, asked.topicId);
      const partition = topic === null ? null : findPartition(topic, asked.partition);
      if (topic === null || partition === null) {
        const error = topic === null ? missingTopicError(asked.topicId) : ERROR.UNKNOWN_TOPIC_OR_PARTITION;
        missingCount++;
        return { partition: asked, error, isMissing: true, isNew: false, slot: -1, index: -1 };
      }
      if (isFollower) {
        const error = replicaError(asked.currentLeaderEpoch, partition.leaderEpoch);
        return { partition: asked, error, isMissing: false, isNew: false, slot: -1, index: -1 };
      }
      call ??= partitions.begin(FETCH_PLAN, this.#plan.partitions.length, (done) => this.#onPlanned(done));
      const entry = { partition: asked, error: ERROR.NONE, isMissing: false, isNew: false, slot: partition.slot, index: call.count };
      if (!this.#isShort && this.#leases.plan(call, partition.slot, asked, this.#body, runtime.arena.slabMaxBytes >> 2)) {
        entry.isNew = this.#hasSeenEnd;
        return entry;
      }
      hasQuestions = true;
      const at = call.add(workerOf(runtime.workerCount, topic.id, asked.partition));
      call.requestWords[at] = partition.slot;
      call.requestWords[at + fetchEntry.maxBytes] = Math.max(0, Math.min(asked.partitionMaxBytes, this.#body.maxBytes, RESPONSE_BYTES_MAX));
      call.requestWords[at + fetchEntry.currentLeaderEpoch] = asked.currentLeaderEpoch;
      call.requestWords[at + fetchEntry.lastFetchedEpoch] = asked.lastFetchedEpoch;
      call.requestWords[at + fetchEntry.isolation] = this.#body.isolationLevel;
      call.requestFloats[(at + fetchEntry.fetchOffset) >> 1] = asked.fetchOffset;
      return entry;
    });
    if (this.#missingCount < 0) this.#missingCount = missingCount;
    this.#hasLost = missingCount > this.#missingCount;
    // What does not exist comes last, for consumers the unknown ids first, as from Apache Kafka.
    if (missingCount > 0) entries.sort((a, b) => rankOf(a, isFollower) - rankOf(b, isFollower));
    this.#entries = entries;
    if (call === null) this.#respond();
    else if (hasQuestions) partitions.send(call);
    else this.#onPlanned(call);
  }

  /** Whether the live segment has more, or is another one, than when the lease planned. */
  #hasGrown(slot: number, { replyWords, replyFloats }: PartitionCall, at: number): boolean {
    const end = (replyFloats[(at + fetchReply.position) >> 1] as number) + (replyWords[at + fetchReply.length] as number);
    return this.#context.words.livePosition(slot, replyFloats[(at + fetchReply.segmentBaseOffset) >> 1] as number) !== end;
  }

  /** Whether another leader epoch has come than the one that the consumer knows, and that the plan was made by. */
  #isOtherEpoch(slot: number, { currentLeaderEpoch }: FetchPartition): boolean {
    return currentLeaderEpoch !== UNKNOWN && this.#context.words.leaderEpoch(slot) !== currentLeaderEpoch;
  }

  /** The owner of one of the slots has published something. */
  wake(): void {
    // Of those that one publication wakes, the answer of the first may have closed their connection, and with it ended the others.
    if (!this.#isParked) return;
    this.#unpark();
    this.start();
  }

  #onPlanned(call: PartitionCall): void {
    this.#call = call;
    if (this.#request.connection.isClosed) this.#end();
    else if (this.#isEnough(call) || this.#context.runtime.clock.monotonicMs() >= this.#deadlineMs) this.#respond();
    else this.#park(call);
  }

  /** Enough bytes, or anything else that a consumer should hear of at once: not, however, that there is no such partition. */
  #isEnough(call: PartitionCall): boolean {
    if (this.#hasLost) return true;
    let bytes = 0;
    for (const { partition, error, isMissing, slot, index } of this.#entries) {
      if (isMissing) continue;
      if (error !== ERROR.NONE) return true;
      const at = call.reply(index);
      if (call.replyWords[at] !== ERROR.NONE || call.replyWords[at + fetchReply.divergingEpoch] !== UNKNOWN) return true;
      const length = call.replyWords[at + fetchReply.length] as number;
      if (length > 0 && partition.partitionMaxBytes < 0) return true;
      // A range ends where its segment does: in an older one it never gets longer, however much is written behind it.
      if (length > 0 && call.replyFloats[(at + fetchReply.segmentBaseOffset) >> 1] !== this.#context.words.liveSegment(slot)) return true;
      bytes += length;
    }
    return bytes >= this.#body.minBytes;
  }

  /**
   * What is missing has come at the earliest when one of the partitions has grown by its share of it. Positions are loaded before the
   * watermarks are looked at again, and stored after them: one that has moved since the plan is noticed by its watermark.
   */
  #want(call: PartitionCall): void {
    const { words } = this.#context;
    const slots: number[] = [];
    let bytes = 0;
    let areLeased = true;
    for (const { slot, index } of this.#entries) {
      if (index < 0) continue;
      slots.push(slot);
      bytes += call.replyWords[call.reply(index) + fetchReply.length] as number;
      if (call.replyWords[call.reply(index) + fetchReply.isLeased] !== 1) areLeased = false;
    }
    if (bytes === 0 && areLeased) this.#hasSeenEnd = true;
    const share = Math.max(1, Math.ceil((this.#body.minBytes - bytes) / slots.length));
    this.slots = slots;
    this.wantedPositions = slots.map((slot) =>
      Math.min(Math.max(0, words.livePosition(slot, words.liveSegment(slot))) + share, POSITION_MAX),
    );
  }

  #park(call: PartitionCall): void {
    const { words, runtime } = this.#context;
    this.#isParked = true;
    this.#want(call);
    this.#waiting.add(this);
    for (const { partition, slot, index } of this.#entries) {
      if (index < 0) continue;
      const at = call.reply(index);
      const hasMoved =
        words.highWatermark(slot) !== call.replyFloats[(at + fetchReply.highWatermark) >> 1] ||
        words.stateVersion(slot) !== call.replyWords[at + fetchReply.stateVersion] ||
        words.logStartOffset(slot) !== call.replyFloats[(at + fetchReply.logStartOffset) >> 1] ||
        this.#isOtherEpoch(slot, partition) ||
        (call.replyWords[at + fetchReply.isLeased] === 1 && this.#hasGrown(slot, call, at));
      if (!hasMoved) continue;
      this.#waiting.remove(this);
      this.wake();
      return;
    }
    this.#waiting.meter.parked();
    parkedOf(this.#request.connection).add(this);
    this.#timer = runtime.after(Math.max(0, this.#deadlineMs - runtime.clock.monotonicMs()), () => {
      if (!this.#isParked) return;
      this.#waiting.remove(this);
      parkedOf(this.#request.connection).delete(this);
      this.#isParked = false;
      this.#respond();
    });
  }

  /** The connection has closed: nobody waits for this any more. */
  abandon(): void {
    this.#waiting.remove(this);
    this.#unpark();
    this.#end();
  }

  #unpark(): void {
    parkedOf(this.#request.connection).delete(this);
    this.#isParked = false;
    this.#timer?.cancel();
    this.#timer = null;
    if (this.#call !== null) this.#context.partitions.end(this.#call);
    this.#call = null;
  }

  /** Nothing more to do for this request. */
  #end(): void {
    if (this.#call !== null) this.#context.partitions.end(this.#call);
    this.#call = null;
    this.#request.noReply();
  }

  #respond(): void {
    const request = this.#request;
    if (request.connection.isClosed) {
      this.#end();
      return;
    }
    const { metadata, runtime, reader } = this.#context;
    const { arena } = runtime;
    let answer: FetchAnswer;
    let begun: number;
    const mostBytes = this.#hasNoRoom ? NO_RECORDS : Math.min(RESPONSE_BYTES_MAX, arena.slabMaxBytes >> 1);
    for (let limitBytes = mostBytes; ; limitBytes >>= 1) {
      answer = new FetchAnswer(
        this.#context.words,
        this.#leases,
        this.#aborted,
        reader,
        this.#body,
        this.#plan,
        this.#entries,
        this.#call,
        metadata.image,
        listenerOf(this.#request, this.#context),
      );
      if (limitBytes >= 0 && limitBytes < ANSWER_BYTES_MIN) limitBytes = 0;
      // Left at the last is the first batch, which has to be given whole, out of the heap where the arena is too small for it.
      const isTooLarge = limitBytes === 0 && this.#firstBatchBytes() > arena.slabMaxBytes >> 2;
      begun = answer.begin(request, limitBytes, isTooLarge || limitBytes === NO_RECORDS);
      if (begun !== NO_MEMORY || limitBytes === 0) break;
    }
    if (begun === NO_MEMORY && this.#isShort) {
      this.#waitForMemory();
      return;
    }
    if (begun !== BEGUN) {
      this.#isShort = begun === NO_MEMORY;
      this.#unpark();
      this.start();
      return;
    }
    answer.read(request.replyBytes, (isWhole) => this.#leave(answer, isWhole));
  }

  /**
   * Others hold it, perhaps readers who take nothing: until the deadline there may be room again, then the answer is that of a log
   * without news. Never more of the heap for it, or those readers would take all the machine has.
   */
  #waitForMemory(): void {
    const { runtime } = this.#context;
    this.#hasNoRoom = runtime.clock.monotonicMs() >= this.#deadlineMs && this.#memoryRetryMs >= MEMORY_RETRY_MS_MAX;
    runtime.after(this.#memoryRetryMs, () => this.#respond());
    this.#memoryRetryMs = Math.min(this.#memoryRetryMs * 2, MEMORY_RETRY_MS_MAX);
  }

  /** Of the first partition that has bytes. */
  #firstBatchBytes(): number {
    const call = this.#call;
    if (call === null) return 0;
    for (const { error, index } of this.#entries) {
      if (error !== ERROR.NONE) continue;
      const bytes = call.replyWords[call.reply(index) + fetchReply.firstBatchBytes] as number;
      if (bytes > 0) return bytes;
    }
    return 0;
  }

  #leave(answer: FetchAnswer, isWhole: boolean): void {
    if (this.#call !== null) this.#context.partitions.end(this.#call);
    this.#call = null;
    if (!isWhole) {
      this.#request.close('a log file could not be read, or is shorter than its index says');
      return;
    }
    answer.remember(this.#sessions);
    this.#request.endReply();
  }
}
