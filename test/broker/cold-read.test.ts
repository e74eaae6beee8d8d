// Old records that are not in the page cache: read in the pool, never on the loop, and other connections do not wait for them.
import { spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { ByteReader } from '../../src/base/byte-reader.ts';
import { MIB } from '../../src/base/units.ts';
import { BEGUN } from '../../src/broker/fetch-answer.ts';
import { createSegmentReader, type SegmentReader } from '../../src/broker/segment-reader.ts';
import { rangeCached } from '../../src/native/range-cached.ts';
import { fetchResponse } from '../../src/protocol/apis/fetch.ts';
import { codec } from '../../src/protocol/compile.ts';
import { createLocalRuntime } from '../../src/scheduler/worker-runtime.ts';
import { answerRequest, twoRanges } from '../support/two-ranges.ts';

const directory = mkdtempSync(join(process.cwd(), 'node_modules/.cold-')); // Beside the sources: a disk where /tmp may be memory.
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const TMPFS_MAGIC = 0x01021994;

function until(condition: () => boolean): Promise<void> {
  return new Promise((done) => {
    const look = (): void => void (condition() ? done() : setTimeout(look, 2));
    look();
  });
}

function recordsOf(replyBytes: Buffer): Buffer[] {
  const response = codec(fetchResponse, 11).decode(new ByteReader(replyBytes));
  return response.responses.flatMap((topic) =>
    topic.partitions.map(({ records }) => {
      const range = records as { position: number; length: number };
      return Buffer.from(replyBytes.subarray(range.position, range.position + range.length));
    }),
  );
}

describe('a fetch of a cold range', () => {
  it.each([
    ['its owner', false],
    ['a lease, for a consumer that comes back to the tail after a while', true],
  ])('is never read on the loop, and its answer waits for the pool, planned by %s', async (_by, isLeased) => {
    const runtime = createLocalRuntime({ sharedBytes: 64, onFailure: (error) => expect.unreachable(String(error)) });
    runtime.open({ onControl() {}, onSupervisor() {}, onConnection() {}, stop: (done) => done() });
    const real = createSegmentReader(runtime);
    const isCold = (position: number): boolean => position >= 2 * MIB;
    const reader: SegmentReader = {
      ...real,
      isCached: (_descriptor, position) => !isCold(position),
      readNow: (file, target, at, length, position) => {
        if (isCold(position)) throw new Error('a cold range was read on the loop');
        return real.readNow(file, target, at, length, position);
      },
    };
    const { bytes, descriptor, answer, words } = twoRanges(directory, 'throws', reader, { isLeased });
    const asked = answerRequest();
    expect(answer.begin(asked as never)).toBe(BEGUN);
    let isWhole: boolean | null = null;
    answer.read(asked.replyBytes, (whole) => {
      isWhole = whole;
    });
    expect(isWhole).toBeNull();
    expect([words.hasReaders(0), words.hasReaders(1)]).toEqual([true, true]);
    await until(() => isWhole !== null);
    expect(isWhole).toBe(true);
    expect([words.hasReaders(0), words.hasReaders(1)]).toEqual([false, false]);
    expect(recordsOf(asked.replyBytes)).toEqual([bytes.subarray(0, MIB), bytes.subarray(2 * MIB, 3 * MIB)]);
    runtime.close();
    closeSync(descriptor);
  });

  it('is not looked for in what was written while the fetch waited for it', () => {
    const runtime = createLocalRuntime({ sharedBytes: 64, onFailure: (error) => expect.unreachable(String(error)) });
    const real = createSegmentReader(runtime);
    const reader: SegmentReader = { ...real, isCached: () => expect.unreachable('asked for what is there') };
    const { descriptor, answer } = twoRanges(directory, 'new', reader, { isLeased: true, isNew: true, length: MIB / 4 });
    const asked = answerRequest();
    expect(answer.begin(asked as never)).toBe(BEGUN);
    const ends: boolean[] = [];
    answer.read(asked.replyBytes, (isWhole) => ends.push(isWhole));
    expect(ends).toEqual([true]);
    runtime.close();
    closeSync(descriptor);
  });

  it('may begin in the middle of one that was in the page cache: what is large is read in shares, each looked at anew', async () => {
    const runtime = createLocalRuntime({ sharedBytes: 64, onFailure: (error) => expect.unreachable(String(error)) });
    runtime.open({ onControl() {}, onSupervisor() {}, onConnection() {}, stop: (done) => done() });
    const real = createSegmentReader(runtime);
    let isEvicted = false;
    const reads: { turn: number; position: number; length: number }[] = [];
    const later: { position: number; length: number }[] = [];
    const reader: SegmentReader = {
      ...real,
      isCached: (_descriptor, position) => !isEvicted || position < 2 * MIB,
      readNow: (file, target, at, length, position) => {
        reads.push({ turn: runtime.loop.turnCount, position, length });
        if (position >= 2 * MIB) isEvicted = true;
        return real.readNow(file, target, at, length, position);
      },
      readLater: (file, target, at, length, position, done) => {
        later.push({ position, length });
        real.readLater(file, target, at, length, position, done);
      },
    };
    const { bytes, descriptor, answer, words } = twoRanges(directory, 'shares', reader);
    const asked = answerRequest();
    expect(answer.begin(asked as never)).toBe(BEGUN);
    let isWhole: boolean | null = null;
    answer.read(asked.replyBytes, (whole) => {
      isWhole = whole;
    });
    expect([isWhole, reads.length]).toEqual([null, 1]);
    await until(() => isWhole !== null);
    expect(isWhole).toBe(true);
    expect([words.hasReaders(0), words.hasReaders(1)]).toEqual([false, false]);
    expect(recordsOf(asked.replyBytes)).toEqual([bytes.subarray(0, MIB), bytes.subarray(2 * MIB, 3 * MIB)]);
    // Nothing twice, nothing left out; no two shares in one turn, and none is more than half a MiB.
    const all = [...reads, ...later].map(({ position, length }) => [position, position + length]);
    const covered = all.reduce((sum, [from = 0, to = 0]) => sum + to - from, 0);
    expect([covered, later.length]).toEqual([2 * MIB, 1]);
    expect(new Set(reads.map(({ turn }) => turn)).size).toBeGreaterThanOrEqual(reads.length - 1);
    expect(Math.max(...reads.map(({ length }) => length))).toBeLessThanOrEqual(MIB / 2);
    runtime.close();
    closeSync(descriptor);
  });

  it('is known by asking the kernel', (context) => {
    if (process.platform !== 'linux' || statfsSync(directory).type === TMPFS_MAGIC) return context.skip('needs a disk of Linux');
    const isCached = rangeCached();
    if (isCached === null) return context.skip('preadv2 does not answer here');
    const { path, descriptor } = twoRanges(directory, 'evicted');
    expect(isCached(descriptor, 0, 4 * MIB)).toBe(true);
    // GNU dd asks the kernel to drop the file's pages once they are on the disk.
    const evicted = spawnSync('dd', [`of=${path}`, 'oflag=nocache', 'conv=notrunc,fdatasync', 'count=0']);
    if (evicted.status !== 0) return context.skip('this dd cannot evict');
    if (isCached(descriptor, 0, 4 * MIB) === null) return context.skip('this file system cannot tell');
    expect(isCached(descriptor, 0, 4 * MIB)).toBe(false);
    // What lies behind it counts as cold, though it is there again by then.
    const runtime = createLocalRuntime({ sharedBytes: 64, onFailure: () => {} });
    const reader = createSegmentReader(runtime);
    expect(reader.isCached(descriptor, MIB, MIB, 0)).toBe(false);
    readFileSync(path);
    expect(isCached(descriptor, 0, 4 * MIB)).toBe(true);
    expect([0, MIB, 2 * MIB].map((position) => reader.isCached(descriptor, position, MIB, 0))).toEqual([true, false, false]);
    runtime.close();
    closeSync(descriptor);
  });

  it('is expected behind a read that took long, in a file that is cold a stretch farther on', (context) => {
    let nowMs = 0;
    let readMs = 0.1;
    const clock = { wallMs: () => nowMs, monotonicMs: () => (nowMs += readMs) };
    const runtime = createLocalRuntime({ sharedBytes: 64, clock, onFailure: () => {} });
    const path = join(directory, 'slow');
    const sizeBytes = 40 * MIB;
    writeFileSync(path, Buffer.alloc(sizeBytes, 1));
    const descriptor = openSync(path, 'r');
    const isCached = rangeCached();
    if (isCached?.(descriptor, 0, sizeBytes) !== true) return context.skip('the kernel does not tell what it has here');
    const target = new Uint8Array(MIB);
    const coldAfterRead = (): number[] => {
      const reader = createSegmentReader(runtime);
      expect(reader.readNow(descriptor, target, 0, MIB, MIB)).toBe(MIB);
      return [0, MIB, 2 * MIB, 3 * MIB].filter((position) => !reader.isCached(descriptor, position, MIB, 0));
    };
    expect(coldAfterRead()).toEqual([]);
    readMs = 1;
    expect(coldAfterRead()).toEqual([]); // All of it is there: the thread lost its core.
    const evicted = spawnSync('dd', [`of=${path}`, 'oflag=nocache', 'conv=notrunc,fdatasync', 'count=0', 'bs=1M', 'seek=32']);
    if (evicted.status !== 0 || isCached(descriptor, 0, 8 * MIB) !== true || isCached(descriptor, 33 * MIB, 6 * MIB) !== false)
      return context.skip('this dd cannot evict a part');
    expect(coldAfterRead()).toEqual([2 * MIB, 3 * MIB]);
    readMs = 0.1;
    expect(coldAfterRead()).toEqual([]);
    runtime.close();
    closeSync(descriptor);
  });

  it('is guessed from its distance to the end where nobody can tell', () => {
    const runtime = createLocalRuntime({ sharedBytes: 64, onFailure: () => {} });
    const reader = createSegmentReader(runtime);
    const never = 1 << 30; // No open file: the kernel cannot tell.
    expect(reader.isCached(never, 0, 1, MIB)).toBe(true);
    expect(reader.isCached(never, 0, 1, 1024 * MIB)).toBe(false);
    expect(reader.isCached(never, 0, 1, Number.POSITIVE_INFINITY)).toBe(false);
    runtime.close();
  });
});
