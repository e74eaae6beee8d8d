// The offset index of a segment: Kafka's 8-byte entries (relative offset, file position), one per index.interval.bytes of log.
// Invariants: offsets and positions rise strictly; an entry names the last offset of the batch that starts at its position.
// Runs on: the log's owner.
import { readInt32, writeInt32 } from '../base/big-endian.ts';
import { IndexFile } from './index-file.ts';
import type { Storage } from './storage.ts';

export const OFFSET_INDEX_ENTRY_BYTES = 8;

export class OffsetIndex {
  readonly baseOffset: number;
  #entries: IndexFile;
  #entriesMax: number;
  /** What floorEntry has found last: who reads on asks for an entry close behind it. A guess, whatever became of the entries since. */
  #lastFound = -1;

  constructor(storage: Storage, path: string, baseOffset: number, sizeBytesMax: number) {
    this.baseOffset = baseOffset;
    this.#entries = new IndexFile(storage, path, OFFSET_INDEX_ENTRY_BYTES);
    this.#entriesMax = Math.floor(sizeBytesMax / OFFSET_INDEX_ENTRY_BYTES);
  }

  /** The file underneath: preallocate, trim, sync, close. */
  get file(): IndexFile {
    return this.#entries;
  }

  get entryCount(): number {
    return this.#entries.entryCount;
  }

  isFull(): boolean {
    return this.#entries.entryCount >= this.#entriesMax;
  }

  offsetAt(n: number): number {
    const at = this.#entries.seek(n);
    return this.baseOffset + readInt32(this.#entries.bytes, at);
  }

  positionAt(n: number): number {
    const at = this.#entries.seek(n);
    return readInt32(this.#entries.bytes, at + 4);
  }

  /** `lastOffset` of the batch at `position`; the caller has checked that the distance to the base offset is below 2^31. */
  append(lastOffset: number, position: number): void {
    const at = this.#entries.claim();
    writeInt32(this.#entries.bytes, at, lastOffset - this.baseOffset);
    writeInt32(this.#entries.bytes, at + 4, position);
  }

  /** The last entry whose offset is at most `offset`, or -1. */
  floorEntry(offset: number): number {
    const relative = offset - this.baseOffset;
    let found = -1;
    let high = this.#entries.entryCount - 1;
    const last = Math.min(this.#lastFound, high);
    if (last >= 0 && this.#relativeAt(last) > relative) high = last - 1;
    else if (last >= 0) {
      // In steps that double: these entries lie in one block or two, halving all of them looks into one for each of its first steps.
      found = last;
      for (let step = 1; last + step <= high; step *= 2) {
        if (this.#relativeAt(last + step) > relative) {
          high = last + step - 1;
          break;
        }
        found = last + step;
      }
    }
    for (let low = found + 1; low <= high; ) {
      const middle = (low + high) >> 1;
      if (this.#relativeAt(middle) <= relative) {
        found = middle;
        low = middle + 1;
      } else {
        high = middle - 1;
      }
    }
    this.#lastFound = found;
    return found;
  }

  #relativeAt(n: number): number {
    const at = this.#entries.seek(n);
    return readInt32(this.#entries.bytes, at);
  }

  /** Where to start looking for `offset`: a batch starts here, and the one wanted is not before it. */
  lookup(offset: number): number {
    const entry = this.floorEntry(offset);
    return entry === -1 ? 0 : this.positionAt(entry);
  }

  /** Keeps the entries of batches that end before `offset`. */
  truncateTo(offset: number): void {
    this.#entries.truncateEntries(this.floorEntry(offset - 1) + 1);
  }

  /**
   * How many entries from the first on are sound: rising, and within a log of `logSizeBytes`.
   * After a crash anything may stand in the file.
   */
  soundEntryCount(logSizeBytes: number): number {
    let offset = -1;
    let position = -1;
    const count = this.#entries.entryCount;
    for (let n = 0; n < count; n++) {
      const at = this.#entries.seek(n);
      const entryOffset = readInt32(this.#entries.bytes, at);
      const entryPosition = readInt32(this.#entries.bytes, at + 4);
      if (entryOffset <= offset || entryPosition <= position || entryPosition >= logSizeBytes) return n;
      offset = entryOffset;
      position = entryPosition;
    }
    return count;
  }
}
