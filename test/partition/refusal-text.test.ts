// The text of a refusal comes back as it was written, stays inside its batch, and names the records where anything fits.
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { createAppendResult } from '../../src/log/append-result.ts';
import { REJECTED, readRefusal, writeRefusal } from '../../src/partition/refusal-text.ts';

const refusal = (errorMessage: string | null, recordErrors: { batchIndex: number; message: string }[]) => ({
  ...createAppendResult(),
  error: 87,
  errorMessage,
  recordErrors,
});
const words = fc.constantFrom('One or more records have been rejected', 'no key', 'Timestamp 5 is out of range');
const errors = fc
  .uniqueArray(fc.nat(200), { maxLength: 60 })
  .chain((indexes) => fc.tuple(...indexes.sort((a, b) => a - b).map((batchIndex) => words.map((message) => ({ batchIndex, message })))));

it('comes back as it was written where there is room', () => {
  fc.assert(
    fc.property(fc.option(words, { nil: null }), errors, (errorMessage, recordErrors) => {
      const bytes = new Uint8Array(10_000);
      const length = writeRefusal(refusal(errorMessage, recordErrors), bytes, 100, 9000);
      expect(readRefusal(bytes, 100, length)).toEqual({
        errorMessage: errorMessage ?? (recordErrors.length > 0 ? REJECTED : null),
        recordErrors,
      });
    }),
  );
});

it('writes nothing outside of the batch, and keeps the indexes before the texts', () => {
  fc.assert(
    fc.property(words, errors, fc.integer({ min: 12, max: 400 }), (errorMessage, recordErrors, room) => {
      const bytes = new Uint8Array(1000).fill(0xee);
      const length = writeRefusal(refusal(errorMessage, recordErrors), bytes, 50, room);
      expect(length).toBeLessThanOrEqual(room);
      expect(bytes.subarray(0, 50).every((byte) => byte === 0xee)).toBe(true);
      expect(bytes.subarray(50 + length).every((byte) => byte === 0xee)).toBe(true);
      const read = readRefusal(bytes, 50, length);
      expect(read.errorMessage === REJECTED || errorMessage.startsWith(read.errorMessage ?? '')).toBe(true);
      const isNamed = read.recordErrors.length > 0;
      if (isNamed) expect(read.recordErrors.map((error) => error.batchIndex)).toEqual(recordErrors.map((error) => error.batchIndex));
      else expect(recordErrors.length === 0 || room < recordErrors.length * 4 + 2).toBe(true);
    }),
  );
});

it('leaves out the message before what is wrong with the records', () => {
  const bytes = new Uint8Array(68); // One record with a byte in it.
  const recordErrors = [{ batchIndex: 0, message: 'Compacted topic cannot accept message without key' }];
  const length = writeRefusal(
    refusal('One or more records have been rejected due to 1 record errors in total', recordErrors),
    bytes,
    0,
    68,
  );
  expect(readRefusal(bytes, 0, length)).toEqual({ errorMessage: REJECTED, recordErrors });
});
