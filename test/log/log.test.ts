// The log as its owner sees it: stage, write, plan, find, cut, delete. On both storages.
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { readDescriptor } from '../../src/log/file-storage.ts';
import { createReadPlan, InconsistentTopicIdError, type Log } from '../../src/log/log.ts';
import type { Storage } from '../../src/log/storage.ts';
import { ERROR } from '../../src/protocol/errors.ts';
import { readBaseOffset, readLeaderEpoch, verifyCrc } from '../../src/protocol/records/batch.ts';
import { readAllRecords } from '../../src/protocol/records/records.ts';
import {
  append,
  appendValues,
  batch,
  NOW_MS,
  type OpenShape,
  openLog,
  readValues,
  stage,
  storageCases,
  wholeFile,
} from './log-fixtures.ts';

describe.each(storageCases)('a log in $name', ({ make }) => {
  let storage: Storage;
  let root: string;
  let dispose: () => void;
  let directory: string;
  const opened: Log[] = [];
  beforeEach(() => {
    ({ storage, root, dispose } = make());
    directory = `${root}/topic-0`;
  });
  afterEach(() => {
    for (const log of opened.splice(0)) log.closeFiles();
    dispose();
  });

  function open(shape: OpenShape = {}): Log {
    const log = openLog({ storage, directory, ...shape });
    opened.push(log);
    return log;
  }

  test('a new one has its topic id before the first batch, and two empty indexes', () => {
    const log = open();
    expect(storage.list(directory).sort()).toEqual([
      '00000000000000000000.index',
      '00000000000000000000.log',
      '00000000000000000000.timeindex',
      'partition.metadata',
    ]);
    expect([log.logStartOffset, log.stagedEnd, log.writtenEnd, log.recoveryPoint]).toEqual([0, 0, 0, 0]);
    expect(wholeFile(storage, `${directory}/00000000000000000000.index`)).toHaveLength(10_485_760);
    expect(wholeFile(storage, `${directory}/00000000000000000000.timeindex`)).toHaveLength(10_485_756);
  });

  test('the directory of another topic of the same name is refused', () => {
    open().close({ clean: true });
    expect(() => open({ topicId: 'kD7_Pcu6S_CcbZIIfoEV7w' })).toThrow(InconsistentTopicIdError);
  });

  test('staging assigns offset and epoch in place; nothing is to be read before it is written', () => {
    const log = open();
    const one = batch({ values: ['a', 'b'] });
    const two = batch({ values: ['c'] });
    expect(stage(log, one, { epoch: 7 })).toMatchObject({ error: 0, baseOffset: 0, lastOffset: 1, logAppendTimeMs: -1 });
    expect(stage(log, two, { epoch: 7 })).toMatchObject({ baseOffset: 2, lastOffset: 2 });
    expect([readBaseOffset(two, 0), readLeaderEpoch(two, 0)]).toEqual([2, 7]);
    expect([log.stagedEnd, log.writtenEnd]).toEqual([3, 0]);
    const plan = createReadPlan();
    log.planRead(0, 1000, 3, true, plan);
    expect([plan.error, plan.length]).toEqual([0, 0]);
    log.writeStaged();
    expect(log.writtenEnd).toBe(3);
    expect(wholeFile(storage, `${directory}/00000000000000000000.log`)).toEqual(Uint8Array.from([...one, ...two]));
    expect(log.epochEndOffset(7)).toEqual({ leaderEpoch: 7, endOffset: 3 });
  });

  test('what was refused leaves no trace', () => {
    const log = open();
    appendValues(log, 'a');
    const bad = batch();
    bad[70] = 0xff;
    expect(stage(log, bad)).toMatchObject({ error: ERROR.CORRUPT_MESSAGE, baseOffset: -1, lastOffset: -1 });
    log.writeStaged();
    expect(log.stagedEnd).toBe(1);
    appendValues(log, 'b');
    expect(readValues(log)).toEqual([
      [0, 'a'],
      [1, 'b'],
    ]);
  });

  test('small and large batches of one turn leave in order', () => {
    const log = open();
    const sizes = [10, 20_000, 30, 40, 300_000, 17_000, 5, 16_300, 16_300, 900_000, 7];
    const many = [...sizes, ...Array.from({ length: 600 }, (_, i) => 900 + (i % 7))];
    for (const [i, size] of many.entries()) expect(stage(log, batch({ values: [`${i}:`.padEnd(size, 'x')] })).error).toBe(0);
    log.writeStaged();
    const values = readValues(log, 0, 100_000);
    expect(values.map(([offset, value]) => [offset, value.length])).toEqual(many.map((size, i) => [i, Math.max(size, `${i}:`.length)]));
    expect(values.every(([offset, value]) => value.startsWith(`${offset}:`))).toBe(true);
  });

  test('LogAppendTime is stamped by the broker, inside the checksum', () => {
    const log = open({ config: { isLogAppendTime: true } });
    const bytes = batch({ values: ['a', 'b'], timestampMs: 5 });
    expect(append(log, bytes, { nowMs: NOW_MS + 9 })).toMatchObject({ error: 0, logAppendTimeMs: NOW_MS + 9 });
    expect(verifyCrc(bytes, 0)).toBe(true);
    const stored = wholeFile(storage, `${directory}/00000000000000000000.log`);
    expect(readAllRecords(stored).map((record) => record.timestampMs)).toEqual([NOW_MS + 9, NOW_MS + 9]);
    expect(log.offsetForTimestamp(NOW_MS + 9, 2)).toEqual({ timestamp: NOW_MS + 9, offset: 0, leaderEpoch: 0 });
  });

  describe('read plans', () => {
    test('begin with the batch that holds the offset, wherever it lies', () => {
      const log = open({ config: { segmentBytes: 4000, indexIntervalBytes: 300 } });
      for (let i = 0; i < 400; i += 4) append(log, batch({ values: [`${i}`, `${i + 1}`, `${i + 2}`, `${i + 3}`] }));
      expect(log.segmentCount).toBeGreaterThan(2);
      const plan = createReadPlan();
      for (let offset = 0; offset < 400; offset++) {
        log.planRead(offset, 1, 400, true, plan);
        expect(plan.startOffset, `offset ${offset}`).toBe(offset - (offset % 4));
        expect(plan.length).toBe(plan.firstBatchBytes);
        const bytes = new Uint8Array(plan.length);
        readDescriptor(plan.descriptor, bytes, 0, plan.length, plan.position);
        expect(readAllRecords(bytes).map((record) => record.offset)).toContain(offset);
      }
      expect(readValues(log, 0, 700)).toEqual(Array.from({ length: 400 }, (_, i) => [i, `${i}`]));
    });

    test('never reach the limit', () => {
      const log = open({ config: { segmentBytes: 4000, indexIntervalBytes: 300 } });
      for (let i = 0; i < 200; i += 2) append(log, batch({ values: [`${i}`, `${i + 1}`] }));
      const plan = createReadPlan();
      for (let limit = 0; limit <= 200; limit += 3) {
        for (const offset of [0, 50, 151, 198]) {
          log.planRead(offset, 1_000_000, limit, true, plan);
          const bytes = new Uint8Array(plan.length);
          if (plan.length > 0) plan.file?.read(bytes, 0, plan.length, plan.position);
          const offsets = readAllRecords(bytes).map((record) => record.offset);
          expect(Math.max(-1, ...offsets), `${offset} below ${limit}`).toBeLessThan(limit);
          if (offset < limit - 1) expect(offsets).toContain(offset);
        }
      }
    });

    test('end at the byte limit, but give the first batch whole', () => {
      const log = open();
      appendValues(log, 'x'.repeat(500), 'y', 'z');
      const plan = createReadPlan();
      log.planRead(0, 100, 3, true, plan);
      expect(plan.length).toBe(plan.firstBatchBytes);
      expect(plan.available).toBeGreaterThan(plan.length);
      log.planRead(0, 100, 3, false, plan);
      expect(plan.length).toBe(0);
      log.planRead(0, plan.firstBatchBytes + 10, 3, false, plan);
      expect(plan.length).toBe(plan.firstBatchBytes + 10);
    });

    test('outside the log are refused', () => {
      const log = open();
      appendValues(log, 'a', 'b');
      const plan = createReadPlan();
      log.planRead(3, 100, 2, true, plan);
      expect(plan.error).toBe(ERROR.OFFSET_OUT_OF_RANGE);
      log.planRead(2, 100, 2, true, plan);
      expect([plan.error, plan.length, plan.descriptor]).toEqual([0, 0, -1]);
      log.head.advance(1);
      log.planRead(0, 100, 2, true, plan);
      expect(plan.error).toBe(ERROR.OFFSET_OUT_OF_RANGE);
    });
  });

  describe('rolling', () => {
    const segmentsOf = (): string[] =>
      storage
        .list(directory)
        .filter((name) => name.endsWith('.log'))
        .sort();

    test('by size: a segment is never larger than segment.bytes', () => {
      const log = open({ config: { segmentBytes: 1000 } });
      for (let i = 0; i < 30; i++) stage(log, batch({ values: ['x'.repeat(i * 10)] }));
      log.writeStaged();
      for (const name of segmentsOf()) expect(wholeFile(storage, `${directory}/${name}`).length).toBeLessThanOrEqual(1000);
      expect(readValues(log)).toHaveLength(30);
      expect(log.sizeBytes()).toBe(segmentsOf().reduce((sum, name) => sum + wholeFile(storage, `${directory}/${name}`).length, 0));
    });

    test('by time between records, and by the clock where they have none', () => {
      const log = open({ config: { segmentMs: 1000 } });
      append(log, batch({ timestampMs: NOW_MS }));
      append(log, batch({ timestampMs: NOW_MS + 1000 }));
      expect(log.segmentCount).toBe(1);
      append(log, batch({ timestampMs: NOW_MS + 1001 }));
      expect(log.segmentCount).toBe(2);
      append(log, batch({ timestampMs: NOW_MS + 900 }));
      stage(log, batch({ timestampMs: NOW_MS + 2100 }));
      stage(log, batch({ timestampMs: NOW_MS + 3200 }));
      log.writeStaged();
      expect(segmentsOf()).toEqual([0, 2, 4, 5].map((offset) => `${String(offset).padStart(20, '0')}.log`));
    });

    test('by a full index', () => {
      const log = open({ config: { segmentIndexBytes: 60, indexIntervalBytes: 0 } });
      for (let i = 0; i < 20; i++) append(log, batch({ timestampMs: NOW_MS + i }));
      expect(log.segmentCount).toBeGreaterThan(3);
      expect(readValues(log)).toHaveLength(20);
      for (const name of storage.list(directory)) {
        if (name.endsWith('index')) expect(wholeFile(storage, `${directory}/${name}`).length, name).toBeLessThanOrEqual(60);
      }
    });

    test('segment.jitter.ms makes it earlier', () => {
      const log = open({ config: { segmentMs: 1000, segmentJitterMs: 500 }, random: { below: () => 400, fill: () => {} } });
      append(log, batch({ timestampMs: NOW_MS }));
      append(log, batch({ timestampMs: NOW_MS + 601 }));
      expect(log.segmentCount).toBe(2);
    });

    test('seals the old segment: its indexes are exactly their entries', () => {
      const log = open({ config: { segmentBytes: 2000, indexIntervalBytes: 200 } });
      for (let i = 0; i < 20; i++) append(log, batch({ values: ['x'.repeat(100)], timestampMs: NOW_MS + i }));
      const first = wholeFile(storage, `${directory}/00000000000000000000.index`);
      expect(first.length).toBeGreaterThan(0);
      expect(first.length).toBeLessThan(100);
      expect(storage.exists(`${directory}/${segmentsOf()[1]?.replace('.log', '.snapshot')}`)).toBe(true);
    });
  });

  describe('offsets by time', () => {
    test('the first record at or after it, across segments and inside batches', () => {
      const log = open({ config: { segmentBytes: 900, indexIntervalBytes: 150 } });
      const times: number[] = [];
      for (let i = 0; i < 60; i++) {
        const timestampMs = NOW_MS + (i % 3 === 0 ? i * 10 : i * 10 - 15);
        times.push(timestampMs);
        append(log, batch({ values: [`${i}`], timestampMs }));
      }
      for (let at = NOW_MS - 20; at < NOW_MS + 600; at += 5) {
        const expected = times.findIndex((time) => time >= at);
        expect(log.offsetForTimestamp(at, 60)?.offset ?? -1, `${at - NOW_MS}`).toBe(expected);
      }
    });

    test('of a record inside a compressed batch', () => {
      const log = open();
      append(log, batch({ values: ['a'], timestampMs: NOW_MS - 10 }));
      append(log, batch({ values: ['b', 'c'], timestampMs: NOW_MS, compression: 1 }));
      expect(log.offsetForTimestamp(NOW_MS - 5, 3)).toEqual({ timestamp: NOW_MS, offset: 1, leaderEpoch: 0 });
      expect(log.offsetForTimestamp(NOW_MS - 5, 1)).toBeNull();
      expect(log.offsetForTimestamp(NOW_MS + 1, 3)).toBeNull();
    });

    test('the named ones', () => {
      const log = open();
      expect(log.offsetForTimestamp(-3, 0)).toBeNull();
      append(log, batch({ timestampMs: NOW_MS + 5 }), { epoch: 2 });
      append(log, batch({ timestampMs: NOW_MS + 50 }), { epoch: 3 });
      append(log, batch({ timestampMs: NOW_MS + 20 }), { epoch: 4 });
      expect(log.offsetForTimestamp(-1, 3)).toEqual({ timestamp: -1, offset: 3, leaderEpoch: 4 });
      expect(log.offsetForTimestamp(-2, 3)).toEqual({ timestamp: -1, offset: 0, leaderEpoch: 2 });
      expect(log.offsetForTimestamp(-3, 3)).toEqual({ timestamp: NOW_MS + 50, offset: 1, leaderEpoch: 3 });
      log.head.advance(1);
      expect(log.offsetForTimestamp(-4, 3)).toEqual({ timestamp: -1, offset: 1, leaderEpoch: 3 });
      expect(log.offsetForTimestamp(-5, 3)).toEqual({ timestamp: -1, offset: -1, leaderEpoch: -1 });
      expect(log.offsetForTimestamp(-6, 3)).toEqual({ timestamp: -1, offset: -1, leaderEpoch: -1 });
    });
  });

  describe('cutting', () => {
    test('the tail, anywhere, and going on from there', () => {
      for (let cut = 0; cut <= 40; cut += 3) {
        const log = open({ directory: `${root}/cut-${cut}`, config: { segmentBytes: 600, indexIntervalBytes: 100 } });
        for (let i = 0; i < 40; i++) append(log, batch({ values: [`${i}`] }), { epoch: Math.floor(i / 10) });
        log.truncateTo(cut);
        expect([log.stagedEnd, log.writtenEnd], `cut at ${cut}`).toEqual([cut, cut]);
        append(log, batch({ values: ['new'] }), { epoch: 9 });
        const kept = Array.from({ length: cut }, (_, i) => [i, `${i}`]);
        expect(readValues(log)).toEqual([...kept, [cut, 'new']]);
        expect(log.epochEndOffset(8)).toEqual(
          cut === 0 ? { leaderEpoch: 8, endOffset: 0 } : { leaderEpoch: Math.floor((cut - 1) / 10), endOffset: cut },
        );
      }
    });

    test('forgets where a limit lay', () => {
      const log = open();
      appendValues(log, 'a', 'b', 'c');
      const plan = createReadPlan();
      log.planRead(0, 10_000, 2, true, plan);
      log.truncateTo(1);
      appendValues(log, 'a much longer one', 'c');
      log.planRead(0, 10_000, 2, true, plan);
      expect(plan.length).toBe(batch({ values: ['a'] }).length + batch({ values: ['a much longer one'] }).length);
    });

    test('in the middle of a batch takes the whole batch', () => {
      const log = open();
      append(log, batch({ values: ['a', 'b'] }));
      append(log, batch({ values: ['c', 'd'] }));
      log.truncateTo(3);
      expect(log.writtenEnd).toBe(2);
    });

    test('the head: segments below the start go, after a while their files', () => {
      const log = open({ config: { segmentBytes: 200 } });
      appendValues(log, ...Array.from({ length: 12 }, (_, i) => `${i}`));
      const before = log.segmentCount;
      log.head.advance(7);
      const removed = log.head.deleteTrimmed();
      expect(removed).toBeGreaterThan(1);
      expect(log.segmentCount).toBe(before - removed);
      expect(storage.list(directory).filter((name) => name.endsWith('.log.deleted'))).toHaveLength(removed);
      expect(readValues(log).map(([offset]) => offset)).toEqual([7, 8, 9, 10, 11]);
      log.head.removeDeleted();
      expect(storage.list(directory).filter((name) => name.endsWith('.deleted'))).toEqual([]);
      log.close({ clean: true });
      expect(readValues(open({ cleanShutdown: true, logStartOffset: 7 }))[0]).toEqual([7, '7']);
    });
  });

  test('deletion renames the directory; who still reads may finish, nobody appends', () => {
    const log = open();
    appendValues(log, 'a');
    const plan = createReadPlan();
    log.planRead(0, 1000, 1, true, plan);
    const path = log.markDeleted('HbwrFzDRSlKLpRs_d8iVNw');
    expect(path).toBe(`${root}/topic-0.1dbc2b1730d14a528ba51b3f77c89537-delete`);
    expect(storage.exists(directory)).toBe(false);
    expect(readDescriptor(plan.descriptor, new Uint8Array(plan.length), 0, plan.length, plan.position)).toBe(plan.length);
    expect(append(log, batch()).error).toBe(ERROR.KAFKA_STORAGE_ERROR);
    log.remove();
    expect(storage.list(root)).toEqual([]);
  });

  test('the files of cut segments are closed when their readers let go', () => {
    const closing: Array<() => void> = [];
    const log = open({ config: { segmentBytes: 200 }, onClosingFile: (_file, close) => closing.push(close) });
    appendValues(log, ...Array.from({ length: 6 }, (_, i) => `${i}`));
    const plan = createReadPlan();
    log.planRead(0, 1000, 6, true, plan);
    log.head.advance(5);
    log.head.deleteTrimmed();
    log.head.removeDeleted();
    expect(readDescriptor(plan.descriptor, new Uint8Array(plan.length), 0, plan.length, plan.position)).toBe(plan.length);
    expect(closing.length).toBeGreaterThan(0);
    for (const close of closing) close();
    expect(() => readDescriptor(plan.descriptor, new Uint8Array(plan.length), 0, plan.length, plan.position)).toThrow();
  });

  test('batches of this broker: several at once, control batches included', () => {
    const log = open();
    const bytes = Buffer.concat([batch({ values: ['a', 'b'] }), batch({ isControl: true }), batch({ values: ['c'] })]);
    expect(log.stageOwn(bytes, 0, bytes.length, 5, NOW_MS)).toBe(0);
    log.writeStaged();
    expect(log.writtenEnd).toBe(4);
    expect(readAllRecords(wholeFile(storage, `${directory}/00000000000000000000.log`)).map((record) => record.offset)).toEqual([
      0, 1, 2, 3,
    ]);
  });

  test('replicated batches keep their offsets and may leave gaps', () => {
    const log = open();
    expect(log.stageReplicated(batch({ values: ['a'], baseOffset: 3, leaderEpoch: 1 }), 0, NOW_MS)).toBe(0);
    expect(log.stageReplicated(batch({ values: ['b'], baseOffset: 10, leaderEpoch: 2 }), 0, NOW_MS)).toBe(0);
    expect(log.stageReplicated(batch({ values: ['c'], baseOffset: 10, leaderEpoch: 2 }), 0, NOW_MS)).toBe(ERROR.OFFSET_OUT_OF_RANGE);
    log.writeStaged();
    expect(log.epochEndOffset(1)).toEqual({ leaderEpoch: 1, endOffset: 10 });
    expect(readValues(log, 5)).toEqual([[10, 'b']]);
  });
});
