// When a snapshot of the metadata is due, and what may go once it is there.
// Invariant: nothing is removed from the log that the older of the two newest snapshots does not hold: one damaged file loses nothing.
// Runs on: worker 0. Not the content of a snapshot.
import type { Storage } from '../log/storage.ts';
import type { MetadataLog } from './metadata-log.ts';
import { type SnapshotId, snapshotName, writeWhole } from './snapshot-file.ts';

/** Snapshots that stay. */
const KEPT_COUNT = 2;

interface SnapshotRules {
  /** metadata.log.max.record.bytes.between.snapshots */
  readonly snapshotBytes: number;
  /** metadata.log.max.snapshot.interval.ms; 0 is never by time alone. */
  readonly snapshotIntervalMs: number;
}

export class SnapshotKeeper {
  readonly #storage: Storage;
  readonly #directory: string;
  readonly #log: MetadataLog;
  readonly #rules: SnapshotRules;
  #ids: SnapshotId[] = [];
  #bytesSince = 0;
  #lastMs = 0;

  constructor(storage: Storage, directory: string, log: MetadataLog, rules: SnapshotRules) {
    this.#storage = storage;
    this.#directory = directory;
    this.#log = log;
    this.#rules = rules;
  }

  /** What the start found: snapshots, oldest first, and how much log lies behind the newest. */
  loaded(ids: readonly SnapshotId[], replayedBytes: number, monotonicMs: number): void {
    this.#ids = [...ids];
    this.#bytesSince = replayedBytes;
    this.#lastMs = monotonicMs;
  }

  noteAppended(sizeBytes: number): void {
    this.#bytesSince += sizeBytes;
  }

  isDue(monotonicMs: number): boolean {
    if (this.#bytesSince === 0) return false;
    const { snapshotBytes, snapshotIntervalMs } = this.#rules;
    return this.#bytesSince >= snapshotBytes || (snapshotIntervalMs > 0 && monotonicMs - this.#lastMs >= snapshotIntervalMs);
  }

  /** Makes `bytes` the snapshot `id`, then removes older snapshots and the log that nobody needs for a start. Throws StorageError. */
  write(id: SnapshotId, bytes: Uint8Array, monotonicMs: number): void {
    this.#bytesSince = 0;
    this.#lastMs = monotonicMs;
    if (this.#ids.some((known) => known.endOffset === id.endOffset && known.epoch === id.epoch)) return;
    writeWhole(this.#storage, this.#directory, snapshotName(id), bytes);
    this.#ids.push(id);
    if (this.#ids.length <= KEPT_COUNT) return;
    const kept = this.#ids.slice(-KEPT_COUNT);
    this.#log.trim((kept[0] as SnapshotId).endOffset);
    for (const old of this.#ids.slice(0, -KEPT_COUNT)) this.#storage.remove(`${this.#directory}/${snapshotName(old)}`);
    this.#ids = kept;
  }
}
