// The real disk: node:fs, synchronous calls, positional reads and writes.
// Invariant: nothing is thrown but StorageError, and it names the errno and the file.
// Runs on: any worker; one owner per file. What ends in `Later` uses libuv's pool. Not the place for retries: callers compare counts.
import * as fs from 'node:fs';
import { KIB, MIB } from '../base/units.ts';
import { CANNOT_TELL, READ_CACHED_BYTES_MAX, rangeCached, readCached, WOULD_WAIT } from '../native/range-cached.ts';
import { parentDirectory } from './file-names.ts';
import { isInMemory } from './file-system.ts';
import { NOT_CACHED, type OpenMode, type Storage, StorageError, type StorageFile } from './storage.ts';
import { virtualFile } from './virtual-descriptors.ts';

const OPEN_FLAGS: Record<OpenMode, number> = {
  read: fs.constants.O_RDONLY,
  'read-write': fs.constants.O_RDWR,
  create: fs.constants.O_RDWR | fs.constants.O_CREAT,
};
const FILE_MODE = 0o644;
/**
 * The most that one system call writes, and where more is to be written no further than to a multiple of it in the file. Linux takes memory for what a call writes in one
 * piece as large as the call and its place in the file allow. On a virtual machine that reports free memory to its host, pieces of 128 KiB and
 * more are those the host has taken back, and each is faulted in again: docs/decisions/0024-write-sizes.md.
 */
const WRITE_BYTES_MAX = 64 * 1024;

/**
 * Reads what a read plan names into target[at, at + length): the bytes read, fewer than asked only at the end of the file.
 * Throws StorageError. For readers that are not the file's owner, and so have its descriptor alone.
 */
export function readDescriptor(descriptor: number, target: Uint8Array, at: number, length: number, position: number): number {
  if (descriptor >= 0) return readFully(descriptor, `descriptor ${descriptor}`, target, at, length, position);
  const file = virtualFile(descriptor);
  if (file === undefined) throw new StorageError('EBADF', `descriptor ${descriptor}`, 'reading');
  return file.read(target, at, length, position);
}

/** The same in libuv's pool. Rejects with StorageError. `target` may be shared memory; it must stay where it is until then. */
export function readDescriptorLater(descriptor: number, target: Uint8Array, at: number, length: number, position: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const readOn = (total: number): void => {
      fs.read(descriptor, target, at + total, length - total, position + total, (error, count) => {
        if (error !== null) reject(storageError(error, `descriptor ${descriptor}`, 'reading'));
        else if (count === 0 || total + count === length) resolve(total + count);
        else readOn(total + count);
      });
    };
    readOn(0);
  });
}

function readFully(descriptor: number, path: string, target: Uint8Array, at: number, length: number, position: number): number {
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

/** Windows has no directory descriptors to sync; its file systems journal their names. */
const CAN_SYNC_DIRECTORIES = process.platform !== 'win32';

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

class DiskFile implements StorageFile {
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
    if (length <= READ_CACHED_BYTES_MAX) {
      const count = readCached()?.(this.#descriptor, target, at, length, position) ?? CANNOT_TELL;
      if (count >= 0) return count;
      if (count === WOULD_WAIT) return NOT_CACHED;
    } else {
      const isCached = rangeCached()?.(this.#descriptor, position, length) ?? null;
      if (isCached !== null) return isCached ? this.read(target, at, length, position) : NOT_CACHED;
    }
    if (position + length > this.#writtenTo - RECENT_BYTES && this.#writtenTo >= 0) return this.read(target, at, length, position);
    this.#isInMemory ??= isInMemory(parentDirectory(this.path));
    return this.#isInMemory || this.#wasBrought(length, position) ? this.read(target, at, length, position) : NOT_CACHED;
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

export class FileStorage implements Storage {
  readonly #open = new Set<DiskFile>();

  /** Closes all files that are open: whoever had them has failed. What the medium refuses by now is nobody's concern. */
  abandon(): void {
    for (const file of this.#open) {
      try {
        file.close();
      } catch {}
    }
  }

  open(path: string, mode: OpenMode): StorageFile {
    try {
      return new DiskFile(path, fs.openSync(path, OPEN_FLAGS[mode], FILE_MODE), this.#open);
    } catch (error) {
      throw storageError(error, path, 'opening');
    }
  }

  exists(path: string): boolean {
    return fs.existsSync(path);
  }

  list(path: string): string[] {
    try {
      return fs.readdirSync(path);
    } catch (error) {
      const refusal = storageError(error, path, 'listing');
      if (refusal.errno === 'ENOENT') return [];
      throw refusal;
    }
  }

  isDirectory(path: string): boolean {
    try {
      return fs.statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
    } catch (error) {
      throw storageError(error, path, 'looking at');
    }
  }

  makeDirectory(path: string): void {
    try {
      fs.mkdirSync(path);
    } catch (error) {
      const refusal = storageError(error, path, 'making');
      if (refusal.errno !== 'EEXIST' || !this.isDirectory(path)) throw refusal;
    }
  }

  makeDirectories(path: string): void {
    const missing = [path];
    for (let above = parentDirectory(path); !this.exists(above) && above !== missing.at(-1); above = parentDirectory(above))
      missing.push(above);
    try {
      // One by one: with `recursive`, Node.js 26 tries for ever where the system answers ENOENT below a directory that is there, as in /proc.
      for (const each of missing.reverse()) this.makeDirectory(each);
    } catch (error) {
      throw error instanceof StorageError ? new StorageError(error.errno, path, 'making', error) : error;
    }
  }

  rename(from: string, to: string): void {
    try {
      fs.renameSync(from, to);
    } catch (error) {
      throw storageError(error, from, 'renaming');
    }
  }

  remove(path: string): void {
    try {
      fs.rmSync(path, { recursive: true, force: true });
    } catch (error) {
      throw storageError(error, path, 'removing');
    }
  }

  removeLater(path: string, done: (error: StorageError | null) => void): void {
    fs.rm(path, { recursive: true, force: true }, (error) => done(error === null ? null : storageError(error, path, 'removing')));
  }

  syncDirectory(path: string): void {
    if (!CAN_SYNC_DIRECTORIES) return;
    try {
      const descriptor = fs.openSync(path, fs.constants.O_RDONLY);
      try {
        fs.fsyncSync(descriptor);
      } finally {
        fs.closeSync(descriptor);
      }
    } catch (error) {
      throw storageError(error, path, 'syncing');
    }
  }

  syncPathLater(path: string, done: (error: StorageError | null) => void): void {
    const hear = (error: Error | null): void => done(error === null ? null : storageError(error, path, 'syncing'));
    fs.open(path, CAN_SYNC_DIRECTORIES ? fs.constants.O_RDONLY : fs.constants.O_RDWR, (openError, descriptor) => {
      if (openError !== null) {
        // Windows opens no directory, and needs none to be synced.
        hear(!CAN_SYNC_DIRECTORIES && this.isDirectory(path) ? null : openError);
        return;
      }
      fs.fsync(descriptor, (syncError) => {
        fs.close(descriptor, (closeError) => hear(syncError ?? closeError ?? null));
      });
    });
  }

  readText(path: string): string | null {
    try {
      return fs.readFileSync(path, 'utf8');
    } catch (error) {
      const refusal = storageError(error, path, 'reading');
      if (refusal.errno === 'ENOENT') return null;
      throw refusal;
    }
  }

  replaceText(path: string, text: string): void {
    const temporary = `${path}.tmp`;
    try {
      const descriptor = fs.openSync(temporary, fs.constants.O_WRONLY | fs.constants.O_CREAT | fs.constants.O_TRUNC, FILE_MODE);
      try {
        fs.writeFileSync(descriptor, text);
        fs.fsyncSync(descriptor);
      } finally {
        fs.closeSync(descriptor);
      }
      fs.renameSync(temporary, path);
    } catch (error) {
      throw storageError(error, path, 'replacing');
    }
    this.syncDirectory(parentDirectory(path));
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
