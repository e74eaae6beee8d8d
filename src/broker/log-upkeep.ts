// What a worker does for its logs in the background, so that they stay in bounds: retention, the removal of what it took out, syncs by time.
// Invariants: a slice of a turn at a time; nothing waits for the disk here, removals and syncs run in the pool. A removed segment is closed
// once no thread is inside a read that was planned before it went (segment-removal.ts).
// Runs on: every worker, for its own partitions.
import type { BrokerConfig } from '../config/broker-config.ts';
import type { Log } from '../log/log.ts';
import { StorageError } from '../log/storage.ts';
import type { LeaderReplica } from '../partition/leader-replica.ts';
import type { PartitionHost } from '../partition/partition-host.ts';
import type { Runtime } from '../scheduler/runtime.ts';
import type { Logger } from '../telemetry/logger.ts';
import { SegmentRemoval } from './segment-removal.ts';
import { SlicedWork } from './sliced-work.ts';

/** Segments of one log that are renamed at once: three or four files each, at some 10 µs. */
const SEGMENTS_IN_PIECE_MAX = 8;
/** Logs that are synced at a time: the pool has other work too. */
const SYNCS_MAX = 2;
/** Kafka's "never": no timer is needed for it. */
const NEVER_MS = Number.MAX_SAFE_INTEGER;

export class LogUpkeep {
  readonly #runtime: Runtime;
  readonly #host: PartitionHost;
  readonly #logger: Logger;
  readonly #retention: SlicedWork<LeaderReplica>;
  readonly #removal: SegmentRemoval;
  /** When a sync by time was last begun, or the log first seen. */
  readonly #syncedMs = new WeakMap<Log, number>();
  /** Logs that have more segments to delete than a piece. */
  readonly #inPieces = new WeakSet<Log>();
  #toSync: LeaderReplica[] = [];
  #syncCount = 0;
  #isClosed = false;

  constructor(runtime: Runtime, config: BrokerConfig, host: PartitionHost, logger: Logger) {
    this.#runtime = runtime;
    this.#host = host;
    this.#logger = logger;
    this.#retention = new SlicedWork(runtime, (replica) => this.#guard(replica, () => this.#expire(replica)));
    this.#removal = new SegmentRemoval({
      runtime,
      words: host.words,
      guard: (replica, task) => this.#guard(replica, task),
      onFailure: ({ logDirectory }, error) => {
        if (!this.#isClosed) host.takeOffline(logDirectory, error);
      },
    });
    const initialMs = config.logInitialTaskDelayMs;
    this.#every(config.logRetentionCheckIntervalMs, initialMs, () => this.#checkRetention());
    this.#every(config.logFlushSchedulerIntervalMs, initialMs, () => this.#checkSyncs());
  }

  /** The broker stops: logs are closed soon, nothing is begun any more. */
  close(): void {
    this.#isClosed = true;
    this.#retention.drop();
    this.#toSync = [];
  }

  #every(intervalMs: number, initialMs: number, task: () => void): void {
    if (intervalMs >= NEVER_MS) return;
    const run = (): void => {
      if (this.#isClosed) return;
      task();
      this.#runtime.after(intervalMs, run);
    };
    this.#runtime.after(initialMs, run);
  }

  #checkRetention(): void {
    for (const replica of this.#host.replicas()) this.#retention.add(replica);
  }

  /** Runs `task` while the log lives; false: it is not in our hands any more. An error of the disk takes its log directory offline, and the broker goes on. */
  #guard(replica: LeaderReplica, task: () => void): boolean {
    if (this.#isClosed || replica.isOffline || this.#host.replica(replica.slot) !== replica) return false;
    try {
      task();
    } catch (error) {
      if (!(error instanceof StorageError)) throw error;
      this.#host.takeOffline(replica.logDirectory, error);
    }
    return true;
  }

  #expire(replica: LeaderReplica): void {
    const { log } = replica;
    if (log.isFailed) return;
    const { belowStart, forSize, forTime, total } = log.head.expire(replica.highWatermark, this.#runtime.clock.wallMs());
    const count = log.head.deleteTrimmed(SEGMENTS_IN_PIECE_MAX);
    if (total > 0) replica.onSegmentsChanged();
    // Said once for each pass, as Apache Kafka says it: of further pieces it was said, and they only lie below the start by now.
    if (forSize + forTime > 0 || (total > 0 && !this.#inPieces.has(log))) {
      const { topic, partition } = replica;
      const fields = { topic, partition, segments: total, belowStart, forSize, forTime, logStartOffset: log.logStartOffset };
      this.#logger.info('segments are deleted', fields);
    }
    this.#inPieces.delete(log);
    if (count === 0) return;
    const segments = log.head.deleted.slice(-count);
    this.#runtime.after(log.config.fileDeleteDelayMs, () => this.#guard(replica, () => this.#removal.add(replica, segments)));
    if (count === SEGMENTS_IN_PIECE_MAX) {
      this.#inPieces.add(log);
      this.#retention.add(replica);
    }
  }

  #checkSyncs(): void {
    const nowMs = this.#runtime.clock.monotonicMs();
    for (const replica of this.#host.replicas()) {
      const { log } = replica;
      const sinceMs = this.#syncedMs.get(log);
      if (sinceMs === undefined) this.#syncedMs.set(log, nowMs);
      else if (log.unflushedBytes > 0 && nowMs - sinceMs >= log.config.flushMs) {
        this.#syncedMs.set(log, nowMs);
        this.#toSync.push(replica);
      }
    }
    while (this.#syncCount < SYNCS_MAX && this.#toSync.length > 0) this.#sync();
  }

  #sync(): void {
    const replica = this.#toSync.shift();
    if (replica === undefined) return;
    this.#guard(replica, () => {
      this.#syncCount++;
      replica.log.flushLater((error) => {
        this.#syncCount--;
        if (error !== null && !this.#isClosed) this.#host.takeOffline(replica.logDirectory, error);
        this.#sync();
      });
    });
  }
}
