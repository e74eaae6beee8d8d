// The oldest end of a log: where it starts, and the segments in front of that, which go: renamed to `.deleted` first, removed later.
// Invariants: the log starts in its first segment or behind it, never behind what is written; segments go in the order of their offsets, so
// that a crash in the middle leaves a log without a gap (a directory's changes reach the medium in their order).
// Runs on: the log's owner; removals of removeLater run in the pool.
import { assert } from '../base/assert.ts';
import { DELETED_SUFFIX } from './file-names.ts';
import type { LogAppender } from './log-appender.ts';
import type { LoadedLog } from './log-loader.ts';
import type { LogReader } from './log-reader.ts';
import { type Expiry, expiredSegments } from './retention.ts';
import type { Segment } from './segment.ts';
import type { StorageError } from './storage.ts';

export class LogHead {
  /** The first offset that may be read. */
  startOffset: number;
  readonly #log: LoadedLog;
  readonly #appender: LogAppender;
  readonly #reader: LogReader;
  readonly #closeSegment: (segment: Segment) => void;
  /** Out of the log, their files renamed and open still. */
  readonly #deleted = new Set<Segment>();

  constructor(log: LoadedLog, appender: LogAppender, reader: LogReader, closeSegment: (segment: Segment) => void) {
    this.startOffset = log.logStartOffset;
    this.#log = log;
    this.#appender = appender;
    this.#reader = reader;
    this.#closeSegment = closeSegment;
  }

  /** Nothing below `offset`, which is written, is readable any more. The files go with deleteTrimmed(). */
  advance(offset: number): void {
    assert(offset <= this.#appender.writtenEnd, 'the log starts within what is written');
    if (offset <= this.startOffset) return;
    this.startOffset = offset;
    this.#log.epochs.truncateFromStart(offset);
  }

  /** The tail was cut, perhaps in front of the start. */
  truncatedTo(offset: number): void {
    if (this.startOffset > offset) this.startOffset = offset;
  }

  /**
   * Moves the log start behind the segments that retention is done with, as the topic's configuration says now; where that is all of them, a
   * new one begins. `committedEnd` is the high watermark. deleteTrimmed() takes them out. How many there are and why. Throws StorageError.
   */
  expire(committedEnd: number, nowMs: number): Expiry {
    const { segments } = this.#log;
    const appender = this.#appender;
    const retained = {
      segments: segments.all(),
      logStartOffset: this.startOffset,
      logEndOffset: appender.writtenEnd,
      // Behind what is staged nothing can begin yet.
      committedEnd: appender.hasStaged ? Math.min(committedEnd, segments.live.baseOffset) : committedEnd,
    };
    const expiry = expiredSegments(retained, appender.config, nowMs);
    if (expiry.total === 0) return expiry;
    if (expiry.total === segments.count) appender.rollNow(nowMs);
    this.advance(segments.at(expiry.total).baseOffset);
    return expiry;
  }

  /**
   * Takes segments wholly below the start out of the log and renames their files to `.deleted`, the oldest first, at most so many; the files
   * go after file.delete.delay.ms (removeDeleted, removeLater). The count. Throws StorageError.
   */
  deleteTrimmed(countMax = Number.POSITIVE_INFINITY): number {
    const { segments, snapshots } = this.#log;
    let count = 0;
    while (count < countMax && segments.count > 1 && segments.at(1).baseOffset <= this.startOffset) {
      const segment = segments.first;
      segment.files.rename(DELETED_SUFFIX);
      segments.shift();
      this.#deleted.add(segment);
      if (snapshots.has(segment.baseOffset)) snapshots.remove(segment.baseOffset);
      count++;
    }
    if (count > 0) this.#reader.forget();
    return count;
  }

  /** Segments that were taken out of the log and whose files are there still. */
  get deleted(): readonly Segment[] {
    return [...this.#deleted];
  }

  /** Closes and removes the files of all segments that were taken out of the log. Throws StorageError. */
  removeDeleted(): void {
    for (const segment of this.#deleted) {
      this.#deleted.delete(segment);
      this.#closeSegment(segment);
      segment.files.remove(DELETED_SUFFIX);
    }
  }

  /**
   * The same for some of them, which nobody may read any more, with the removal in the pool: giving the blocks of a large file back takes its
   * time. `done` is called once, later.
   */
  removeLater(segments: readonly Segment[], done: (error: StorageError | null) => void): void {
    const open = segments.filter((segment) => this.#deleted.delete(segment));
    for (const segment of open) this.#closeSegment(segment);
    const next = (index: number): void => {
      const segment = open[index];
      if (segment === undefined) done(null);
      else segment.files.removeLater(DELETED_SUFFIX, (error) => (error === null ? next(index + 1) : done(error)));
    };
    next(0);
  }

  /** The log is closed: those that wait are, too. Their files stay for the next start to remove. */
  closeDeleted(): void {
    for (const segment of this.#deleted) segment.close();
    this.#deleted.clear();
  }
}
