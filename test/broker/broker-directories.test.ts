// What the supervisor writes into the checkpoints of several log directories, from what several workers tell.
import { beforeEach, expect, test } from 'vitest';
import { seededRandom } from '../../src/base/random.ts';
import { BrokerDirectories } from '../../src/broker/broker-directories.ts';
import type { LogEnds } from '../../src/broker/worker-data.ts';
import { resolveBrokerConfig } from '../../src/config/broker-config.ts';
import { MemoryStorage } from '../../src/log/memory-storage.ts';
import { StorageError } from '../../src/log/storage.ts';

const WORKERS = 2;
const STARTS = 'log-start-offset-checkpoint';
const MARK = '.kafka_cleanshutdown';

/** Takes nothing below a directory. */
class FailingStorage extends MemoryStorage {
  broken = '';

  override replaceText(path: string, text: string): void {
    if (this.broken !== '' && path.startsWith(`${this.broken}/`)) throw new StorageError('EIO', path, 'replacing');
    super.replaceText(path, text);
  }
}

let storage: FailingStorage;
let directories: BrokerDirectories;
let failures: string[];

beforeEach(() => {
  storage = new FailingStorage();
  failures = [];
  const { config } = resolveBrokerConfig({ overrides: [['log.dirs', 'a,b']], coreCount: 1 });
  directories = new BrokerDirectories({
    storage,
    paths: ['a', 'b'],
    metadataPath: 'a',
    config,
    random: seededRandom(1),
    workerCount: WORKERS,
    onCheckpointFailed: (path) => failures.push(path),
  });
});

function ends(directory: string, topic: string, logStartOffset = 0): LogEnds {
  return { directory, topic, partition: 0, recoveryPoint: 7, logStartOffset, highWatermark: 9 };
}

function tell(worker: number, ...told: LogEnds[]): void {
  directories.hearEnds(worker, { ends: told, isFinal: false, unclean: [] });
}

test('each directory has the rows of its own partitions, once all workers have told theirs', () => {
  tell(0, ends('a', 't', 3), ends('b', 'u'));
  expect(storage.exists('a/recovery-point-offset-checkpoint')).toBe(false);
  tell(1, ends('b', 'v', 4));
  expect(['a', 'b'].map((path) => storage.readText(`${path}/recovery-point-offset-checkpoint`))).toEqual([
    '0\n1\nt 0 7\n',
    '0\n2\nu 0 7\nv 0 7\n',
  ]);
  expect(['a', 'b'].map((path) => storage.readText(`${path}/${STARTS}`))).toEqual(['0\n1\nt 0 3\n', '0\n1\nv 0 4\n']);
  expect(storage.readText('b/replication-offset-checkpoint')).toBe('0\n2\nu 0 9\nv 0 9\n');
});

test('the start of a log that is newer than the ends its worker told outlives the ends of another one', () => {
  tell(0);
  tell(1);
  const answers: (readonly string[])[] = [];
  directories.persistStarts(0, [{ directory: 'b', topic: 'new', partition: 0, offset: 5 }], (failed) => answers.push(failed));
  expect(answers).toEqual([[]]);
  tell(1, ends('b', 'v'));
  expect(storage.readText(`b/${STARTS}`)).toBe('0\n1\nnew 0 5\n');
  tell(0); // It was deleted.
  expect(storage.readText(`b/${STARTS}`)).toBe('0\n0\n');
});

test('a directory that refuses a checkpoint is told once and left alone; the other is written and marked', () => {
  tell(0, ends('a', 't'));
  storage.broken = 'b';
  tell(1, ends('b', 'v'));
  expect(failures).toEqual(['b']);
  storage.broken = '';
  const answers: (readonly string[])[] = [];
  const starts = ['a', 'b'].map((directory) => ({ directory, topic: directory === 'a' ? 't' : 'v', partition: 0, offset: 2 }));
  directories.persistStarts(0, starts, (failed) => answers.push(failed));
  expect(answers).toEqual([['b']]);
  expect([storage.readText(`a/${STARTS}`), storage.readText(`b/${STARTS}`)]).toEqual(['0\n1\nt 0 2\n', null]);
  for (let worker = 0; worker < WORKERS; worker++) directories.hearEnds(worker, { ends: [], isFinal: true, unclean: [] });
  expect(directories.close({ isOrderly: true, brokerEpoch: 3 })).toBe(false);
  expect(['a', 'b'].map((path) => storage.exists(`${path}/${MARK}`))).toEqual([true, false]);
});

test('logs of one name in two directories, one of a topic that was deleted while the directory was offline, keep their starts', () => {
  directories.hearEnds(0, { ends: [ends('a', 't', 3), ends('b', 't', 5)], isFinal: true, unclean: [] });
  directories.hearEnds(1, { ends: [], isFinal: true, unclean: [] });
  expect(directories.close({ isOrderly: true, brokerEpoch: 3 })).toBe(true);
  expect(['a', 'b'].map((path) => storage.readText(`${path}/${STARTS}`))).toEqual(['0\n1\nt 0 3\n', '0\n1\nt 0 5\n']);
});

test('a log that could not be closed keeps the mark from its directory alone', () => {
  directories.hearEnds(0, { ends: [], isFinal: true, unclean: ['a'] });
  directories.hearEnds(1, { ends: [], isFinal: true, unclean: [] });
  directories.close({ isOrderly: true, brokerEpoch: 3 });
  expect(['a', 'b'].map((path) => storage.exists(`${path}/${MARK}`))).toEqual([false, true]);
});
