// The region of counters that all workers share beside rings and arenas: partitions first, then the bits of coordinators.
// Invariant: each part begins at a cache line.
// Not here: what is in it (partition-words.ts, ready-answers.ts).
import { LINE_WORDS, WORD_BYTES } from '../actors/shared-words.ts';
import { coordinatorRegionBytes } from '../coordinator/coordinator-messages.ts';
import { partitionRegionBytes, SLOT_COUNT_MAX } from '../partition/partition-words.ts';

const LINE_BYTES = LINE_WORDS * WORD_BYTES;

export function sharedRegionBytes(workerCount: number): number {
  return coordinatorBitsAt(workerCount) + coordinatorRegionBytes(workerCount);
}

/** Behind the partitions' part: a byte offset. */
export function coordinatorBitsAt(workerCount: number): number {
  return Math.ceil(partitionRegionBytes(SLOT_COUNT_MAX, workerCount) / LINE_BYTES) * LINE_BYTES;
}
