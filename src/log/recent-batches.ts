// Where the last batches of the live segment begin, so that reads near the tail touch no file.
// Invariant: the batches noted lie one behind the other and reach to the end of the live segment.
// Pure.

/** How many are kept: at 1 KB a batch, the last 64 KB. A power of two. */
const KEPT = 64;
const MASK = KEPT - 1;

export class RecentBatches {
  #baseOffsets = new Float64Array(KEPT);
  #positions = new Int32Array(KEPT);
  #count = 0;
  #next = 0;

  /** Another segment is live, or the tail was cut. */
  clear(): void {
    this.#count = 0;
  }

  add(baseOffset: number, position: number): void {
    this.#baseOffsets[this.#next] = baseOffset;
    this.#positions[this.#next] = position;
    this.#next = (this.#next + 1) & MASK;
    if (this.#count < KEPT) this.#count++;
  }

  /** The slot of the batch that holds `offset`, which is below the log's end; -1 where it began before what is kept. */
  find(offset: number): number {
    for (let back = 1; back <= this.#count; back++) {
      const slot = (this.#next - back) & MASK;
      if ((this.#baseOffsets[slot] as number) <= offset) return slot;
    }
    return -1;
  }

  baseOffset(slot: number): number {
    return this.#baseOffsets[slot] as number;
  }

  position(slot: number): number {
    return this.#positions[slot] as number;
  }

  /** Where the batch in `slot` ends, given the end of the segment. */
  endPosition(slot: number, segmentEnd: number): number {
    const following = (slot + 1) & MASK;
    return following === this.#next ? segmentEnd : (this.#positions[following] as number);
  }
}
