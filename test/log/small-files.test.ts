// The small text files of a data directory, byte for byte as Kafka writes and reads them; each refuses what contradicts itself.
import { beforeEach, describe, expect, test } from 'vitest';
import { MalformedFileError, parseCheckpoint, readOffsetCheckpoint, writeOffsetCheckpoint } from '../../src/log/checkpoint-file.ts';
import { markCleanShutdown, takeCleanShutdown } from '../../src/log/clean-shutdown.ts';
import { markedDirectoryName, offsetFileName, offsetOfFileName, parsePartitionDirectory } from '../../src/log/file-names.ts';
import { MemoryStorage } from '../../src/log/memory-storage.ts';
import { formatMetaProperties, parseMetaProperties } from '../../src/log/meta-properties.ts';
import { formatPartitionMetadata, parsePartitionMetadata } from '../../src/log/partition-metadata.ts';
import { TOPIC_ID } from './log-fixtures.ts';

let storage: MemoryStorage;
beforeEach(() => {
  storage = new MemoryStorage();
  storage.makeDirectory('d');
});

describe('checkpoints', () => {
  test('are read back', () => {
    writeOffsetCheckpoint(storage, 'd/c', [
      { topic: 'a-b', partition: 3, offset: 42 },
      { topic: 'x', partition: 0, offset: 2 ** 53 - 1 },
    ]);
    expect(storage.readText('d/c')).toBe('0\n2\na-b 3 42\nx 0 9007199254740991\n');
    expect([...readOffsetCheckpoint(storage, 'd/c')]).toEqual([
      ['a-b-3', 42],
      ['x-0', 2 ** 53 - 1],
    ]);
    expect(readOffsetCheckpoint(storage, 'd/none').size).toBe(0);
  });

  test.each([
    '1\n0\n',
    '0\n1\n',
    '0\n1\na 0\n',
    '0\n1\na 0 -1\n',
    '0\n1\na x 1\n',
    '0\n1\na 0 1.5\n',
    '0\nx\n',
    '0\n1\na 0 1\nb 0 1\n',
    '\n',
    '0\n1\na 0 9007199254740992\n',
  ])('refuse %j', (text) => {
    storage.replaceText('d/c', text);
    expect(() => readOffsetCheckpoint(storage, 'd/c')).toThrow(MalformedFileError);
  });

  test('an empty file has no entries', () => {
    expect(parseCheckpoint('', 'p', 2)).toEqual([]);
  });
});

describe('meta.properties', () => {
  const properties = { clusterId: 'MkU3OEVBNTcwNTJENDM2Qg', nodeId: 7, directoryId: TOPIC_ID };

  test('is read back', () => {
    expect(parseMetaProperties(formatMetaProperties(properties), 'p')).toEqual(properties);
  });

  test('is read as Java writes it', () => {
    const text = `#\n#Sat Nov 21 06:56:56 UTC 2026\ncluster.id=a\\=b\ndirectory.id=${TOPIC_ID}\nnode.id=7\r\nother=x\nversion=1\n`;
    expect(parseMetaProperties(text, 'p')).toEqual({ clusterId: 'a=b', nodeId: 7, directoryId: TOPIC_ID });
  });

  test.each([
    '',
    'version=0\nbroker.id=1\n',
    'version=1\nnode.id=1\n',
    'version=1\ncluster.id=a\nnode.id=-1\n',
    'version=1\ncluster.id=a\nnode.id=1\ndirectory.id=x\n',
    'version=1\n????\n',
  ])('refuses %j', (text) => expect(() => parseMetaProperties(text, 'p')).toThrow(MalformedFileError));
});

describe('partition.metadata', () => {
  test("is Kafka's", () => {
    expect(formatPartitionMetadata(TOPIC_ID)).toBe(`version: 0\ntopic_id: ${TOPIC_ID}`);
    expect(parsePartitionMetadata(`version: 0\ntopic_id: ${TOPIC_ID}`, 'p')).toBe(TOPIC_ID);
  });

  test.each(['', 'version: 1\ntopic_id: HbwrFzDRSlKLpRs_d8iVNw', 'version: 0\n', 'version: 0\ntopic_id: short', 'nonsense'])(
    'refuses %j',
    (text) => expect(() => parsePartitionMetadata(text, 'p')).toThrow(MalformedFileError),
  );
});

describe('the clean-shutdown marker', () => {
  test('is taken once', () => {
    expect(takeCleanShutdown(storage, 'd')).toEqual({ isClean: false, brokerEpoch: -1 });
    markCleanShutdown(storage, 'd', 12);
    expect(storage.readText('d/.kafka_cleanshutdown')).toBe('{"version":0,"brokerEpoch":12}');
    expect(takeCleanShutdown(storage, 'd')).toEqual({ isClean: true, brokerEpoch: 12 });
    expect(takeCleanShutdown(storage, 'd').isClean).toBe(false);
  });

  test('an empty one, as older brokers left it, is clean as well', () => {
    storage.replaceText('d/.kafka_cleanshutdown', '');
    expect(takeCleanShutdown(storage, 'd')).toEqual({ isClean: true, brokerEpoch: -1 });
  });
});

describe('names', () => {
  test('of files', () => {
    expect(offsetFileName(42, '.log')).toBe('00000000000000000042.log');
    expect(offsetOfFileName('00000000000000000042.timeindex')).toBe(42);
    expect(offsetOfFileName('42.log')).toBe(-1);
    expect(offsetOfFileName('leader-epoch-checkpoint')).toBe(-1);
    expect(offsetOfFileName('99999999999999999999.log')).toBe(-1);
  });

  test('of directories', () => {
    expect(parsePartitionDirectory('a-b.c-12')).toEqual({ topic: 'a-b.c', partition: 12 });
    for (const name of ['-1', 'topic', 'topic-', 'topic-x', 'topic-0.0123456789abcdef0123456789abcdef-delete', 'topic-0.x-stray']) {
      expect(parsePartitionDirectory(name)).toBeNull();
    }
    expect(markedDirectoryName('t-0', TOPIC_ID, '-delete')).toBe('t-0.1dbc2b1730d14a528ba51b3f77c89537-delete');
    expect(markedDirectoryName(`${'x'.repeat(249)}-0`, TOPIC_ID, '-delete')).toHaveLength(255);
  });
});
