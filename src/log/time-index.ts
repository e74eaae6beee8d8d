// The time index of a segment: Kafka's 12-byte entries (timestamp, relative offset): the largest timestamp up to a batch, and the
// last offset of the batch that has it.
// Invariants: timestamps rise strictly, offsets with them; the last slot is kept for the entry that sealing the segment adds.
// Runs on: the log's owner.
import { readInt32, readInt64, writeInt32, writeInt64 } from '../base/big-endian.ts';
import { IndexFile } from './index-file.ts';
import type { Storage } from './storage.ts';

export const TIME_INDEX_ENTRY_BYTES = 12;

export class TimeIndex {
  readonly baseOffset: number;
  #entries: IndexFile;
  #entriesMax: number;
  #isLastKnown = false;
  #lastTimestamp = -1;

  constructor(storage: Storage, path: string, baseOffset: number, sizeBytesMax: number) {
    this.baseOffset = baseOffset;
    this.#entries = new IndexFile(storage, path, TIME_INDEX_ENTRY_BYTES);
    this.#entriesMax = Math.floor(sizeBytesMax / TIME_INDEX_ENTRY_BYTES);
  }

  get file(): IndexFile {
    return this.#entries;
  }

  get entryCount(): number {
    return this.#entries.entryCount;
  }

  isFull(): boolean {
    return this.#entries.entryCount >= this.#entriesMax - 1;
  }

  timestampAt(n: number): number {
    const at = this.#entries.seek(n);
    return readInt64(this.#entries.bytes, at);
  }

  offsetAt(n: number): number {
    const at = this.#entries.seek(n);
    return this.baseOffset + readInt32(this.#entries.bytes, at + 8);
  }

  /** Milliseconds of the last entry, -1 without one. */
  lastTimestamp(): number {
    if (!this.#isLastKnown) {
      const count = this.#entries.entryCount;
      this.#lastTimestamp = count === 0 ? -1 : this.timestampAt(count - 1);
      this.#isLastKnown = true;
    }
    return this.#lastTimestamp;
  }

  /** Adds an entry where the timestamp is a new largest one; nothing otherwise. */
  maybeAppend(timestampMs: number, lastOffset: number): void {
    if (timestampMs <= this.lastTimestamp()) return;
    const at = this.#entries.claim();
    writeInt64(this.#entries.bytes, at, timestampMs);
    writeInt32(this.#entries.bytes, at + 8, lastOffset - this.baseOffset);
    this.#lastTimestamp = timestampMs;
  }

  /** The last entry whose timestamp is below `timestampMs`, or -1: records before it are older than what is looked for. */
  lowerEntry(timestampMs: number): number {
    let found = -1;
    for (let low = 0, high = this.#entries.entryCount - 1; low <= high; ) {
      const middle = (low + high) >> 1;
      if (this.timestampAt(middle) < timestampMs) {
        found = middle;
        low = middle + 1;
      } else {
        high = middle - 1;
      }
    }
    return found;
  }

  /** Keeps the entries of batches that end before `offset`. */
  truncateTo(offset: number): void {
    let count = this.#entries.entryCount;
    while (count > 0 && this.offsetAt(count - 1) >= offset) count--;
    this.#entries.truncateEntries(count);
    this.#isLastKnown = false;
  }

  /** Keeps the first `count` entries. */
  truncateEntries(count: number): void {
    this.#entries.truncateEntries(count);
    this.#isLastKnown = false;
  }

  /** How many entries from the first on are sound: rising, and below `endOffset`. */
  soundEntryCount(endOffset: number): number {
    let timestamp = -1;
    let offset = -1;
    const count = this.#entries.entryCount;
    for (let n = 0; n < count; n++) {
      const entryTimestamp = this.timestampAt(n);
      const entryOffset = this.offsetAt(n);
      if (entryTimestamp <= timestamp || entryOffset <= offset || entryOffset < this.baseOffset || entryOffset >= endOffset) return n;
      timestamp = entryTimestamp;
      offset = entryOffset;
    }
    return count;
  }
}
