// A partition of this worker whose log is not made yet: its topic was created a moment ago, and the files come behind the answer to that.
// Nothing was ever written to it, so what is asked of it without a write is answered at once, as an empty log would; what changes a log waits
// until there is one (early-requests.ts).
// Invariant: the answers are those of a LeaderReplica over an empty log of the same leader epoch.
// Runs on: the worker that placement gave the partition.
import { EARLIEST_LOCAL_TIMESTAMP, EARLIEST_TIMESTAMP, LATEST_TIMESTAMP } from '../log/named-offsets.ts';
import { ERROR } from '../protocol/errors.ts';
import { epochEndReply, fetchReply, listOffsetsReply } from './partition-messages.ts';
import type { PartitionWords, PublishedLog } from './partition-words.ts';

/** "No epoch" and "no offset" in every answer of the protocol. */
const UNKNOWN = -1;

/** The times whose answer is a place in the log: the place is 0. */
const PLACES: readonly number[] = [LATEST_TIMESTAMP, EARLIEST_TIMESTAMP, EARLIEST_LOCAL_TIMESTAMP];

const EMPTY: PublishedLog = { writtenEnd: 0, liveSegmentBaseOffset: 0, liveSegmentSizeBytes: 0 };

export class UnmadePartition {
  readonly slot: number;
  readonly topicId: string;
  readonly partition: number;
  readonly leaderEpoch: number;
  /** Path of the log directory in which the log will be. */
  readonly logDirectory: string;
  readonly #words: PartitionWords;

  constructor(slot: number, topicId: string, partition: number, leaderEpoch: number, logDirectory: string, words: PartitionWords) {
    this.slot = slot;
    this.topicId = topicId;
    this.partition = partition;
    this.leaderEpoch = leaderEpoch;
    this.logDirectory = logDirectory;
    this.#words = words;
    words.publish(slot, leaderEpoch, 0, 0, 0, EMPTY);
  }

  /** See LeaderReplica.planFetch. */
  planFetch(
    words: Int32Array,
    floats: Float64Array,
    at: number,
    _plan: unknown,
    request: { offset: number; currentLeaderEpoch: number; lastFetchedEpoch: number },
  ): number {
    words[at + fetchReply.descriptor] = UNKNOWN;
    words[at + fetchReply.divergingEpoch] = UNKNOWN;
    words[at + fetchReply.stateVersion] = this.#words.stateVersion(this.slot);
    floats[(at + fetchReply.highWatermark) >> 1] = 0;
    floats[(at + fetchReply.lastStableOffset) >> 1] = 0;
    floats[(at + fetchReply.logStartOffset) >> 1] = 0;
    floats[(at + fetchReply.divergingEndOffset) >> 1] = UNKNOWN;
    const fenced = this.#checkEpoch(request.currentLeaderEpoch);
    if (fenced !== ERROR.NONE) return fenced;
    const { offset, lastFetchedEpoch } = request;
    if (lastFetchedEpoch > this.leaderEpoch) return ERROR.OFFSET_OUT_OF_RANGE;
    if (lastFetchedEpoch >= 0 && offset > 0) {
      words[at + fetchReply.divergingEpoch] = lastFetchedEpoch;
      floats[(at + fetchReply.divergingEndOffset) >> 1] = 0;
      return ERROR.NONE;
    }
    return offset === 0 ? ERROR.NONE : ERROR.OFFSET_OUT_OF_RANGE;
  }

  /** See LeaderReplica.listOffset. */
  listOffset(
    words: Int32Array,
    floats: Float64Array,
    at: number,
    timestamp: number,
    _isolation: number,
    currentLeaderEpoch: number,
  ): number {
    const fenced = this.#checkEpoch(currentLeaderEpoch);
    const isNamed = fenced === ERROR.NONE && PLACES.includes(timestamp);
    words[at + listOffsetsReply.leaderEpoch] = isNamed ? this.leaderEpoch : UNKNOWN;
    floats[(at + listOffsetsReply.timestamp) >> 1] = UNKNOWN;
    floats[(at + listOffsetsReply.offset) >> 1] = isNamed ? 0 : UNKNOWN;
    return fenced;
  }

  /** See LeaderReplica.epochEnd. */
  epochEnd(words: Int32Array, floats: Float64Array, at: number, epoch: number, currentLeaderEpoch: number): number {
    const fenced = this.#checkEpoch(currentLeaderEpoch);
    const isKnown = fenced === ERROR.NONE && epoch !== UNKNOWN && epoch <= this.leaderEpoch;
    words[at + epochEndReply.leaderEpoch] = isKnown ? epoch : UNKNOWN;
    floats[(at + epochEndReply.endOffset) >> 1] = isKnown ? 0 : UNKNOWN;
    return fenced;
  }

  #checkEpoch(currentLeaderEpoch: number): number {
    if (currentLeaderEpoch === UNKNOWN || currentLeaderEpoch === this.leaderEpoch) return ERROR.NONE;
    return currentLeaderEpoch < this.leaderEpoch ? ERROR.FENCED_LEADER_EPOCH : ERROR.UNKNOWN_LEADER_EPOCH;
  }
}
