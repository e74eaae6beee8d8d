// The records inside an uncompressed (or decompressed) batch: a cursor over their bytes, and what a record is for tools and tests.
// Invariant: the cursor reads nothing outside [start, end) and allocates nothing per record; bad input stops it with a reason.
// Pure. Not the batch header (batch.ts), not the building of batches (batch-builder.ts).
// Source: "Record" and "Record Header" in Kafka's documentation of the message format.
import { VarintReader } from './varint.ts';

/** Why a record cannot be read, or may not be accepted; OK is 0. */
export const RECORD_CHECK = {
  OK: 0,
  /** A length or a number runs past the end of the records. */
  TRUNCATED: 1,
  /** The record's own length does not match what is in it. */
  BAD_LENGTH: 2,
  /** A header count that is negative or larger than the bytes that are left, or a header without a key. */
  BAD_HEADERS: 3,
  /** Offset deltas do not run 0, 1, 2, … */
  BAD_OFFSET_DELTA: 4,
  /** A timestamp above 2^53 − 1 or below its negative. */
  BAD_TIMESTAMP: 5,
  /** Fewer records than the header counts. */
  MISSING_RECORDS: 6,
  /** Bytes left behind the last record that the header counts. */
  TRAILING_BYTES: 7,
  /** A record without a key where the topic is compacted. */
  MISSING_KEY: 8,
  /** The compression type is none that exists, or the bytes do not decompress within the limit. */
  BAD_COMPRESSION: 9,
} as const;

export type RecordCheck = (typeof RECORD_CHECK)[keyof typeof RECORD_CHECK];

/** For messages: `TRUNCATED`, `BAD_OFFSET_DELTA`, … */
export function recordCheckName(check: RecordCheck): string {
  for (const [name, value] of Object.entries(RECORD_CHECK)) if (value === check) return name;
  return `${check}`;
}

export interface RecordHeader {
  readonly key: string;
  readonly value: Uint8Array | null;
}

/** A record on its own: copies, so that it outlives the bytes it was read from. */
export interface Record {
  readonly offset: number;
  readonly timestampMs: number;
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly headers: readonly RecordHeader[];
}

/**
 * Walks the records in bytes[start, end): `while (cursor.next()) …`. The fields tell about the record last read; when next()
 * gives false, `check` tells whether the end was reached (OK) or why the next record cannot be read.
 */
export class RecordCursor {
  readonly bytes: Uint8Array;
  readonly end: number;
  check: RecordCheck = RECORD_CHECK.OK;
  /** Records read so far. */
  count = 0;
  /** The record, its length field included, is bytes[recordPosition, recordEnd). */
  recordPosition: number;
  recordEnd: number;
  attributes = 0;
  /** Milliseconds after the batch's base timestamp; rounded where it is no safe integer. */
  timestampDelta = 0;
  offsetDelta = 0;
  keyPosition = 0;
  /** −1 is null. */
  keySizeBytes = -1;
  valuePosition = 0;
  /** −1 is null. */
  valueSizeBytes = -1;
  headerCount = 0;
  /** Where the first header lies; only meaningful with headerCount > 0. */
  headersPosition = 0;
  readonly #reader: VarintReader;

  constructor(bytes: Uint8Array, start: number, end: number) {
    this.bytes = bytes;
    this.end = end;
    this.recordPosition = start;
    this.recordEnd = start;
    this.#reader = new VarintReader(bytes, start, end);
  }

  /** Reads the next record, all of its lengths included; false at the end or where `check` says why. */
  next(): boolean {
    if (this.check !== RECORD_CHECK.OK || this.recordEnd === this.end) return false;
    const check = this.#read();
    this.check = check;
    if (check !== RECORD_CHECK.OK) return false;
    this.count++;
    return true;
  }

  /** A copy of the key. */
  copyKey(): Uint8Array | null {
    return copyBytes(this.bytes, this.keyPosition, this.keySizeBytes);
  }

  /** A copy of the value. */
  copyValue(): Uint8Array | null {
    return copyBytes(this.bytes, this.valuePosition, this.valueSizeBytes);
  }

  /** Copies of the headers, in order; keys may repeat. */
  copyHeaders(): RecordHeader[] {
    const reader = new VarintReader(this.bytes, this.headersPosition, this.recordEnd);
    const headers: RecordHeader[] = [];
    for (let i = 0; i < this.headerCount; i++) {
      const keySizeBytes = reader.readVarint();
      const key = textDecoder.decode(copyBytes(this.bytes, reader.position, keySizeBytes) ?? undefined);
      reader.position += keySizeBytes;
      const valueSizeBytes = reader.readVarint();
      headers.push({ key, value: copyBytes(this.bytes, reader.position, valueSizeBytes) });
      reader.position += Math.max(valueSizeBytes, 0);
    }
    return headers;
  }

  #read(): RecordCheck {
    const reader = this.#reader;
    this.recordPosition = this.recordEnd;
    reader.position = this.recordEnd;
    const sizeBytes = reader.readVarint();
    if (reader.isBad || sizeBytes > this.end - reader.position) return RECORD_CHECK.TRUNCATED;
    if (sizeBytes < 1) return RECORD_CHECK.BAD_LENGTH;
    const recordEnd = reader.position + sizeBytes;
    this.attributes = this.bytes[reader.position++] as number;
    this.timestampDelta = reader.readVarlong();
    this.offsetDelta = reader.readVarint();
    this.keySizeBytes = Math.max(reader.readVarint(), -1);
    this.keyPosition = reader.position;
    reader.skip(this.keySizeBytes);
    this.valueSizeBytes = Math.max(reader.readVarint(), -1);
    this.valuePosition = reader.position;
    reader.skip(this.valueSizeBytes);
    const headerCount = reader.readVarint();
    if (reader.isBad) return RECORD_CHECK.TRUNCATED;
    if (reader.position > recordEnd) return RECORD_CHECK.BAD_LENGTH;
    if (headerCount < 0 || headerCount > recordEnd - reader.position) return RECORD_CHECK.BAD_HEADERS;
    this.headerCount = headerCount;
    this.headersPosition = reader.position;
    for (let i = 0; i < headerCount; i++) {
      const keySizeBytes = reader.readVarint();
      if (keySizeBytes < 0) return RECORD_CHECK.BAD_HEADERS;
      reader.skip(keySizeBytes);
      reader.skip(reader.readVarint());
      if (reader.isBad) return RECORD_CHECK.TRUNCATED;
    }
    if (reader.position !== recordEnd) return RECORD_CHECK.BAD_LENGTH;
    this.recordEnd = recordEnd;
    return RECORD_CHECK.OK;
  }
}

const textDecoder = new TextDecoder();

/** Null below 0. A copy on the JavaScript heap's side, also of shared memory. */
function copyBytes(bytes: Uint8Array, position: number, sizeBytes: number): Uint8Array | null {
  return sizeBytes < 0 ? null : new Uint8Array(bytes.subarray(position, position + sizeBytes));
}
