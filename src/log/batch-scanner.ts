// Walks the batches of a segment file through a reused buffer: headers alone for lookups, whole batches for recovery.
// Invariant: after next() === true, `bytes[at, at + loaded)` are the batch's first bytes, its header at least.
// Runs on: the log's owner. One walk at a time per scanner.
import { BATCH_CHECK, BATCH_OVERHEAD_BYTES, batchSizeBytes, checkBatchFrame } from '../protocol/records/batch.ts';
import type { StorageFile } from './storage.ts';

export class BatchScanner {
  bytes: Uint8Array;
  /** Where the current batch begins in `bytes`. */
  at = 0;
  /** Where it begins in the file. */
  position = 0;
  sizeBytes = 0;
  /** Set when next() stopped in front of something that is no whole batch of format 2: the reason (BATCH_CHECK). */
  stoppedBy: number = BATCH_CHECK.OK;
  #file: StorageFile | null = null;
  #end = 0;
  #next = 0;
  #loadedFrom = 0;
  #loadedTo = 0;

  constructor(capacityBytes: number) {
    this.bytes = new Uint8Array(capacityBytes);
  }

  /** Starts a walk over [position, end) of `file`; a batch begins at `position`. */
  start(file: StorageFile, position: number, end: number): void {
    this.#file = file;
    this.#next = position;
    this.#end = end;
    this.#loadedFrom = position;
    this.#loadedTo = position;
    this.stoppedBy = BATCH_CHECK.OK;
  }

  /** Moves to the next batch's header; false at the end or at what is no batch (`stoppedBy`). Reads nothing behind the header. */
  next(): boolean {
    const position = this.#next;
    if (position >= this.#end) return false;
    const available = this.#end - position;
    if (!this.#load(position, Math.min(available, BATCH_OVERHEAD_BYTES), this.bytes.length)) return this.#stop(BATCH_CHECK.TRUNCATED);
    // `available` counts what the file has, of which the header alone is loaded: checkBatchFrame reads no further.
    const check = checkBatchFrame(this.bytes, this.at, available);
    if (check !== BATCH_CHECK.OK) return this.#stop(check);
    this.position = position;
    this.sizeBytes = batchSizeBytes(this.bytes, this.at);
    this.#next = position + this.sizeBytes;
    return true;
  }

  /** The next call of next() gives the current batch once more, from the bytes that are loaded. */
  again(): void {
    this.#next = this.position;
  }

  /** Loads all of the current batch; false where the file is shorter than it says. */
  loadWhole(): boolean {
    return this.#load(this.position, this.sizeBytes, Math.max(this.bytes.length, this.sizeBytes));
  }

  /** `this.at` = the place of file position `from`, with at least `length` bytes there; reads up to `ahead` bytes at once. */
  #load(from: number, length: number, ahead: number): boolean {
    if (from < this.#loadedFrom || from + length > this.#loadedTo) {
      if (length > this.bytes.length) this.bytes = new Uint8Array(length);
      const wanted = Math.min(this.#end - from, Math.max(length, Math.min(ahead, this.bytes.length)));
      const count = this.#file === null ? 0 : this.#file.read(this.bytes, 0, wanted, from);
      this.#loadedFrom = from;
      this.#loadedTo = from + count;
    }
    this.at = from - this.#loadedFrom;
    return from + length <= this.#loadedTo;
  }

  #stop(check: number): false {
    this.stoppedBy = check;
    this.position = this.#next;
    return false;
  }
}

/** Lookups read headers within one index interval: two intervals at once. */
const LOOKUP_BYTES = 8192;
/** One per thread: a lookup runs to its end before the next begins. */
export const lookupScanner = new BatchScanner(LOOKUP_BYTES);
