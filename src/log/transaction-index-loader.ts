// The aborted transactions of a partition as its log is opened: read from the segments' indexes, made anew from the batches where those
// may lack some: their last entries need not have reached the medium before a crash.
// Runs on: the log's owner, at open.
import { lastOffset as lastOffsetOf } from '../protocol/records/batch.ts';
import { BatchScanner } from './batch-scanner.ts';
import { TRANSACTION_INDEX_SUFFIX } from './file-names.ts';
import type { LogOptions } from './log-options.ts';
import { replayBatch, replayNeedsRecords } from './producer-replay.ts';
import type { ProducerSnapshots } from './producer-snapshot.ts';
import { ProducerState } from './producer-state.ts';
import type { Segment } from './segment.ts';
import type { SegmentList } from './segment-list.ts';
import { type AbortedTransaction, readTransactionIndex, writeTransactionIndex } from './transaction-index.ts';

/** Headers are walked; whole batches only where they are markers, which are small. */
const REPLAY_BYTES = 64 * 1024;

/** All of them, in the order of the log. `suspects` are checked against their batches, as are damaged files. Throws StorageError. */
export function loadAborted(
  options: LogOptions,
  segments: SegmentList,
  snapshots: ProducerSnapshots,
  suspects: ReadonlySet<Segment>,
  endOffset: number,
): AbortedTransaction[] {
  const { storage, directory, onDamage } = options;
  const bySegment = new Map<Segment, readonly AbortedTransaction[]>();
  const unproven = new Set(suspects);
  for (const segment of segments.all()) {
    const entries = readTransactionIndex(storage, directory, segment.baseOffset);
    if (entries !== null && entries.length > 0) bySegment.set(segment, entries);
    if (entries !== null) continue;
    onDamage?.('the index of aborted transactions is damaged and made anew', segment.files.path(TRANSACTION_INDEX_SUFFIX));
    unproven.add(segment);
  }
  const due = segments.all().filter((segment) => unproven.has(segment));
  if (due.length > 0) {
    const found = abortedIn(segments, snapshots, due, endOffset);
    for (const segment of due) {
      const entries = found.get(segment) ?? [];
      if (JSON.stringify(entries) === JSON.stringify(bySegment.get(segment) ?? [])) continue;
      writeTransactionIndex(storage, directory, segment.baseOffset, entries);
      bySegment.set(segment, entries);
    }
  }
  return segments.all().flatMap((segment) => bySegment.get(segment) ?? []);
}

/** What the batches say, from the newest snapshot of producers in front of the first segment that is asked for. */
function abortedIn(
  segments: SegmentList,
  snapshots: ProducerSnapshots,
  due: readonly Segment[],
  endOffset: number,
): Map<Segment, AbortedTransaction[]> {
  const found = new Map<Segment, AbortedTransaction[]>();
  const producers = new ProducerState();
  const from = seed(producers, snapshots, due[0]?.baseOffset ?? endOffset, segments.first.baseOffset);
  const scanner = new BatchScanner(REPLAY_BYTES);
  for (let index = segments.floor(from); index < segments.count; index++) {
    const segment = segments.at(index);
    const aborted: AbortedTransaction[] = [];
    scanner.start(segment.file, 0, segment.sizeBytes);
    while (scanner.next()) {
      if (lastOffsetOf(scanner.bytes, scanner.at) < from) continue;
      if (replayNeedsRecords(scanner.bytes, scanner.at) && !scanner.loadWhole()) break;
      replayBatch(producers, scanner.bytes, scanner.at, scanner.at + scanner.sizeBytes, (each) => aborted.push(each));
    }
    if (due.includes(segment)) found.set(segment, aborted);
  }
  return found;
}

/** Where to begin: behind what a snapshot knows, or at the log's first batch. */
function seed(producers: ProducerState, snapshots: ProducerSnapshots, atMost: number, first: number): number {
  for (let offset = snapshots.floor(atMost); offset !== -1; offset = snapshots.floor(atMost)) {
    const entries = snapshots.read(offset);
    if (entries === null) continue;
    for (const entry of entries) producers.put(entry);
    return offset;
  }
  return first;
}
