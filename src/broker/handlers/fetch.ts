// Fetch: asks the owners where the bytes lie, waits while there are too few, then reads them from the files into the reply itself.
// One PendingFetch lives from the request to its answer; a parked one costs nothing until an owner publishes at one of its slots.
// Source: the protocol guide; KIP-74 (the first batch is always whole), KIP-227 (sessions), KIP-320, KIP-516, KIP-595 (divergence).

import { ByteWriter } from '../../base/byte-writer.ts';
import { MIB } from '../../base/units.ts';
import { ZERO_UUID } from '../../base/uuid.ts';
import { readDescriptor } from '../../log/file-storage.ts';
import type { ConnectionInfo } from '../../network/connection-info.ts';
import type { IncomingRequest } from '../../network/incoming-request.ts';
import type { PartitionCall } from '../../partition/partition-client.ts';
import { FETCH_PLAN, fetchEntry, fetchReply } from '../../partition/partition-messages.ts';
import { type FetchRequest, type FetchResponse, fetchRequest, fetchResponse } from '../../protocol/apis/fetch.ts';
import { codec } from '../../protocol/compile.ts';
import { ERROR } from '../../protocol/errors.ts';
import type { RecordsRange } from '../../protocol/schema.ts';
import { workerOf } from '../../scheduler/placement.ts';
import type { TimerHandle } from '../../scheduler/runtime.ts';
import type { BrokerContext } from '../broker-context.ts';
import { type FetchPartition, type FetchPlan, FetchSessions } from '../fetch-sessions.ts';
import { findPartition, findTopic, missingTopicError } from '../topic-partitions.ts';
import { type WaitingFetch, WaitingFetches } from '../waiting-fetches.ts';
import { answer, decodeBody, type Handler } from './handler.ts';

type TopicAnswer = FetchResponse['responses'][number];
type PartitionAnswer = TopicAnswer['partitions'][number];

/** Sessions from v7, topic ids from v13. */
const TOPIC_IDS_SINCE = 13;
/** What one answer carries at most, whatever was asked: it is one slab. The first batch alone may be larger. */
const RESPONSE_BYTES_MAX = 8 * MIB;
/** How soon an answer is tried again that found no memory. */
const MEMORY_RETRY_MS = 2;
const READ_COMMITTED = 1;
const UNKNOWN = -1;

export function fetchHandler(context: BrokerContext): Handler {
  const sessions = new FetchSessions(context.config.maxIncrementalFetchSessionCacheSlots, context.runtime.random);
  const waiting = new WaitingFetches(context.runtime, context.words);
  return (request) => {
    const body = decodeBody(request, fetchRequest);
    const plan = sessions.open(body, request.apiVersion >= TOPIC_IDS_SINCE, context.runtime.clock.monotonicMs());
    if (plan.errorCode !== ERROR.NONE) {
      answer(request, fetchResponse, { throttleTimeMs: 0, errorCode: plan.errorCode, sessionId: 0, responses: [], nodeEndpoints: [] });
      return true;
    }
    new PendingFetch(context, sessions, waiting, request, body, plan).start();
    return true;
  };
}

/** What one partition of the fetch is answered with: from an entry of the call, or an error known before. */
interface Entry {
  readonly partition: FetchPartition;
  readonly error: number;
  readonly slot: number;
  /** Index in the call; -1 where `error` is set. */
  readonly index: number;
}

const writer = new ByteWriter(new Uint8Array(0));

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

class PendingFetch implements WaitingFetch {
  slots: number[] = [];
  readonly #context: BrokerContext;
  readonly #sessions: FetchSessions;
  readonly #waiting: WaitingFetches;
  readonly #request: IncomingRequest;
  readonly #body: FetchRequest;
  readonly #plan: FetchPlan;
  readonly #deadlineMs: number;
  #entries: Entry[] = [];
  #call: PartitionCall | null = null;
  #timer: TimerHandle | null = null;
  #isParked = false;
  /** What the answer in the making tells of the session's partitions; it counts once the answer has found memory. */
  readonly #told: { partition: FetchPartition; highWatermark: number; logStartOffset: number }[] = [];

  constructor(
    context: BrokerContext,
    sessions: FetchSessions,
    waiting: WaitingFetches,
    request: IncomingRequest,
    body: FetchRequest,
    plan: FetchPlan,
  ) {
    this.#context = context;
    this.#sessions = sessions;
    this.#waiting = waiting;
    this.#request = request;
    this.#body = body;
    this.#plan = plan;
    this.#deadlineMs = context.runtime.clock.monotonicMs() + body.maxWaitMs;
  }

  /** Asks all owners for plans. */
  start(): void {
    const { image } = this.#context.metadata;
    const { partitions, runtime } = this.#context;
    const entries: Entry[] = [];
    const slots: number[] = [];
    let call: PartitionCall | null = null;
    for (const asked of this.#plan.partitions) {
      const topic = findTopic(image, asked.topic, asked.topicId);
      const partition = topic === null ? null : findPartition(topic, asked.partition);
      if (topic === null || partition === null) {
        const error = topic === null ? missingTopicError(asked.topicId) : ERROR.UNKNOWN_TOPIC_OR_PARTITION;
        entries.push({ partition: asked, error, slot: -1, index: -1 });
        continue;
      }
      call ??= partitions.begin(FETCH_PLAN, this.#plan.partitions.length, (done) => this.#onPlanned(done));
      entries.push({ partition: asked, error: ERROR.NONE, slot: partition.slot, index: call.count });
      slots.push(partition.slot);
      const at = call.add(workerOf(runtime.workerCount, topic.id, asked.partition));
      call.requestWords[at] = partition.slot;
      call.requestWords[at + fetchEntry.maxBytes] = Math.max(0, Math.min(asked.partitionMaxBytes, this.#body.maxBytes, RESPONSE_BYTES_MAX));
      call.requestWords[at + fetchEntry.currentLeaderEpoch] = asked.currentLeaderEpoch;
      call.requestWords[at + fetchEntry.lastFetchedEpoch] = asked.lastFetchedEpoch;
      call.requestWords[at + fetchEntry.isolation] = this.#body.isolationLevel;
      call.requestFloats[(at + fetchEntry.fetchOffset) >> 1] = asked.fetchOffset;
    }
    this.#entries = entries;
    this.slots = slots;
    if (call === null) this.#respond();
    else partitions.send(call);
  }

  /** The owner of one of the slots has published something. */
  wake(): void {
    this.#unpark();
    this.start();
  }

  #onPlanned(call: PartitionCall): void {
    this.#call = call;
    if (this.#request.connection.isClosed) this.#end();
    else if (this.#isEnough(call) || this.#context.runtime.clock.monotonicMs() >= this.#deadlineMs) this.#respond();
    else this.#park(call);
  }

  /** Enough bytes, or anything else that a consumer should hear of at once. */
  #isEnough(call: PartitionCall): boolean {
    let bytes = 0;
    for (const { error, index } of this.#entries) {
      if (error !== ERROR.NONE) return true;
      const at = call.reply(index);
      if (call.replyWords[at] !== ERROR.NONE || call.replyWords[at + fetchReply.divergingEpoch] !== UNKNOWN) return true;
      bytes += call.replyWords[at + fetchReply.length] as number;
    }
    return bytes >= this.#body.minBytes;
  }

  #park(call: PartitionCall): void {
    const { words, runtime } = this.#context;
    this.#isParked = true;
    this.#waiting.add(this);
    for (const { slot, index } of this.#entries) {
      const at = call.reply(index);
      const hasMoved =
        words.highWatermark(slot) !== call.replyFloats[(at + fetchReply.highWatermark) >> 1] ||
        words.stateVersion(slot) !== call.replyWords[at + fetchReply.stateVersion];
      if (!hasMoved) continue;
      this.#waiting.remove(this);
      this.wake();
      return;
    }
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
    const { words } = this.#context;
    const served: ServedRange[] = [];
    this.#told.length = 0;
    const responses = this.#fill(served);
    const message = { throttleTimeMs: 0, errorCode: ERROR.NONE, sessionId: this.#plan.sessionId, responses, nodeEndpoints: [] };
    const { size, encode } = codec(fetchResponse, request.apiVersion);
    const position = request.tryBeginReply(size(message));
    if (position < 0) {
      for (const { slot } of served) words.leaveRead(slot);
      this.#context.runtime.after(MEMORY_RETRY_MS, () => this.#respond());
      return;
    }
    encode(message, writer.reset(request.replyBytes, position));
    let isWhole = true;
    for (const { range, slot, descriptor, filePosition } of served) {
      isWhole = readDescriptor(descriptor, request.replyBytes, range.position, range.length, filePosition) === range.length && isWhole;
      words.leaveRead(slot);
    }
    if (this.#call !== null) this.#context.partitions.end(this.#call);
    this.#call = null;
    if (!isWhole) {
      request.close('a log file is shorter than its index says');
      return;
    }
    for (const { partition, highWatermark, logStartOffset } of this.#told) {
      partition.knownHighWatermark = highWatermark;
      partition.knownLogStartOffset = logStartOffset;
    }
    this.#sessions.served(
      this.#plan.sessionId,
      served.map((range) => range.partition),
    );
    request.endReply();
  }

  /** The answer for each partition; the ranges to be read are in `served`, each entered (PartitionWords.enterRead). */
  #fill(served: ServedRange[]): TopicAnswer[] {
    const responses: TopicAnswer[] = [];
    let topicAnswer: TopicAnswer | null = null;
    let budget = Math.min(this.#body.maxBytes, RESPONSE_BYTES_MAX);
    for (const entry of this.#entries) {
      const { partition } = entry;
      const answer = this.#answer(entry, budget, served);
      const { highWatermark, logStartOffset } = answer;
      const isNews =
        answer.errorCode !== ERROR.NONE ||
        (answer.records?.length ?? 0) > 0 ||
        answer.divergingEpoch.epoch !== UNKNOWN ||
        highWatermark !== partition.knownHighWatermark ||
        logStartOffset !== partition.knownLogStartOffset;
      if (this.#plan.isIncremental && !isNews) continue;
      if (this.#plan.sessionId !== 0) this.#told.push({ partition, highWatermark, logStartOffset });
      budget = Math.max(0, budget - (answer.records?.length ?? 0));
      if (topicAnswer === null || topicAnswer.topic !== partition.topic || topicAnswer.topicId !== partition.topicId) {
        topicAnswer = { topic: partition.topic, topicId: partition.topicId, partitions: [] };
        responses.push(topicAnswer);
      }
      topicAnswer.partitions.push(answer);
    }
    return responses;
  }

  #answer({ partition, error, slot, index }: Entry, budget: number, served: ServedRange[]): PartitionAnswer {
    const call = this.#call;
    const isCommittedOnly = this.#body.isolationLevel === READ_COMMITTED;
    if (call === null || error !== ERROR.NONE) return emptyAnswer(partition.partition, error, isCommittedOnly);
    const at = call.reply(index);
    const { replyWords, replyFloats } = call;
    const answer = emptyAnswer(partition.partition, replyWords[at] as number, isCommittedOnly);
    if (answer.errorCode !== ERROR.NONE) return answer;
    answer.highWatermark = replyFloats[(at + fetchReply.highWatermark) >> 1] as number;
    answer.lastStableOffset = replyFloats[(at + fetchReply.lastStableOffset) >> 1] as number;
    answer.logStartOffset = replyFloats[(at + fetchReply.logStartOffset) >> 1] as number;
    const divergingEpoch = replyWords[at + fetchReply.divergingEpoch] as number;
    if (divergingEpoch !== UNKNOWN) {
      answer.divergingEpoch = { epoch: divergingEpoch, endOffset: replyFloats[(at + fetchReply.divergingEndOffset) >> 1] as number };
      return answer;
    }
    const length = this.#lengthWithin(budget, at, call, partition.partitionMaxBytes, served.length === 0);
    if (length === 0) return answer;
    if (!this.#context.words.enterRead(slot, replyWords[at + fetchReply.stateVersion] as number)) {
      return emptyAnswer(
        partition.partition,
        partition.topicId === ZERO_UUID ? ERROR.UNKNOWN_TOPIC_OR_PARTITION : ERROR.UNKNOWN_TOPIC_ID,
        isCommittedOnly,
      );
    }
    const range: RecordsRange = { position: 0, length };
    answer.records = range;
    const filePosition = replyFloats[(at + fetchReply.position) >> 1] as number;
    served.push({ partition, slot, range, filePosition, descriptor: replyWords[at + fetchReply.descriptor] as number });
    return answer;
  }

  /** Bytes of the plan that fit; the first batch of the whole answer is given whatever its size, any other only where it fits whole. */
  #lengthWithin(budget: number, at: number, call: PartitionCall, partitionMaxBytes: number, isFirst: boolean): number {
    const planned = call.replyWords[at + fetchReply.length] as number;
    if (planned === 0) return 0;
    const firstBatchBytes = call.replyWords[at + fetchReply.firstBatchBytes] as number;
    const limit = Math.min(budget, partitionMaxBytes);
    if (firstBatchBytes > limit) return isFirst ? firstBatchBytes : 0;
    return Math.min(planned, limit);
  }
}

interface ServedRange {
  readonly partition: FetchPartition;
  readonly slot: number;
  readonly range: RecordsRange;
  readonly filePosition: number;
  readonly descriptor: number;
}

function emptyAnswer(partitionIndex: number, errorCode: number, isCommittedOnly: boolean): PartitionAnswer {
  return {
    partitionIndex,
    errorCode,
    highWatermark: UNKNOWN,
    lastStableOffset: UNKNOWN,
    logStartOffset: UNKNOWN,
    divergingEpoch: { epoch: UNKNOWN, endOffset: UNKNOWN },
    currentLeader: { leaderId: UNKNOWN, leaderEpoch: UNKNOWN },
    snapshotId: { endOffset: UNKNOWN, epoch: UNKNOWN },
    abortedTransactions: isCommittedOnly ? [] : null,
    preferredReadReplica: UNKNOWN,
    records: new Uint8Array(0),
  };
}
