// Where files were found outside of the page cache lately. A kernel that reads ahead does so in the midst of a reader's calls: in a file that is
// read from the disk, most ranges are there by the time they are asked for, and now and then one takes milliseconds, because the
// next window is begun in it, or because its last pages are still on their way.
// Invariant: a guess that costs a job of the pool for each range when it is wrong, and is forgotten behind the stretch.
// Pure. Of each file one stretch is known: several readers of old records at different places take each other's.
import { MIB } from '../base/units.ts';

/** Behind a place that was not there: some windows of read-ahead (8 MiB on the machines that were measured). */
export const STRETCH_BYTES = 32 * MIB;

export class ColdStretches {
  readonly #begins = new Map<number, number>();

  /** A range of the file at `position` was not there, or took as long as if it had not been. */
  note(descriptor: number, position: number): void {
    this.#begins.set(descriptor, position);
  }

  /** Whether `position` lies in the stretch behind such a place. */
  has(descriptor: number, position: number): boolean {
    const begin = this.#begins.get(descriptor);
    if (begin === undefined) return false;
    if (position < begin + STRETCH_BYTES) return position >= begin;
    this.#begins.delete(descriptor); // Its number may be another file's next.
    return false;
  }
}
