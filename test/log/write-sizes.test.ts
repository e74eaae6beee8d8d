// What the disk is asked to write at once: all that a turn has for a log, in calls of 64 KiB: docs/decisions/0024-write-sizes.md.
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { FileStorage } from '../../src/log/file-storage.ts';
import type { StorageFile } from '../../src/log/storage.ts';
import { FaultyStorage } from './faulty-storage.ts';
import { batch, openLog, readValues, stage } from './log-fixtures.ts';

const KIB = 1024;
const { writeSync, writevSync } = fs;

let root: string;
let file: StorageFile;
/** Of each call, where it began and how many bytes it was given. */
let calls: [position: number, bytes: number][];
/** What the operating system takes at most in the call of this number, or its refusal. */
let limit: { readonly call: number; readonly bytes: number } | null;

/** The arguments are the system call's; the answer is what it took. */
function take(descriptor: number, position: number, pieces: readonly Uint8Array[]): number {
  const bytes = Buffer.concat(pieces);
  calls.push([position, bytes.length]);
  const room = limit?.call === calls.length ? limit.bytes : bytes.length;
  if (room < 0) throw Object.assign(new Error('no space'), { code: 'ENOSPC' });
  return writeSync(descriptor, bytes, 0, Math.min(room, bytes.length), position);
}

beforeEach(() => {
  root = fs.mkdtempSync(join(tmpdir(), 'naru-writes-'));
  file = new FileStorage().open(`${root}/a.log`, 'create');
  calls = [];
  limit = null;
  Object.assign(fs, {
    writeSync: (descriptor: number, source: Uint8Array, at: number, length: number, position: number) =>
      take(descriptor, position, [source.subarray(at, at + length)]),
    writevSync: (descriptor: number, pieces: readonly Uint8Array[], position: number) => take(descriptor, position, pieces),
  });
  syncBuiltinESMExports();
});

afterEach(() => {
  Object.assign(fs, { writeSync, writevSync });
  syncBuiltinESMExports();
  file.close();
  fs.rmSync(root, { recursive: true });
});

const filled = (length: number, seed: number): Buffer => Buffer.from(Uint8Array.from({ length }, (_, i) => (i * 31 + seed) & 0xff));

function contents(from: number, length: number): Buffer {
  const target = Buffer.alloc(length);
  expect(file.read(target, 0, length, from)).toBe(length);
  return target;
}

describe.each([
  ['one piece', [300_000]],
  ['pieces of 40,000 B', new Array<number>(12).fill(40_000)],
  ['pieces around a call', [1, 65_536, 0, 65_535, 131_150, 7, 70_000]],
])('%s', (_name, lengths) => {
  const pieces = lengths.map((length, seed) => filled(length, seed));
  const whole = Buffer.concat(pieces);
  const write = (position: number): number =>
    pieces.length === 1 ? file.write(whole, 0, whole.length, position) : file.writeGathered(pieces, position);

  test.each([0, 1, 65_535, 100_000])(
    'from %i, in calls that end at multiples of 64 KiB, and no more of them than that takes',
    (position) => {
      expect(write(position)).toBe(whole.length);
      const end = position + whole.length;
      for (const [from, bytes] of calls.slice(0, -1)) {
        expect(bytes).toBeLessThanOrEqual(64 * KIB);
        expect((from + bytes) % (64 * KIB)).toBe(0);
      }
      expect(calls.at(-1)?.[1]).toBeLessThanOrEqual(64 * KIB);
      expect(calls.length).toBeLessThanOrEqual(Math.ceil(end / (64 * KIB)) - Math.floor(position / (64 * KIB)));
      expect(contents(position, whole.length)).toEqual(whole);
    },
  );

  test.each([2, 3])('what a call in the middle does not take ends the write: call %i', (call) => {
    limit = { call, bytes: 1000 };
    const count = write(5);
    expect(count).toBe(calls.slice(0, -1).reduce((sum, [, bytes]) => sum + bytes, 0) + 1000);
    expect(calls).toHaveLength(call);
    expect(contents(5, count)).toEqual(whole.subarray(0, count));
  });

  test('a refusal in the middle tells what was taken before it; one at the beginning is thrown', () => {
    limit = { call: 2, bytes: -1 };
    expect(write(5)).toBe(64 * KIB - 5);
    calls = [];
    limit = { call: 1, bytes: -1 };
    expect(() => write(5)).toThrow(/ENOSPC/);
  });
});

test('up to 64 KiB are one call, wherever they begin', () => {
  expect(file.writeGathered([filled(30_000, 1), filled(35_536, 2)], 40_000)).toBe(65_536);
  expect(file.write(filled(65_536, 3), 0, 65_536, 40_000)).toBe(65_536);
  expect(calls).toHaveLength(2);
});

test('what a turn stages for a log leaves in one write, whatever number of batches that is; where a segment begins, there is one for each', () => {
  const storage = new FaultyStorage();
  const log = openLog({ storage });
  const stageMany = (count: number): void => {
    for (let i = 0; i < count; i++) expect(stage(log, batch({ values: [`value ${i}`] })).error).toBe(0);
  };
  for (const count of [1, 2, 500]) {
    const before = storage.counts.writes;
    stageMany(count);
    expect(storage.counts.writes).toBe(before);
    log.writeStaged();
    expect(storage.counts.writes).toBe(before + 1);
  }
  expect(readValues(log)).toHaveLength(503);
  // Larger than what is copied together: they are gathered by the call itself.
  const before = storage.counts.writes;
  for (let i = 0; i < 20; i++) stage(log, batch({ values: ['x'.repeat(20_000)] }));
  stageMany(20);
  log.writeStaged();
  expect(storage.counts.writes).toBe(before + 1);
  log.closeFiles();
});

test('many small batches of one turn are as few calls of the operating system as their bytes take', () => {
  const log = openLog({ storage: new FileStorage(), directory: `${root}/topic-0` });
  calls = [];
  for (let i = 0; i < 500; i++) stage(log, batch({ values: [`value ${i}`] }));
  log.writeStaged();
  const bytes = log.liveSegmentSizeBytes;
  expect(bytes).toBeGreaterThan(500 * 60);
  expect(calls.reduce((sum, [, length]) => sum + length, 0)).toBe(bytes);
  expect(calls).toHaveLength(Math.ceil(bytes / (64 * KIB)));
  log.closeFiles();
});
