// Whether what a client sent for one partition may be appended, as far as its bytes tell. Producer sequences are checked by the log.
// Invariant: nothing outside bytes[position, position + length) is read, whatever the lengths inside say; nothing is thrown.
// Pure. The order of the checks is Kafka's, so that a batch with several faults gets the same answer.
import { ERROR } from '../protocol/errors.ts';
import {
  BATCH_MAGIC,
  BATCH_OVERHEAD_BYTES,
  BATCH_PREFIX_BYTES,
  batchSizeBytes,
  COMPRESSION,
  compressionType,
  isControl,
  isSafeTimestamp,
  LOG_OVERHEAD_BYTES,
  readBaseOffset,
  readBaseSequence,
  readBaseTimestamp,
  readCrc,
  readLastOffsetDelta,
  readMagic,
  readMaxTimestamp,
  readProducerId,
  readRecordCount,
  recomputeCrc,
  TIMESTAMP_TYPE,
  timestampType,
  verifyCrc,
  writeMaxTimestamp,
} from '../protocol/records/batch.ts';
import { CompressionError } from '../protocol/records/compression/index.ts';
import type { RecordCursor } from '../protocol/records/record.ts';
import { openRecords } from '../protocol/records/records.ts';
import { type AppendResult, type RecordError, refuse } from './append-result.ts';
import type { LogConfig } from './log-config.ts';
import { checkRecords, INVALID_TIMESTAMPS, isWithin, openContent, timestampFault } from './record-check.ts';

/** The smallest batch length field of any format: below it Kafka calls the set corrupt, above it only malformed. */
const BATCH_LENGTH_MIN = 14;
/** A largest timestamp this far behind the broker's clock is not believed: see `isLargestDoubtful`. */
const RECENT_MS = 60_000;

/** All checks; true where the batch may go on as it is, else `result` has the error. `nowMs` is what timestamps are compared with. */
export function validateClientBatch(
  bytes: Uint8Array,
  position: number,
  length: number,
  config: LogConfig,
  nowMs: number,
  result: AppendResult,
): boolean {
  return (
    validateFrame(bytes, position, length, config, result) &&
    validateContents(bytes, position, config, nowMs, result) &&
    validateFit(bytes, position, config, result)
  );
}

/** Everything that does not look at times or records: for a batch of which the pool will check those. */
export function validateFrame(bytes: Uint8Array, position: number, length: number, config: LogConfig, result: AppendResult): boolean {
  if (length < LOG_OVERHEAD_BYTES)
    return refuse(result, ERROR.INVALID_RECORD, 'A produce request must have one record batch per partition');
  const sizeBytes = batchSizeBytes(bytes, position);
  if (sizeBytes - LOG_OVERHEAD_BYTES < BATCH_LENGTH_MIN) return refuse(result, ERROR.CORRUPT_MESSAGE, `Record batch of ${sizeBytes} bytes`);
  if (length < BATCH_PREFIX_BYTES)
    return refuse(result, ERROR.INVALID_RECORD, 'A produce request must have one record batch per partition');
  const magic = readMagic(bytes, position);
  if (magic < 0 || magic > BATCH_MAGIC)
    return refuse(result, ERROR.CORRUPT_MESSAGE, `Magic ${magic} of the record batch is none that exists`);
  if (length < sizeBytes) return refuse(result, ERROR.INVALID_RECORD, 'A produce request must have one record batch per partition');
  if (magic !== BATCH_MAGIC)
    return refuse(result, ERROR.INVALID_RECORD, `Only record batches with magic ${BATCH_MAGIC} are allowed, not ${magic}`);
  if (length > sizeBytes && !validateTail(bytes, position + sizeBytes, length - sizeBytes, result)) return false;
  if (sizeBytes < BATCH_OVERHEAD_BYTES) return refuse(result, ERROR.CORRUPT_MESSAGE, `Record batch of ${sizeBytes} bytes`);
  if (compressionType(bytes, position) > COMPRESSION.ZSTD) {
    return refuse(result, ERROR.UNSUPPORTED_COMPRESSION_TYPE, `Compression type ${compressionType(bytes, position)} is none that exists`);
  }
  if (readBaseOffset(bytes, position) !== 0) return refuse(result, ERROR.INVALID_RECORD, `The base offset of a record batch should be 0`);
  if (sizeBytes > config.maxMessageBytes) {
    return refuse(
      result,
      ERROR.MESSAGE_TOO_LARGE,
      `The record batch of ${sizeBytes} bytes exceeds the maximum of ${config.maxMessageBytes}`,
    );
  }
  if (!verifyCrc(bytes, position))
    return refuse(result, ERROR.CORRUPT_MESSAGE, `Record is corrupt (stored crc = ${readCrc(bytes, position)})`);
  const count = readRecordCount(bytes, position);
  const lastOffsetDelta = readLastOffsetDelta(bytes, position);
  if (count <= 0 || lastOffsetDelta !== count - 1) {
    return refuse(result, ERROR.INVALID_RECORD, `Record batch counts ${count} records and has a last offset delta of ${lastOffsetDelta}`);
  }
  if (isControl(bytes, position)) return refuse(result, ERROR.INVALID_RECORD, 'Clients are not allowed to write control records');
  const producerId = readProducerId(bytes, position);
  if (producerId >= 0 && readBaseSequence(bytes, position) < 0) {
    return refuse(
      result,
      ERROR.INVALID_RECORD,
      `Sequence ${readBaseSequence(bytes, position)} in a record batch with producer id ${producerId}`,
    );
  }
  return true;
}

/** Times, and where the configuration asks for it each record. Where each was looked at, the header's max timestamp is theirs afterwards. */
function validateContents(bytes: Uint8Array, position: number, config: LogConfig, nowMs: number, result: AppendResult): boolean {
  if (!config.isCompacted && !config.validatesRecords && !isLargestDoubtful(bytes, position, config, nowMs))
    return validateTimestamps(bytes, position, config, nowMs, result);
  const content = openContent(bytes, position, result);
  if (content === null) return false;
  const maxTimestampMs = checkRecords(bytes, position, content, config, nowMs, result);
  if (maxTimestampMs === null) return false;
  if (maxTimestampMs !== readMaxTimestamp(bytes, position)) {
    writeMaxTimestamp(bytes, position, maxTimestampMs);
    recomputeCrc(bytes, position);
  }
  return true;
}

/**
 * Whether records may be younger than their header says. KafkaJS tells the largest of the timestamps that it was given, and stamps the records
 * without one by its clock: offsets by time and retention would take such a batch for an old one. What is said to be of this minute cannot be far
 * off; one record has the header's first timestamp.
 */
function isLargestDoubtful(bytes: Uint8Array, position: number, config: LogConfig, nowMs: number): boolean {
  if (config.isLogAppendTime) return false;
  const maxTimestampMs = readMaxTimestamp(bytes, position);
  if (maxTimestampMs >= nowMs - RECENT_MS || !isSafeTimestamp(maxTimestampMs)) return false;
  return readRecordCount(bytes, position) > 1 || maxTimestampMs !== readBaseTimestamp(bytes, position);
}

/** Whether the batch has room in a segment. */
export function validateFit(bytes: Uint8Array, position: number, config: LogConfig, result: AppendResult): boolean {
  const sizeBytes = batchSizeBytes(bytes, position);
  if (sizeBytes <= config.segmentBytes) return true;
  return refuse(
    result,
    ERROR.RECORD_LIST_TOO_LARGE,
    `The record batch of ${sizeBytes} bytes exceeds the segment size of ${config.segmentBytes}`,
  );
}

/**
 * What follows the batch: an incomplete one is passed over (clients that filled a buffer to the brim sent such), another whole one
 * is one too many.
 */
function validateTail(bytes: Uint8Array, position: number, length: number, result: AppendResult): boolean {
  if (length < LOG_OVERHEAD_BYTES) return true;
  const sizeBytes = batchSizeBytes(bytes, position);
  if (sizeBytes - LOG_OVERHEAD_BYTES < BATCH_LENGTH_MIN) return refuse(result, ERROR.CORRUPT_MESSAGE, `Record batch of ${sizeBytes} bytes`);
  if (length < BATCH_PREFIX_BYTES) return true;
  const magic = readMagic(bytes, position);
  if (magic < 0 || magic > BATCH_MAGIC)
    return refuse(result, ERROR.CORRUPT_MESSAGE, `Magic ${magic} of the record batch is none that exists`);
  return length < sizeBytes || refuse(result, ERROR.INVALID_RECORD, 'A produce request must have exactly one record batch per partition');
}

/** By the header: its base timestamp is the first record's, its max timestamp the largest. */
function validateTimestamps(bytes: Uint8Array, position: number, config: LogConfig, nowMs: number, result: AppendResult): boolean {
  const base = readBaseTimestamp(bytes, position);
  const max = readMaxTimestamp(bytes, position);
  const isStamped = timestampType(bytes, position) === TIMESTAMP_TYPE.LOG_APPEND_TIME;
  const isSafe = isSafeTimestamp(base) && isSafeTimestamp(max);
  if (config.isLogAppendTime ? isSafe && !isStamped : isSafe && isWithin(base, config, nowMs) && isWithin(max, config, nowMs)) return true;
  return refuseTimestamps(bytes, position, config, nowMs, result);
}

/** Apart, since what its function keeps would be made for every batch that is taken. */
function refuseTimestamps(bytes: Uint8Array, position: number, config: LogConfig, nowMs: number, result: AppendResult): boolean {
  const base = readBaseTimestamp(bytes, position);
  const max = readMaxTimestamp(bytes, position);
  const isStamped = timestampType(bytes, position) === TIMESTAMP_TYPE.LOG_APPEND_TIME;
  result.recordErrors = recordErrors(bytes, position, (cursor) => {
    const timestamp = isStamped ? max : base + cursor.timestampDelta;
    return isSafeTimestamp(timestamp) ? timestampFault(timestamp, isStamped, config, nowMs) : `Timestamp ${timestamp} is out of range`;
  });
  return refuse(result, ERROR.INVALID_TIMESTAMP, INVALID_TIMESTAMPS);
}

/** The records that `faultOf` finds fault with. Only where a batch is refused; one that cannot be read has none. */
function recordErrors(bytes: Uint8Array, position: number, faultOf: (cursor: RecordCursor) => string | null): RecordError[] {
  const errors: RecordError[] = [];
  try {
    const cursor = openRecords(bytes, position);
    while (cursor.next()) {
      const message = faultOf(cursor);
      if (message !== null) errors.push({ batchIndex: cursor.count - 1, message });
    }
  } catch (error) {
    if (!(error instanceof CompressionError)) throw error;
  }
  return errors;
}
