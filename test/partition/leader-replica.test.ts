// A leader whose records are synced before anybody is told of them, and one whose records are deleted.
import { expect, test } from 'vitest';
import { createAppendResult } from '../../src/log/append-result.ts';
import { LeaderReplica } from '../../src/partition/leader-replica.ts';
import { PartitionWords, partitionRegionBytes } from '../../src/partition/partition-words.ts';
import { ERROR } from '../../src/protocol/errors.ts';
import { FaultyStorage } from '../log/faulty-storage.ts';
import { batch, NOW_MS, openLog, TOPIC_ID } from '../log/log-fixtures.ts';

const SLOT = 1;
const settled = (): Promise<void> => new Promise((done) => setImmediate(done));

function open(flushMessages: number, config = {}) {
  const storage = new FaultyStorage();
  const region = new SharedArrayBuffer(partitionRegionBytes(4, 1));
  const words = new PartitionWords({ region, slotCount: 4, workerCount: 1, selfIndex: 0, signal: () => {} });
  const log = openLog({ storage, config: { flushMessages, ...config } });
  const replica = new LeaderReplica(SLOT, 'topic', TOPIC_ID, 0, log, 3, words);
  const produce = (...values: string[]): void => {
    const bytes = batch({ values });
    const result = createAppendResult();
    replica.append(bytes, 0, bytes.length, NOW_MS, result);
    expect(result.error).toBe(ERROR.NONE);
    replica.writeStaged();
  };
  return { storage, words, log, replica, produce };
}

test('the high watermark, and what readers may see, follow the syncs', async () => {
  const { storage, words, log, replica, produce } = open(2);
  const seen = () => [words.highWatermark(SLOT), words.logEndOffset(SLOT), words.livePosition(SLOT, 0)];
  produce('a');
  const afterOne = log.liveSegmentSizeBytes;
  expect(seen()).toEqual([1, 1, afterOne]); // One may wait.
  storage.heldSyncs = [];
  produce('b');
  const afterTwo = log.liveSegmentSizeBytes;
  produce('c', 'd');
  replica.raiseLeaderEpoch(4); // Publishes what may be seen, and no more.
  expect(seen()).toEqual([1, 1, afterOne]);
  storage.heldSyncs.shift()?.();
  await settled();
  expect(seen()).toEqual([2, 2, afterTwo]);
  const synced: (string | null)[] = [];
  replica.onSynced = (_replica, error) => synced.push(error?.errno ?? null);
  storage.heldSyncs.shift()?.();
  await settled();
  expect(seen()).toEqual([4, 4, log.liveSegmentSizeBytes]);
  expect(synced).toEqual([null]);
});

test('a sync that fails commits nothing', async () => {
  const { storage, replica, produce } = open(1);
  const synced: (string | null)[] = [];
  replica.onSynced = (_replica, error) => synced.push(error?.errno ?? null);
  storage.syncErrno = 'EIO';
  produce('a');
  await settled();
  expect(synced).toEqual(['EIO']);
  expect(replica.highWatermark).toBe(0);
});

test('records are deleted up to the high watermark, and no further', () => {
  const { words, replica, produce } = open(1000);
  produce('a', 'b', 'c');
  expect(replica.deleteRecords(4)).toBe(ERROR.OFFSET_OUT_OF_RANGE);
  expect(replica.deleteRecords(-2)).toBe(ERROR.OFFSET_OUT_OF_RANGE);
  expect(replica.deleteRecords(2)).toBe(ERROR.NONE);
  expect(words.logStartOffset(SLOT)).toBe(2);
  expect(replica.deleteRecords(1)).toBe(ERROR.NONE);
  expect(words.logStartOffset(SLOT)).toBe(2);
  expect(replica.deleteRecords(-1)).toBe(ERROR.NONE);
  expect(words.logStartOffset(SLOT)).toBe(3);
  replica.isOffline = true;
  expect(replica.deleteRecords(-1)).toBe(ERROR.KAFKA_STORAGE_ERROR);
});

test('of a topic that is only compacted nobody deletes records', () => {
  expect(open(1000, { isCompacted: true, isDeleted: false }).replica.deleteRecords(0)).toBe(ERROR.POLICY_VIOLATION);
  expect(open(1000, { isCompacted: true, isDeleted: true }).replica.deleteRecords(0)).toBe(ERROR.NONE);
  expect(open(1000, { isCompacted: false, isDeleted: false }).replica.deleteRecords(0)).toBe(ERROR.NONE);
});
