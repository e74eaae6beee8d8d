// A range of a segment file that a fetch answer promises: what was planned of it, and how its bytes are had.
// Invariant: entered (PartitionWords.enterRead) by whoever makes it, and left once: so long the owner keeps the file open.
// Runs on: the worker of the connection.
import type { FileRange } from '../network/file-range.ts';
import type { PartitionWords } from '../partition/partition-words.ts';
import type { RecordsRange } from '../protocol/schema.ts';
import type { FetchPartition } from './fetch-sessions.ts';
import type { SegmentReader } from './segment-reader.ts';

/** What the plan says of it. */
export interface PlannedRange {
  readonly partition: FetchPartition;
  readonly slot: number;
  readonly descriptor: number;
  readonly position: number;
  readonly length: number;
  readonly stateVersion: number;
  readonly segmentBaseOffset: number;
  /** Written while the fetch waited for it. */
  readonly isNew: boolean;
  /** Its end may be leased: aborted transactions, which only the owner tells of, lie wholly in front of its beginning. */
  readonly isTeaching: boolean;
}

export class ServedRange implements FileRange, PlannedRange {
  readonly partition: FetchPartition;
  readonly slot: number;
  readonly descriptor: number;
  readonly position: number;
  readonly length: number;
  readonly stateVersion: number;
  readonly segmentBaseOffset: number;
  /** Where the records go in the answer. */
  readonly records: RecordsRange;
  /** It leaves from the file, not from the answer's memory. */
  readonly isSentFromFile: boolean;
  readonly isNew: boolean;
  readonly isTeaching: boolean;
  /** Found in the page cache: read on the loop, at once or in shares. */
  isReadHere = false;
  readonly #words: PartitionWords;
  readonly #reader: SegmentReader;

  constructor(words: PartitionWords, reader: SegmentReader, isSentFromFile: boolean, plan: PlannedRange) {
    this.partition = plan.partition;
    this.slot = plan.slot;
    this.descriptor = plan.descriptor;
    this.position = plan.position;
    this.length = plan.length;
    this.stateVersion = plan.stateVersion;
    this.segmentBaseOffset = plan.segmentBaseOffset;
    this.records = isSentFromFile ? { position: 0, length: plan.length, gapBytes: 0 } : { position: 0, length: plan.length };
    this.isSentFromFile = isSentFromFile;
    this.isNew = plan.isNew;
    this.isTeaching = plan.isTeaching;
    this.#words = words;
    this.#reader = reader;
  }

  isCached(at: number, length: number): boolean {
    // Not so what a lease plans for a consumer that comes back after a while; and a range that leaves from the file may wait for its reader.
    if (this.isNew && !this.isSentFromFile) return true;
    const end = this.#words.livePosition(this.slot, this.segmentBaseOffset);
    const behindEndBytes = end < 0 ? Number.POSITIVE_INFINITY : end - (this.position + at + length);
    return this.#reader.isCached(this.descriptor, this.position + at, length, behindEndBytes);
  }

  readNow(target: Uint8Array, to: number, at: number, length: number): number {
    return this.#reader.readNow(this.descriptor, target, to, length, this.position + at);
  }

  readLater(target: Uint8Array, to: number, at: number, length: number, done: (count: number) => void): void {
    this.#reader.readLater(this.descriptor, target, to, length, this.position + at, done);
  }

  leave(): void {
    this.#words.leaveRead(this.slot, this.stateVersion);
  }
}
