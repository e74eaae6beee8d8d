// The log of __cluster_metadata-0 as the quorum actor sees it: whole batches in at the end, whole batches out from the start.
// Invariant: what append() took is read back in the same bytes.
// Runs on: worker 0. Not the log itself (src/log), not what the batches mean.

import { MIB } from '../base/units.ts';
import { METADATA_TOPIC_ID } from '../base/uuid.ts';
import { createReadPlan, Log, type LogConfig } from '../log/log.ts';
import { type Storage, StorageError } from '../log/storage.ts';
import { batchSizeBytes, readBaseOffset, readLastOffsetDelta, readLeaderEpoch } from '../protocol/records/batch.ts';
import { ImageError } from './image-error.ts';

/** Bytes read at once where the log is replayed; a batch may be larger and is then read alone. */
const READ_BYTES = MIB;

interface MetadataLogOptions {
  readonly storage: Storage;
  /** Path of `__cluster_metadata-0`. */
  readonly directory: string;
  readonly config: LogConfig;
  readonly nowMs: number;
}

export class MetadataLog {
  readonly #storage: Storage;
  readonly #log: Log;

  /** Opens the log, whose tail is checked every time: nothing but its own bytes vouches for it. Throws StorageError. */
  static open(options: MetadataLogOptions): MetadataLog {
    const log = Log.open({ ...options, topicId: METADATA_TOPIC_ID, cleanShutdown: false, recoveryPoint: 0, logStartOffset: 0 });
    return new MetadataLog(options.storage, log);
  }

  private constructor(storage: Storage, log: Log) {
    this.#storage = storage;
    this.#log = log;
  }

  /** The first offset that is still there. */
  get logStartOffset(): number {
    return this.#log.logStartOffset;
  }
  /** The offset of the next record. */
  get logEndOffset(): number {
    return this.#log.writtenEnd;
  }
  /** Leader epoch of the last batch; 0 for an empty log. */
  get lastEpoch(): number {
    return Math.max(this.#log.latestEpoch, 0);
  }

  /** Bytes behind the last whole batch that opening the log cut. */
  get recoveredCutBytes(): number {
    return this.#log.recoveredCutBytes;
  }

  /** Writes one batch, its base offset and leader epoch in place, at the end. Not synced. Throws StorageError; the log is lost then. */
  append(batch: Uint8Array, nowMs: number): void {
    this.#checkPlace();
    this.#log.stageOwn(batch, 0, batch.length, readLeaderEpoch(batch, 0), nowMs);
    this.#log.writeStaged();
  }

  /** What is about to be written would be found again, and takes nobody's place. Idle records come this way, too. */
  #checkPlace(): void {
    const { directory } = this.#log;
    // Files that were removed under their descriptors take all that is written, and no start finds it.
    if (!this.#storage.isDirectory(directory)) throw new StorageError('ENOENT', directory, 'writing into the removed directory');
    // A combined node of Apache Kafka that is started on this directory appends in a new epoch before it meets the lock. Written over its
    // batches, ours would be lost to every start, and whatever was answered for them.
    const { liveSegmentSizeBytes: ownBytes, liveFileSizeBytes: foundBytes } = this.#log;
    if (foundBytes === ownBytes) return;
    const done = foundBytes > ownBytes ? 'written to' : 'cut'; // Opening a log, Apache Kafka cuts what comes meanwhile.
    const found = `whose last segment has ${foundBytes} bytes instead of ${ownBytes}`;
    throw new StorageError('EBUSY', directory, `another process has ${done} the metadata log, ${found}: appending nothing more to`);
  }

  /** Syncs, off the loop, all that was appended before the call. */
  flushLater(done: (error: StorageError | null) => void): void {
    this.#log.flushLater(done);
  }

  /** Calls `visit` with whole batches, some at a time, from the one that holds `fromOffset` to the end. Throws StorageError. */
  read(fromOffset: number, visit: (batches: Uint8Array) => void): void {
    const plan = createReadPlan();
    const end = this.logEndOffset;
    for (let offset = fromOffset; offset < end; ) {
      this.#log.planRead(offset, READ_BYTES, end, true, plan);
      if (plan.file === null || plan.length === 0) throw new ImageError(`${this.#log.directory}: nothing to read at offset ${offset}`);
      const bytes = new Uint8Array(Math.max(plan.length, plan.firstBatchBytes));
      const count = plan.file.read(bytes, 0, bytes.length, plan.position);
      let whole = 0;
      while (count - whole > 12 && whole + batchSizeBytes(bytes, whole) <= count) {
        offset = readBaseOffset(bytes, whole) + readLastOffsetDelta(bytes, whole) + 1;
        whole += batchSizeBytes(bytes, whole);
      }
      if (whole === 0) throw new ImageError(`${this.#log.directory}: no whole batch at offset ${offset}`);
      visit(bytes.subarray(0, whole));
    }
  }

  /** Forgets all records below `logStartOffset`, for which there is a snapshot; segments wholly below are removed. */
  trim(logStartOffset: number): void {
    const { head } = this.#log;
    head.advance(logStartOffset);
    head.deleteTrimmed();
    head.removeDeleted();
  }

  close({ clean }: { clean: boolean }): void {
    this.#log.close({ clean });
  }
}
