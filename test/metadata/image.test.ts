// The image as a function of records: metadata transactions, what a snapshot keeps, what an Apache Kafka directory says.
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { MemoryStorage } from '../../src/log/memory-storage.ts';
import { METADATA_DIRECTORY } from '../../src/metadata/bootstrap.ts';
import { ClusterImage } from '../../src/metadata/image.ts';
import { ImageError } from '../../src/metadata/image-error.ts';
import { imageRecords } from '../../src/metadata/image-records.ts';
import type { MetadataRecord } from '../../src/metadata/metadata-records.ts';
import { CLUSTER_ID, LOG_DIRECTORY, TestNode } from './cluster.ts';
import { batchRecords } from './read-log.ts';

const TOPIC_ID = 'Yh6JWqR4QEKKkBrX6UixQw';
const topic: MetadataRecord = { type: 'TopicRecord', name: 'one', topicId: TOPIC_ID };
const partition = (partitionId: number): MetadataRecord => ({
  type: 'PartitionRecord',
  partitionId,
  topicId: TOPIC_ID,
  replicas: [1, 2],
  isr: [1],
  removingReplicas: [],
  addingReplicas: [2],
  leader: 1,
  leaderRecoveryState: 1,
  leaderEpoch: 4,
  partitionEpoch: 9,
  directories: [TOPIC_ID, TOPIC_ID],
  eligibleLeaderReplicas: [2],
  lastKnownElr: [2],
});

function replayed(records: Iterable<MetadataRecord>): ClusterImage {
  const image = new ClusterImage(CLUSTER_ID);
  let offset = 0;
  for (const record of records) image.replay(record, offset++);
  return image;
}

test('partitions are counted once each, and no longer with their topic', () => {
  const image = replayed([topic, partition(0), partition(1), { ...partition(0), leaderEpoch: 5 } as MetadataRecord]);
  expect(image.partitionCount).toBe(2);
  image.replay({ type: 'RemoveTopicRecord', topicId: TOPIC_ID }, 4);
  expect(image.partitionCount).toBe(0);
});

describe('a metadata transaction', () => {
  const begin: MetadataRecord = { type: 'BeginTransactionRecord', name: 'two steps' };

  test('shows nothing before its end, all of it after', () => {
    const image = replayed([begin, topic, partition(0)]);
    expect(image.isInTransaction).toBe(true);
    expect(image.topicCount).toBe(0);
    image.replay({ type: 'EndTransactionRecord' }, 3);
    expect(image.topicByName('one')?.partitions).toHaveLength(1);
  });

  test('that is aborted never was', () => {
    const image = replayed([begin, topic, { type: 'AbortTransactionRecord', reason: null }, topic, partition(0)]);
    expect(image.topicByName('one')?.partitions).toHaveLength(1);
  });

  test('neither nests nor ends twice', () => {
    expect(() => replayed([begin, begin])).toThrow(ImageError);
    expect(() => replayed([{ type: 'EndTransactionRecord' }])).toThrow(ImageError);
  });
});

describe('records that do not fit', () => {
  test.each<[string, MetadataRecord[]]>([
    ['a topic made twice', [topic, topic]],
    ['a partition of no topic', [partition(0)]],
    ['a partition that leaves a gap', [topic, partition(1)]],
    ['a topic removed that is not there', [{ type: 'RemoveTopicRecord', topicId: TOPIC_ID }]],
    ['a broker fenced that is not there', [{ type: 'FenceBrokerRecord', id: 3, epoch: 1 }]],
  ])('%s', (_about, records) => {
    expect(() => replayed(records)).toThrow(/^offset \d+: /);
  });
});

test('a partition change keeps what it does not name, and a leader that is named is a new leadership', () => {
  const unchanged = { replicas: null, removingReplicas: null, addingReplicas: null, leaderRecoveryState: -1, directories: null };
  const change = { type: 'PartitionChangeRecord', partitionId: 0, topicId: TOPIC_ID, ...unchanged } as const;
  const image = replayed([topic, partition(0)]);
  const before = image.topicByName('one')?.partitions[0];
  image.takeChange();
  image.replay({ ...change, isr: [1, 2], leader: -2, eligibleLeaderReplicas: null, lastKnownElr: null }, 2);
  expect(image.topicByName('one')?.partitions[0]).toEqual({ ...before, isr: [1, 2], partitionEpoch: 10 });
  image.replay({ ...change, isr: null, leader: 1, eligibleLeaderReplicas: [], lastKnownElr: [] }, 3);
  const after = { ...before, isr: [1, 2], partitionEpoch: 11, leaderEpoch: 5, eligibleLeaderReplicas: [], lastKnownElr: [] };
  expect(image.topicByName('one')?.partitions[0]).toEqual(after);
  expect(image.takeChange().partitionsChanged).toEqual([{ topic: image.topicByName('one'), before, after }]);
});

test('clearing eligible leader replicas reaches one topic or all', () => {
  const image = replayed([topic, partition(0), { type: 'ClearElrRecord', topicName: 'other' }]);
  expect(image.topicByName('one')?.partitions[0]?.eligibleLeaderReplicas).toEqual([2]);
  image.replay({ type: 'ClearElrRecord', topicName: '' }, 3);
  expect(image.topicByName('one')?.partitions[0]).toMatchObject({ eligibleLeaderReplicas: [], lastKnownElr: [], partitionEpoch: 10 });
});

test('an image written out replays to the same image, with what Naru does not serve', () => {
  const scram: MetadataRecord = {
    type: 'UserScramCredentialRecord',
    name: 'ann',
    mechanism: 1,
    salt: new Uint8Array([1]),
    storedKey: new Uint8Array([2]),
    serverKey: new Uint8Array([3]),
    iterations: 4096,
  };
  const config: MetadataRecord = { type: 'ConfigRecord', resourceType: 2, resourceName: 'one', name: 'retention.ms', value: '7' };
  const image = replayed([
    ...batchRecordsOf(read('bootstrap.checkpoint')),
    ...[topic, partition(0), partition(1), config, scram],
    { type: 'ProducerIdsRecord', brokerId: 1, brokerEpoch: 3, nextProducerId: 4000 },
  ]);
  const records = [...imageRecords(image)];
  expect(records).toContainEqual(scram);
  expect([...imageRecords(replayed(records))]).toEqual(records);
});

describe('what Naru does not serve', () => {
  const bytes = new Uint8Array([1]);
  const acl = (id: string, operation: number): MetadataRecord => ({
    type: 'AccessControlEntryRecord',
    ...{ id, resourceType: 2, resourceName: 'one', patternType: 3, principal: 'User:ann', host: '*', operation, permissionType: 3 },
  });
  const scram = (name: string, mechanism: number, iterations: number): MetadataRecord => ({
    type: 'UserScramCredentialRecord',
    ...{ name, mechanism, iterations, salt: bytes, storedKey: bytes, serverKey: bytes },
  });
  const quota = (value: number, remove: boolean, entity = ['user', 'client-id']): MetadataRecord => ({
    type: 'ClientQuotaRecord',
    entity: entity.map((entityType) => ({ entityType, entityName: 'ann' })),
    ...{ key: 'producer_byte_rate', value, remove },
  });
  const token = (tokenId: string, expirationTimestamp: number): MetadataRecord => ({
    type: 'DelegationTokenRecord',
    ...{ owner: 'User:ann', requester: 'User:ann', renewers: [], issueTimestamp: 0, maxTimestamp: 9, expirationTimestamp, tokenId },
  });
  const migration = (zkMigrationState: number): MetadataRecord => ({ type: 'ZkMigrationStateRecord', zkMigrationState });
  const kept = (...records: MetadataRecord[]): MetadataRecord[] => [...imageRecords(replayed(records))];

  test('is kept as it holds: changed things once, removed ones not at all', () => {
    const other = 'AAAAAAAAQACAAAAAAAAAAQ';
    expect(kept(acl(TOPIC_ID, 3), acl(other, 4), { type: 'RemoveAccessControlEntryRecord', id: TOPIC_ID })).toEqual([acl(other, 4)]);
    expect(kept(scram('a', 1, 1), scram('a', 2, 1), scram('b', 1, 1), scram('a', 1, 2))).toEqual([
      scram('a', 1, 2),
      scram('a', 2, 1),
      scram('b', 1, 1),
    ]);
    expect(kept(scram('a', 1, 1), scram('a', 2, 1), { type: 'RemoveUserScramCredentialRecord', name: 'a', mechanism: 1 })).toEqual([
      scram('a', 2, 1),
    ]);
    expect(kept(token('x', 1), token('y', 1), token('y', 2), { type: 'RemoveDelegationTokenRecord', tokenId: 'x' })).toEqual([
      token('y', 2),
    ]);
    expect(kept(quota(1, false), quota(2, false, ['client-id', 'user']))).toEqual([quota(2, false, ['client-id', 'user'])]);
    expect(kept(quota(1, false), quota(0, true, ['client-id', 'user']), quota(5, false, ['user']))).toEqual([quota(5, false, ['user'])]);
    expect(kept(migration(1), migration(4))).toEqual([migration(4)]);
  });

  test('takes no more room however often it is changed', () => {
    const image = new ClusterImage(CLUSTER_ID);
    for (let i = 0; i < 20_000; i++) {
      image.replay(scram('ann', 1, i), i);
      image.replay(quota(i, i % 2 === 1), i);
      image.replay(token(`token-${i}`, i), i);
      image.replay({ type: 'RemoveDelegationTokenRecord', tokenId: `token-${i}` }, i);
    }
    expect([...image.unservedRecords]).toEqual([scram('ann', 1, 19_999)]);
  });
});

describe('a directory of Apache Kafka 4.3.1', () => {
  test('opens, with partitions that an orderly stop left without a leader, and goes on', async () => {
    const storage = new MemoryStorage();
    const directory = `${LOG_DIRECTORY}/${METADATA_DIRECTORY}`;
    storage.makeDirectories(directory);
    for (const name of [
      '00000000000000000000.log',
      '00000000000000000000-0000000000.checkpoint',
      'quorum-state',
      'leader-epoch-checkpoint',
    ]) {
      const bytes = read(`${METADATA_DIRECTORY}/${name}`);
      storage.open(`${directory}/${name}`, 'create').write(bytes, 0, bytes.length, 0);
    }
    const node = new TestNode({ storage });
    const offsetBefore = node.log().length;
    await node.start();
    expect(offsetBefore).toBe(109);
    expect(node.quorum.epoch).toBe(3);
    const image = node.workers[0]?.image;
    const one = image?.topicByName('one');
    expect(one?.id).toBe(TOPIC_ID);
    expect(image?.configsOf(2, 'one').get('retention.ms')).toBe('1000');
    // Made in epoch 0; without a leader 1; led again 2; led by us 3.
    expect(one?.partitions.map((found) => [found.leader, found.leaderEpoch, found.isr])).toEqual([
      [1, 3, [1]],
      [1, 3, [1]],
    ]);
    expect(
      node
        .log()
        .slice(offsetBefore)
        .map((record) => record.type),
    ).toEqual([
      'Control',
      'RegisterControllerRecord',
      'RegisterBrokerRecord',
      'BrokerRegistrationChangeRecord',
      'BrokerRegistrationChangeRecord',
      'PartitionChangeRecord',
      'PartitionChangeRecord',
    ]);
  });
});

function read(name: string): Uint8Array {
  return readFileSync(new URL(`../golden/metadata/apache-4.3.1/${name}`, import.meta.url));
}

function batchRecordsOf(bytes: Uint8Array): MetadataRecord[] {
  return batchRecords(bytes).flatMap((record) => (record.type === 'Control' ? [] : [record]));
}
