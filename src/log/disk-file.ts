// An open file of the real disk: node:fs, synchronous calls, positional reads and writes.
// Invariant: nothing is thrown but StorageError, and it names the errno and the file.
// Runs on: any worker; one owner per file. What ends in `Later` uses libuv's pool. Not the place for retries: callers compare counts.
import * as fs from 'node:fs';
import { KIB, MIB } from '../base/units.ts';
import { CANNOT_TELL, READ_CACHED_BYTES_MAX, rangeCached, readCached, WOULD_WAIT } from '../native/range-cached.ts';
import { parentDirectory } from './file-names.ts';
import { isInMemory } from './file-system.ts';
import { NOT_CACHED, StorageError, type StorageFile } from './storage.ts';

/**
 * The most that one system call writes, and where more is to be written no further than to a multiple of it in the file. Linux takes memory for what a call writes in one
 * piece as large as the call and its place in the file allow. On a virtual machine that reports free memory to its host, pieces of 128 KiB and
 * more are those the host has taken back, and each is faulted in again: docs/decisions/0024-write-sizes.md.
 */
const WRITE_BYTES_MAX = 64 * 1024;

/** How far behind what was written last to a file the rest counts as cached, where nobody can tell. */
const RECENT_BYTES = 64 * MIB;
/** Where reads that are thrown away go, of all files at once; made when first needed. */
let discarded: Uint8Array | null = null;
const DISCARD_BYTES = 256 * KIB;
/**
 * How long what the pool has read of a file counts as cached where nobody can tell, and how many of its ranges: otherwise each question there
 * would have the pool read them anew. Eight that grow as those of one question do (scheduler/cold-reads.ts) are 16 MiB.
 */
const BROUGHT_FOR_MS = 30_000;
const BROUGHT_COUNT_MAX = 8;

export class DiskFile implements StorageFile {
  readonly path: string;
  readonly #open: Set<DiskFile>;
  #descriptor: number;
  /** Jobs in the pool: the descriptor must not be closed (and given to another file) under them. */
  #jobsInFlight = 0;
  #isClosing = false;
  /** Behind the last byte that was written since it was opened. */
  #writtenTo = -1;
  /** What the pool has read of it, the oldest first; null while nobody has had to guess what is cached. */
  #brought: { from: number; to: number; atMs: number }[] | null = null;
  /** Whether it lies in memory alone; null until somebody has to know. */
  #isInMemory: boolean | null = null;

  /** It stands in `open` until it is closed. */
  constructor(path: string, descriptor: number, open: Set<DiskFile>) {
    this.path = path;
    this.#descriptor = descriptor;
    this.#open = open;
    open.add(this);
  }

  get descriptor(): number {
    return this.#descriptor;
  }

  read(target: Uint8Array, at: number, length: number, position: number): number {
    return readFully(this.#descriptor, this.path, target, at, length, position);
  }

  readCached(target: Uint8Array, at: number, length: number, position: number): number {
    if (this.#isInMemory === true) return this.read(target, at, length, position);
    if (length <= READ_CACHED_BYTES_MAX) {
      const count = readCached()?.(this.#descriptor, target, at, length, position) ?? CANNOT_TELL;
      if (count >= 0) return count;
      if (count === WOULD_WAIT) return NOT_CACHED;
    } else {
      const isCached = rangeCached()?.(this.#descriptor, position, length) ?? null;
      if (isCached !== null) return isCached ? this.read(target, at, length, position) : NOT_CACHED;
    }
    this.#isInMemory ??= isInMemory(parentDirectory(this.path));
    const isRecent = this.#writtenTo >= 0 && position + length > this.#writtenTo - RECENT_BYTES;
    return this.#isInMemory || isRecent || this.#wasBrought(length, position) ? this.read(target, at, length, position) : NOT_CACHED;
  }

  /** A failure is heard of by who reads there next. */
  cacheLater(length: number, position: number, done: () => void): void {
    if (this.#isClosing) return queueMicrotask(done); // Who asked may have waited for others longer than the file was there.
    discarded ??= new Uint8Array(DISCARD_BYTES);
    const bytes = discarded;
    const end = position + length;
    this.#jobsInFlight++;
    const readOn = (from: number): void => {
      fs.read(this.#descriptor, bytes, 0, Math.min(end - from, bytes.length), from, (error, count) => {
        if (error === null && count > 0 && from + count < end && !this.#isClosing) return readOn(from + count);
        if (error === null) this.#remember(position, end);
        try {
          this.#jobEnded();
        } catch (closeError) {
          if (!(closeError instanceof StorageError)) throw closeError; // What was read to be thrown away is nobody's loss.
        }
        done();
      });
    };
    readOn(position);
  }

  write(source: Uint8Array, at: number, length: number, position: number): number {
    this.#writtenTo = Math.max(this.#writtenTo, position + length);
    let total = 0;
    try {
      do {
        const part = roomFor(length - total, position + total);
        const count = fs.writeSync(this.#descriptor, source, at + total, part, position + total);
        total += count;
        if (count < part) break;
      } while (total < length);
      return total;
    } catch (error) {
      if (total > 0) return total; // A short write; what refused the rest refuses its second try as well.
      throw storageError(error, this.path, 'writing');
    }
  }

  writeGathered(pieces: readonly Uint8Array[], position: number): number {
    let length = 0;
    for (const piece of pieces) length += piece.length;
    this.#writtenTo = Math.max(this.#writtenTo, position + length);
    let total = 0;
    let next = 0; // The piece that comes next,
    let at = 0; // and how much of it is written.
    try {
      while (total < length) {
        const part = roomFor(length - total, position + total);
        const group: Uint8Array[] = [];
        for (let left = part; left > 0; ) {
          const piece = pieces[next] as Uint8Array;
          const end = Math.min(piece.length, at + left);
          group.push(end - at === piece.length ? piece : piece.subarray(at, end));
          left -= end - at;
          at = end;
          if (end < piece.length) continue;
          next++;
          at = 0;
        }
        const count = fs.writevSync(this.#descriptor, group, position + total);
        total += count;
        if (count < part) break;
      }
      return total;
    } catch (error) {
      if (total > 0) return total;
      throw storageError(error, this.path, 'writing');
    }
  }

  sizeBytes(): number {
    try {
      return fs.fstatSync(this.#descriptor).size;
    } catch (error) {
      throw storageError(error, this.path, 'looking at');
    }
  }

  modifiedMs(): number {
    try {
      return Math.floor(fs.fstatSync(this.#descriptor).mtimeMs);
    } catch (error) {
      throw storageError(error, this.path, 'looking at');
    }
  }

  truncate(sizeBytes: number): void {
    try {
      fs.ftruncateSync(this.#descriptor, sizeBytes);
    } catch (error) {
      throw storageError(error, this.path, 'truncating');
    }
  }

  sync(): void {
    try {
      fs.fdatasyncSync(this.#descriptor);
    } catch (error) {
      throw storageError(error, this.path, 'syncing');
    }
  }

  syncLater(done: (error: StorageError | null) => void): void {
    this.#jobsInFlight++;
    fs.fdatasync(this.#descriptor, (error) => {
      let failure = error === null ? null : storageError(error, this.path, 'syncing');
      try {
        this.#jobEnded();
      } catch (closeError) {
        failure ??= closeError as StorageError; // Nothing else is thrown there.
      }
      done(failure);
    });
  }

  close(): void {
    this.#isClosing = true;
    if (this.#descriptor !== -1 && this.#jobsInFlight === 0) this.#close();
  }

  #wasBrought(length: number, position: number): boolean {
    this.#brought ??= [];
    const sinceMs = performance.now() - BROUGHT_FOR_MS;
    return this.#brought.some(({ from, to, atMs }) => from <= position && position + length <= to && atMs > sinceMs);
  }

  #remember(from: number, to: number): void {
    if (this.#brought === null) return;
    this.#brought.push({ from, to, atMs: performance.now() });
    if (this.#brought.length > BROUGHT_COUNT_MAX) this.#brought.shift();
  }

  #jobEnded(): void {
    this.#jobsInFlight--;
    if (this.#isClosing && this.#jobsInFlight === 0) this.#close();
  }

  #close(): void {
    const descriptor = this.#descriptor;
    this.#descriptor = -1;
    this.#open.delete(this);
    try {
      fs.closeSync(descriptor);
    } catch (error) {
      throw storageError(error, this.path, 'closing');
    }
  }
}

/** Reads until `length` bytes are there or the file ends: how many. Throws StorageError, which names `path`. */
export function readFully(descriptor: number, path: string, target: Uint8Array, at: number, length: number, position: number): number {
  try {
    let total = 0;
    // One call in all but the rarest cases: a read may be cut short by a signal.
    while (total < length) {
      const count = fs.readSync(descriptor, target, at + total, length - total, position + total);
      if (count === 0) break;
      total += count;
    }
    return total;
  } catch (error) {
    throw storageError(error, path, 'reading');
  }
}

/** How many of `length` bytes one call writes at `position`. */
function roomFor(length: number, position: number): number {
  return length <= WRITE_BYTES_MAX ? length : WRITE_BYTES_MAX - (position % WRITE_BYTES_MAX);
}

/** What Node throws for a refusal of the operating system, as a StorageError. */
export function storageError(error: unknown, path: string, doing: string): StorageError {
  const errno = Error.isError(error) && 'code' in error && typeof error.code === 'string' ? error.code : 'EIO';
  return new StorageError(errno, path, doing, error);
}
