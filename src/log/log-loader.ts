// Opens a partition directory: leftovers removed, segments opened, the tail recovered where the last stop was not clean, leader
// epochs and producer state brought to the log's end.
// Invariant: what comes back is a log of whole batches with one live segment; nothing else in the directory is needed.
// Runs on: the log's owner, at open. Nothing here is on the hot path.
import {
  BATCH_MAGIC,
  BATCH_PREFIX_BYTES,
  lastOffset as lastOffsetOf,
  readBaseOffset,
  readLeaderEpoch,
  readMagic,
} from '../protocol/records/batch.ts';
import { BatchScanner } from './batch-scanner.ts';
import {
  CLEANED_SUFFIX,
  DELETED_SUFFIX,
  LEADER_EPOCH_CHECKPOINT_NAME,
  LOG_SUFFIX,
  OFFSET_INDEX_SUFFIX,
  offsetFileName,
  offsetOfFileName,
  SWAP_SUFFIX,
  TIME_INDEX_SUFFIX,
  TRANSACTION_INDEX_SUFFIX,
} from './file-names.ts';
import { startAtEntry } from './index-repair.ts';
import { LeaderEpochCache, UNDEFINED_EPOCH } from './leader-epoch-cache.ts';
import type { LogOptions } from './log-options.ts';
import { replayBatch, replayNeedsRecords } from './producer-replay.ts';
import { encodeSnapshot, ProducerSnapshots } from './producer-snapshot.ts';
import { isExpired, ProducerState } from './producer-state.ts';
import { recoverSegment } from './recovery.ts';
import { Segment } from './segment.ts';
import { SegmentList } from './segment-list.ts';
import type { Storage } from './storage.ts';
import { type AbortedTransaction, NO_TRANSACTIONS } from './transaction-index.ts';
import { loadAborted } from './transaction-index-loader.ts';

/** The directory holds batches older than format 2, which Naru does not read. */
export class UnsupportedFormatError extends Error {
  override readonly name = 'UnsupportedFormatError';
  readonly code = 'ERR_UNSUPPORTED_FORMAT';
}

export interface LoadedLog {
  readonly segments: SegmentList;
  readonly epochs: LeaderEpochCache;
  readonly producers: ProducerState;
  readonly snapshots: ProducerSnapshots;
  /** In the order of the log; of other brokers, since Naru takes no transactions yet. */
  readonly aborted: readonly AbortedTransaction[];
  readonly logStartOffset: number;
  readonly endOffset: number;
  readonly recoveryPoint: number;
  /** What recovery did, for the start's log line. */
  readonly cutBytes: number;
  readonly checkedBytes: number;
}

const INDEX_SUFFIXES = [OFFSET_INDEX_SUFFIX, TIME_INDEX_SUFFIX, TRANSACTION_INDEX_SUFFIX];

/** Headers are walked for producers; whole batches only for transaction markers, which are small. */
const REPLAY_BYTES = 64 * 1024;

/** The log of a directory that was just made: nothing is looked for in it. Throws StorageError. */
export function beginLog(options: LogOptions): LoadedLog {
  const { storage, directory, config, nowMs, logStartOffset } = options;
  const segments = new SegmentList();
  segments.push(new Segment(options, directory, logStartOffset, config, nowMs));
  segments.live.makeLive(config);
  const producers = new ProducerState();
  producers.clear(logStartOffset);
  return {
    segments,
    epochs: new LeaderEpochCache(storage, directory),
    producers,
    snapshots: new ProducerSnapshots(storage, directory),
    aborted: NO_TRANSACTIONS,
    logStartOffset,
    endOffset: logStartOffset,
    recoveryPoint: logStartOffset,
    cutBytes: 0,
    checkedBytes: 0,
  };
}

/** The log of a directory that was there. Throws StorageError, UnsupportedFormatError. */
export function loadLog(options: LogOptions): LoadedLog {
  const { storage, directory, config, nowMs } = options;
  const open = (baseOffset: number): Segment => new Segment(options, directory, baseOffset, config, nowMs);
  const segments = new SegmentList();
  const epochs = new LeaderEpochCache(storage, directory);
  const areEpochsKnown = epochs.load();
  const names = removeLeftovers(storage, directory);
  const bases = names.filter((name) => name.endsWith(LOG_SUFFIX)).map(offsetOfFileName);
  /** Segments without one of their indexes: they are checked whole, however the last stop went. */
  const unindexed = new Set<Segment>();
  for (const base of bases.filter((offset) => offset >= 0).sort((a, b) => a - b)) {
    const hasIndexes = [OFFSET_INDEX_SUFFIX, TIME_INDEX_SUFFIX].every((suffix) =>
      storage.exists(`${directory}/${offsetFileName(base, suffix)}`),
    );
    const segment = open(base);
    if (!hasIndexes) unindexed.add(segment);
    refuseOldFormat(segment);
    segments.push(segment);
  }
  dropBelow(segments, options.logStartOffset);
  if (segments.count === 0) segments.push(open(options.logStartOffset));

  // Every batch has an epoch, and the file is written before the recovery point passes it: an empty one is damaged, too.
  const areEpochsDue = segments.sizeBytes() > 0 && (options.cleanShutdown || options.recoveryPoint > segments.first.baseOffset);
  if (!areEpochsKnown || (areEpochsDue && epochs.latestEpoch === UNDEFINED_EPOCH)) {
    options.onDamage?.('leader epochs could not be read and are taken from the batches', `${directory}/${LEADER_EPOCH_CHECKPOINT_NAME}`);
    for (const segment of segments.all()) readEpochs(segment, epochs);
  }

  let endOffset = 0;
  let cutBytes = 0;
  let checkedBytes = 0;
  /** Whose indexes of aborted transactions may lack some. */
  const suspects = new Set<Segment>();
  const recoverFrom = trustedRecoveryPoint(segments.live, options);
  // What began behind the recovery point is read from the batches again: the file may be older than a truncation.
  if (!options.cleanShutdown) epochs.truncateFromEnd(recoverFrom);
  const checkedFrom = options.cleanShutdown ? segments.count : segments.floor(recoverFrom);
  for (let index = 0; index < segments.count; index++) {
    const segment = segments.at(index);
    const isLive = index + 1 === segments.count;
    if (isLive && index < checkedFrom && !unindexed.has(segment)) segment.proveEnds();
    const isBelieved = index < checkedFrom && !unindexed.has(segment) && !(isLive && looksTorn(segment));
    if (isBelieved && !isLive) continue;
    if (isBelieved) {
      endOffset = segment.readEndOffset();
      continue;
    }
    const found = recoverSegment(
      segment,
      segments.endOffset(index, Number.MAX_SAFE_INTEGER),
      index < checkedFrom ? 0 : recoverFrom,
      config.indexIntervalBytes,
      epochs,
      !options.cleanShutdown,
    );
    endOffset = found.endOffset;
    cutBytes += found.cutBytes;
    checkedBytes += found.checkedBytes;
    if (found.hasMarkers || found.cutBytes > 0) suspects.add(segment);
    // Behind a torn segment nothing can follow: what is there was written after bytes that are lost. A power loss can also take a
    // tail that ends between two batches, or a whole file; only compaction leaves gaps that are none.
    const isShort = !options.cleanShutdown && !config.isCompacted && endOffset < segments.endOffset(index, endOffset);
    if (found.cutBytes > 0 || isShort) cutBytes += dropBehind(segments, index + 1, options);
    else if (!isLive) segment.seal();
  }
  if (endOffset < options.logStartOffset) {
    cutBytes += dropBehind(segments, 0, options);
    segments.push(open(options.logStartOffset));
    endOffset = options.logStartOffset;
  }
  const logStartOffset = Math.max(options.logStartOffset, segments.first.baseOffset);
  segments.live.makeLive(config);
  epochs.truncateFromEnd(endOffset);
  epochs.truncateFromStart(logStartOffset);

  const snapshots = new ProducerSnapshots(storage, directory);
  snapshots.load(storage.list(directory), new Set(segments.all().map((segment) => segment.baseOffset)), segments.live.baseOffset);
  const producers = new ProducerState();
  loadProducers(producers, snapshots, segments, logStartOffset, endOffset, options);
  const hasIndexes = names.some((name) => name.endsWith(TRANSACTION_INDEX_SUFFIX));
  const aborted = hasIndexes || suspects.size > 0 ? loadAborted(options, segments, snapshots, suspects, endOffset) : NO_TRANSACTIONS;
  const recoveryPoint = options.cleanShutdown && checkedBytes === 0 ? endOffset : Math.min(recoverFrom, endOffset);
  return { segments, epochs, producers, snapshots, aborted, logStartOffset, endOffset, recoveryPoint, cutBytes, checkedBytes };
}

/**
 * A recovery point vouches for what is on the medium, so it never lies behind the log's end. One that does was written of another
 * log: of a topic of this name that was deleted. It vouches for nothing here.
 */
function trustedRecoveryPoint(live: Segment, options: LogOptions): number {
  if (options.cleanShutdown || options.recoveryPoint <= live.readEndOffset()) return options.recoveryPoint;
  return 0;
}

/** The newest sound snapshot, and the batches behind it. Snapshots outside (log start, end] are removed. */
export function loadProducers(
  producers: ProducerState,
  snapshots: ProducerSnapshots,
  segments: SegmentList,
  logStartOffset: number,
  endOffset: number,
  options: Pick<LogOptions, 'cleanShutdown' | 'nowMs' | 'config'>,
): void {
  snapshots.keepWithin(logStartOffset, endOffset);
  if (options.cleanShutdown && snapshots.offsets.length === 0) {
    // Stopped cleanly by a broker that left no snapshot: there were no producers with ids.
    producers.clear(endOffset);
  } else {
    producers.clear(logStartOffset);
    for (let offset = snapshots.floor(endOffset); offset !== -1; offset = snapshots.floor(endOffset)) {
      const entries = snapshots.read(offset);
      if (entries === null) continue;
      producers.endOffset = offset;
      for (const entry of entries) if (!isExpired(entry, options.nowMs, options.config.producerIdExpirationMs)) producers.put(entry);
      break;
    }
    replay(producers, segments, endOffset);
  }
  if (endOffset > logStartOffset && !snapshots.has(endOffset)) {
    snapshots.write(endOffset, encodeSnapshot(producers.entries(), producers.producerCount));
  }
}

/** Reads the batches in [producers.endOffset, endOffset) into the producers' state. */
function replay(producers: ProducerState, segments: SegmentList, endOffset: number): void {
  const scanner = new BatchScanner(REPLAY_BYTES);
  const from = producers.endOffset;
  for (let index = segments.floor(from); index < segments.count && producers.endOffset < endOffset; index++) {
    const segment = segments.at(index);
    segment.startWalk(scanner, from);
    while (scanner.next()) {
      if (lastOffsetOf(scanner.bytes, scanner.at) < from) continue;
      if (replayNeedsRecords(scanner.bytes, scanner.at) && !scanner.loadWhole()) break;
      replayBatch(producers, scanner.bytes, scanner.at, scanner.at + scanner.sizeBytes);
    }
  }
  producers.endOffset = endOffset;
}

/** Files whose removal or replacement a crash interrupted; the names that are left. */
function removeLeftovers(storage: Storage, directory: string): string[] {
  const names = storage.list(directory);
  for (const name of names) if (name.endsWith(DELETED_SUFFIX) || name.endsWith(CLEANED_SUFFIX)) storage.remove(`${directory}/${name}`);
  const cleaned = names.filter((name) => name.endsWith(CLEANED_SUFFIX)).map(offsetOfFileName);
  const oldestCleaned = Math.min(...cleaned, Number.MAX_SAFE_INTEGER);
  const swaps = names.filter((name) => name.endsWith(SWAP_SUFFIX));
  // A swap in front of every .cleaned file was complete before the crash: it takes the place of what it was made from.
  for (const name of swaps.filter((swap) => offsetOfFileName(swap) >= oldestCleaned)) storage.remove(`${directory}/${name}`);
  const complete = swaps.filter((swap) => offsetOfFileName(swap) < oldestCleaned);
  for (const name of complete.filter((swap) => swap.endsWith(`${LOG_SUFFIX}${SWAP_SUFFIX}`)))
    removeReplaced(storage, directory, name, names);
  for (const name of complete) storage.rename(`${directory}/${name}`, `${directory}/${name.slice(0, -SWAP_SUFFIX.length)}`);
  const left = storage.list(directory);
  // A crash between the renames of a segment's files leaves indexes of a log that is gone.
  const logs = new Set(left.filter((name) => name.endsWith(LOG_SUFFIX)).map(offsetOfFileName));
  const isOrphan = (name: string): boolean => INDEX_SUFFIXES.some((suffix) => name.endsWith(suffix)) && !logs.has(offsetOfFileName(name));
  for (const name of left.filter(isOrphan)) storage.remove(`${directory}/${name}`);
  return left.filter((name) => !isOrphan(name));
}

/** Removes the segments whose offsets the compacted segment `swapName` covers. */
function removeReplaced(storage: Storage, directory: string, swapName: string, names: readonly string[]): void {
  const from = offsetOfFileName(swapName);
  const file = storage.open(`${directory}/${swapName}`, 'read');
  const scanner = new BatchScanner(REPLAY_BYTES);
  scanner.start(file, 0, file.sizeBytes());
  let end = from;
  while (scanner.next()) end = lastOffsetOf(scanner.bytes, scanner.at) + 1;
  file.close();
  for (const name of names) {
    const offset = offsetOfFileName(name);
    if (!name.endsWith(SWAP_SUFFIX) && offset >= from && offset < end) storage.remove(`${directory}/${name}`);
  }
}

function refuseOldFormat(segment: Segment): void {
  const prefix = new Uint8Array(BATCH_PREFIX_BYTES);
  if (segment.file.read(prefix, 0, BATCH_PREFIX_BYTES, 0) < BATCH_PREFIX_BYTES) return;
  const magic = readMagic(prefix, 0);
  // Zeros are no batch of format 0 but space that a crash left unwritten; recovery cuts it.
  if (magic < 0 || magic >= BATCH_MAGIC || prefix.every((byte) => byte === 0)) return;
  const { path } = segment.file;
  throw new UnsupportedFormatError(
    `${path} holds record batches of format ${magic}; only format ${BATCH_MAGIC} is read. Convert it with Apache Kafka 3.x first.`,
  );
}

/** Whether a segment that should be whole has something behind its last batch, or an index that belongs to other bytes. */
function looksTorn(segment: Segment): boolean {
  const scanner = new BatchScanner(REPLAY_BYTES);
  const last = segment.offsetIndex.entryCount - 1;
  if (last < 0) scanner.start(segment.file, 0, segment.sizeBytes);
  else if (!startAtEntry(segment, scanner, last)) return true;
  while (scanner.next());
  return scanner.stoppedBy !== 0;
}

/** The epochs of a segment's batches, from their headers. */
function readEpochs(segment: Segment, epochs: LeaderEpochCache): void {
  const scanner = new BatchScanner(REPLAY_BYTES);
  scanner.start(segment.file, 0, segment.sizeBytes);
  while (scanner.next()) {
    const epoch = readLeaderEpoch(scanner.bytes, scanner.at);
    if (epoch > epochs.latestEpoch) epochs.assign(epoch, readBaseOffset(scanner.bytes, scanner.at));
  }
}

/** Removes the segments that end at or below the log start: they were to go when the last process ended. */
function dropBelow(segments: SegmentList, logStartOffset: number): void {
  while (segments.count > 1 && segments.at(1).baseOffset <= logStartOffset) {
    const segment = segments.shift();
    segment.close();
    segment.files.remove('');
  }
}

/**
 * Removes the segments from `count` on, for good: their names must not come back once other batches have their offsets. The bytes that they
 * had.
 */
function dropBehind(segments: SegmentList, count: number, { storage, directory }: LogOptions): number {
  if (segments.count <= count) return 0;
  let droppedBytes = 0;
  while (segments.count > count) {
    const segment = segments.pop();
    droppedBytes += segment.sizeBytes;
    segment.close();
    segment.files.remove('');
  }
  storage.syncDirectory(directory);
  return droppedBytes;
}
