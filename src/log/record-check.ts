// The records of a produced batch, one by one: shape, key where the topic is compacted, time. Only where each is looked at: compacted topics,
// naru.validate.records, and batches that are compressed anew (docs/decisions/0001-record-checks.md).
// Invariant: all records at fault are named, with the first fault of each; nothing is thrown for any bytes.
// Pure. What the header alone tells is in append-validator.ts.
import { ERROR } from '../protocol/errors.ts';
import {
  BATCH_OVERHEAD_BYTES,
  batchSizeBytes,
  compressionType,
  isSafeTimestamp,
  NO_TIMESTAMP,
  readBaseTimestamp,
  readMaxTimestamp,
  TIMESTAMP_TYPE,
  timestampType,
} from '../protocol/records/batch.ts';
import { CompressionError, DECOMPRESSED_BYTES_MAX, decompress } from '../protocol/records/compression/index.ts';
import { RECORD_CHECK, RecordCursor, recordCheckName } from '../protocol/records/record.ts';
import { validateOpened } from '../protocol/records/records.ts';
import { type AppendResult, type RecordError, refuse } from './append-result.ts';

export const INVALID_TIMESTAMPS = 'One or more records have been rejected due to invalid timestamp';

/** What a topic asks of each record; fields as in LogConfig. */
export interface RecordRules {
  readonly isCompacted: boolean;
  readonly isLogAppendTime: boolean;
  readonly timestampBeforeMaxMs: number;
  readonly timestampAfterMaxMs: number;
}

/** Whether a topic with the producers' times takes this one. */
export function isWithin(timestampMs: number, rules: RecordRules, nowMs: number): boolean {
  if (timestampMs === NO_TIMESTAMP) return true;
  return timestampMs - nowMs <= rules.timestampAfterMaxMs && nowMs - timestampMs <= rules.timestampBeforeMaxMs;
}

/** What is wrong with the time of a record, or null; `isStamped`: its batch says that a broker has set it. */
export function timestampFault(timestampMs: number, isStamped: boolean, rules: RecordRules, nowMs: number): string | null {
  if (rules.isLogAppendTime) return isStamped ? 'A producer should not set the timestamp type to LogAppendTime' : null;
  return isWithin(timestampMs, rules, nowMs) ? null : `Timestamp ${timestampMs} is out of range`;
}

/** The records of the batch at `position`, decompressed; null where they are not to be had, or take more than that, and `result` says why. */
export function openContent(
  bytes: Uint8Array,
  position: number,
  result: AppendResult,
  limitBytes = DECOMPRESSED_BYTES_MAX,
): Uint8Array | null {
  const records = bytes.subarray(position + BATCH_OVERHEAD_BYTES, position + batchSizeBytes(bytes, position));
  try {
    return decompress(compressionType(bytes, position), records, limitBytes);
  } catch (error) {
    if (!(error instanceof CompressionError)) throw error;
    if (error.failure === 'unavailable') refuse(result, ERROR.UNSUPPORTED_COMPRESSION_TYPE, error.message);
    // Producers make smaller batches of one that is refused so, and do not send it again as it is.
    else if (error.failure === 'too-large') refuse(result, ERROR.MESSAGE_TOO_LARGE, `The record batch: ${error.message}`);
    else refuse(result, ERROR.CORRUPT_MESSAGE, 'The record batch does not decompress');
    return null;
  }
}

/**
 * Checks each record of the batch at `position`, whose decompressed records are `content`. The largest timestamp among them; null where the
 * batch is refused: then `result` names the first record that cannot be read, or all that are at fault.
 */
export function checkRecords(
  bytes: Uint8Array,
  position: number,
  content: Uint8Array,
  rules: RecordRules,
  nowMs: number,
  result: AppendResult,
): number | null {
  const isStamped = timestampType(bytes, position) === TIMESTAMP_TYPE.LOG_APPEND_TIME;
  const stampedMs = readMaxTimestamp(bytes, position);
  const errors: RecordError[] = [];
  let isTimeAtFault = false;
  const cursor = new RecordCursor(content, 0, content.length);
  const baseMs = readBaseTimestamp(bytes, position);
  if (!isSafeTimestamp(baseMs) || (isStamped && !isSafeTimestamp(stampedMs))) {
    const message = `Timestamp ${isStamped ? stampedMs : baseMs} is out of range`;
    while (cursor.next()) errors.push({ batchIndex: cursor.count - 1, message });
    result.recordErrors = errors;
    refuse(result, ERROR.INVALID_TIMESTAMP, INVALID_TIMESTAMPS);
    return null;
  }
  const findings = validateOpened(bytes, position, cursor, {
    each: ({ count, keySizeBytes }, timestampMs) => {
      let message = rules.isCompacted && keySizeBytes < 0 ? 'Compacted topic cannot accept message without key' : null;
      if (message === null) {
        message = timestampFault(isStamped ? stampedMs : timestampMs, isStamped, rules, nowMs);
        if (message !== null) isTimeAtFault = true;
      }
      if (message !== null) errors.push({ batchIndex: count - 1, message });
    },
  });
  if (findings.check !== RECORD_CHECK.OK) {
    const message = `Record ${recordCheckName(findings.check)}`;
    if (findings.index >= 0) result.recordErrors = [{ batchIndex: findings.index, message }];
    refuse(result, findings.check === RECORD_CHECK.BAD_TIMESTAMP ? ERROR.INVALID_TIMESTAMP : ERROR.INVALID_RECORD, message);
    return null;
  }
  if (errors.length === 0) return isStamped ? stampedMs : findings.maxTimestampMs;
  result.recordErrors = errors;
  if (isTimeAtFault) refuse(result, ERROR.INVALID_TIMESTAMP, INVALID_TIMESTAMPS);
  else refuse(result, ERROR.INVALID_RECORD, `One or more records have been rejected due to ${errors.length} record errors in total`);
  return null;
}
