// Which of a log's oldest segments go: those that nobody can read any more, those that are too many bytes, those that are too old.
// Invariants: only whole segments from the head on, and none with an offset at or behind `committedEnd`, so that the log start never passes the
// high watermark; an empty live segment stays. Where all of a log goes, its owner begins a segment first.
// Pure. The rules and their order are Apache Kafka's: first what lies below the log start, then bytes, then time.

/** A segment as the rules see it, oldest first. */
export interface RetainedSegment {
  readonly baseOffset: number;
  readonly sizeBytes: number;
  /** In ms: the largest timestamp of a record, or, where no record has one, when the file was changed last. Asked for only where it decides. */
  readonly largestTimestampMs: number;
}

export interface RetentionRules {
  /** cleanup.policy contains delete. Without it only what lies below the log start goes. */
  readonly isDeleted: boolean;
  /** retention.ms; negative: for ever */
  readonly retentionMs: number;
  /** retention.bytes; negative: no limit */
  readonly retentionBytes: number;
}

export interface RetainedLog {
  readonly segments: readonly RetainedSegment[];
  readonly logStartOffset: number;
  readonly logEndOffset: number;
  /** The high watermark. */
  readonly committedEnd: number;
}

/** How many segments go, from the oldest on, and why. */
export interface Expiry {
  readonly belowStart: number;
  readonly forSize: number;
  readonly forTime: number;
  readonly total: number;
}

export const NOTHING_EXPIRED: Expiry = { belowStart: 0, forSize: 0, forTime: 0, total: 0 };

export function expiredSegments(log: RetainedLog, rules: RetentionRules, nowMs: number): Expiry {
  const { segments, logStartOffset } = log;
  let first = 0;
  const countWhile = (goes: (segment: RetainedSegment, next: RetainedSegment | undefined) => boolean): number => {
    const from = first;
    for (; first < segments.length; first++) {
      const segment = segments[first] as RetainedSegment;
      const next = segments[first + 1];
      if (next === undefined && segment.sizeBytes === 0) break;
      if (log.committedEnd < (next?.baseOffset ?? log.logEndOffset) || !goes(segment, next)) break;
    }
    return first - from;
  };
  const belowStart = countWhile((_segment, next) => next !== undefined && next.baseOffset <= logStartOffset);
  let forSize = 0;
  let forTime = 0;
  if (rules.isDeleted) {
    if (rules.retentionBytes >= 0) {
      let excessBytes = -rules.retentionBytes;
      for (let index = first; index < segments.length; index++) excessBytes += (segments[index] as RetainedSegment).sizeBytes;
      forSize = countWhile(({ sizeBytes }) => {
        if (excessBytes < sizeBytes) return false;
        excessBytes -= sizeBytes;
        return true;
      });
    }
    if (rules.retentionMs >= 0) forTime = countWhile(({ largestTimestampMs }) => nowMs - largestTimestampMs > rules.retentionMs);
  }
  return first === 0 ? NOTHING_EXPIRED : { belowStart, forSize, forTime, total: first };
}
