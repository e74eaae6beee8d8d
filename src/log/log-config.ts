// What a log needs to know of its topic's configuration, with Kafka's names in the comments and Kafka's defaults.
// Pure.
import { DAY_MS, GIB, HOUR_MS, KIB, MIB, MINUTE_MS } from '../base/units.ts';

export interface LogConfig {
  /** segment.bytes */
  readonly segmentBytes: number;
  /** segment.ms */
  readonly segmentMs: number;
  /** segment.jitter.ms: at most this much is taken off segment.ms, drawn anew for each segment. */
  readonly segmentJitterMs: number;
  /** segment.index.bytes */
  readonly segmentIndexBytes: number;
  /** index.interval.bytes */
  readonly indexIntervalBytes: number;
  /** max.message.bytes */
  readonly maxMessageBytes: number;
  /** compression.type: a number of COMPRESSION, or -1 where batches stay as they came (`producer`) */
  readonly compression: number;
  /** compression.gzip.level or compression.zstd.level, whichever is that codec's */
  readonly compressionLevel: number;
  /** message.timestamp.type is LogAppendTime */
  readonly isLogAppendTime: boolean;
  /** message.timestamp.before.max.ms */
  readonly timestampBeforeMaxMs: number;
  /** message.timestamp.after.max.ms */
  readonly timestampAfterMaxMs: number;
  /** cleanup.policy contains compact: every record needs a key. */
  readonly isCompacted: boolean;
  /** naru.validate.records */
  readonly validatesRecords: boolean;
  /** cleanup.policy contains delete */
  readonly isDeleted: boolean;
  /** retention.ms; negative: for ever */
  readonly retentionMs: number;
  /** retention.bytes; negative: no limit */
  readonly retentionBytes: number;
  /** file.delete.delay.ms */
  readonly fileDeleteDelayMs: number;
  /** flush.messages: after so many records they are synced before they are acknowledged. */
  readonly flushMessages: number;
  /** flush.ms */
  readonly flushMs: number;
  /** producer.id.expiration.ms */
  readonly producerIdExpirationMs: number;
}

export const DEFAULT_LOG_CONFIG: LogConfig = {
  segmentBytes: GIB,
  segmentMs: 7 * DAY_MS,
  segmentJitterMs: 0,
  segmentIndexBytes: 10 * MIB,
  indexIntervalBytes: 4 * KIB,
  maxMessageBytes: MIB + 12, // A record set of 1 MiB and the 12 bytes in front of it.
  compression: -1,
  compressionLevel: -1,
  isLogAppendTime: false,
  timestampBeforeMaxMs: Number.MAX_SAFE_INTEGER,
  timestampAfterMaxMs: HOUR_MS,
  isCompacted: false,
  validatesRecords: false,
  isDeleted: true,
  retentionMs: 7 * DAY_MS,
  retentionBytes: -1,
  fileDeleteDelayMs: MINUTE_MS,
  flushMessages: Number.MAX_SAFE_INTEGER,
  flushMs: Number.MAX_SAFE_INTEGER,
  producerIdExpirationMs: DAY_MS,
};

/** How often idle producers are looked for (Kafka's producer.id.expiration.check.interval.ms). */
export const PRODUCER_EXPIRY_CHECK_MS = 10 * MINUTE_MS;
