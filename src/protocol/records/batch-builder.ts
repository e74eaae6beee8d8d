// Builds record batches: clients' batches, the metadata log's, control batches, and the inputs of tests.
// Invariant: build() gives a batch that checkBatch and validateRecords accept.
// Pure as long as nothing is compressed. Not for the produce path, which never opens a batch.
import { assert } from '../../base/assert.ts';
import { writeInt16, writeInt32, writeInt64 } from '../../base/big-endian.ts';
import { ByteWriter } from '../../base/byte-writer.ts';
import {
  ATTRIBUTES_AT,
  BASE_SEQUENCE_AT,
  BASE_TIMESTAMP_AT,
  BATCH_LENGTH_AT,
  BATCH_MAGIC,
  BATCH_OVERHEAD_BYTES,
  COMPRESSION,
  CONTROL_BIT,
  LAST_OFFSET_DELTA_AT,
  LOG_APPEND_TIME_BIT,
  LOG_OVERHEAD_BYTES,
  MAGIC_AT,
  NO_LEADER_EPOCH,
  NO_PRODUCER_EPOCH,
  NO_PRODUCER_ID,
  NO_SEQUENCE,
  NO_TIMESTAMP,
  PRODUCER_EPOCH_AT,
  PRODUCER_ID_AT,
  RECORD_COUNT_AT,
  recomputeCrc,
  TRANSACTIONAL_BIT,
  writeBaseOffset,
  writeLeaderEpoch,
  writeMaxTimestamp,
} from './batch.ts';
import { compress } from './compression/index.ts';
import type { RecordHeader } from './record.ts';
import { VARINT_MAX_BYTES, VARLONG_MAX_BYTES, varintSizeBytes, varlongSizeBytes, writeVarint, writeVarlong } from './varint.ts';

export interface BatchOptions {
  readonly baseOffset?: number;
  readonly leaderEpoch?: number;
  /** As in COMPRESSION. */
  readonly compression?: number;
  readonly producerId?: number;
  readonly producerEpoch?: number;
  readonly baseSequence?: number;
  readonly isTransactional?: boolean;
  readonly isControl?: boolean;
  /** Marks the batch as stamped by a broker with this time, which becomes its max timestamp. */
  readonly logAppendTimeMs?: number;
}

export interface RecordInput {
  readonly key?: Uint8Array | null;
  readonly value?: Uint8Array | null;
  readonly headers?: readonly RecordHeader[];
  /** Milliseconds since the Unix epoch, or NO_TIMESTAMP. */
  readonly timestampMs: number;
}

/** How values of one kind become records: their sizes, then their bytes, written right where they are to lie. */
export interface RecordFormat<T> {
  keyBytes(record: T): number;
  /** -1: the value is null. */
  valueBytes(record: T): number;
  /** Writes exactly `keyBytes`. */
  writeKey(record: T, writer: ByteWriter): void;
  /** Writes exactly `valueBytes`; not called for null. */
  writeValue(record: T, writer: ByteWriter): void;
}

const INITIAL_BYTES = 1024;
const EMPTY: readonly RecordHeader[] = [];

export class BatchBuilder {
  readonly #options: BatchOptions;
  #bytes: Uint8Array = new Uint8Array(INITIAL_BYTES);
  readonly #writer = new ByteWriter(this.#bytes);
  #position = BATCH_OVERHEAD_BYTES;
  #recordCount = 0;
  #lastOffsetDelta = -1;
  #baseTimestampMs = NO_TIMESTAMP;
  #maxTimestampMs = NO_TIMESTAMP;

  constructor(options: BatchOptions = {}) {
    this.#options = options;
  }

  get recordCount(): number {
    return this.#recordCount;
  }

  /** The batch as it stands, before compression. */
  get sizeBytes(): number {
    return this.#position;
  }

  /**
   * Adds a record. Offset deltas run on by one unless `offsetDelta` leaves a gap, as compaction does; such a batch is one for
   * a log, never one that a producer may send.
   */
  append(record: RecordInput, offsetDelta = this.#lastOffsetDelta + 1): this {
    assert(offsetDelta > this.#lastOffsetDelta, 'offset deltas rise');
    const timestampDelta = this.#timestampDelta(record.timestampMs);
    const headers = record.headers ?? EMPTY;
    const headerKeys = headers.map((header) => textEncoder.encode(header.key));
    let bodyBytes = 1 + varlongSizeBytes(timestampDelta) + varintSizeBytes(offsetDelta);
    bodyBytes += fieldSizeBytes(record.key) + fieldSizeBytes(record.value) + varintSizeBytes(headers.length);
    headers.forEach((header, i) => {
      bodyBytes += fieldSizeBytes(headerKeys[i]) + fieldSizeBytes(header.value);
    });
    this.#reserve(this.#position + VARINT_MAX_BYTES + VARLONG_MAX_BYTES + bodyBytes);
    this.#begin(bodyBytes, record.timestampMs, timestampDelta, offsetDelta);
    this.#writeField(record.key);
    this.#writeField(record.value);
    this.#position = writeVarint(this.#bytes, this.#position, headers.length);
    headers.forEach((header, i) => {
      this.#writeField(headerKeys[i]);
      this.#writeField(header.value);
    });
    return this;
  }

  /**
   * Adds a record without headers, which `format` writes in place: no bytes of its own are made for key and value. False, and nothing is
   * done, where the batch would be larger than `sizeBytesMax`.
   */
  tryAppend<T>(format: RecordFormat<T>, record: T, timestampMs: number, sizeBytesMax: number): boolean {
    const timestampDelta = this.#timestampDelta(timestampMs);
    const offsetDelta = this.#lastOffsetDelta + 1;
    const keyBytes = format.keyBytes(record);
    const valueBytes = format.valueBytes(record);
    let bodyBytes = 1 + varlongSizeBytes(timestampDelta) + varintSizeBytes(offsetDelta) + 1;
    bodyBytes += varintSizeBytes(keyBytes) + keyBytes + varintSizeBytes(valueBytes) + Math.max(valueBytes, 0);
    const end = this.#position + varintSizeBytes(bodyBytes) + bodyBytes;
    if (end > sizeBytesMax) return false;
    this.#reserve(end);
    this.#begin(bodyBytes, timestampMs, timestampDelta, offsetDelta);
    const writer = this.#writer;
    writer.position = writeVarint(this.#bytes, this.#position, keyBytes);
    format.writeKey(record, writer);
    writer.position = writeVarint(this.#bytes, writer.position, valueBytes);
    if (valueBytes >= 0) format.writeValue(record, writer);
    this.#bytes[writer.position++] = 0; // No headers.
    assert(writer.position === end, 'a record takes the bytes that were counted');
    this.#position = end;
    return true;
  }

  /** Forgets all records and keeps the memory, for the next batch. */
  reset(): this {
    this.#position = BATCH_OVERHEAD_BYTES;
    this.#recordCount = 0;
    this.#lastOffsetDelta = -1;
    return this;
  }

  /**
   * The batch with its checksum: a fresh array of exactly its size. The builder may go on appending.
   * Throws CompressionError where the codec is not available.
   */
  build(): Uint8Array {
    assert(this.#recordCount > 0, 'a batch has at least one record');
    const options = this.#options;
    const type = options.compression ?? COMPRESSION.NONE;
    const plain = this.#bytes.subarray(BATCH_OVERHEAD_BYTES, this.#position);
    const payload = type === COMPRESSION.NONE ? plain : compress(type, plain);
    const batch = new Uint8Array(BATCH_OVERHEAD_BYTES + payload.length);
    batch.set(payload, BATCH_OVERHEAD_BYTES);
    const attributes =
      type |
      (options.logAppendTimeMs === undefined ? 0 : LOG_APPEND_TIME_BIT) |
      (options.isTransactional ? TRANSACTIONAL_BIT : 0) |
      (options.isControl ? CONTROL_BIT : 0);
    writeBaseOffset(batch, 0, options.baseOffset ?? 0);
    writeInt32(batch, BATCH_LENGTH_AT, batch.length - LOG_OVERHEAD_BYTES);
    writeLeaderEpoch(batch, 0, options.leaderEpoch ?? NO_LEADER_EPOCH);
    batch[MAGIC_AT] = BATCH_MAGIC;
    writeInt16(batch, ATTRIBUTES_AT, attributes);
    writeInt32(batch, LAST_OFFSET_DELTA_AT, this.#lastOffsetDelta);
    writeInt64(batch, BASE_TIMESTAMP_AT, this.#baseTimestampMs);
    writeMaxTimestamp(batch, 0, options.logAppendTimeMs ?? this.#maxTimestampMs);
    writeInt64(batch, PRODUCER_ID_AT, options.producerId ?? NO_PRODUCER_ID);
    writeInt16(batch, PRODUCER_EPOCH_AT, options.producerEpoch ?? NO_PRODUCER_EPOCH);
    writeInt32(batch, BASE_SEQUENCE_AT, options.baseSequence ?? NO_SEQUENCE);
    writeInt32(batch, RECORD_COUNT_AT, this.#recordCount);
    recomputeCrc(batch, 0);
    return batch;
  }

  /** From the first record's time; that of the first is 0. */
  #timestampDelta(timestampMs: number): number {
    assert(Number.isSafeInteger(timestampMs), 'a timestamp is a safe integer');
    const delta = this.#recordCount === 0 ? 0 : timestampMs - this.#baseTimestampMs;
    assert(Number.isSafeInteger(delta), 'timestamps of one batch are less than 2^53 apart');
    return delta;
  }

  /** Writes what comes before the key, and counts the record. */
  #begin(bodyBytes: number, timestampMs: number, timestampDelta: number, offsetDelta: number): void {
    if (this.#recordCount === 0) this.#baseTimestampMs = this.#maxTimestampMs = timestampMs;
    else if (timestampMs > this.#maxTimestampMs) this.#maxTimestampMs = timestampMs;
    this.#position = writeVarint(this.#bytes, this.#position, bodyBytes);
    this.#bytes[this.#position++] = 0; // Attributes of a record: none are defined.
    this.#position = writeVarlong(this.#bytes, this.#position, timestampDelta);
    this.#position = writeVarint(this.#bytes, this.#position, offsetDelta);
    this.#recordCount++;
    this.#lastOffsetDelta = offsetDelta;
  }

  /** Length, then bytes; −1 for null. */
  #writeField(field: Uint8Array | null | undefined): void {
    if (field === null || field === undefined) {
      this.#position = writeVarint(this.#bytes, this.#position, -1);
      return;
    }
    this.#position = writeVarint(this.#bytes, this.#position, field.length);
    this.#bytes.set(field, this.#position);
    this.#position += field.length;
  }

  /** Room for all bytes below `end`. */
  #reserve(end: number): void {
    if (end <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(end, this.#bytes.length * 2));
    grown.set(this.#bytes.subarray(0, this.#position));
    this.#bytes = grown;
    this.#writer.reset(grown, 0);
  }
}

const textEncoder = new TextEncoder();

function fieldSizeBytes(field: Uint8Array | null | undefined): number {
  return field === null || field === undefined ? 1 : varintSizeBytes(field.length) + field.length;
}
