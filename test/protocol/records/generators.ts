// Arbitrary records and batches for properties, and bytes that compress as real ones do.
import fc from 'fast-check';
import type { BatchOptions, RecordInput } from '../../../src/protocol/records/batch-builder.ts';

const field = fc.option(fc.uint8Array({ maxLength: 300 }));
const header = fc.record({ key: fc.string({ unit: 'grapheme', maxLength: 20 }), value: field });
/** Far enough apart for deltas of either sign and of many lengths, close enough for their differences to be safe. */
const timestampMs = fc.integer({ min: -(2 ** 52), max: 2 ** 52 - 1 });

export const anyRecord: fc.Arbitrary<Required<RecordInput>> = fc.record({
  key: field,
  value: field,
  headers: fc.array(header, { maxLength: 5 }),
  timestampMs,
});

export const anyRecords: fc.Arbitrary<Required<RecordInput>[]> = fc.array(anyRecord, { minLength: 1, maxLength: 30 });

export const anyCompression: fc.Arbitrary<number> = fc.integer({ min: 0, max: 4 });

export const anyBatchOptions: fc.Arbitrary<BatchOptions> = fc.record({
  baseOffset: fc.integer({ min: 0, max: 2 ** 52 }),
  compression: anyCompression,
  producerId: fc.integer({ min: -1, max: 2 ** 52 }),
  producerEpoch: fc.integer({ min: -1, max: 0x7fff }),
  baseSequence: fc.integer({ min: -1, max: 0x7fffffff }),
  isTransactional: fc.boolean(),
});

/** Bytes of words that come again at many distances, with runs and noise between. */
export const compressibleBytes: fc.Arbitrary<Uint8Array> = fc
  .array(
    fc.oneof(
      fc.constantFrom('naru', 'a ferry landing', '\0'.repeat(70), 'shore to shore, '.repeat(9)).map((text) => Buffer.from(text)),
      fc.uint8Array({ maxLength: 80 }),
    ),
    { maxLength: 400 },
  )
  .map((pieces) => new Uint8Array(Buffer.concat(pieces)));

/** The lines that the recorded lz4 frames hold: see test/golden/records/README.md. */
export function ferryLines(): Uint8Array {
  return Buffer.from(Array.from({ length: 3500 }, (_, i) => `line ${i % 97} of ${i} over the ferry landing\n`).join(''));
}

/** The large value of the recorded batches. */
export function ferryValue(): Uint8Array {
  const count = Math.floor(150_000 / 11);
  return Buffer.from(Array.from({ length: count }, (_, i) => `${`${(i * i) % 9973}`.padStart(5, '0')}-ferry`).join(''));
}

/** Runs `body` with native libraries hidden. */
export function withoutNative<T>(body: () => T): T {
  const before = process.env.NARU_NATIVE;
  process.env.NARU_NATIVE = 'off';
  try {
    return body();
  } finally {
    if (before === undefined) delete process.env.NARU_NATIVE;
    else process.env.NARU_NATIVE = before;
  }
}
