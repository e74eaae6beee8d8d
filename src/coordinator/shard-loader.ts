// Reads a partition of a coordinator's topic from its start to its high watermark and gives each record to the shard, a piece at a time.
// Invariants: a piece ends after about a millisecond or RECORDS_PER_PIECE, wherever it is, also within a batch; nothing that may wait for
// the disk runs on the loop; records of a transaction are given out when its COMMIT is read, and never without one.
// What cannot be read as a record (of a newer broker, or damaged) is counted and passed over: its group must not cost all others theirs.
// Runs on: the owner of the partition.
import { DecodeError } from '../base/byte-reader.ts';
import type { Clock } from '../base/clock.ts';
import { KIB } from '../base/units.ts';
import { createReadPlan } from '../log/log.ts';
import type { LeaderReplica } from '../partition/leader-replica.ts';
import type { PartitionWords } from '../partition/partition-words.ts';
import { ERROR } from '../protocol/errors.ts';
import {
  BATCH_CHECK,
  batchSizeBytes,
  checkBatchFrame,
  isControl,
  isTransactional,
  lastOffset,
  readProducerId,
} from '../protocol/records/batch.ts';
import { CompressionError } from '../protocol/records/compression/index.ts';
import { CONTROL_TYPE, readControlType } from '../protocol/records/control.ts';
import { RECORD_CHECK, type RecordCursor } from '../protocol/records/record.ts';
import { openRecords } from '../protocol/records/records.ts';
import type { RecordCodec } from './shard.ts';

/** How a range of a file is read: what of src/broker/segment-reader.ts is needed. */
export interface RangeReader {
  isCached(descriptor: number, position: number, length: number, behindEndBytes: number): boolean;
  readNow(descriptor: number, target: Uint8Array, at: number, length: number, position: number): number;
  readLater(descriptor: number, target: Uint8Array, at: number, length: number, position: number, done: (count: number) => void): void;
}

/** What a piece came to. WAITING: `onReady` is called when the disk has answered. */
export const LOADING = { MORE: 0, WAITING: 1, DONE: 2, FAILED: 3 } as const;

const READ_BYTES = 256 * KIB;
const PIECE_MS = 1;
/** What bounds a piece where time stands still; at less than 1 µs a record it is the other bound. */
const RECORDS_PER_PIECE = 2048;
/** Records between two looks at the clock. */
const RECORDS_PER_LOOK = 32;

export interface ShardLoaderOptions<Record> {
  readonly replica: LeaderReplica;
  readonly words: PartitionWords;
  readonly reader: RangeReader;
  readonly clock: Clock;
  readonly codec: RecordCodec<Record>;
  readonly replay: (record: Record) => void;
  /** The disk has answered: the next piece may be asked for. */
  readonly onReady: () => void;
}

export class ShardLoader<Record> {
  /** Records given out, and those that could not be read. */
  recordCount = 0;
  unreadableCount = 0;
  readonly #options: ShardLoaderOptions<Record>;
  readonly #plan = createReadPlan();
  #offset: number;
  #bytes: Uint8Array = new Uint8Array(0);
  /** Batches are in bytes[at, filled). */
  #at = 0;
  #filled = 0;
  /** In the midst of the batch at `at`. */
  #cursor: RecordCursor | null = null;
  #isWaiting = false;
  #hasFailed = false;
  /** Records of transactions that have not ended, by producer id. */
  readonly #open = new Map<number, Record[]>();

  constructor(options: ShardLoaderOptions<Record>) {
    this.#options = options;
    this.#offset = options.replica.log.logStartOffset;
  }

  /** Goes on for one piece. */
  run(): number {
    if (this.#isWaiting) return LOADING.WAITING;
    const { clock, replica } = this.#options;
    const endMs = clock.monotonicMs() + PIECE_MS;
    for (let left = RECORDS_PER_PIECE; left > 0; left -= RECORDS_PER_LOOK) {
      if (this.#hasFailed) return LOADING.FAILED;
      if (!this.#readRecords(RECORDS_PER_LOOK)) {
        if (this.#offset >= replica.highWatermark) return LOADING.DONE;
        if (!this.#fill()) return this.#hasFailed ? LOADING.FAILED : LOADING.WAITING;
      }
      if (clock.monotonicMs() >= endMs) break;
    }
    return LOADING.MORE;
  }

  /** Gives out up to `count` records of what was read; false when there is no whole batch left. */
  #readRecords(count: number): boolean {
    for (let left = count; left > 0; ) {
      const cursor = this.#cursor ?? this.#nextBatch();
      if (cursor === null) {
        if (this.#at < this.#filled && this.#hasWholeBatch()) continue; // Passed over.
        return false;
      }
      for (; left > 0; left--) {
        if (!cursor.next()) {
          if (cursor.check !== RECORD_CHECK.OK) this.unreadableCount++;
          this.#endBatch();
          break;
        }
        this.#hear(cursor);
      }
    }
    return true;
  }

  #hasWholeBatch(): boolean {
    const available = this.#filled - this.#at;
    return checkBatchFrame(this.#bytes, this.#at, available) === BATCH_CHECK.OK && batchSizeBytes(this.#bytes, this.#at) <= available;
  }

  /** Opens the batch at `at`; null where there is none that is whole, or one that was passed over. */
  #nextBatch(): RecordCursor | null {
    if (!this.#hasWholeBatch()) return null;
    if (lastOffset(this.#bytes, this.#at) < this.#offset) {
      this.#endBatch();
      return null;
    }
    try {
      this.#cursor = openRecords(this.#bytes, this.#at);
    } catch (error) {
      if (!(error instanceof CompressionError)) throw error;
      this.unreadableCount++;
      this.#endBatch();
    }
    return this.#cursor;
  }

  #endBatch(): void {
    this.#cursor = null;
    this.#offset = Math.max(this.#offset, lastOffset(this.#bytes, this.#at) + 1);
    this.#at += batchSizeBytes(this.#bytes, this.#at);
  }

  #hear(cursor: RecordCursor): void {
    const batch = this.#bytes;
    const key = cursor.keySizeBytes < 0 ? null : cursor.bytes.subarray(cursor.keyPosition, cursor.keyPosition + cursor.keySizeBytes);
    if (isControl(batch, this.#at)) {
      this.#endTransaction(readProducerId(batch, this.#at), readControlType(key));
      return;
    }
    const value =
      cursor.valueSizeBytes < 0 ? null : cursor.bytes.subarray(cursor.valuePosition, cursor.valuePosition + cursor.valueSizeBytes);
    let record: Record | null = null;
    try {
      // Decoded fields are copies: nothing keeps the buffer.
      if (key !== null) record = this.#options.codec.decode(key, value);
      else this.unreadableCount++;
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      this.unreadableCount++;
    }
    if (record === null) return;
    if (isTransactional(batch, this.#at)) this.#hold(readProducerId(batch, this.#at), record);
    else this.#give(record);
  }

  #give(record: Record): void {
    this.recordCount++;
    this.#options.replay(record);
  }

  #hold(producerId: number, record: Record): void {
    const held = this.#open.get(producerId);
    if (held === undefined) this.#open.set(producerId, [record]);
    else held.push(record);
  }

  #endTransaction(producerId: number, type: number): void {
    if (type !== CONTROL_TYPE.COMMIT && type !== CONTROL_TYPE.ABORT) return;
    const held = this.#open.get(producerId);
    this.#open.delete(producerId);
    if (held !== undefined && type === CONTROL_TYPE.COMMIT) for (const record of held) this.#give(record);
  }

  /** Reads on from `offset`; false: the disk is asked, or it failed. */
  #fill(): boolean {
    const { replica, words, reader } = this.#options;
    const plan = this.#plan;
    replica.log.planRead(this.#offset, READ_BYTES, replica.highWatermark, true, plan);
    if (plan.error !== ERROR.NONE) {
      this.#hasFailed = true;
      return false;
    }
    if (plan.length === 0) {
      this.#offset = replica.highWatermark; // Compaction left nothing behind it.
      return true;
    }
    if (this.#bytes.length < plan.length) this.#bytes = new Uint8Array(Math.max(plan.length, READ_BYTES));
    const { descriptor, position, length } = plan;
    const isLive = plan.segmentBaseOffset === replica.log.liveSegmentBaseOffset;
    const behindEndBytes = isLive ? replica.log.liveSegmentSizeBytes - position - length : Number.POSITIVE_INFINITY;
    if (reader.isCached(descriptor, position, length, behindEndBytes)) {
      return this.#filledWith(reader.readNow(descriptor, this.#bytes, 0, length, position), length);
    }
    // Counted in as a reader, so that the file stays open where the topic goes meanwhile.
    const stateVersion = words.stateVersion(replica.slot);
    if (!words.enterRead(replica.slot, stateVersion)) {
      this.#hasFailed = true;
      return false;
    }
    this.#isWaiting = true;
    reader.readLater(descriptor, this.#bytes, 0, length, position, (count) => {
      words.leaveRead(replica.slot, stateVersion);
      this.#isWaiting = false;
      this.#filledWith(count, length);
      this.#options.onReady();
    });
    return false;
  }

  #filledWith(count: number, length: number): boolean {
    this.#at = 0;
    this.#filled = Math.max(count, 0);
    // A file that is shorter than planned, or bytes that are no batch: without this it would be read again for ever.
    if (count < length || !this.#hasWholeBatch()) this.#hasFailed = true;
    return !this.#hasFailed;
  }
}
