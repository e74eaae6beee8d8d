// Whether the metadata log of a directory still holds what it is known to have held, before anything opens it: opening cuts what cannot be
// read, and a start on less metadata would put the partitions aside that it does not name any more.
// Invariant: changes nothing. A directory that fails the check fails it at every start, until a person decides.
// Pure but for the storage that is handed in.
import { BatchScanner } from '../log/batch-scanner.ts';
import { RECOVERY_POINT_CHECKPOINT_NAME } from '../log/checkpoint-file.ts';
import { LOG_SUFFIX, offsetOfFileName, parentDirectory } from '../log/file-names.ts';
import type { Storage } from '../log/storage.ts';
import { BATCH_CHECK, checkStoredBatch, lastOffset, readBaseOffset } from '../protocol/records/batch.ts';
import { ImageError } from './image-error.ts';
import { listSnapshots } from './snapshot-file.ts';

const SCAN_BYTES = 1024 * 1024;

export interface KnownMetadata {
  /** All records below were on the medium; 0 where nobody noted how far they went. */
  readonly end: number;
  /** Partitions that lie beside it and say whose they are. */
  readonly partitionCount: number;
}

/** Throws ImageError where `directory`, which may be missing, holds less than is known, saying how to go on, and StorageError. */
export function checkMetadataLog(storage: Storage, directory: string, known: KnownMetadata): void {
  const isThere = storage.isDirectory(directory);
  const end = isThere ? readableEnd(storage, directory) : 0;
  if (end < known.end) {
    throw new ImageError(
      `${directory}: the metadata log can be read up to offset ${end}, and ${known.end} were there: topics are lost with the rest. ` +
        `Restore it from a copy; or, to go on without them, remove ${parentDirectory(directory)}/${RECOVERY_POINT_CHECKPOINT_NAME}`,
    );
  }
  const snapshotEnd = isThere ? (listSnapshots(storage, directory).at(-1)?.endOffset ?? 0) : 0;
  if (end > 0 || snapshotEnd > 0 || known.partitionCount === 0) return;
  throw new ImageError(
    `${directory}: the metadata log is empty or missing, and ${known.partitionCount} partitions lie beside it. Restore it from a copy, ` +
      'or name the directory that it is in by metadata.log.dir; or, to go on without them, move their directories away',
  );
}

/** The offset behind the last batch that is whole, with none before it that is not. */
function readableEnd(storage: Storage, directory: string): number {
  const bases = storage
    .list(directory)
    .filter((name) => name.endsWith(LOG_SUFFIX))
    .map((name) => ({ name, base: offsetOfFileName(name) }))
    .filter(({ base }) => base >= 0)
    .sort((a, b) => a.base - b.base);
  const scanner = new BatchScanner(SCAN_BYTES);
  let end = 0;
  for (const { name, base } of bases) {
    if (end > 0 && base !== end) return end; // A file between them is missing.
    end = base;
    const file = storage.open(`${directory}/${name}`, 'read');
    try {
      scanner.start(file, 0, file.sizeBytes());
      while (scanner.next()) {
        if (!scanner.loadWhole()) return end;
        const { bytes, at, sizeBytes } = scanner;
        if (checkStoredBatch(bytes, at, sizeBytes) !== BATCH_CHECK.OK || readBaseOffset(bytes, at) !== end) return end;
        end = lastOffset(bytes, at) + 1;
      }
      if (scanner.stoppedBy !== BATCH_CHECK.OK) return end;
    } finally {
      file.close();
    }
  }
  return end;
}
