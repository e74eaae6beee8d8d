// Cuts the tail of a log: what lies behind an offset is gone, and does not come back.
// Invariant: the log ends with a whole batch and has a live segment that takes the next one; what was cut is gone from the medium too
// before anything else may stand there.
// Runs on: the log's owner.
import type { LoadedLog } from './log-loader.ts';
import type { Segment } from './segment.ts';

export interface TruncationTools {
  readonly closeSegment: (segment: Segment) => void;
  readonly newSegment: (baseOffset: number) => Segment;
}

/** Takes everything from `offset` on, which lies below the end, out of the segments; where the log ends then: there, or at the start of the batch that holds it. */
export function truncateSegments({ segments }: LoadedLog, offset: number, { closeSegment, newSegment }: TruncationTools): number {
  while (segments.count > 1 && segments.live.baseOffset >= offset) {
    const segment = segments.pop();
    closeSegment(segment);
    segment.files.remove('');
  }
  const live = segments.live;
  if (live.baseOffset >= offset) {
    closeSegment(segments.pop());
    live.files.remove('');
    segments.push(newSegment(offset));
    return offset;
  }
  const found = { position: -1, sizeBytes: 0, baseOffset: 0 };
  live.findBatch(offset, found);
  if (found.position === -1) return offset;
  const end = Math.min(offset, found.baseOffset);
  live.truncate(found.position, end);
  return end;
}
