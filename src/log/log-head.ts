// The oldest end of a log: where it starts, and the segments in front of that, which go: renamed to `.deleted` first, removed later.
// Invariants: the log starts in its first segment or behind it, never behind what is written; segments go in the order of their offsets, so
// that a crash in the middle leaves a log without a gap (a directory's changes reach the medium in their order).
// Runs on: the log's owner; removals of removeLater run in the pool.
import { assert } from '../base/assert.ts';
import { DELETED_SUFFIX } from './file-names.ts';
import type { LoadedLog } from './log-loader.ts';
import type { LogReader } from './log-reader.ts';
import type { Segment } from './segment.ts';
import type { StorageError } from './storage.ts';

export class LogHead {
  /** The first offset that may be read. */
  startOffset: number;
  readonly #log: LoadedLog;
  readonly #reader: LogReader;
  readonly #closeSegment: (segment: Segment) => void;
  /** Out of the log, their files renamed and open still. */
  readonly #deleted = new Set<Segment>();

  constructor(log: LoadedLog, reader: LogReader, closeSegment: (segment: Segment) => void) {
    this.startOffset = log.logStartOffset;
    this.#log = log;
    this.#reader = reader;
    this.#closeSegment = closeSegment;
  }

  /** See Log.advanceLogStart. */
  advance(offset: number, writtenEnd: number): void {
    assert(offset <= writtenEnd, 'the log starts within what is written');
    if (offset <= this.startOffset) return;
    this.startOffset = offset;
    this.#log.epochs.truncateFromStart(offset);
  }

  /** The tail was cut, perhaps in front of the start. */
  truncatedTo(offset: number): void {
    if (this.startOffset > offset) this.startOffset = offset;
  }

  /** See Log.deleteTrimmedSegments. */
  deleteTrimmed(countMax: number): number {
    const { segments, snapshots } = this.#log;
    let count = 0;
    while (count < countMax && segments.count > 1 && segments.at(1).baseOffset <= this.startOffset) {
      const segment = segments.first;
      segment.renameFiles(DELETED_SUFFIX);
      segments.shift();
      this.#deleted.add(segment);
      if (snapshots.has(segment.baseOffset)) snapshots.remove(segment.baseOffset);
      count++;
    }
    if (count > 0) this.#reader.forget();
    return count;
  }

  /** Segments whose files wait for their removal. */
  get deleted(): readonly Segment[] {
    return [...this.#deleted];
  }

  /** Closes and removes the files of `segments` at once. */
  remove(segments: readonly Segment[]): void {
    for (const segment of segments) {
      if (!this.#deleted.delete(segment)) continue;
      this.#closeSegment(segment);
      segment.removeFiles(DELETED_SUFFIX);
    }
  }

  /** The same with the removal in the pool: giving the blocks of a large file back takes its time. `done` is called once, later. */
  removeLater(segments: readonly Segment[], done: (error: StorageError | null) => void): void {
    const open = segments.filter((segment) => this.#deleted.delete(segment));
    for (const segment of open) this.#closeSegment(segment);
    const next = (index: number): void => {
      const segment = open[index];
      if (segment === undefined) done(null);
      else segment.removeFilesLater(DELETED_SUFFIX, (error) => (error === null ? next(index + 1) : done(error)));
    };
    next(0);
  }

  /** The log is closed: those that wait are, too. Their files stay for the next start to remove. */
  closeDeleted(): void {
    for (const segment of this.#deleted) segment.close();
    this.#deleted.clear();
  }
}
