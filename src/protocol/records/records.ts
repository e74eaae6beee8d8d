// Whole batches opened: every record read out for tools, tests and clients, or checked one by one.
// Invariant: whatever the bytes, only what is documented here comes out; nothing beyond the given limit is decompressed.
// Runs on: clients, tools, pool threads (decompressing takes as long as it takes). The produce path looks at headers only.
import {
  BATCH_CHECK,
  BATCH_OVERHEAD_BYTES,
  batchCheckName,
  batchPositions,
  batchSizeBytes,
  checkStoredBatch,
  compressionType,
  NO_TIMESTAMP,
  readBaseOffset,
  readBaseTimestamp,
  readMaxTimestamp,
  readRecordCount,
  TIMESTAMP_TYPE,
  timestampType,
} from './batch.ts';
import { CompressionError, DECOMPRESSED_BYTES_MAX, decompress } from './compression/index.ts';
import { RECORD_CHECK, type Record, type RecordCheck, RecordCursor, recordCheckName } from './record.ts';

/** A batch, or a record in it, that cannot be read. */
export class RecordFormatError extends Error {
  override readonly name = 'RecordFormatError';
  readonly code = 'ERR_RECORD_FORMAT';
}

export interface RecordRules {
  /** Refuse records without a key, as compacted topics do. */
  readonly requiresKey?: boolean;
  /** The most that the records may decompress to. */
  readonly limitBytes?: number;
  /** Sees each record that is well formed, in order. */
  readonly each?: (cursor: RecordCursor, timestampMs: number) => void;
}

export interface RecordFindings {
  readonly check: RecordCheck;
  /** Which record is at fault, from 0; -1 when all are good, or when the fault is the batch's as a whole. */
  readonly index: number;
  /** The largest timestamp among the records; NO_TIMESTAMP when none was read. */
  readonly maxTimestampMs: number;
}

/** A cursor over the records of the batch at `position`, whose frame was checked. Throws CompressionError. */
export function openRecords(bytes: Uint8Array, position: number, limitBytes = DECOMPRESSED_BYTES_MAX): RecordCursor {
  const start = position + BATCH_OVERHEAD_BYTES;
  const end = position + batchSizeBytes(bytes, position);
  const type = compressionType(bytes, position);
  if (type === 0) return new RecordCursor(bytes, start, end);
  const content = decompress(type, bytes.subarray(start, end), limitBytes);
  return new RecordCursor(content, 0, content.length);
}

/**
 * Checks every record of the batch at `position`, whose header checkBatch accepted: lengths, offset deltas 0, 1, 2, …, as many as
 * the header counts and nothing behind them, timestamps that a number holds. Stops at the first that fails. Throws nothing.
 */
export function validateRecords(bytes: Uint8Array, position: number, rules: RecordRules = {}): RecordFindings {
  let cursor: RecordCursor;
  try {
    cursor = openRecords(bytes, position, rules.limitBytes);
  } catch (error) {
    if (!(error instanceof CompressionError)) throw error;
    return { check: RECORD_CHECK.BAD_COMPRESSION, index: -1, maxTimestampMs: NO_TIMESTAMP };
  }
  return validateOpened(bytes, position, cursor, rules);
}

/** As validateRecords, of a batch that is open already: `cursor` stands before the first record. */
export function validateOpened(bytes: Uint8Array, position: number, cursor: RecordCursor, rules: RecordRules = {}): RecordFindings {
  const recordCount = readRecordCount(bytes, position);
  const baseTimestampMs = readBaseTimestamp(bytes, position);
  let maxTimestampMs = NO_TIMESTAMP;
  const found = (check: RecordCheck, index: number): RecordFindings => ({ check, index, maxTimestampMs });
  for (let index = 0; index < recordCount; index++) {
    if (!cursor.next()) return found(cursor.check === RECORD_CHECK.OK ? RECORD_CHECK.MISSING_RECORDS : cursor.check, index);
    if (cursor.offsetDelta !== index) return found(RECORD_CHECK.BAD_OFFSET_DELTA, index);
    const timestampMs = baseTimestampMs + cursor.timestampDelta;
    if (!areSafe(baseTimestampMs, cursor.timestampDelta, timestampMs)) return found(RECORD_CHECK.BAD_TIMESTAMP, index);
    if (rules.requiresKey && cursor.keySizeBytes < 0) return found(RECORD_CHECK.MISSING_KEY, index);
    rules.each?.(cursor, timestampMs);
    maxTimestampMs = Math.max(maxTimestampMs, timestampMs);
  }
  return found(cursor.recordEnd === cursor.end ? RECORD_CHECK.OK : RECORD_CHECK.TRAILING_BYTES, -1);
}

/**
 * Copies of all records of the batch at `position`, control records and what compaction left included.
 * Timestamps are the batch's max timestamp where the broker stamped it, and rounded where a peer sent more than 2^53 − 1.
 * Throws RecordFormatError, CompressionError.
 */
export function readRecords(bytes: Uint8Array, position = 0, limitBytes = DECOMPRESSED_BYTES_MAX): Record[] {
  const batchCheck = checkStoredBatch(bytes, position, bytes.length - position);
  if (batchCheck !== BATCH_CHECK.OK) throw new RecordFormatError(`batch at position ${position}: ${batchCheckName(batchCheck)}`);
  const baseOffset = readBaseOffset(bytes, position);
  const baseTimestampMs = readBaseTimestamp(bytes, position);
  const stampedMs = timestampType(bytes, position) === TIMESTAMP_TYPE.LOG_APPEND_TIME ? readMaxTimestamp(bytes, position) : null;
  const recordCount = readRecordCount(bytes, position);
  const cursor = openRecords(bytes, position, limitBytes);
  const records: Record[] = [];
  while (cursor.next()) {
    records.push({
      offset: baseOffset + cursor.offsetDelta,
      timestampMs: stampedMs ?? baseTimestampMs + cursor.timestampDelta,
      key: cursor.copyKey(),
      value: cursor.copyValue(),
      headers: cursor.copyHeaders(),
    });
  }
  if (cursor.check !== RECORD_CHECK.OK) {
    throw new RecordFormatError(`record ${cursor.count} of the batch at position ${position}: ${recordCheckName(cursor.check)}`);
  }
  if (cursor.count !== recordCount) {
    throw new RecordFormatError(`batch at position ${position}: ${cursor.count} records where the header counts ${recordCount}`);
  }
  return records;
}

/** readRecords over every whole batch in [start, end), in order. */
export function readAllRecords(bytes: Uint8Array, start = 0, end = bytes.length): Record[] {
  const records: Record[] = [];
  for (const position of batchPositions(bytes, start, end)) records.push(...readRecords(bytes, position));
  return records;
}

function areSafe(baseMs: number, delta: number, sumMs: number): boolean {
  return Number.isSafeInteger(baseMs) && Number.isSafeInteger(delta) && Number.isSafeInteger(sumMs);
}
