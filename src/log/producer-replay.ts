// Brings producer state up to date with a batch that is in the log already: recovery, replication, truncation.
// Pure. What a client may append is checked elsewhere; here the log is the truth.

import { readInt16, readInt32 } from '../base/big-endian.ts';
import {
  BASE_TIMESTAMP_AT,
  BATCH_OVERHEAD_BYTES,
  isControl,
  isTransactional,
  lastOffset,
  lastSequence,
  readLastOffsetDelta,
  readMaxTimestamp,
  readProducerEpoch,
  readProducerId,
  readRecordCount,
} from '../protocol/records/batch.ts';
import type { ProducerState } from './producer-state.ts';
import type { AbortedTransaction } from './transaction-index.ts';

const CONTROL_TYPE_ABORT = 0;
const CONTROL_TYPE_COMMIT = 1;

/** Whether the batch's records must be at hand for replayBatch, not its header alone. */
export function replayNeedsRecords(bytes: Uint8Array, position: number): boolean {
  return isControl(bytes, position) && readProducerId(bytes, position) >= 0;
}

/** Takes the batch at `position` into `state` and moves its end behind it. `onAborted` hears of a transaction that it aborts. */
export function replayBatch(
  state: ProducerState,
  bytes: Uint8Array,
  position: number,
  end: number,
  onAborted?: (aborted: AbortedTransaction) => void,
): void {
  const producerId = readProducerId(bytes, position);
  const last = lastOffset(bytes, position);
  if (producerId >= 0) {
    const epoch = readProducerEpoch(bytes, position);
    if (isControl(bytes, position)) {
      const firstOffset = state.entry(producerId)?.transactionFirstOffset ?? -1;
      const type = readRecordCount(bytes, position) > 0 ? replayMarker(state, bytes, position, end, producerId, epoch) : -1;
      if (type === CONTROL_TYPE_ABORT && firstOffset !== -1 && onAborted !== undefined) {
        const unstable = state.firstUnstableOffset();
        onAborted({ producerId, firstOffset, lastOffset: last, lastStableOffset: unstable === -1 ? last + 1 : unstable });
      }
    } else {
      const delta = readLastOffsetDelta(bytes, position);
      const timestamp = readMaxTimestamp(bytes, position);
      state.noteBatch(producerId, epoch, lastSequence(bytes, position), last, delta, timestamp, isTransactional(bytes, position));
    }
  }
  state.endOffset = last + 1;
}

/**
 * A control batch holds one record: key (version, type), value (version, coordinator epoch). Other types concern no producer.
 * The type of the marker, -1 where it is none.
 */
function replayMarker(state: ProducerState, bytes: Uint8Array, position: number, end: number, producerId: number, epoch: number): number {
  let at = position + BATCH_OVERHEAD_BYTES;
  at = skipVarint(bytes, at, end); // Length of the record.
  at += 1; // Attributes.
  at = skipVarint(bytes, at, end); // Timestamp delta: 0 in a batch of one record.
  at = skipVarint(bytes, at, end); // Offset delta.
  at = skipVarint(bytes, at, end); // Length of the key.
  if (at + 4 > end) return -1;
  const type = readInt16(bytes, at + 2);
  if (type !== CONTROL_TYPE_ABORT && type !== CONTROL_TYPE_COMMIT) return -1;
  at = skipVarint(bytes, at + 4, end); // Length of the value.
  if (at + 6 > end) return -1;
  const timestamp = readInt32(bytes, position + BASE_TIMESTAMP_AT) * 2 ** 32 + (readInt32(bytes, position + BASE_TIMESTAMP_AT + 4) >>> 0);
  state.noteEndMarker(producerId, epoch, readInt32(bytes, at + 2), timestamp);
  return type;
}

function skipVarint(bytes: Uint8Array, position: number, end: number): number {
  let at = position;
  while (at < end && ((bytes[at] as number) & 0x80) !== 0) at++;
  return at + 1;
}
