// Reads of a log's own files (index blocks, batch headers) by those who answer a question: what is not in the page cache is not read on the
// loop. Instead the question is given up, the pool reads those places and throws away what it has read, and the question is asked again
// from its start, as if it had just come: whatever happened to the log meanwhile, the answer is right.
// Invariants: a look changes nothing that a second one would not do again, since it may end in each of its reads; it comes to an end, since
// a place that was brought once counts as there, and so does all of a file that was asked for BRINGS_MAX times.
// Runs on: every worker. Not here: what is there (StorageFile.readCached).
import { KIB, MIB } from '../base/units.ts';
import type { StorageFile } from '../log/storage.ts';
import { IO_CONCURRENCY } from './runtime-sizes.ts';

/** What is brought of a file at first, at least; twice as much each time that the same question finds it cold again: an index is read whole. */
const BRING_BYTES_MIN = 64 * KIB;
const BRING_BYTES_MAX = 16 * MIB;
/** Some 100 MiB of a file. Who wants more reads it on the loop: making an index anew, which takes the loop's time anyway. */
const BRINGS_MAX = 14;
/**
 * Of one question at a time. The jobs of a worker run in the order in which they were submitted, so what comes later (the next slice of the logs of a
 * new topic, a read of records) would wait for all places of a question about thousands of partitions.
 */
export const BRINGS_AT_ONCE_MAX = IO_CONCURRENCY / 2;

/** A read that would wait for the disk. Thrown out of StorageFile.read, to be caught by who has begun the look. */
export class ColdRead extends Error {
  override readonly name = 'ColdRead';
  readonly file: StorageFile;
  readonly length: number;
  readonly position: number;
  constructor(file: StorageFile, length: number, position: number) {
    super(`${file.path} is not in the page cache at ${position}`);
    this.file = file;
    this.length = length;
    this.position = position;
  }
}

/** What is used of a Runtime. */
interface JobQueue {
  submit(job: () => Promise<void>, done: () => void): void;
}

/** What one question has found cold so far. */
export class ColdPlaces {
  readonly #brought = new Map<StorageFile, { from: number; to: number }[]>();
  #due: { file: StorageFile; from: number; to: number }[] = [];

  add({ file, length, position }: ColdRead): void {
    const known = this.#brought.get(file) ?? [];
    const to = position + Math.max(length, Math.min(BRING_BYTES_MIN * 2 ** known.length, BRING_BYTES_MAX));
    known.push({ from: position, to });
    this.#brought.set(file, known);
    this.#due.push({ file, from: position, to });
  }

  /** Whether a range counts as there by now. */
  has(file: StorageFile, length: number, position: number): boolean {
    const known = this.#brought.get(file);
    if (known === undefined) return false;
    return known.length >= BRINGS_MAX || known.some(({ from, to }) => from <= position && position + length <= to);
  }

  /**
   * Has the pool read what was added since the last time, as jobs of this worker, a few at a time: a question about many partitions must not
   * keep the syncs and reads of others out of the pool, nor other jobs of the worker. `done` is called in a later turn.
   */
  bring(runtime: JobQueue, done: () => void): void {
    const due = this.#due;
    this.#due = [];
    let begunCount = 0;
    let endedCount = 0;
    const bringNext = (): void => {
      const place = due[begunCount];
      if (place === undefined) return;
      begunCount++;
      const { file, from, to } = place;
      runtime.submit(
        () => new Promise<void>((brought) => file.cacheLater(to - from, from, brought)),
        () => {
          if (++endedCount === due.length) done();
          else bringNext();
        },
      );
    };
    for (let i = 0; i < BRINGS_AT_ONCE_MAX; i++) bringNext();
  }
}

/** Whether the files of one worker hold reads back. */
export class ColdReads {
  #isLooking = false;
  #places: ColdPlaces | null = null;

  /** From here to end(), reads that would wait throw ColdRead, but for those of what `places` has. */
  begin(places: ColdPlaces | null): void {
    this.#isLooking = true;
    this.#places = places;
  }

  end(): void {
    this.#isLooking = false;
    this.#places = null;
  }

  /** Whether a read goes no further than the page cache. */
  holdBack(file: StorageFile, length: number, position: number): boolean {
    return this.#isLooking && this.#places?.has(file, length, position) !== true;
  }
}
