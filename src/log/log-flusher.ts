// Brings what a log wrote onto the medium and moves the recovery point behind it.
// Invariant: the recovery point moves last: data, then indexes, then directory entries, leader epochs and a producer snapshot, so
// that recovery may believe everything below it. One flush at a time; who asks during one waits for the next.
// A sync that failed is not tried again: the system may have dropped what it could not write, and a later sync would succeed
// without it. The log fails, and the recovery point stays where it was.
// Runs on: the log's owner; syncs of flushLater run in the pool.
import { MIB } from '../base/units.ts';
import type { LoadedLog } from './log-loader.ts';
import type { Segment } from './segment.ts';
import { StorageError } from './storage.ts';

/** How much log is walked again for producer state after a crash, at most: a snapshot is written with the flush that passes it. */
const SNAPSHOT_INTERVAL_BYTES = 4 * MIB;

export interface FlushTarget {
  readonly offset: number;
  /** The producers at `offset`, null where their state is ahead of it. */
  readonly snapshot: Uint8Array | null;
}

type Done = (error: StorageError | null) => void;

export class LogFlusher {
  recoveryPoint: number;
  unflushedBytes = 0;
  #log: LoadedLog;
  #target: () => FlushTarget;
  #syncDirectory: () => void;
  #bytesSinceSnapshot = 0;
  #hasNewFiles = true;
  #isFlushing = false;
  #isStopped = false;
  /** Raised by truncation: a flush that began before it vouches for nothing. */
  #generation = 0;
  #waiting: Done[] = [];
  /** Of the first sync that failed: all later ones fail with it. */
  #failure: StorageError | null = null;

  constructor(log: LoadedLog, target: () => FlushTarget, syncDirectory: () => void) {
    this.#log = log;
    this.#target = target;
    this.#syncDirectory = syncDirectory;
    this.recoveryPoint = log.recoveryPoint;
  }

  noteWritten(bytes: number): void {
    this.unflushedBytes += bytes;
    this.#bytesSinceSnapshot += bytes;
  }

  get isFlushing(): boolean {
    return this.#isFlushing;
  }

  get wantsSnapshot(): boolean {
    return this.#bytesSinceSnapshot >= SNAPSHOT_INTERVAL_BYTES;
  }

  /** Files appeared: their names are synced with the next flush. */
  noteNewFiles(): void {
    this.#hasNewFiles = true;
  }

  truncatedTo(offset: number): void {
    this.#generation++;
    if (this.recoveryPoint > offset) this.recoveryPoint = offset;
  }

  /** Throws StorageError. */
  flush(): void {
    if (this.#failure !== null) throw this.#failure;
    const target = this.#target();
    this.unflushedBytes = 0;
    try {
      for (const segment of this.#unsynced()) segment.sync();
      this.#finish(target);
    } catch (error) {
      if (error instanceof StorageError) this.#failure = error;
      throw error;
    }
  }

  /** `done` is called in a later turn, or at once where a sync has failed before. */
  flushLater(done: Done): void {
    if (this.#failure !== null) {
      done(this.#failure);
      return;
    }
    if (this.#isFlushing) {
      this.#waiting.push(done);
      return;
    }
    this.#isFlushing = true;
    this.unflushedBytes = 0;
    const generation = this.#generation;
    const target = this.#target();
    this.#syncNext(this.#unsynced(), 0, (error) => {
      this.#isFlushing = false;
      let failure = error;
      if (failure === null && !this.#isStopped && generation === this.#generation) {
        try {
          this.#finish(target);
        } catch (cause) {
          if (!(cause instanceof StorageError)) throw cause;
          failure = cause;
        }
      }
      this.#failure ??= failure;
      done(failure);
      const waiting = this.#waiting.splice(0);
      if (waiting.length === 0) return;
      this.flushLater((later) => {
        for (const waiter of waiting) waiter(later);
      });
    });
  }

  /** The log is closing: a flush in flight ends without effect. */
  stop(): void {
    this.#isStopped = true;
  }

  /** Segments that may hold bytes that are not on the medium: from the one with the recovery point to the live one. */
  #unsynced(): readonly Segment[] {
    const { segments } = this.#log;
    return segments.all().slice(segments.floor(this.recoveryPoint));
  }

  #syncNext(segments: readonly Segment[], index: number, done: Done): void {
    const segment = segments[index];
    if (segment === undefined || this.#isStopped) {
      done(null);
      return;
    }
    if (segment.isClosed) {
      this.#syncNext(segments, index + 1, done);
      return;
    }
    segment.syncLater((error) => {
      if (error !== null) done(error);
      else this.#syncNext(segments, index + 1, done);
    });
  }

  #finish(target: FlushTarget): void {
    const { epochs, snapshots, segments } = this.#log;
    if (this.#hasNewFiles) {
      this.#syncDirectory();
      this.#hasNewFiles = false;
    }
    epochs.save();
    if (target.snapshot !== null && target.offset > segments.first.baseOffset) {
      if (!snapshots.has(target.offset)) snapshots.write(target.offset, target.snapshot);
      this.#bytesSinceSnapshot = 0;
      // Those at the start of a segment stay for truncation; of the others only the newest is of use.
      const bases = new Set(segments.all().map((segment) => segment.baseOffset));
      for (const offset of snapshots.offsets) if (offset < target.offset && !bases.has(offset)) snapshots.remove(offset);
    }
    if (target.offset > this.recoveryPoint) this.recoveryPoint = target.offset;
  }
}
