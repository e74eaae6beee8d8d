// A log against a plain array: random appends, rolls, flushes, cuts, crashes that tear the tail, and reopenings.
// The crash is a kill, or a loss of everything behind the recovery point but a random part of it.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createReadPlan, type Log, type ReadPlan } from '../../src/log/log.ts';
import { MemoryStorage } from '../../src/log/memory-storage.ts';
import { ERROR } from '../../src/protocol/errors.ts';
import { readAllRecords } from '../../src/protocol/records/records.ts';
import { append, batch, NOW_MS, openLog, readValues, stage, wholeFile } from './log-fixtures.ts';

interface ModelBatch {
  readonly baseOffset: number;
  readonly values: readonly string[];
  readonly timestampMs: number;
  readonly epoch: number;
}

type Step =
  | { kind: 'append'; batches: number; records: number; sizeBytes: number; timeMs: number; compression: number; isIdempotent: boolean }
  | { kind: 'flush' }
  | { kind: 'epoch' }
  | { kind: 'truncate'; part: number }
  | { kind: 'trim'; part: number }
  | { kind: 'reopen'; clean: boolean }
  | { kind: 'crash'; keepPart: number; damage: boolean };

const part = fc.double({ min: 0, max: 1, noNaN: true });
const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    {
      weight: 8,
      arbitrary: fc.record({
        kind: fc.constant('append' as const),
        batches: fc.integer({ min: 1, max: 5 }),
        records: fc.integer({ min: 1, max: 6 }),
        sizeBytes: fc.integer({ min: 1, max: 300 }),
        timeMs: fc.integer({ min: -50, max: 400 }),
        compression: fc.constantFrom(0, 0, 1, 3),
        isIdempotent: fc.boolean(),
      }),
    },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('flush' as const) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('epoch' as const) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('truncate' as const), part }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('trim' as const), part }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('reopen' as const), clean: fc.boolean() }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('crash' as const), keepPart: part, damage: fc.boolean() }) },
  ),
  { maxLength: 40 },
);

const PRODUCER = 77;
const CONFIG = {
  segmentBytes: 1500,
  segmentMs: 3000,
  indexIntervalBytes: 150,
  segmentIndexBytes: 240,
  timestampAfterMaxMs: Number.MAX_SAFE_INTEGER,
};

class Model {
  storage = new MemoryStorage();
  log: Log;
  batches: ModelBatch[] = [];
  logStart = 0;
  epoch = 0;
  timeMs = NOW_MS;
  sequence = 0;
  producerEpoch = 0;
  /** The recovery point that a checkpoint holds. */
  checkpoint = 0;

  constructor() {
    this.log = this.#open(false);
  }

  get end(): number {
    const last = this.batches.at(-1);
    return last === undefined ? this.logStart : last.baseOffset + last.values.length;
  }

  run(step: Step): void {
    switch (step.kind) {
      case 'append':
        this.#append(step);
        return;
      case 'flush':
        this.log.flush();
        this.checkpoint = this.log.recoveryPoint;
        expect(this.checkpoint).toBe(this.end);
        return;
      case 'epoch':
        this.epoch++;
        this.log.assignEpochStart(this.epoch, this.log.stagedEnd);
        return;
      case 'truncate': {
        const floor = Math.max(this.logStart, 0);
        this.log.truncateTo(floor + Math.floor((this.end - floor) * step.part));
        this.#dropFrom(this.log.writtenEnd);
        this.checkpoint = Math.min(this.checkpoint, this.end);
        this.#newProducerEpoch();
        return;
      }
      case 'trim':
        this.logStart += Math.floor((this.end - this.logStart) * step.part);
        this.log.head.advance(this.logStart);
        this.log.head.deleteTrimmed();
        this.log.head.removeDeleted();
        return;
      case 'reopen':
        this.log.close({ clean: step.clean });
        if (step.clean) this.checkpoint = this.log.recoveryPoint;
        this.log = this.#open(step.clean);
        expect(this.log.writtenEnd).toBe(this.end);
        return;
      case 'crash':
        this.#crash(step.keepPart, step.damage);
        return;
    }
  }

  check(): void {
    expect([this.log.logStartOffset, this.log.stagedEnd, this.log.writtenEnd]).toEqual([this.logStart, this.end, this.end]);
    const records = this.batches.flatMap(({ baseOffset, values }) => values.map((value, i): [number, string] => [baseOffset + i, value]));
    const readable = records.filter(([offset]) => offset >= this.logStart);
    expect(readValues(this.log, this.logStart, 400)).toEqual(readable);
    const plan = createReadPlan();
    for (const { baseOffset, values, epoch } of this.batches) {
      const last = baseOffset + values.length - 1;
      if (last < this.logStart) continue;
      this.log.planRead(last, 1, this.end, true, plan);
      expect([plan.error, plan.startOffset]).toEqual([0, baseOffset]);
      expect(this.log.epochForOffset(last)).toBe(epoch);
      this.#checkLimit(baseOffset, plan);
    }
    for (const { timestampMs } of this.batches.slice(-3)) {
      const first = this.batches.find(
        (candidate) => candidate.timestampMs >= timestampMs && candidate.baseOffset + candidate.values.length > this.logStart,
      );
      const expected = first === undefined ? undefined : Math.max(first.baseOffset, this.logStart);
      expect(this.log.offsetForTimestamp(timestampMs, this.end)?.offset).toBe(expected);
    }
  }

  /** Everything below `limit` in one segment, and nothing behind it; the same question twice, as a follower of the tail asks. */
  #checkLimit(limit: number, plan: ReadPlan): void {
    const before = this.batches
      .filter(({ baseOffset, values }) => baseOffset < limit && baseOffset + values.length > this.logStart)
      .slice(-2)[0];
    if (before === undefined) return;
    for (let again = 0; again < 2; again++) {
      this.log.planRead(Math.max(before.baseOffset, this.logStart), 1_000_000, limit, true, plan);
      const bytes = new Uint8Array(plan.length);
      plan.file?.read(bytes, 0, plan.length, plan.position);
      const offsets = readAllRecords(bytes).map((record) => record.offset);
      expect(offsets[0]).toBe(before.baseOffset);
      expect(offsets.at(-1)).toBeLessThan(limit);
      expect(plan.length).toBe(plan.available);
    }
  }

  #append(step: Extract<Step, { kind: 'append' }>): void {
    for (let n = 0; n < step.batches; n++) {
      this.timeMs += step.timeMs;
      const values = Array.from({ length: step.records }, (_, i) => `${this.log.stagedEnd + i}:`.padEnd(step.sizeBytes, 'v'));
      const producer = step.isIdempotent ? { producerId: PRODUCER, producerEpoch: this.producerEpoch, baseSequence: this.sequence } : {};
      const sent = (): Uint8Array => batch({ values, timestampMs: this.timeMs, compression: step.compression, ...producer });
      const result = stage(this.log, sent(), { epoch: this.epoch, nowMs: this.timeMs });
      if (sent().length > CONFIG.segmentBytes) {
        expect(result.error).toBe(ERROR.RECORD_LIST_TOO_LARGE);
        continue;
      }
      expect(result.error, `${result.errorMessage}`).toBe(0);
      expect(result.baseOffset).toBe(this.end);
      this.batches.push({ baseOffset: result.baseOffset, values, timestampMs: this.timeMs, epoch: this.epoch });
      if (step.isIdempotent) {
        expect(stage(this.log, sent(), { epoch: this.epoch })).toMatchObject({
          error: 0,
          isDuplicate: true,
          baseOffset: result.baseOffset,
        });
        this.sequence += step.records;
      }
    }
    this.log.writeStaged();
  }

  /** The process dies; of the live segment's bytes behind the checkpoint a part is lost, perhaps damaged at its end. */
  #crash(keepPart: number, damage: boolean): void {
    const kept = this.batches.filter(({ baseOffset, values }) => baseOffset + values.length <= this.checkpoint).length;
    this.log.close({ clean: false });
    const [path, base] = this.#liveFile();
    const bytes = wholeFile(this.storage, path);
    const inLive = this.batches.filter(({ baseOffset }) => baseOffset >= base);
    // Batches lie one behind the other: where the last one that must survive ends, by walking the lengths.
    let floor = 0;
    const ends: number[] = [];
    for (let at = 0; at < bytes.length; ) {
      at += 12 + Buffer.from(bytes.buffer, bytes.byteOffset).readInt32BE(at + 8);
      ends.push(at);
    }
    expect(ends.length).toBeGreaterThanOrEqual(inLive.length);
    const keptInLive = kept - (this.batches.length - inLive.length);
    const hidden = ends.length - inLive.length; // Batches that were trimmed from the model but not from the file.
    if (keptInLive + hidden > 0) floor = ends[keptInLive + hidden - 1] as number;
    const size = floor + Math.floor((bytes.length - floor) * keepPart);
    const file = this.storage.open(path, 'read-write');
    file.truncate(size);
    if (damage && size > floor) file.write(Uint8Array.of((bytes[size - 1] as number) ^ 0x55), 0, 1, size - 1);
    file.close();
    const survivors = ends.filter((end) => end < size || (end === size && !(damage && size > floor))).length - hidden;
    this.#dropFrom(inLive[survivors]?.baseOffset ?? this.end);
    this.log = this.#open(false);
    this.#newProducerEpoch();
  }

  #liveFile(): [path: string, baseOffset: number] {
    const names = this.storage.list('data/topic-0').filter((name) => name.endsWith('.log'));
    const name = names.sort().at(-1) as string;
    return [`data/topic-0/${name}`, Number(name.slice(0, 20))];
  }

  #dropFrom(offset: number): void {
    this.batches = this.batches.filter(({ baseOffset }) => baseOffset < offset);
    if (this.logStart > offset) this.logStart = offset;
  }

  /** After a loss the producer asks for a new epoch, as clients do, and begins at sequence 0. */
  #newProducerEpoch(): void {
    this.producerEpoch++;
    this.sequence = 0;
  }

  #open(cleanShutdown: boolean): Log {
    const { storage } = this;
    return openLog({
      storage,
      config: CONFIG,
      cleanShutdown,
      recoveryPoint: this.checkpoint,
      logStartOffset: this.logStart,
      nowMs: this.timeMs,
    });
  }
}

test('a log is what was appended to it, whatever happens', () => {
  fc.assert(
    fc.property(steps, (sequence) => {
      const model = new Model();
      for (const step of sequence) {
        model.run(step);
        model.check();
      }
      model.log.close({ clean: true });
    }),
    { numRuns: Number(process.env.NARU_PROPERTY_RUNS ?? 300) },
  );
});

test('rolls staged in one turn are the rolls of one append at a time', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.integer({ min: 1, max: 700 }), fc.integer({ min: 0, max: 2000 })), { maxLength: 30 }), (shapes) => {
      const files = [1, 5, 30].map((turn) => {
        const storage = new MemoryStorage();
        const log = openLog({ storage, config: CONFIG });
        let timestampMs = NOW_MS;
        for (const [i, [size, waitMs]] of shapes.entries()) {
          timestampMs += waitMs;
          stage(log, batch({ values: ['v'.repeat(size)], timestampMs }), { nowMs: NOW_MS });
          if ((i + 1) % turn === 0) log.writeStaged();
        }
        log.writeStaged();
        log.close({ clean: true });
        const names = storage.list('data/topic-0').filter((name) => name.endsWith('.log'));
        return names.sort().map((name) => [name, wholeFile(storage, `data/topic-0/${name}`).length]);
      });
      expect(files[1]).toEqual(files[0]);
      expect(files[2]).toEqual(files[0]);
    }),
    { numRuns: 100 },
  );
});

test('append() of the fixtures writes what it stages', () => {
  const log = openLog();
  expect(append(log, batch({ values: ['x'] })).lastOffset).toBe(0);
  expect(log.writtenEnd).toBe(1);
});
