// Writes the metadata log: records as batches, each replayed into the controller's image from its own bytes, then synced.
// Invariant: flushed <= appended = the image's end. Records that are appended together are one batch, or one metadata transaction over
// several, so that a crash keeps all of them or none. After the disk has refused something nothing more is written.
// Runs on: worker 0. Not here: when something is committed (src/raft), which records (quorum-actor.ts), the log's files (metadata-log.ts).
import type { Clock } from '../base/clock.ts';
import { StorageError } from '../log/storage.ts';
import { RECORDS_PER_OPERATION_MAX } from './controller.ts';
import type { ClusterImage } from './image.ts';
import type { MetadataLog } from './metadata-log.ts';
import type { MetadataRecord } from './metadata-records.ts';
import { encodeRecordBatch, visitRecordBatches } from './record-batch.ts';
import { concatenated } from './snapshot-file.ts';

/** A batch in the log that is not committed yet. */
interface UncommittedBatch {
  readonly bytes: Uint8Array;
  readonly endOffset: number;
  /** Nothing in it changes an image. */
  readonly isIdle: boolean;
}

/** Where a batch stands in the log. */
interface BatchPlace {
  readonly baseOffset: number;
  readonly leaderEpoch: number;
  readonly timestampMs: number;
}

export interface MetadataWriterOptions {
  readonly log: MetadataLog;
  readonly clock: Clock;
  /** The controller's own image, ahead of the commit. */
  readonly image: ClusterImage;
  /** The leader epoch of the quorum. */
  readonly epoch: () => number;
  /** A batch of so many bytes is in the log, which ends at `endOffset`. Its sync is asked for next. */
  readonly onAppended: (endOffset: number, sizeBytes: number) => void;
  /** All below `endOffset` is on the medium. */
  readonly onFlushed: (endOffset: number) => void;
  /** The same, with nothing left that is on its way to the disk. */
  readonly onSettled: () => void;
  /** The disk refused something. Called once; what was not committed is forgotten by then. */
  readonly onFailed: (error: StorageError) => void;
}

export class MetadataWriter {
  image: ClusterImage;
  /** End of the last batch that changes an image, or of the state that workers begin with. */
  changeEnd = 0;
  /** On the monotonic clock. */
  lastAppendMs = 0;
  lastRecordTimestampMs = 0;
  readonly #options: MetadataWriterOptions;
  readonly #uncommitted: UncommittedBatch[] = [];
  #isFlushing = false;
  #isStopped = false;
  #hasFailed = false;

  constructor(options: MetadataWriterOptions) {
    this.#options = options;
    this.image = options.image;
  }

  get hasFailed(): boolean {
    return this.#hasFailed;
  }

  /** A sync that is under way is not heard any more. */
  stop(): void {
    this.#isStopped = true;
  }

  /** Where the next batch will stand. */
  place(): BatchPlace {
    this.lastRecordTimestampMs = this.#options.clock.wallMs();
    return { baseOffset: this.#options.log.logEndOffset, leaderEpoch: this.#options.epoch(), timestampMs: this.lastRecordTimestampMs };
  }

  /** Appends records that happen together, however many. False when the disk refused them. */
  appendRecords(records: readonly MetadataRecord[]): boolean {
    const isIdle = records.every((record) => record.type === 'NoOpRecord');
    if (records.length <= RECORDS_PER_OPERATION_MAX) return this.appendBatch(records, isIdle);
    // Too many for one batch: between the marks of a transaction they still happen together.
    if (!this.appendBatch([{ type: 'BeginTransactionRecord', name: 'Large operation' }], false)) return false;
    for (let at = 0; at < records.length; at += RECORDS_PER_OPERATION_MAX) {
      if (!this.appendBatch(records.slice(at, at + RECORDS_PER_OPERATION_MAX), false)) return false;
    }
    return this.appendBatch([{ type: 'EndTransactionRecord' }], false);
  }

  /** Appends records as one batch; `isIdle`: nothing in it changes an image. False when the disk refused it. */
  appendBatch(records: readonly MetadataRecord[], isIdle: boolean): boolean {
    return this.append(encodeRecordBatch(records, this.place()), records.length, isIdle);
  }

  /** Writes a batch of `place()`, replays it from its own bytes (what is replayed is what a restart would read) and asks for the sync. */
  append(bytes: Uint8Array, recordCount: number, isIdle: boolean): boolean {
    if (this.#hasFailed) return false;
    const { log, clock, epoch, onAppended } = this.#options;
    const endOffset = log.logEndOffset + recordCount;
    try {
      log.append(bytes, this.lastRecordTimestampMs);
    } catch (error) {
      this.fail(error);
      return false;
    }
    this.lastAppendMs = clock.monotonicMs();
    visitRecordBatches(bytes, { record: (record, offset) => this.image.replay(record, offset) });
    this.image.endOffset = endOffset;
    this.image.epoch = epoch();
    this.image.takeChange();
    if (!isIdle) this.changeEnd = endOffset;
    this.#uncommitted.push({ bytes, endOffset, isIdle });
    onAppended(endOffset, bytes.length);
    this.#flush();
    return true;
  }

  /** The batches below `endOffset` are committed: the bytes of those that change an image, or null where none does. */
  takeCommitted(endOffset: number): Uint8Array | null {
    const committed: Uint8Array[] = [];
    while (this.#uncommitted.length > 0 && (this.#uncommitted[0] as UncommittedBatch).endOffset <= endOffset) {
      const { bytes, isIdle } = this.#uncommitted.shift() as UncommittedBatch;
      if (!isIdle) committed.push(bytes);
    }
    return committed.length === 0 ? null : concatenated(committed);
  }

  /** The disk refused something. An error that is not the disk's is thrown on. */
  fail(cause: unknown): void {
    if (!(cause instanceof StorageError)) throw cause;
    if (this.#hasFailed) return;
    this.#hasFailed = true;
    this.#uncommitted.length = 0;
    this.#options.onFailed(cause);
  }

  /** One sync at a time; what is appended meanwhile shares the next one. */
  #flush(): void {
    if (this.#isFlushing || this.#isStopped) return;
    this.#isFlushing = true;
    const { log, onFlushed, onSettled } = this.#options;
    const endOffset = log.logEndOffset;
    log.flushLater((error: StorageError | null) => {
      this.#isFlushing = false;
      if (this.#isStopped || this.#hasFailed) return;
      if (error !== null) {
        this.fail(error);
        return;
      }
      onFlushed(endOffset);
      if (log.logEndOffset > endOffset) this.#flush();
      else onSettled();
    });
  }
}
