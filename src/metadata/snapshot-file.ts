// Snapshots of the metadata log: files `<end offset, 20 digits>-<epoch, 10 digits>.checkpoint` beside its segments (KIP-630).
// Invariant: a file of that name is whole: it is written under another one, synced, then renamed. A crash leaves `.part` files only.
// Runs on: worker 0. Pure but for the storage that is handed in.
import { type Storage, StorageError } from '../log/storage.ts';
import { CONTROL_TYPE, type ControlRecord } from '../protocol/records/control.ts';
import { encodeSnapshotFooter, encodeSnapshotHeader } from './control-batches.ts';
import { ImageError } from './image-error.ts';
import type { MetadataRecord } from './metadata-records.ts';
import { type BatchPlace, encodeRecordBatch, type RecordVisitor, visitRecordBatches } from './record-batch.ts';

export interface SnapshotId {
  /** The snapshot stands for all records below. */
  readonly endOffset: number;
  /** Leader epoch of the last of them. */
  readonly epoch: number;
}

const SUFFIX = '.checkpoint';
const PART_SUFFIX = '.checkpoint.part';
const NAME = /^(\d{20})-(\d{10})\.checkpoint$/;
/** Records of one batch of a snapshot: keeps batches well below Kafka's limit of 8 MiB. */
const RECORDS_PER_BATCH = 2000;

export function snapshotName(id: SnapshotId): string {
  return `${String(id.endOffset).padStart(20, '0')}-${String(id.epoch).padStart(10, '0')}${SUFFIX}`;
}

/** The finished snapshots of a directory, oldest first. Removes what a crash left unfinished. */
export function listSnapshots(storage: Storage, directory: string): SnapshotId[] {
  const ids: SnapshotId[] = [];
  for (const name of storage.list(directory)) {
    if (name.endsWith(PART_SUFFIX)) storage.remove(`${directory}/${name}`);
    const match = NAME.exec(name);
    if (match !== null) ids.push({ endOffset: Number(match[1]), epoch: Number(match[2]) });
  }
  return ids.sort((a, b) => a.endOffset - b.endOffset || a.epoch - b.epoch);
}

/**
 * Writes `path` so that a crash leaves the old file, the new one or none, never a part of it. `.part` files are left to a crash only.
 * Throws StorageError.
 */
export function writeWhole(storage: Storage, directory: string, name: string, bytes: Uint8Array): void {
  const part = `${directory}/${name}.part`;
  storage.remove(part);
  const file = storage.open(part, 'create');
  try {
    for (let written = 0; written < bytes.length; ) {
      const count = file.write(bytes, written, bytes.length - written, written);
      if (count === 0) throw new StorageError('ENOSPC', part, 'writing');
      written += count;
    }
    file.sync();
  } finally {
    file.close();
  }
  storage.rename(part, `${directory}/${name}`);
  storage.syncDirectory(directory);
}

/** All bytes of a snapshot. Throws StorageError. */
export function readSnapshot(storage: Storage, directory: string, id: SnapshotId): Uint8Array {
  return readWhole(storage, `${directory}/${snapshotName(id)}`);
}

export function readWhole(storage: Storage, path: string): Uint8Array {
  const file = storage.open(path, 'read');
  try {
    const bytes = new Uint8Array(file.sizeBytes());
    for (let read = 0; read < bytes.length; ) {
      const count = file.read(bytes, read, bytes.length - read, read);
      if (count === 0) throw new ImageError(`${path}: the file shrinks while it is read`);
      read += count;
    }
    return bytes;
  } finally {
    file.close();
  }
}

interface SnapshotContent {
  readonly epoch: number;
  readonly timestampMs: number;
  /** When the last record that the snapshot stands for was written; 0 where there is none. */
  readonly lastContainedLogTimestamp: number;
  /** The quorum's own state: KRaftVersion and KRaftVoters, encoded; none in `bootstrap.checkpoint`. */
  readonly quorumRecords: readonly ControlRecord[];
  readonly records: Iterable<MetadataRecord>;
}

/** A snapshot's bytes: header, the quorum's state, the image's records, footer; offsets run from 0. */
export function encodeSnapshot(content: SnapshotContent): Uint8Array {
  const batches: Uint8Array[] = [];
  let offset = 0;
  const place = (): BatchPlace => ({ baseOffset: offset, leaderEpoch: content.epoch, timestampMs: content.timestampMs });
  batches.push(encodeSnapshotHeader(place(), content.lastContainedLogTimestamp, content.quorumRecords));
  offset += 1 + content.quorumRecords.length;
  let records: MetadataRecord[] = [];
  const flush = (): void => {
    if (records.length === 0) return;
    batches.push(encodeRecordBatch(records, place()));
    offset += records.length;
    records = [];
  };
  for (const record of content.records) {
    records.push(record);
    if (records.length === RECORDS_PER_BATCH) flush();
  }
  flush();
  batches.push(encodeSnapshotFooter(place()));
  return concatenated(batches);
}

/** Reads a snapshot; throws ImageError where it is damaged or does not begin with a header and end with a footer. */
export function visitSnapshot(bytes: Uint8Array, visitor: RecordVisitor): void {
  let first = -1;
  let last = -1;
  visitRecordBatches(bytes, {
    record(record, offset) {
      last = -1;
      visitor.record(record, offset);
    },
    control(type, value, offset) {
      if (first === -1) first = type;
      last = type;
      visitor.control?.(type, value, offset);
    },
  });
  if (first !== CONTROL_TYPE.SNAPSHOT_HEADER) throw new ImageError('the snapshot does not begin with its header');
  if (last !== CONTROL_TYPE.SNAPSHOT_FOOTER) throw new ImageError('the snapshot does not end with its footer');
}

export function concatenated(pieces: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(pieces.reduce((total, piece) => total + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}
