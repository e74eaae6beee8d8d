// What one worker may read without asking: for partitions whose tail its consumers follow, the live segment's descriptor, and at which
// file position some offsets begin. With it and the shared counters a fetch at the tail needs no hop to the owner.
// Invariant: an (offset, position) pair was read out of the file itself, at the end of a whole batch; a lease is good for one state
// version and one segment, so a roll, a truncation, a deletion or an offline directory leaves nothing of it. A slot is never given again:
// what is kept of a deleted topic goes with it, or it would stay for the life of the process.
// The owner is not told: whoever reads enters by PartitionWords.enterRead, which is what keeps the file open.
// Runs on: every worker with connections.
import type { MetadataActor } from '../metadata/metadata-actor.ts';
import type { PartitionCall } from '../partition/partition-client.ts';
import { fetchReply, READ_COMMITTED } from '../partition/partition-messages.ts';
import { PartitionMeter } from '../partition/partition-meter.ts';
import type { PartitionWords } from '../partition/partition-words.ts';
import type { FetchRequest } from '../protocol/apis/fetch.ts';
import { RESPONSE_BYTES_MAX } from './fetch-limits.ts';
import type { FetchPartition } from './fetch-sessions.ts';

/** "None" in every reply. */
const UNKNOWN = -1;
/** Offsets that are remembered of a partition: consumers at the tail ask for one of the last few. */
const MARK_COUNT = 8;

export interface TailLease {
  readonly stateVersion: number;
  readonly descriptor: number;
  readonly segmentBaseOffset: number;
  readonly offsets: Float64Array;
  readonly positions: Float64Array;
  next: number;
}

export class TailLeases {
  readonly #words: PartitionWords;
  readonly #meter: PartitionMeter;
  readonly #bySlot = new Map<number, TailLease>();

  constructor(words: PartitionWords, metadata: Pick<MetadataActor, 'onChange'>, meter = new PartitionMeter()) {
    this.#words = words;
    this.#meter = meter;
    metadata.onChange(({ topicsDeleted }) => {
      for (const { partitions } of topicsDeleted) for (const { slot } of partitions) this.#bySlot.delete(slot);
    });
  }

  /** Partitions that something is known of. */
  get count(): number {
    return this.#bySlot.size;
  }

  /** The lease of a partition, while it is good; null: ask the owner. */
  find(slot: number): TailLease | null {
    const lease = this.#bySlot.get(slot);
    if (lease === undefined) return null;
    if (this.#words.stateVersion(slot) === lease.stateVersion && this.#words.liveSegment(slot) === lease.segmentBaseOffset) return lease;
    this.#bySlot.delete(slot);
    return null;
  }

  /**
   * A fetch at the tail: the shared counters and what was learned of the live segment are the whole plan. False where they do not
   * suffice: another segment, a seek, a range that the byte limit would cut, anything that only the owner can judge.
   * `wholeBytesMax`: more may have to be cut for want of memory.
   */
  plan(
    call: PartitionCall,
    slot: number,
    asked: FetchPartition,
    { maxBytes, isolationLevel }: FetchRequest,
    wholeBytesMax: number,
  ): boolean {
    const words = this.#words;
    const lease = this.find(slot);
    if (lease === null || asked.lastFetchedEpoch >= 0) return false;
    if (asked.currentLeaderEpoch !== UNKNOWN && asked.currentLeaderEpoch !== words.leaderEpoch(slot)) return false;
    // Loaded once: what is told is what was compared, so that who parks on this plan sees by it that the start has moved meanwhile.
    const logStartOffset = words.logStartOffset(slot);
    if (asked.fetchOffset < logStartOffset) return false; // Deleted: the owner says so.
    const position = this.positionOf(lease, asked.fetchOffset);
    if (position < 0) return false;
    // The position first: the owner stores it after the watermark, so the watermark read here covers all of its bytes.
    const end = words.livePosition(slot, lease.segmentBaseOffset);
    const length = end - position;
    if (length < 0 || length > Math.min(asked.partitionMaxBytes, maxBytes, RESPONSE_BYTES_MAX)) return false;
    if (length > wholeBytesMax) return false;
    const highWatermark = words.highWatermark(slot);
    const lastStableOffset = words.lastStableOffset(slot);
    if (isolationLevel === READ_COMMITTED && lastStableOffset < highWatermark) return false;
    const at = call.addAnswered();
    const { replyWords, replyFloats } = call;
    replyWords[at + fetchReply.descriptor] = length === 0 ? UNKNOWN : lease.descriptor;
    replyWords[at + fetchReply.length] = length;
    replyWords[at + fetchReply.firstBatchBytes] = length; // Given whole or not at all.
    replyWords[at + fetchReply.stateVersion] = lease.stateVersion;
    replyWords[at + fetchReply.divergingEpoch] = UNKNOWN;
    replyWords[at + fetchReply.isLeased] = 1;
    replyFloats[(at + fetchReply.position) >> 1] = position;
    replyFloats[(at + fetchReply.segmentBaseOffset) >> 1] = lease.segmentBaseOffset;
    replyFloats[(at + fetchReply.highWatermark) >> 1] = highWatermark;
    replyFloats[(at + fetchReply.lastStableOffset) >> 1] = lastStableOffset;
    replyFloats[(at + fetchReply.logStartOffset) >> 1] = logStartOffset;
    this.#meter.plannedByLease();
    return true;
  }

  /** Where in the file the batch at `offset` begins or will begin, −1 where that is not known. */
  positionOf(lease: TailLease, offset: number): number {
    for (let mark = 0; mark < MARK_COUNT; mark++) if (lease.offsets[mark] === offset) return lease.positions[mark] as number;
    return -1;
  }

  /** A read has shown that a batch ends at `position` and the next one begins with `offset`. */
  learn(slot: number, stateVersion: number, descriptor: number, segmentBaseOffset: number, offset: number, position: number): void {
    let lease = this.#bySlot.get(slot);
    if (lease === undefined || lease.stateVersion !== stateVersion || lease.segmentBaseOffset !== segmentBaseOffset) {
      if (this.#words.stateVersion(slot) !== stateVersion) return; // The read began before the partition went.
      const offsets = new Float64Array(MARK_COUNT).fill(Number.NaN); // No offset that a client can ask for equals it.
      lease = { stateVersion, descriptor, segmentBaseOffset, offsets, positions: new Float64Array(MARK_COUNT), next: 0 };
      this.#bySlot.set(slot, lease);
    }
    if (this.positionOf(lease, offset) >= 0) return;
    lease.offsets[lease.next] = offset;
    lease.positions[lease.next] = position;
    lease.next = (lease.next + 1) % MARK_COUNT;
  }
}
