// Fixed-size entries in a file: what the offset index and the time index stand on.
// Invariants: entries [0, writtenCount) are in the file, [writtenCount, entryCount) wait in `#pending`; a live file is longer than
// its entries (preallocated with zeros), a sealed one is exactly as long.
// Runs on: the log's owner. Opened when first needed; lookups read one block at a time, so that memory does not grow with the log.
import { type Storage, StorageError, type StorageFile } from './storage.ts';

/** Entries that gather before they are written: with the default interval one write per 2 MB of log. */
const PENDING_ENTRIES_MAX = 512;
/** What a lookup reads at once; a multiple of both entry sizes (8 and 12). */
const BLOCK_BYTES = 3072;

/** The last block that was read, whosever it was: a binary search ends with several probes in one block. */
const block = new Uint8Array(BLOCK_BYTES);
let blockOwner: IndexFile | null = null;
let blockIndex = -1;

export class IndexFile {
  readonly entryBytes: number;
  #storage: Storage;
  #path: string;
  #file: StorageFile | null = null;
  /** Its entries are counted; a read that throws meanwhile leaves that to the next call. */
  #isCounted = false;
  #pending: Uint8Array;
  #entryCount = 0;
  #writtenCount = 0;
  #isSynced = true;
  /** Set by seek(): the bytes that hold the entry. */
  bytes: Uint8Array = block;

  constructor(storage: Storage, path: string, entryBytes: number) {
    this.#storage = storage;
    this.#path = path;
    this.entryBytes = entryBytes;
    this.#pending = new Uint8Array(0);
  }

  get path(): string {
    return this.#path;
  }

  /** Opens the file (making it where it is missing) and takes all whole entries it holds; `true` when zeros stand behind them. */
  open(): boolean {
    if (this.#isCounted) return false;
    this.#file ??= this.#storage.open(this.#path, 'create');
    const slots = Math.floor(this.#file.sizeBytes() / this.entryBytes);
    this.#entryCount = slots;
    this.#writtenCount = slots;
    let count = slots;
    if (slots > 0 && this.#isZero(slots - 1)) {
      // Preallocated and not trimmed: entries never hold only zeros, so the border is found by halving.
      count = 0;
      for (let high = slots - 1; count < high; ) {
        const middle = (count + high) >> 1;
        if (this.#isZero(middle)) high = middle;
        else count = middle + 1;
      }
    }
    this.#entryCount = count;
    this.#writtenCount = count;
    this.#isCounted = true;
    return count < slots;
  }

  get entryCount(): number {
    this.open();
    return this.#entryCount;
  }

  /** The position of entry `n` in `this.bytes`, valid until the next call on any index. */
  seek(n: number): number {
    return this.#seekIn(this.#opened(), n);
  }

  #seekIn(file: StorageFile, n: number): number {
    if (n >= this.#writtenCount) {
      this.bytes = this.#pending;
      return (n - this.#writtenCount) * this.entryBytes;
    }
    const perBlock = BLOCK_BYTES / this.entryBytes;
    const wanted = Math.floor(n / perBlock);
    if (blockOwner !== this || blockIndex !== wanted) {
      blockOwner = null;
      const count = file.read(block, 0, BLOCK_BYTES, wanted * BLOCK_BYTES);
      block.fill(0, count);
      blockOwner = this;
      blockIndex = wanted;
    }
    this.bytes = block;
    return (n - wanted * perBlock) * this.entryBytes;
  }

  /** Room for one more entry: its position in `this.bytes`, which the caller fills at once. */
  claim(): number {
    this.#opened();
    if (this.#pending.length === 0) this.#pending = new Uint8Array(PENDING_ENTRIES_MAX * this.entryBytes);
    if (this.#entryCount - this.#writtenCount === PENDING_ENTRIES_MAX) this.writePending();
    this.bytes = this.#pending;
    const at = (this.#entryCount - this.#writtenCount) * this.entryBytes;
    this.#entryCount++;
    return at;
  }

  /** One positional write of the entries that wait. Throws StorageError; a short write is repeated from where it stopped. */
  writePending(): void {
    const length = (this.#entryCount - this.#writtenCount) * this.entryBytes;
    if (length === 0) return;
    const file = this.#opened();
    let done = 0;
    while (done < length) done += file.write(this.#pending, done, length - done, this.#writtenCount * this.entryBytes + done);
    this.#writtenCount = this.#entryCount;
    this.#isSynced = false;
    if (blockOwner === this) blockOwner = null;
  }

  /** Forgets the entries from `count` on; what they leave behind in the file becomes zeros. */
  truncateEntries(count: number): void {
    const file = this.#opened();
    if (count >= this.#entryCount) return;
    this.#isSynced = false;
    if (blockOwner === this) blockOwner = null;
    if (count < this.#writtenCount) {
      const sizeBytes = file.sizeBytes();
      file.truncate(count * this.entryBytes);
      file.truncate(sizeBytes - (sizeBytes % this.entryBytes));
      this.#writtenCount = count;
    }
    this.#entryCount = count;
  }

  /** A live index: the file is as long as it may ever become, its unwritten part costs nothing (a hole). */
  preallocate(sizeBytesMax: number): void {
    const file = this.#opened();
    const wanted = Math.max(sizeBytesMax - (sizeBytesMax % this.entryBytes), this.#entryCount * this.entryBytes);
    if (file.sizeBytes() !== wanted) file.truncate(wanted);
  }

  /** A sealed index: exactly its entries. */
  trim(): void {
    this.writePending();
    this.#isSynced = false;
    this.#opened().truncate(this.#entryCount * this.entryBytes);
    this.#pending = new Uint8Array(0);
  }

  sync(): void {
    this.writePending();
    if (this.#isSynced) return;
    this.#file?.sync();
    this.#isSynced = true;
  }

  /** As sync(), off the loop. Entries that wait are written at once; a closed file has nothing to sync. */
  syncLater(done: (error: StorageError | null) => void): void {
    try {
      this.writePending();
    } catch (error) {
      if (!(error instanceof StorageError)) throw error;
      done(error);
      return;
    }
    if (this.#file === null || this.#isSynced) {
      done(null);
      return;
    }
    this.#isSynced = true; // What is written from here on is not covered by this sync and clears it again.
    this.#file.syncLater((error) => {
      if (error !== null) this.#isSynced = false;
      done(error);
    });
  }

  close(): void {
    if (blockOwner === this) blockOwner = null;
    this.#file?.close();
    this.#file = null;
    this.#isCounted = false;
  }

  /** The file was renamed, or its directory was. */
  movedTo(path: string): void {
    this.#path = path;
  }

  #opened(): StorageFile {
    this.open();
    return this.#file as StorageFile;
  }

  #isZero(n: number): boolean {
    const at = this.#seekIn(this.#file as StorageFile, n);
    for (let i = 0; i < this.entryBytes; i++) if (this.bytes[at + i] !== 0) return false;
    return true;
  }
}
