// Record batches whose records say who they are.
import { BatchBuilder, type BatchOptions } from '../../src/protocol/records/batch-builder.ts';

/** The timestamp of record 0, a millisecond more for each of the next 9,999: of today, since a broker forgets the producers of old records. */
export const BASE_TIME_MS = Date.now() - 60_000;

/** `count` records with the values `<label>/<first>`, `<label>/<first + 1>`, …, each padded to at least `valueBytes`. */
export function labelled(label: string, first: number, count: number, options: BatchOptions & { valueBytes?: number } = {}): Uint8Array {
  const builder = new BatchBuilder(options);
  for (let i = 0; i < count; i++) {
    const text = `${label}/${first + i}`;
    builder.append({ value: Buffer.from(text.padEnd(options.valueBytes ?? 0, '.')), timestampMs: BASE_TIME_MS + ((first + i) % 10_000) });
  }
  return builder.build();
}

/** The labels of records as `labelled` made them, without padding. */
export function labels(records: readonly { readonly value: Uint8Array | null }[]): string[] {
  return records.map(({ value }) => (value === null ? 'null' : Buffer.from(value).toString().replace(/\.+$/, '')));
}

export function range(label: string, first: number, count: number): string[] {
  return Array.from({ length: count }, (_, i) => `${label}/${first + i}`);
}
