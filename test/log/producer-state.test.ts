// Producer state: sequences, duplicates, fenced epochs, expiry, snapshots.
import { describe, expect, test } from 'vitest';
import { MemoryStorage } from '../../src/log/memory-storage.ts';
import { decodeSnapshot, encodeSnapshot, ProducerSnapshots } from '../../src/log/producer-snapshot.ts';
import { ProducerState } from '../../src/log/producer-state.ts';
import { ERROR } from '../../src/protocol/errors.ts';
import { append, batch, NOW_MS, openLog, readValues, stage } from './log-fixtures.ts';

const PRODUCER = 9001;

function sent(firstSequence: number, count = 1, epoch = 0, producerId = PRODUCER): Uint8Array {
  const values = Array.from({ length: count }, (_, i) => `s${firstSequence + i}`);
  return batch({ values, producerId, producerEpoch: epoch, baseSequence: firstSequence });
}

describe('in a log', () => {
  test('sequences must follow one another', () => {
    const log = openLog();
    expect(append(log, sent(0, 3)).baseOffset).toBe(0);
    expect(append(log, sent(3)).baseOffset).toBe(3);
    expect(append(log, sent(5)).error).toBe(ERROR.OUT_OF_ORDER_SEQUENCE_NUMBER);
    expect(append(log, sent(2)).error).toBe(ERROR.OUT_OF_ORDER_SEQUENCE_NUMBER);
    expect(log.stagedEnd).toBe(4);
    expect(append(log, sent(4)).baseOffset).toBe(4);
  });

  test('an unknown producer may begin anywhere', () => {
    const log = openLog();
    expect(append(log, sent(77)).error).toBe(0);
    expect(append(log, sent(78)).error).toBe(0);
  });

  test('one of the last five batches again is answered with its first offset and time', () => {
    const log = openLog();
    for (let i = 0; i < 7; i++) append(log, sent(i * 2, 2));
    const again = append(log, sent(4, 2));
    expect(again).toMatchObject({ error: 0, isDuplicate: true, baseOffset: 4, lastOffset: 5, logAppendTimeMs: NOW_MS });
    expect(append(log, sent(2, 2)).error).toBe(ERROR.OUT_OF_ORDER_SEQUENCE_NUMBER);
    expect(append(log, sent(4, 1)).error).toBe(ERROR.OUT_OF_ORDER_SEQUENCE_NUMBER);
    expect(log.stagedEnd).toBe(14);
  });

  test('a duplicate of a batch that is only staged is known, and not yet written', () => {
    const log = openLog();
    stage(log, sent(0, 2));
    const again = stage(log, sent(0, 2));
    expect(again).toMatchObject({ isDuplicate: true, baseOffset: 0, lastOffset: 1 });
    expect(again.lastOffset).toBeGreaterThanOrEqual(log.writtenEnd);
    log.writeStaged();
    expect(log.writtenEnd).toBe(2);
    expect(readValues(log)).toHaveLength(2);
  });

  test('an older epoch is fenced, a newer one begins at 0', () => {
    const log = openLog();
    append(log, sent(0, 1, 3));
    expect(append(log, sent(1, 1, 2)).error).toBe(ERROR.INVALID_PRODUCER_EPOCH);
    expect(append(log, sent(1, 1, 4)).error).toBe(ERROR.OUT_OF_ORDER_SEQUENCE_NUMBER);
    expect(append(log, sent(0, 1, 4)).error).toBe(0);
    expect(append(log, sent(0, 1, 3)).error).toBe(ERROR.INVALID_PRODUCER_EPOCH);
  });

  test('sequences wrap from 2^31 - 1 to 0', () => {
    const log = openLog();
    append(log, sent(2 ** 31 - 2, 1));
    expect(append(log, sent(2 ** 31 - 1, 1)).error).toBe(0);
    expect(append(log, sent(0, 2)).error).toBe(0);
    const wrapping = openLog();
    append(wrapping, sent(2 ** 31 - 1, 3));
    expect(append(wrapping, sent(2 ** 31 - 1, 3))).toMatchObject({ isDuplicate: true, baseOffset: 0 });
    expect(append(wrapping, sent(2, 1)).error).toBe(0);
  });

  test('an idle producer is forgotten after producer.id.expiration.ms', () => {
    const log = openLog({ config: { producerIdExpirationMs: 1000, timestampBeforeMaxMs: Number.MAX_SAFE_INTEGER } });
    append(log, sent(0));
    append(log, sent(0, 1, 0, 5), { nowMs: NOW_MS + 3_600_000 });
    expect(log.producerCount).toBe(1);
    expect(append(log, sent(40)).error).toBe(0);
  });

  test('a transactional batch needs a transaction, which no client can begin here', () => {
    const log = openLog();
    const bytes = batch({ producerId: PRODUCER, producerEpoch: 0, baseSequence: 0, isTransactional: true });
    expect(append(log, bytes).error).toBe(ERROR.INVALID_TXN_STATE);
  });

  test.each([true, false])('state survives a stop (clean: %s)', (clean) => {
    const storage = new MemoryStorage();
    const log = openLog({ storage });
    for (let i = 0; i < 6; i++) append(log, sent(i));
    append(log, sent(0, 2, 1, 5));
    log.close({ clean });
    const again = openLog({ storage, cleanShutdown: clean, recoveryPoint: clean ? 8 : 0 });
    // A snapshot keeps the last batch of a producer, reading the log itself all five.
    expect(append(again, sent(5))).toMatchObject({ isDuplicate: true, baseOffset: 5 });
    expect(append(again, sent(2)).error).toBe(clean ? ERROR.OUT_OF_ORDER_SEQUENCE_NUMBER : 0);
    expect(append(again, sent(6)).error).toBe(0);
    expect(append(again, sent(2, 1, 1, 5)).error).toBe(0);
    expect(append(again, sent(0, 1, 0, 5)).error).toBe(ERROR.INVALID_PRODUCER_EPOCH);
  });

  test('a roll keeps the state as it was before the batch that begins the segment', () => {
    const storage = new MemoryStorage();
    const log = openLog({ storage, config: { segmentBytes: 200 } });
    stage(log, sent(0));
    stage(log, sent(1));
    stage(log, sent(2));
    stage(log, sent(3));
    log.writeStaged();
    expect(log.segmentCount).toBeGreaterThan(1);
    for (const name of storage.list('data/topic-0').filter((file) => file.endsWith('.snapshot'))) {
      const offset = Number(name.slice(0, 20));
      const snapshot = new ProducerSnapshots(storage, 'data/topic-0').read(offset);
      expect(snapshot?.map((entry) => entry.lastOffset())).toEqual([offset - 1]);
    }
  });
});

describe('snapshots', () => {
  function state(): ProducerState {
    const producers = new ProducerState();
    producers.noteBatch(1, 2, 30, 400, 5, 6_000_000_000_000, false);
    producers.noteBatch(7_000_000_000, 0, 0, 410, 0, 5, true);
    producers.noteEndMarker(3, 4, 11, 77);
    return producers;
  }

  test("are Kafka's bytes", () => {
    const producers = new ProducerState();
    producers.noteBatch(1, 2, 30, 400, 5, 0x0102030405, false);
    const hex = Buffer.from(encodeSnapshot(producers.entries(), 1)).toString('hex');
    expect(hex.slice(0, 4)).toBe('0001');
    expect(hex.slice(12)).toBe(
      '000000010000000000000001' +
        '0002' +
        '0000001e' +
        '0000000000000190' +
        '00000005' +
        '0000000102030405' +
        'ffffffff' +
        'ffffffffffffffff',
    );
  });

  test('are read back', () => {
    const producers = state();
    const entries = decodeSnapshot(encodeSnapshot(producers.entries(), producers.producerCount));
    const fields = (all: Iterable<NonNullable<typeof entries>[number]>): unknown[] =>
      [...all].map((entry) => [
        entry.producerId,
        entry.epoch,
        entry.lastSequence(),
        entry.lastOffset(),
        entry.offsetDelta(),
        entry.lastTimestamp,
        entry.coordinatorEpoch,
        entry.transactionFirstOffset,
      ]);
    expect(fields(entries ?? [])).toEqual(fields(producers.entries()));
    expect(producers.firstUnstableOffset()).toBe(410);
  });

  test('any damage is noticed', () => {
    const producers = state();
    const bytes = encodeSnapshot(producers.entries(), producers.producerCount);
    for (let at = 0; at < bytes.length; at++) {
      const damaged = Uint8Array.from(bytes);
      damaged[at] = (damaged[at] as number) ^ 0x10;
      expect(decodeSnapshot(damaged), `byte ${at}`).toBeNull();
      expect(decodeSnapshot(bytes.subarray(0, at)), `${at} bytes`).toBeNull();
    }
  });

  test('a damaged one is passed over at open, and the log itself is read', () => {
    const storage = new MemoryStorage();
    const log = openLog({ storage });
    for (let i = 0; i < 3; i++) append(log, sent(i));
    log.close({ clean: true });
    const file = storage.open('data/topic-0/00000000000000000003.snapshot', 'read-write');
    file.write(Buffer.from('damage'), 0, 6, 20);
    file.close();
    const again = openLog({ storage, recoveryPoint: 3 });
    expect(append(again, sent(2))).toMatchObject({ isDuplicate: true, baseOffset: 2 });
  });
});
