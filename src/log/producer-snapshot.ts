// Kafka's producer snapshots: `<offset>.snapshot` files with the producers' state just before that offset.
// Invariant: a snapshot whose checksum does not hold is removed and the one before it is used, so that writing one needs no order.
// Runs on: the log's owner. Format: ProducerSnapshot version 1 (kafka-spec/storage-records).

import { readInt16, readInt32, readInt64, writeInt16, writeInt32, writeInt64 } from '../base/big-endian.ts';
import { crc32cRange } from '../base/crc32c.ts';
import { offsetFileName, offsetOfFileName, SNAPSHOT_SUFFIX } from './file-names.ts';
import { ProducerEntry } from './producer-state.ts';
import type { Storage, StorageFile } from './storage.ts';

const VERSION = 1;
const VERSION_AT = 0; // int16
const CRC_AT = 2; // uint32 over the rest of the file
const COUNT_AT = 6; // int32
const ENTRIES_AT = 10;
/** Producer id 8, epoch 2, last sequence 4, last offset 8, offset delta 4, timestamp 8, coordinator epoch 4, transaction start 8. */
const ENTRY_BYTES = 46;

export function encodeSnapshot(entries: Iterable<ProducerEntry>, count: number): Uint8Array {
  const bytes = new Uint8Array(ENTRIES_AT + count * ENTRY_BYTES);
  let at = ENTRIES_AT;
  for (const entry of entries) {
    writeInt64(bytes, at, entry.producerId);
    writeInt16(bytes, at + 8, entry.epoch);
    writeInt32(bytes, at + 10, entry.lastSequence());
    writeInt64(bytes, at + 14, entry.lastOffset());
    writeInt32(bytes, at + 22, entry.offsetDelta());
    writeInt64(bytes, at + 26, entry.lastTimestamp);
    writeInt32(bytes, at + 34, entry.coordinatorEpoch);
    writeInt64(bytes, at + 38, entry.transactionFirstOffset);
    at += ENTRY_BYTES;
  }
  writeInt16(bytes, VERSION_AT, VERSION);
  writeInt32(bytes, COUNT_AT, count);
  writeInt32(bytes, CRC_AT, crc32cRange(bytes, COUNT_AT, bytes.length));
  return bytes;
}

/** The entries of a snapshot, or null where it is damaged or of another version. */
export function decodeSnapshot(bytes: Uint8Array): ProducerEntry[] | null {
  if (bytes.length < ENTRIES_AT || readInt16(bytes, VERSION_AT) !== VERSION) return null;
  if (readInt32(bytes, CRC_AT) >>> 0 !== crc32cRange(bytes, COUNT_AT, bytes.length) >>> 0) return null;
  const count = readInt32(bytes, COUNT_AT);
  if (count < 0 || bytes.length < ENTRIES_AT + count * ENTRY_BYTES) return null;
  const entries: ProducerEntry[] = [];
  for (let at = ENTRIES_AT; entries.length < count; at += ENTRY_BYTES) {
    const entry = new ProducerEntry(readInt64(bytes, at));
    const epoch = readInt16(bytes, at + 8);
    const lastOffset = readInt64(bytes, at + 14);
    const timestamp = readInt64(bytes, at + 26);
    entry.takeEpoch(epoch);
    if (lastOffset >= 0) entry.addBatch(epoch, readInt32(bytes, at + 10), lastOffset, readInt32(bytes, at + 22), timestamp);
    entry.lastTimestamp = timestamp;
    entry.coordinatorEpoch = readInt32(bytes, at + 34);
    entry.transactionFirstOffset = readInt64(bytes, at + 38);
    entries.push(entry);
  }
  return entries;
}

/** The snapshots of one partition directory. */
export class ProducerSnapshots {
  #storage: Storage;
  #directory: string;
  /** Offsets that have a snapshot, rising. */
  #offsets: number[] = [];

  constructor(storage: Storage, directory: string) {
    this.#storage = storage;
    this.#directory = directory;
  }

  /** Takes note of the snapshots there; removes those that neither belong to a segment nor are the newest of all. */
  load(names: readonly string[], segmentBaseOffsets: ReadonlySet<number>, lastSegmentBaseOffset: number): void {
    const offsets = names.filter((name) => name.endsWith(SNAPSHOT_SUFFIX)).map(offsetOfFileName);
    this.#offsets = offsets.filter((offset) => offset >= 0).sort((a, b) => a - b);
    const strays = this.#offsets.filter((offset) => !segmentBaseOffsets.has(offset));
    const newest = strays[strays.length - 1];
    for (const offset of strays) if (offset !== newest || offset < lastSegmentBaseOffset) this.remove(offset);
  }

  get offsets(): readonly number[] {
    return this.#offsets;
  }

  has(offset: number): boolean {
    return this.#offsets.includes(offset);
  }

  /** The newest at most at `offset`; -1 where there is none. */
  floor(offset: number): number {
    for (let i = this.#offsets.length - 1; i >= 0; i--) if ((this.#offsets[i] as number) <= offset) return this.#offsets[i] as number;
    return -1;
  }

  /** The producers at `offset`; a damaged file is removed and null is the answer. */
  read(offset: number): ProducerEntry[] | null {
    const file = this.#storage.open(this.#path(offset), 'read');
    const bytes = new Uint8Array(file.sizeBytes());
    const count = file.read(bytes, 0, bytes.length, 0);
    file.close();
    const entries = count === bytes.length ? decodeSnapshot(bytes) : null;
    if (entries === null) this.remove(offset);
    return entries;
  }

  /** The same as write, and on the medium when this returns: for a clean stop, which vouches for it. */
  writeSynced(offset: number, bytes: Uint8Array): void {
    this.write(offset, bytes, true);
    this.#storage.syncDirectory(this.#directory);
  }

  /** Writes a snapshot at `offset`, without a sync (unless `isSynced`): its checksum tells later whether it arrived. */
  write(offset: number, bytes: Uint8Array, isSynced = false): void {
    const file: StorageFile = this.#storage.open(this.#path(offset), 'create');
    try {
      file.truncate(0);
      let done = 0;
      while (done < bytes.length) done += file.write(bytes, done, bytes.length - done, done);
      if (isSynced) file.sync();
    } finally {
      file.close();
    }
    if (!this.has(offset)) this.#offsets = [...this.#offsets, offset].sort((a, b) => a - b);
  }

  remove(offset: number): void {
    this.#storage.remove(this.#path(offset));
    this.#offsets = this.#offsets.filter((kept) => kept !== offset);
  }

  /** Removes all outside (from, to]. */
  keepWithin(from: number, to: number): void {
    for (const offset of this.#offsets) if (offset <= from || offset > to) this.remove(offset);
  }

  movedTo(directory: string): void {
    this.#directory = directory;
  }

  #path(offset: number): string {
    return `${this.#directory}/${offsetFileName(offset, SNAPSHOT_SUFFIX)}`;
  }
}
