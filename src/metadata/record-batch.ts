// Metadata records in and out of record batches: what the metadata log and its snapshots are made of.
// Invariant: a batch is read whole or refused whole.
// Pure. Not the tables of the records (metadata-records.ts), not the files.
import {
  BATCH_CHECK,
  batchCheckName,
  batchSizeBytes,
  checkStoredBatch,
  isControl,
  readBaseOffset,
  readLastOffsetDelta,
  readLeaderEpoch,
} from '../protocol/records/batch.ts';
import { BatchBuilder } from '../protocol/records/batch-builder.ts';
import { readControlType } from '../protocol/records/control.ts';
import { openRecords } from '../protocol/records/records.ts';
import { ImageError } from './image-error.ts';
import { decodeMetadataRecord, encodeMetadataRecord, type MetadataRecord, newestRecordVersion } from './metadata-records.ts';

export interface BatchPlace {
  readonly baseOffset: number;
  readonly leaderEpoch: number;
  readonly timestampMs: number;
}

/** What a batch of the metadata log holds, told record by record. */
export interface RecordVisitor {
  record(record: MetadataRecord, offset: number): void;
  /** A control record; `value` is the message with its version in front. Valid during the call only. */
  control?(type: number, value: Uint8Array, offset: number): void;
  /** After the last record of a batch. */
  batchEnd?(endOffset: number, leaderEpoch: number): void;
}

/** One uncompressed batch of metadata records, checksum and all. */
export function encodeRecordBatch(records: readonly MetadataRecord[], place: BatchPlace): Uint8Array {
  const builder = new BatchBuilder(place);
  for (const record of records)
    builder.append({ value: encodeMetadataRecord(record, recordVersion(record)), timestampMs: place.timestampMs });
  return builder.build();
}

/**
 * The version that a record is written in: the newest, but of a registration's change the first that can carry it, as Apache Kafka
 * chooses it.
 */
function recordVersion(record: MetadataRecord): number {
  if (record.type !== 'BrokerRegistrationChangeRecord') return newestRecordVersion(record.type);
  if (record.cordonedLogDirs !== null) return 3;
  if (record.logDirs.length > 0) return 2;
  return record.inControlledShutdown === 0 ? 0 : 1;
}

/**
 * Reads all batches in `bytes`, in order. Throws ImageError where a batch or a record is damaged or of a kind that is not known:
 * metadata that cannot be read whole must not be served.
 */
export function visitRecordBatches(bytes: Uint8Array, visitor: RecordVisitor): void {
  let position = 0;
  while (position < bytes.length) {
    const check = checkStoredBatch(bytes, position, bytes.length - position);
    if (check !== BATCH_CHECK.OK) throw new ImageError(`batch at byte ${position}: ${batchCheckName(check)}`);
    visitBatch(bytes, position, visitor);
    position += batchSizeBytes(bytes, position);
  }
}

function visitBatch(bytes: Uint8Array, position: number, visitor: RecordVisitor): void {
  const baseOffset = readBaseOffset(bytes, position);
  const isControlBatch = isControl(bytes, position);
  const cursor = openRecords(bytes, position);
  while (cursor.next()) {
    const offset = baseOffset + cursor.offsetDelta;
    const value = cursor.copyValue();
    if (value === null) throw new ImageError(`offset ${offset}: a record without a value`);
    if (isControlBatch) visitor.control?.(readControlType(cursor.copyKey()), value, offset);
    else visitor.record(decodeRecord(value, offset), offset);
  }
  if (cursor.check !== 0) throw new ImageError(`offset ${baseOffset}: record ${cursor.count} of the batch cannot be read`);
  visitor.batchEnd?.(baseOffset + readLastOffsetDelta(bytes, position) + 1, readLeaderEpoch(bytes, position));
}

function decodeRecord(value: Uint8Array, offset: number): MetadataRecord {
  try {
    return decodeMetadataRecord(value);
  } catch (error) {
    throw new ImageError(`offset ${offset}: ${error instanceof Error ? error.message : error}`, { cause: error });
  }
}
