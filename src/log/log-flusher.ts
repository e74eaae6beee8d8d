// Brings what a log wrote onto the medium and moves the recovery point behind it.
// Invariant: the recovery point moves last: data, then indexes, then directory entries, leader epochs and a producer snapshot, so
// that recovery may believe everything below it. A sync of the records alone leaves it where it is: what is on the medium behind it is
// found by recovery, batch by batch. One sync at a time; who asks during one waits for the next.
// A sync that failed is not tried again: the system may have dropped what it could not write, and a later sync would succeed
// without it. The log fails, and the recovery point stays where it was.
// Runs on: the log's owner. flushLater and syncRecordsLater leave every sync to the pool, that of names and of the epochs' file included.
// A snapshot is written at the end without one: its checksum tells whether it arrived.
import { MIB } from '../base/units.ts';
import type { LoadedLog } from './log-loader.ts';
import type { PartitionDirectory } from './partition-directory.ts';
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
  #directory: PartitionDirectory;
  #target: (withSnapshot: boolean) => FlushTarget;
  #onFailed: () => void;
  #bytesSinceSnapshot = 0;
  /** Files that appeared, and how many of them have their names on the medium. */
  #filesMade = 1;
  #filesNamed = 0;
  /** Records below it are on the medium, and so are the names of their files. */
  #syncedEnd: number;
  #isFlushing = false;
  #isStopped = false;
  /** Raised by truncation: a flush that began before it vouches for nothing. */
  #generation = 0;
  #waiting: { readonly done: Done; readonly isFull: boolean }[] = [];
  /** Of the first sync that failed: all later ones fail with it. */
  #failure: StorageError | null = null;

  constructor(
    log: LoadedLog,
    directory: PartitionDirectory,
    target: (withSnapshot: boolean) => FlushTarget,
    { onFailed }: { readonly onFailed: () => void },
  ) {
    this.#log = log;
    this.#directory = directory;
    this.#target = target;
    this.#onFailed = onFailed;
    this.recoveryPoint = log.recoveryPoint;
    this.#syncedEnd = log.recoveryPoint;
  }

  noteWritten(bytes: number): void {
    this.unflushedBytes += bytes;
    this.#bytesSinceSnapshot += bytes;
  }

  get isFlushing(): boolean {
    return this.#isFlushing;
  }

  /** Records below it are on the medium. A sync that is under way counts when it has ended: nobody is told of its records before. */
  get syncedEnd(): number {
    return this.#syncedEnd;
  }

  get wantsSnapshot(): boolean {
    return this.#bytesSinceSnapshot >= SNAPSHOT_INTERVAL_BYTES;
  }

  /** Files appeared: their names are synced with the next flush. */
  noteNewFiles(): void {
    this.#filesMade++;
  }

  truncatedTo(offset: number): void {
    this.#generation++;
    if (this.recoveryPoint > offset) this.recoveryPoint = offset;
    if (this.#syncedEnd > offset) this.#syncedEnd = offset;
  }

  /** Throws StorageError. */
  flush(): void {
    if (this.#failure !== null) throw this.#failure;
    const target = this.#target(this.wantsSnapshot);
    this.unflushedBytes = 0;
    try {
      for (const segment of this.#unsynced(this.recoveryPoint)) segment.sync();
      this.#finish(target);
      this.#syncedEnd = target.offset;
    } catch (error) {
      if (error instanceof StorageError) this.#failure = error;
      this.#onFailed();
      throw error;
    }
  }

  /** `done` is called in a later turn, or at once where a sync has failed before; without an error once the flusher is stopped. */
  flushLater(done: Done): void {
    this.#ask({ done, isFull: true });
  }

  /** The records alone, so that they survive a loss of power: no index, and the recovery point stays. `done` as in flushLater. */
  syncRecordsLater(done: Done): void {
    this.#ask({ done, isFull: false });
  }

  #ask(request: { readonly done: Done; readonly isFull: boolean }): void {
    if (this.#failure !== null) this.#tell([request], this.#failure);
    else {
      this.#waiting.push(request);
      if (!this.#isFlushing) this.#next();
    }
  }

  /** One sync for all who wait. */
  #next(): void {
    const requests = this.#waiting.splice(0);
    const isFull = requests.some((request) => request.isFull);
    const generation = this.#generation;
    const target = this.#target(isFull && this.wantsSnapshot);
    const isVoid = (): boolean => this.#isStopped || generation !== this.#generation;
    const ended = (error: StorageError | null): void => {
      this.#isFlushing = false;
      let failure = error;
      // flush() may have failed meanwhile.
      if (failure === null && this.#failure === null && isFull && !isVoid()) {
        try {
          this.#vouch(target);
        } catch (cause) {
          if (!(cause instanceof StorageError)) throw cause;
          failure = cause;
        }
      }
      if (failure === null && this.#failure === null && !isVoid()) this.#syncedEnd = target.offset;
      this.#failure ??= failure;
      const later = this.#failure === null ? [] : this.#waiting.splice(0);
      if (this.#waiting.length > 0) this.#next();
      this.#tell(requests, failure);
      this.#tell(later, this.#failure);
    };
    this.#isFlushing = true;
    if (isFull) this.unflushedBytes = 0;
    this.#syncNext(this.#unsynced(isFull ? this.recoveryPoint : this.#syncedEnd), 0, isFull, (error) => {
      if (error !== null) return ended(error);
      this.#nameLater((directoryError) => {
        if (directoryError !== null || !isFull || isVoid()) ended(directoryError);
        else this.#log.epochs.saveLater(ended);
      });
    });
  }

  /** The names of the files that have appeared. */
  #nameLater(done: Done): void {
    const files = this.#filesMade;
    if (this.#isStopped || this.#filesNamed >= files) {
      done(null);
      return;
    }
    this.#directory.syncLater((error) => {
      if (error === null && this.#filesNamed < files) this.#filesNamed = files;
      done(error);
    });
  }

  /** The log is closing: a flush in flight ends without effect. */
  stop(): void {
    this.#isStopped = true;
    this.#log.epochs.dropSave();
  }

  #tell(requests: readonly { readonly done: Done }[], failure: StorageError | null): void {
    if (failure !== null) this.#onFailed();
    for (const { done } of requests) done(this.#isStopped ? null : failure);
  }

  /** Segments that may hold bytes that are not on the medium: from the one with `offset` to the live one. */
  #unsynced(offset: number): readonly Segment[] {
    const { segments } = this.#log;
    return segments.all().slice(segments.floor(offset));
  }

  #syncNext(segments: readonly Segment[], index: number, isFull: boolean, done: Done): void {
    const segment = segments[index];
    if (segment === undefined || this.#isStopped) {
      done(null);
      return;
    }
    if (segment.isClosed) {
      this.#syncNext(segments, index + 1, isFull, done);
      return;
    }
    const synced = (error: StorageError | null): void => {
      if (error !== null) done(error);
      else this.#syncNext(segments, index + 1, isFull, done);
    };
    if (isFull) segment.syncLater(synced);
    else segment.file.syncLater(synced);
  }

  #finish(target: FlushTarget): void {
    if (this.#filesNamed < this.#filesMade) {
      this.#directory.sync();
      this.#filesNamed = this.#filesMade;
    }
    this.#log.epochs.save();
    this.#vouch(target);
  }

  /** All else is on the medium. */
  #vouch(target: FlushTarget): void {
    const { snapshots, segments } = this.#log;
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
