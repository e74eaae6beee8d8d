// A produce that is not answered yet: its reply, filled in as its batches are staged, and from which high watermarks on it may leave.
// Pooled by its host; the reply's words lie as partition-messages.ts says.
// Runs on: the worker that owns the partitions.
import { ERROR } from '../protocol/errors.ts';
import type { LeaderReplica } from './leader-replica.ts';
import { PRODUCE, produceReply, REPLY_ENTRY_WORDS } from './partition-messages.ts';

export const PRODUCE_REPLY_WORDS = REPLY_ENTRY_WORDS[PRODUCE] as number;

export class PendingProduce {
  from = 0;
  requestId = 0;
  count = 0;
  /** Entries that wait for the pool, and one more until all entries were heard. */
  undecidedCount = 0;
  floats = new Float64Array((8 * PRODUCE_REPLY_WORDS) / 2);
  words = new Int32Array(this.floats.buffer);
  /** By entry: who took the batch, null where nobody did. */
  readonly replicas: (LeaderReplica | null)[] = [];
  /** By entry: the high watermark from which on it may be answered. */
  readonly ends: number[] = [];

  open(from: number, requestId: number, count: number): void {
    this.from = from;
    this.requestId = requestId;
    this.count = count;
    this.undecidedCount = 1;
    if (this.words.length < count * PRODUCE_REPLY_WORDS) {
      this.floats = new Float64Array((count * PRODUCE_REPLY_WORDS) / 2);
      this.words = new Int32Array(this.floats.buffer);
    }
  }

  /** All that was taken is committed, or never will be. */
  get isCommitted(): boolean {
    for (let i = 0; i < this.count; i++) {
      const replica = this.replicas[i];
      if (replica !== null && replica !== undefined && !replica.isOffline && replica.highWatermark < (this.ends[i] as number)) return false;
    }
    return true;
  }

  /** What was staged in good faith and then not written, or not synced, is refused after all. */
  settle(): void {
    for (let i = 0; i < this.count; i++) {
      const at = i * PRODUCE_REPLY_WORDS;
      if (this.replicas[i]?.isOffline === true && this.words[at] === ERROR.NONE) {
        this.words[at] = ERROR.KAFKA_STORAGE_ERROR;
        this.floats[(at + produceReply.baseOffset) >> 1] = -1;
      }
      this.replicas[i] = null;
    }
  }
}
