// Batches that a client should not send, or hardly ever does: asked of Apache Kafka once, and of us in every test run.
import {
  ATTRIBUTES_AT,
  BASE_TIMESTAMP_AT,
  BATCH_LENGTH_AT,
  COMPRESSION,
  LAST_OFFSET_DELTA_AT,
  MAGIC_AT,
  MAX_TIMESTAMP_AT,
  RECORD_COUNT_AT,
  recomputeCrc,
  writeBaseOffset,
  writeLeaderEpoch,
} from '../../src/protocol/records/batch.ts';
import { batch } from './log-fixtures.ts';

export interface ProduceCase {
  readonly name: string;
  /** plain (max.message.bytes=2000), comp (compacted), lat (LogAppendTime). */
  readonly topic: 'plain' | 'comp' | 'lat';
  readonly records: Uint8Array;
}

type Change = (bytes: Buffer) => void;

/** Beyond what a number holds. */
function stampFar(bytes: Buffer): void {
  bytes.writeBigInt64BE(2n ** 60n, MAX_TIMESTAMP_AT);
  bytes.writeBigInt64BE(2n ** 60n, BASE_TIMESTAMP_AT);
}

/** Several sets in a row for one producer are cases of their own, in order. */
export function produceCases(nowMs: number, producerId: number): ProduceCase[] {
  const good = (): Uint8Array => batch({ values: ['a', 'b'], timestampMs: nowMs });
  const changed = (change: Change, bytes = good()): Uint8Array => {
    change(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length));
    recomputeCrc(bytes, 0);
    return bytes;
  };
  const raw = (change: Change, bytes = good()): Uint8Array => {
    change(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length));
    return bytes;
  };
  const sent = (baseSequence: number, count = 1, producerEpoch = 1): Uint8Array =>
    batch({ values: Array.from({ length: count }, (_, i) => `s${i}`), timestampMs: nowMs, producerId, producerEpoch, baseSequence });
  const plain = (name: string, records: Uint8Array): ProduceCase => ({ name, topic: 'plain', records });
  return [
    plain('good', good()),
    plain('empty', new Uint8Array(0)),
    plain('11 bytes', good().subarray(0, 11)),
    plain('16 bytes', good().subarray(0, 16)),
    plain('one byte missing', good().subarray(0, good().length - 1)),
    plain('one byte too many', Buffer.concat([good(), Buffer.alloc(1)])),
    plain('17 zeros too many', Buffer.concat([good(), Buffer.alloc(17)])),
    plain('two batches', Buffer.concat([good(), good()])),
    plain(
      'length 13',
      raw((bytes) => bytes.writeInt32BE(13, BATCH_LENGTH_AT)),
    ),
    plain(
      'length -1',
      raw((bytes) => bytes.writeInt32BE(-1, BATCH_LENGTH_AT)),
    ),
    plain('length 30', raw((bytes) => bytes.writeInt32BE(30, BATCH_LENGTH_AT)).subarray(0, 42)),
    plain(
      'magic 0',
      raw((bytes) => bytes.writeInt8(0, MAGIC_AT)),
    ),
    plain(
      'magic 1',
      raw((bytes) => bytes.writeInt8(1, MAGIC_AT)),
    ),
    plain(
      'magic 3',
      raw((bytes) => bytes.writeInt8(3, MAGIC_AT)),
    ),
    plain(
      'magic -1',
      raw((bytes) => bytes.writeInt8(-1, MAGIC_AT)),
    ),
    plain(
      'bad checksum',
      raw((bytes) => bytes.writeInt8(99, bytes.length - 1)),
    ),
    plain(
      'base offset 5',
      raw((bytes) => writeBaseOffset(bytes, 0, 5)),
    ),
    plain(
      'leader epoch 9',
      raw((bytes) => writeLeaderEpoch(bytes, 0, 9)),
    ),
    plain(
      'count 3',
      changed((bytes) => bytes.writeInt32BE(3, RECORD_COUNT_AT)),
    ),
    plain(
      'count 0',
      changed((bytes) => bytes.writeInt32BE(0, RECORD_COUNT_AT)),
    ),
    plain(
      'count -1',
      changed((bytes) => bytes.writeInt32BE(-1, RECORD_COUNT_AT)),
    ),
    plain(
      'last offset delta 5',
      changed((bytes) => bytes.writeInt32BE(5, LAST_OFFSET_DELTA_AT)),
    ),
    plain(
      'last offset delta -1',
      changed((bytes) => bytes.writeInt32BE(-1, LAST_OFFSET_DELTA_AT)),
    ),
    plain('control batch', batch({ values: ['a'], timestampMs: nowMs, isControl: true })),
    plain('sequence -1 with a producer id', batch({ values: ['a'], timestampMs: nowMs, producerId, producerEpoch: 1, baseSequence: -1 })),
    plain('too large', batch({ values: ['x'.repeat(2500)], timestampMs: nowMs })),
    ...[5, 6, 7].map((type) =>
      plain(
        `compression type ${type}`,
        changed((bytes) => bytes.writeInt16BE(type, ATTRIBUTES_AT)),
      ),
    ),
    plain(
      'gzip that is none',
      changed((bytes) => bytes.writeInt16BE(COMPRESSION.GZIP, ATTRIBUTES_AT)),
    ),
    plain('stamped as by a broker', batch({ values: ['a'], timestampMs: nowMs, logAppendTimeMs: nowMs })),
    { name: 'stamped as by a broker', topic: 'lat', records: batch({ values: ['a'], timestampMs: nowMs, logAppendTimeMs: nowMs }) },
    { name: 'an old timestamp', topic: 'lat', records: batch({ values: ['a'], timestampMs: 5 }) },
    plain('timestamp 0', batch({ values: ['a'], timestampMs: 0 })),
    plain('no timestamp', batch({ values: ['a'], timestampMs: -1 })),
    plain('two hours ahead', batch({ values: ['a'], timestampMs: nowMs + 7_200_000 })),
    plain('timestamps of 2^60', changed(stampFar)),
    { name: 'no key', topic: 'comp', records: good() },
    { name: 'no key, gzip', topic: 'comp', records: batch({ values: ['a', 'b'], timestampMs: nowMs, compression: COMPRESSION.GZIP }) },
    { name: 'with keys', topic: 'comp', records: batch({ values: ['a', 'b'], timestampMs: nowMs, key: 'k' }) },
    plain(
      'transactional without a transaction',
      batch({ values: ['a'], timestampMs: nowMs, producerId: producerId + 1, producerEpoch: 0, baseSequence: 0, isTransactional: true }),
    ),
    plain('an unknown producer at sequence 3', sent(3, 2)),
    plain('the next one', sent(5, 2)),
    plain('the same again', sent(5, 2)),
    plain('the one before again', sent(3, 2)),
    plain('a part of it', sent(5, 1)),
    plain('a gap', sent(9)),
    plain('going on', sent(7)),
    plain('an older epoch', sent(8, 1, 0)),
    plain('a newer epoch at sequence 4', sent(4, 1, 2)),
    plain('a newer epoch at sequence 0', sent(0, 1, 2)),
    plain('the old epoch after it', sent(8)),
  ];
}
