// What goes wrong with a simulated disk, and when: by chance, drawn from the seed, by its capacity, or where a test aims.
// Pure.
import type { Random } from '../base/random.ts';
import { StorageError } from '../log/storage.ts';

export type StorageOperation =
  | 'open'
  | 'read'
  | 'write'
  | 'truncate'
  | 'sync'
  | 'rename'
  | 'remove'
  | 'list'
  | 'makeDirectory'
  | 'syncDirectory';

/** What may go wrong; all off unless given. Chances are out of 1000 calls. */
export interface StorageFaults {
  /** Bytes that all files together may take: a write beyond that is cut short, or refused with ENOSPC. */
  readonly capacityBytes?: number;
  /** A write takes fewer bytes than it was given. */
  readonly shortWritesIn1000?: number;
  /** EIO instead of the operation. */
  readonly readErrorsIn1000?: number;
  readonly writeErrorsIn1000?: number;
  readonly syncErrorsIn1000?: number;
  /** An errno for this very call, or null: for tests that aim. Asked before the chances are drawn. */
  readonly refuse?: (operation: StorageOperation, path: string) => string | null;
}

export class DueFaults {
  /** What may go wrong from here on. */
  set: StorageFaults;
  readonly #random: Random;

  constructor(random: Random, faults: StorageFaults) {
    this.#random = random;
    this.set = faults;
  }

  /** Throws where the operation is to fail; `doing` is for the error's text. */
  meet(operation: StorageOperation, path: string, doing: string): void {
    const errno = this.set.refuse?.(operation, path) ?? null;
    if (errno !== null) throw new StorageError(errno, path, doing);
    const chance = this.#chanceIn1000(operation);
    if (chance > 0 && this.#random.below(1000) < chance) throw new StorageError('EIO', path, doing);
  }

  /** How many bytes of a write of `length`, by which its file would grow by `growth`, are taken; throws ENOSPC where it is none. */
  grant(path: string, length: number, growth: number, usedBytes: () => number): number {
    let granted = length;
    const { capacityBytes, shortWritesIn1000 = 0 } = this.set;
    if (capacityBytes !== undefined) {
      const free = Math.max(0, capacityBytes - usedBytes());
      granted = length - Math.max(0, growth - free);
      if (length > 0 && granted <= 0) throw new StorageError('ENOSPC', path, 'writing');
    }
    if (granted > 1 && this.#random.below(1000) < shortWritesIn1000) granted = 1 + this.#random.below(granted - 1);
    return granted;
  }

  #chanceIn1000(operation: StorageOperation): number {
    const { readErrorsIn1000 = 0, writeErrorsIn1000 = 0, syncErrorsIn1000 = 0 } = this.set;
    switch (operation) {
      case 'open':
      case 'list':
        return 0;
      case 'read':
        return readErrorsIn1000;
      case 'sync':
      case 'syncDirectory':
        return syncErrorsIn1000;
      default:
        return writeErrorsIn1000;
    }
  }
}
