// What the log needs of a disk, so that files, memory and the simulated disk are interchangeable.
// Every call is synchronous and runs on the owner's worker; slow ones (sync of much data) also exist as jobs of the I/O queue.
// Runs on: any worker; one owner per file.

/** An operating system's refusal: `errno` is its name ('ENOSPC', 'EIO', …), `path` the file it was about. */
export class StorageError extends Error {
  override readonly name = 'StorageError';
  readonly code = 'ERR_STORAGE';
  readonly errno: string;
  readonly path: string;
  constructor(errno: string, path: string, doing: string, cause?: unknown) {
    super(`${doing} ${path}: ${errno}`, { cause });
    this.errno = errno;
    this.path = path;
  }
}

/** What readCached says instead of a count. */
export const NOT_CACHED = -1;

export interface StorageFile {
  readonly path: string;
  /** The operating system's descriptor; below -1 a virtual one (memory, simulation), -1 where there is none. Valid until close(). */
  readonly descriptor: number;
  /** Bytes read into target[at, at + length) from `position`; fewer than asked only at the end of the file. */
  read(target: Uint8Array, at: number, length: number, position: number): number;
  /** As read(), but NOT_CACHED where that would wait for the medium, as far as anybody can tell. */
  readCached(target: Uint8Array, at: number, length: number, position: number): number;
  /** Has the range read off the loop and thrown away, so that readCached finds it: `done` is called once, in a later turn, whatever came of it. */
  cacheLater(length: number, position: number, done: () => void): void;
  /** Bytes written, which may be fewer than asked (a short write): the caller compares. Throws StorageError. */
  write(source: Uint8Array, at: number, length: number, position: number): number;
  /** One gathered positional write of all pieces in order; returns the bytes written, which may be fewer. */
  writeGathered(pieces: readonly Uint8Array[], position: number): number;
  sizeBytes(): number;
  /** When it was changed last, in ms of the wall clock; -1 where the storage does not know. */
  modifiedMs(): number;
  truncate(sizeBytes: number): void;
  /** Data and what is needed to read it back are on the medium when this returns. */
  sync(): void;
  /** The same, off the loop: `done` is called once, in a later turn, with null or the error. */
  syncLater(done: (error: StorageError | null) => void): void;
  close(): void;
}

export type OpenMode = 'read' | 'read-write' | 'create'; // 'create' makes the file where it is missing and never truncates.

/** Paths are absolute or relative to the process; separators are '/'. */
export interface Storage {
  open(path: string, mode: OpenMode): StorageFile;
  exists(path: string): boolean;
  /** Names in a directory, unsorted; an empty list where the directory is missing. */
  list(path: string): string[];
  isDirectory(path: string): boolean;
  /** The directory alone, in one that is there (ENOENT otherwise); one that is there already is fine. */
  makeDirectory(path: string): void;
  /** With those that it lies in. */
  makeDirectories(path: string): void;
  rename(from: string, to: string): void;
  /** Removes a file, or a directory with all it holds; nothing happens where there is none. */
  remove(path: string): void;
  /** The same, off the loop: `done` is called once, in a later turn, with null or the error. */
  removeLater(path: string, done: (error: StorageError | null) => void): void;
  /** Directory entries (creations, renames, removals in it) are on the medium when this returns. */
  syncDirectory(path: string): void;
  /**
   * The file's content, or the directory's entries, as they are now, are on the medium when `done` is called with null: once, in a later
   * turn. ENOENT where nothing bears that name by then.
   */
  syncPathLater(path: string, done: (error: StorageError | null) => void): void;
  /** Whole small files: checkpoints, properties. readText gives null where there is none. */
  readText(path: string): string | null;
  /** Replaces a small file so that a crash leaves the old or the new one: temporary file, sync, rename, directory sync. */
  replaceText(path: string, text: string): void;
}
