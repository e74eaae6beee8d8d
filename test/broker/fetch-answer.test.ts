// An answer that does not come to be leaves nothing behind: as long as a read is entered, its file is kept open.
import { closeSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { BEGUN, NO_MEMORY, PLAN_IS_VOID } from '../../src/broker/fetch-answer.ts';
import { createSegmentReader } from '../../src/broker/segment-reader.ts';
import { createLocalRuntime } from '../../src/scheduler/worker-runtime.ts';
import { answerRequest, twoRanges } from '../support/two-ranges.ts';

const NO_ROOM = -1;
const runtime = createLocalRuntime({ sharedBytes: 64, onFailure: (error) => expect.unreachable(String(error)) });
let directory: string;
let fetch: ReturnType<typeof twoRanges>;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'naru-answer-'));
  fetch = twoRanges(directory, 'records', createSegmentReader(runtime));
});

afterEach(() => {
  closeSync(fetch.descriptor);
  rmSync(directory, { recursive: true });
});

const readers = (): boolean[] => [fetch.words.hasReaders(0), fetch.words.hasReaders(1)];

test('one that has begun keeps the files of its ranges open', () => {
  expect(fetch.answer.begin(answerRequest() as never)).toBe(BEGUN);
  expect(readers()).toEqual([true, true]);
});

test('one that finds no memory keeps none', () => {
  expect(fetch.answer.begin(answerRequest(NO_ROOM) as never)).toBe(NO_MEMORY);
  expect(readers()).toEqual([false, false]);
});

test('one whose second partition went away after the plan keeps that of the first no longer', () => {
  fetch.words.raiseStateVersion(1);
  expect(fetch.answer.begin(answerRequest() as never)).toBe(PLAN_IS_VOID);
  expect(readers()).toEqual([false, false]);
});
