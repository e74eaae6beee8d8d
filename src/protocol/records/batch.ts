// The header of a record batch, format version 2 (magic 2): read, checked and rewritten in place; no object per batch, no copy.
// Invariants: the checksum covers everything from the attributes to the end of the batch, so that base offset and leader epoch,
// which lie before it, are the broker's to write, and whoever writes behind it calls recomputeCrc. The checks read nothing beyond
// `available`, whatever the length fields say, and throw nothing; the accessors want a batch whose frame was checked.
// Pure. Not the records inside a batch: those are in record.ts.
// Source: "Record Batch" in Kafka's documentation of the message format (KIP-98).

import { readInt16, readInt32, readInt64, writeInt16, writeInt32, writeInt64 } from '../../base/big-endian.ts';
import { crc32cRange } from '../../base/crc32c.ts';

/** The one batch format that Naru reads and writes. */
export const BATCH_MAGIC = 2;
/** Base offset (8) and batch length (4): what the length does not count. */
export const LOG_OVERHEAD_BYTES = 12;
/** The header up to the first record. */
export const BATCH_OVERHEAD_BYTES = 61;
/** Everything a reader needs before it knows how a batch must be read: up to and with the magic. */
export const BATCH_PREFIX_BYTES = 17;

/** Where each field lies, from the start of the batch. */
const BASE_OFFSET_AT = 0; // int64
export const BATCH_LENGTH_AT = 8; // int32: the bytes after this field
const LEADER_EPOCH_AT = 12; // int32
export const MAGIC_AT = 16; // int8
export const CRC_AT = 17; // uint32 over [ATTRIBUTES_AT, end)
export const ATTRIBUTES_AT = 21; // int16
export const LAST_OFFSET_DELTA_AT = 23; // int32
export const BASE_TIMESTAMP_AT = 27; // int64: the delete horizon instead, where attribute bit 6 is set
export const MAX_TIMESTAMP_AT = 35; // int64
export const PRODUCER_ID_AT = 43; // int64
export const PRODUCER_EPOCH_AT = 51; // int16
export const BASE_SEQUENCE_AT = 53; // int32
export const RECORD_COUNT_AT = 57; // int32

/** Bits 0–2 of the attributes are the compression type; 7–15 are unused and kept as they came. */
const COMPRESSION_MASK = 0x07;
export const LOG_APPEND_TIME_BIT = 0x08;
export const TRANSACTIONAL_BIT = 0x10;
export const CONTROL_BIT = 0x20;
const DELETE_HORIZON_BIT = 0x40;

export const COMPRESSION = { NONE: 0, GZIP: 1, SNAPPY: 2, LZ4: 3, ZSTD: 4 } as const;
export const TIMESTAMP_TYPE = { CREATE_TIME: 0, LOG_APPEND_TIME: 1 } as const;

export const NO_TIMESTAMP = -1;
export const NO_PRODUCER_ID = -1;
export const NO_PRODUCER_EPOCH = -1;
export const NO_SEQUENCE = -1;
export const NO_LEADER_EPOCH = -1;

export function readBaseOffset(bytes: Uint8Array, position: number): number {
  return readInt64(bytes, position + BASE_OFFSET_AT);
}

/** The length field as it stands: bytes behind it, negative where it lies. */
export function readBatchLength(bytes: Uint8Array, position: number): number {
  return readInt32(bytes, position + BATCH_LENGTH_AT);
}

/** All bytes of the batch, header included. */
export function batchSizeBytes(bytes: Uint8Array, position: number): number {
  return LOG_OVERHEAD_BYTES + readInt32(bytes, position + BATCH_LENGTH_AT);
}

export function readLeaderEpoch(bytes: Uint8Array, position: number): number {
  return readInt32(bytes, position + LEADER_EPOCH_AT);
}

export function readMagic(bytes: Uint8Array, position: number): number {
  return ((bytes[position + MAGIC_AT] as number) << 24) >> 24;
}

/** The stored checksum, unsigned. */
export function readCrc(bytes: Uint8Array, position: number): number {
  return readInt32(bytes, position + CRC_AT) >>> 0;
}

export function readAttributes(bytes: Uint8Array, position: number): number {
  return readInt16(bytes, position + ATTRIBUTES_AT);
}

export function readLastOffsetDelta(bytes: Uint8Array, position: number): number {
  return readInt32(bytes, position + LAST_OFFSET_DELTA_AT);
}

/** Milliseconds; what isSafeTimestamp refuses is a rounded value. */
export function readBaseTimestamp(bytes: Uint8Array, position: number): number {
  return readInt64(bytes, position + BASE_TIMESTAMP_AT);
}

/** Milliseconds; what isSafeTimestamp refuses is a rounded value. */
export function readMaxTimestamp(bytes: Uint8Array, position: number): number {
  return readInt64(bytes, position + MAX_TIMESTAMP_AT);
}

/** Whether a timestamp read here is exact: peers may send any int64, and one above 2^53 − 1 is refused by error code. */
export function isSafeTimestamp(timestampMs: number): boolean {
  return Number.isSafeInteger(timestampMs);
}

export function readProducerId(bytes: Uint8Array, position: number): number {
  return readInt64(bytes, position + PRODUCER_ID_AT);
}

export function readProducerEpoch(bytes: Uint8Array, position: number): number {
  return readInt16(bytes, position + PRODUCER_EPOCH_AT);
}

export function readBaseSequence(bytes: Uint8Array, position: number): number {
  return readInt32(bytes, position + BASE_SEQUENCE_AT);
}

export function readRecordCount(bytes: Uint8Array, position: number): number {
  return readInt32(bytes, position + RECORD_COUNT_AT);
}

/** The offset of the last record, or of the one that compaction removed there. */
export function lastOffset(bytes: Uint8Array, position: number): number {
  return readBaseOffset(bytes, position) + readLastOffsetDelta(bytes, position);
}

/** The sequence of the last record; sequences wrap from 2^31 − 1 to 0. NO_SEQUENCE where the producer has none. */
export function lastSequence(bytes: Uint8Array, position: number): number {
  const base = readBaseSequence(bytes, position);
  return base === NO_SEQUENCE ? NO_SEQUENCE : (base + readLastOffsetDelta(bytes, position)) & 0x7fffffff;
}

/** 0–4 as in COMPRESSION; 5–7 are no codec that exists. */
export function compressionType(bytes: Uint8Array, position: number): number {
  return (bytes[position + ATTRIBUTES_AT + 1] as number) & COMPRESSION_MASK;
}

/** As in TIMESTAMP_TYPE. */
export function timestampType(bytes: Uint8Array, position: number): number {
  return ((bytes[position + ATTRIBUTES_AT + 1] as number) & LOG_APPEND_TIME_BIT) >> 3;
}

export function isTransactional(bytes: Uint8Array, position: number): boolean {
  return ((bytes[position + ATTRIBUTES_AT + 1] as number) & TRANSACTIONAL_BIT) !== 0;
}

export function isControl(bytes: Uint8Array, position: number): boolean {
  return ((bytes[position + ATTRIBUTES_AT + 1] as number) & CONTROL_BIT) !== 0;
}

/** Whether the base timestamp is the time from which tombstones and markers of this batch may go (KIP-534). */
export function hasDeleteHorizon(bytes: Uint8Array, position: number): boolean {
  return ((bytes[position + ATTRIBUTES_AT + 1] as number) & DELETE_HORIZON_BIT) !== 0;
}

/** Outside the checksum. */
export function writeBaseOffset(bytes: Uint8Array, position: number, baseOffset: number): void {
  writeInt64(bytes, position + BASE_OFFSET_AT, baseOffset);
}

/** Outside the checksum. */
export function writeLeaderEpoch(bytes: Uint8Array, position: number, leaderEpoch: number): void {
  writeInt32(bytes, position + LEADER_EPOCH_AT, leaderEpoch);
}

/** Inside the checksum: recomputeCrc follows. */
export function writeMaxTimestamp(bytes: Uint8Array, position: number, timestampMs: number): void {
  writeInt64(bytes, position + MAX_TIMESTAMP_AT, timestampMs);
}

/** The bytes of the batch behind base offset and length; outside the checksum, which runs to the end that it says. */
export function writeBatchLength(bytes: Uint8Array, position: number, length: number): void {
  writeInt32(bytes, position + BATCH_LENGTH_AT, length);
}

/** Inside the checksum: recomputeCrc follows. */
export function writeAttributes(bytes: Uint8Array, position: number, attributes: number): void {
  writeInt16(bytes, position + ATTRIBUTES_AT, attributes);
}

/** Inside the checksum: recomputeCrc follows. */
export function writeCompressionType(bytes: Uint8Array, position: number, type: number): void {
  bytes[position + ATTRIBUTES_AT + 1] = ((bytes[position + ATTRIBUTES_AT + 1] as number) & ~COMPRESSION_MASK) | type;
}

/** The checksum as it should be, unsigned. The whole batch lies within `bytes`, and its length is at least the header's. */
function computeCrc(bytes: Uint8Array, position: number): number {
  return crc32cRange(bytes, position + ATTRIBUTES_AT, position + batchSizeBytes(bytes, position));
}

/** Stores the checksum of what is there now. Same demands as computeCrc. */
export function recomputeCrc(bytes: Uint8Array, position: number): void {
  writeInt32(bytes, position + CRC_AT, computeCrc(bytes, position));
}

/** Whether the stored checksum is that of the bytes. Same demands as computeCrc. */
export function verifyCrc(bytes: Uint8Array, position: number): boolean {
  return readCrc(bytes, position) === computeCrc(bytes, position);
}

/** What a check found; OK is 0. Each is the first that holds, in this order. */
export const BATCH_CHECK = {
  OK: 0,
  /** Fewer bytes than the header, or than the length field announces: perhaps more will come, or the tail is torn. */
  TRUNCATED: 1,
  /** The length is below that of an empty batch, negative included. */
  BAD_LENGTH: 2,
  /** Not format 2: an older format, or no batch at all. */
  BAD_MAGIC: 3,
  BAD_CRC: 4,
  /** Record count and last offset delta contradict each other, or one is out of range. */
  BAD_COUNT: 5,
} as const;

type BatchCheck = (typeof BATCH_CHECK)[keyof typeof BATCH_CHECK];

/** For messages: `TRUNCATED`, `BAD_CRC`, … */
export function batchCheckName(check: BatchCheck): string {
  for (const [name, value] of Object.entries(BATCH_CHECK)) if (value === check) return name;
  return `${check}`;
}

/** Length and magic alone, without reading the records: whether a whole batch of format 2 stands at `position`. */
export function checkBatchFrame(bytes: Uint8Array, position: number, available: number): BatchCheck {
  if (available < LOG_OVERHEAD_BYTES) return BATCH_CHECK.TRUNCATED;
  const sizeBytes = batchSizeBytes(bytes, position);
  if (sizeBytes < BATCH_PREFIX_BYTES) return BATCH_CHECK.BAD_LENGTH;
  if (available < BATCH_PREFIX_BYTES) return BATCH_CHECK.TRUNCATED;
  if (readMagic(bytes, position) !== BATCH_MAGIC) return BATCH_CHECK.BAD_MAGIC;
  if (sizeBytes < BATCH_OVERHEAD_BYTES) return BATCH_CHECK.BAD_LENGTH;
  return available < sizeBytes ? BATCH_CHECK.TRUNCATED : BATCH_CHECK.OK;
}

/**
 * What a producer sends: frame, checksum, at least one record, and offsets without a gap (record count = last offset delta + 1).
 * `available` bytes from `position` may be read.
 */
export function checkBatch(bytes: Uint8Array, position: number, available: number): BatchCheck {
  const frame = checkBatchFrame(bytes, position, available);
  if (frame !== BATCH_CHECK.OK) return frame;
  if (!verifyCrc(bytes, position)) return BATCH_CHECK.BAD_CRC;
  const count = readRecordCount(bytes, position);
  return count > 0 && count - 1 === readLastOffsetDelta(bytes, position) ? BATCH_CHECK.OK : BATCH_CHECK.BAD_COUNT;
}

/** What a log may hold: as checkBatch, but compaction may have removed records, even all, without moving the last offset. */
export function checkStoredBatch(bytes: Uint8Array, position: number, available: number): BatchCheck {
  const frame = checkBatchFrame(bytes, position, available);
  if (frame !== BATCH_CHECK.OK) return frame;
  if (!verifyCrc(bytes, position)) return BATCH_CHECK.BAD_CRC;
  const count = readRecordCount(bytes, position);
  return count >= 0 && count - 1 <= readLastOffsetDelta(bytes, position) && readLastOffsetDelta(bytes, position) >= 0
    ? BATCH_CHECK.OK
    : BATCH_CHECK.BAD_COUNT;
}

/**
 * The position behind the batch at `position`, or -1 when no whole batch of format 2 stands there before `end`:
 * `for (let at = start, next = nextBatch(bytes, at, end); next !== -1; at = next, next = nextBatch(bytes, at, end)) …`
 */
export function nextBatch(bytes: Uint8Array, position: number, end: number): number {
  return checkBatchFrame(bytes, position, end - position) === BATCH_CHECK.OK ? position + batchSizeBytes(bytes, position) : -1;
}

/** The positions of the whole batches in [start, end); stops in front of the first thing that is none. For tools and tests. */
export function* batchPositions(bytes: Uint8Array, start = 0, end = bytes.length): Generator<number> {
  for (let at = start, next = nextBatch(bytes, at, end); next !== -1; at = next, next = nextBatch(bytes, at, end)) yield at;
}
