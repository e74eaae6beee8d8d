// Why a batch was refused, on its way from the partition's owner back to the connection: as text in the bytes of the batch itself,
// which nobody needs any more. So a refusal of any length costs the rings nothing.
// First line: the message. Each further line: which records (`0-2,7`), a tab, and what is wrong with them.
// Invariant: nothing is written outside the batch. What does not fit is left out: the message first, then what is wrong with the records,
// and which records are at fault last: producers drop those and send the others again.
// Pure.
import type { AppendResult, RecordError } from '../log/append-result.ts';

export interface Refusal {
  readonly errorMessage: string | null;
  readonly recordErrors: readonly { readonly batchIndex: number; readonly message: string | null }[];
}

export const NO_REFUSAL: Refusal = { errorMessage: null, recordErrors: [] };

/** Of a batch whose own message had no room beside what is wrong with its records. */
export const REJECTED = 'One or more records have been rejected';

/** Writes the result's texts over the batch; returns how many bytes they take, for readRefusal. */
export function writeRefusal(result: AppendResult, bytes: Uint8Array, position: number, length: number): number {
  const { errorMessage, recordErrors } = result;
  if (errorMessage === null && recordErrors.length === 0) return 0;
  const text = Buffer.from(longestThatFits(errorMessage ?? '', recordErrors, length)).subarray(0, length);
  bytes.set(text, position);
  return text.length;
}

function longestThatFits(errorMessage: string, recordErrors: readonly RecordError[], length: number): string {
  if (recordErrors.length === 0) return errorMessage;
  const byMessage = new Map<string, number[]>();
  for (const { batchIndex, message } of recordErrors) {
    const indexes = byMessage.get(message);
    if (indexes === undefined) byMessage.set(message, [batchIndex]);
    else indexes.push(batchIndex);
  }
  const faults = [...byMessage].map(([message, indexes]) => `\n${runs(indexes)}\t${message}`).join('');
  if (Buffer.byteLength(errorMessage + faults) <= length) return errorMessage + faults;
  if (Buffer.byteLength(faults) <= length) return faults; // They say it in other words.
  const indexesAlone = `\n${runs(recordErrors.map((error) => error.batchIndex))}\t`;
  const room = length - indexesAlone.length;
  return room < 0 ? errorMessage : Buffer.from(errorMessage).subarray(0, room).toString('latin1') + indexesAlone;
}

export function readRefusal(bytes: Uint8Array, position: number, sizeBytes: number): Refusal {
  if (sizeBytes === 0) return NO_REFUSAL;
  const [errorMessage = '', ...lines] = Buffer.from(bytes.subarray(position, position + sizeBytes))
    .toString()
    .split('\n');
  const recordErrors = lines.flatMap((line) => {
    const tab = line.indexOf('\t');
    const message = line.slice(tab + 1);
    return indexesOf(line.slice(0, tab)).map((batchIndex) => ({ batchIndex, message: message === '' ? null : message }));
  });
  return {
    errorMessage: errorMessage !== '' ? errorMessage : recordErrors.length > 0 ? REJECTED : null,
    recordErrors: recordErrors.sort((a, b) => a.batchIndex - b.batchIndex),
  };
}

/** Rising indexes, runs of them as `first-last`. */
function runs(indexes: readonly number[]): string {
  const parts: string[] = [];
  for (let from = 0; from < indexes.length; ) {
    let to = from;
    while (indexes[to + 1] === (indexes[to] as number) + 1) to++;
    parts.push(to === from ? `${indexes[from]}` : `${indexes[from]}-${indexes[to]}`);
    from = to + 1;
  }
  return parts.join(',');
}

function indexesOf(text: string): number[] {
  return text.split(',').flatMap((part) => {
    const [first = 0, last = first] = part.split('-').map(Number);
    return Array.from({ length: last - first + 1 }, (_, i) => first + i);
  });
}
