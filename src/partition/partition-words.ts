// The shared counters of every partition: one block of 64 bytes a slot, written by the worker that owns the partition,
// read by all. A slot is given to a partition when its creation is replayed and never given again while the process lives,
// so a reader that holds a slot can only find its own partition there, or the note that it is gone.
//
//   word   0      state version: rises when readers must forget what they were told (deletion, directory offline, truncation)
//   word   1      leader epoch
//   word   2      readers: workers that are inside reads of the partition's files at this moment (src/partition/reader-counts.ts)
//   word   3      interest: a bit for each worker that has fetches parked here (src/actors/shared-park.ts)
//   word64 2      log start offset
//   word64 3      high watermark
//   word64 4      last stable offset
//   word64 5      log end offset (written end: never ahead of the file)
//   word64 6      base offset of the live segment
//   word  14      file position up to which the live segment may be read (a segment is at most 2^31−1 bytes long)
//   word  15      wanted: the complement of the smallest position that a parked fetch needs (src/actors/shared-park.ts)
//
// Invariant: highWatermark <= logEnd, since the owner publishes logEnd first. Each word is right by itself; between two of them the
// owner may be at work, so who compares the others (last stable, log start) with the high watermark takes the smaller.
// The wake-up bits of parked fetches lie in the same region, behind the blocks.
// Runs on: every worker.
import { ParkProtocol } from '../actors/shared-park.ts';
import { SharedWords, type Words } from '../actors/shared-words.ts';
import { ReaderCounts } from './reader-counts.ts';

/** How many partitions (created and deleted ones together) one run of the process can hold: 64 MiB of untouched address space. */
export const SLOT_COUNT_MAX = 2 ** 20;
const SLOT_BYTES = 64;
const SLOT_WORDS = SLOT_BYTES / 4;

const STATE_VERSION = 0;
const LEADER_EPOCH = 1;
const READERS = 2;
const INTEREST = 3;
const LOG_START = 4;
const HIGH_WATERMARK = 6;
const LAST_STABLE = 8;
const LOG_END = 10;
const LIVE_SEGMENT = 12;
const LIVE_POSITION = 14;
const WANTED = 15;

/** Bytes of shared memory for `slotCount` partitions and `workerCount` workers. */
export function partitionRegionBytes(slotCount: number, workerCount: number): number {
  return slotCount * SLOT_BYTES + ParkProtocol.regionBytes(slotCount, workerCount);
}

export interface PartitionWordsOptions {
  /** At least partitionRegionBytes(slotCount, workerCount) long; the same for all workers. */
  readonly region: SharedArrayBuffer;
  readonly slotCount: number;
  readonly workerCount: number;
  readonly selfIndex: number;
  /** Exchange.signal. */
  readonly signal: (worker: number) => void;
  /** What the shared accesses go through; SharedWords over the region unless a test puts its own there. */
  readonly words?: Words;
}

/** What is published of a log. */
export interface PublishedLog {
  readonly writtenEnd: number;
  readonly liveSegmentBaseOffset: number;
  readonly liveSegmentSizeBytes: number;
}

export class PartitionWords {
  /** How fetches wait for more. */
  readonly park: ParkProtocol;
  readonly #words: Words;
  readonly #readers: ReaderCounts;

  constructor({ region, slotCount, workerCount, selfIndex, signal, words = new SharedWords(region) }: PartitionWordsOptions) {
    this.#words = words;
    this.park = new ParkProtocol({
      words: this.#words,
      slotCount,
      workerCount,
      selfIndex,
      slotStrideWords: SLOT_WORDS,
      interestWord: INTEREST,
      wantedWord: WANTED,
      bitsWord: slotCount * SLOT_WORDS,
      signal,
    });
    this.#readers = new ReaderCounts({ words, slotStrideWords: SLOT_WORDS, versionWord: STATE_VERSION, readersWord: READERS });
  }

  stateVersion(slot: number): number {
    return this.#words.load(slot * SLOT_WORDS + STATE_VERSION);
  }
  /** Whatever was planned is void. For a partition that nobody plans for any more: only then all readers leave (hasReaders). Runs on: the owner. */
  raiseStateVersion(slot: number): void {
    this.#words.add(slot * SLOT_WORDS + STATE_VERSION, 1);
  }
  /** The same in a partition that lives on; see ReaderCounts.tryRaise. Runs on: the owner. */
  tryRaiseStateVersion(slot: number): boolean {
    return this.#readers.tryRaise(slot);
  }
  leaderEpoch(slot: number): number {
    return this.#words.load(slot * SLOT_WORDS + LEADER_EPOCH);
  }
  logStartOffset(slot: number): number {
    return this.#words.load64(slot * SLOT_WORDS + LOG_START);
  }
  highWatermark(slot: number): number {
    return this.#words.load64(slot * SLOT_WORDS + HIGH_WATERMARK);
  }
  lastStableOffset(slot: number): number {
    return this.#words.load64(slot * SLOT_WORDS + LAST_STABLE);
  }
  logEndOffset(slot: number): number {
    return this.#words.load64(slot * SLOT_WORDS + LOG_END);
  }
  liveSegment(slot: number): number {
    return this.#words.load64(slot * SLOT_WORDS + LIVE_SEGMENT);
  }
  /** How far the segment of this base offset may be read, −1 when it is not the live one. */
  livePosition(slot: number, segmentBaseOffset: number): number {
    const base = slot * SLOT_WORDS;
    if (this.#words.load64(base + LIVE_SEGMENT) !== segmentBaseOffset) return -1;
    const position = this.#words.load(base + LIVE_POSITION);
    // Looked at twice: with a roll between the two loads the position could be the next segment's. The owner stores 0 before it
    // stores a new segment, so a position between two equal looks is this segment's, or 0.
    return this.#words.load64(base + LIVE_SEGMENT) === segmentBaseOffset ? position : -1;
  }
  /**
   * Publishes all ends and wakes those who have enough now. The order: the log end before the high watermark (readers see highWatermark <= logEnd),
   * the watermark before the position (a reader never gets bytes beyond the watermark that it tells), all of it before the wake-up.
   * Runs on: the owner.
   */
  publish(slot: number, leaderEpoch: number, logStart: number, lastStable: number, highWatermark: number, log: PublishedLog): void {
    const base = slot * SLOT_WORDS;
    const words = this.#words;
    words.store64(base + LOG_END, log.writtenEnd);
    const isOther = words.load64(base + LOG_START) !== logStart || words.load(base + LEADER_EPOCH) !== leaderEpoch;
    words.store64(base + LOG_START, logStart);
    words.store(base + LEADER_EPOCH, leaderEpoch);
    words.store64(base + HIGH_WATERMARK, highWatermark);
    words.store64(base + LAST_STABLE, lastStable);
    const hasRolled = words.load64(base + LIVE_SEGMENT) !== log.liveSegmentBaseOffset;
    if (hasRolled) {
      words.store(base + LIVE_POSITION, 0);
      words.store64(base + LIVE_SEGMENT, log.liveSegmentBaseOffset);
    }
    words.store(base + LIVE_POSITION, log.liveSegmentSizeBytes);
    // A wanted position is one of the segment before, and does not tell when records become stable.
    if (isOther || hasRolled || lastStable !== highWatermark) this.park.wake(slot);
    else this.park.published(slot, log.liveSegmentSizeBytes);
  }

  /** Enters a read of a file that a plan of `stateVersion` named; see ReaderCounts.enter. False: the plan is void, ask the owner again. */
  enterRead(slot: number, stateVersion: number): boolean {
    return this.#readers.enter(slot, stateVersion);
  }
  leaveRead(slot: number, stateVersion: number): void {
    this.#readers.leave(slot, stateVersion);
  }
  /** Whether any thread is inside a read. Runs on: the owner, after raiseStateVersion, before it closes a file. */
  hasReaders(slot: number): boolean {
    return this.#readers.hasAny(slot);
  }
  /** Whether any thread is inside a read planned before tryRaiseStateVersion made the version `raisedTo`. Runs on: the owner, before it closes a file. */
  hasEarlierReaders(slot: number, raisedTo: number): boolean {
    return this.#readers.hasEarlier(slot, raisedTo);
  }
}
