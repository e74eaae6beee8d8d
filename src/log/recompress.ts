// A produced batch in another codec than it came in: its records checked one by one and compressed anew, under a header that differs in
// codec, length, largest timestamp and checksum alone. What decides that a batch must go this way stands here too.
// Invariant: a batch that became no larger lies where it lay, and nothing outside of it is touched; one that grew is new bytes. Nothing is
// thrown for any batch whose frame was checked.
// Runs on: pool threads (compressing takes as long as it takes); the decision on the partition's owner. Pure.
import { MIB } from '../base/units.ts';
import { ERROR } from '../protocol/errors.ts';
import {
  BATCH_MAGIC,
  BATCH_OVERHEAD_BYTES,
  COMPRESSION,
  compressionType,
  LOG_OVERHEAD_BYTES,
  readMagic,
  recomputeCrc,
  writeBatchLength,
  writeCompressionType,
  writeMaxTimestamp,
} from '../protocol/records/batch.ts';
import { CompressionError, compress, DECOMPRESSED_BYTES_MAX } from '../protocol/records/compression/index.ts';
import { type AppendResult, createAppendResult, type RecordError, refuse } from './append-result.ts';
import type { LogConfig } from './log-config.ts';
import { checkRecords, openContent, type RecordRules } from './record-check.ts';

/** LogConfig.compression of a topic that keeps batches as they came. */
export const AS_PRODUCED = -1;

/**
 * What a batch opens to, mostly: many may be open at a time. One that opens to more is opened again where it is the only such one of its
 * worker, so that the pool's memory is bounded by this for each of its threads, and DECOMPRESSED_BYTES_MAX once for each worker.
 */
export const OPENED_BYTES_USUAL = 8 * MIB;

/** Names this job to the pool. */
export const RECOMPRESS_JOB = 'recompress';

export interface RecompressTask {
  /** Memory that others wait for until the job has ended. */
  readonly region: ArrayBufferLike;
  readonly position: number;
  readonly sizeBytes: number;
  readonly compression: number;
  readonly level: number;
  readonly rules: RecordRules;
  readonly maxMessageBytes: number;
  /** How much may be opened: OPENED_BYTES_USUAL, or DECOMPRESSED_BYTES_MAX where that was too little. */
  readonly openedBytesMax: number;
  /** What timestamps are compared with. */
  readonly nowMs: number;
}

export interface Recompressed {
  /** It opens to more than the usual: nothing is decided. */
  readonly wantsMore: boolean;
  /** NONE, or why the batch is refused. */
  readonly error: number;
  readonly errorMessage: string | null;
  readonly recordErrors: readonly RecordError[];
  readonly sizeBytes: number;
  /** The batch where it became larger than it was; else it lies at its old place. */
  readonly grown: Uint8Array<ArrayBuffer> | null;
}

/** Whether what lies here may be a batch that the topic wants in another codec. Its frame has not been checked. */
export function wantsRecompression(config: LogConfig, bytes: Uint8Array, position: number, length: number): boolean {
  if (config.compression === AS_PRODUCED || length < BATCH_OVERHEAD_BYTES || readMagic(bytes, position) !== BATCH_MAGIC) return false;
  const type = compressionType(bytes, position);
  return type !== config.compression && type <= COMPRESSION.ZSTD;
}

/** The job for a batch that LogAppender.examine has let through. */
export function recompressTask(
  config: LogConfig,
  region: ArrayBufferLike,
  position: number,
  sizeBytes: number,
  nowMs: number,
): RecompressTask {
  const { compression, compressionLevel: level, maxMessageBytes, isCompacted, isLogAppendTime } = config;
  const { timestampBeforeMaxMs, timestampAfterMaxMs } = config;
  const rules = { isCompacted, isLogAppendTime, timestampBeforeMaxMs, timestampAfterMaxMs };
  return { region, position, sizeBytes, compression, level, rules, maxMessageBytes, openedBytesMax: OPENED_BYTES_USUAL, nowMs };
}

/** The same job for a batch that wants more: how much is all that is ever opened. */
export function enlarged(task: RecompressTask): RecompressTask {
  return { ...task, openedBytesMax: DECOMPRESSED_BYTES_MAX };
}

export function recompress(task: RecompressTask): Recompressed {
  const { position, sizeBytes, maxMessageBytes, openedBytesMax } = task;
  const bytes = new Uint8Array(task.region);
  const result = createAppendResult();
  const content = openContent(bytes, position, result, openedBytesMax);
  // Only what does not decompress within the limit is too large this early.
  const wantsMore = content === null && result.error === ERROR.MESSAGE_TOO_LARGE && openedBytesMax < DECOMPRESSED_BYTES_MAX;
  const maxTimestampMs = content === null ? null : checkRecords(bytes, position, content, task.rules, task.nowMs, result);
  const records = content === null || maxTimestampMs === null ? null : compressed(task.compression, content, task.level, result);
  if (records === null || maxTimestampMs === null) return { ...result, wantsMore, sizeBytes, grown: null };
  const newSizeBytes = BATCH_OVERHEAD_BYTES + records.length;
  if (newSizeBytes > maxMessageBytes) {
    const message = `The record batch of ${newSizeBytes} bytes, as the topic compresses it, exceeds the maximum of ${maxMessageBytes}`;
    refuse(result, ERROR.MESSAGE_TOO_LARGE, message);
    return { ...result, wantsMore, sizeBytes, grown: null };
  }
  const grown = newSizeBytes > sizeBytes ? new Uint8Array(newSizeBytes) : null;
  if (grown !== null) grown.set(bytes.subarray(position, position + BATCH_OVERHEAD_BYTES));
  const target = grown ?? bytes;
  const at = grown === null ? position : 0;
  target.set(records, at + BATCH_OVERHEAD_BYTES);
  writeBatchLength(target, at, newSizeBytes - LOG_OVERHEAD_BYTES);
  writeCompressionType(target, at, task.compression);
  writeMaxTimestamp(target, at, maxTimestampMs);
  recomputeCrc(target, at);
  return { ...result, wantsMore, sizeBytes: newSizeBytes, grown };
}

function compressed(type: number, content: Uint8Array, level: number, result: AppendResult): Uint8Array | null {
  try {
    return compress(type, content, level);
  } catch (error) {
    if (!(error instanceof CompressionError)) throw error;
    refuse(result, ERROR.UNSUPPORTED_COMPRESSION_TYPE, error.message);
    return null;
  }
}
