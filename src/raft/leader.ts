// The leader of an epoch: it knows how far each voter's synced log reaches, and from that what is committed.
// Invariant: highWatermark never falls, and it moves only once a majority holds the record that opened this leader's epoch
// (records of earlier epochs are committed with it, never by counting copies alone).
// Pure.
import type { VoterSet } from './voter-set.ts';

export class Leader {
  readonly role = 'leader';
  readonly epoch: number;
  /** Offset of this epoch's LeaderChange record. */
  readonly epochStartOffset: number;
  highWatermark = -1;
  readonly #voters: VoterSet;
  /** By voter id: all records below are on that voter's disk. A voter that has not been heard of holds nothing. */
  readonly #endOffsets = new Map<number, number>();

  constructor(epoch: number, epochStartOffset: number, voters: VoterSet) {
    this.epoch = epoch;
    this.epochStartOffset = epochStartOffset;
    this.#voters = voters;
  }

  /** Notes a voter's synced end; true when the high watermark rose by it. Non-voters (observers) count for nothing. */
  advance(voterId: number, directoryId: string, endOffset: number): boolean {
    if (!this.#voters.has(voterId, directoryId)) return false;
    if (endOffset <= (this.#endOffsets.get(voterId) ?? 0)) return false;
    this.#endOffsets.set(voterId, endOffset);
    const ends = this.#voters.ids().map((id) => this.#endOffsets.get(id) ?? 0);
    ends.sort((a, b) => b - a);
    const held = ends[this.#voters.majority - 1] ?? 0; // A majority's logs reach at least here.
    if (held <= this.epochStartOffset || held <= this.highWatermark) return false;
    this.highWatermark = held;
    return true;
  }
}
