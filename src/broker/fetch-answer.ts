// The answer to a Fetch whose plans are there: which bytes of which partitions fit, laid out as one message with gaps, and the gaps read
// from the files, so that a record goes from the page cache to the socket without another copy
// in between.
// Invariant: a range is entered (PartitionWords.enterRead) before it is promised, and left once it is read or given up.
// Runs on: the worker of the connection. One per attempt to answer.
import { ByteWriter } from '../base/byte-writer.ts';
import { KIB } from '../base/units.ts';
import { ZERO_UUID } from '../base/uuid.ts';
import type { AbortedTransaction } from '../log/transaction-index.ts';
import type { ClusterImage } from '../metadata/image.ts';
import type { IncomingRequest } from '../network/incoming-request.ts';
import type { PartitionCall } from '../partition/partition-client.ts';
import { fetchReply, READ_COMMITTED } from '../partition/partition-messages.ts';
import type { PartitionWords } from '../partition/partition-words.ts';
import { type FetchRequest, type FetchResponse, fetchResponse } from '../protocol/apis/fetch.ts';
import { codec } from '../protocol/compile.ts';
import { noteErrors } from '../protocol/error-fields.ts';
import { ERROR } from '../protocol/errors.ts';
import { batchSizeBytes, lastOffset, nextBatch } from '../protocol/records/batch.ts';
import type { AbortedTransactions } from './aborted-transactions.ts';
import { emptyAnswer, missingAnswer, nameLeaders } from './fetch-errors.ts';
import { RESPONSE_BYTES_MAX } from './fetch-limits.ts';
import type { FetchPartition, FetchPlan, FetchSessions } from './fetch-sessions.ts';
import type { SegmentReader } from './segment-reader.ts';
import { ServedRange } from './served-range.ts';
import type { TailLeases } from './tail-leases.ts';
import { findTopic } from './topic-partitions.ts';

type TopicAnswer = FetchResponse['responses'][number];
type PartitionAnswer = TopicAnswer['partitions'][number];

const UNKNOWN = -1;

/** What FetchAnswer.begin has come to; a void plan was made before the partition went away. */
export const BEGUN = 0;
export const NO_MEMORY = 1;
export const PLAN_IS_VOID = 2;

/** As the limit of FetchAnswer.begin: not even the first batch. */
export const NO_RECORDS = -1;

/** What one partition of the fetch is answered with: from an entry of the call, or an error known before. */
export interface FetchEntry {
  readonly partition: FetchPartition;
  readonly error: number;
  /** Not to be found by its name: a mistake that a fetch with other partitions does not end its wait for. */
  readonly isMissing: boolean;
  /** All of its bytes were written while the fetch was waiting for them. */
  readonly isNew: boolean;
  readonly slot: number;
  /** Index in the call; -1 where `error` is set. */
  readonly index: number;
}

/** What the answer tells of a session's partition; it counts once the answer leaves. */
interface Told {
  readonly partition: FetchPartition;
  readonly highWatermark: number;
  readonly logStartOffset: number;
}

/** What is read in one turn, of more than half as much again: other connections get theirs between. Takes as long as a turn's share of writing. */
const SHARE_BYTES = 512 * KIB;
const UNSHARED_BYTES_MAX = 768 * KIB;

const writer = new ByteWriter(new Uint8Array(0));

export class FetchAnswer {
  readonly #words: PartitionWords;
  readonly #leases: TailLeases;
  readonly #aborted: AbortedTransactions;
  readonly #reader: SegmentReader;
  readonly #body: FetchRequest;
  readonly #plan: FetchPlan;
  readonly #entries: readonly FetchEntry[];
  readonly #call: PartitionCall | null;
  readonly #image: ClusterImage;
  readonly #listener: string;
  readonly #served: ServedRange[] = [];
  readonly #told: Told[] = [];
  #isVoid = false;
  #givesRecords = true;
  #sendsFiles = false;
  #readBytes = 0; // Of records that are read into the answer.
  #readIndex = 0; // Of the range that is being read here, and how far it is.
  #readAt = 0;
  #reads = 1; // What goes on: one for all that is read here, and those in the pool.
  #isWhole = true;
  #onRead: (isWhole: boolean) => void = () => {};

  constructor(
    words: PartitionWords,
    leases: TailLeases,
    aborted: AbortedTransactions,
    reader: SegmentReader,
    body: FetchRequest,
    plan: FetchPlan,
    entries: readonly FetchEntry[],
    call: PartitionCall | null,
    image: ClusterImage,
    listener: string,
  ) {
    this.#words = words;
    this.#leases = leases;
    this.#aborted = aborted;
    this.#reader = reader;
    this.#body = body;
    this.#plan = plan;
    this.#entries = entries;
    this.#call = call;
    this.#image = image;
    this.#listener = listener;
  }

  /**
   * Lays the answer out in room of its own, with at most `limitBytes` of records, the first batch aside. Unless it has begun, nothing
   * is held and this object is of no more use. NO_RECORDS answers as a log without news does. `mayUseHeap`: for what the arena never has room for.
   */
  begin(
    request: IncomingRequest,
    limitBytes = RESPONSE_BYTES_MAX,
    mayUseHeap = false,
  ): typeof BEGUN | typeof NO_MEMORY | typeof PLAN_IS_VOID {
    this.#givesRecords = limitBytes !== NO_RECORDS;
    this.#sendsFiles = request.connection.sendsFiles;
    const responses = this.#fill(Math.max(0, limitBytes));
    if (this.#isVoid) {
      this.#leaveAll();
      return PLAN_IS_VOID;
    }
    const nodeEndpoints = nameLeaders(this.#image, this.#body, request.apiVersion, this.#listener, responses);
    const message = { throttleTimeMs: 0, errorCode: ERROR.NONE, sessionId: this.#plan.sessionId, responses, nodeEndpoints };
    const { size, encode } = codec(fetchResponse, request.apiVersion);
    const bodyBytes = size(message);
    const position = mayUseHeap ? request.beginReply(bodyBytes) : request.tryBeginReply(bodyBytes);
    if (position < 0) {
      this.#leaveAll();
      return NO_MEMORY;
    }
    noteErrors(fetchResponse, message, request);
    encode(message, writer.reset(request.replyBytes, position));
    for (const served of this.#served) if (served.isSentFromFile) request.addFile(served.records.position, served);
    return BEGUN;
  }

  #leaveAll(): void {
    for (const served of this.#served) served.leave();
  }

  /**
   * Reads the records into the gaps; `done` hears whether all of them were there: before this returns where they are few and lie in the
   * page cache, in a later turn otherwise. The reply must stay where it is until then.
   */
  read(bytes: Uint8Array, done: (isWhole: boolean) => void): void {
    this.#onRead = done;
    let cachedBytes = 0;
    for (const served of this.#served) {
      if (served.isSentFromFile) continue;
      if (served.isCached(0, served.length)) {
        served.isReadHere = true;
        cachedBytes += served.length;
      } else this.#readLater(served, bytes, 0);
    }
    if (cachedBytes > UNSHARED_BYTES_MAX) {
      this.#readShare(bytes, SHARE_BYTES, false);
      this.#reader.stepLater(() => {
        if (this.#readShare(bytes, SHARE_BYTES, true)) return true;
        this.#endRead();
        return false;
      });
    } else {
      this.#readShare(bytes, cachedBytes, false);
      this.#endRead();
    }
  }

  /** Reads the next `shareBytes` of what was in the page cache, of one range or of several. False: nothing is left of it. */
  #readShare(bytes: Uint8Array, shareBytes: number, isLookedAtAnew: boolean): boolean {
    let left = shareBytes;
    for (; this.#readIndex < this.#served.length; this.#readIndex++) {
      const served = this.#served[this.#readIndex] as ServedRange;
      if (!served.isReadHere) continue;
      if (left === 0) return true;
      const at = this.#readAt;
      const length = Math.min(left, served.length - at);
      let isThere = true;
      if (isLookedAtAnew && !served.isCached(at, length)) {
        this.#readLater(served, bytes, at);
      } else {
        left -= length;
        this.#readAt += length;
        isThere = served.readNow(bytes, served.records.position + at, at, length) === length;
        if (isThere && this.#readAt < served.length) return true;
        this.#finishRange(served, bytes, isThere);
      }
      this.#readAt = 0;
    }
    return false;
  }

  /** The rest of a range, from `at` on, in the pool. */
  #readLater(served: ServedRange, bytes: Uint8Array, at: number): void {
    this.#reads++;
    served.readLater(bytes, served.records.position + at, at, served.length - at, (count) => {
      this.#finishRange(served, bytes, count === served.length - at);
      this.#endRead();
    });
  }

  #endRead(): void {
    if (--this.#reads === 0) this.#onRead(this.#isWhole);
  }

  /** A range has been read, or could not be. */
  #finishRange(served: ServedRange, bytes: Uint8Array, isThere: boolean): void {
    served.leave();
    if (isThere) this.#learn(served, bytes);
    else this.#isWhole = false;
  }

  /** The answer leaves: its session knows what was told. */
  remember(sessions: FetchSessions): void {
    for (const { partition, highWatermark, logStartOffset } of this.#told) {
      partition.knownHighWatermark = highWatermark;
      partition.knownLogStartOffset = logStartOffset;
    }
    sessions.served(
      this.#plan.sessionId,
      this.#served.map((range) => range.partition),
    );
  }

  /** Near the end of the live segment, notes where the next fetch will begin. */
  #learn(
    { partition, slot, records, position: filePosition, length, descriptor, stateVersion, segmentBaseOffset, isTeaching }: ServedRange,
    bytes: Uint8Array,
  ): void {
    if (!isTeaching) return;
    const left = this.#words.livePosition(slot, segmentBaseOffset) - (filePosition + length);
    if (left < 0 || left > partition.partitionMaxBytes) return;
    const end = records.position + length;
    let last = -1;
    for (let at = records.position, next = nextBatch(bytes, at, end); next !== -1; at = next, next = nextBatch(bytes, at, end)) last = at;
    if (last < 0) return;
    const position = filePosition + last - records.position + batchSizeBytes(bytes, last);
    if (left === 0 && position !== filePosition + length) return; // Damaged behind it: the owner knows what to say there.
    this.#leases.learn(slot, stateVersion, descriptor, segmentBaseOffset, lastOffset(bytes, last) + 1, position);
  }

  /** The answer for each partition; the ranges to be read are noted, each entered (PartitionWords.enterRead). */
  #fill(limitBytes: number): TopicAnswer[] {
    const responses: TopicAnswer[] = [];
    let topicAnswer: TopicAnswer | null = null;
    let budget = Math.min(this.#body.maxBytes, limitBytes);
    for (const entry of this.#entries) {
      const { partition } = entry;
      const answer = this.#answer(entry, budget);
      const { highWatermark, logStartOffset } = answer;
      const isNews =
        answer.errorCode !== ERROR.NONE ||
        (answer.records?.length ?? 0) > 0 ||
        answer.divergingEpoch.epoch !== UNKNOWN ||
        highWatermark !== partition.knownHighWatermark ||
        logStartOffset !== partition.knownLogStartOffset;
      budget = Math.max(0, budget - (answer.records?.length ?? 0));
      if (this.#plan.isIncremental && !isNews) continue;
      if (this.#plan.sessionId !== 0) this.#told.push({ partition, highWatermark, logStartOffset });
      if (topicAnswer === null || topicAnswer.topic !== partition.topic || topicAnswer.topicId !== partition.topicId) {
        topicAnswer = { topic: partition.topic, topicId: partition.topicId, partitions: [answer] };
        responses.push(topicAnswer);
      } else topicAnswer.partitions.push(answer);
    }
    return responses;
  }

  #answer({ partition, error, isMissing, isNew, slot, index }: FetchEntry, budget: number): PartitionAnswer {
    const call = this.#call;
    if (isMissing) return missingAnswer(partition.partition, error);
    if (call === null || error !== ERROR.NONE) return emptyAnswer(partition.partition, error);
    const at = call.reply(index);
    const { replyWords, replyFloats } = call;
    const code = replyWords[at] as number;
    // The owner knows slots, not what the request called them.
    const isIdUnknown = code === ERROR.UNKNOWN_TOPIC_OR_PARTITION && partition.topicId !== ZERO_UUID;
    if (code === ERROR.UNKNOWN_TOPIC_OR_PARTITION) return missingAnswer(partition.partition, isIdUnknown ? ERROR.UNKNOWN_TOPIC_ID : code);
    const answer = emptyAnswer(partition.partition, code);
    if (code !== ERROR.NONE) return answer;
    const planned = replyWords[at + fetchReply.length] as number;
    // Apache Kafka fails to read less than nothing, and says so where there was something to read.
    if (planned > 0 && Math.min(budget, partition.partitionMaxBytes) < 0)
      return emptyAnswer(partition.partition, ERROR.UNKNOWN_SERVER_ERROR);
    if (this.#body.isolationLevel === READ_COMMITTED) answer.abortedTransactions = [];
    answer.highWatermark = replyFloats[(at + fetchReply.highWatermark) >> 1] as number;
    answer.lastStableOffset = replyFloats[(at + fetchReply.lastStableOffset) >> 1] as number;
    answer.logStartOffset = replyFloats[(at + fetchReply.logStartOffset) >> 1] as number;
    const divergingEpoch = replyWords[at + fetchReply.divergingEpoch] as number;
    if (divergingEpoch !== UNKNOWN) {
      answer.divergingEpoch = { epoch: divergingEpoch, endOffset: replyFloats[(at + fetchReply.divergingEndOffset) >> 1] as number };
      return answer;
    }
    const length = this.#lengthWithin(budget, at, call, partition.partitionMaxBytes, this.#served.length === 0);
    if (length === 0) return answer;
    const hasAborted = replyWords[at + fetchReply.hasAborted] === 1;
    if (hasAborted && this.#body.isolationLevel === READ_COMMITTED) {
      const aborted = this.#abortedOf(partition, slot, answer.lastStableOffset);
      if (aborted === null) return emptyAnswer(partition.partition, ERROR.KAFKA_STORAGE_ERROR);
      answer.abortedTransactions = aborted;
    }
    if (!this.#words.enterRead(slot, replyWords[at + fetchReply.stateVersion] as number)) {
      this.#isVoid = true; // Deleted, or its directory is offline: the owner knows.
      return answer;
    }
    const descriptor = replyWords[at + fetchReply.descriptor] as number;
    const isSentFromFile = this.#sendsFiles && this.#reader.isSentFromFile(descriptor, length, this.#readBytes);
    const served = new ServedRange(this.#words, this.#reader, isSentFromFile, {
      partition,
      slot,
      descriptor,
      position: replyFloats[(at + fetchReply.position) >> 1] as number,
      length,
      stateVersion: replyWords[at + fetchReply.stateVersion] as number,
      segmentBaseOffset: replyFloats[(at + fetchReply.segmentBaseOffset) >> 1] as number,
      isNew,
      isTeaching: !hasAborted,
    });
    if (!isSentFromFile) this.#readBytes += length;
    answer.records = served.records;
    this.#served.push(served);
    return answer;
  }

  /** Null where the disk refuses to say. */
  #abortedOf({ topic, topicId, partition, fetchOffset }: FetchPartition, slot: number, endOffset: number): AbortedTransaction[] | null {
    const name = findTopic(this.#image, topic, topicId)?.name;
    return name === undefined ? [] : this.#aborted.within(slot, name, partition, fetchOffset, endOffset);
  }

  /** Bytes of the plan that fit; the first batch of the whole answer is given whatever its size, any other only where it fits whole. */
  #lengthWithin(budget: number, at: number, call: PartitionCall, partitionMaxBytes: number, isFirst: boolean): number {
    const planned = call.replyWords[at + fetchReply.length] as number;
    if (planned === 0 || !this.#givesRecords) return 0;
    const firstBatchBytes = call.replyWords[at + fetchReply.firstBatchBytes] as number;
    const limit = Math.min(budget, partitionMaxBytes);
    if (firstBatchBytes > limit) return isFirst ? firstBatchBytes : 0;
    return Math.min(planned, limit);
  }
}
