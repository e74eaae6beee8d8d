// Why a batch was refused, on its way from the partition's owner back to the connection: as text in the bytes of the batch itself,
// which nobody needs any more. So a refusal of any length costs the rings nothing.
// Invariant: nothing is written outside the batch; what does not fit is left out.
// Pure.
import type { AppendResult, RecordError } from '../log/append-result.ts';

export interface Refusal {
  readonly errorMessage: string | null;
  readonly recordErrors: readonly RecordError[];
}

export const NO_REFUSAL: Refusal = { errorMessage: null, recordErrors: [] };

/** Writes the result's texts over the batch; returns how many bytes they take, for readRefusal. */
export function writeRefusal(result: AppendResult, bytes: Uint8Array, position: number, length: number): number {
  const { errorMessage, recordErrors } = result;
  if (errorMessage === null && recordErrors.length === 0) return 0;
  const lines = [errorMessage ?? '', ...recordErrors.map((error) => `${error.batchIndex}\t${error.message}`)];
  const whole = Buffer.from(lines.join('\n'));
  const fitting = whole.length <= length ? whole : whole.subarray(0, Math.max(0, whole.lastIndexOf(0x0a, length)));
  bytes.set(fitting, position);
  return fitting.length;
}

export function readRefusal(bytes: Uint8Array, position: number, sizeBytes: number): Refusal {
  if (sizeBytes === 0) return NO_REFUSAL;
  const [errorMessage = '', ...errors] = Buffer.from(bytes.subarray(position, position + sizeBytes))
    .toString()
    .split('\n');
  return {
    errorMessage: errorMessage === '' ? null : errorMessage,
    recordErrors: errors.map((line) => {
      const tab = line.indexOf('\t');
      return { batchIndex: Number(line.slice(0, tab)), message: line.slice(tab + 1) };
    }),
  };
}
