// Batches whose records say who they are, and what is checked of batches that come back.
import {
  batchSizeBytes,
  CRC_AT,
  compressionType,
  lastOffset,
  readBaseOffset,
  readBatchLength,
  readLeaderEpoch,
} from '../../../src/protocol/records/batch.ts';
import { BatchBuilder, type BatchOptions } from '../../../src/protocol/records/batch-builder.ts';
import { readRecords } from '../../../src/protocol/records/records.ts';
import { Violation } from './violation.ts';
import type { PartitionModel } from './world.ts';

const BATCH_HEAD_BYTES = 12;

export function buildBatch(values: readonly string[], valueBytes: number, timestampMs: number, options: BatchOptions): Uint8Array {
  const builder = new BatchBuilder(options);
  for (const value of values) builder.append({ value: Buffer.from(value.padEnd(valueBytes, '.')), timestampMs });
  return builder.build();
}

/** A copy with a wrong checksum. */
export function corrupted(batch: Uint8Array): Uint8Array {
  const copy = Uint8Array.from(batch);
  copy[CRC_AT] = (copy[CRC_AT] ?? 0) ^ 0x55;
  return copy;
}

export interface ReadBatch {
  readonly baseOffset: number;
  readonly lastOffset: number;
  readonly leaderEpoch: number;
  readonly values: readonly string[];
}

/**
 * The whole batches in `bytes`, a fetch's answer for `position`: they begin with the one that holds it, follow one another without
 * a gap, end below `highWatermark`, and agree with what the model knows, which learns them.
 */
export function readBatches(model: PartitionModel, bytes: Uint8Array, position: number, highWatermark: number): ReadBatch[] {
  const batches: ReadBatch[] = [];
  let expected = position;
  for (let at = 0; bytes.length - at >= BATCH_HEAD_BYTES; at += batchSizeBytes(bytes, at)) {
    if (readBatchLength(bytes, at) <= 0) throw new Violation(`${model.name}: no batch at byte ${at} of a fetch from offset ${position}`);
    if (at + batchSizeBytes(bytes, at) > bytes.length) break; // Cut by the byte limit.
    const { codec } = model.topic;
    if (codec !== null && compressionType(bytes, at) !== codec)
      throw new Violation(`${model.name}: a batch in codec ${compressionType(bytes, at)}, where ${codec} is asked for`);
    const base = readBaseOffset(bytes, at);
    const last = lastOffset(bytes, at);
    const isNext = at === 0 ? base <= position && position <= last : base === expected;
    if (!isNext) throw new Violation(`${model.name}: a batch of offsets ${base} to ${last} where ${expected} is next`);
    if (last >= highWatermark) throw new Violation(`${model.name}: offset ${last} was given above the high watermark ${highWatermark}`);
    const values = readRecords(bytes, at).map(({ value }) =>
      Buffer.from(value ?? [])
        .toString()
        .replace(/\.+$/, ''),
    );
    for (const [i, value] of values.entries()) {
      if (!value.startsWith(`${model.topic.serial}-${model.index}/`))
        throw new Violation(`${model.name}: holds ${value}, which was sent elsewhere`);
      model.learn(base + i, value, 'read');
    }
    model.learnBatch({ baseOffset: base, lastOffset: last, sizeBytes: batchSizeBytes(bytes, at) });
    batches.push({ baseOffset: base, lastOffset: last, leaderEpoch: readLeaderEpoch(bytes, at), values });
    expected = last + 1;
  }
  if (bytes.length > 0 && batches.length === 0) throw new Violation(`${model.name}: ${bytes.length} bytes and no whole batch among them`);
  return batches;
}
