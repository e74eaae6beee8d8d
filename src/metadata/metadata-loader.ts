// Reads back the metadata of a directory at start: the newest snapshot that is whole, then the log behind it.
// Runs on: worker 0. Pure but for the storage and the log that are handed in.
import type { Storage } from '../log/storage.ts';
import { CONTROL_TYPE } from '../protocol/records/control.ts';
import { VoterSet } from '../raft/voter-set.ts';
import { SUPPORTED_FEATURES } from './bootstrap.ts';
import { decodeVoters } from './control-batches.ts';
import type { ClusterImage } from './image.ts';
import { ImageError } from './image-error.ts';
import type { MetadataLog } from './metadata-log.ts';
import { visitRecordBatches } from './record-batch.ts';
import { listSnapshots, readSnapshot, type SnapshotId, snapshotName, visitSnapshot } from './snapshot-file.ts';

interface LoadedMetadata {
  /** The voters of the last KRaftVoters record, or null where there is none. */
  readonly voters: VoterSet | null;
  /** All snapshots that are there, oldest first. */
  readonly snapshots: readonly SnapshotId[];
  /** Bytes of the log behind the newest snapshot. */
  readonly replayedBytes: number;
}

/**
 * Replays snapshot and log into `image`, which is empty.
 * Throws ImageError where something is damaged, missing or of a newer version, naming it, and StorageError.
 */
export function loadMetadata(storage: Storage, directory: string, log: MetadataLog, image: ClusterImage): LoadedMetadata {
  let voters: VoterSet | null = null;
  const control = (type: number, value: Uint8Array): void => {
    if (type === CONTROL_TYPE.KRAFT_VOTERS) voters = new VoterSet(decodeVoters(value));
  };
  const snapshots = listSnapshots(storage, directory);
  const newest = snapshots.at(-1);
  if (newest !== undefined) {
    const path = `${directory}/${snapshotName(newest)}`;
    naming(path, () => {
      visitSnapshot(readSnapshot(storage, directory, newest), { record: (record, offset) => image.replay(record, offset), control });
    });
    image.endOffset = newest.endOffset;
    image.epoch = newest.epoch;
  }
  if (log.logStartOffset > image.endOffset) {
    throw new ImageError(`${directory}: the log begins at offset ${log.logStartOffset}, and no snapshot reaches that far`);
  }
  if (log.logEndOffset < image.endOffset) {
    throw new ImageError(`${directory}: the log ends at offset ${log.logEndOffset}, before the snapshot at ${image.endOffset}`);
  }
  let replayedBytes = 0;
  const from = image.endOffset;
  naming(directory, () => {
    log.read(from, (batches) => {
      replayedBytes += batches.length;
      visitRecordBatches(batches, {
        record: (record, offset) => {
          if (offset >= from) image.replay(record, offset); // The first batch may begin inside of the snapshot.
        },
        control: (type, value, offset) => {
          if (offset >= from) control(type, value);
        },
        batchEnd: (endOffset, epoch) => {
          image.endOffset = Math.max(endOffset, from);
          image.epoch = epoch;
        },
      });
    });
  });
  naming(directory, () => refuseUnknownFeatures(image.features));
  image.takeChange();
  return { voters, snapshots, replayedBytes };
}

/** A feature says what may stand in the logs: what was raised by a newer version, or is of one before Kafka's 3.3, is not for this one to write. */
function refuseUnknownFeatures(features: ReadonlyMap<string, number>): void {
  for (const [name, level] of features) {
    const known = SUPPORTED_FEATURES.find((feature) => feature.name === name);
    if (known === undefined) throw new ImageError(`the feature ${name} is at level ${level}, and is unknown to this version of Naru`);
    const { minSupportedVersion, maxSupportedVersion } = known;
    if (level < minSupportedVersion || level > maxSupportedVersion)
      throw new ImageError(
        `the feature ${name} is at level ${level}; this version of Naru can work with ${minSupportedVersion} to ${maxSupportedVersion}`,
      );
  }
}

/** Says in an ImageError which file it is about. */
function naming(path: string, read: () => void): void {
  try {
    read();
  } catch (error) {
    if (error instanceof ImageError) throw new ImageError(`${path}: ${error.message}`, { cause: error });
    throw error;
  }
}
