// A storage whose files can be told to fail: short writes, errors, syncs that never end. For tests of what the log makes of it.
import { MemoryStorage } from '../../src/log/memory-storage.ts';
import { type OpenMode, StorageError, type StorageFile } from '../../src/log/storage.ts';

export interface Counts {
  reads: number;
  readBytes: number;
  writes: number;
}

export class FaultyStorage extends MemoryStorage {
  /** How many more bytes fit into .log files; a write beyond is short, a write of nothing an ENOSPC. */
  roomBytes = Number.POSITIVE_INFINITY;
  /** The next sync of a .log file fails with this errno. */
  syncErrno: string | null = null;
  /** Holds the ends of syncLater back until released. */
  heldSyncs: Array<() => void> | null = null;
  /** Calls on .log files. */
  readonly counts: Counts = { reads: 0, readBytes: 0, writes: 0 };

  override open(path: string, mode: OpenMode): StorageFile {
    const file = super.open(path, mode);
    return path.endsWith('.log') ? new FaultyFile(this, file) : file;
  }
}

class FaultyFile implements StorageFile {
  readonly path: string;
  readonly #storage: FaultyStorage;
  readonly #file: StorageFile;

  constructor(storage: FaultyStorage, file: StorageFile) {
    this.#storage = storage;
    this.#file = file;
    this.path = file.path;
  }

  get descriptor(): number {
    return this.#file.descriptor;
  }

  read(target: Uint8Array, at: number, length: number, position: number): number {
    const count = this.#file.read(target, at, length, position);
    this.#storage.counts.reads++;
    this.#storage.counts.readBytes += count;
    return count;
  }

  readCached(target: Uint8Array, at: number, length: number, position: number): number {
    return this.read(target, at, length, position);
  }

  cacheLater(length: number, position: number, done: () => void): void {
    this.#file.cacheLater(length, position, done);
  }

  write(source: Uint8Array, at: number, length: number, position: number): number {
    this.#storage.counts.writes++;
    const fitting = Math.min(length, this.#storage.roomBytes);
    if (fitting === 0 && length > 0) throw new StorageError('ENOSPC', this.path, 'writing');
    this.#storage.roomBytes -= fitting;
    return this.#file.write(source, at, fitting, position);
  }

  writeGathered(pieces: readonly Uint8Array[], position: number): number {
    const whole = Buffer.concat(pieces);
    return this.write(whole, 0, whole.length, position);
  }

  sizeBytes(): number {
    return this.#file.sizeBytes();
  }

  modifiedMs(): number {
    return this.#file.modifiedMs();
  }

  truncate(sizeBytes: number): void {
    this.#file.truncate(sizeBytes);
  }

  sync(): void {
    const errno = this.#takeSyncErrno();
    if (errno !== null) throw new StorageError(errno, this.path, 'syncing');
  }

  syncLater(done: (error: StorageError | null) => void): void {
    const errno = this.#takeSyncErrno();
    const answer = (): void => done(errno === null ? null : new StorageError(errno, this.path, 'syncing'));
    if (this.#storage.heldSyncs === null) queueMicrotask(answer);
    else this.#storage.heldSyncs.push(answer);
  }

  close(): void {
    this.#file.close();
  }

  #takeSyncErrno(): string | null {
    const errno = this.#storage.syncErrno;
    this.#storage.syncErrno = null;
    return errno;
  }
}
