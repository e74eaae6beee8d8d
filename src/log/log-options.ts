// What a log is opened with.
// Pure.
import type { Random } from '../base/random.ts';
import type { LogConfig } from './log-config.ts';
import type { Storage, StorageError, StorageFile } from './storage.ts';

export interface LogOptions {
  readonly storage: Storage;
  /** The partition's directory, `<log dir>/<topic>-<partition>`; made where it is missing. */
  readonly directory: string;
  /** Written to partition.metadata where there is none; null leaves the file out (the metadata log of a static quorum). */
  readonly topicId: string | null;
  /** The topic is known to be the right one, whose partition.metadata is written anew where it is damaged. */
  readonly isUnnamed?: boolean;
  readonly config: LogConfig;
  readonly nowMs: number;
  /**
   * What is made (the directory, partition.metadata) is synced by the caller: `unsyncedPaths` says what that is. Otherwise all of it is on the
   * medium when the log is open.
   */
  readonly isSyncedByCaller?: boolean;
  /** Whether the broker that wrote the directory stopped cleanly; false checks everything behind the recovery point. */
  readonly cleanShutdown: boolean;
  /** From the directory's checkpoints; 0 where there is no entry. */
  readonly recoveryPoint: number;
  readonly logStartOffset: number;
  /** naru.writeback.bytes: after so many written bytes a sync is begun in the pool. 0 never does. */
  readonly writebackBytes?: number;
  /** Hears of a write-behind that failed. */
  readonly onWritebackError?: (error: StorageError) => void;
  /** Hears of damaged files that the log goes on with: what is wrong, and the file. Once a place. */
  readonly onDamage?: (damage: string, path: string) => void;
  /** For segment.jitter.ms; without it segments have no jitter. */
  readonly random?: Random;
  /** A file is about to be closed that readers may hold plans on: whoever gets it calls `close` once they are done. */
  readonly onClosingFile?: (file: StorageFile, close: () => void) => void;
}

/** The directory belongs to another topic of the same name: it was deleted and created again. */
export class InconsistentTopicIdError extends Error {
  override readonly name = 'InconsistentTopicIdError';
  readonly code = 'ERR_INCONSISTENT_TOPIC_ID';
  constructor(directory: string, known: string, wanted: string) {
    super(`${directory} belongs to topic id ${known}, not to ${wanted}`);
  }
}

/** Draws what is taken off segment.ms for one segment. */
export function drawJitterMs({ random }: Pick<LogOptions, 'random'>, { segmentJitterMs }: LogConfig): number {
  return random === undefined || segmentJitterMs <= 0 ? 0 : random.below(Math.min(segmentJitterMs, 2 ** 32));
}
