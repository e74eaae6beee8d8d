// Apache Kafka's own files: we open its directory, and from the same batches we write the same bytes.
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { seededRandom } from '../../src/base/random.ts';
import { FileStorage } from '../../src/log/file-storage.ts';
import { LogDirectory } from '../../src/log/log-directory.ts';
import { batchPositions, batchSizeBytes, writeBaseOffset } from '../../src/protocol/records/batch.ts';
import { append, openLog, readValues, stage } from './log-fixtures.ts';

const GOLDEN = join(import.meta.dirname, '../golden/log/kafka-4.3.1');
const PARTITION = 'gold-0';
const TOPIC_ID = 'kD7_Pcu6S_CcbZIIfoEV7w';
/** Just after the last record of the golden directory was written. */
const NOW_MS = 1_795_246_509_000;
const CONFIG = { segmentMs: 1500, indexIntervalBytes: 100 };

const values = [
  ...Array.from({ length: 20 }, (_, i) => `first-${i + 1}`),
  ...Array.from({ length: 20 }, (_, i) => `second-${i + 1}`),
  ...Array.from({ length: 12 }, (_, i) => `third-${i + 1}`),
].map((value, offset): [number, string] => [offset, value]);

let root: string;
beforeEach(() => {
  root = mkdtempSync(`${tmpdir()}/naru-golden-`);
  cpSync(GOLDEN, root, { recursive: true });
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function openGolden(shape: { cleanShutdown: boolean; recoveryPoint?: number }): ReturnType<typeof openLog> {
  return openLog({
    storage: new FileStorage(),
    directory: `${root}/${PARTITION}`,
    topicId: TOPIC_ID,
    config: CONFIG,
    nowMs: NOW_MS,
    ...shape,
  });
}

/** The bytes of every file of the partition, by name. */
function filesOf(directory: string): Record<string, string> {
  const names = readdirSync(directory).sort();
  return Object.fromEntries(names.map((name) => [name, readFileSync(join(directory, name)).toString('hex')]));
}

test('the log directory is read: whose it is, how it stopped, what it holds', () => {
  const directory = LogDirectory.open({ storage: new FileStorage(), path: root, clusterId: null, nodeId: 1, random: seededRandom(1) });
  expect(directory.clusterId).toBe('MkU3OEVBNTcwNTJENDM2Qg');
  expect(directory.directoryId).toBe('1t1ektjDJvMAzstvGqBzXA');
  expect(directory.hadCleanShutdown).toBe(true);
  expect(directory.previousBrokerEpoch).toBe(12);
  expect(directory.recoveryPoint('gold', 0)).toBe(52);
  expect(directory.partitions).toEqual([
    { topic: 'gold', partition: 0, directory: `${root}/${PARTITION}`, topicId: TOPIC_ID, isUnnamedLog: false },
  ]);
  directory.close({ isClean: false, brokerEpoch: -1 });
});

test.each([
  { name: 'clean', cleanShutdown: true, recoveryPoint: 52 },
  { name: 'after a crash, from the recovery point', cleanShutdown: false, recoveryPoint: 30 },
  { name: 'after a crash, from the start', cleanShutdown: false, recoveryPoint: 0 },
])('the partition is opened: $name', ({ cleanShutdown, recoveryPoint }) => {
  const log = openGolden({ cleanShutdown, recoveryPoint });
  expect(log.writtenEnd).toBe(52);
  expect(log.segmentCount).toBe(3);
  expect(log.recoveredCutBytes).toBe(0);
  expect(readValues(log)).toEqual(values);
  expect(readValues(log, 33)).toEqual(values.slice(33));
  expect(log.producerCount).toBe(2);
  expect(log.latestEpoch).toBe(0);
  expect(log.offsetForTimestamp(1_795_246_506_722, 52)).toEqual({ timestamp: 1_795_246_506_722, offset: 20, leaderEpoch: 0 });
  expect(log.offsetForTimestamp(1_795_246_506_723, 52)?.offset).toBe(40);
  expect(log.offsetForTimestamp(-3, 52)?.offset).toBe(40);
  log.close({ clean: true });
  expect(filesOf(`${root}/${PARTITION}`)).toEqual(filesOf(`${GOLDEN}/${PARTITION}`));
});

test('the last producer goes on where Kafka left it, and its duplicate is known', () => {
  const log = openGolden({ cleanShutdown: true });
  const live = readFileSync(`${GOLDEN}/${PARTITION}/00000000000000000040.log`);
  const last = Buffer.from(live.subarray([...batchPositions(live)].at(-1)));
  writeBaseOffset(last, 0, 0);
  expect(stage(log, last, { nowMs: NOW_MS })).toMatchObject({ error: 0, isDuplicate: true, baseOffset: 49, lastOffset: 51 });
  log.close({ clean: false });
});

test('the same batches make the same files', () => {
  const directory = `${root}/again/${PARTITION}`;
  const log = openLog({ storage: new FileStorage(), directory, topicId: TOPIC_ID, config: CONFIG, nowMs: NOW_MS });
  for (const base of [0, 20, 40]) {
    const bytes = readFileSync(`${GOLDEN}/${PARTITION}/${String(base).padStart(20, '0')}.log`);
    for (const at of batchPositions(bytes)) {
      const sent = Buffer.from(bytes.subarray(at, at + batchSizeBytes(bytes, at)));
      writeBaseOffset(sent, 0, 0);
      expect(append(log, sent, { nowMs: NOW_MS }).error).toBe(0);
    }
  }
  log.close({ clean: true });
  expect(filesOf(directory)).toEqual(filesOf(`${GOLDEN}/${PARTITION}`));
});
