// Record batches whose records say who they are.
import { BatchBuilder, type BatchOptions } from '../../src/protocol/records/batch-builder.ts';

const BASE_TIME_MS = 1_700_000_000_000;

/** `count` records with the values `<label>/<first>`, `<label>/<first + 1>`, …, each padded to at least `valueBytes`. */
export function labelled(label: string, first: number, count: number, options: BatchOptions & { valueBytes?: number } = {}): Uint8Array {
  const builder = new BatchBuilder(options);
  for (let i = 0; i < count; i++) {
    const text = `${label}/${first + i}`;
    builder.append({ value: Buffer.from(text.padEnd(options.valueBytes ?? 0, '.')), timestampMs: BASE_TIME_MS + first + i });
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
