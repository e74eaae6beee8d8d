// A disk whose files throw when what is not in the page cache is read on the loop. There is what was written or brought since the last eviction.
import { FileStorage } from '../../src/log/file-storage.ts';
import { NOT_CACHED, type OpenMode, StorageError, type StorageFile } from '../../src/log/storage.ts';

const PAGE_BYTES = 4096;

export class ColdStorage extends FileStorage {
  /** How often somebody had something brought, and where. */
  readonly brought: string[] = [];
  /** Ends of what is being brought wait here instead, where this is a list. */
  held: (() => void)[] | null = null;
  /** What was brought is gone by the time somebody asks again. */
  isForgetful = false;
  /** Reads wait for the disk, as those of a real one do. */
  isPatient = false;
  /** What is asked whether it is in the page cache fails. */
  isBroken = false;
  /** By path, pages that are there; null: all is, as before the first eviction. */
  #warm: Map<string, Set<number>> | null = null;

  /** Everything leaves the page cache. */
  evict(): void {
    this.#warm = new Map();
  }

  override open(path: string, mode: OpenMode): StorageFile {
    const file = super.open(path, mode);
    const pagesOf = (length: number, position: number): number[] => {
      // Behind the end of the file there is nothing to be read.
      const end = Math.min(position + length, file.sizeBytes());
      const first = Math.floor(position / PAGE_BYTES);
      return Array.from({ length: Math.max(0, Math.ceil(end / PAGE_BYTES) - first) }, (_, page) => first + page);
    };
    const isThere = (length: number, position: number): boolean =>
      this.#warm === null || pagesOf(length, position).every((page) => this.#warm?.get(path)?.has(page));
    const warm = (length: number, position: number): void => {
      if (this.#warm === null || file.descriptor < 0) return;
      const pages = this.#warm.get(path) ?? new Set();
      this.#warm.set(path, pages);
      for (const page of pagesOf(length, position)) pages.add(page);
    };
    return {
      path,
      descriptor: file.descriptor,
      read: (target, at, length, position) => {
        if (!this.isPatient && !isThere(length, position))
          throw new Error(`${length} cold bytes of ${path} at ${position} were read on the loop`);
        return file.read(target, at, length, position);
      },
      readCached: (target, at, length, position) => {
        if (this.isBroken) throw new StorageError('EIO', path, 'reading');
        return isThere(length, position) ? file.read(target, at, length, position) : NOT_CACHED;
      },
      cacheLater: (length, position, done) => {
        this.brought.push(path);
        const end = (): void => {
          if (!this.isForgetful) warm(length, position);
          done();
        };
        file.cacheLater(length, position, () => (this.held === null ? end() : this.held.push(end)));
      },
      write: (source, at, length, position) => {
        const written = file.write(source, at, length, position);
        warm(written, position);
        return written;
      },
      writeGathered: (pieces, position) => {
        const written = file.writeGathered(pieces, position);
        warm(written, position);
        return written;
      },
      sizeBytes: () => file.sizeBytes(),
      modifiedMs: () => file.modifiedMs(),
      truncate: (sizeBytes) => file.truncate(sizeBytes),
      sync: () => file.sync(),
      syncLater: (done) => file.syncLater(done),
      close: () => file.close(),
    };
  }
}
