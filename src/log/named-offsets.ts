// The places of a log that ListOffsets asks for by name, and the records it asks for by time.
// Runs on: the log's owner.
import type { LeaderEpochCache } from './leader-epoch-cache.ts';
import type { LogReader, TimestampOffset } from './log-reader.ts';

/** The times that ListOffsets asks for by name. */
export const LATEST_TIMESTAMP = -1;
export const EARLIEST_TIMESTAMP = -2;
export const MAX_TIMESTAMP = -3; // KIP-734
export const EARLIEST_LOCAL_TIMESTAMP = -4; // KIP-405
export const LATEST_TIERED_TIMESTAMP = -5; // KIP-1005
export const EARLIEST_PENDING_UPLOAD_TIMESTAMP = -6; // KIP-1023

/** See Log.offsetForTimestamp. */
export function findOffset(
  timestamp: number,
  logStartOffset: number,
  limitOffset: number,
  epochs: LeaderEpochCache,
  reader: LogReader,
): TimestampOffset | null {
  switch (timestamp) {
    case LATEST_TIMESTAMP:
      return { timestamp: -1, offset: limitOffset, leaderEpoch: epochs.latestEpoch };
    case EARLIEST_TIMESTAMP:
    case EARLIEST_LOCAL_TIMESTAMP:
      return { timestamp: -1, offset: logStartOffset, leaderEpoch: epochs.epochForOffset(logStartOffset) };
    case MAX_TIMESTAMP:
      return reader.findMaxTimestamp();
    case LATEST_TIERED_TIMESTAMP:
    case EARLIEST_PENDING_UPLOAD_TIMESTAMP:
      return { timestamp: -1, offset: -1, leaderEpoch: -1 }; // Nothing is tiered.
    default:
      return reader.findByTimestamp(timestamp, logStartOffset, limitOffset);
  }
}
