// What became of an append: reused by the caller from one to the next.
// Pure.

/** A record that was refused, for the answer's record_errors. */
export interface RecordError {
  /** Which record of the batch, from 0. */
  readonly batchIndex: number;
  readonly message: string;
}

export interface AppendResult {
  /** An error code of the protocol; NONE where the batch is staged, or is a duplicate of one that is. */
  error: number;
  /** Null where the error's own text says enough. */
  errorMessage: string | null;
  /** Offset of the first record, -1 after an error. Of the original for a duplicate. */
  baseOffset: number;
  /** Offset of the last record, -1 after an error: it may be acknowledged once the written end is behind it. */
  lastOffset: number;
  /** What the broker stamped; -1 where the producer's times stand. A duplicate has the original's timestamp, as Kafka answers. */
  logAppendTimeMs: number;
  isDuplicate: boolean;
  recordErrors: readonly RecordError[];
}

const NO_RECORD_ERRORS: readonly RecordError[] = [];

export function createAppendResult(): AppendResult {
  return {
    error: 0,
    errorMessage: null,
    baseOffset: -1,
    lastOffset: -1,
    logAppendTimeMs: -1,
    isDuplicate: false,
    recordErrors: NO_RECORD_ERRORS,
  };
}

export function resetAppendResult(result: AppendResult): void {
  result.error = 0;
  result.errorMessage = null;
  result.baseOffset = -1;
  result.lastOffset = -1;
  result.logAppendTimeMs = -1;
  result.isDuplicate = false;
  result.recordErrors = NO_RECORD_ERRORS;
}

/** Notes a refusal; gives false, so that a check can end with it. */
export function refuse(result: AppendResult, error: number, message: string): false {
  result.error = error;
  result.errorMessage = message;
  return false;
}
