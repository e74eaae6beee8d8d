// The logs that the start found and that are not open: before the first image all of a worker's, later those of partitions without a leader
// until then, and those that an error of the disk kept from being opened.
// Invariant: the checkpoints go on saying of them what they said at the start, until they are opened or their topic is deleted. Without its
// row a log would begin again where its first segment does, and records that were deleted would be back.
// Runs on: every worker, for the partitions that it owns.
import { parsePartitionDirectory } from '../log/file-names.ts';
import type { ClusterImage } from '../metadata/image.ts';
import { workerOf } from '../scheduler/placement.ts';
import type { KnownDirectories } from './known-directories.ts';
import { findPartition } from './topic-partitions.ts';
import type { FoundLog, LogEnds } from './worker-data.ts';

interface UnopenedLog extends FoundLog {
  readonly topic: string;
  readonly partition: number;
}

export class UnopenedLogs {
  readonly #directories: KnownDirectories;
  readonly #placement: { readonly workerCount: number; readonly workerIndex: number };
  /** Gets shorter only; null before the first image, which may say whose a log is that does not say so itself. */
  #left: readonly UnopenedLog[] | null = null;

  constructor(directories: KnownDirectories, placement: { readonly workerCount: number; readonly workerIndex: number }) {
    this.#directories = directories;
    this.#placement = placement;
  }

  /** What the checkpoints are to say of them; `image` is null before the first one, `isOpen` asks for a partition's slot. */
  ends(image: ClusterImage | null, isOpen: (slot: number) => boolean): LogEnds[] {
    let left = this.#left;
    if (image === null) left = this.#found();
    else {
      left = (left ?? this.#found()).filter(({ topicId, partition }) => {
        const topic = topicId === null ? null : image.topicById(topicId);
        const there = topic === null ? null : findPartition(topic, partition);
        return there !== null && !isOpen(there.slot);
      });
      this.#left = left;
    }
    // A high watermark is found again when the partition has a leader; a partition without a row counts as readable up to its log start.
    return left.map(({ directory, topic, partition, recoveryPoint, logStartOffset }) => ({
      directory,
      topic,
      partition,
      recoveryPoint,
      logStartOffset,
      highWatermark: logStartOffset,
    }));
  }

  /** Paths of the log directories where some are not open whose tails nobody has checked since a stop that was not clean. */
  unchecked(image: ClusterImage | null, isOpen: (slot: number) => boolean): Set<string> {
    const paths = new Set(this.ends(image, isOpen).map(({ directory }) => directory));
    return new Set([...paths].filter((path) => this.#directories.byPath(path)?.hadCleanShutdown !== true));
  }

  /** Who owns a log that does not say whose it is will be known with the first image: until then worker 0 speaks for it. */
  #found(): UnopenedLog[] {
    const { workerCount, workerIndex } = this.#placement;
    const ours: UnopenedLog[] = [];
    for (const [name, found] of this.#directories.allFound()) {
      const parsed = parsePartitionDirectory(name);
      if (parsed === null) continue;
      for (const each of found) {
        const owner = each.topicId === null ? 0 : workerOf(workerCount, each.topicId, parsed.partition);
        if (owner === workerIndex) ours.push({ ...each, ...parsed });
      }
    }
    return ours;
  }
}
