// A log directory from first use to the next start.
import { beforeEach, describe, expect, test } from 'vitest';
import { seededRandom } from '../../src/base/random.ts';
import { isUuid } from '../../src/base/uuid.ts';
import type { Log } from '../../src/log/log.ts';
import { ForeignDirectoryError, LogDirectory, type LogDirectoryOptions } from '../../src/log/log-directory.ts';
import { MemoryStorage } from '../../src/log/memory-storage.ts';
import { appendValues, openLog, TOPIC_ID } from './log-fixtures.ts';

let storage: MemoryStorage;
beforeEach(() => {
  storage = new MemoryStorage();
});

function open(options: Partial<LogDirectoryOptions> = {}): LogDirectory {
  return LogDirectory.open({ storage, path: 'data', clusterId: null, nodeId: 1, random: seededRandom(5), ...options });
}

test('is formatted on first use and known again', () => {
  const first = open();
  expect(first.isNew).toBe(true);
  expect(isUuid(first.clusterId) && isUuid(first.directoryId)).toBe(true);
  expect(first.hadCleanShutdown).toBe(false);
  first.close({ isClean: true, brokerEpoch: 3 });
  const second = open({ clusterId: first.clusterId, random: seededRandom(6) });
  expect(second.isNew).toBe(false);
  expect([second.clusterId, second.directoryId]).toEqual([first.clusterId, first.directoryId]);
  expect([second.hadCleanShutdown, second.previousBrokerEpoch]).toEqual([true, 3]);
});

test('a directory without an id of its own gets one', () => {
  storage.makeDirectory('data');
  storage.replaceText('data/meta.properties', 'version=1\ncluster.id=old\nnode.id=1\n');
  const directory = open();
  expect(isUuid(directory.directoryId)).toBe(true);
  expect(directory.isNew).toBe(false);
  directory.close({ isClean: false, brokerEpoch: -1 });
  expect(open({ random: seededRandom(9) }).directoryId).toBe(directory.directoryId);
});

test('of another cluster or node is refused', () => {
  open().close({ isClean: true, brokerEpoch: 0 });
  expect(() => open({ clusterId: 'MkU3OEVBNTcwNTJENDM2Qg' })).toThrow(ForeignDirectoryError);
  expect(() => open({ nodeId: 2 })).toThrow(/belongs to node 1, not to 2/);
});

test('the lock is taken before anything is read, and given back when the open fails', () => {
  const held: string[] = [];
  const lock = (path: string): (() => void) => {
    expect(storage.exists('data/meta.properties')).toBe(held.length > 0);
    held.push(`+${path}`);
    return () => held.push(`-${path}`);
  };
  open({ lock }).close({ isClean: false, brokerEpoch: -1 });
  expect(() => open({ lock, nodeId: 9 })).toThrow();
  expect(held).toEqual(['+data/.lock', '-data/.lock', '+data/.lock', '-data/.lock']);
});

test('a start without the marker is unclean, whatever came before', () => {
  open().close({ isClean: true, brokerEpoch: 1 });
  open();
  expect(open().hadCleanShutdown).toBe(false);
});

describe('partitions', () => {
  test('are listed with their topic ids; marked ones and the metadata log are not', () => {
    const directory = open();
    openLog({ storage, directory: directory.partitionPath('a-b', 3) }).close({ clean: true });
    openLog({ storage, directory: directory.partitionPath('no-id', 0), topicId: null }).close({ clean: true });
    openLog({ storage, directory: 'data/__cluster_metadata-0' }).close({ clean: true });
    storage.makeDirectory('data/gone-0.1dbc2b1730d14a528ba51b3f77c89537-delete');
    storage.makeDirectory('data/odd-0.1dbc2b1730d14a528ba51b3f77c89537-stray');
    const again = open();
    expect([...again.partitions].sort((one, other) => (one.topic < other.topic ? -1 : 1))).toEqual([
      { topic: 'a-b', partition: 3, directory: 'data/a-b-3', topicId: TOPIC_ID, isUnnamedLog: false },
      { topic: 'no-id', partition: 0, directory: 'data/no-id-0', topicId: null, isUnnamedLog: false },
    ]);
    expect(storage.list('data').some((name) => name.endsWith('-delete'))).toBe(false);
    expect(storage.list('data').some((name) => name.endsWith('-stray'))).toBe(true);
  });

  test('whose partition.metadata is missing or damaged are told by what they hold', () => {
    const directory = open();
    const make = (topic: string, change: (log: Log) => void, damage: string | null): void => {
      const path = directory.partitionPath(topic, 0);
      const log = openLog({ storage, directory: path });
      change(log);
      log.close({ clean: true });
      if (damage === null) storage.remove(`${path}/partition.metadata`);
      else storage.replaceText(`${path}/partition.metadata`, damage);
    };
    const nothing = (): void => {};
    const records = (log: Log): void => appendValues(log, 'a');
    make('empty', nothing, '');
    make('missing', records, null);
    make('cut', records, 'version: 0\ntopic_id: Hbwr');
    storage.makeDirectory('data/emptied-0');
    storage.open('data/emptied-0/00000000000000000007.log', 'create').close();
    const found = open().partitions.map(({ topic, topicId, isUnnamedLog }) => [topic, topicId, isUnnamedLog]);
    expect(found.sort()).toEqual([
      ['cut', null, true],
      ['emptied', null, true],
      ['empty', null, false],
      ['missing', null, true],
    ]);
  });
});

test('checkpoints carry recovery points and log starts to the next start; a damaged one costs time only', () => {
  const directory = open();
  directory.checkpointRecoveryPoints([
    { topic: 't', partition: 0, offset: 12 },
    { topic: 't', partition: 1, offset: 0 },
  ]);
  directory.checkpointLogStarts([
    { topic: 't', partition: 0, offset: 3 },
    { topic: 't', partition: 1, offset: 0 },
  ]);
  directory.checkpointHighWatermarks([{ topic: 't', partition: 0, offset: 11 }]);
  expect(storage.readText('data/recovery-point-offset-checkpoint')).toBe('0\n2\nt 0 12\nt 1 0\n');
  expect(storage.readText('data/log-start-offset-checkpoint')).toBe('0\n1\nt 0 3\n');
  const again = open();
  expect([again.recoveryPoint('t', 0), again.recoveryPoint('t', 7), again.logStartOffset('t', 0)]).toEqual([12, 0, 3]);
  expect(storage.readText('data/replication-offset-checkpoint')).toBe('0\n1\nt 0 11\n');
  storage.replaceText('data/recovery-point-offset-checkpoint', 'damage');
  expect(open().recoveryPoint('t', 0)).toBe(0);
});
