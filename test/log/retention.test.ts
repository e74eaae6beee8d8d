// Retention: which segments go, as a table; and a log that loses them, file by file.
import { describe, expect, test } from 'vitest';
import { MemoryStorage } from '../../src/log/memory-storage.ts';
import { expiredSegments, type RetainedSegment, type RetentionRules } from '../../src/log/retention.ts';
import { appendValues, batch, NOW_MS, openLog, readValues, stage } from './log-fixtures.ts';

const KEEP_ALL: RetentionRules = { isDeleted: true, retentionMs: -1, retentionBytes: -1 };

/** Segments of ten offsets and `sizes` bytes, whose largest timestamps are `times`. */
function segments(sizes: readonly number[], times: readonly number[] = sizes.map(() => 0)): RetainedSegment[] {
  return sizes.map((sizeBytes, i) => ({ baseOffset: i * 10, sizeBytes, largestTimestampMs: times[i] ?? 0 }));
}

interface Case {
  readonly name: string;
  readonly sizes: readonly number[];
  readonly times?: readonly number[];
  readonly rules: Partial<RetentionRules>;
  readonly start?: number;
  readonly committedEnd?: number;
  readonly goes: readonly [belowStart: number, forSize: number, forTime: number];
}

const cases: readonly Case[] = [
  { name: 'no rule', sizes: [100, 100], rules: {}, goes: [0, 0, 0] },
  { name: 'as many bytes as are allowed', sizes: [100, 100, 50], rules: { retentionBytes: 250 }, goes: [0, 0, 0] },
  { name: 'a segment too many, but for a byte', sizes: [100, 100, 50], rules: { retentionBytes: 151 }, goes: [0, 0, 0] },
  { name: 'a segment too many', sizes: [100, 100, 50], rules: { retentionBytes: 150 }, goes: [0, 1, 0] },
  { name: 'two too many', sizes: [100, 100, 50], rules: { retentionBytes: 50 }, goes: [0, 2, 0] },
  { name: 'no bytes allowed: the live one goes too', sizes: [100, 100, 50], rules: { retentionBytes: 0 }, goes: [0, 3, 0] },
  { name: 'no bytes allowed: an empty live one stays', sizes: [100, 100, 0], rules: { retentionBytes: 0 }, goes: [0, 2, 0] },
  { name: 'as old as is allowed', sizes: [9, 9], times: [900, 990], rules: { retentionMs: 100 }, goes: [0, 0, 0] },
  { name: 'a millisecond older', sizes: [9, 9], times: [899, 990], rules: { retentionMs: 100 }, goes: [0, 0, 1] },
  { name: 'an old one behind a young one stays', sizes: [9, 9, 9], times: [990, 1, 990], rules: { retentionMs: 100 }, goes: [0, 0, 0] },
  { name: 'all of them old', sizes: [9, 9], times: [1, 2], rules: { retentionMs: 100 }, goes: [0, 0, 2] },
  { name: 'from the future', sizes: [9, 9], times: [5000, 1], rules: { retentionMs: 0 }, goes: [0, 0, 0] },
  { name: 'kept for no time', sizes: [9, 9], times: [999, 1000], rules: { retentionMs: 0 }, goes: [0, 0, 1] },
  {
    name: 'bytes first, then time',
    sizes: [100, 100, 100],
    times: [1, 1, 990],
    rules: { retentionBytes: 200, retentionMs: 100 },
    goes: [0, 1, 1],
  },
  { name: 'below the log start', sizes: [9, 9, 9], start: 20, rules: {}, goes: [2, 0, 0] },
  { name: 'half below the log start', sizes: [9, 9, 9], start: 19, rules: {}, goes: [1, 0, 0] },
  {
    name: 'below the log start, whatever the policy',
    sizes: [9, 9],
    start: 10,
    rules: { isDeleted: false, retentionBytes: 0, retentionMs: 0 },
    goes: [1, 0, 0],
  },
  { name: 'what is compacted only stays', sizes: [9, 9], rules: { isDeleted: false, retentionBytes: 0, retentionMs: 0 }, goes: [0, 0, 0] },
  {
    name: 'what goes below the start does not count as bytes',
    sizes: [100, 100, 50],
    start: 10,
    rules: { retentionBytes: 150 },
    goes: [1, 0, 0],
  },
  { name: 'nothing above the high watermark', sizes: [9, 9, 9], committedEnd: 15, rules: { retentionBytes: 0 }, goes: [0, 1, 0] },
];

test.each(cases)('$name', ({ sizes, times, rules, start = 0, committedEnd, goes }) => {
  const end = sizes.length * 10;
  const log = { segments: segments(sizes, times), logStartOffset: start, logEndOffset: end, committedEnd: committedEnd ?? end };
  const [belowStart, forSize, forTime] = goes;
  const found = expiredSegments(log, { ...KEEP_ALL, ...rules }, 1000);
  expect(found).toEqual({ belowStart, forSize, forTime, total: belowStart + forSize + forTime });
});

describe('a log', () => {
  const directory = 'data/topic-0';
  const values = (count: number): string[] => Array.from({ length: count }, (_, i) => `${i}`);
  const config = { segmentBytes: 200, retentionMs: 1000, retentionBytes: -1 };

  test('loses its old segments, the live one too, and goes on where it was', () => {
    const storage = new MemoryStorage();
    const log = openLog({ storage, config });
    appendValues(log, ...values(9));
    log.flush();
    const before = log.segmentCount;
    expect(log.head.expire(log.writtenEnd, NOW_MS + 1000).total).toBe(0);
    expect(log.head.expire(log.writtenEnd, NOW_MS + 1001)).toEqual({ belowStart: 0, forSize: 0, forTime: before, total: before });
    expect([log.logStartOffset, log.writtenEnd]).toEqual([9, 9]);
    expect(log.head.deleteTrimmed(2)).toBe(2);
    expect(log.head.deleteTrimmed()).toBe(before - 2);
    expect(storage.list(directory).filter((name) => name.endsWith('.log'))).toEqual(['00000000000000000009.log']);
    expect(storage.list(directory).filter((name) => name.endsWith('.log.deleted'))).toHaveLength(before);
    appendValues(log, 'next');
    expect(readValues(log)).toEqual([[9, 'next']]);
    expect(log.epochEndOffset(0)).toEqual({ leaderEpoch: 0, endOffset: 10 });
    log.close({ clean: true });
    expect(storage.list(directory).filter((name) => name.endsWith('.deleted'))).toEqual([]);
    expect(readValues(openLog({ storage, config, cleanShutdown: true, logStartOffset: 9 }))).toEqual([[9, 'next']]);
  });

  test('keeps its live segment while something is staged for it', () => {
    const log = openLog({ config: { ...config, segmentBytes: 10_000 } });
    appendValues(log, 'a');
    expect(stage(log, batch()).error).toBe(0);
    expect(log.head.expire(log.writtenEnd, NOW_MS + 5000).total).toBe(0);
    log.writeStaged();
    expect(log.head.expire(log.writtenEnd, NOW_MS + 5000).total).toBe(1);
  });

  test('reads the rules when it applies them', () => {
    const log = openLog({ config });
    appendValues(log, ...values(9));
    log.config = { ...log.config, retentionMs: -1 };
    expect(log.head.expire(log.writtenEnd, NOW_MS + 99_999).total).toBe(0);
    log.config = { ...log.config, retentionBytes: 100 };
    expect(log.head.expire(log.writtenEnd, NOW_MS + 99_999).forSize).toBeGreaterThan(0);
  });

  test('removes the files in the pool, and closes them first', async () => {
    const storage = new MemoryStorage();
    const log = openLog({ storage, config });
    appendValues(log, ...values(9));
    log.head.advance(6);
    const count = log.head.deleteTrimmed();
    const gone = log.head.deleted;
    expect(gone).toHaveLength(count);
    const error = await new Promise((done) => log.head.removeLater(gone, done));
    expect(error).toBeNull();
    expect(gone.every((segment) => segment.isClosed)).toBe(true);
    expect(log.head.deleted).toEqual([]);
    expect(storage.list(directory).filter((name) => name.endsWith('.deleted'))).toEqual([]);
  });

  test('a start removes what lies below the checkpointed log start, and indexes that a crash has left behind', () => {
    const storage = new MemoryStorage();
    const log = openLog({ storage, config });
    appendValues(log, ...values(9));
    log.flush();
    // Killed with nothing renamed yet, but for the first segment's .log.
    storage.rename(`${directory}/00000000000000000000.log`, `${directory}/00000000000000000000.log.deleted`);
    const opened = openLog({ storage, config, recoveryPoint: 9, logStartOffset: 6 });
    expect(opened.logStartOffset).toBe(6);
    expect(readValues(opened).map(([offset]) => offset)).toEqual([6, 7, 8]);
    const names = storage.list(directory);
    expect(names.filter((name) => /^0+\.|\.deleted$/.test(name))).toEqual([]);
    const base = Math.min(...names.filter((name) => name.endsWith('.log')).map((name) => Number(name.slice(0, 20))));
    expect(base).toBeLessThanOrEqual(6);
    expect(opened.segmentCount).toBe(names.filter((name) => name.endsWith('.log')).length);
  });
});
