// Syncs of records alone (flush.messages): when one is due, that those who ask share one, and what a failure of it means.
import { expect, test } from 'vitest';
import type { StorageError } from '../../src/log/storage.ts';
import { ERROR } from '../../src/protocol/errors.ts';
import { FaultyStorage } from './faulty-storage.ts';
import { append, appendValues, batch, openLog } from './log-fixtures.ts';

const settled = (): Promise<void> => new Promise((done) => setImmediate(done));

test('is due when as many records are written as may wait, and again when as many more are', async () => {
  const log = openLog({ config: { flushMessages: 3 } });
  appendValues(log, 'a', 'b');
  expect(log.isSyncDue).toBe(false);
  append(log, batch({ values: ['c', 'd'] }));
  expect(log.isSyncDue).toBe(true);
  log.flushLater(() => {});
  expect(log.isSyncDue).toBe(true); // Until it has ended, also where somebody else has asked for it.
  await settled();
  expect(log.isSyncDue).toBe(false);
  appendValues(log, 'e', 'f');
  expect(log.isSyncDue).toBe(false);
  appendValues(log, 'g');
  expect(log.isSyncDue).toBe(true);
  log.syncRecordsLater(() => {});
  await settled();
  expect([log.isSyncDue, log.recoveryPoint]).toEqual([false, 4]); // Indexes are not on the medium: a start looks for itself.
});

test('those who ask during a sync share the next one', async () => {
  const storage = new FaultyStorage();
  const log = openLog({ storage, config: { flushMessages: 1 } });
  storage.heldSyncs = [];
  const ended: string[] = [];
  appendValues(log, 'a');
  log.syncRecordsLater(() => ended.push('first'));
  appendValues(log, 'b');
  log.syncRecordsLater(() => ended.push('second'));
  appendValues(log, 'c');
  log.syncRecordsLater(() => ended.push('third'));
  expect(storage.heldSyncs).toHaveLength(1);
  storage.heldSyncs.shift()?.();
  await settled();
  expect(ended).toEqual(['first']);
  expect(storage.heldSyncs).toHaveLength(1);
  storage.heldSyncs.shift()?.();
  await settled();
  expect(ended).toEqual(['first', 'second', 'third']);
  expect(storage.heldSyncs).toHaveLength(0);
});

test('reaches every segment that was written since the last one', async () => {
  const storage = new FaultyStorage();
  const log = openLog({ storage, config: { flushMessages: 1, segmentBytes: 100 } });
  const synced = (): Promise<StorageError | null> => new Promise((done) => log.syncRecordsLater(done));
  appendValues(log, 'a');
  await synced();
  appendValues(log, 'b', 'c', 'd');
  expect(log.segmentCount).toBeGreaterThan(2);
  storage.heldSyncs = [];
  const held = storage.heldSyncs;
  let count = 0;
  const end = synced();
  for (; held.length > 0; count++) {
    held.shift()?.();
    await settled();
  }
  expect(await end).toBeNull();
  expect(count).toBe(log.segmentCount - 1); // The first holds nothing new.
});

test('one that fails is the last: the log takes nothing more, and who asks later is told the same', async () => {
  const storage = new FaultyStorage();
  const log = openLog({ storage, config: { flushMessages: 1 } });
  appendValues(log, 'a');
  storage.syncErrno = 'EIO';
  const errors: (string | undefined)[] = [];
  log.syncRecordsLater((error) => errors.push(error?.errno));
  await settled();
  expect(append(log, batch()).error).toBe(ERROR.KAFKA_STORAGE_ERROR);
  log.syncRecordsLater((error) => errors.push(error?.errno));
  log.flushLater((error) => errors.push(error?.errno));
  await settled();
  expect(errors).toEqual(['EIO', 'EIO', 'EIO']);
});

test('a start that finds unsynced records owes them a sync', () => {
  const storage = new FaultyStorage();
  appendValues(openLog({ storage }), 'a', 'b');
  expect(openLog({ storage, config: { flushMessages: 1 } }).isSyncDue).toBe(true);
  expect(openLog({ storage, config: { flushMessages: 1 }, recoveryPoint: 2 }).isSyncDue).toBe(false);
  expect(openLog({ storage }).isSyncDue).toBe(false);
});
