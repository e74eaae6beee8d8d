// What one worker may read without asking: for partitions whose tail its consumers follow, the live segment's descriptor, and at which
// file position some offsets begin. With it and the shared counters a fetch at the tail needs no hop to the owner.
// Invariant: an (offset, position) pair was read out of the file itself, at the end of a whole batch; a lease is good for one state
// version and one segment, so a roll, a truncation, a deletion or an offline directory leaves nothing of it.
// The owner is not told: whoever reads enters by PartitionWords.enterRead, which is what keeps the file open.
// Runs on: every worker with connections.
import type { PartitionWords } from '../partition/partition-words.ts';

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
  readonly #bySlot = new Map<number, TailLease>();

  constructor(words: PartitionWords) {
    this.#words = words;
  }

  /** The lease of a partition, while it is good; null: ask the owner. */
  find(slot: number): TailLease | null {
    const lease = this.#bySlot.get(slot);
    if (lease === undefined) return null;
    if (this.#words.stateVersion(slot) === lease.stateVersion && this.#words.liveSegment(slot) === lease.segmentBaseOffset) return lease;
    this.#bySlot.delete(slot);
    return null;
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
