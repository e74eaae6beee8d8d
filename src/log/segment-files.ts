// The files of one segment by their names: the batches and what is looked up in front of them.
// Invariant: the .log is renamed and removed first, so that a crash on the way leaves no log without its indexes.
// Runs on: the log's owner; removals of removeLater run in the pool. Not here: what stands in them (segment.ts), which are open.
import { LOG_SUFFIX, OFFSET_INDEX_SUFFIX, offsetFileName, TIME_INDEX_SUFFIX, TRANSACTION_INDEX_SUFFIX } from './file-names.ts';
import type { Storage, StorageError } from './storage.ts';

const SUFFIXES = [LOG_SUFFIX, OFFSET_INDEX_SUFFIX, TIME_INDEX_SUFFIX, TRANSACTION_INDEX_SUFFIX];

export class SegmentFiles {
  readonly #storage: Storage;
  #directory: string;
  readonly #baseOffset: number;

  constructor(storage: Storage, directory: string, baseOffset: number) {
    this.#storage = storage;
    this.#directory = directory;
    this.#baseOffset = baseOffset;
  }

  /** Where the file of a kind is, `suffix` as in file-names.ts. */
  path(suffix: string): string {
    return `${this.#directory}/${offsetFileName(this.#baseOffset, suffix)}`;
  }

  /** The directory was renamed. */
  movedTo(directory: string): void {
    this.#directory = directory;
  }

  /** Marks all that are there with `mark` (.deleted). Throws StorageError. */
  rename(mark: string): void {
    for (const suffix of SUFFIXES) {
      const path = this.path(suffix);
      if (this.#storage.exists(path)) this.#storage.rename(path, `${path}${mark}`);
    }
  }

  /** Removes those that bear `mark`; '' for those without. Throws StorageError. */
  remove(mark: string): void {
    for (const suffix of SUFFIXES) this.#storage.remove(`${this.path(suffix)}${mark}`);
  }

  /** The same in the pool; `done` hears of the end once. */
  removeLater(mark: string, done: (error: StorageError | null) => void): void {
    const paths = SUFFIXES.map((suffix) => `${this.path(suffix)}${mark}`);
    const next = (index: number): void => {
      const path = paths[index];
      if (path === undefined) done(null);
      else this.#storage.removeLater(path, (error) => (error === null ? next(index + 1) : done(error)));
    };
    next(0);
  }
}
